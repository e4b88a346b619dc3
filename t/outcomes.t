# Cut after every octet in both directions, or late with any reply: what is reported of a recipient became of him.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use Net::SMTP::AuthC::Sandbox;
use OutcomesJudge;
use OutcomesRun;
use Test::More;

use constant { CUTTERS => 4, HOLDERS => 10, LATE => 0.4, TIMEOUT => 10, SHOWN => 5 };

my $slow = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $sample = $slow > 1 ? 40 : 1;

# b@x is refused, c@x deferred. step: only so many of the cuts; hold: of the late replies.
my @two    = ([qw(a@x b@x c@x)], [qw(c@x d@x)]);
my @four   = ([qw(a@x b@x)], [qw(a@x)], [qw(c@x d@x)], [qw(d@x)]);
my %ahead  = (chunking => 1, one_flight => 1, window => 4);
my @nobody = (['b@x'], ['b@x'], ['a@x']);
my @dialogues = (
    { name => 'submit, pipelined', pipelining => 1, messages => \@two, step => 2 },
    { name => 'submit in lock-step', pipelining => 0, messages => \@two, step => 3, hold => 2 },
    { name => 'submit to nobody, twice', pipelining => 1, messages => \@nobody, step => 3, hold => 2 },
    { name => 'mail, to, data', face => 1, messages => \@two, step => 2, hold => 2 },
    { name => 'submit inside TLS, pipelined', pipelining => 1, tls => 1, messages => [$two[0]], step => 3 },
    { name => 'submit twice inside TLS, in lock-step', pipelining => 0, tls => 1, messages => \@two, step => 13,
        hold => 3 },
    { name => 'mail, to, data inside TLS', face => 1, tls => 1, messages => \@two, step => 17, hold => 3 },
    stream('a stream', {}, step => 7, hold => 2),
    stream('a stream by BDAT', { chunking => 1 }, step => 13, hold => 5),
    stream('a stream in one flight', \%ahead, step => 7, hold => 2),
    stream('a stream, all or none', { all_or_none => 1 }, step => 11, hold => 5),
    stream('a stream inside TLS', {}, tls => 1, step => 37, hold => 3),
    stream('a stream in one flight inside TLS', \%ahead, tls => 1, step => 31, hold => 3),
);
my %server = map { $_ => sandbox($_) } qw(none implicit);
my $numbers = 0;
my %seen;

measure();
my @close = map { cases_of($_, 'close', TIMEOUT, 1, \&after_every_octet) } @dialogues;
my @reset = map { cases_of($_, 'reset', TIMEOUT, 23, \&after_every_octet) } @dialogues;
my @hold  = map { cases_of($_, 'hold', LATE, 1, \&before_every_reply) } @dialogues;
try(@close, @reset, @hold);

ok($seen{$_}, "$_: " . ($seen{$_} || 0)) for qw(sent refused deferred not-sent unknown);
ok($seen{'data may have been sent'}, 'data of which nobody knows: ' . ($seen{'data may have been sent'} || 0));
ok(($seen{timeout} || 0) > @hold / 3, 'ended by a deadline: ' . ($seen{timeout} || 0) . ' of ' . @hold);
note 'cuts tried: ', scalar(@close) + @reset, ', late replies: ', scalar @hold;
done_testing;

sub stream {
    my ($name, $options, @more) = @_;
    return { name => $name, stream => $options, pipelining => 1, messages => \@four, @more };
}

sub sandbox {
    my ($tls) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => $tls, require_auth => 0, name => 'x', greeting => 'x',
        keywords => [qw(PIPELINING CHUNKING)], refuse => OutcomesJudge::refusals());
}

# Half of those that are late meet with the deadline of the whole submission.
sub case_of {
    my ($dialogue, $cut, $timeout) = @_;
    my $server = $server{ $dialogue->{tls} ? 'implicit' : 'none' };
    my $number = $numbers++;
    my $limits_all = $timeout == LATE && $number % 2;
    return { %$dialogue, number => $number, cut => $cut, port => $server->port,
        timeout => $timeout * $slow * ($limits_all ? 3 : 1), deadline => $limits_all ? $timeout * $slow : undef,
        ca_file => $dialogue->{tls} && $server->ca_file };
}

# All dialogues to their end: how long they are, and that they go as they should.
sub measure {
    my @cases = map { case_of($_, {}, TIMEOUT) } @dialogues;
    my $results = OutcomesRun::run(map { [$_] } @cases);
    for my $case (@cases) {
        my ($dialogue) = grep { $_->{name} eq $case->{name} } @dialogues;
        my $result = $results->{ $case->{number} };
        $dialogue->{lengths} = { map { $_ => [ lengths($case, $result->{"to_$_"}) ] } qw(server client) };
        $dialogue->{said} = { map { $_ => $result->{"to_$_"} } qw(server client) };
        $case->{first_record} = $dialogue->{first_record} = first_record($dialogue) if $case->{tls};
    }
    judge(\@cases, $results);
    return;
}

sub lengths {
    my ($case, $octets) = @_;
    return $case->{tls} ? OutcomesJudge::records($octets) : length $octets;
}

# Which records have the first that is said in SMTP, "EHLO c.x" and the greeting.
sub first_record {
    my ($dialogue) = @_;
    my %length = (server => 5 + length("EHLO c.x\r\n") + 17, client => 5 + length("220 x\r\n") + 17);
    my %first;
    for my $to (keys %length) {
        my @lengths = @{ $dialogue->{lengths}{$to} };
        ($first{$to}) = grep { $lengths[$_] == $length{$to} } 2 .. $#lengths;
        die "no first record to the $to: @lengths" unless defined $first{$to};
    }
    return \%first;
}

sub cases_of {
    my ($dialogue, $how, $timeout, $step, $where) = @_;
    my @cuts;
    for my $to (qw(server client)) { push @cuts, map { { to => $to, how => $how, %$_ } } $where->($dialogue, $to) }
    $step *= $sample * ($dialogue->{ $where == \&after_every_octet ? 'step' : 'hold' } || 1);
    return map { case_of($dialogue, $cuts[$_], $timeout) } grep { $_ % $step == 0 } 0 .. $#cuts;
}

# But of a handshake, and of the greeting and EHLO behind it, only after some: no recipient is named there.
sub after_every_octet {
    my ($dialogue, $to) = @_;
    my @lengths = @{ $dialogue->{lengths}{$to} };
    my @cuts = { record => 0, octets => 0 };
    for my $record (0 .. $#lengths) {
        my $is_handshake = $dialogue->{tls} && $record < $dialogue->{first_record}{$to} + ($to eq 'client' ? 2 : 1);
        push @cuts, map { { record => $record, octets => $_ } }
            grep { !$is_handshake || $_ % 53 == 0 } 1 .. $lengths[$record];
    }
    return @cuts;
}

# And before every command, as far as they are told apart.
sub before_every_reply {
    my ($dialogue, $to) = @_;
    my $lengths = $dialogue->{lengths}{$to};
    return map { { record => $_, octets => 0 } } $dialogue->{first_record}{$to} .. $#$lengths if $dialogue->{tls};
    my $said = $dialogue->{said}{$to};
    my @at = (0);
    push @at, pos $said while $said =~ /\n/g;
    return map { { record => 0, octets => $_ } } @at;
}

# Those that wait have more processes, and no more than one server each.
sub try {
    my (@cases) = @_;
    my @groups;
    for my $tls (0, 1) {
        for my $is_hold (0, 1) {
            my @some = grep { !$_->{tls} == !$tls && ($_->{cut}{how} eq 'hold') == $is_hold } @cases;
            my $workers = $is_hold ? HOLDERS : CUTTERS;
            push @groups, grep { @$_ } map { part_of($_, $workers, @some) } 0 .. $workers - 1;
        }
    }
    judge(\@cases, OutcomesRun::run(@groups));
    return;
}

sub part_of {
    my ($at, $workers, @cases) = @_;
    return [ @cases[grep { $_ % $workers == $at } 0 .. $#cases] ];
}

sub judge {
    my ($cases, $results) = @_;
    my @servers = values %server;
    $_->wait_for(sub { !grep { !defined $_->ended } $_[0]->sessions }, timeout => TIMEOUT * $slow) for @servers;
    my $truth = OutcomesJudge::truth(@servers);
    count(@{ $_->{messages} }) for values %$results;
    for my $dialogue (@dialogues) {
        my @own = grep { $_->{name} eq $dialogue->{name} } @$cases;
        my @wrong = map { complaints($_, $results, $truth) } @own;
        ok(!@wrong, "$dialogue->{name}: " . @own) or diag(@wrong > SHOWN ? @wrong[0 .. SHOWN - 1] : @wrong);
    }
    return;
}

sub complaints {
    my ($case, $results, $truth) = @_;
    my ($cut, @complaints) = ($case->{cut}, OutcomesJudge::complaints($case, $results->{ $case->{number} }, $truth));
    my $where = %$cut ? "$cut->{how} after $cut->{octets} of $cut->{record} to the $cut->{to}: " : '';
    return map { "$where$_\n" } @complaints;
}

sub count {
    my (@reported) = @_;
    $seen{ $_->{outcome} }++ for map { @{ $_->{recipients} || [] } } @reported;
    $seen{timeout}++ if grep { ($_->{kind} || '') eq 'timeout' } @reported;
    $seen{'data may have been sent'}++ if grep { $_->{taken} && $_->{may} } @reported;
    return;
}
