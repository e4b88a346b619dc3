# codec: CPU of line ends and dots, and of base64: the core in C, perl's substitutions, and MIME::Base64.
use strict;
use warnings;

sub seconds {
    my (@command) = @_;

    open my $output, '-|', @command or die "$command[0]: $!\n";
    my %seconds = map { split } readline $output;
    return close $output ? \%seconds : die "this failed: @command\n";
}

sub {
    my ($bench) = @_;

    my $tools   = $bench->tools;
    my $program = $tools->program('codec', ['bench/codec.c', 'c_src/base/*.c', map { "c_src/codec/$_.c" }
        qw(content base64)]);
    my $file = $tools->message(1 << 20);
    my (@ours, @others);
    for (1 .. $bench->rounds) {
        push @ours,   seconds($program, $file);
        push @others, seconds($tools->script('codec.pl'), $file);
    }
    $bench->headline('Codecs: nanoseconds of CPU for an octet of what goes in');
    my @rows;
    for my $work (qw(content measure encode decode)) {
        my ($one, $other) = map { my $list = $_; [grep { defined } map { $_->{$work} } @$list] } \@ours, \@others;
        push @rows, [$work, Bench::spread('%.3f', @$one), @$other ? Bench::spread('%.3f', @$other) : '-',
            Bench::ratio($one, $other), sprintf '%.1f', 1 / Bench::median(@$one)];
    }
    return Bench::Table->print(['', 'ours', 'perl, MIME::Base64', 'ours/it', 'ours GB/s'], @rows);
};
