# Verbs: one method a command, as Net::SMTP has them inside, for programs that call them and classes that override them.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

# True when the server's reply is of that class.
sub _agrees {
    my ($self, $class, $verb, @words) = @_;

    return 1 if ($self->command($verb, @words)->response // 0) == $class;
    $self->_refused_by_server($verb) if !$self->_last_error;
    return !1;
}

for my $verb (qw(EHLO HELO MAIL RCPT SEND SOML SAML VRFY EXPN HELP ETRN AUTH)) {
    no strict 'refs';
    *{"_$verb"} = sub { my $self = shift; return $self->_agrees(2, $verb, @_) };
}
for my $verb (qw(RSET NOOP QUIT STARTTLS)) {
    no strict 'refs';
    *{"_$verb"} = sub { return $_[0]->_agrees(2, $verb) };
}

sub _DATA { return $_[0]->_agrees(3, 'DATA') }
sub _BDAT { my $self = shift; return $self->command('BDAT', @_) }
sub _TURN { return $_[0]->unsupported }

sub unsupported {
    $_[0]->_refuse(580, 'Unsupported command');
    return 0;
}

# SEND and its kin of RFC 821 begin a transaction, as MAIL does.
sub send          { return $_[0]->_SEND('FROM:<' . $_[0]->_addr($_[1]) . '>') }
sub send_or_mail  { return $_[0]->_SOML('FROM:<' . $_[0]->_addr($_[1]) . '>') }
sub send_and_mail { return $_[0]->_SAML('FROM:<' . $_[0]->_addr($_[1]) . '>') }

# ---- for classes that have some of these of their own ----

# The greeting was heard already; it goes through the class's response all the same.
sub _hears_greeting {
    my ($self) = @_;

    push @{ *$self->{net_smtp_authc_replies} }, $self->_present_reply(1);
    return ($self->response // 0) == 2;
}

sub _hello_by_words {
    my ($self, $domain) = @_;

    my $good = $self->_EHLO($domain);
    *$self->{net_smtp_esmtp} = $good ? $self->_offered_by_words : {};
    return $good || $self->status == 5 && $self->_HELO($domain);
}

# A class may have asked with another word than EHLO, and then the core knows of nothing.
sub _offered_by_words {
    my ($self) = @_;

    my %known = $self->_capabilities;
    return \%known if %known;
    my (undef, @lines) = $self->message;
    return {map { /\A([A-Za-z0-9][A-Za-z0-9-]*)[ \t=]*(.*?)\s*\z/ ? (uc $1 => $2) : () } @lines};
}

sub _ends_by_words {
    my ($self) = @_;

    $self->_defer(1);
    my $said = $self->_end;
    $self->_defer(0);
    *$self->{net_smtp_authc_verb} = '.';
    return $self->_noted(!1) if !$said;
    return ($self->response // 0) == 2;
}

1;
