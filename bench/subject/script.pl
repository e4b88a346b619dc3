# script: the whole life of a script that sends one mail of 2 KiB: start, load, connect, TLS, log in, send, quit.
use strict;
use warnings;

my @PARTIES = ('ours: submit', 'ours: send_mail', 'ours: new', 'raw C', 'raw C lock-step', 'Net::SMTP',
    'Net::SMTP NODELAY', qw(curl libcurl msmtp swaks Nodemailer smtplib));

sub life {
    my ($bench, $title, $job, @more) = @_;

    return $bench->compare("One mail, one process: $title", $job, [@PARTIES, @more], [$bench->usual_columns($job)]);
}

sub {
    my ($bench) = @_;

    my @ours   = ('ours: submit', 'Net::SMTP');
    my $folder = $bench->tools->ca_in_folder;
    my $tls    = life($bench, 'TLS 1.3 from the start', {ca => $folder});
    $bench->reach_ratio('script, TLS', $tls, wall => @ours, '<= 0.15');
    $bench->reach_ratio('script, TLS', $tls, cpu  => @ours, '<= 0.25');
    $bench->reach_ratio('script, TLS', $tls, cpu  => 'ours: submit', 'curl', '<= 1.2');
    life($bench, 'TLS 1.2 from the start', {ca => $folder, version => '1.2'});
    life($bench, 'STARTTLS', {ca => $folder, tls => 'starttls'});
    my $clear = life($bench, 'in clear', {tls => 'none'});
    $bench->reach_ratio('script, clear', $clear, wall => @ours, '<= 0.08');
    my $bundle = $bench->tools->ca_in_bundle or return 1;
    my $one    = life($bench, 'TLS, the authority in one file with all that the system trusts', {ca => $bundle});
    $bench->reach_ratio('script, bundle', $one, wall => 'ours: submit', 'raw C', '<= 0.6');
    return 1;
};
