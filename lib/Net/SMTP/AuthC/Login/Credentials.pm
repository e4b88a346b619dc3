# Credentials: what a caller logs in with, checked before anybody is called: passwords, tokens, code that gives them.
package Net::SMTP::AuthC::Login::Credentials;

use 5.014;
use strict;
use warnings;

use overload ();
use Net::SMTP::AuthC::Error;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

my %needs_no_secret = map { $_ => 1 } qw(EXTERNAL ANONYMOUS);

# An object of the program's has all that it needs in itself.
sub by_object {
    my ($class, $given, $host) = @_;

    for my $name (sort keys %$given) {
        _usage("sasl and $name: give one of them")
            if $name ne 'sasl' && defined $given->{$name} && Net::SMTP::AuthC::Login->is_option($name);
    }
    require Net::SMTP::AuthC::SaslObject;
    return Net::SMTP::AuthC::SaslObject->new($given->{sasl}, $host);
}

# The fields of a login. What is given as code is asked when the server is about to be told.
sub of {
    my ($class, $given) = @_;

    my $mechanisms = _mechanisms($given->{mechanism});
    my $credential = _credential_of($given, $mechanisms);
    my %login = (credential => $credential, user => _user($given->{username}, $credential));
    $login{options} = [
        mechanisms => $mechanisms, host => $given->{host}, port => _port($given->{port}),
        authzid => defined $given->{authzid} ? [_octets('authzid', $given->{authzid})] : undef,
        map { my $name = $_; $name =~ s/\Ascram_//; ($name => _count($_, $given->{$_})) }
            qw(scram_min_iterations scram_max_iterations),
    ];
    return \%login if $credential eq 'none';
    my $name = $login{name} = $credential eq 'token' ? 'oauth_token' : 'password';
    $login{code}   = $given->{$name} if ref $given->{$name} eq 'CODE';
    $login{secret} = _forms($name, $given->{$name}) if !$login{code};
    return \%login;
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

sub _user {
    my ($name, $credential) = @_;

    return undef if !length($name // '') && $credential eq 'none';
    return _forms('username', $name);
}

# ---- texts: as octets, and as SASLprep has them ----

# Its octets, or why no login can carry it. The error never shows it.
sub _octets {
    my ($name, $text) = @_;

    _usage("$name: a " . ref($text) . ' is no text') if ref $text && !overload::Method($text, '""');
    my $octets = _utf8_of($text);
    _usage("$name is empty") if !length $octets;
    _usage("$name has a NUL at octet " . (1 + $-[0]) . '; nothing was sent') if $octets =~ /\0/;
    _usage("$name ends in a line end (CR or LF), as a line read from a file or a form does; nothing was sent",
        'take it off first, for example with s/\s+\z//') if $octets =~ /[\r\n]\z/;
    return $octets;
}

# UTF-8. What is UTF-8 already stays as it is: that is how a program has it that read it from a file without decoding.
sub _utf8_of {
    my ($text) = @_;

    return undef if !defined $text;
    my $octets = "$text";
    return $octets if utf8::downgrade($octets, 1) && utf8::decode(my $copy = $octets);
    utf8::encode($text = "$text");
    return $text;
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

# ---- secrets that are asked for ----

# As a login's run. A token that was refused is asked for once more, with what the server said.
sub run {
    my ($class, $login, $smtp) = @_;

    return 1 if $login->attempt($smtp, sub { _asked($login) });
    my $error = $smtp->_error;
    return !1 if $login->{credential} ne 'token' || !_is_refused_token($error) || $smtp->_state ne 'idle';
    return $login->attempt($smtp, sub { _asked($login, renew => 1, error => $error->{text}) });
}

sub _is_refused_token { return $_[0] && $_[0]{kind} eq 'auth' && ($_[0]{code} || 0) =~ /\A5/ }

# What it dies of is an error of the caller's for connect; auth lets it through, as it lets signal handlers.
sub _asked {
    my ($login, @why) = @_;

    my ($name, $code) = @$login{qw(name code)};
    my $text = $login->{tells_deaths} ? eval { $code->(@why) } : $code->(@why);
    if (!defined $text) {
        die $@ if $login->{tells_deaths} && ref $@;
        _usage("$name: the code ref " . ($login->{tells_deaths} && length $@ ? "died: $@" : 'gave nothing'));
    }
    return $login->{secret} = _forms($name, $text);
}

# ---- what the server's no may mean ----

sub hint {
    my ($class, $login, $error, $server) = @_;

    require Net::SMTP::AuthC::Diagnosis;
    my $diagnosis = 'Net::SMTP::AuthC::Diagnosis';
    my $hint = $diagnosis->hint(
        (map { $_ => $login->{$_} ? $diagnosis->facts($login->{$_}[0]) : undef } qw(user secret)),
        (map { $_ => $error->{$_} } qw(code enhanced text)),
        server => $server, mechanism => $login->{credential} eq 'token' ? 'XOAUTH2' : undef,
    );
    return length $hint ? (hint => $hint) : ();
}

1;
