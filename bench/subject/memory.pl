# memory: how much more a process needs at its peak for 1,000 and for 10,000 messages than for one.
use strict;
use warnings;

sub {
    my ($bench) = @_;

    my @parties = $bench->parties('ours: submit', 'ours: submit_all', 'ours: window 32', 'ours: new',
        'raw C window 32', 'Net::SMTP NODELAY', qw(libcurl Nodemailer smtplib));
    my @counts  = (1, $bench->many(1000), $bench->many(10_000));
    my @results = $bench->in_turn(1, map { my $party = $_; map { [$party, {count => $_}] } @counts } @parties);
    $bench->headline('Memory: peak in MB for messages over one connection');
    return Bench::Table->print(['', @counts], map {
        [$_->{name}, map { sprintf '%.1f', $_->[0]{memory} / 1024 } splice @results, 0, 3]
    } @parties);
};
