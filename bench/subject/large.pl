# large: one message of 100 MB of LF text with dots, TLS: CPU, and how much more memory than for 2 KiB.
use strict;
use warnings;

my @PARTIES = ('ours: submit', 'ours: window 32', 'ours: new', 'raw C', 'raw C BDAT', 'Net::SMTP',
    'Net::SMTP NODELAY', qw(curl libcurl msmtp Nodemailer smtplib));

sub {
    my ($bench) = @_;

    my @parties = $bench->parties(@PARTIES);
    my $octets  = $bench->many(100_000_000);
    my @jobs    = map { {file => $bench->tools->message($_)} } 2048, $octets;
    my @results = $bench->in_turn(3, map { my $party = $_; map { [$party, $_] } @jobs } @parties);
    for my $i (0 .. $#parties) {
        my ($few, $many) = @results[2 * $i, 2 * $i + 1];
        $many->[$_]{grown} = ($many->[$_]{memory} - $few->[$_]{memory}) / 1024 for 0 .. $#$many;
    }
    my @large   = @results[map { 2 * $_ + 1 } 0 .. $#parties];
    my $results = $bench->tabulate('One message of 100 MB, TLS', \@parties, [
        $bench->figure('CPU s/GB', cpu => 1e9 / $octets, '%.2f'), $bench->ours_to_it('ours/it', 'cpu'),
        $bench->figure('wall ms', wall => 1000, '%.0f'), $bench->ours_to_it('ours/it', 'wall'),
        $bench->plain('memory MB', memory => 1 / 1024, '%.1f'), $bench->plain('grown by MB', grown => 1, '%.1f'),
        $bench->calls_column($jobs[1]), $bench->plain('server spoke', flights => 1)], @large);
    $bench->reach_ratio('100 MB', $results, cpu => 'ours: submit', 'Net::SMTP', '<= 0.15');
    $bench->reach_ratio('100 MB', $results, cpu => 'ours: submit', 'libcurl', '<= 0.6');
    $bench->reach('100 MB', 'memory grown by MB, ours: submit',
        scalar Bench::median(map { $_->{grown} } @{ $results->{'ours: submit'} || [] }), '<= 4');
    return 1;
};
