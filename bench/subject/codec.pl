# codec: CPU of line ends and dots, of reading a message, and of base64: the core in C, Net::Cmd, perl, MIME::Base64.
use strict;
use warnings;

# What is done, our figure of it, the other's, and how many times as fast we should be.
my @JOBS = (
    ['line ends and dots: Net::Cmd::datasend',      qw(content content 30)],
    ['line ends and dots: two substitutions',       qw(content substitutions)],
    ['size, eight bits, NUL: perl',                 qw(scan scan)],
    ['base64 in lines with CRLF: MIME::Base64',     qw(lines lines 4)],
    ['base64 without lines: MIME::Base64',          qw(encode encode 4)],
    ['base64 decoded, ours strict: MIME::Base64',   qw(decode decode 4)],
);

sub seconds {
    my (@command) = @_;

    open my $output, '-|', @command or die "$command[0]: $!\n";
    my %seconds = map { split } readline $output;
    return close $output ? \%seconds : die "this failed: @command\n";
}

sub row_of {
    my ($bench, $ours, $others, $what, $one, $other, $least) = @_;

    my ($we, $they) = ([map { $_->{$one} } @$ours], [map { $_->{$other} } @$others]);
    my $times = Bench::median(map { $they->[$_] / $we->[$_] } 0 .. $#$we);
    $bench->reach('codec', "times as fast, $what", $times, ">= $least") if $least;
    return [$what, Bench::spread('%.3f', @$we), Bench::spread('%.3f', @$they), sprintf('%.1f', $times),
        sprintf '%.1f', 1 / Bench::median(@$we)];
}

sub {
    my ($bench) = @_;

    my $tools   = $bench->tools;
    my $program = $tools->program('codec', ['bench/codec.c', 'c_src/base/*.c', map { "c_src/codec/$_.c" }
        qw(content content_facts words base64 base64_kernel base64_lines base64_x86 base64_neon)]);
    my $file = $tools->message(1 << 20);
    my (@ours, @others);
    for (1 .. $bench->rounds) {
        push @ours,   seconds($program, $file);
        push @others, seconds($tools->script('codec.pl'), $file);
    }
    $bench->headline('Codecs: nanoseconds of CPU for an octet of what goes in');
    my @rows = map { row_of($bench, \@ours, \@others, @$_) } @JOBS;
    my @copy = map { $_->{copy} } @ours;
    push @rows, ['a copy', Bench::spread('%.3f', @copy), '-', '-', sprintf '%.1f', 1 / Bench::median(@copy)];
    return Bench::Table->print(['', 'ours', 'the other', 'times as fast', 'ours GB/s'], @rows);
};
