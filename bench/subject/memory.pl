# memory: how much more a process needs at its peak for 100 MiB than for 2 KiB, and for 1,000 messages than for one.
use strict;
use warnings;

sub grown {
    my ($bench, $head, $parties, $little, $much) = @_;

    my $rounds  = $bench->rounds > 2 ? 2 : $bench->rounds;
    my @results = $bench->in_turn($rounds, map { [$_, $little], [$_, $much] } @$parties);
    my (@rows, $ours);
    for my $party (@$parties) {
        my ($few, $many) = splice @results, 0, 2;
        $ours ||= $many;
        my ($before, $after) = map { Bench::median(map { $_->{memory} / 1024 } @$_) } $few, $many;
        push @rows, [$party->{name}, (map { sprintf '%.1f', $_ } $before, $after, $after - $before),
            map { $_->[1]->($many, $ours) } $bench->figure('', cpu => 1, '%.2f'), $bench->ours_to_it('', 'cpu')];
    }
    $bench->headline($head);
    return Bench::Table->print(['', 'MB before', 'MB after', 'grown by', 'CPU s', 'ours/it'], @rows);
}

sub {
    my ($bench) = @_;

    my $small = {file => $bench->tools->message(2048)};
    grown($bench, 'Memory: one message of 100 MiB from a handle',
        [grep { $_->{name} !~ /send_mail|swaks/ } $bench->parties], $small,
        {file => $bench->tools->message(100 << 20)});
    grown($bench, 'Memory: 1,000 messages over one connection',
        [grep { $_->{name} ne 'Net::SMTP' } $bench->parties(many => 1)], $small, {%$small, count => 1000});
    return 1;
};
