# Failure: how the sending face fails: what caller or server did, as an error with all that is known.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

# What perl adds where the core dies.
my $OUR_PLACE = qr{ at (?:(?! at ).)*/AuthC/\w+\.pm line [0-9]+(?:, <.*> \w+ [0-9]+)?\.\n\z}s;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# An exception of the core's own, as an error of the caller.
sub _usage_of_core {
    my ($died) = @_;

    return if ref $died || $died !~ s/$OUR_PLACE//;
    return _usage($died);
}

# From the core's error.
sub _fail {
    my ($self, $error, %more) = @_;

    my %field = %$error;
    delete $field{errno};
    delete @field{grep { !$field{$_} } qw(step code enhanced)};
    $field{temporary} = 0 if $field{may_have_been_sent};
    return Net::SMTP::AuthC::Error->throw(%field, $self->_about, %more);
}

sub _about {
    my ($self) = @_;

    return (server => *$self->{net_smtp_authc_server} // *$self->{net_smtp_host},
        transcript => *$self->{net_smtp_authc_transcript});
}

sub _lacks_starttls {
    my ($self) = @_;

    return Net::SMTP::AuthC::Error->throw(
        kind => 'tls', step => 'STARTTLS', temporary => 0, text => 'the server does not offer STARTTLS',
        hint => 'use smtps:// if it has TLS from the start on another port (465); somebody between may have taken '
            . 'the offer out; ?tls=none sends in clear',
        $self->_about,
    );
}

# An error that has to do with the server tells which it is.
sub _tell_where {
    my ($self, $error) = @_;

    %$error = (%$error, $self->_about) if ref $error && $error->kind ne 'usage';
    die $error;
}

# Of an error; or of an answer, when the server has taken the message and then said or done what ended the connection:
# that is none of this message's business.
sub _words_of {
    my ($from) = @_;

    return map { $_ => $from->{$_} || undef } qw(code enhanced text) if ref $from eq 'HASH';
    my (undef, $code, $enhanced, $text) = @$from;
    return (code => $code, enhanced => $enhanced, text => join ' ', grep { defined } $enhanced, $text);
}

# The server has the message, and what died then died of the farewell.
sub _was_taken {
    my ($job) = @_;

    my %is = map { $_->[0] => 1 } @{ $job->{answers} };
    return $is{sent} && !$is{unknown};
}

# Perl code died within the call: a signal handler or the transcript's code, whose exception stays as it is, or what the
# message comes from, and then its end has not left and nobody has it.
sub _give_up {
    my ($self, $died, $job) = @_;

    my $failure = ${ $job->{source}{failure} };
    _usage_of_core($died) if !defined $failure;
    $self->_abandon('Perl code died in the middle of the message');
    die $died if !defined $failure || ref $died;
    my $text = 'message: ' . $failure =~ s/\.?\n\z//r . '; nothing was delivered';
    $job->{answers} = $self->_answers_for($job);
    Net::SMTP::AuthC::Error->throw(kind => 'interrupted', step => 'content', temporary => 0, text => $text,
        receipt => $self->_receipt_of($job, text => $text), $self->_about);
}

1;
