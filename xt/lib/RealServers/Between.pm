# RealServers::Between: somebody between client and server, with the server's own key: two TLS connections for one.
package RealServers::Between;
use strict;
use warnings;
use Carp qw(croak);
use POSIX ();
use RealServers;

# Carries one connection to the server's port for TLS at once. Options: edit, a script for sed over what the server
# says; tls, an option of openssl for the version. Returns the port that the client is to be led to.
sub lead {
    my ($server, %option) = @_;
    my ($port)  = RealServers::free_ports(1);
    my $number  = ++$server->{between};
    my ($up, $down, $edited) = map { $server->path("between-$number-$_") } qw(up down edited);
    for my $pipe ($up, $down, $edited) { POSIX::mkfifo($pipe, 0600) or croak "$pipe: $!" }
    my @tls = $option{tls} // ();
    # Each pipe opens when both its ends do: who edits opens the other way round, or all would wait for each other.
    my $edit = $option{edit} // '';
    $server->spawn($server->path('between.out'), 'sh', '-c', 'exec sed -u "$1" >"$3" <"$2"', 'sh', $edit, $down,
        $edited);
    through($server, $edited, $up, qw(openssl s_server -quiet -naccept 1), @tls, '-accept', "127.0.0.1:$port",
        '-cert', $server->path('cert.pem'), '-key', $server->path('key.pem'));
    through($server, $up, $down, qw(openssl s_client -quiet -no_ign_eof), @tls,
        '-connect', '127.0.0.1:' . $server->port('tls'));
    await_listener($port);
    return $port;
}

# A process that reads one pipe and writes the other.
sub through {
    my ($server, $from, $to, @command) = @_;
    $server->spawn($server->path('between.out'), qw(sh -c), 'from=$1 to=$2; shift 2; exec "$@" <"$from" >"$to"', 'sh',
        $from, $to, @command);
}

# It takes one connection only, so that no knock may try the door.
sub await_listener {
    my ($port) = @_;
    my $end     = time + RealServers::START_SECONDS;
    my $listens = sprintf '(?:0100007F|7F000001):%04X 00000000:0000 0A', $port;
    while (time < $end) {
        return if RealServers::slurp('/proc/net/tcp') =~ /$listens/;
        select undef, undef, undef, 0.05;
    }
    croak "nobody listens at $port";
}

1;
