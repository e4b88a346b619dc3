# stream: 200 messages over one connection, small and large, near and far: time, CPU and system calls of each message.
use strict;
use warnings;

# messages, octets of each, milliseconds of a round trip, tls
my @streams = (
    [200, 2048, 0, 'implicit'], [200, 2048, 0, 'none'], [200, 1 << 20, 0, 'implicit'],
    [50,  2048, 20, 'implicit'], [20, 1 << 20, 20, 'implicit'],
);

# Between the first MAIL and the last end of a message, as the server saw it; the rest of the process is not in it.
sub per_message {
    my ($bench, $count) = @_;

    return ($bench->figure('ms each', stream => 1 / 1000 / $count, '%.3f'), $bench->ours_to_it('ours/it', 'stream'),
        ["msg/s", sub { return sprintf '%.0f', Bench::median(map { $count / ($_->{stream} / 1e6) } @{ $_[0] }) }]);
}

# What the messages behind the first cost: CPU, times the server spoke; and, counted apart, system calls.
sub cost_of_more {
    my ($bench, $parties, $job, $one, $all) = @_;

    my $more = $job->{count} - 1;
    my (@rows, $ours);
    for my $i (0 .. $#$parties) {
        my ($few, $many) = ($one->[$i], $all->[$i]);
        my @cpu = map { ($many->[$_]{cpu} - $few->[$_]{cpu}) / $more * 1e6 } 0 .. $#$few;
        $ours ||= \@cpu;
        push @rows, [$parties->[$i]{name}, Bench::spread('%.0f', @cpu), Bench::ratio($ours, \@cpu),
            calls_of_more($bench, $parties->[$i], $job),
            sprintf '%.2f', ($many->[0]{flights} - $few->[0]{flights}) / $more];
    }
    print "\n";
    return Bench::Table->print(['each message more', 'CPU us', 'ours/it', 'system calls', 'writes', 'server spoke'],
        @rows);
}

# System calls of a message, and writes among them.
sub calls_of_more {
    my ($bench, $party, $job) = @_;

    my ($few, $many) = map { $bench->system_calls($party, {%$job, count => $_}) } 1, 21;
    return map { $few ? sprintf '%.1f', ($many->{$_} - $few->{$_}) / 20 : '-' } qw(all writes);
}

sub {
    my ($bench) = @_;

    my @parties = $bench->parties(many => 1);
    for my $stream (@streams) {
        my ($count, $octets, $delay, $tls) = @$stream;
        my $job = {count => $count, delay => $delay, tls => $tls, file => $bench->tools->message($octets)};
        my $rounds  = $delay || $octets > 1e6 ? 2 : $bench->rounds;
        my $is_near = !$delay && $octets < 1e6;
        my @jobs    = (($is_near ? {%$job, count => 1} : ()), $job);
        my @results = $bench->in_turn($rounds, map { my $job = $_; map { [$_, $job] } @parties } @jobs);
        my @one     = $is_near ? splice @results, 0, scalar @parties : ();
        $bench->headline("$count messages of $octets octets, one connection, TLS $tls, round trip $delay ms");
        $bench->tabulate(\@parties, [per_message($bench, $count)], @results);
        cost_of_more($bench, \@parties, $job, \@one, \@results) if $is_near;
    }
    return 1;
};
