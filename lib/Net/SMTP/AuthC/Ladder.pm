# Ladder: how far a server can be trusted with what it offers: remembered while the process lives, and in a file.
package Net::SMTP::AuthC::Ladder;

use 5.014;
use strict;
use warnings;

# Rungs: 3 BDAT without waiting, 2 BDAT, 1 MAIL RCPT DATA in groups, 0 lock-step. Nothing is remembered of who bears all.
my $TOP      = 3;
my $MOST     = 1000;     # servers
my $LIFETIME = 86400;    # then it gets another chance

my %rung;                # server => [rung, when]

# A connection that was made just now: by what is known of its server.
sub begin {
    my ($class, $smtp, $file) = @_;

    *$smtp->{net_smtp_authc_ladder} = $file;
    my $server = _server($smtp);
    _keep(%{ $class->_file->read($file) }) if defined $file;
    my $known = $rung{$server} // return;
    return delete $rung{$server} if time - $known->[1] > $LIFETIME;
    return _set($smtp, $known->[0]);
}

# All that is known, but for what stands in files.
sub forget { %rung = (); return }

sub _file { require Net::SMTP::AuthC::Ladder::File; return 'Net::SMTP::AuthC::Ladder::File' }

sub _server { return *{ $_[0] }->{net_smtp_authc_server} // '' }

sub _set {
    my ($smtp, $to) = @_;

    *$smtp->{net_smtp_authc_rung} = $to;
    $smtp->_set_pipelining(0) if $to == 0;
    return;
}

# The newer of two words about a server counts.
sub _keep {
    my (%known) = @_;

    for my $server (keys %known) {
        my ($old, $new) = ($rung{$server} || [0, -1], $known{$server});
        $rung{$server} = $new if $old->[1] < $new->[1] || $old->[1] == $new->[1] && $old->[0] > $new->[0];
    }
    my @oldest = sort { $rung{$a}[1] <=> $rung{$b}[1] } keys %rung;
    delete @rung{ splice @oldest, 0, @oldest - $MOST } if @oldest > $MOST;
    return;
}

sub _step_down {
    my ($class, $smtp, $to) = @_;

    my %now = (_server($smtp) => [$to, time]);
    _keep(%now);
    _set($smtp, $to);
    $smtp->_set_manner($to > 1 ? $to - 1 : 0);
    my $file = *$smtp->{net_smtp_authc_ladder};
    $class->_file->add($file, \%now, $LIFETIME, $MOST) if defined $file;
    return;
}

# ---- what a server's answers say of it ----

# Steps down if they call for it. Numbers of the answers of those whom the manner has cost the message, to whom it may go
# in the lower one.
sub judge {
    my ($class, $smtp, $job, $error, $answers) = @_;

    my $rung = _rung_of($smtp, $job);
    my @bad  = grep { defined } map { _verdict($rung, @$_) } @$answers;
    push @bad, _verdict_of_error($rung, $error) if $error;
    my ($to) = sort { $a <=> $b } grep { defined } @bad;
    return if !defined $to;
    $class->_step_down($smtp, $to) if $to < (*$smtp->{net_smtp_authc_rung} // $TOP);
    return if $error && $error->{kind} eq 'timeout';
    return grep { $answers->[$_][0] eq 'not-sent' || defined _verdict($rung, @{ $answers->[$_] }) } 0 .. $#$answers;
}

# That on which the transaction was: what the server does not offer was not done.
sub _rung_of {
    my ($smtp, $job) = @_;

    my %offered = $smtp->_capabilities;
    return 0 if !exists $offered{PIPELINING} || defined $job->{rung} && $job->{rung} == 0;
    return exists $offered{CHUNKING} ? 1 + $job->{manner} : 1;
}

# Where to go from there, undef when that answer is no reason to.
sub _verdict {
    my ($rung, $outcome, $code, undef, $text, $step) = @_;

    return if $outcome !~ /\A(?:refused|deferred)\z/ || !$code;
    return 1 if $rung > 1 && $code =~ /\A50[024]\z/ && _is_chunk($step);
    return $rung - 1 if $rung > 1 && $code == 503 && _is_chunk($step);
    return _from_early_talk($rung) if _is_early_talk($rung, $code, $text, $step);
    return;
}

sub _verdict_of_error {
    my ($rung, $error) = @_;

    return 1 if $rung > 1 && $error->{kind} eq 'timeout' && _is_chunk($error->{step});
    return _from_early_talk($rung) if $rung > 0 && $error->{kind} eq 'protocol' && $error->{text} =~ /nothing had asked for/;
    return _from_early_talk($rung) if _is_early_talk($rung, @$error{qw(code text step)});
    return;
}

sub _is_chunk { return ($_[0] // '') =~ /\A(?:BDAT|end of data)\z/ }

# A group of commands is what the server calls it; at the end of a message it would speak of its content.
sub _is_early_talk {
    my ($rung, $code, $text, $step) = @_;

    return $rung > 0 && ($code // 0) =~ /\A(?:554|503|421)\z/ && ($rung == $TOP || ($step // '') ne 'end of data')
        && ($text // '') =~ /synchroni[sz]ation|\bearly\b|pipelin/i;
}

# Those between speak in groups, too.
sub _from_early_talk { return $_[0] == $TOP ? 2 : 0 }

1;
