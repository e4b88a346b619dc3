# Cut after every octet in both directions, and late at any reply: what is reported of every recipient is what became of it.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use List::Util qw(max sum);
use Net::SMTP::AuthC::Sandbox;
use OutcomesJudge;
use OutcomesRun;
use Test::More;
use Time::HiRes qw(time);

use constant { CUTTERS => 4, HOLDERS => 8 };

my $slow = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $began = time;

# b@x is refused, c@x is deferred.
my @three = ([qw(a@x b@x c@x)], [qw(c@x d@x)]);
my @nobody = ([qw(b@x c@x)], [qw(b@x c@x)], [qw(a@x)]);

my @dialogues = (
    { name => 'submit with PIPELINING', pipelining => 1, messages => \@three },
    { name => 'submit in lock-step', pipelining => 0, messages => \@three },
    { name => 'submit to nobody twice', pipelining => 1, messages => \@nobody },
    { name => 'data', face => 1, messages => \@three },
    { name => 'submit with PIPELINING inside TLS', pipelining => 1, tls => 1, messages => \@three },
    { name => 'data inside TLS', face => 1, tls => 1, messages => \@three, sample => 23 },
);

my %server = map { $_ => sandbox($_) } qw(none implicit);
my $numbers = 0;

sub sandbox {
    my ($tls) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => $tls, require_auth => 0, name => 'x', greeting => 'x',
        keywords => ['PIPELINING'], refuse => OutcomesJudge::refusals());
}

sub case_of {
    my ($dialogue, $cut, $timeout) = @_;
    my $server = $server{ $dialogue->{tls} ? 'implicit' : 'none' };
    return { %$dialogue, number => $numbers++, cut => $cut, timeout => $timeout * $slow, port => $server->port,
        ca_file => $dialogue->{tls} && $server->ca_file };
}

# Dialogues to their end, to see how long they are.
sub measure {
    my @cases = map { case_of($_, {}, 10) } @dialogues;
    my $results = OutcomesRun::run(map { [$_] } @cases);
    for my $at (0 .. $#dialogues) {
        my ($dialogue, $result) = ($dialogues[$at], $results->{ $cases[$at]{number} });
        $dialogue->{records} = { map { $_ => [ record_lengths($dialogue, $result->{"to_$_"}) ] } qw(server client) };
        $dialogue->{first_record} = $cases[$at]{first_record} = first_record($dialogue);
    }
    judge('uncut', \@cases, $results);
    return;
}

sub record_lengths {
    my ($dialogue, $octets) = @_;
    return $dialogue->{tls} ? OutcomesJudge::records($octets) : length $octets;
}

# The first records that hold what is said in SMTP: the greeting, "EHLO c.x".
sub first_record {
    my ($dialogue) = @_;
    return unless $dialogue->{tls};
    my %length = (server => 5 + length("EHLO c.x\r\n") + 17, client => 5 + length("220 x\r\n") + 17);
    my %first;
    for my $to (keys %length) {
        my @lengths = @{ $dialogue->{records}{$to} };
        ($first{$to}) = grep { $lengths[$_] == $length{$to} } 2 .. $#lengths;
        die "no first record to the $to: @lengths" unless defined $first{$to};
    }
    return \%first;
}

# After every octet, but within a handshake, of which no recipient hears, only after some.
sub cuts {
    my ($dialogue, $how) = @_;
    my @cuts;
    for my $to (qw(server client)) {
        my @lengths = @{ $dialogue->{records}{$to} };
        push @cuts, { to => $to, record => 0, octets => 0, how => $how };
        for my $record (0 .. $#lengths) {
            my $is_handshake = $dialogue->{tls} && $record < $dialogue->{first_record}{$to};
            push @cuts, grep { !$is_handshake || $_->{octets} % 41 == 0 }
                map { { to => $to, record => $record, octets => $_, how => $how } } 1 .. $lengths[$record];
        }
    }
    return @cuts;
}

sub every { my ($step, @all) = @_; return @all[grep { $_ % $step == 0 } 0 .. $#all] }

# In turns over the workers; each has but one server.
sub groups {
    my ($workers, @cases) = @_;
    my @groups;
    for my $tls (0, 1) {
        my @some = grep { !$_->{tls} == !$tls } @cases;
        push @groups, grep { @$_ } map { my $at = $_; [ @some[grep { $_ % $workers == $at } 0 .. $#some] ] } 0 .. $workers - 1;
    }
    return @groups;
}

sub judge {
    my ($name, $cases, $results) = @_;
    my @servers = values %server;
    $_->wait_for(sub { !grep { !defined $_->ended } $_[0]->sessions }, timeout => 10 * $slow) for @servers;
    my $truth = OutcomesJudge::truth(@servers);
    for my $dialogue (@dialogues) {
        my @own = grep { $_->{name} eq $dialogue->{name} } @$cases or next;
        my @wrong = grep { $_->{complaints} } map { complained($_, $results, $truth) } @own;
        ok(!@wrong, "$dialogue->{name}, $name: " . @own) or diag(join "\n", map { $_->{complaints} } @wrong[0 .. ($#wrong > 4 ? 4 : $#wrong)]);
    }
    return;
}

sub complained {
    my ($case, $results, $truth) = @_;
    my @complaints = OutcomesJudge::complaints($case, $results->{ $case->{number} }, $truth);
    my $cut = $case->{cut};
    my $where = %$cut ? "octet $cut->{octets} of record $cut->{record} to the $cut->{to}: " : '';
    return { complaints => join "\n", map { "$where$_" } @complaints };
}

measure();
my @close = map { my $one = $_; map { case_of($one, $_, 10) } every(($one->{sample} || 1), cuts($one, 'close')) } @dialogues;
diag scalar(@close), ' ', time - $began;
my $results = OutcomesRun::run(groups(CUTTERS, @close));
diag time - $began;
judge('cut', \@close, $results);
diag time - $began;
done_testing;
