# Bench: what every subject needs: the tools, the sink, the parties, runs in turn, tables and charts of what came out.
package Bench;

use strict;
use warnings;

use Bench::Chart;
use Bench::Goals;
use Bench::Numbers qw(median spread ratio quotients);
use Bench::Party;
use Bench::Run;
use Bench::Sink;
use Bench::Table;
use Bench::Tools;

# top: the project's folder; rounds: how often each party's turn comes; tiny: everything once and small, by our own
# parties only, to see that it works.
sub new {
    my ($class, %self) = @_;

    my $self  = bless {%self, rounds => $self{tiny} ? 1 : $self{rounds}}, $class;
    my $tools = $self->{tools} = Bench::Tools->new($self->{top});
    $self->{sink}   = Bench::Sink->new($tools);
    $self->{runner} = Bench::Run->new($tools, $self->{sink});
    $self->{runner}{has_strace} = 0 if $self->{tiny};
    $self->{chart}   = Bench::Chart->new("$self->{top}/bench/results") if !$self->{tiny};
    $self->{goals}   = Bench::Goals->new;
    $self->{parties} = {map { $_->{name} => $_ } Bench::Party->all($tools)};
    return $self;
}

sub tools  { return $_[0]{tools} }
sub goals  { return $_[0]{goals} }
sub rounds { my ($self, $most) = @_; return $most && $most < $self->{rounds} ? $most : $self->{rounds} }
sub many   { my ($self, $count) = @_; return $self->{tiny} && $count > 3 ? 3 : $count }
sub begin  { my ($self, $subject) = @_; $self->{subject} = $subject; return }

# Who cannot send one mail is left out, and told with the reason.
sub introduce {
    my ($self) = @_;

    print "Each figure is the median of $self->{rounds} rounds, in which the parties take turns. ",
        "\"ours/it\" is the first party's figure divided by that party's, pair by pair, with the least and the ",
        "greatest: below 1 we need less.\n";
    for my $party (map { $self->{parties}{$_} } sort keys %{ $self->{parties} }) {
        next if $self->{tiny} && $party->{is_foreign};
        next if eval { $party->{is_here} = $self->{runner}->run($party, {}, 1) };
        print "\nLeft out: $party->{name}: ", (split /\n/, $self->{runner}->said || $@)[0] // '', "\n";
        $self->{is_lacking} = 1 if !$party->{is_foreign} && !$party->{may_lack};
    }
    return;
}

sub is_lacking { return $_[0]{is_lacking} }

# Those of the names that are here.
sub parties { my ($self, @names) = @_; return grep { $_ && $_->{is_here} } map { $self->{parties}{$_} } @names }

sub headline { print "\n## $_[1]\n\n"; return }
sub note     { print "\n$_[1]\n";      return }

# Runs each job of each party in turn; jobs: [party, job] ... Gives an array of results for each.
sub in_turn {
    my ($self, $rounds, @jobs) = @_;

    my @results = map { [] } @jobs;
    for my $job ($self->{tiny} ? () : @jobs) {    # to warm up, and to see that the message arrives whole
        $self->{runner}->run($job->[0], {%{ $job->[1] }, count => 1, sessions => 1, recipients => 1, delay => 0}, 1);
    }
    for (1 .. $self->rounds($rounds)) {
        push @{ $results[$_] }, $self->{runner}->run(@{ $jobs[$_] }, $self->{tiny}) for 0 .. $#jobs;
    }
    return @results;
}

# A table and a chart of the parties at one job; columns: [head, sub of a party's results, of the first party's, and
# the party, sub of the chart's number] ... Result: name => results.
sub compare {
    my ($self, $title, $job, $names, $columns, $rounds) = @_;

    my @parties = $self->parties(@$names) or return {};
    my @results = $self->in_turn($rounds, map { [$_, $job] } @parties);
    return $self->tabulate($title, \@parties, $columns, @results);
}

sub tabulate {
    my ($self, $title, $parties, $columns, @results) = @_;

    $self->headline($title);
    my @rows;
    for my $i (0 .. $#$parties) {
        push @rows, [$parties->[$i]{name}, map { $_->[1]->($results[$i], $results[0], $parties->[$i]) } @$columns];
    }
    Bench::Table->print(['', map { $_->[0] } @$columns], @rows);
    my $shown = $columns->[0];
    $self->chart($title, $shown->[0], map { [$parties->[$_]{name}, $shown->[2]->($results[$_])] } 0 .. $#$parties)
        if $shown->[2];
    return {map { $parties->[$_]{name} => $results[$_] } 0 .. $#$parties};
}

sub chart {
    my ($self, $title, $unit, @bars) = @_;

    $self->{chart}->draw($self->{subject}, $title, $unit, @bars) if $self->{chart};
    return;
}

# ---- columns ----

# The median of a figure with its spread.
sub figure {
    my (undef, $head, $name, $scale, $format) = @_;

    my $all = sub { return map { $_->{$name} * $scale } @{ $_[0] } };
    return [$head, sub { return spread($format || '%.1f', $all->($_[0])) }, sub { return median($all->($_[0])) }];
}

sub ours_to_it {
    my (undef, $head, $name) = @_;

    return [$head, sub { return ratio([map { $_->{$name} } @{ $_[1] }], [map { $_->{$name} } @{ $_[0] }]) }];
}

sub plain {
    my (undef, $head, $name, $scale, $format) = @_;

    return [$head, sub { return sprintf $format || '%.0f', median(map { $_->{$name} * $scale } @{ $_[0] }) }];
}

# Of the whole run: job is what is run once more under strace.
sub calls_column {
    my ($self, $job) = @_;

    return ['system calls', sub { return ($self->system_calls($_[2], $job) || {all => '-'})->{all} }];
}

# With the job also its system calls.
sub usual_columns {
    my ($self, $job) = @_;

    return ($self->figure('wall ms', wall => 1000), $self->ours_to_it('ours/it', 'wall'),
        $self->figure('CPU ms', cpu => 1000), $self->ours_to_it('ours/it', 'cpu'),
        $self->plain('memory MB', memory => 1 / 1024, '%.1f'), $job ? $self->calls_column($job) : (),
        $self->plain('server spoke', flights => 1));
}

# Of one run: {all, writes, by_name}; undef without strace.
sub system_calls {
    my ($self, $party, $job) = @_;

    return $self->{runner}->system_calls($party, $job);
}

# ---- goals ----

# The median of one party's figure divided by another's, pair by pair; of compare's result.
sub reach_ratio {
    my ($self, $case, $results, $name, $ours, $other, $limit) = @_;

    my ($ones, $others) = map { [map { $_->{$name} } @{ $results->{$_} || [] }] } $ours, $other;
    my ($one, $another) = $name eq 'stream' ? ($others, $ones) : ($ones, $others);    # what is told there is speed
    my %what = (stream => 'messages/s', cpu => 'CPU', wall => 'wall');
    return $self->reach($case, "$what{$name}, $ours / $other", scalar median(quotients($one, $another)), $limit);
}

sub reach { my ($self, @goal) = @_; $self->{goals}->note(@goal); return }

1;
