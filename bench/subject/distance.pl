# distance: one mail of 2 KiB to a server that is far away, and how many round trips of time it took.
use strict;
use warnings;

sub {
    my ($bench) = @_;

    my @parties = $bench->parties;
    my $rounds  = $bench->rounds > 3 ? 3 : $bench->rounds;
    for my $tls (qw(implicit starttls)) {
        $bench->headline("One mail over a distance, TLS $tls");
        my @delays  = (0, 20, 100);
        my @results = $bench->in_turn($rounds,
            map { my $party = $_; map { [$party, {tls => $tls, delay => $_}] } @delays } @parties);
        my @rows;
        for my $party (@parties) {
            my ($near, @far) = map { Bench::median(map { 1000 * $_->{wall} } @{ shift @results }) } @delays;
            push @rows, [$party->{name}, (map { sprintf '%.1f', $_ } $near, @far),
                map { sprintf '%.1f', ($far[$_] - $near) / $delays[1 + $_] } 0 .. $#far];
        }
        Bench::Table->print(['', 'ms at 0', 'at 20', 'at 100', 'round trips of 20', 'of 100'], @rows);
    }
    return 1;
};
