# Serve: a PSGI application as a CGI program, or by a small web server of its own on this machine.
package SmtpTester::Serve;

use 5.014;
use strict;
use warnings;

use IO::Handle ();
use IO::Socket::INET ();
use POSIX ();

my $HEAD_MAX    = 16 * 1024;
my $READ_SECONDS = 10;
my $MOST_AT_ONCE = 8;

my %reason = (200 => 'OK', 400 => 'Bad Request', 403 => 'Forbidden', 404 => 'Not Found', 405 => 'Method Not Allowed',
    411 => 'Length Required', 413 => 'Content Too Large', 415 => 'Unsupported Media Type', 429 => 'Too Many Requests',
    500 => 'Internal Server Error');

sub run { return $ENV{GATEWAY_INTERFACE} ? &_as_cgi : &_as_command }

# ---- CGI (RFC 3875) ----

sub _as_cgi {
    my ($class, $app) = @_;

    binmode $_ for \*STDIN, \*STDOUT;
    print STDOUT _octets('Status:', $app->({%ENV, 'psgi.input' => \*STDIN, 'psgi.errors' => \*STDERR}));
    return;
}

sub _octets {
    my ($first, $answer) = @_;

    my ($status, $headers, $body) = @$answer;
    my @lines = "$first $status $reason{$status}";
    for (my $at = 0; $at < @$headers; $at += 2) { push @lines, "$headers->[$at]: $headers->[$at + 1]" }
    return join '', map({ tr/\r\n//dr . "\r\n" } @lines), "\r\n", @$body;
}

# ---- HTTP (RFC 9112), one request a connection, a process for each ----

sub _as_command {
    my ($class, $app, @arguments) = @_;

    my ($option, $place, @rest) = @arguments ? @arguments : ('--listen', '127.0.0.1:8080');
    my ($address, $port) = ($place // '') =~ /\A([0-9.]+):([0-9]+)\z/;
    die "usage: tester.pl [--listen 127.0.0.1:8080]\n" if $option ne '--listen' || !defined $port || @rest;
    my $server = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 16, ReuseAddr => 1)
        or die "$address:$port: $!\n";
    STDOUT->autoflush(1);
    print 'http://' . $server->sockhost . ':' . $server->sockport . "/\n";
    return _accept($server, $app);
}

sub _accept {
    my ($server, $app) = @_;

    my %child;
    while (1) {
        _reap(\%child);
        my $client = $server->accept or next;
        my $pid = fork // next;
        if ($pid) { $child{$pid} = 1; next }
        close $server;
        eval { _serve($client, $app); 1 } or print STDERR 'tester: a request was cut short' . "\n";
        POSIX::_exit(0);
    }
    return;
}

# Those that have ended; when there are too many, the end of one is waited for.
sub _reap {
    my ($child) = @_;

    delete $child->{$_} for grep { waitpid $_, POSIX::WNOHANG() } keys %$child;
    my ($one) = keys %$child >= $MOST_AT_ONCE ? keys %$child : return;
    waitpid $one, 0;
    delete $child->{$one};
    return;
}

sub _serve {
    my ($client, $app) = @_;

    local $SIG{ALRM} = sub { die "slow\n" };
    alarm $READ_SECONDS;
    my ($env, $body) = _request($client);
    alarm 0;
    my $answer = $env ? do { open my $input, '<', \$body; $app->({%$env, 'psgi.input' => $input, 'psgi.errors' => \*STDERR}) }
        : [400, [], []];
    local $SIG{PIPE} = 'IGNORE';
    push @{ $answer->[1] }, Connection => 'close';
    alarm $READ_SECONDS;
    print {$client} _octets('HTTP/1.1', $answer);
    close $client;
    return;
}

# As PSGI has it, and the body as far as it is not too long: that is told by Content-Length.
sub _request {
    my ($client) = @_;

    my $got = '';
    until ($got =~ /\r?\n\r?\n/) {
        return if length $got > $HEAD_MAX || !sysread $client, $got, 4096, length $got;
    }
    my ($head, $body) = split /\r?\n\r?\n/, $got, 2;
    my ($first, @fields) = split /\r?\n/, $head;
    my ($method, $path, $query) = ($first // '') =~ m{\A([A-Z]+) (/[!-"\$->\@-~]*)(?:\?([!-~]*))? HTTP/1\.[01]\z} or return;
    my $env = {REQUEST_METHOD => $method, PATH_INFO => $path, QUERY_STRING => $query // '', SCRIPT_NAME => '',
        REMOTE_ADDR => $client->peerhost, _fields(@fields)};
    my $length = $env->{CONTENT_LENGTH} // 0;
    return if $length !~ /\A[0-9]+\z/;
    while ($length <= $HEAD_MAX && length $body < $length) {
        return if !sysread $client, $body, $length - length $body, length $body;
    }
    return ($env, $body);
}

sub _fields {
    my %env;
    for my $field (@_) {
        my ($name, $value) = $field =~ /\A([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*\z/ or next;
        $name = uc $name =~ tr/-/_/r;
        $env{$name =~ /\ACONTENT_(?:TYPE|LENGTH)\z/ ? $name : "HTTP_$name"} //= $value;
    }
    return %env;
}

1;
