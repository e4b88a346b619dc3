# SMTP_auth: the dialect of Net::SMTP_auth: auth with the mechanism as its first argument, and auth_types.
package Net::SMTP::AuthC::Takeover::SMTP_auth;

use 5.014;
use strict;
use warnings;

use Carp ();
use Net::SMTP::AuthC::Takeover::Classic;

our @ISA      = ('Net::SMTP::AuthC::Takeover::Classic');
our @CARP_NOT = @ISA;

sub auth_types {
    my ($self) = @_;

    my $types = $self->supports('AUTH') // return;
    return wantarray ? split ' ', $types : $types;
}

sub auth {
    my ($self, @login) = @_;

    Carp::croak('usage: $smtp->auth(MECHANISM, USER, PASSWORD)') if @login != 3;
    my ($mechanism, $username, $password) = @login;
    return $self->_auth_by($username, $password, uc $mechanism);
}

1;
