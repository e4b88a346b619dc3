# ProxyAddress: "socks5://user:password@proxy:1080" and its kin, taken apart and checked, as the C core wants it.
package Net::SMTP::AuthC::ProxyAddress;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::ServerAddress::Reader;

my %default_port = (socks5 => 1080, socks5h => 1080, http => undef);
my $EXAMPLES     = 'it must look like socks5://proxy.example.com or http://user:password@proxy.example.com:3128';

# Options of the core, each with its value.
sub options {
    my ($class, $given) = @_;

    my ($scheme, $login, $place) = "$given" =~ m{\A([a-z0-9]+)://(?:([^/?#]*)@)?([^/?#@]+)/?\z}i or _no_address($given);
    $scheme = lc $scheme;
    _no_address($given, 'only socks5://, socks5h:// and http:// are known') if !exists $default_port{$scheme};
    my ($host, $port) = Net::SMTP::AuthC::ServerAddress::Reader->host_and_port('proxy', $place);
    $port //= $default_port{$scheme}
        // Net::SMTP::AuthC::Error->usage("proxy: $scheme://$place has no port", 'it is often 3128 or 8080');
    my %login = defined $login ? Net::SMTP::AuthC::ServerAddress::Reader->login('proxy', $login) : ();
    my ($user, $password) = map { _octets($_, $login{$_}) } qw(username password);
    return (proxy_scheme => $scheme, proxy_host => $host, proxy_service => $port,
        defined $user && length $user ? (proxy_user => $user, proxy_password => $password // '') : ());
}

# The core takes no NUL, and its error would not say where it is.
sub _octets {
    my ($name, $text) = @_;

    return if !defined $text;
    utf8::encode($text);
    Net::SMTP::AuthC::Error->usage("proxy: the $name in it has a NUL") if $text =~ /\0/;
    return $text;
}

# What stands before an "@" may be a password.
sub _no_address {
    my ($given, $hint) = @_;

    my $shown = "$given" =~ s{\A([a-z0-9]+:(?://)?)?.*@}{ ($1 // '') . '***@' }sier;
    $shown = substr($shown, 0, 100) . '...' if length $shown > 103;
    return Net::SMTP::AuthC::Error->usage(qq{proxy: "$shown" is no proxy address}, $hint // $EXAMPLES);
}

1;
