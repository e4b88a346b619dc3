# Numbers: medians, spreads, and ratios pair by pair.
package Bench::Numbers;

use strict;
use warnings;

use Exporter 'import';
our @EXPORT_OK = qw(median spread ratio quotients);

sub median {
    my @sorted = sort { $a <=> $b } @_;

    return if !@sorted;
    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# "median (least-greatest)"
sub spread {
    my ($format, @numbers) = @_;

    return sprintf $format, @numbers if @numbers < 2;
    my @sorted = sort { $a <=> $b } @numbers;
    return sprintf "$format ($format-$format)", median(@numbers), @sorted[0, -1];
}

# One list divided by another, pair by pair.
sub quotients {
    my ($ones, $others) = @_;

    my @pairs = grep { $others->[$_] } 0 .. ($#$ones < $#$others ? $#$ones : $#$others);
    return map { $ones->[$_] / $others->[$_] } @pairs;
}

sub ratio {
    my @quotients = quotients(@_);

    return @quotients ? spread('%.2f', @quotients) : '-';
}

1;
