# loading: what a program pays before it says a word: perl alone, our module, and Net::SMTP with what it needs.
use strict;
use warnings;

my @programs = (
    ['perl -e 1'               => '1'],
    ['ours: use'               => 'use Net::SMTP::AuthC; 1'],
    ['ours: both faces'        => 'use Net::SMTP::AuthC; require Net::SMTP::AuthC::Submission; '
                                . 'require Net::SMTP::AuthC::Commands; 1'],
    ['Net::SMTP'               => 'use Net::SMTP; 1'],
    ['Net::SMTP, TLS, SASL'    => 'use Net::SMTP; use IO::Socket::SSL; use Authen::SASL; 1'],
);
my $COUNT_FILES = 'my $maps = do { local (@ARGV, $/) = "/proc/self/maps"; <> } // ""; '
    . 'my %seen = map { $_ => 1 } $maps =~ m{(/\S+\.so[.0-9]*)$}gm; '
    . 'print scalar(keys %INC), " + ", scalar keys %seen';

sub files_of {
    my ($bench, $code) = @_;

    my @command = ($bench->tools->perl, '-e', "$code; $COUNT_FILES");
    open my $output, '-|', @command or die "$command[0]: $!\n";
    return readline $output;
}

sub program_of {
    my ($bench, $name, $code) = @_;

    return {name => $name, sends_nothing => 1, command => sub { return (undef, $bench->tools->perl, '-e', $code) }};
}

sub {
    my ($bench) = @_;

    my @parties = map { program_of($bench, @$_) } grep { defined files_of($bench, $_->[1]) } @programs;
    my %code = map { @$_ } @programs;
    my @results = $bench->in_turn(undef, map { [$_, {}] } @parties);
    for my $these (@results) {
        $these->[$_]{over} = 1000 * ($these->[$_]{wall} - $results[0][$_]{wall}) for 0 .. $#$these;
        $these->[$_]{more} = ($these->[$_]{memory} - $results[0][$_]{memory}) / 1024 for 0 .. $#$these;
    }
    my $results = $bench->tabulate('Loading', \@parties, [
        $bench->figure('wall ms', wall => 1000), $bench->figure('CPU ms', cpu => 1000),
        $bench->plain('memory MB', memory => 1 / 1024, '%.1f'), $bench->plain('ms over perl', over => 1, '%.1f'),
        $bench->plain('MB over perl', more => 1, '%.1f'),
        ['Perl files + libraries', sub { return files_of($bench, $code{ $_[2]{name} }) }]], @results);
    my %limit = (over => ['ms', '<= 8'], more => ['MB', '<= 6']);
    for my $name (sort keys %limit) {
        my $figure = Bench::median(map { $_->{$name} } @{ $results->{'ours: use'} });
        $bench->reach('loading', "$limit{$name}[0] over perl -e 1, ours: use", $figure, $limit{$name}[1]);
    }
    return 1;
};
