# Classic: our class under the name Net::SMTP, with STARTTLS and a login for programs that never ask for them.
package Net::SMTP::AuthC::Takeover::Classic;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Commands;
use Net::SMTP::AuthC::Takeover::Names;

our @ISA = ('Net::SMTP::AuthC');

# Tells a program that it has been taken over. UNIVERSAL::isa cannot: our class inherits from the name already.
sub isa {
    my ($self, $class) = @_;

    return 1 if $class eq 'Net::SMTP::AuthC';
    return UNIVERSAL::isa($self, $class);
}

# The classes that libnet would name. Who asks may go on to use them, so they are loaded.
sub can_ssl   { return _is_there('IO::Socket::SSL') ? 'IO::Socket::SSL' : 'Net::SMTP::AuthC' }
sub can_inet6 { return _is_there('IO::Socket::IP')  ? 'IO::Socket::IP'  : 'Net::SMTP::AuthC' }

sub _is_there {
    my ($class) = @_;

    local ($@, $SIG{__DIE__});
    return eval { require($class =~ s{::}{/}gr . '.pm') };
}

# Every object begins here.
sub _new {
    my ($class) = @_;

    return Net::SMTP::AuthC::Takeover::Names->note(Net::SMTP::AuthC::_new($class));
}

sub new {
    my $class = shift;
    my $host  = @_ % 2 ? shift : undef;
    my %given = @_;

    $class = ref $class || $class;
    Net::SMTP::AuthC::Takeover::Names::refuse_insider($class, 'Net::SMTP') if UNIVERSAL::isa($class, 'IO::Socket');
    my $option = Net::SMTP::AuthC::Takeover->completed($host, \%given);
    return $class->SUPER::new(defined $host ? $host : (), %$option);
}

sub _is_greeted {
    my ($self, $option) = @_;

    return $self->SUPER::_is_greeted($option) && $self->_is_in_tls($option->{net_smtp_authc_starttls})
        && $self->_is_logged_in;
}

# As the policy has it. Nobody falls back to clear text where TLS is required, or was offered and failed.
sub _is_in_tls {
    my ($self, $policy) = @_;

    return 1 if !$policy || $policy eq 'none' || $self->_tls;
    if (!defined $self->supports('STARTTLS')) {
        return 1 if $policy eq 'opportunistic';
        return $self->_refuse(421, 'the server does not offer STARTTLS, and -replace with starttls => required sends '
            . 'nothing without it', kind => 'tls', step => 'STARTTLS');
    }
    return !1 if !$self->SUPER::starttls;
    *$self->{net_smtp_authc_has_tls} = 1;
    return 1;
}

sub _has_our_tls { return *{ $_[0] }->{net_smtp_authc_has_tls} && $_[0]->_state ne 'closed' }

# A program that wants TLS itself finds it on offer, asks for it, and has it.
sub supports {
    my ($self, $keyword, @more) = @_;

    return '' if uc($keyword // '') eq 'STARTTLS' && $self->_has_our_tls;
    return $self->SUPER::supports($keyword, @more);
}

sub starttls {
    my ($self, @ssl) = @_;

    return $self->SUPER::starttls(@ssl) if !$self->_has_our_tls;
    return $self->domain || 1;
}

sub _is_logged_in {
    my ($self) = @_;

    my ($username, $password) = Net::SMTP::AuthC::Takeover->login or return 1;
    return !1 if !$self->SUPER::auth($username, $password);
    *$self->{net_smtp_authc_has_login} = 1;
    return 1;
}

# Where -replace has the login, the program's own is not wanted.
sub auth {
    my ($self, @login) = @_;

    return *$self->{net_smtp_authc_has_login} ? 1 : $self->SUPER::auth(@login);
}

# For the dialects that name mechanisms, past an auth of their own: ours, or Authen::SASL's where only that has it.
sub _auth_by {
    my ($self, $username, $password, @mechanisms) = @_;

    my @foreign = grep { /\A(?:DIGEST-MD5|GSSAPI|NTLM|KERBEROS_V4)\z/ } @mechanisms;
    return auth($self, $username, $password, mechanism => \@mechanisms)
        if @foreign < @mechanisms || !eval { require Authen::SASL; 1 };
    return auth($self, Authen::SASL->new(mechanism => "@foreign",
        callback => {user => $username, authname => $username, pass => $password}));
}

1;
