# Bench: what every subject needs: the tools, the sink, the parties, runs in turn, and tables of what came out.
package Bench;

use strict;
use warnings;

use Bench::Numbers qw(median spread ratio);
use Bench::Party;
use Bench::Run;
use Bench::Sink;
use Bench::Table;
use Bench::Tools;

# top: the project's folder; rounds: how often each party's turn comes.
sub new {
    my ($class, %self) = @_;

    my $self  = bless {%self}, $class;
    my $tools = $self->{tools} = Bench::Tools->new($self->{top});
    $self->{sink}    = Bench::Sink->new($tools);
    $self->{runner}  = Bench::Run->new($tools, $self->{sink});
    $self->{parties} = [Bench::Party->all($tools, $self->{sink})];
    return $self;
}

sub tools  { return $_[0]{tools} }
sub sink   { return $_[0]{sink} }
sub rounds { return $_[0]{rounds} }

sub introduce {
    my ($self) = @_;

    print "Each figure is the median of $self->{rounds} rounds, in which the parties take turns. ",
        "\"ours/it\" is our figure divided by that party's, pair by pair, with the least and the greatest: ",
        "below 1 we need less.\n";
    print "Absent, so left out: $_->{name} ($_->{absent})\n" for grep { $_->{absent} } @{ $self->{parties} };
    return;
}

# The parties that are here and can do the job; the first is the one that the others are compared with.
sub parties {
    my ($self, %want) = @_;

    return grep { !$_->{absent} && (!$want{many} || $_->{many}) && (!$want{only} || $want{only}{ $_->{name} }) }
        @{ $self->{parties} };
}

sub party { my ($self, $name) = @_; return (grep { $_->{name} eq $name } @{ $self->{parties} })[0] }

sub headline { print "\n## $_[1]\n\n"; return }
sub note     { print "\n$_[1]\n";      return }

# Runs each job of each party in turn; jobs: [party, job] ... Gives an array of results for each.
sub in_turn {
    my ($self, $rounds, @jobs) = @_;

    my @results = map { [] } @jobs;
    $self->{runner}->run($_->[0], {%{ $_->[1] }, count => 1, recipients => 1}) for @jobs;    # to warm up
    for (1 .. $rounds) {
        push @{ $results[$_] }, $self->{runner}->run(@{ $jobs[$_] }) for 0 .. $#jobs;
    }
    return @results;
}

# A table of the parties at one job, with columns: [head, sub of all results of a party and of ours] ...
sub compare {
    my ($self, $job, $parties, $columns, $rounds) = @_;

    my @results = $self->in_turn($rounds || $self->{rounds}, map { [$_, $job] } @$parties);
    $self->tabulate($parties, $columns, @results);
    return @results;
}

sub tabulate {
    my (undef, $parties, $columns, @results) = @_;

    my @rows;
    for my $i (0 .. $#$parties) {
        push @rows, [$parties->[$i]{name}, map { $_->[1]->($results[$i], $results[0]) } @$columns];
    }
    return Bench::Table->print(['', map { $_->[0] } @$columns], @rows);
}

# ---- columns ----

# The median of a figure with its spread.
sub figure {
    my (undef, $head, $name, $scale, $format) = @_;

    return [$head, sub { return spread($format || '%.1f', map { $_->{$name} * $scale } @{ $_[0] }) }];
}

sub ours_to_it {
    my (undef, $head, $name) = @_;

    return [$head, sub { return ratio([map { $_->{$name} } @{ $_[1] }], [map { $_->{$name} } @{ $_[0] }]) }];
}

sub plain {
    my (undef, $head, $name, $scale, $format) = @_;

    return [$head, sub { return sprintf $format || '%.0f', median(map { $_->{$name} * $scale } @{ $_[0] }) }];
}

sub usual_columns {
    my ($self) = @_;

    return ($self->figure('wall ms', wall => 1000), $self->ours_to_it('ours/it', 'wall'),
        $self->figure('CPU ms', cpu => 1000), $self->ours_to_it('ours/it', 'cpu'),
        $self->plain('memory MB', memory => 1 / 1024, '%.1f'));
}

# System calls of one run: {all, writes}; undef without strace.
sub system_calls {
    my ($self, $party, $job) = @_;

    return $self->{runner}->system_calls($party, $job);
}

1;
