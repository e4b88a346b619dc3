# Login: what a caller logs in with, checked before anybody is called, and the login itself.
package Net::SMTP::AuthC::Login;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

my %needs_no_secret = map { $_ => 1 } qw(EXTERNAL ANONYMOUS);

# The options of a login; connect takes them, and auth behind user name and password.
my %is_option = map { $_ => 1 } qw(username password oauth_token mechanism authzid scram_min_iterations
    scram_max_iterations sasl);

sub is_option { return $is_option{ $_[1] } }

# From the options, or from the server's address; nothing where neither has any.
sub of {
    my ($class, $place, $given) = @_;

    my %given = (%$given, map { $_ => $given->{$_} // $place->{$_} } qw(username password));
    delete $given{password} if defined $given{oauth_token} && !defined $given->{password};
    return if !grep { defined $given{$_} } keys %is_option;
    return _by_object($place, %given) if defined $given{sasl};
    my $self = $class->new(%given, host => $place->{host}, port => $place->{port});
    $self->{tells_deaths} = 1;
    return $self;
}

# An object of the program's has all that it needs in itself.
sub _by_object {
    my ($place, %given) = @_;

    for my $name (grep { $_ ne 'sasl' && defined $given{$_} } sort keys %is_option) {
        _usage("sasl and $name: give one of them");
    }
    require Net::SMTP::AuthC::SaslObject;
    return Net::SMTP::AuthC::SaslObject->new($given{sasl}, $place->{host});
}

sub new {
    my ($class, %given) = @_;

    my $self = bless {}, $class;
    my $mechanisms = _mechanisms($given{mechanism});
    $self->{credential} = _credential_of(\%given, $mechanisms);
    $self->{user} = $self->_user($given{username});
    $self->{options} = [
        mechanisms => $mechanisms, host => $given{host}, port => _port($given{port}),
        authzid => defined $given{authzid} ? [_octets('authzid', $given{authzid})] : undef,
        map { my $name = $_; $name =~ s/\Ascram_//; ($name => _count($_, $given{$_})) }
            qw(scram_min_iterations scram_max_iterations),
    ];
    $self->_set_secret(\%given);
    return $self;
}

# A password, a token, or neither where the mechanism wants neither.
sub _credential_of {
    my ($given, $mechanisms) = @_;

    my ($username, $password, $token) = @$given{qw(username password oauth_token)};
    my @named = split ' ', uc $mechanisms;
    _usage('password and oauth_token', 'give one of them') if defined $password && defined $token;
    return 'none' if @named && !defined $password && !defined $token && !grep { !$needs_no_secret{$_} } @named;
    if (!defined $username) {
        _usage("$_ without username") for grep { defined $given->{$_} } qw(password oauth_token mechanism authzid);
        _usage('login options without username');
    }
    return defined $token ? 'token' : defined $password ? 'password'
        : _usage('username without password', 'give both, or none');
}

sub _mechanisms {
    my ($given) = @_;

    my $names = join ' ', ref $given eq 'ARRAY' ? @$given : $given // '';
    _usage('mechanism: a name, or a list of names in the order to try')
        if $names !~ /\A[A-Za-z0-9_ -]*\z/ || defined $given && !length $names;
    return $names;
}

sub _count {
    my ($name, $given) = @_;

    _usage("$name: a number from 1 to 100000000") if defined $given && $given !~ /\A[1-9][0-9]{0,8}\z/;
    return $given;
}

sub _port { return defined $_[0] && $_[0] =~ /\A[0-9]{1,5}\z/ ? $_[0] : undef }

# ---- texts: as octets, and as SASLprep has them ----

# Its octets, or why no login can carry it. The error never shows it.
sub _octets {
    my ($name, $text) = @_;

    _usage("$name: a " . ref($text) . ' is no text') if ref $text && !overload::Method($text, '""');
    my $octets = Net::SMTP::AuthC::Options->utf8_of($text);
    _usage("$name is empty") if !length $octets;
    _usage("$name has a NUL at octet " . (1 + $-[0]) . '; nothing was sent') if $octets =~ /\0/;
    _usage("$name ends in a line end (CR or LF), as a line read from a file or a form does; nothing was sent",
        'take it off first, for example with s/\s+\z//') if $octets =~ /[\r\n]\z/;
    return $octets;
}

# The octets, what SASLprep makes of them where that is something else, and why it makes nothing.
sub _forms {
    my ($name, $text) = @_;

    my $octets = _octets($name, $text);
    return [$octets] if $octets !~ /[^\x20-\x7e]/;
    require Net::SMTP::AuthC::Saslprep;
    my $characters = $octets;
    return [$octets, undef, 'it is no UTF-8'] if !utf8::decode($characters);
    my ($prepared, $reason) = Net::SMTP::AuthC::Saslprep::prepare($characters);
    utf8::encode($prepared) if defined $prepared;
    return [$octets, $prepared, $reason];
}

sub _user {
    my ($self, $name) = @_;

    return undef if !length($name // '') && $self->{credential} eq 'none';
    return _forms('username', $name);
}

# What is given as code is asked when the server is about to be told.
sub _set_secret {
    my ($self, $given) = @_;

    return if $self->{credential} eq 'none';
    my $name = $self->{name} = $self->{credential} eq 'token' ? 'oauth_token' : 'password';
    $self->{code}   = $given->{$name} if ref $given->{$name} eq 'CODE';
    $self->{secret} = _forms($name, $given->{$name}) if !$self->{code};
    return;
}

# What it dies of is an error of the caller's for connect; auth lets it through, as it lets signal handlers.
sub _asked {
    my ($self, @why) = @_;

    my ($name, $code) = @$self{qw(name code)};
    my $text = $self->{tells_deaths} ? eval { $code->(@why) } : $code->(@why);
    if (!defined $text) {
        die $@ if $self->{tells_deaths} && ref $@;
        _usage("$name: the code ref " . ($self->{tells_deaths} && length $@ ? "died: $@" : 'gave nothing'));
    }
    return $self->{secret} = _forms($name, $text);
}

# ---- the login ----

# Logs a connection in: true, or false with the error in the connection. A token that was refused is asked for once
# more, with what the server said.
sub run {
    my ($self, $smtp) = @_;

    return 1 if $self->_try($smtp, $self->{code} ? sub { $self->_asked } : $self->{secret});
    my $error = $smtp->_error;
    return !1 if !$self->{code} || $self->{credential} ne 'token' || !_is_refused_token($error);
    return !1 if $smtp->_state ne 'idle';
    return $self->_try($smtp, sub { $self->_asked(renew => 1, error => $error->{text}) });
}

sub _is_refused_token { return $_[0] && $_[0]{kind} eq 'auth' && ($_[0]{code} || 0) =~ /\A5/ }

sub _try {
    my ($self, $smtp, $secret) = @_;

    return $smtp->_auth($self->{credential}, $secret, user => $self->{user}, @{ $self->{options} });
}

# What may be the matter when the server has said no; nothing where nobody can tell.
sub hint {
    my ($self, $error, $server) = @_;

    return if $error->{kind} ne 'auth' || !$error->{code};
    require Net::SMTP::AuthC::Diagnosis;
    my $class = 'Net::SMTP::AuthC::Diagnosis';
    my $hint = $class->hint(
        (map { $_ => $self->{$_} ? $class->facts($self->{$_}[0]) : undef } qw(user secret)),
        (map { $_ => $error->{$_} } qw(code enhanced text)),
        server => $server, mechanism => $self->{credential} eq 'token' ? 'XOAUTH2' : undef,
    );
    return length $hint ? (hint => $hint) : ();
}

1;
