# The faults a sandbox was told to have: which one fits a reply, and how that reply then leaves.
package Net::SMTP::AuthC::Sandbox::Faults;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Mechanisms::Scram;

my %stage = map { $_ => 1 } qw(connect tls greeting ehlo helo starttls login auth-challenge auth mail rcpt data
    content end bdat rset noop quit vrfy expn help etrn unknown);
my %selects = map { $_ => 1 } qw(stage nth session match after round chance);
my @login   = qw(refuse challenge scram_first scram_last oauth_error);
my %action  = map { $_ => 1 } qw(reply delay drip cut_after close reset append garbage silent endless multi without),
    @login;
my %only    = (round => 'auth-challenge', map { $_ => 'login' } @login);
my @octets  = qw(reply cut_after append garbage endless multi drip);    # with these, close and reset come behind them

# What is wrong with a list of faults, in words; undef when nothing is.
sub complaint {
    my ($faults) = @_;
    return 'faults must be a list of hashes' if grep { ref ne 'HASH' } ref $faults eq 'ARRAY' ? @$faults : $faults;
    for my $fault (@$faults) {
        my $name = defined $fault->{stage} ? $fault->{stage} : '';
        return "unknown stage '$name' in faults" unless $stage{$name};
        my ($odd) = grep { !$selects{$_} && !$action{$_} } sort keys %$fault;
        return "unknown key '$odd' in the fault at '$name'" if defined $odd;
        ($odd) = grep { $only{$_} && $only{$_} ne $name } sort keys %$fault;
        return "$odd is for the stage '$only{$odd}', not '$name'" if defined $odd;
        return "the fault at '$name' does nothing" unless grep { $action{$_} } keys %$fault;
        my $nothing = exists $fault->{endless} && !length $fault->{endless};
        return "endless needs octets in the fault at '$name'" if $nothing;
        my $chance = defined $fault->{chance} ? $fault->{chance} : 100;
        return "chance is a number from 0 to 100, in the fault at '$name'"
            unless $chance =~ /\A[0-9]{1,3}(?:\.[0-9]+)?\z/ && $chance <= 100;
        my $unknown = _unknown_word($fault);
        return "unknown $unknown in the fault at '$name'" if defined $unknown;
    }
    return;
}

sub _unknown_word {
    my ($fault) = @_;
    my $scram = 'Net::SMTP::AuthC::Sandbox::Mechanisms::Scram';
    my ($first, $last) = @$fault{qw(scram_first scram_last)};
    return "scram_first '$first'" if defined $first && !$scram->can('knows_first')->($first);
    return "scram_last '$last'" if defined $last && !$scram->can('knows_last')->($last);
    return;
}

# $switches: gives faults that may change while the session goes on; undef without.
sub new {
    my ($class, $faults, $journal, $session, $switches) = @_;
    srand;    # every session is a fork of one process
    return bless { faults => $faults, journal => $journal, session => $session, switches => $switches }, $class;
}

# A plan is how a reply leaves: {octets => ..., and what the faults that fit have set, in their order}.
sub plan {
    my ($self, $stage, $octets, $subject, $round) = @_;
    my %plan = (octets => $octets, faulty => 0);
    my @faults = (@{ $self->{faults} }, $self->{switches} ? $self->{switches}->faults : ());
    for my $index (0 .. $#faults) {
        my $fault = $faults[$index];
        next if $fault->{stage} ne $stage || defined $fault->{round} && $fault->{round} != $round;
        next unless $self->_fits($fault, $index, $subject);
        _join(\%plan, $fault);
    }
    return \%plan;
}

sub _fits {
    my ($self, $fault, $index, $subject) = @_;
    return 0 if defined $fault->{session} && $fault->{session} != $self->{session};
    return 0 if defined $fault->{match} && (defined $subject ? $subject : '') !~ $fault->{match};
    return 0 if defined $fault->{chance} && rand(100) >= $fault->{chance};
    return 1 unless defined $fault->{nth};
    my $count = $self->{journal}->count($index);
    return scalar grep { $_ == $count } ref $fault->{nth} ? @{ $fault->{nth} } : $fault->{nth};
}

sub _join {
    my ($plan, $fault) = @_;
    $plan->{faulty} = 1;
    $plan->{octets} = $fault->{reply} if defined $fault->{reply};
    $plan->{octets} = _without($plan->{octets}, $fault->{without}) if defined $fault->{without};
    $plan->{octets} = _multiply($plan->{octets}, $fault->{multi}) if $fault->{multi};
    $plan->{octets} .= $fault->{append} if defined $fault->{append};
    for my $name (qw(delay drip cut_after silent garbage endless after), @login) {
        $plan->{$name} = $fault->{$name} if defined $fault->{$name};
    }
    my ($end) = grep { $fault->{$_} } qw(reset close);
    return unless $end;
    $plan->{end} = $end;
    $plan->{wordless} = 1 unless $fault->{$end} eq 'after' || grep { defined $fault->{$_} } @octets;
    return;
}

# The last line of a reply, said in $lines lines.
sub _multiply {
    my ($octets, $lines) = @_;
    my ($before, $code, $text) = $octets =~ /\A(.*?)(\d\d\d)[ ]?([^\r\n]*)\r?\n\z/s or return $octets;
    return $before . join '', (map { "$code-$text\r\n" } 2 .. $lines), "$code $text\r\n";
}

# A reply without the words that match; the first word of a line stays.
sub _without {
    my ($octets, $pattern) = @_;
    $octets =~ s/ ([^ \r\n]+)/my $word = $1; $word =~ $pattern ? '' : " $word"/ge;
    return $octets;
}

# 2 for a reply that means success, 3 for one that wants more, and so on; 0 for what is no reply.
sub verdict {
    my ($plan) = @_;
    return $plan->{octets} =~ /\A([2-5])[0-5][0-9]/ ? $1 : 0;
}

# Sends what a plan says; returns only when the session may go on. Silence within content is to read no more of it.
sub deliver {
    my ($self, $stage, $plan, $stream) = @_;
    $stream->pause($plan->{delay}) if $plan->{delay};
    my $octets = $plan->{wordless} ? '' : (defined $plan->{garbage} ? $plan->{garbage} : '') . $plan->{octets};
    my $cut = $plan->{cut_after};
    $octets = '' if $plan->{silent} && !defined $cut;
    $octets = substr $octets, 0, $cut if defined $cut;
    _write($stream, $octets, $plan->{drip});
    while (defined $plan->{endless}) { _write($stream, $plan->{endless}, $plan->{drip}) }
    $stage eq 'content' ? $stream->pause(1e9) : $stream->swallow if $plan->{silent};
    _end($stream, $plan->{end} || 'close') if $plan->{end} || defined $cut;
    return;
}

sub _write {
    my ($stream, $octets, $drip) = @_;
    return $stream->print($octets) unless $drip;
    for my $octet (split //, $octets) {
        $stream->print($octet);
        $stream->pause($drip);
    }
    return;
}

sub _end {
    my ($stream, $how) = @_;
    $stream->reset if $how eq 'reset';
    die { ended => $how eq 'reset' ? 'reset by the sandbox' : 'closed by the sandbox' };
}

1;
