# Rest: what is seldom in a stream: messages that did not go at once, the server's limits, and going on over another
# connection.
package Net::SMTP::AuthC::Stream::Rest;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Again;
use Net::SMTP::AuthC::Parameters;

my $CLOSED = {kind => 'closed', step => 'idle', text => 'the connection is closed'};

# ---- limits ----

sub look_at_limits {
    my ($class, $smtp, $run) = @_;

    my $limits = Net::SMTP::AuthC::Parameters->limits($run->{offered});
    delete $limits->{RCPTDOMAINMAX} if !Net::SMTP::AuthC::Again->may_reconnect($smtp);
    $run->{limits} = $limits if $limits->{RCPTMAX} || $limits->{RCPTDOMAINMAX};
    $run->{most}   = $limits->{MAILMAX} if $limits->{MAILMAX} && Net::SMTP::AuthC::Again->may_reconnect($smtp);
    return;
}

# A job that is as yet to begin.
sub divide {
    my ($class, $smtp, $run, $job) = @_;

    Net::SMTP::AuthC::Again->begin($job);
    return $job if Net::SMTP::AuthC::Again->take($smtp, $job, $run->{limits});
    return $class->_postpone($run, $job);
}

# This connection is not for it.
sub _postpone {
    my ($class, $run, $job) = @_;

    $run->{is_full} = 1;
    unshift @{ $run->{ahead} }, $job;
    return;
}

# ---- one message ----

# What became of a transaction that was not simply good.
sub hear {
    my ($class, $smtp, $run, $job, $error, $answers, $reply) = @_;

    if (!$job->{all}) {
        Net::SMTP::AuthC::Again->begin($job);
        Net::SMTP::AuthC::Again->take($smtp, $job, {});
    }
    $run->{is_used} = 1 if $smtp->_state ne 'closed';
    $job->{reply} //= $reply if !$error;
    $job->{error} = $error;
    $answers = [(['not-sent']) x @{ $job->{batch} }] if @$answers != @{ $job->{batch} };
    my $goes_on = Net::SMTP::AuthC::Again->hear($smtp, $job, $error, $answers, $run->{is_used});
    @$run{qw(manner rung)} = ($smtp->_manner($run->{defaults}), *$smtp->{net_smtp_authc_rung});
    return push @{ $run->{ahead} }, $job if $goes_on;
    return _finish($smtp, $run, $job);
}

# The next of those that wait for another transaction, or nothing when it cannot have one, or not here.
sub next_ahead {
    my ($class, $smtp, $run) = @_;

    my $job = shift @{ $run->{ahead} };
    return $smtp->_job_of_item($run, $job->{item}) if !$job->{addresses};
    my $has_part = eval { Net::SMTP::AuthC::Again->take($smtp, $job, $run->{limits} || {}) };
    return $class->_fail($smtp, $run, $job, $@) if !defined $has_part;
    return $has_part ? $job : $class->_postpone($run, $job);
}

sub _fail {
    my ($class, $smtp, $run, $job, $error) = @_;

    $job->{error} //= $error;
    $job->{addresses} ? _finish($smtp, $run, $job) : $smtp->_tell_unsent($run, $job->{item}, $error);
    return;
}

sub _finish {
    my ($smtp, $run, $job) = @_;

    my ($sent) = grep { $_->[0] eq 'sent' } @{ $job->{all} };
    my $error  = $sent ? undef : $job->{error};
    my @reply  = @{ $job->{reply} || [] };
    my %about  = $error ? _about($error) : @reply ? (code => $reply[0], text => $reply[1], enhanced => $sent && $sent->[2])
        : Net::SMTP::AuthC::_words_of($sent);
    return $smtp->_hand_over($run, $job->{item}, Net::SMTP::AuthC::Receipt->_of_core({
        %about, addresses => $job->{addresses}, answers => $job->{all}, error => $error && _error_of($smtp, $error),
        message_id => $job->{source}{message_id}, bytes => $job->{source}{size}, %{ $run->{shared} },
    }));
}

sub _about { return ref $_[0] eq 'HASH' ? Net::SMTP::AuthC::_words_of($_[0]) : (text => "$_[0]" =~ s/\s+\z//r) }

sub _error_of {
    my ($smtp, $error) = @_;

    return $error if ref $error ne 'HASH';
    my %field = %$error;
    delete $field{errno};
    delete @field{grep { !$field{$_} } qw(step code enhanced)};
    $field{temporary} = 0 if $field{may_have_been_sent};
    return Net::SMTP::AuthC::Error->new(%field, $smtp->_about);
}

# ---- the rest of the stream ----

# Over another connection where this one has ended, as long as that is of use.
sub go_on {
    my ($class, $smtp, $run, $is_alive) = @_;

    my $failure;
    while (!defined $failure && ($is_alive || _is_of_use($smtp, $run)) && _has_more($run)) {
        $failure = _renew($smtp, $run) if !$is_alive || $run->{is_full};
        $is_alive = $smtp->_stream_over_one($run) if !defined $failure;
    }
    my $why = $failure // (@{ $run->{ahead} } ? _error_of($smtp, $smtp->_error || $CLOSED) : undef);
    $class->_fail($smtp, $run, shift @{ $run->{ahead} }, $why) while @{ $run->{ahead} };
    return if exists $run->{died};
    die $failure if defined $failure;
    $smtp->_throw if !$is_alive && !$run->{is_exhausted};
    return;
}

# The iterator is asked before anybody is called for nothing.
sub _has_more {
    my ($run) = @_;

    return 0 if exists $run->{died} || $run->{is_exhausted} && !@{ $run->{ahead} };
    return 1 if @{ $run->{ahead} };
    my $item;
    eval { $item = $run->{next}->(); 1 } or $run->{died} = $@;
    return 0 if exists $run->{died};
    push @{ $run->{ahead} }, {item => $item} if defined $item;
    return defined $item ? 1 : !($run->{is_exhausted} = 1);
}

# A connection that nothing came through is not tried again; nor does another help where time ran out, unless it is used in
# another manner.
sub _is_of_use {
    my ($smtp, $run) = @_;

    return 0 if !Net::SMTP::AuthC::Again->may_reconnect($smtp);
    my $error = $smtp->_error || $CLOSED;
    return 1 if grep { $_->{addresses} } @{ $run->{ahead} };
    return 1 if $error->{kind} eq 'interrupted' || ($run->{first_rung} // 3) > (*$smtp->{net_smtp_authc_rung} // 3);
    return $run->{is_used} && Net::SMTP::AuthC::Again->has_gone($error);
}

# Undef, or what it failed of.
sub _renew {
    my ($smtp, $run) = @_;

    return $@ if !eval { Net::SMTP::AuthC::Again->reconnect($smtp, $run->{end}); 1 };
    my @jobs = splice @{ $run->{ahead} };
    for my $job (@jobs) {
        my $good = !$job->{addresses} || eval { Net::SMTP::AuthC::Again->renew($smtp, $job); 1 };
        $good ? push @{ $run->{ahead} }, $job : __PACKAGE__->_fail($smtp, $run, $job, $@);
    }
    return;
}

1;
