# Every fault the test server can be told to have, at every stage, as a client sees it.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use Test::More;
use Time::HiRes qw(time);

sub sandbox {
    my (@faults) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => 'none', users => { demo => 'secret' }, require_auth => 0,
        faults => \@faults);
}

my $PLAIN = 'AUTH PLAIN AGRlbW8Ac2VjcmV0';
my @TO_DATA = ('MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA');

# How long the code took.
sub seconds (&) {
    my ($code) = @_;
    my $start = time;
    $code->();
    return time - $start;
}

subtest 'reply: other octets, at every stage that has a reply' => sub {
    my %command = (greeting => undef, ehlo => 'EHLO me', helo => 'HELO me', auth => $PLAIN,
        'auth-challenge' => 'AUTH LOGIN',
        mail => $TO_DATA[0], rcpt => $TO_DATA[1], data => 'DATA', end => '.', bdat => "BDAT 1\r\nx", rset => 'RSET',
            noop => 'NOOP', quit => 'QUIT',
        vrfy => 'VRFY a', expn => 'EXPN a', help => 'HELP', etrn => 'ETRN a', starttls => 'STARTTLS',
            unknown => 'XYZZY');
    my %before = (rcpt => 1, data => 2, bdat => 2, end => 3);
    for my $stage (sort keys %command) {
        my $server = sandbox({ stage => $stage, reply => "451 4.3.0 as told\r\n" });
        my $client = RawClient->connect($server->port);
        my @lines = map { defined $_ ? $_ : () } $command{$stage};
        unshift @lines, 'EHLO me', @TO_DATA[ 0 .. ($before{$stage} || 0) - 1 ] unless $stage =~ /greeting|lo\z/;
        my $reply = $client->reply;
        for my $line (@lines) { $reply = $client->say($line) }
        is($reply, "451 4.3.0 as told\r\n", $stage);
    }
};

subtest 'a refusal is one for the server too' => sub {
    my $server = sandbox({ stage => 'mail', nth => 1, reply => "451 no\r\n" },
        { stage => 'rcpt', nth => [ 1, 3 ], reply => "550 no\r\n" },
        { stage => 'data', nth => 1, reply => "451 no\r\n" }, { stage => 'end', nth => 1, reply => "554 no\r\n" },
        { stage => 'auth', nth => 1, reply => "454 4.7.0 later\r\n" });
    my $client = RawClient->ready($server->port);
    is(substr($client->say($PLAIN), 0, 3), 454, 'AUTH refused');
    is(substr($client->say($PLAIN), 0, 3), 235, 'so it may come again');
    is(join(' ', map { substr $client->say($_), 0, 3 } $TO_DATA[0], 'RCPT TO:<a@b.test>', $TO_DATA[0],
        ('RCPT TO:<a@b.test>') x 3), '451 550 250 250 550 250',
        'MAIL, then recipients, by number');
    is(join(' ', map { substr $client->say($_), 0, 3 } 'DATA', 'DATA', 'x' . "\r\n.", 'DATA'), '451 354 554 503',
        'DATA and the end');
    is_deeply([map { scalar @$_ } [$server->messages], [$server->refused_messages]], [0, 1],
        'a refused message is kept apart');
    is_deeply([map { $_->to } $server->refused_messages], [('a@b.test') x 2], 'with the recipients that were taken');
};

subtest 'nth counts over all connections, session and match choose' => sub {
    my $server = sandbox({ stage => 'greeting', nth => 2, reply => "421 busy\r\n" },
        { stage => 'noop', session => 3, reply => "450 third\r\n" },
        { stage => 'rcpt', match => qr/\@bad\.test/, reply => "550 bad\r\n" });
    is(join(' ', map { substr RawClient->connect($server->port)->reply, 0, 3 } 1 .. 2), '220 421',
        'the second connection');
    my ($third, $fourth) = map { RawClient->ready($server->port) } 3, 4;
    is($third->say('NOOP'), "450 third\r\n", 'the third session');
    is($fourth->say('NOOP'), "250 2.0.0 Ok\r\n", 'not the fourth');
    is(join(' ', map { substr $fourth->say($_), 0, 3 } $TO_DATA[0], 'RCPT TO:<a@bad.test>',
        'RCPT TO:<a@good.test>'), '250 550 250', 'match');
};

subtest 'close and reset' => sub {
    my %want = (close => qr/\Aend\z/, reset => qr/reset/i);
    for my $how (sort keys %want) {
        for my $stage (qw(connect greeting)) {
            my $client = RawClient->connect(sandbox({ stage => $stage, $how => 1 })->port);
            is($client->rest, '', "$how at $stage: nothing is said");
        }
        my $server = sandbox({ stage => 'mail', $how => 1 });
        my $client = RawClient->ready($server->port);
        is($client->say($TO_DATA[0]), '', "$how at mail: no reply");
        like($client->why, $want{$how}, 'that is how it looks');
        is($server->wait_for(sessions => 1)->ended, ($how eq 'reset' ? 'reset' : 'closed') . ' by the sandbox',
            'and how it is noted');
        $client = RawClient->ready(($server = sandbox({ stage => 'mail', $how => 'after' }))->port);
        is($client->say($TO_DATA[0]), "250 2.1.0 Ok\r\n", "$how after the reply") if $how eq 'close';
        $client = RawClient->ready(($server = sandbox({ stage => 'noop', reply => "421 bye\r\n",
            close => 1 }))->port);
        $client->send("NOOP\r\n" x 3);
        is($client->rest, "421 bye\r\n", 'a last word, though more was sent');
        is($client->why, 'end', 'and an orderly end');
    }
    my $server = sandbox({ stage => 'end', close => 1 });
    my $client = RawClient->ready($server->port);
    $client->say($_) for @TO_DATA;
    is($client->say('.'), '', 'the reply to the final dot never comes');
    is(scalar(my @kept = $server->messages), 1, 'but the message was taken');
};

subtest 'cut_after, append, garbage, multi' => sub {
    my $server = sandbox({ stage => 'ehlo', nth => 1, cut_after => 7 });
    my $client = RawClient->connect($server->port);
    $client->reply;
    $client->send("EHLO me\r\n");
    is($client->rest, '250-san', 'cut_after: so many octets, then the end');
    $client = RawClient->ready(($server = sandbox({ stage => 'mail', append => "250 more\r\n" }))->port);
    $client->send("$TO_DATA[0]\r\n");
    is($client->rest(0.3), "250 2.1.0 Ok\r\n250 more\r\n", 'append');
    $client = RawClient->ready(($server = sandbox({ stage => 'mail', garbage => "\x00\xff\n" }))->port);
    $client->send("$TO_DATA[0]\r\n");
    is($client->rest(0.3), "\x00\xff\n250 2.1.0 Ok\r\n", 'garbage');
    $client = RawClient->ready(($server = sandbox({ stage => 'noop', multi => 3 }))->port);
    is($client->say('NOOP'), "250-2.0.0 Ok\r\n250-2.0.0 Ok\r\n250 2.0.0 Ok\r\n", 'multi');
    $client = RawClient->ready(($server = sandbox({ stage => 'noop', multi => 2 }, { stage => 'noop',
        append => "451 x\r\n" }))->port);
    $client->send("NOOP\r\n");
    is($client->rest(0.3), "250-2.0.0 Ok\r\n250 2.0.0 Ok\r\n451 x\r\n", 'two faults at one place, in their order');
};

subtest 'delay, drip, silent, endless' => sub {
    my $client = RawClient->ready((my $server = sandbox({ stage => 'noop', nth => 1, delay => 0.3 },
        { stage => 'rset', drip => 0.02 }))->port);
    cmp_ok(seconds { $client->say('NOOP') }, '>=', 0.3, 'delay');
    cmp_ok(seconds { $client->say('NOOP') }, '<', 0.25, 'only once');
    cmp_ok(seconds { is($client->say('RSET'), "250 2.0.0 Ok\r\n", 'drip changes nothing') }, '>=', 0.02 * 13,
        'but takes its time');
    $client = RawClient->ready(($server = sandbox({ stage => 'noop', silent => 1 }))->port);
    $client->send("NOOP\r\nQUIT\r\n");
    is($client->rest(0.3), '', 'silent: not a word');
    is($client->why, 'timeout', 'and no end');
    $client = RawClient->ready(($server = sandbox({ stage => 'noop', silent => 1, cut_after => 4 }))->port);
    $client->send("NOOP\r\n");
    is($client->rest(0.3) . $client->why, '250 timeout', 'silent after four octets');
    $client = RawClient->ready(($server = sandbox({ stage => 'noop', endless => "250-more\r\n" }))->port);
    $client->send("NOOP\r\n");
    my $octets = '';
    while (length $octets < 1_000_000) { sysread $client->socket, $octets, 65536, length $octets or last }
    like($octets, qr/\A250 2\.0\.0 Ok\r\n(?:250-more\r\n){50000}/, 'endless');
    close $client->socket;
    like($server->wait_for(sessions => 1)->ended, qr/client/, 'until the client has enough');
};

subtest 'faults within the content' => sub {
    my $client = RawClient->ready((my $server = sandbox({ stage => 'content', after => 5,
        reply => "421 4.3.2 no more\r\n", close => 1 }))->port);
    $client->say($_) for @TO_DATA;
    $client->send('1234');
    is($client->rest(0.2), '', 'nothing after four octets');
    $client->send("5678\r\n" x 1000);
    is($client->rest, "421 4.3.2 no more\r\n", 'a word after five');
    is(scalar(my @none = $server->messages), 0, 'nothing kept');
    is_deeply([glob "$server->{folder}/message*"], [], 'no file either') if $server->wait_for(sessions => 1);
    $client = RawClient->ready(($server = sandbox({ stage => 'content', nth => 2, reset => 1 }))->port);
    $client->say($_) for @TO_DATA;
    is(substr($client->say("x\r\n."), 0, 3), 250, 'the first message');
    $client->say($_) for @TO_DATA;
    is($client->rest, '', 'the second');
    like($client->why, qr/reset/i, 'is cut off');
    $client = RawClient->ready(($server = sandbox({ stage => 'content', delay => 0.3 }))->port);
    $client->say($_) for @TO_DATA;
    cmp_ok(seconds { is(substr($client->say("x\r\n."), 0, 3), 250, 'taken') }, '>=', 0.2, 'late');
    $client = RawClient->ready(($server = sandbox({ stage => 'content', silent => 1 }))->port);
    $client->say($_) for @TO_DATA;
    $client->socket->blocking(0);
    my $sent = 0;
    for (1 .. 200) { $sent += syswrite($client->socket, 'x' x 65536) || last }
    cmp_ok($sent, '<', 200 * 65536, 'a server that reads no more');
};

subtest 'a fault in the middle of AUTH' => sub {
    my $client = RawClient->ready((my $server = sandbox({ stage => 'auth-challenge', nth => 2,
        reply => "535 5.7.8 enough\r\n" },
        { stage => 'auth-challenge', nth => 3, reply => "334 !!!\r\n" }))->port);
    is($client->say('AUTH LOGIN'), "334 VXNlcm5hbWU6\r\n", 'a challenge');
    is($client->say('ZGVtbw=='), "535 5.7.8 enough\r\n", 'then a refusal');
    is($client->say('NOOP'), "250 2.0.0 Ok\r\n", 'no further reply');
    is($client->say('AUTH LOGIN'), "334 !!!\r\n", 'a challenge that is no base64');
    like($client->say('*'), qr/\A501/, 'cancelled');
};

subtest 'a message of the sandbox stops a fault that would wait for ever' => sub {
    my $server = sandbox({ stage => 'noop', delay => 1000 });
    my $client = RawClient->ready($server->port);
    $client->send("NOOP\r\n");
    select undef, undef, undef, 0.1;
    cmp_ok(seconds { $server->stop }, '<', 2, 'stop does not wait for it');
    is($client->rest, '', 'the connection ends');
};

done_testing;
