# transports: unix sockets, proxies of SOCKS5 and HTTP, lists of servers, and the limits in the errors about them.
# valgrind: no
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;
use lib 't/lib';
use TinyProxy;
use TinyServer;

my $folder = tempdir('authcXXXXXX', TMPDIR => 1, CLEANUP => 1);
my $second = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $nobody = do { my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1'); $closed->sockport };

sub error_of {
    my (@arguments) = @_;
    return eval { Net::SMTP::AuthC->connect(@arguments); 1 } ? 'no error' : $@;
}

sub send_to {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->send_mail(server => $server, from => 'a@x.test', to => 'b@x.test', text => "x\n", @more);
}

# One that agrees, on a unix socket.
sub unix_server {
    my ($path, %other) = @_;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "$path: $!";
    return TinyServer->start(TinyServer->agree(%other), $listener);
}

my $tiny = TinyServer->start(TinyServer->agree);
my $open = 'smtp://127.0.0.1:' . $tiny->port . '?tls=none';
my $safe = Net::SMTP::AuthC::Sandbox->new(users => {demo => 'secret'}, tls => 'implicit');
my @safe = (username => 'demo', password => 'secret', ca_file => $safe->ca_file);

subtest 'unix sockets' => sub {
    my $server = unix_server("$folder/a b", EHLO => "250-tiny\r\n250 AUTH PLAIN\r\n", AUTH => "235 2.7.0 in\r\n");
    my $url = "smtp+unix://$folder/a%20b";
    my $smtp = Net::SMTP::AuthC->connect($url, username => 'demo', password => 'secret', hello => 'me.test');
    is($smtp->mechanism, 'PLAIN', 'a secret may cross it');
    is($smtp->tls, undef, 'without TLS');
    ok($smtp->submit("x\n", from => 'a@x.test', to => 'b@x.test')->all_sent, 'and so may a mail');
    like($server->heard, qr/\AEHLO me\.test\r\nAUTH PLAIN \S+\r\nMAIL FROM:<a\@x\.test>/, 'what was said');
    my $lmtp = unix_server("$folder/lmtp");
    ok(send_to("lmtp+unix://$folder/lmtp", hello => 'me.test')->all_sent, 'LMTP');
    like($lmtp->heard, qr/\ALHLO me\.test\r\n/, 'by its own greeting');
    like(error_of($url, local_address => '127.0.0.1'), qr/\Aa unix socket has no local address at \Q$0\E line/,
        'no local address');
    like(error_of($url, proxy => 'socks5://127.0.0.1'), qr/\Aa unix socket has no proxy/, 'no proxy');
    my $error = error_of("lmtp+unix://$folder/nobody%40home");
    is($error->kind, 'connect', 'nobody there');
    like($error, qr{connect with unix:\Q$folder\E/nobody%40home: \Q$folder\E/nobody\@home: No such file}, 'whom it names');
    my $long = '/' . 'x' x 108;
    like(error_of("smtp+unix://$long"), qr{\Athe path of a unix socket has \d+ octets at most, this one has 109: /xxx},
        'a path that is too long');
};

subtest 'the way through a proxy' => sub {
    my ($socks, $http) = map { TinyProxy->start($_) } qw(socks5 http);
    my $place = '127.0.0.1:' . $tiny->port;
    ok(send_to($open, proxy => $_->url)->all_sent, $_->url) for $socks, $http;
    is_deeply([$_->noted], [$place], 'it was asked for the server') for $socks, $http;
    my $behind = TinyProxy->start('http', behind => 1);
    ok(send_to($open, proxy => $behind->url)->all_sent, 'the greeting begins right behind the answer');
    for my $proxy (map { $_->[0]->url(undef, $_->[1]) } [$socks, 'socks5h'], [$socks, 'socks5'], [$http, 'http']) {
        my $smtp = Net::SMTP::AuthC->connect($safe->url, @safe, proxy => $proxy);
        is(join(' ', @{ $smtp->tls }{qw(verified name)}), '1 localhost', "$proxy: TLS is with the server");
    }
    my $at = 'localhost:' . $safe->port;
    is(($socks->noted)[1], $at, 'socks5h is told the name');
    is(($socks->noted)[2], $at =~ s/localhost/127.0.0.1/r, 'socks5 is told an address');
    is(($http->noted)[1], $at, 'http is told the name');
    is(error_of($safe->url =~ s/localhost/other.test/r, @safe, proxy => $http->url)->kind, 'tls', 'another name is refused');
};

subtest 'a login at the proxy' => sub {
    for my $kind (qw(socks5 http)) {
        my $proxy = TinyProxy->start($kind, login => 'joe:geheim/x%');
        ok(send_to($open, proxy => $proxy->url('joe:geheim%2Fx%25'))->all_sent, "$kind: user name and password");
        my $said = '';
        for my $login ('joe:geheim%2Fwrong', undef) {
            my $error = error_of($open, proxy => $proxy->url($login), transcript => sub { $said .= $_[0]{text} });
            is($error->kind . ' ' . $error->step, 'connect proxy', "$kind: refused");
            like($error, $kind eq 'http' ? qr/the proxy http:\S+ refused 127\.0\.0\.1 port \d+: 407 Proxy Auth/
                : $login ? qr/the proxy socks5:\S+ refused user name or password/
                : qr/refused: it wants a login, as in socks5:/, 'and says so');
            is($error->temporary, 0, 'for good');
            unlike("$error$said", qr/geheim|Z2VoZWlt/, 'without the password');
        }
    }
};

subtest 'proxies that refuse, break off, or are none' => sub {
    my $request = qr/the proxy socks5:\S+ refused 127\.0\.0\.1 port [0-9]+: /;
    for my $case (
        ['socks5', pack('C4', 5, 2, 0, 1), qr/${request}connection not allowed by ruleset/],
        ['socks5', pack('C4', 5, 4, 0, 1), qr/${request}host unreachable/],
        ['socks5', pack('C4', 5, 99, 0, 1), qr/${request}reply 0x63/],
        ['socks5', pack('C4', 4, 90, 0, 1), qr/does not speak SOCKS5/],
        ['socks5', pack('C4', 5, 0, 0, 9), qr/an address of type 0x09/],
        ['socks5', pack('C6', 5, 0, 0, 1, 1, 1), qr/closed the connection in the middle of its answer/],
        ['http', "HTTP/1.1 403 Not you\r\n\r\n", qr/the proxy http:\S+ refused 127\.0\.0\.1 port [0-9]+: 403 Not you/],
        ['http', "HTTP/1.0 503 Later\r\n\r\n", qr/503 Later/],
        ['http', "220 mail.test ESMTP\r\n", qr/does not speak HTTP: its answer begins with "22"/],
        ['http', "HTTP/1.1 200 Good\r\nX: y\r\n", qr/closed the connection in the middle/],
        ['http', '', qr/closed the connection without an answer/],
        ['http', "HTTP/1.1 200 Good\r\n" . "X: y\r\n" x 4000, qr/more than 16384 octets/],
    ) {
        my ($kind, $reply, $says) = @$case;
        my $error = error_of($open, proxy => TinyProxy->start($kind, reply => $reply)->url);
        like($error, $says, "$says");
        is(ref $error && $error->kind, 'connect', 'kind');
    }
    like(error_of($open, proxy => 'socks5://127.0.0.1:' . $tiny->port), qr/does not speak SOCKS5/, 'a mail server');
    like(error_of($open, proxy => "http://127.0.0.1:$nobody"),
        qr/connect with [^:]+:\d+: the proxy http:\S+: 127\.0\.0\.1 port $nobody: Connection refused/, 'nobody there');
    like(error_of("smtp://127.0.0.1:$nobody?tls=none", proxy => TinyProxy->start('socks5')->url),
        qr/connection refused/, 'nobody behind it');
    my $proxy = TinyProxy->start('http', hang => 1);
    my $error = error_of($open, proxy => $proxy->url, timeout => $second);
    is($error->kind . ' ' . $error->step, 'timeout proxy', 'silence');
    like($error, qr/no answer within $second\.0 s from the proxy \Q@{[$proxy->url]}\E/, 'with its limit');
};

subtest 'proxy addresses that are none' => sub {
    for my $case (['socks4://h', 'known'], ['https://h:1', 'known'], ['h:1080', 'no proxy address'], ['http://h', 'no port'],
        ['socks5://u:geheim/x@h', 'no proxy address'], ['socks5://h:0', 'is no port'], ['socks5://a b', 'no host name'],
        ['socks5://u:geheim%@h', 'no escape'], ['socks5://' . 'u' x 256 . ':geheim@h', '1 to 255 octets'],
        ['http://u%3Av:geheim@h:1', 'has no ":"'], ['socks5://u:geheim%00@h', 'NUL'], ['', 'no proxy address']) {
        my ($proxy, $says) = @$case;
        my $error = error_of($open, proxy => $proxy);
        like($error, qr/\Aproxy[: ].*\Q$says\E.* at \Q$0\E line/, "\"$proxy\"");
        unlike($error, qr/geheim/, 'no password in it');
    }
};

subtest 'a list of servers' => sub {
    my ($later, $never, $shut) = map { TinyServer->start(TinyServer->agree(%$_)) }
        {greeting => "421 4.3.2 later\r\n"}, {greeting => "554 5.3.2 never\r\n"}, {EHLO => "421 4.3.2 full\r\n"};
    my @bad = ("smtp://127.0.0.1:$nobody?tls=none", map { 'smtp://127.0.0.1:' . $_->port . '?tls=none' } $later, $never, $shut);
    my $receipt = send_to([@bad, $open]);
    ok($receipt->all_sent, 'the first that lets us in');
    is(Net::SMTP::AuthC->connect([$open])->host, '127.0.0.1:' . $tiny->port, 'a list of one');
    like(error_of([$bad[1]]), qr/greeting with \S+: 421 4\.3\.2 later/, 'whose error stays as it is');
    my $error = error_of(\@bad);
    like($error, qr/\Anone of 4 servers was of use: 127\.0\.0\.1:$nobody: connect: .*refused; \S+: greeting: 421 4\.3\.2 later; \S+: greeting: 554 5\.3\.2 never; \S+: EHLO: 421 4\.3\.2 full at \Q$0\E line/, 'all of their errors');
    is($error->kind . ' ' . $error->temporary, 'deferred 1', 'of the last one\'s kind, and one may pass');
    like(error_of([$open, 'smtps://a b']), qr/is no host name/, 'every address is checked first');
    is($tiny->heard =~ /EHLO/g, 1, 'whatever');
    my $wrong = error_of([$safe->url, $open], @safe, password => 'wrong');
    is($wrong->kind . ' ' . $wrong->code, 'auth 535', 'a wrong password does not go on');
    my $hanging = TinyServer->start(sub { sleep 60 });
    $error = error_of([map { 'smtp://127.0.0.1:' . $hanging->port . '?tls=none' } 1 .. 3], deadline => $second);
    like($error, qr/none of 3 servers was of use; the deadline of $second\.0 s passed before the others: \S+: greeting: the overall deadline of $second\.0 s passed during greeting at/, 'the deadline holds over all');
};

done_testing;
