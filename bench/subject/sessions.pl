# sessions: 200 connections of one mail each in one process, TLS: with full handshakes and resumed.
use strict;
use warnings;

sub {
    my ($bench) = @_;

    my @ours    = ('ours: submit', 'ours: new', 'raw C');
    my $count   = $bench->many(200);
    my @columns = ($bench->figure('CPU ms each', cpu => 1000 / $count, '%.2f'), $bench->ours_to_it('ours/it', 'cpu'),
        $bench->figure('wall ms each', wall => 1000 / $count, '%.2f'), $bench->ours_to_it('ours/it', 'wall'),
        $bench->plain('memory MB', memory => 1 / 1024, '%.1f'), $bench->plain('resumed', resumed => 1),
        $bench->plain('server spoke', flights => 1 / $count, '%.1f'));
    my $nodelay = 'Net::SMTP NODELAY';
    my @parties = (map({ [$_, {sessions => $count, resume => 0}] } $bench->parties(@ours, $nodelay, 'libcurl')),
        map { [{%$_, name => "$_->{name}, resumed"}, {sessions => $count, resume => 1}] }
        $bench->parties(@ours, 'libcurl'));
    my @results = $bench->in_turn(3, @parties);
    my $results = $bench->tabulate("$count sessions of one mail in one process, TLS", [map { $_->[0] } @parties],
        \@columns, @results);
    $bench->reach_ratio('sessions', $results, cpu => 'ours: submit', $nodelay, '<= 0.25');
    $bench->reach_ratio('sessions', $results, cpu => 'ours: submit, resumed', $nodelay, '<= 0.15');
    return 1;
};
