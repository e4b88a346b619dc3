# ServerAddress: "smtps://user:password@host:465" and its kin, taken apart and checked.
package Net::SMTP::AuthC::ServerAddress;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

my %default_port = (smtps => 465, smtp => 587);
my $EXAMPLES     = 'it must look like smtps://smtp.example.com or smtp://host:587';

# A hash of host, port, tls (implicit, required, opportunistic, none) and, where given, username and password.
sub parse {
    my ($class, $given) = @_;

    _usage('server is needed', $EXAMPLES) if !defined $given || !length $given;
    my ($scheme, $login, $place, $query) = "$given" =~ m{\A([a-z+]+)://(?:([^/?#]*)@)?([^/?#@]+)/?(?:\?([^#]*))?\z}i
        or _no_address($given);
    $scheme = lc $scheme;
    _no_address($given, 'only smtps:// and smtp:// are known') if !$default_port{$scheme};
    my ($host, $port) = _host_and_port($place);
    return {
        host => $host,
        port => $port // $default_port{$scheme},
        tls  => _tls($scheme, $query),
        defined $login ? _login($login) : (),
    };
}

# As people write it: a literal of IPv6 in brackets.
sub display {
    my ($class, $server) = @_;

    my $host = $server->{host} =~ /:/ ? "[$server->{host}]" : $server->{host};
    return "$host:$server->{port}";
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

sub _host_and_port {
    my ($place) = @_;

    my ($literal, $name, $port) = $place =~ /\A(?:\[([^\[\]]*)\]|([^:\[\]]+))(?::([^:]*))?\z/
        or _usage('server: "' . $place . '" is no host and port',
            'an IPv6 address stands in brackets, as in smtps://[2001:db8::1]:465');
    _check_literal($literal) if defined $literal;
    $name = Net::SMTP::AuthC::Options->ascii_host($name, 'server');
    _check_name($name) if defined $name;
    _check_port($port) if defined $port;
    return ($literal // $name, $port);
}

sub _check_literal {
    my ($literal) = @_;

    return if $literal =~ /\A[0-9a-f]*:[0-9a-f:]*(?:\.?[0-9]+)*(?:%[A-Za-z0-9_.-]+)?\z/i;
    return _usage('server: "[' . $literal . ']" is no IPv6 address');
}

sub _check_name {
    my ($name) = @_;

    return if $name =~ /\A[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.))*\z/ && length $name < 255;
    return _usage('server: "' . substr($name, 0, 100) . '" is no host name', $EXAMPLES);
}

# A number, or the name of a service, which the system looks up.
sub _check_port {
    my ($port) = @_;

    return if $port =~ /\A0*[1-9][0-9]{0,4}\z/ && $port <= 65535 || $port =~ /\A[A-Za-z](?:-?[A-Za-z0-9]+)*\z/;
    return _usage('server: "' . $port . '" is no port', 'a number from 1 to 65535');
}

sub _tls {
    my ($scheme, $query) = @_;

    my $usual = $scheme eq 'smtps' ? 'implicit' : 'required';
    return $usual if !defined $query;
    return $1 if $scheme eq 'smtp' && $query =~ /\Atls=(required|opportunistic|none)\z/;
    return _usage('server: "?' . $query . '" is not known',
        'behind the "?" only tls=required, tls=opportunistic or tls=none, and only with smtp://');
}

# RFC 3986, section 2.1: percent-encoded octets, here of UTF-8.
sub _login {
    my ($login) = @_;

    my @name = qw(username password);
    my %login;
    for my $text (split /:/, $login, 2) {
        my $name = shift @name;
        _usage("server: the $name in it has a \"%\" that is no escape", 'a "%" itself is %25')
            if $text =~ /%(?![0-9A-Fa-f]{2})/;
        utf8::encode($text);
        $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
        _usage("server: the $name in it is not UTF-8", "give it as $name") if !utf8::decode($text);
        $login{$name} = $text;
    }
    return %login;
}

1;
