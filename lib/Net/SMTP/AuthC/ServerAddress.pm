# ServerAddress: "smtps://host:465" and its kin, taken apart; what is more than scheme, name and port reads Reader.
package Net::SMTP::AuthC::ServerAddress;

use 5.014;
use strict;
use warnings;

my %default_port = (smtps => 465, smtp => 587);

# A hash of host, port, tls (implicit, required, opportunistic, none) and, where given, username and password; lmtp
# where that is spoken; unix_path in place of the port of a unix socket.
sub parse {
    my ($class, $given) = @_;

    my ($scheme, $host, $port, $in_clear) = ($given // '')
        =~ m{\A(smtps?)://([A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*)(?::([1-9][0-9]{0,4}))?(\?tls=none)?\z};
    if (ref $given || !$scheme || length $host > 254 || $port && $port > 65535 || $in_clear && $scheme eq 'smtps') {
        require Net::SMTP::AuthC::ServerAddress::Reader;
        return Net::SMTP::AuthC::ServerAddress::Reader->parse($given);
    }
    return {host => $host, port => $port // $default_port{$scheme},
        tls => $in_clear ? 'none' : $scheme eq 'smtps' ? 'implicit' : 'required'};
}

# As people write it: a literal of IPv6 in brackets; a path so that nobody takes a part of it for a login.
sub display {
    my ($class, $server) = @_;

    my $path = $server->{unix_path};
    return 'unix:' . $path =~ s/([@%\x80-\xff])/sprintf '%%%02X', ord $1/ger if defined $path;
    my $host = $server->{host} =~ /:/ ? "[$server->{host}]" : $server->{host};
    return "$host:$server->{port}";
}

1;
