# Reader: "smtps://user:password@host:465" and its kin, in every form that is taken, taken apart and checked.
package Net::SMTP::AuthC::ServerAddress::Reader;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

my %default_port = (smtps => 465, smtp => 587, lmtp => undef);
my $SCHEMES      = 'smtps://, smtp://, lmtp://, smtp+unix:// and lmtp+unix:// are known';
my $EXAMPLES     = 'it must look like smtps://smtp.example.com or smtp://host:587';

# As ServerAddress has them.
sub parse {
    my ($class, $given) = @_;

    _usage('server is needed', $EXAMPLES) if !defined $given || !length $given;
    return _unix(lc $1, $2) if "$given" =~ m{\A([a-z]+)\+unix://(.*)\z}is;
    my ($scheme, $login, $place, $query) = "$given" =~ m{\A([a-z+]+)://(?:([^/?#]*)@)?([^/?#@]+)/?(?:\?([^#]*))?\z}i
        or _no_address($given);
    $scheme = lc $scheme;
    _no_address($given, "only $SCHEMES") if !exists $default_port{$scheme};
    my ($host, $port) = $class->host_and_port('server', $place);
    $port //= $default_port{$scheme} // _usage("server: $scheme://$place has no port",
        'LMTP has none of its own, and it is never 25: ask who runs the server, then write lmtp://host:port');
    return {
        host => $host,
        port => $port,
        tls  => _tls($scheme, $query),
        $scheme eq 'lmtp' ? (lmtp => 1) : (),
        defined $login ? $class->login('server', $login) : (),
    };
}

# The path of a unix socket; there is no host before it, and no TLS.
sub _unix {
    my ($scheme, $path) = @_;

    _usage("server: $scheme+unix:// is not known", "only $SCHEMES") if $scheme !~ /\A[sl]mtp\z/;
    _usage("server: behind $scheme+unix:// comes the path of the socket",
        "as in $scheme+unix:///run/server.sock; the login is given as username and password")
        if $path !~ m{\A/[^?#]+\z}s;
    _usage('server: the path in it has a "%" that is no escape', 'a "%" itself is %25')
        if $path =~ /%(?![0-9A-Fa-f]{2})/;
    utf8::encode($path);
    $path =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    _usage('server: the path in it has a control character') if $path =~ /[\x00-\x1f\x7f]/;
    return {host => 'localhost', unix_path => $path, tls => 'none', $scheme eq 'lmtp' ? (lmtp => 1) : ()};
}

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# What stands before an "@" may be a password.
sub _no_address {
    my ($given, $hint) = @_;

    my $shown = "$given" =~ s{\A([a-z+]+:(?://)?)?.*@}{ ($1 // '') . '***@' }sier;
    $shown = substr($shown, 0, 100) . '...' if length $shown > 103;
    return _usage('server: "' . $shown . '" is no server address',
        $hint // _hint($given));
}

sub _hint {
    my ($given) = @_;

    return 'a user name or password with / ? # or @ inside must be percent-encoded there, or given as username and '
        . 'password' if $given =~ m{\A[a-z+]+://.*[/?#].*@}si;
    return $EXAMPLES;
}

# What stands behind the "@". $what is what an error calls the whole.
sub host_and_port {
    my ($class, $what, $place) = @_;

    my ($literal, $name, $port) = $place =~ /\A(?:\[([^\[\]]*)\]|([^:\[\]]+))(?::([^:]*))?\z/
        or _usage("$what: \"$place\" is no host and port",
            'an IPv6 address stands in brackets, as in smtps://[2001:db8::1]:465');
    _check_literal($what, $literal) if defined $literal;
    $name = Net::SMTP::AuthC::Options->ascii_host($name, $what);
    _check_name($what, $name) if defined $name;
    _check_port($what, $port) if defined $port;
    return ($literal // $name, $port);
}

sub _check_literal {
    my ($what, $literal) = @_;

    return if $literal =~ /\A[0-9a-f]*:[0-9a-f:]*(?:\.?[0-9]+)*(?:%[A-Za-z0-9_.-]+)?\z/i;
    return _usage("$what: \"[$literal]\" is no IPv6 address");
}

sub _check_name {
    my ($what, $name) = @_;

    return if $name =~ /\A[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.))*\z/ && length $name < 255;
    return _usage("$what: \"" . substr($name, 0, 100) . '" is no host name', $what eq 'server' ? $EXAMPLES : undef);
}

# A number, or the name of a service, which the system looks up.
sub _check_port {
    my ($what, $port) = @_;

    return if $port =~ /\A0*[1-9][0-9]{0,4}\z/ && $port <= 65535 || $port =~ /\A[A-Za-z](?:-?[A-Za-z0-9]+)*\z/;
    return _usage("$what: \"$port\" is no port", 'a number from 1 to 65535');
}

sub _tls {
    my ($scheme, $query) = @_;

    my %usual = (smtps => 'implicit', smtp => 'required', lmtp => 'none');
    return $usual{$scheme} if !defined $query;
    return $1 if $scheme ne 'smtps' && $query =~ /\Atls=(required|opportunistic|none)\z/;
    return _usage('server: "?' . $query . '" is not known',
        'behind the "?" only tls=required, tls=opportunistic or tls=none, and not with smtps://');
}

# User name and password; RFC 3986, section 2.1: percent-encoded octets, here of UTF-8.
sub login {
    my ($class, $what, $login) = @_;

    my @name = qw(username password);
    my %login;
    for my $text (split /:/, $login, 2) {
        my $name = shift @name;
        _usage("$what: the $name in it has a \"%\" that is no escape", 'a "%" itself is %25')
            if $text =~ /%(?![0-9A-Fa-f]{2})/;
        utf8::encode($text);
        $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
        _usage("$what: the $name in it is not UTF-8", "give it as $name") if !utf8::decode($text);
        $login{$name} = $text;
    }
    return %login;
}

1;
