# Login: what a caller logs in with, and the login itself; what is more than a plain user name and password reads
# Credentials.
package Net::SMTP::AuthC::Login;

use 5.014;
use strict;
use warnings;

# The options of a login; connect takes them, and auth behind user name and password.
my @RARE      = qw(oauth_token mechanism authzid scram_min_iterations scram_max_iterations sasl);
my %is_option = map { $_ => 1 } qw(username password), @RARE;

sub is_option { return $is_option{ $_[1] } }

sub _credentials { require Net::SMTP::AuthC::Login::Credentials; return 'Net::SMTP::AuthC::Login::Credentials' }

# From the options, or from the server's address; nothing where neither has any.
sub of {
    my ($class, $place, $given) = @_;

    my %given = (%$given, map { $_ => $given->{$_} // $place->{$_} } qw(username password));
    delete $given{password} if defined $given{oauth_token} && !defined $given->{password};
    return if !grep { defined $given{$_} } keys %is_option;
    return $class->_credentials->by_object(\%given, $place->{host}) if defined $given{sasl};
    my $self = $class->new(%given, host => $place->{host}, port => $place->{port});
    $self->{tells_deaths} = 1;
    return $self;
}

# credential: 'password', 'token' or 'none'; user, secret: texts in all their forms; options: of the core's login.
# Credentials has more where the secret is to be asked for.
sub new {
    my ($class, %given) = @_;

    my @plain = grep { defined && !ref && /\A[\x20-\x7e]+\z/ } @given{qw(username password)};
    my $self = @plain < 2 || grep({ defined $given{$_} } @RARE) ? $class->_credentials->of(\%given)
        : {credential => 'password', user => ["$plain[0]"], secret => ["$plain[1]"], options => [mechanisms => '']};
    return bless $self, $class;
}

# Logs a connection in: true, or false with the error in the connection.
sub run {
    my ($self, $smtp) = @_;

    return $self->{code} ? $self->_credentials->run($self, $smtp) : $self->attempt($smtp, $self->{secret});
}

# The secret: a text in all its forms, or code that gives one.
sub attempt {
    my ($self, $smtp, $secret) = @_;

    return $smtp->_auth($self->{credential}, $secret, user => $self->{user}, @{ $self->{options} });
}

# What may be the matter when the server has said no; nothing where nobody can tell.
sub hint {
    my ($self, $error, $server) = @_;

    return $error->{kind} eq 'auth' && $error->{code} ? $self->_credentials->hint($self, $error, $server) : ();
}

1;
