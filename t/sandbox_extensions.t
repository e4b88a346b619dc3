# The sandbox's extensions: parameters held to what was announced, limits, BDAT in one flight.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use Test::More;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }

# The codes of the replies to so many commands that go out at once.
sub codes {
    my ($client, $count, @octets) = @_;
    $client->send(join '', @octets);
    return join ' ', map { substr $client->reply, 0, 3 } 1 .. $count;
}

sub notes { my ($server) = @_; return join "\n", map { $_->notes } $server->sessions }

subtest 'parameters' => sub {
    my $server = sandbox(extensions =>
        ['DELIVERBY 60', 'FUTURERELEASE 3600 2030-01-31T00:00:00Z', 'MT-PRIORITY', 'REQUIRETLS']);
    my $client = RawClient->connect($server->port);
    $client->reply;
    my $hello = $client->say('EHLO me');
    like($hello, qr/^250[- ]DELIVERBY 60\r$/m, 'announced');
    like($hello, qr/^250[- ]SIZE \d+\r$/m, 'behind the usual');
    unlike($hello, qr/REQUIRETLS/, 'REQUIRETLS only inside TLS');
    my @cases = (
        'BY=60;R' => 250, 'BY=+60;rt' => 250, 'BY=0;N' => 250, 'BY=-60;NT' => 250, 'BY=59;R' => 555, 'BY=0;R' => 501,
        'BY=-60;R' => 501, 'BY=60' => 501, 'BY=60;X' => 501, 'BY=1234567890;R' => 501, 'BY' => 501,
        'HOLDFOR=3600' => 250, 'HOLDFOR=3601' => 501, 'HOLDFOR=0' => 501, 'HOLDFOR=1.5' => 501,
        'HOLDUNTIL=2029-12-31T00:00:00Z' => 250, 'HOLDUNTIL=2029-12-31T00:00:00-05:30' => 250,
        'HOLDUNTIL=2030-01-31T00:00:01Z' => 501, 'HOLDUNTIL=2030-01-31T00:00:00-00:01' => 501,
        'HOLDUNTIL=2029-02-29T00:00:00Z' => 501, 'HOLDUNTIL=1893369600' => 501,
        'HOLDFOR=5 HOLDUNTIL=2029-12-31T00:00:00Z' => 501, 'BY=60;R HOLDFOR=60' => 501, 'BY=61;R HOLDFOR=60' => 250,
        'BY=61;N HOLDUNTIL=2029-12-31T00:00:00Z' => 501, 'MT-PRIORITY=-9' => 250, 'MT-PRIORITY=0' => 250,
        'MT-PRIORITY=9' => 250, map(+("MT-PRIORITY=$_" => 501), '+1', '-0', '10', 'x'), 'REQUIRETLS' => 555,
    );
    while (my ($words, $code) = splice @cases, 0, 2) {
        is(substr($client->say("MAIL FROM:<a\@x.test> $words"), 0, 3), $code, "$words: $code");
        $client->say('RSET') if $code == 250;
    }
    like($client->say('MAIL FROM:<> HOLDFOR=5'), qr/\A501 5\.5\.4/, 'the null sender is not held');
    is(notes($server), '', 'nothing odd was noted');
};

subtest 'limits that are announced' => sub {
    my $server = sandbox(extensions => ['LIMITS MAILMAX=2 RCPTMAX=2 RCPTDOMAINMAX=2 X=1']);
    my $client = RawClient->ready($server->port);
    my $rcpt = join '', map { "RCPT TO:<$_>\r\n" } qw(a@x.test b@x.test c@x.test);
    is(codes($client, 5, "MAIL FROM:<a\@x.test>\r\n", $rcpt, "DATA\r\n"), '250 250 250 452 354', 'RCPTMAX');
    is(codes($client, 1, ".\r\n"), '250', 'the first message');
    is(codes($client, 3, "MAIL FROM:<a\@x.test>\r\n", "RCPT TO:<d\@Y.test>\r\n", "RCPT TO:<e\@z.test>\r\n"),
        '250 250 452', 'RCPTDOMAINMAX, over the session');
    is(codes($client, 1, "RSET\r\n"), '250', 'RSET gives none back');
    like($client->say('MAIL FROM:<a@x.test>'), qr/\A421 /, 'MAILMAX');
    is($client->rest, '', 'and the end');
    is($client->why, 'end', 'of the connection');
    is(join(' ', map { $_->to } $server->messages), 'a@x.test b@x.test', 'who got the first');
};

subtest 'limits that are not' => sub {
    my $server = sandbox(max_recipients => 1, max_messages => 1, extensions => ['LIMITS RCPTMAX=5']);
    my $client = RawClient->ready($server->port);
    is(codes($client, 3, "MAIL FROM:<a\@x.test>\r\n", "RCPT TO:<a\@x.test>\r\n", "RCPT TO:<b\@x.test>\r\n"),
        '250 250 452', 'recipients');
    $client->say('RSET');
    like($client->say('MAIL FROM:<a@x.test>'), qr/\A421 /, 'messages');
    for my $wrong ([max_recipients => 0], [max_messages => 'x'], [max_domains => -1], [extensions => 'X']) {
        ok(!eval { sandbox(@$wrong) }, "$wrong->[0]");
        like($@, qr/\A$wrong->[0] (?:is a number from 1|must be a list) at \Q$0/, 'and why');
    }
};

subtest 'BDAT in one flight' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 No', 'never@x.test' => '550 5.1.1 No'});
    my $client = RawClient->ready($server->port);
    my ($mail, $rcpt) = ("MAIL FROM:<a\@x.test>\r\n", "RCPT TO:<b\@x.test>\r\n");
    is(codes($client, 3, $mail, $rcpt, "BDAT 5 LAST\r\nQUIT\r"), '250 250 250', 'content that looks like a command');
    is(codes($client, 5, $mail, $rcpt, "BDAT 3\r\nx\r\n", "BDAT 0 LAST\r\n", 'RSET', "\r\n"), '250 250 250 250 250',
        'in chunks');
    is(codes($client, 4, $mail, "RCPT TO:<no\@x.test>\r\n", "BDAT 6 LAST\r\nRSET\r\n", "RSET\r\n"), '250 550 503 250',
        'nobody to have it');
    is(codes($client, 4, "MAIL FROM:<a\@x.test> X=1\r\n", $rcpt, "BDAT 6 LAST\r\nQUIT\r\n", "RSET\r\n"),
        '555 503 503 250', 'MAIL refused');
    is(codes($client, 6, $mail, $rcpt, "BDAT 2 LAST\r\nx\n", "BDAT 2 LAST\r\nx\n", $mail, "RSET\r\n"),
        '250 250 250 503 250 250', 'nothing behind the last');
    is(codes($client, 3, "MAIL FROM:<a\@x.test> BODY=BINARYMIME\r\n", $rcpt, "DATA\r\n"), '250 250 503',
        'DATA is not for BINARYMIME');
    $client->say('RSET');
    is(codes($client, 3, "MAIL FROM:<a\@x.test> BODY=BINARYMIME\r\n", $rcpt, "BDAT 4 LAST\r\n\0\n\r."), '250 250 250',
        'BINARYMIME');
    is_deeply([map { $_->wire } $server->messages], ["QUIT\r", "x\r\n", "x\n", "\0\n\r."], 'what came');
    unlike(notes($server), qr/early/, 'nobody spoke out of turn');
};

subtest 'a chunk that fails' => sub {
    my $server = sandbox(faults => [{ stage => 'bdat', nth => 1, reply => "452 4.3.1 Full\r\n" }]);
    my $client = RawClient->ready($server->port);
    my @envelope = ("MAIL FROM:<a\@x.test>\r\n", "RCPT TO:<b\@x.test>\r\n");
    is(codes($client, 6, @envelope, "BDAT 2\r\nx\n", "BDAT 2\r\ny\n", "BDAT 0 LAST\r\n", "RSET\r\n"),
        '250 250 452 503 503 250', 'nor do those behind it go through');
    is(codes($client, 3, @envelope, "BDAT 2 LAST\r\nz\n"), '250 250 250', 'until RSET');
    is_deeply([map { $_->data } $server->messages], ["z\n"], 'one message');
    $server = sandbox(keywords => ['CHUNKING']);
    $client = RawClient->ready($server->port);
    $client->say($_) for 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@x.test>';
    is(codes($client, 1, "BDAT 2\r\nx\n"), '250', 'without PIPELINING');
    is(codes($client, 2, "BDAT 2\r\nx\nBDAT 0 LAST\r\n"), '250 250', 'two at once');
    is(notes($server), "early talker: more came behind BDAT before its reply\ncontent: 4 octets by BDAT",
        'are noted');
};

done_testing;
