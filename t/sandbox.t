# The test server itself: every command, every mechanism, what it keeps, and that it leaves nothing behind.
# valgrind: no
use strict;
use warnings;
use Digest::MD5;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use RawClient;
use Test::More;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub b64     { return encode_base64($_[0], '') }

# Says each command and compares the start of its reply.
sub dialogue {
    my ($client, @pairs) = @_;
    while (my ($line, $want) = splice @pairs, 0, 2) {
        (my $shown = length $line > 60 ? substr($line, 0, 60) . '...' : $line) =~ s/[^ -~]/?/g;
        like($client->say($line), qr/\A\Q$want\E/, "$shown: " . substr $want, 0, 3);
    }
    return;
}

subtest 'a message arrives as it was sent' => sub {
    my $server = sandbox(users => { demo => 'secret' });
    like($server->url, qr{\Asmtp://localhost:[0-9]+\z}, 'url');
    is($server->host, 'localhost', 'host');
    my $client = RawClient->connect($server->port);
    like($client->reply, qr/\A220 \S+ ESMTP/, 'greeting');
    dialogue($client, 'EHLO me.example.test' => '250-sandbox.example.test',
        'AUTH PLAIN ' . b64("\0demo\0secret") => '235 2.7.0',
            'MAIL FROM:<a@example.test> BODY=8BITMIME SIZE=30' => '250 2.1.0',
        'RCPT TO:<b@example.test> NOTIFY=NEVER' => '250 2.1.5', 'RCPT TO:<"c d"@[192.0.2.1]>' => '250',
            'DATA' => '354 ',
        "Subject: one\r\n\ttwo\r\n\r\n..dot\r\ntext\r\n." => '250 2.0.0', 'QUIT' => '221 2.0.0');
    my ($message) = $server->messages;
    is($message->from, 'a@example.test', 'from');
    is_deeply([$message->to], ['b@example.test', '"c d"@[192.0.2.1]'], 'to');
    is_deeply($message->mail_parameters, { BODY => '8BITMIME', SIZE => 30 }, 'parameters of MAIL');
    is_deeply([$message->rcpt_parameters], [{ NOTIFY => 'NEVER' }, {}], 'parameters of each RCPT');
    is(join('|', map { $message->$_ } qw(user mechanism tls helo via id session)),
        'demo|PLAIN||me.example.test|DATA|1.1|1', 'who sent it, and how');
    is($message->wire, "Subject: one\r\n\ttwo\r\n\r\n..dot\r\ntext\r\n.\r\n", 'octets on the wire');
    is($message->data, "Subject: one\r\n\ttwo\r\n\r\n.dot\r\ntext\r\n", 'octets of the message');
    is($message->header('subject'), "one\ttwo", 'header');
    is($message->body, ".dot\r\ntext\r\n", 'body');
    ok($server->wait_for(sessions => 1), 'the session ends');
    my ($session) = $server->sessions;
    is($session->ended, 'quit', 'by QUIT');
    is(($session->client_lines)[0], 'EHLO me.example.test', 'what the client said');
    like($session->as_text, qr/^C: QUIT\nS: 221 2.0.0 Bye$/m, 'as text');
    is_deeply([$session->notes], ['content: 38 octets by DATA'], 'nothing odd was noted');
};

subtest 'commands out of place and out of form' => sub {
    my $server = sandbox(users => { demo => 'secret' });
    my $client = RawClient->connect($server->port);
    $client->reply;
    dialogue($client, 'MAIL FROM:<a@b.test>' => '503 5.5.1', 'AUTH PLAIN' => '503', 'RCPT TO:<a@b.test>' => '503',
        'DATA' => '503', 'BDAT 0' => '502', 'STARTTLS' => '503', 'NOOP' => '250 2.0.0', 'RSET' => '250',
            'HELP' => '214',
        'VRFY a' => '252', 'EXPN a' => '502', 'ETRN a' => '502', 'EHLO' => '501', 'EHLO a b' => '501',
            'HELO' => '501',
        'NONSENSE' => '500', '' => '500', "NO\tOP" => '500', 'QUIT now' => '501', 'DATA x' => '501', 'VRFY' => '501',
        'X' x 600 => '500', 'X' x 5000 => '500', 'ehlo me' => '250-', 'STARTTLS' => '502',
            'RCPT TO:<a@b.test>' => '503',
        'MAIL FROM:<a@b.test>' => '530 5.7.0', 'AUTH NONE' => '504 5.5.4', 'AUTH' => '501', 'AUTH PLAIN a b' => '501',
        'AUTH CRAM-MD5 YQ==' => '501 5.7.0', 'auth plain ' . b64("\0demo\0secret") => '235', 'AUTH PLAIN' => '503',
        'RSET' => '250', 'AUTH PLAIN' => '503', 'MAIL FROM:<>' => '250', 'MAIL FROM:<>' => '503',
            'DATA' => '554 5.5.1',
        'AUTH LOGIN' => '503', 'RCPT TO:<postmaster>' => '250', 'EHLO me' => '250', 'RCPT TO:<a@b.test>' => '503');
    $client->send("NOOP\n");
    like($client->reply, qr/\A500 5\.5\.2 .*CRLF/, 'a bare LF ends no command');
};

subtest 'paths and parameters' => sub {
    my $server = sandbox(keywords => [ 'SIZE 1000', '8BITMIME', 'DSN' ]);
    my $client = RawClient->ready($server->port);
    my @bad = ('MAIL a@b.test' => 501, 'MAIL FROM: <a@b.test>' => 501, 'MAIL FROM:a@b.test' => 501,
        'MAIL FROM:<a b@c>' => 501,
        'MAIL FROM:<a@b..test>' => 501, 'MAIL FROM:<a@b>  SIZE=1' => 501, 'MAIL FROM:<a@b>SIZE=1' => 501,
        'MAIL FROM:<a@b> SIZE=x' => 501, 'MAIL FROM:<a@b> SIZE' => 501, 'MAIL FROM:<a@b> SIZE=1 SIZE=1' => 501,
        'MAIL FROM:<a@b> SIZE=1001' => 552, 'MAIL FROM:<a@b> NEW=1' => 555, 'MAIL FROM:<a@b> SMTPUTF8' => 555,
        'MAIL FROM:<a@b> BODY=9BIT' => 501, 'MAIL FROM:<a@b> BODY=BINARYMIME' => 555,
            "MAIL FROM:<\xc3\xa9\@b>" => 553,
        'MAIL FROM:<a@b> RET=NONE' => 501, 'MAIL FROM:<a@b> ENVID=a+3d' => 501,
            'MAIL FROM:<a@b> ENVID=' . 'e' x 101 => 501,
        'MAIL FROM:<a@b> AUTH=<>' => 555);
    while (my ($line, $code) = splice @bad, 0, 2) { like($client->say($line), qr/\A$code /, "$line: $code") }
    dialogue($client, 'MAIL FROM:<@x.test,@y.test:a@b.test> SIZE=1000 RET=hdrs ENVID=a+2Bb ' => '250',
        'RCPT TO:<>' => '501', 'RCPT TO: <a@b>' => '501', 'RCPT TO:<a@b> NOTIFY=NEVER,DELAY' => '501',
            'RCPT TO:<a@b> X=1' => '555',
        'RCPT TO:<a@b> NOTIFY=success,delay ORCPT=rfc822;a@b' => '250', 'RCPT TO:<Postmaster>' => '250',
        'RCPT TO:<' . 'r' x 600 . '@b.test>' => '250', 'RSET' => '250');
    dialogue($client, 'HELO me' => '250 sandbox.example.test', 'MAIL FROM:<a@b> SIZE=1' => '555',
        'MAIL FROM:<a@b>' => '250 Ok');
};

subtest 'internationalised addresses' => sub {
    my $server = sandbox();
    my $client = RawClient->ready($server->port);
    dialogue($client, "MAIL FROM:<\xc3\xa9\@b.test> SMTPUTF8" => '250',
        "RCPT TO:<\xc3\xbc\@\xc3\xa4.test>" => '250', 'DATA' => '354',
        '.' => '250');
    my ($message) = $server->messages;
    is_deeply([$message->from, $message->to], ["\xe9\@b.test", "\xfc\@\xe4.test"], 'addresses are characters');
    is($message->data, '', 'an empty message');
};

subtest 'AUTH PLAIN, with the vectors' => sub {
    for my $row (grep { $_->{verdict} eq 'ok' && $_->{id} ne 'invalid-utf8' } RawClient::vectors('plain')) {
        my ($user, $password) = map { RawClient::octets($row->{$_}) } qw(authcid_hex password_hex);
        my %users = map { utf8::decode(my $text = $_); $text } $user, $password;
        my $server = sandbox(users => \%users);
        my $client = RawClient->ready($server->port);
        dialogue($client, 'AUTH PLAIN' => "334 \r\n", $row->{b64} => '235');
        $client->say("RSET");
        my ($session) = $server->sessions;
        is($session->user, (keys %users)[0], "$row->{id}: user");
        $client = RawClient->ready($server->port);
        next if $row->{initial_response_fits_512} eq 'no';
        like($client->say("AUTH PLAIN $row->{b64}"), qr/\A235/, "$row->{id}: initial response");
    }
    my $client = RawClient->ready((my $server = sandbox(users => { demo => 'secret' }))->port);
    dialogue($client, 'AUTH PLAIN =' => '535', 'AUTH PLAIN ' . b64("\0demo\0wrong") => '535 5.7.8',
        'AUTH PLAIN ' . b64('demo') => '535',
        'AUTH PLAIN ' . b64("\0demo\0secret\0") => '535', 'AUTH PLAIN' => '334 ', '*' => '501',
            'AUTH PLAIN AGR$bW8=' => '501 5.5.2',
        'AUTH PLAIN' => '334 ', 'A' x 13000 => '500 5.5.6', 'AUTH PLAIN ' . 'A' x 600 => '500',
            'AUTH PLAIN' => '334 ', '' => '535');
};

subtest 'AUTH LOGIN and the dialogue in clear text' => sub {
    my $server = sandbox(users => { demo => 'secret' });
    my $client = RawClient->ready($server->port);
    dialogue($client, 'AUTH LOGIN' => '334 VXNlcm5hbWU6', 'ZGVtbw==' => '334 UGFzc3dvcmQ6', 'd3Jvbmc=' => '535',
        'AUTH LOGIN' => '334', '*' => '501', 'AUTH LOGIN' => '334', 'ZGVtbw==' => '334', '*' => '501',
            'AUTH LOGIN' => '334',
        'demo!' => '501', 'AUTH LOGIN ZGVtbw==' => '334 UGFzc3dvcmQ6', 'c2VjcmV0' => '235');
    $server = sandbox(users => { demo => 'secret' }, legacy_plain => 1);
    $client = RawClient->ready($server->port);
    dialogue($client, 'AUTH PLAIN AGRlbW8Ac2VjcmV0' => '501', 'AUTH PLAIN' => '334 Username:',
        'demo' => '334 Password:',
        'c2VjcmV0' => '535', 'AUTH PLAIN' => '334 Username:', 'demo' => '334 Password:', 'secret' => '235');
};

subtest 'AUTH CRAM-MD5 and the damaged challenge' => sub {
    my ($seed) = grep { $_->{id} eq 'seed-verbatim' } RawClient::vectors('cram-md5');
    my $server = sandbox(users => { demo => 'secret' }, damaged_challenge => 1);
    my $client = RawClient->ready($server->port);
    for my $wrong (grep { $_->{id} =~ /WRONG/ } RawClient::vectors('cram-md5')) {
        dialogue($client, 'AUTH CRAM-MD5' => "334 $seed->{challenge_b64}\r\n", $wrong->{response_b64} => '535');
    }
    dialogue($client, 'AUTH CRAM-MD5' => '334', b64('demo') => '535', 'AUTH CRAM-MD5' => '334', '*' => '501',
        'AUTH CRAM-MD5' => "334 $seed->{challenge_b64}\r\n", $seed->{response_b64} => '235');
    $server = sandbox(users => { 'a user' => 'p' x 100 });
    $client = RawClient->ready($server->port);
    my ($challenge) = $client->say('AUTH CRAM-MD5') =~ /\A334 (\S+)/;
    my $digest = Net::SMTP::AuthC::Sandbox::Mechanisms::hmac_md5_hex('p' x 100, decode_base64($challenge));
    like($client->say(b64("a user $digest")), qr/\A235/, 'a fresh challenge, a name with a space, a long password');
};

subtest 'base64 and HMAC by the vectors' => sub {
    my %control = (r => "\r", n => "\n", t => "\t", '\\' => '\\');
    for my $row (RawClient::vectors('base64')) {
        my $text = $row->{b64_esc};
        $text =~ s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $control{$2}/ge;
        my $want = $row->{strict} eq 'ok' ? RawClient::octets($row->{decoded_hex}) : undef;
        is(Net::SMTP::AuthC::Sandbox::Mechanisms::decode($text), $want, "base64 $row->{id}");
    }
    for my $row (RawClient::vectors('hmac-md5')) {
        my ($key, $data) = map { RawClient::octets($row->{$_}) } qw(key_hex data_hex);
        is(Net::SMTP::AuthC::Sandbox::Mechanisms::hmac_md5_hex($key, $data), $row->{digest_hex},
            "HMAC-MD5 $row->{id}");
    }
};

subtest 'the end of the content is CRLF.CRLF and nothing else' => sub {
    my $server = sandbox();
    my $client = RawClient->ready($server->port);
    my $count = 0;
    for my $row (RawClient::vectors('dotstuff')) {
        my $wire = RawClient::octets($row->{wire_hex});
        $client->say($_) for 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA';
        if ($count++ % 2) { $client->send($_) for split //, $wire }
        else              { $client->send($wire) }
        like($client->reply, qr/\A250/, "$row->{id}: taken");
        is(($server->messages)[-1]->wire, $wire, "$row->{id}: octets on the wire");
    }
    my $tricky = "a\n.\nb\r\n.\nc\n.\r\nd\r.\re\r\n..\r\n";
    $client->say($_) for 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA';
    $client->send("$tricky.\r\nNOOP\r\n");
    like($client->reply, qr/\A250 2\.0\.0 Ok: kept/, 'one message');
    like($client->reply, qr/\A250 2\.0\.0 Ok\r/, 'and the command behind it');
    my $message = ($server->messages)[-1];
    is($message->data, "a\n.\nb\r\n\nc\n.\r\nd\r.\re\r\n.\r\n", 'only dots behind CRLF are unstuffed');
    is(join(' ', $message->bare_lf, $message->bare_cr, $message->longest_line, $message->undeclared_8bit),
        '4 2 5 0', 'what was bare');
};

subtest 'BDAT' => sub {
    my $server = sandbox(size_limit => 100);
    my $client = RawClient->ready($server->port);
    my @start = ('MAIL FROM:<a@b.test> BODY=BINARYMIME', 'RCPT TO:<c@d.test>');
    $client->send("BDAT 4\r\nNOOP");
    like($client->reply, qr/\A503/, 'without MAIL, and its octets are no command');
    dialogue($client, map { $_ => '250' } @start);
    dialogue($client, 'DATA' => '503', 'BDAT x' => '501', 'BDAT 1 MORE' => '501');
    $client->send("BDAT 5\r\na\r\n.\rBDAT 3\r\n\nb.BDAT 0 LAST\r\n");
    like($client->reply, qr/\A250 2\.0\.0 5 octets/, 'first chunk');
    like($client->reply, qr/\A250 2\.0\.0 3 octets/, 'second');
    like($client->reply, qr/\A250 2\.0\.0 Ok: kept/, 'last');
    my ($message) = $server->messages;
    is(join('|', $message->data, $message->via), "a\r\n.\r\nb.|BDAT", 'kept without a change');
    is($client->say('BDAT 0 LAST'), "503 5.5.1 Need MAIL and RCPT first\r\n", 'nothing behind LAST');
    $client->say($_) for @start;
    $client->send("BDAT 1\r\nx");
    $client->reply;
    dialogue($client, 'DATA' => '503', 'RCPT TO:<e@f.test>' => '503', 'RSET' => '250',
        'MAIL FROM:<a@b.test>' => '250', 'RCPT TO:<c@d.test>' => '250');
    $client->send("BDAT 101 LAST\r\n" . 'x' x 101);
    like($client->reply, qr/\A552 5\.3\.4/, 'too big');
    is(scalar(my @kept = $server->messages), 1, 'not kept');
    is(scalar(my @refused = $server->refused_messages), 1, 'but told');
};

subtest 'pipelining and early talkers' => sub {
    my $server = sandbox();
    my $client = RawClient->ready($server->port);
    $client->send("MAIL FROM:<a\@b.test>\r\nRCPT TO:<c\@d.test>\r\nRCPT TO:<e f>\r\nDATA\r\n");
    is(join(' ', map { substr $client->reply, 0, 3 } 1 .. 4), '250 250 501 354', 'a group');
    $client->send("x\r\n.\r\nMAIL FROM:<a\@b.test>\r\nRCPT TO:<c\@d.test>\r\nDATA\r\n");
    is(join(' ', map { substr $client->reply, 0, 3 } 1 .. 4), '250 250 250 354', 'content first');
    $client->send(".\r\nQUIT\r\n");
    is(join(' ', map { substr $client->reply, 0, 3 } 1 .. 2), '250 221', 'and QUIT behind it');
    $server->wait_for(sessions => 1);
    is(scalar(grep { /early/ } map { $_->notes } $server->sessions), 0, 'nobody spoke early');
    $client = RawClient->ready($server->port);
    $client->send("NOOP\r\nNOOP\r\n");
    $client->reply for 1 .. 2;
    is_deeply([($server->sessions)[1]->notes], ['early talker: more came behind NOOP before its reply'],
        'NOOP stands last');
    $server = sandbox(faults => [ { stage => 'connect', delay => 0.3 } ], keywords => []);
    $client = RawClient->connect($server->port);
    $client->send("EHLO me\r\n");
    is(join(' ', map { substr $client->reply, 0, 3 } 1 .. 2), '220 250', 'answered all the same');
    $client->send("RSET\r\nRSET\r\n");
    is($client->reply . $client->reply, "250 Ok\r\n" x 2, 'no enhanced code that was not offered');
    is_deeply([grep { /early/ } ($server->sessions)[0]->notes], ['early talker: spoke before the greeting',
        'early talker: more came behind RSET before its reply'], 'both noted');
};

subtest 'refusals and words of the options' => sub {
    my $server = sandbox(refuse => { 'Nobody@example.test' => '550 5.1.1 No such user',
        'far@example.test' => '251 2.1.5 Will forward' },
        greeting => 'hello', name => 'mx.example.test', size_limit => 10, mechanisms => [], keywords => [ 'SIZE',
            'X-NEW a b' ]);
    my $client = RawClient->connect($server->port);
    is($client->reply, "220 hello\r\n", 'greeting');
    is($client->say('EHLO me'), "250-mx.example.test\r\n250-SIZE\r\n250 X-NEW a b\r\n", 'keywords as told');
    dialogue($client, 'MAIL FROM:<a@b.test>' => '250', 'RCPT TO:<nobody@example.test>' => '550', 'DATA' => '554',
        'RCPT TO:<far@example.test>' => '251',
        'DATA' => '354', 'more than ten octets' . "\r\n." => '552', 'AUTH PLAIN' => '504');
    is(scalar(my @none = $server->messages), 0, 'nothing kept');
    my $raw = "250-pioneer.host-serve.net\r\n250-AUTH=LOGIN CRAM-MD5\r\n250-PIPELINING 250 8BITMIME\r\n"
        . "250 SIZE 5\r\n";
    $client = RawClient->connect((my $other = sandbox(ehlo_raw => $raw, greeting => '554 no'))->port);
    is($client->reply, "554 no\r\n", 'a greeting with its own code');
    is($client->say('EHLO me'), $raw, 'raw EHLO');
    like($client->say('MAIL FROM:<a@b.test> SIZE=6'), qr/\A552/, 'and its SIZE counts');
};

subtest 'what is wrong with the options is said' => sub {
    my %wrong = (colour => 1, tls => 'yes', certificate => 'bad', mechanisms => ['NTLM'], keywords => 'SIZE',
        users => [],
        faults => [ { stage => 'lunch', close => 1 } ]);
    for my $name (sort keys %wrong) {
        ok(!eval { sandbox($name => $wrong{$name}) }, "$name is refused");
        like($@, qr/\Q$0\E line/, 'with the place of the caller');
    }
    ok(!eval { sandbox(faults => [ { stage => 'mail', raply => '451' } ]) } && $@ =~ /unknown key 'raply'/,
        'a typing error in a fault');
    ok(!eval { sandbox(faults => [ { stage => 'mail', nth => 1 } ]) } && $@ =~ /does nothing/,
        'a fault without an effect');
};

subtest 'wait_for and clear' => sub {
    my $server = sandbox();
    is_deeply([$server->wait_for(count => 1, timeout => 0.05)], [], 'nothing came: an empty list, in time');
    my $client = RawClient->ready($server->port);
    my $send = sub { $client->say($_) for 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', '.' };
    $send->() for 1 .. 2;
    is(scalar(my @two = $server->wait_for(2)), 2, 'a count');
    is($server->wait_for(sub { scalar(my @messages = $_[0]->messages) }), 2, 'a sub');
    my @files = map { $_->{path} } $server->messages;
    my ($kept) = $server->messages;
    undef @two;
    $server->clear;
    is(scalar(my @none = $server->messages), 0, 'cleared');
    ok(-e $files[0] && !-e $files[1], 'a message still held keeps its file');
    $send->();
    is(($server->messages)[0]->id, '1.3', 'and on it goes');
    $client->{socket}->close;
    ok($server->wait_for(sessions => 1), 'the end is seen');
    is(($server->sessions)[0]->ended, 'closed by the client', 'how it ended');
};

subtest 'listens on ::1 too' => sub {
    my $server = eval { sandbox(listen_ipv6 => 1) } or plan skip_all => "no IPv6 here: $@";
    require Socket;
    socket my $socket, Socket::AF_INET6(), Socket::SOCK_STREAM(), 0 or die $!;
    ok(connect($socket, Socket::pack_sockaddr_in6($server->port, Socket::inet_pton(Socket::AF_INET6(), '::1'))),
        'connected');
    like(scalar <$socket>, qr/\A220/, 'greeted');
    is(($server->sessions)[0]->peer, '::1', 'peer');
};

# Runs code in a child that has its own server; gives (listener pid, folder), which the child wrote down.
sub in_a_program {
    my ($code) = @_;
    pipe my $read, my $write or die $!;
    my $pid = fork;
    die $! unless defined $pid;
    if ($pid == 0) {
        my $server = sandbox();
        syswrite $write, "$server->{listener}{pid} $server->{folder} " . $server->port . "\n";
        $code->($server);
        POSIX::_exit(1);
    }
    close $write;
    my $line = <$read>;
    return ($pid, split ' ', $line);
}

# Ended, waiting a few seconds for it; whoever inherits a dead process may take its time to bury it.
sub gone {
    my ($pid) = @_;
    for (1 .. 500) {
        return 1 unless kill 0, $pid;
        open my $state, '<', "/proc/$pid/stat";
        return 1 if $state && defined fileno $state && (<$state> || ') Z') =~ /\) Z/;
        select undef, undef, undef, 0.01;
    }
    return 0;
}

subtest 'a program that is killed leaves nothing' => sub {
    my ($pid, $listener, $folder, $port) = in_a_program(sub { sleep 60 });
    my $client = RawClient->ready($port);
    ok(-d $folder && kill(0, $listener), 'it runs');
    kill KILL => $pid;
    waitpid $pid, 0;
    ok(gone($listener), 'the listener ends');
    is($client->rest, '', 'so does the session');
    isnt($client->why, 'timeout', 'at once');
    ok(!-e $folder, 'the folder is removed');
};

subtest 'a program that leaves without a word, or through exec' => sub {
    my ($pid, $listener, $folder) = in_a_program(sub { POSIX::_exit(0) });
    ok(gone($listener) && !-e $folder, '_exit');
    waitpid $pid, 0;
    ($pid, $listener, $folder, my $port) = in_a_program(sub { exec $^X, '-e', 'sleep 60' });
    for (1 .. 500) { last if !-e $folder; select undef, undef, undef, 0.01 }
    ok(!-e $folder && !eval { RawClient->connect($port) }, 'exec');
    kill KILL => $pid;
    waitpid $pid, 0;
};

subtest 'the ordinary ends' => sub {
    my $script = 'my $s = Net::SMTP::AuthC::Sandbox->new(tls => "none"); '
        . 'print join " ", $s->{listener}{pid}, $s->{folder}; ';
    for my $end ('', 'our $kept = $s;', 'exit 3', 'die "done\n"', '$SIG{CHLD} = "IGNORE"', 'fork; exit',
        'undef $s; $! = 0;', 'kill TERM => $$; sleep 9') {
        open my $output, '-|', $^X, '-Ilib', '-MNet::SMTP::AuthC::Sandbox', '-e',
            "open STDERR, '>&', STDOUT; \$| = 1; $script $end" or die $!;
        my ($listener, $folder, @more) = split ' ', do { local $/; <$output> };
        close $output;
        ok(gone($listener), ($end || 'falling off the end') . ': no process');
        ok(!-e $folder, 'no folder');
        is($?, $end =~ /exit 3/ ? 768 : $end =~ /die/ ? $? & ~127 : $end =~ /kill/ ? 15 : 0, 'its own exit code');
    }
};

subtest 'a forked child of the program takes nothing with it' => sub {
    my $server = sandbox();
    my $pid = fork;
    die $! unless defined $pid;
    if ($pid == 0) { undef $server; POSIX::_exit(0) }
    waitpid $pid, 0;
    like(RawClient->connect($server->port)->reply, qr/\A220/, 'the server goes on');
    my $port = $server->port;
    my $client = RawClient->ready($port);
    my $listener = $server->{listener}{pid};
    local $? = 7;
    $server->stop;
    is($?, 7, '$? is kept');
    ok(!kill(0, $listener), 'stop ends the listener');
    is($client->rest, '', 'and its sessions');
    ok(!eval { RawClient->connect($port) }, 'nobody answers any more');
    is(($server->sessions)[-1]->ended, 'sandbox stopped', 'the record is still there');
    $server->stop;
};

subtest 'a second server does not hold the connections of the first' => sub {
    my $first = sandbox();
    my $client = RawClient->ready($first->port);
    my $second = sandbox();
    close $client->socket;
    ok($first->wait_for(sessions => 1, timeout => 2), 'the end of the connection is seen');
};

done_testing;
