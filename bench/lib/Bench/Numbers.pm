# Numbers: medians, spreads, and ratios pair by pair.
package Bench::Numbers;

use strict;
use warnings;

use Exporter 'import';
our @EXPORT_OK = qw(median spread ratio);

sub median {
    my @sorted = sort { $a <=> $b } @_;

    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# "median (least-greatest)"
sub spread {
    my ($format, @numbers) = @_;

    my @sorted = sort { $a <=> $b } @numbers;
    return sprintf "$format ($format-$format)", median(@numbers), @sorted[0, -1];
}

# The same of one list divided by another, pair by pair.
sub ratio {
    my ($ones, $others) = @_;

    my @pairs = grep { $others->[$_] } 0 .. ($#$ones < $#$others ? $#$ones : $#$others);
    return '-' if !@pairs;
    return spread('%.2f', map { $ones->[$_] / $others->[$_] } @pairs);
}

1;
