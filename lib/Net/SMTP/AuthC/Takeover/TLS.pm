# TLS: the dialect of Net::SMTP::TLS: new does everything up to the login, and whatever fails croaks.
package Net::SMTP::AuthC::Takeover::TLS;

use 5.014;
use strict;
use warnings;

use Carp ();
use Net::SMTP::AuthC::Takeover::Classic;

our @ISA      = ('Net::SMTP::AuthC::Takeover::Classic');
our @CARP_NOT = @ISA;

# Timeout is meant for the connection alone.
sub new {
    my ($class, $host, @given) = @_;

    Carp::croak('usage: Net::SMTP::TLS->new(HOST, OPTIONS)') if @_ < 2 || @given % 2;
    my %given = @given;
    my ($user, $password, $no_tls) = delete @given{qw(User Password NoTLS)};
    my $self = $class->SUPER::new($host, ($no_tls ? () : (net_smtp_authc_starttls => 'required')), %given)
        || Carp::croak(_words_of($@));
    $self->timeout(undef);
    $self->_log_in_as($user, $password) if $user && $password;
    return $self;
}

sub _words_of {
    my ($why) = @_;

    $why =~ s/\A[\w:]+: //;
    $why =~ s/\s+\z//;
    return ($why =~ /TLS/ ? "Couldn't start TLS: " : 'Connect failed: ') . $why;
}

sub _log_in_as {
    my ($self, $user, $password) = @_;

    return $self->auth($user, $password) || $self->_fail('Auth failed');
}

# As users of the other class look for it in $@: what was tried, then the reply.
sub _fail {
    my ($self, $what) = @_;

    my $words = join ' ', $self->code, map { s/\s+\z//r } $self->message;
    $self->close if $what eq 'Auth failed';
    return Carp::croak("$what: $words");
}

sub hello    { my $self = shift; return $self->SUPER::hello(@_)    || $self->_fail('EHLO command failed') }
sub starttls { my $self = shift; return $self->SUPER::starttls(@_) || $self->_fail("Couldn't start TLS") }
sub mail     { my $self = shift; return $self->SUPER::mail(@_)     || $self->_fail("Couldn't set FROM") }
sub data     { my $self = shift; return $self->SUPER::data(@_)     || $self->_fail('Data failed') }
sub datasend { my $self = shift; return $self->SUPER::datasend(@_) || $self->_fail("Couldn't send data") }
sub dataend  { my $self = shift; return $self->SUPER::dataend(@_)  || $self->_fail("Couldn't send mail") }

sub quit {
    my ($self) = @_;

    return $self->SUPER::quit || $self->_fail('An error occurred disconnecting from the mail server');
}

sub recipient {
    my ($self, @to) = @_;

    my @option = @to && ref $to[-1] eq 'HASH' ? pop @to : ();
    for my $address (@to) {
        $self->SUPER::recipient($address, @option) || $self->_fail("Couldn't send TO <$address>");
    }
    return 1;
}

*to  = \&recipient;
*cc  = \&recipient;
*bcc = \&recipient;

1;
