# The Net::SMTP face: new with all its options, the greeting, hello, supports, the small commands, what they leave.
use strict;
use warnings;
use IO::Socket::INET;
use lib 't/lib';
use Face;
use Socket qw(AF_INET AF_INET6);
use Test::More;

my $server = sandbox(keywords => ['SIZE 1000', '8BITMIME', 'ETRN', 'X-LIST  a   b']);
my ($host, $port) = ('localhost', $server->port);

sub connects {
    my ($name, @arguments) = @_;
    my $smtp = Net::SMTP::AuthC->new(@arguments);
    ok($smtp, $name) or return diag $@;
    return $smtp;
}

subtest 'new: the forms of its arguments' => sub {
    for my $form (
        ['host, Port => number', $host, Port => $port],
        ['Host => host', Host => $host, Port => $port],
        ['host:port', "$host:$port"],
        ['Host => host:port', Host => "$host:$port"],
        ['a port in the host beats Port', "127.0.0.1:$port", Port => 1],
        ['Port => name(number)', $host, Port => "nobody-knows-it($port)"],
        ['host:name(number)', "$host:nobody-knows-it($port)"],
        ['a list of hosts', ["127.0.0.1:1", "127.0.0.1:$port"]],
        ['Host => a list', Host => ["127.0.0.1:1", "127.0.0.1"], Port => $port],
        ['a literal in brackets', "[127.0.0.1]:$port"],
        ['unknown options', $host, Port => $port, AuthUser => 'x', StartTLS => 1, Nonsense => []],
        ['undefined options', $host, Port => $port, map { $_ => undef } qw(Hello Debug SSL Timeout LocalAddr
            LocalPort Domain Family ExactAddresses)],
        ['Domain wins over Family', '127.0.0.1', Port => $port, Domain => AF_INET, Family => AF_INET6],
        ['LocalAddr', '127.0.0.1', Port => $port, LocalAddr => '127.0.0.1'],
    ) {
        my ($name, @arguments) = @$form;
        my $smtp = connects($name, @arguments) or next;
        is($smtp->code, 250, "$name: code");
    }
    my $smtp = connects('on an object', $host, Port => $port);
    isa_ok($smtp->new($host, Port => $port), 'Net::SMTP::AuthC', 'what an object makes');
};

subtest 'new: IPv6' => sub {
    my $six = eval { sandbox(listen_ipv6 => 1) } or plan skip_all => 'no IPv6 here';
    my $at = $six->port;
    connects('[::1]:port', "[::1]:$at");
    connects('::1, Port', '::1', Port => $at);
    connects('[::1], Port', '[::1]', Port => $at);
    my $smtp = connects('Family', '::1', Port => $at, Family => AF_INET6);
    is(length(getpeername $smtp), length Socket::pack_sockaddr_in6(1, Socket::IN6ADDR_LOOPBACK()), 'it speaks IPv6');
    ok(!Net::SMTP::AuthC->new('[::1]', Port => $at, Domain => AF_INET, Timeout => 5), 'IPv4 to ::1 cannot be');
};

subtest 'new: LocalPort, Hello, SendHello, ExactAddresses' => sub {
    my $free = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    my $smtp = connects('LocalPort', '127.0.0.1', Port => $port, LocalAddr => '127.0.0.1', LocalPort => $free);
    is((Socket::unpack_sockaddr_in(getsockname $smtp))[0], $free, 'the port is ours');
    is_deeply([said($server, $smtp)], ["EHLO $OWN_NAME"], 'without Hello');
    is_deeply([said($server, client($server, Hello => 'me.example.test'))], ['EHLO me.example.test'], 'Hello');
    is_deeply([said($server, client($server, SendHello => 1))], ["EHLO $OWN_NAME"], 'SendHello => 1');
    $smtp = client($server, SendHello => 0);
    is($smtp->code, 220, 'SendHello => 0: the greeting was the last word');
    is($smtp->supports('SIZE'), undef, 'nothing is known');
    is_deeply([said($server, $smtp)], [], 'nothing was said');
    $smtp = client($server, ExactAddresses => 1);
    $smtp->mail('<a@b.test>');
    $smtp->reset;
    $smtp->mail('"x <y>"@b.test');
    my @said = said($server, $smtp);
    is_deeply(\@said, ["EHLO $OWN_NAME", 'MAIL FROM:<a@b.test>', 'RSET'],
        'ExactAddresses: <...> is unwrapped, anything else is an address as it stands');
};

subtest 'new: Timeout' => sub {
    is(connects('no Timeout', $host, Port => $port)->timeout, 120, '120 by itself');
    is(connects('Timeout => undef', $host, Port => $port, Timeout => undef)->timeout, 120, 'undef: 120');
    is(connects('Timeout => 0', $host, Port => $port, Timeout => 0)->timeout, 0, '0: none');
    my $smtp = connects('Timeout => 7', $host, Port => $port, Timeout => 7);
    is($smtp->timeout(9), 7, 'timeout gives the old value');
    is($smtp->timeout, 9, 'and takes a new one');
    ok($smtp->reset, 'which works');
    for my $odd (-1, 'inf', 'nan', 1e300) {
        ok(connects("Timeout => $odd", $host, Port => $port, Timeout => $odd)->noop, "$odd does no harm");
    }
};

subtest 'new: what it says when it fails' => sub {
    my $class = 'Net::SMTP::AuthC';
    $@ = 'untouched';
    is_deeply([$class->new], [], 'no host: an empty list');
    is($@, 'untouched', 'no host: $@ is left alone');
    is(scalar($class->new(undef, Port => 1)), undef, 'no host: undef');
    is_deeply([$class->new('127.0.0.1', Port => 1)], [], 'nobody there');
    like($@, qr/Connection refused\n\z/, 'nobody there: $@');
    ok(!$class->new('name.invalid', Port => 1, Timeout => 20), 'no such host');
    like($@, qr/name.invalid.*\n\z/, 'no such host: $@');
    for my $case (['421 busy' => 'greeting', '421 busy'], ['554 5.3.2 no' => 'greeting', '554 5.3.2 no']) {
        my ($reply, $stage, $text) = @$case;
        my $rude = sandbox(faults => [{stage => $stage, reply => "$reply\r\n"}]);
        ok(!$class->new($rude->host, Port => $rude->port), "$reply at the $stage");
        is($@, "$class: $text\n", "$reply: \$@");
    }
    my $rude = sandbox(faults => [{stage => 'ehlo', reply => "451 later\r\n"}]);
    ok(!$class->new($rude->host, Port => $rude->port), '451 to EHLO');
    is($@, "$class: 451 later\n", '451: $@');
    is_deeply([said($rude)], ["EHLO $OWN_NAME"], 'no HELO after a 4xx');
    ok(!$class->new($host, Port => $port, Hello => "a\r\nRSET"), 'a Hello with a line end');
    like($@, qr/hello: CR at octet 2/, 'Hello: $@ says where');
    ok(!$class->new($host, Port => $port, LocalAddr => "\0"), 'a NUL in an option');
    like($@, qr/NUL/, 'NUL: $@');
    ok(!$class->new($host, Port => $port, SSL => 1, SSL_ca_file => '/nowhere/ca.pem'), 'a CA file that is none');
    like($@, qr{\A$class: .*/nowhere/ca.pem.*\n\z}, 'CA file: $@');
    my $silent = sandbox(faults => [{stage => 'greeting', silent => 1}]);
    ok(!$class->new($silent->host, Port => $silent->port, Timeout => 0.3), 'no greeting in time');
    like($@, qr/greeting: no answer within 0\.3 s; a port that wants TLS .*\n\z/, 'no greeting: $@');
};

subtest 'new: what dies in a signal handler is not kept from the caller' => sub {
    my $silent = sandbox(faults => [{stage => 'greeting', silent => 1}]);
    my $got = eval {
        local $SIG{ALRM} = sub { die "alarm\n" };
        alarm 1;
        my $smtp = Net::SMTP::AuthC->new($silent->host, Port => $silent->port, Timeout => 20);
        alarm 0;
        defined $smtp ? 'object' : 'undef';
    };
    alarm 0;
    is($got, undef, 'new did not return');
    is($@, "alarm\n", 'the handler was heard');
};

subtest 'the greeting and what the server offers' => sub {
    my $named = sandbox(greeting => 'mx.example.test ready, and   waiting',
        keywords => ['SIZE 1000', 'X-LIST  a   b', 'PIPELINING']);
    my $smtp = client($named);
    is($smtp->banner, "mx.example.test ready, and   waiting\n", 'banner');
    is($smtp->domain, 'mx.example.test', 'domain');
    is($smtp->host, 'localhost', 'host');
    is(Net::SMTP::AuthC->new("localhost:$port")->host, "localhost:$port", 'host, with the port it was given with');
    is($smtp->supports('size'), '1000', 'supports: the parameter, in any case');
    is($smtp->supports('PIPELINING'), '', "supports: '' for a keyword without one");
    is($smtp->supports('X-LIST'), 'a b', 'supports: a list');
    is_deeply([$smtp->supports('XYZ')], [], 'supports: an empty list for what is not offered');
    is($smtp->code, 250, 'which leaves the code alone');
    ok(!defined $smtp->supports('XYZ', 502, ['not', ' here']), 'supports with a code');
    is(join('|', $smtp->code, scalar $smtp->message, $smtp->ok ? 'ok' : 'not'), '502|not here|not', 'sets it');
    is(*$smtp->{net_smtp_esmtp}{SIZE}, '1000', 'net_smtp_esmtp, which programs read');
    $smtp = client($named, SendHello => 0);
    is_deeply([$smtp->message], ["mx.example.test ready, and   waiting\n"], 'message after the greeting');
};

subtest 'hello' => sub {
    my $smtp = client($server, SendHello => 0);
    is($smtp->hello('one.example.test'), 'sandbox.example.test', 'the first word of the reply');
    is($smtp->hello, 'sandbox.example.test', 'without a name');
    is_deeply([said($server, $smtp)], ['EHLO one.example.test', "EHLO $OWN_NAME"], 'what it said');
    my $old = sandbox(faults => [{stage => 'ehlo', reply => "500 what?\r\n"}]);
    $smtp = client($old);
    is_deeply([said($old, $smtp)], ["EHLO $OWN_NAME", "HELO $OWN_NAME"], 'HELO after a 5xx');
    my $empty = sandbox(ehlo_raw => "250\r\n");
    is(client($empty, SendHello => 0)->hello, ' ', 'a blank when the reply has no word');
    my $no = sandbox(faults => [{stage => 'ehlo', reply => "500 a\r\n"}, {stage => 'helo', reply => "550 b\r\n"}]);
    $smtp = client($no, SendHello => 0);
    is($smtp->hello, undef, 'undef when both are refused');
    is(join('|', $smtp->code, $smtp->message), "550|b\n", 'the last reply');
};

subtest 'verify, expand, help, etrn, reset, noop, quit' => sub {
    my $answers = sandbox(
        keywords => ['ETRN'],
        faults   => [
            {stage => 'vrfy', match => qr/bad/, reply => "550 no such\r\n"},
            {stage => 'expn', reply => "250-a\@b.test\r\n250 c\@d.test\r\n", match => qr/list/},
            {stage => 'help', reply => "214-one\r\n214 two\r\n", match => qr/topic/},
            {stage => 'help', reply => "502 none\r\n", match => qr/else/},
            {stage => 'etrn', reply => "253 started\r\n", match => qr/a\.test/},
            {stage => 'etrn', reply => "458 not now\r\n", match => qr/c\.test/},
            {stage => 'rset', nth => 2, reply => "451 later\r\n"},
        ],
    );
    my $smtp = client($answers);
    is($smtp->verify('anna'), 1, 'verify');
    is($smtp->verify('bad'), !1, 'verify: no');
    is($smtp->error->code, 550, 'and the error says so');
    is_deeply([$smtp->expand('list')], ["a\@b.test\n", "c\@d.test\n"], 'expand');
    is(scalar $smtp->expand('list'), "a\@b.test\nc\@d.test\n", 'expand, scalar');
    is_deeply([$smtp->expand('nobody')], [], 'expand: no');
    is($smtp->help('topic'), "one\ntwo\n", 'help with a topic');
    like($smtp->help, qr/sandbox/, 'help without');
    is($smtp->help('else'), undef, 'help: no');
    is($smtp->etrn('a.test'), 1, 'etrn');
    is($smtp->etrn('a.test', 'b.test'), 1, 'etrn with two words');
    is($smtp->etrn('c.test'), !1, 'etrn: no');
    is($smtp->error->temporary, 1, 'for now');
    is($smtp->reset, 1, 'reset');
    is($smtp->reset, !1, 'reset: no');
    is($smtp->noop, 1, 'noop');
    is($smtp->error, undef, 'no error is left behind');
    is($smtp->quit, 1, 'quit');
    is($smtp->code, 221, 'its reply');
    ok(!defined fileno $smtp, 'the handle is closed');
    is($smtp->quit, !1, 'quit again');
    is($smtp->code, 421, 'has no reply');
    is_deeply([grep { !/\AEHLO/ } said($answers)], ['VRFY anna', 'VRFY bad', 'EXPN list', 'EXPN list', 'EXPN nobody',
        'HELP topic', 'HELP', 'HELP else', 'ETRN a.test', 'ETRN a.test b.test', 'ETRN c.test', 'RSET', 'RSET', 'NOOP',
        'QUIT'], 'what was said');
    my $plain = sandbox(keywords => ['SIZE']);
    $smtp = client($plain);
    is($smtp->etrn('a.test'), !1, 'etrn that is not offered');
    is(join('|', $smtp->code, $smtp->message), q{500|Command unknown: 'ETRN'}, 'why');
};

subtest 'code, message, status, ok, set_status' => sub {
    my $terse = sandbox(faults => [{stage => 'noop', reply => "250-one\r\n250\r\n", nth => 1},
        {stage => 'noop', reply => "451-a\n451 b\n", nth => 2}]);
    my $smtp = client($terse);
    $smtp->noop;
    is_deeply([$smtp->message], ["one\n", "\n"], 'message, list: each line ends in LF');
    is(scalar $smtp->message, "one\n\n", 'message, scalar');
    is(join('|', $smtp->code, $smtp->status, $smtp->ok), '250|2|1', 'code, status, ok');
    $smtp->noop;
    is(scalar $smtp->message, "a\nb\n", 'LF alone ends a line too');
    is(join('|', $smtp->code, $smtp->status, $smtp->ok), '451|4|', 'of a refusal');
    is($smtp->set_status(354, ['x', 'y']), 1, 'set_status');
    is(join('|', $smtp->code, $smtp->status, $smtp->ok, $smtp->message), '354|3|1|x|y', 'is heard');
    $smtp->set_status(599, 'text');
    is_deeply([$smtp->code, $smtp->message], [599, 'text'], 'set_status with a string');
    $smtp->set_status(599);
    is_deeply([$smtp->message], [], 'set_status without text');
};

subtest 'a connection that has ended' => sub {
    my $short = sandbox(faults => [{stage => 'noop', close => 1}]);
    my $smtp = client($short);
    is($smtp->noop, !1, 'the server hangs up');
    is_deeply([$smtp->code, $smtp->message], [421, '[Net::SMTP::AuthC] Connection closed'], 'code and message');
    ok(!defined fileno $smtp, 'no descriptor');
    is($smtp->mail('a@b.test'), !1, 'the next command');
    is_deeply([$smtp->code, $smtp->message], [421, '[Net::SMTP::AuthC] Connection closed'], 'says the same');
    is($smtp->error->kind, 'closed', 'and the error');
    my $deaf = sandbox(faults => [{stage => 'noop', silent => 1}]);
    $smtp = client($deaf, Timeout => 0.3);
    is($smtp->noop, !1, 'the server is silent');
    is_deeply([$smtp->code, $smtp->message], [421, '[Net::SMTP::AuthC] Timeout'], 'code and message');
    $smtp = client($server);
    ok(close($smtp), 'close by the program');
    is($smtp->noop, !1, 'a command after it');
    is($smtp->code, 421, 'its code');
};

done_testing;
