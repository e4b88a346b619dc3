# SMTPS: the dialect of Net::SMTPS: doSSL => 'ssl' or 'starttls', and auth with a mechanism as its third argument.
package Net::SMTP::AuthC::Takeover::SMTPS;

use 5.014;
use strict;
use warnings;

use Carp ();
use Net::SMTP::AuthC::Takeover::Classic;

our @ISA      = ('Net::SMTP::AuthC::Takeover::Classic');
our @CARP_NOT = @ISA;

# Net::SMTPS went on in clear where STARTTLS was wanted and not offered.
sub new {
    my $class = shift;
    my @host  = @_ % 2 ? shift : ();
    my %given = @_;

    return $class->SUPER::new(@host, %given, _tls_of(delete $given{doSSL} // ''));
}

sub _tls_of {
    my ($wish) = @_;

    return if $wish =~ /\A(?:|0|no|none|off)\z/i;
    return (net_smtp_authc_starttls => 'required') if $wish =~ /starttls/i;
    return (SSL => 1) if $wish =~ /ssl/i;
    return Carp::croak(q{Net::SMTPS: doSSL => 'ssl', 'starttls', or undef for neither});
}

# Of several mechanisms, with blanks between, those that are on offer; when none is, as if none had been named.
sub auth {
    my ($self, $username, $password, $mechanisms, @more) = @_;

    return $self->SUPER::auth($username, $password, defined $mechanisms ? ($mechanisms, @more) : ())
        if !$mechanisms || @more;
    my %is_offered = map { uc $_ => 1 } split ' ', $self->supports('AUTH') // '';
    my @wanted = grep { $is_offered{$_} } split ' ', uc $mechanisms;
    return @wanted ? $self->_auth_by($username, $password, @wanted) : $self->SUPER::auth($username, $password);
}

1;
