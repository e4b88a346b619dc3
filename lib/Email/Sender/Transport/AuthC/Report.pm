# Report: receipts and errors as Email::Sender's successes and failures, every reason and code kept.
package Email::Sender::Transport::AuthC::Report;

use 5.014;
use strict;
use warnings;

use Email::Sender::Failure ();
use Email::Sender::Failure::Multi ();
use Email::Sender::Failure::Permanent ();
use Email::Sender::Failure::Temporary ();
use Email::Sender::Role::HasMessage ();
use Email::Sender::Success ();
use Email::Sender::Success::Partial ();
use Email::Sender::Transport::AuthC::Details ();
use Moo::Role ();
use Net::SMTP::AuthC::Error ();

my $DETAILS = 'Email::Sender::Transport::AuthC::Details';

sub _with { return Moo::Role->create_class_with_roles(@_) }

# ---- success ----

# Failures are of recipients that were refused while others got the message.
sub success {
    my ($class, $receipt, @failures) = @_;

    my @roles = ('Email::Sender::Role::HasMessage', "${DETAILS}::Receipt");
    my %field = (message => $receipt->text, receipt => $receipt);
    return _with('Email::Sender::Success', @roles)->new(\%field) if !@failures;
    $field{failure} = $class->multi('some recipients were rejected during RCPT', @failures);
    return _with('Email::Sender::Success::Partial', @roles)->new(\%field);
}

# ---- failure ----

# What may be out must not be tried again by whoever reads the class; nor does a code say anything then.
sub _class_of {
    my ($error) = @_;

    return '' if $error->may_have_been_sent;
    return {4 => '::Temporary', 5 => '::Permanent'}->{ substr $error->code, 0, 1 } // '' if $error->code;
    return {deferred => '::Temporary', refused => '::Permanent', usage => '::Permanent'}->{ $error->kind } // '';
}

# One failure, of these recipients; $about is put before the error's own words.
sub failure {
    my ($class, $error, $about, @recipients) = @_;

    return _with('Email::Sender::Failure' . _class_of($error), $DETAILS)->new({
        message    => join(': ', grep { length } Net::SMTP::AuthC::Error::visible($about), $error->message),
        code       => $error->may_have_been_sent ? undef : $error->code,
        recipients => \@recipients,
        error      => $error,
    });
}

# Several as one.
sub multi {
    my ($class, $message, @failures) = @_;

    return _with('Email::Sender::Failure::Multi', $DETAILS)->new({message => $message, failures => \@failures});
}

# Of the recipients in a receipt, those that the server refused by themselves; $given has their addresses as the
# caller wrote them.
sub of_recipients {
    my ($class, $receipt, $given, %more) = @_;

    my @recipients = $receipt->recipients;
    my @refused = grep { ($recipients[$_]->step // '') eq 'RCPT' && $recipients[$_]->code } 0 .. $#recipients;
    return map { $class->_of_recipient($recipients[$_], $given->[$_], receipt => $receipt, %more) } @refused;
}

sub _of_recipient {
    my ($class, $recipient, $given, %more) = @_;

    my $error = Net::SMTP::AuthC::Error->new(
        kind => $recipient->outcome eq 'deferred' ? 'deferred' : 'refused', %more,
        map { $_ => $recipient->$_ } qw(step code enhanced text),
    );
    return $class->failure($error, $given, $given);
}

# What a submission that nobody got has come to. With partial success nobody may be left out: those that were not
# refused by themselves share the error.
sub of_error {
    my ($class, $error, $given, %about) = @_;

    my %same = map { $_ => $error->$_ } qw(server transcript);
    my @failures = $error->receipt ? $class->of_recipients($error->receipt, $given, %same) : ();
    my %is_refused = map { $_ => 1 } map { $_->recipients } @failures;
    my @others = grep { !$is_refused{$_} } @$given;
    my $is_about_all = !@failures || ($error->step // '') ne 'RCPT' || $about{everybody};
    push @failures, $class->failure($error, _stage($error, %about), @others) if @others && $is_about_all;
    return @failures;
}

# In the words that Email::Sender's own transport has for it. Before there was a message there is no receipt.
sub _stage {
    my ($error, %about) = @_;

    my $step  = $error->step // '';
    my %words = (MAIL => "$about{from} failed after MAIL FROM", DATA => 'error at DATA start', AUTH => 'failed AUTH',
        content => 'error at during DATA', 'end of data' => 'error at after DATA', STARTTLS => q{can't STARTTLS});
    return $words{$step} if $words{$step};
    return '' if $error->receipt || $error->kind eq 'usage';
    return "unable to establish SMTP connection to $about{server}";
}

sub throw {
    my ($class, $given, @failures) = @_;

    $failures[0]->throw if @failures == 1;
    my $is_all = map({ $_->recipients } @failures) >= @$given;
    my $when = (grep { ($_->step // '') ne 'RCPT' } @failures) ? '' : ' during RCPT';
    my $message = ($is_all ? 'all' : 'some') . " recipients were rejected$when";
    my ($other) = grep { ($_->step // '') ne 'RCPT' } @failures;
    $message .= ': ' . $other->message if $other;
    return $class->multi($message, @failures)->throw;
}

1;
