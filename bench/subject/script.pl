# script: the whole life of a script that sends one mail of 2 KiB: start, load, connect, TLS, log in, send, quit.
use strict;
use warnings;

my @TLS = ([implicit => 'TLS from the start'], [starttls => 'STARTTLS'], [none => 'in clear']);

sub calls_column {
    my ($bench, $job, $parties) = @_;

    my @rows = map { my $calls = $bench->system_calls($_, $job); $calls ? [$_->{name}, @$calls{qw(all writes)}] : () }
        @$parties;
    return @rows ? Bench::Table->print(['system calls', 'all', 'writes'], @rows) : $bench->note('No strace here.');
}

sub {
    my ($bench) = @_;

    my @parties = $bench->parties;
    my @columns = ($bench->usual_columns, $bench->plain('server spoke', flights => 1));
    for my $tls (@TLS) {
        $bench->headline("One mail, one process: $tls->[1]");
        $bench->compare({tls => $tls->[0]}, \@parties, \@columns);
        print "\n";
        calls_column($bench, {tls => $tls->[0]}, \@parties);
    }
    my $bundle = $bench->tools->ca_in_bundle or return;
    $bench->headline('The same under TLS, the authority in one file with all that the system trusts');
    return $bench->compare({ca => $bundle}, \@parties, \@columns);
};
