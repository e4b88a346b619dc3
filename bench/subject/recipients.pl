# recipients: one message to 1,000 and to 20,000 recipients.
use strict;
use warnings;

my $TAKES_FEW = qr/curl/;    # 307,200 octets of replies, says it

sub {
    my ($bench) = @_;

    my @parties = grep { $_->{name} !~ /swaks/ } $bench->parties;    # its words would not fit on the command line
    my $rounds  = $bench->rounds > 3 ? 3 : $bench->rounds;
    for my $count (1000, 20_000) {
        $bench->headline("One message, $count recipients");
        $bench->compare({recipients => $count}, [grep { $count == 1000 || $_->{name} !~ $TAKES_FEW } @parties],
            [$bench->usual_columns, $bench->plain('server spoke', flights => 1)], $rounds);
    }
    $bench->headline('One message, 1000 recipients, round trip 20 ms, one round');
    my @quick = grep { $_->{name} =~ /ours: submit|msmtp|curl/ } @parties;
    return $bench->compare({recipients => 1000, delay => 20}, \@quick, [$bench->usual_columns], 1);
};
