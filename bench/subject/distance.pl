# distance: a server 50 ms away: how many round trips of time one mail takes, and a hundred over one connection.
use strict;
use warnings;

my $DELAY = 50;
my @ONE   = ('ours: send_mail', 'ours: send_mail one_flight', 'ours: send_mail early', 'ours: submit', 'ours: new',
    'raw C', 'raw C BDAT', 'raw C early', 'raw C lock-step', 'Net::SMTP', 'Net::SMTP NODELAY',
    qw(curl libcurl msmtp swaks Nodemailer smtplib));
my @MANY  = ('ours: submit_all', 'ours: window 32', 'raw C', 'raw C window 32');

sub distance_columns {
    my ($bench, $delay) = @_;

    return ($bench->figure('round trips of time', wall => 1000 / $delay, '%.2f'),
        $bench->figure('wall ms', wall => 1000, '%.0f'), $bench->ours_to_it('ours/it', 'wall'),
        $bench->plain('server spoke', flights => 1));
}

sub trips {
    my ($results, $name, $delay) = @_;

    return map { $_->{wall} * 1000 / $delay } @{ $results->{$name} || [] };
}

sub {
    my ($bench) = @_;

    my $delay = $bench->many($DELAY);
    for my $tls (qw(starttls implicit)) {
        my $one = $bench->compare("One mail, round trips of $delay ms, TLS $tls", {tls => $tls, delay => $delay},
            \@ONE, [distance_columns($bench, $delay)], 3);
        my %limit = ('ours: send_mail' => 'raw C', 'ours: send_mail one_flight' => 'raw C BDAT',
            'ours: send_mail early' => 'raw C early');
        for my $ours ($tls eq 'implicit' ? sort keys %limit : ()) {
            my ($here, $there) = map { scalar Bench::median(trips($one, $_, $delay)) } $ours, $limit{$ours};
            $bench->reach('one mail at 50 ms', "round trips above $limit{$ours}, $ours", $here - $there, '<= 0.3')
                if $here && $there;
        }
    }
    my $count = $bench->many(100);
    my $many  = $bench->compare("$count messages, one connection, round trips of $delay ms, TLS",
        {count => $count, delay => $delay}, \@MANY, [distance_columns($bench, $delay)], 2);
    my %limit = ('ours: submit_all' => '<= 112', 'ours: window 32' => '<= 16');
    $bench->reach('100 messages at 50 ms', "round trips, $_", scalar Bench::median(trips($many, $_, $delay)),
        $limit{$_}) for sort keys %limit;
    my $few = $bench->many(10);
    $bench->compare("$few messages, one connection, round trips of $delay ms, TLS", {count => $few, delay => $delay},
        [@MANY, 'ours: submit', 'ours: new', 'Net::SMTP', 'Net::SMTP NODELAY', qw(libcurl Nodemailer smtplib)],
        [distance_columns($bench, $delay)], 1);
    return 1;
};
