# Table: rows as a Markdown table.
package Bench::Table;

use strict;
use warnings;

sub print {
    my ($class, @rows) = @_;

    my @width;
    for my $column (0 .. $#{ $rows[0] }) {
        ($width[$column]) = sort { $b <=> $a } map { length $_->[$column] } @rows;
    }
    splice @rows, 1, 0, [map { '-' x $_ } @width];
    for my $row (@rows) {
        print '| ', join(' | ', map { sprintf $_ ? '%*s' : '%-*s', $width[$_], $row->[$_] } 0 .. $#width), " |\n";
    }
    return;
}

1;
