# steps: what one command and its reply cost: thousands of NOOPs in clear, and the system calls that each needs.
use strict;
use warnings;

my @CLASSES = (['ours: new' => 'Net::SMTP::AuthC'], ['Net::SMTP' => 'Net::SMTP']);
my ($FEW, $MANY) = (100, 5100);

sub party_of {
    my ($bench, $name, $class) = @_;

    return {name => $name, sends_nothing => 1,
        command => sub { return (undef, $bench->tools->script('noops.pl'), $class) }};
}

sub names_of {
    my ($few, $many) = @_;

    my ($before, $after) = map { $_->{by_name} } $few, $many;
    my %each = map { $_ => ($after->{$_} - ($before->{$_} || 0)) / ($MANY - $FEW) } keys %$after;
    return join ', ', map { sprintf '%s %.1f', $_, $each{$_} } sort { $each{$b} <=> $each{$a} }
        grep { $each{$_} > 0.05 } keys %each;
}

# Microseconds for each NOOP, round by round.
sub each_of {
    my ($name, $few, $many) = @_;

    return [map { 1e6 * ($many->[$_]{$name} - $few->[$_]{$name}) / ($MANY - $FEW) } 0 .. $#$few];
}

sub {
    my ($bench) = @_;

    ($FEW, $MANY) = (1, $bench->many($MANY));
    my @parties = map { party_of($bench, @$_) } @CLASSES;
    my @jobs    = map { {tls => 'none', count => $_} } $FEW, $MANY;
    my @results = $bench->in_turn($bench->rounds, map { my $party = $_; map { [$party, $_] } @jobs } @parties);
    my (@rows, $ours);
    for my $party (@parties) {
        my ($few, $many) = splice @results, 0, 2;
        my ($wall, $cpu) = map { each_of($_, $few, $many) } qw(wall cpu);
        $ours ||= [$wall, $cpu];
        my @calls = map { $bench->system_calls($party, $_) } @jobs;
        push @rows, [$party->{name}, Bench::spread('%.1f', @$wall), Bench::ratio($ours->[0], $wall),
            Bench::spread('%.1f', @$cpu), Bench::ratio($ours->[1], $cpu),
            @calls == 2 && $calls[0] ? names_of(@calls) : '-'];
    }
    $bench->headline('One command and its reply: NOOP');
    return Bench::Table->print(['', 'wall us', 'ours/it', 'CPU us', 'ours/it', 'system calls'], @rows);
};
