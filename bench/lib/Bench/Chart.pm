# Chart: bars as SVG by gnuplot, where there is one.
package Bench::Chart;

use strict;
use warnings;

sub new {
    my ($class, $folder) = @_;

    return if !grep { -x "$_/gnuplot" } split /:/, $ENV{PATH};
    mkdir $folder;
    return bless {folder => $folder, count => {}}, $class;
}

sub _quoted { my ($text) = @_; $text =~ s/(["\\])/\\$1/g; return "\"$text\"" }

sub _shown { my ($number) = @_; return sprintf $number < 100 ? '%.3g' : '%.0f', $number }

# One bar for each of [name, number], from above to below; on a logarithmic scale where they lie far apart.
sub draw {
    my ($self, $subject, $title, $unit, @bars) = @_;

    @bars = grep { defined $_->[1] && $_->[1] > 0 } @bars or return;
    my ($least, $most) = (sort { $a <=> $b } map { $_->[1] } @bars)[0, -1];
    my $is_wide = $most > 30 * $least;
    my $from    = $is_wide ? $least / 2 : 0;
    my $file    = sprintf '%s/%s-%d.svg', $self->{folder}, $subject, ++$self->{count}{$subject};
    my $height  = 110 + 24 * @bars;
    open my $gnuplot, '|-', 'gnuplot' or return;
    print {$gnuplot} "set terminal svg size 900,$height noenhanced font 'sans,12' background '#ffffff'\n",
        'set output ', _quoted($file), "\nset title ", _quoted($title), "\nset xlabel ", _quoted($unit), "\n",
        "unset key\nset style fill solid 0.8 noborder\nset border 3\nset grid xtics\nset tics nomirror\n",
        ($is_wide ? 'set logscale x; ' : ''), "set xrange [$from:", $most * ($is_wide ? 4 : 1.15), "]\n",
        "set yrange [@{[$#bars + 0.6]}:-0.6]\nset ytics (",
        join(', ', map { _quoted($bars[$_][0]) . " $_" } 0 .. $#bars), ")\n",
        "plot '-' with boxxyerror linecolor rgb '#3a6ea5', '-' with labels left offset 0.5,0\n",
        (map { join(' ', $bars[$_][1], $_, $from, $bars[$_][1], $_ - 0.35, $_ + 0.35) . "\n" } 0 .. $#bars),
        "e\n", (map { "$bars[$_][1] $_ " . _shown($bars[$_][1]) . "\n" } 0 .. $#bars), "e\n";
    return close $gnuplot;
}

1;
