# A proxy for tests, of SOCKS5 or HTTP CONNECT, with and without a login; it notes whom it was asked for, and misbehaves.
package TinyProxy;
use strict;
use warnings;
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(decode_base64);
use TinyServer;

# %how: login => 'user:password'; reply => what comes in place of the answer to the request ("" and the connection is
# closed); hang => 1; behind => 1: the server's first octets come in one piece with the answer of HTTP.
sub start {
    my ($class, $kind, %how) = @_;
    my $noted = File::Temp->new;
    my $self = bless { noted => $noted, kind => $kind }, $class;
    my $serve = $kind eq 'http' ? \&_http : \&_socks;
    $self->{server} = TinyServer->start(sub {
        my ($socket, $read) = @_;
        return $serve->({%how, noted => $noted->filename}, $socket, $read);
    });
    return $self;
}

sub url {
    my ($self, $login, $kind) = @_;
    return ($kind || $self->{kind}) . '://' . ($login ? "$login\@" : '') . '127.0.0.1:' . $self->{server}->port;
}

# Every "host:port" it was asked for.
sub noted {
    my ($self) = @_;
    open my $file, '<', $self->{noted}->filename or die $!;
    chomp(my @lines = <$file>);
    return @lines;
}

sub _note {
    my ($how, $line) = @_;
    open my $file, '>>', $how->{noted} or die $!;
    print {$file} "$line\n";
    return close $file;
}

sub _take {
    my ($socket, $n) = @_;
    my $octets = '';
    while (length $octets < $n) {
        sysread($socket, $octets, $n - length $octets, length $octets) or die "cut\n";
    }
    return $octets;
}

sub _socks {
    my ($how, $socket) = @_;
    return sleep 60 if $how->{hang};
    my %offered = map { $_ => 1 } unpack 'C*', _take($socket, unpack 'xC', _take($socket, 2));
    my $wanted = $how->{login} ? 2 : 0;
    syswrite $socket, pack 'CC', 5, $offered{$wanted} ? $wanted : 255;
    return if !$offered{$wanted};
    if ($wanted) {
        my $user     = _take($socket, unpack 'xC', _take($socket, 2));
        my $password = _take($socket, unpack 'C', _take($socket, 1));
        my $good     = "$user:$password" eq $how->{login};
        syswrite $socket, pack 'CC', 1, $good ? 0 : 1;
        return if !$good;
    }
    my $type = unpack 'x3C', _take($socket, 4);
    my $host = $type == 3 ? _take($socket, unpack 'C', _take($socket, 1)) : join '.', unpack 'C*', _take($socket, 4);
    my $port = unpack 'n', _take($socket, 2);
    _note($how, "$host:$port");
    return syswrite $socket, $how->{reply} if defined $how->{reply};
    my $server = _call($host, $port);
    syswrite $socket, $server ? pack 'CCCCC/aCC', 5, 0, 0, 3, 'proxy', 0, 1 : pack 'C4N n', 5, 5, 0, 1, 0, 0;
    return $server && _relay($socket, $server, '');
}

sub _http {
    my ($how, $socket, $read) = @_;
    return sleep 60 if $how->{hang};
    my ($place, $login) = ($read->() =~ m{\ACONNECT (\S+:[0-9]+) HTTP/1\.1\r\n\z}, '');
    while ((my $line = $read->()) ne "\r\n") {
        $login = decode_base64($1) if $line =~ /\AProxy-Authorization: Basic (\S+)\r\n\z/;
    }
    _note($how, $place // 'no CONNECT');
    return syswrite $socket, $how->{reply} if defined $how->{reply};
    return syswrite $socket, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nno\n"
        if ($how->{login} // '') ne $login;
    my $server = _call($place =~ /\A(.*):(.*)\z/)
        or return syswrite $socket, "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    my $first = $how->{behind} ? _take($server, 4) : '';
    return _relay($socket, $server, "HTTP/1.1 200 Connection established\r\nVia: tiny\r\n\r\n$first");
}

# Every name is that of this machine.
sub _call { return IO::Socket::INET->new(PeerAddr => $_[0] =~ /[a-z]/ ? '127.0.0.1' : $_[0], PeerPort => $_[1]) }

sub _relay {
    my ($client, $server, $first) = @_;
    syswrite $client, $first;
    my $select = IO::Select->new($client, $server);
    while (my @ready = $select->can_read) {
        for my $from (@ready) {
            sysread $from, my $octets, 65536 or return;
            syswrite $from == $client ? $server : $client, $octets;
        }
    }
    return;
}

1;
