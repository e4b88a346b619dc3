# Goals: what was to be reached, what was, and the table of both at the end of a run.
package Bench::Goals;

use strict;
use warnings;

use Bench::Table;

sub new { return bless [], $_[0] }

# limit: "<= 0.15" or ">= 0.75"; figure: undef where a party was absent.
sub note {
    my ($self, $case, $what, $figure, $limit) = @_;

    push @$self, [$case, $what, $figure, $limit] if defined $figure;
    return;
}

sub _is_reached {
    my ($figure, $limit) = @_;

    my ($relation, $number) = split ' ', $limit;
    return $relation eq '<=' ? $figure <= $number : $figure >= $number;
}

sub print {
    my ($self) = @_;

    return if !@$self;
    print "\n## To reach\n\n";
    return Bench::Table->print(['case', 'figure', 'median', 'to reach', 'reached'], map {
        my ($case, $what, $figure, $limit) = @$_;
        [$case, $what, sprintf('%.3g', $figure), $limit, _is_reached($figure, $limit) ? 'yes' : '**no**']
    } @$self);
}

1;
