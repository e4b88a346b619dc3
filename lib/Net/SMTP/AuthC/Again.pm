# Again: a message in more than one transaction: as a limit of the server's wants it, or because the first has provably
# not delivered it.
package Net::SMTP::AuthC::Again;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Parameters;
use Net::SMTP::AuthC::Source;

# In a job, besides what Submission has: all (answers of all recipients), batch (numbers of those of the transaction under
# way), part (the same as the core wants them), todo (numbers of those that still need one), is_again (it is sent for the
# second time).

# ---- a message by itself ----

# All transactions of a job.
sub run {
    my ($class, $smtp, $job, $quit) = @_;

    $class->begin($job);
    while ($class->_prepare_next($smtp, $job)) {
        *$smtp->{net_smtp_authc_mails}++;
        $class->_one($smtp, $job, $quit && !@{ $job->{todo} });
    }
    return;
}

# The rest of a job whose first transaction is over.
sub go_on {
    my ($class, $smtp, $job) = @_;

    $class->begin($job);
    $class->take($smtp, $job, {});
    $class->hear($smtp, $job, @$job{qw(error answers was_used)});
    $class->_one($smtp, $job, 0) while $class->_prepare_next($smtp, $job);
    return;
}

sub _prepare_next {
    my ($class, $smtp, $job) = @_;

    return 0 if !@{ $job->{todo} };
    return 0 if ($smtp->_state eq 'closed' || $class->is_full($smtp)) && !$class->_get_another($smtp, $job);
    return 1 if $class->take($smtp, $job, Net::SMTP::AuthC::Parameters->limits({$smtp->_capabilities}));
    return 0 if $class->may_reconnect($smtp) && !$class->_get_another($smtp, $job);
    my $limits = Net::SMTP::AuthC::Parameters->limits({$smtp->_capabilities});
    delete $limits->{RCPTDOMAINMAX} if !$class->may_reconnect($smtp);
    return $class->take($smtp, $job, $limits);
}

sub _one {
    my ($class, $smtp, $job, $quit) = @_;

    $smtp->_attempt($job, $quit);
    $job->{reply} //= {$smtp->_reply_to(grep { $_->[0] eq 'sent' } @{ $job->{answers} })} if !$job->{error};
    return $class->hear($smtp, $job, @$job{qw(error answers was_used)});
}

# Another connection; what fails there is kept in the job.
sub _get_another {
    my ($class, $smtp, $job) = @_;

    return 1 if eval { $class->reconnect($smtp, $job->{end}); $class->renew($smtp, $job); 1 };
    $job->{thrown} = $@;
    return 0;
}

# ---- the connection ----

# As many messages as the server wants over one connection, and another can be had.
sub is_full {
    my ($class, $smtp) = @_;

    my $most = Net::SMTP::AuthC::Parameters->limits({$smtp->_capabilities})->{MAILMAX};
    return $most && (*$smtp->{net_smtp_authc_mails} // 0) >= $most && $class->may_reconnect($smtp);
}

sub may_reconnect { my ($class, $smtp) = @_; return defined *$smtp->{net_smtp_authc_way} }

# The same way again, until the end of all time that there is.
sub reconnect {
    my ($class, $smtp, $end) = @_;

    my $way = *$smtp->{net_smtp_authc_way} // $smtp->_throw;
    $smtp->_say_farewell if $smtp->_state ne 'closed';
    delete @{ *$smtp }{qw(net_smtp_authc_is_used net_smtp_authc_mails net_smtp_authc_domains)};
    *$smtp->{net_smtp_authc_timings} = {};
    return $way->($smtp, $end && Net::SMTP::AuthC::_later($end));
}

# What is said of the message may be another now: so may be what the server offers.
sub renew {
    my ($class, $smtp, $job) = @_;

    return $smtp->_set_parameters($job, {$smtp->_capabilities}, $smtp->_tls);
}

# ---- parts ----

sub begin {
    my ($class, $job) = @_;

    my $count = @{ $job->{addresses} };
    $job->{all}  = [(['not-sent']) x $count];
    $job->{todo} = [0 .. $count - 1];
    return;
}

# Moves as many recipients as the limits allow from todo to the transaction that comes next. False when this connection
# has had all the domains that it may (RFC 9422: they count in the whole of it).
sub take {
    my ($class, $smtp, $job, $limits) = @_;

    my (@batch, @rest);
    my ($flat, $most, $most_domains) = ($job->{flat}, @$limits{qw(RCPTMAX RCPTDOMAINMAX)});
    my %has = %{ *$smtp->{net_smtp_authc_domains} || {} };
    for my $i (@{ $job->{todo} }) {
        my $domain = $most_domains ? lc $flat->[2 * $i] =~ s/.*@//sr : '';
        my $fits = (!$most || @batch < $most) && (!$most_domains || $has{$domain} || keys %has < $most_domains);
        push @{ $fits ? \@batch : \@rest }, $i;
        $has{$domain} = 1 if $fits;
    }
    _check_division($job) if @rest && @batch;
    *$smtp->{net_smtp_authc_domains} = \%has if $most_domains;
    @$job{qw(batch todo)} = (\@batch, \@rest);
    $job->{part} = [map { @$flat[2 * $_, 2 * $_ + 1] } @batch];
    return scalar @batch;
}

sub _check_division {
    my ($job) = @_;

    Net::SMTP::AuthC::Parameters->refuse('the server takes fewer recipients at a time than there are, and all_or_none '
        . 'cannot be kept in several transactions', step => 'RCPT') if $job->{given}{all_or_none};
    return if _can_be_read_again($job);
    return Net::SMTP::AuthC::Error->usage('message: the server takes fewer recipients at a time than there are, so that '
        . 'it must be read several times', 'give a string, or a handle of a plain file');
}

# Notes what became of a transaction, and decides for whom there is to be another. True when there is somebody.
sub hear {
    my ($class, $smtp, $job, $error, $answers, $was_used) = @_;

    my $batch = $job->{batch};
    @{ $job->{all} }[@$batch] = @$answers;
    my @again = map { $batch->[$_] } $class->_whom_again($smtp, $job, $error, $answers, $was_used);
    @again = () if @again && !_rewind($job);
    my $is_hopeless = $error && !@again && ($error->{step} // '') ne 'RCPT';
    $job->{todo} = $is_hopeless ? [] : [@again, @{ $job->{todo} }];
    $job->{todo} = [] if @{ $job->{todo} } && !_rewind($job);
    return scalar @{ $job->{todo} };
}

# Numbers of answers.
sub _whom_again {
    my ($class, $smtp, $job, $error, $answers, $was_used) = @_;

    my @unfit = _way_down($smtp, $job, $error, $answers);
    return if grep { $_->[0] eq 'unknown' } @{ $job->{all} };
    return if $smtp->_state eq 'closed' && !$class->may_reconnect($smtp);
    return @unfit if @unfit;
    return $error ? _lost($smtp, $job, $error, $answers, $was_used) : _too_many($job, $answers);
}

# The manner was not the server's: whom that has cost the message.
sub _way_down {
    my ($smtp, $job, $error, $answers) = @_;

    return if !$error && !grep { $_->[0] =~ /\A(?:refused|deferred)\z/ } @$answers;
    require Net::SMTP::AuthC::Ladder;
    return Net::SMTP::AuthC::Ladder->judge($smtp, $job, $error, $answers);
}

# The server went away, and nobody can have it: the connection was in use before, or it idled.
sub _lost {
    my ($smtp, $job, $error, $answers, $was_used) = @_;

    return if $job->{is_again} || $smtp->_state ne 'closed' || !__PACKAGE__->has_gone($error);
    return if !$was_used && $error->{step} !~ /\Aidle/;
    my @lost = grep { _is_lost($answers->[$_]) } 0 .. $#$answers;
    return if $job->{given}{all_or_none} && @lost < @$answers;
    $job->{is_again} = 1;
    return @lost;
}

# By itself: one that the program has closed is not to be had again. Without a step, it was closed before.
sub has_gone {
    my ($class, $error) = @_;

    return length $error->{step} && $error->{text} !~ /by the program\z/
        && ($error->{kind} eq 'closed' || ($error->{code} || 0) == 421);
}

sub _is_lost {
    my ($outcome, $code) = @{ $_[0] };

    return $outcome eq 'not-sent' || $outcome eq 'deferred' && ($code || 0) == 421;
}

# Recipients beyond what the server takes at once, when it took some.
sub _too_many {
    my ($job, $answers) = @_;

    return if $job->{given}{all_or_none};
    my @left = grep { _is_one_too_many(@{ $answers->[$_] }) } 0 .. $#$answers;
    return @left < @$answers ? @left : ();
}

# RFC 5321, section 4.5.3.1.10: with 452, and with 552 of old.
sub _is_one_too_many {
    my (undef, $code, $enhanced, $text, $step) = @_;

    return ($step // '') eq 'RCPT' && ($code // 0) =~ /\A[45]52\z/
        && (($enhanced // '') =~ /\A[45]\.5\.3\z/ || ($text // '') =~ /too many (?:recipients|rcpt)/i);
}

# ---- content ----

sub _can_be_read_again {
    my ($job) = @_;

    return !ref $job->{source}{octets} || defined $job->{start} || _is_built($job->{message});
}

sub _is_built {
    my ($message) = @_;

    require Scalar::Util;
    return Scalar::Util::blessed($message) && $message->can('is_streamed');
}

# To the beginning of the message: true when its octets can be had, all of them.
sub _rewind {
    my ($job) = @_;

    return 1 if !ref $job->{source}{octets} || !$job->{is_begun};
    return 0 if !_can_be_read_again($job) || defined $job->{start} && !seek $job->{message}, $job->{start}, 0;
    my $source = eval { Net::SMTP::AuthC::Source->of($job->{message}) } or return 0;
    @$job{qw(source is_begun)} = ($source, undef);
    return 1;
}

1;
