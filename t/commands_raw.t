# command and response: what is said now and heard later, that the connection knows of it, and the lines of replies.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Both;
use Face;
use MIME::Base64 qw(encode_base64);
use Test::More;
use TinyServer;

my $class = 'Net::SMTP::AuthC';

# What a call returns on a fresh connection, with what was said for it.
sub with_client {
    my ($server, $code, %option) = @_;
    my $smtp = client($server, Hello => 'client.test', %option);
    $code->($smtp);
    my @said = said($server, $smtp);
    shift @said;
    return @said;
}

subtest 'one after the other' => sub {
    my $server = sandbox(keywords => ['SIZE 1000']);
    is_deeply([with_client($server, sub {
        my ($smtp) = @_;
        is($smtp->command('NOOP'), $smtp, 'command returns the object');
        is($smtp->response, 2, 'response the first digit');
        is($smtp->code, 250, 'code');
        is($smtp->command('VRFY', 'some', "bo\ndy")->response, 2, 'words are joined, a line end becomes a blank');
        is($smtp->command('XYZZY')->response, 5, 'an unknown word');
        like(scalar $smtp->message, qr/\S/, 'has its message');
        is($smtp->command('RSET')->response == $smtp->CMD_OK, 1, 'the constants are methods');
        is(Net::SMTP::AuthC::CMD_MORE(), 3, 'and functions');
    })], ['NOOP', 'VRFY some bo dy', 'XYZZY', 'RSET'], 'what was said');
};

subtest 'the constants' => sub {
    is_deeply([map { $class->$_ } qw(CMD_PENDING CMD_INFO CMD_OK CMD_MORE CMD_REJECT CMD_ERROR)], [0 .. 5], 'all six');
};

subtest 'replies that wait' => sub {
    my $server = sandbox(faults => [{stage => 'vrfy', reply => "252 perhaps\r\n"}, {stage => 'help', reply => "214 x\r\n"}]);
    my @said = with_client($server, sub {
        my ($smtp) = @_;
        $smtp->command('VRFY a');
        $smtp->command('HELP');
        $smtp->command('NOOP');
        is_deeply([map { $smtp->response; $smtp->code } 1 .. 3], [252, 214, 250], 'each in its turn');
        $smtp->command('VRFY a');
        ok($smtp->mail('a@b.test'), 'a method hears what was left, and then its own');
        is($smtp->code, 250, 'its code');
        is($smtp->response, 5, 'then nothing is left');
        like(scalar $smtp->message, qr/nothing was asked/, 'and it does not wait for nothing');
        is($smtp->code, 421, 'code');
        ok($smtp->reset, 'and goes on');
        $smtp->command('HELP');
    });
    is_deeply([@said[0 .. 3]], ['VRFY a', 'HELP', 'NOOP', 'VRFY a'], 'what was said');
};

subtest 'said at once' => sub {
    my $server = TinyServer->start(TinyServer->agree(NOOP => sub { select undef, undef, undef, 0.3; "250 slow\r\n" }));
    my $smtp = $class->new('127.0.0.1', Port => $server->port, Timeout => 20);
    $smtp->command('NOOP');
    like($server->heard // '', qr/EHLO/, 'it is there');
    vec(my $ready = '', fileno $smtp, 1) = 1;
    is(select($ready, undef, undef, 20), 1, 'select tells when the reply has come');
    is($smtp->response, 2, 'and response has it');
    is(($smtp->message)[0], "slow\n", 'its text');
};

subtest 'what the connection knows' => sub {
    my $server = sandbox(keywords => ['SIZE 1000', 'ETRN']);
    my @said = with_client($server, sub {
        my ($smtp) = @_;
        is($smtp->command('HELO', 'old.test')->response, 2, 'HELO');
        is($smtp->supports('SIZE'), undef, 'nothing is offered');
        is($smtp->command('ehlo new.test')->response, 2, 'EHLO');
        is($smtp->supports('SIZE'), 1000, 'this is offered');
        is($smtp->has('etrn'), 1, 'has is true without parameters');
        is($smtp->has('nothing'), '', 'and false');
        is($smtp->command('MAIL', 'FROM:<a@b.test>', 'SIZE=10')->response, 2, 'MAIL');
        is($smtp->command('RCPT TO:<c@d.test>')->response, 2, 'RCPT');
        is($smtp->command('DATA')->response, 3, 'DATA');
        is($smtp->datasend("one\n.two"), 1, 'text');
        is($smtp->dataend, 1, 'end');
        $smtp->command('MAIL FROM:<a@b.test>');
        $smtp->command('RCPT TO:<c@d.test>');
        $smtp->command('DATA');
        is($smtp->datasend("x\n"), 1, 'text behind a DATA that nobody has heard');
        is($smtp->dataend, 1, 'end');
        is($smtp->command('QUIT')->response, 2, 'QUIT');
        is($smtp->_state, 'closed', 'is the end');
        is($smtp->command('NOOP'), $smtp, 'command returns the object all the same');
        is($smtp->code, 421, 'with 421');
        is($smtp->response, 5, 'response is CMD_ERROR');
        is(scalar $smtp->message, "[$class] Connection closed", 'and the message says why');
    });
    is_deeply([map { $_->data } $server->messages], ["one\r\n.two\r\n", "x\r\n"], 'two messages');
    is_deeply([@said[0 .. 4]], ['HELO old.test', 'EHLO new.test', 'MAIL FROM:<a@b.test> SIZE=10', 'RCPT TO:<c@d.test>',
        'DATA'], 'what was said');
};

subtest 'what must not be said' => sub {
    my $server = sandbox(keywords => ['SIZE 1000']);
    my @said = with_client($server, sub {
        my ($smtp) = @_;
        for my $bad ("NOOP\rQUIT", "VRFY a\0b", "MAIL FROM:<a\r\@b>", "RCPT TO:<a\@b> X=\r", "EHLO a\rb", "N\x7fOOP",
            "DATA now", "RSET a", '', ' ', 'BDAT', 'BDAT x', 'AUTH') {
            is($smtp->command($bad)->response, 5, 'refused') or diag $bad;
            is(substr($smtp->code, 0, 1), 5, 'code');
        }
        is($smtp->command('STARTTLS')->response, 5, 'STARTTLS');
        like(scalar $smtp->message, qr/use starttls/, 'says what to use');
        ok(!$smtp->_STARTTLS, '_STARTTLS too');
        is($smtp->command('NOOP')->response, 2, 'the connection is as it was');
    });
    is_deeply(\@said, ['NOOP'], 'not one of them was said');
    my $smtp = client($server);
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data; $smtp->datasend('half a message');
    is($smtp->command('NOOP')->response, 5, 'a command in the middle of a message');
    is($smtp->_state, 'closed', 'ends the connection, not the message');
    is(scalar(my @messages = $server->messages), 0, 'nothing has arrived');
};

subtest 'a login by words' => sub {
    my $server = sandbox(tls => 'starttls', users => {u => 'pass-word'}, mechanisms => ['LOGIN', 'PLAIN', 'CRAM-MD5']);
    my $plain = encode_base64("\0u\0pass-word", '');
    my $smtp = client($server, Debug => 0);
    is($smtp->command('AUTH', 'PLAIN', $plain)->response, 5, 'PLAIN on an open line is refused');
    is($smtp->command(encode_base64('pass-word', ''))->response, 5, 'and so is an answer to a challenge that never came');
    is($smtp->command('cGFzc3dvcmQx')->response, 5, 'even if it looks like a word');
    ok($smtp->starttls, 'TLS');
    my $text = stderr_of(sub {
        $smtp->debug(1);
        is($smtp->command('AUTH LOGIN')->response, 3, 'AUTH LOGIN');
        is(($smtp->message)[0], "VXNlcm5hbWU6\n", 'the challenge as it came');
        is($smtp->command('dQ==')->response, 3, 'the user name');
        is($smtp->command(encode_base64('wrong-word', ''))->response, 5, 'a wrong password');
        is($smtp->code, 535, 'its code');
        is($smtp->command('AUTH LOGIN')->response, 3, 'again');
        is($smtp->command('*')->response, 5, 'cancelled');
        is($smtp->_AUTH('PLAIN', $plain), 1, '_AUTH');
        is($smtp->mechanism, 'PLAIN', 'is a login');
        $smtp->debug(0);
    });
    unlike($text, qr/\Q$plain\E|dQ==|@{[encode_base64('wrong-word', '')]}/, 'no secret is shown');
    like($text, qr/>>> AUTH PLAIN \*\*\*/, 'but that there was one');
    ok($smtp->quit, 'the end');
    unlike(join("\n", said($server)), qr/\Q$plain\E\n.*STARTTLS/s, 'nothing in clear');
};

subtest 'getline, ungetline, parse_response, read_until_dot' => sub {
    my $server = sandbox(faults => [{stage => 'noop', reply => "250-one\r\n250-\r\n250 two words\r\n"}]);
    my $smtp = client($server);
    $smtp->command('NOOP');
    is($smtp->getline, "250-one\n", 'a line as it was sent, without its CR');
    $smtp->ungetline("250-other\n");
    is($smtp->getline, "250-other\n", 'what was put back');
    is_deeply([$smtp->getline, $smtp->getline, $smtp->getline], ["250-\n", "250 two words\n", undef], 'the others, no more');
    $smtp->command('NOOP');
    $smtp->getline;
    is($smtp->response, 2, 'response takes what is left');
    is_deeply([$smtp->message], ["\n", "two words\n"], 'of the reply');
    my $line = "550-no\n";
    is_deeply([$smtp->parse_response($line)], [550, 1], 'parse_response: code and whether there is more');
    is($line, "no\n", 'and the text is left');
    is_deeply([$smtp->parse_response(my $other = 'hello')], [], 'of what is no reply: nothing');
    $smtp->ungetline($_) for reverse "one\n", "..two\n", ".\n";
    is_deeply($smtp->read_until_dot, ["one\n", ".two\n"], 'read_until_dot');
    is($smtp->read_until_dot, undef, 'when there is none');
};

subtest 'unsupported, DEF_REPLY_CODE' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    is($smtp->unsupported, 0, 'unsupported');
    is_deeply([$smtp->code, $smtp->message], [580, 'Unsupported command'], 'its status');
    is($smtp->_TURN, 0, '_TURN');
    is($smtp->DEF_REPLY_CODE, 421, 'DEF_REPLY_CODE');
    is($class->_new->code, 421, 'the code before any reply');
};

subtest 'send and its kin' => sub {
    my $server = TinyServer->start(TinyServer->agree(SAML => "450 no\r\n"));
    my $smtp = $class->new('127.0.0.1', Port => $server->port, Timeout => 20);
    is_deeply([map { $smtp->$_('A <a@b.test>') } qw(send send_or_mail send_and_mail)], [1, 1, !1], 'their results');
    is_deeply([$smtp->code, $smtp->error->kind], [450, 'deferred'], 'code and error');
    ok($smtp->to('c@d.test') && $smtp->data("x\n"), 'they begin a transaction');
    like($server->heard, qr/SEND FROM:<a\@b\.test>\r\nSOML FROM:<a\@b\.test>\r\nSAML FROM:<a\@b\.test>\r\nRCPT/, 'on the wire');
};

my $both = sandbox(keywords => ['SIZE 1000', 'DSN', '8BITMIME', 'ETRN'], faults => [
    {stage => 'expn', match => qr/list/, reply => "250-one\r\n250 two\r\n"}, {stage => 'etrn', reply => "250 on\r\n"}]);
same_on_both($both,
    [$_->[0], $_->[1], $_->[2]]) for
    ['command, response', sub { $_[0]->command('NOOP')->response }],
    ['an unknown command', sub { $_[0]->command('XYZZY', 'a', "b\nc")->response }],
    ['_MAIL', sub { $_[0]->_MAIL('FROM:<a@b.test>') }], ['_RCPT refused', sub { $_[0]->_RCPT('TO:<a@b.test>') }],
    ['_VRFY', sub { $_[0]->_VRFY('x') }], ['_EXPN', sub { $_[0]->_EXPN('list') }], ['_HELP', sub { $_[0]->_HELP }],
    ['_EHLO', sub { $_[0]->_EHLO('a.test') }], ['_HELO', sub { $_[0]->_HELO('a.test') }],
    ['_RSET', sub { $_[0]->_RSET }], ['_NOOP', sub { $_[0]->_NOOP }], ['_ETRN', sub { $_[0]->_ETRN('a.test') }],
    ['_QUIT', sub { $_[0]->_QUIT }, 'our connection is closed by it'], ['_DATA refused', sub { $_[0]->_DATA }], ['_TURN', sub { $_[0]->_TURN }],
    ['_SEND', sub { $_[0]->_SEND('FROM:<a@b.test>') }], ['send', sub { $_[0]->send('A <a@b.test>') }],
    ['send_or_mail', sub { $_[0]->send_or_mail('a@b.test') }], ['send_and_mail', sub { $_[0]->send_and_mail('a@b.test') }],
    ['expand', sub { $_[0]->expand('list') }], ['verify', sub { $_[0]->verify('x') }], ['etrn', sub { $_[0]->etrn('a.test') }],
    ['hello', sub { $_[0]->hello('b.test') }], ['reset', sub { $_[0]->reset }],
    ['mail with options', sub { $_[0]->mail('a@b.test', Size => 10, Bits => 8, Return => 'hdrs', Envelope => 'a+b') }],
    ['mail, Bits 7', sub { $_[0]->mail('a@b.test', Bits => 7) }],
    ['to, twice', sub { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test', {Notify => ['never']}) }],
    ['to, SkipBad', sub { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test', 'e@f.test', {SkipBad => 1}) }],
    ['to nobody', sub { $_[0]->mail('a@b.test'); $_[0]->to }],
    ['data', sub { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test'); $_[0]->data("a\n.b") }],
    ['a list as data', sub { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test'); $_[0]->data(["a\n", "b\n"]) }],
    ['data refused', sub { $_[0]->data('x') }], ['dataend without data', sub { $_[0]->dataend }],
    ['supports', sub { $_[0]->supports('size') }], ['supports not', sub { $_[0]->supports('XYZ') }],
    ['supports not, with a status', sub { $_[0]->supports('XYZ', 500, ['no', 'really']) }],
    ['set_status', sub { $_[0]->set_status(599, ['a', 'b']) }], ['banner', sub { $_[0]->banner }],
    ['domain', sub { $_[0]->domain }], ['timeout', sub { $_[0]->timeout }], ['unsupported', sub { $_[0]->unsupported }],
    ['help', sub { $_[0]->help }, undef],
    ['command in the message', sub { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test'); $_[0]->data; $_[0]->datasend('x');
        $_[0]->command('NOOP')->response }, 'the message is not ended by it (B7)'],
    ['text without DATA', sub { $_[0]->datasend("NOOP\n") }, 'it is no command (B8)'],
    ['a CR', sub { $_[0]->command("NOOP\rX")->response }, 'it does not get to the wire (B13)'],
    ['STARTTLS', sub { $_[0]->command('STARTTLS')->response }, 'there is a method for it'],
    ['a list in to', sub { $_[0]->mail('a@b.test'); $_[0]->to(['c@d.test']) }, 'it is taken (B23)'];

done_testing;
