# Network: which addresses the page may connect to: those of the public Internet, as IANA's registries have them.
package SmtpTester::Network;

use 5.014;
use strict;
use warnings;

use Socket ();

my @REFUSED = map { [_network($_->[0]), $_->[1]] } (
    ['0.0.0.0/8'        => 'this host itself'],
    ['10.0.0.0/8'       => 'private'],
    ['100.64.0.0/10'    => 'shared by the customers of a provider'],
    ['127.0.0.0/8'      => 'loopback'],
    ['168.63.129.16/32' => q{a cloud's metadata}],
    ['169.254.0.0/16'   => q{link-local, where clouds have their metadata}],
    ['172.16.0.0/12'    => 'private'],
    ['192.0.0.0/24'     => 'reserved for protocols'],
    ['192.0.2.0/24'     => 'for documentation'],
    ['192.88.99.0/24'   => 'a relay to IPv6'],
    ['192.168.0.0/16'   => 'private'],
    ['198.18.0.0/15'    => 'for benchmarks'],
    ['198.51.100.0/24'  => 'for documentation'],
    ['203.0.113.0/24'   => 'for documentation'],
    ['224.0.0.0/4'      => 'multicast'],
    ['240.0.0.0/4'      => 'reserved'],

    ['::/128'         => 'unspecified'],
    ['::1/128'        => 'loopback'],
    ['::/96'          => 'an IPv4 address inside IPv6'],
    ['::ffff:0:0/96'  => 'an IPv4 address inside IPv6'],
    ['64:ff9b::/96'   => 'an IPv4 address behind NAT64'],
    ['64:ff9b:1::/48' => 'an IPv4 address behind NAT64'],
    ['2001::/23'      => 'reserved for protocols such as Teredo'],
    ['2001:db8::/32'  => 'for documentation'],
    ['2002::/16'      => 'an IPv4 address behind 6to4'],
    ['3fff::/20'      => 'for documentation'],
    ['fc00::/7'       => 'private'],
    ['fe80::/10'      => 'link-local'],
    ['fec0::/10'      => 'private to a site'],
    ['ff00::/8'       => 'multicast'],
);
my $GLOBAL_V6 = _network('2000::/3');

# allow, refuse: networks as text, blanks between them.
sub new {
    my ($class, %setting) = @_;

    return bless {map { my $name = $_; $name => [map { _network($_) } split ' ', $setting{$name} // ''] } qw(allow refuse)},
        $class;
}

# Why there is no connection to this address (4 or 16 octets); undef when there may be one.
sub why_not {
    my ($self, $address) = @_;

    return 'refused by the operator' if grep { _is_within($address, $_) } @{ $self->{refuse} };
    return undef if grep { _is_within($address, $_) } @{ $self->{allow} };
    for my $row (@REFUSED) {
        return $row->[1] if _is_within($address, $row->[0]);
    }
    return 'not of the public Internet' if length $address == 16 && !_is_within($address, $GLOBAL_V6);
    return is_own($address) ? q{this machine's own} : undef;
}

# What this machine trusts itself with is nobody else's. Only an own address can be bound to.
sub is_own {
    my ($address) = @_;

    my $place = length $address == 4 ? Socket::pack_sockaddr_in(0, $address) : Socket::pack_sockaddr_in6(0, $address);
    socket my $socket, Socket::sockaddr_family($place), Socket::SOCK_DGRAM(), 0 or return 0;
    return bind($socket, $place) ? 1 : 0;
}

# "10.0.0.0/8" as [octets, bits]
sub _network {
    my ($text) = @_;

    my ($name, $bits) = $text =~ m{\A([0-9A-Fa-f.:]+)/([0-9]{1,3})\z} or die qq{"$text" is no network\n};
    my $octets = octets($name) // die qq{"$text" is no network\n};
    die qq{"$text" is no network\n} if $bits > 8 * length $octets;
    return [$octets, $bits];
}

sub _is_within {
    my ($address, $network) = @_;

    my ($octets, $bits) = @$network;
    return length $address == length $octets && _first($bits, $address) eq _first($bits, $octets);
}

sub _first { return substr unpack('B*', $_[1]), 0, $_[0] }

# A literal as octets, and octets as a literal. Only the usual spelling is one: four decimal numbers, not "0x7f.1".
sub octets {
    my ($literal) = @_;

    return Socket::inet_pton($literal =~ /:/ ? Socket::AF_INET6() : Socket::AF_INET(), $literal);
}

sub literal {
    my ($octets) = @_;

    return Socket::inet_ntop(length $octets == 16 ? Socket::AF_INET6() : Socket::AF_INET(), $octets);
}

1;
