# The sandbox's web inbox: pages, API, who may change what, and mails that would rather be programs.
# valgrind: no
use strict;
use warnings;
use utf8;
use lib 't/lib';
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Net::SMTP::AuthC::Sandbox;
use Net::SMTP::AuthC::Sandbox::Inbox::Mime;
use RawClient;
use Test::More;

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', inbox => 1, require_auth => 0, users => { demo => 'secret' });
my $url    = $server->inbox_url;
my ($host) = $url =~ m{\Ahttp://(127\.0\.0\.1:[0-9]+)/\z};
my $http   = HTTP::Tiny->new(max_redirect => 0, timeout => 20);

# Sends one mail; returns the reply to its end.
sub mail_in {
    my ($text, %envelope) = @_;
    my $client = RawClient->ready($server->port);
    $client->say('MAIL FROM:<' . ($envelope{from} || 'shop@example.test') . '>');
    $client->say("RCPT TO:<$_>") for @{ $envelope{to} || ['anna@example.test'] };
    $client->say('DATA');
    $text =~ s/\r?\n/\r\n/g;
    utf8::encode($text);
    my $reply = $client->say("$text\r\n.");
    $client->say('QUIT');
    return $reply;
}

sub get {
    my ($path) = @_;
    my $answer = $http->get($url . $path);
    my $text = $answer->{content};
    utf8::decode($text);
    return ($text, $answer);
}

sub json {
    my ($path, $method, $body) = @_;
    my $answer = $http->request($method || 'GET', "${url}api/v1/$path", defined $body ? { content => $body } : {});
    return $answer->{status} unless $answer->{status} == 200;
    return $answer->{headers}{'content-type'} eq 'application/json' ? JSON::PP->new->utf8->decode($answer->{content})
        : $answer->{content};
}

sub keys_of { return join ' ', sort keys %{ $_[0] } }

# The status of a request of these octets.
sub status_of {
    my ($octets) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $host) or die "connect: $!";
    print {$socket} $octets;
    shutdown $socket, 1;
    local $/;
    my $answer = <$socket>;
    return defined $answer && $answer =~ m{\AHTTP/1\.1 ([0-9]{3}) } ? $1 : 'none';
}

sub request_of { return join("\r\n", @_, '', '') }

subtest 'nothing yet' => sub {
    is(Net::SMTP::AuthC::Sandbox->new(tls => 'none')->inbox_url, undef, 'no inbox unless asked for');
    ok(!eval { Net::SMTP::AuthC::Sandbox->new(inbox => 'yes') }, 'a wrong port');
    like($@, qr/inbox is 0, 1, or a port at \Q$0\E/, '... is told');
    my ($page, $answer) = get('');
    is($answer->{status}, 200, 'a page');
    like($page, qr{<h1>0 messages</h1>}, '... that says so');
    is(json('messages')->{total}, 0, 'the API, too');
    is(json('message/latest'), 404, 'no latest');
    is(scalar($server->sessions), 0, 'looking at it is no session');
};

subtest 'a mail' => sub {
    like(mail_in(<<'MAIL', to => ['anna@example.test', 'hidden@example.test']), qr/\A250/, 'taken');
From: =?utf-8?q?J=C3=BCrgen?= <shop@example.test>
To: "Anna, B." <anna@example.test>
Reply-To: desk@example.test
Subject: =?utf-8?b?w5Zs?= =?iso-8859-1?q?_und_Ma=DFe?=
Date: Tue, 01 Jan 2030 12:00:00 +0200
Message-ID: <1@example.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=outer"

not shown
--=outer
Content-Type: multipart/alternative; boundary="=inner"

--=inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Ma=DFe <b>plain</b>
--=inner
Content-Type: text/html; charset=utf-8

<p>Maße<img src="cid:logo%40x"></p>
--=inner--
--=outer
Content-Type: image/png; name="logo.png"
Content-ID: <logo@x>
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--=outer
Content-Type: text/csv
Content-Disposition: attachment; filename*0*=utf-8''Pr%C3%A4mie;
  filename*1=n.csv

a;b
--=outer--
MAIL
    my ($list) = get('');
    like($list, qr{<bdi>Jürgen</bdi>.*<a href="/message/1\.1"><bdi>Öl und Maße</bdi></a>}s, 'in the list');
    my ($page) = get('message/1.1');
    like($page, qr{<pre>Maße &lt;b&gt;plain&lt;/b&gt;\s*</pre>}, 'its text');
    like($page, qr{<iframe sandbox title="[^"]*" src="/message/1\.1/html"></iframe>}, 'its HTML in a frame');
    like($page, qr{href="/api/v1/message/1\.1/part/3"><bdi>Prämien\.csv</bdi>}, 'its attachment');
    like($page, qr{<bdi>hidden\@example\.test</bdi>}, 'its envelope');
    like((get('message/1.1/html'))[0], qr{<p>Maße<img src="data:image/png;base64,iVBORw0KGgo="></p>}, 'its own image');
    like((get('sessions'))[0], qr{<a href="/session/1">1</a>.*quit}s, 'the session');
    like((get('session/1'))[0], qr{<span class="client">C: MAIL FROM:&lt;shop\@example\.test&gt;</span>}, '... its words');
    like((get('session/1/text'))[0], qr{^C: MAIL FROM:<shop\@example\.test>$}m, '... as text');
    is((get('api/v1/message/1.1/raw'))[1]{content}, ($server->messages)[0]->data, 'the source');
    my (undef, $part) = get('api/v1/message/1.1/part/3');
    is($part->{content}, 'a;b', 'a part');
    is($part->{headers}{'content-disposition'}, q{attachment; filename*=UTF-8''Pr%C3%A4mien.csv}, '... by its name');
    is($part->{headers}{'content-type'}, 'application/octet-stream', '... of no type');
};

subtest 'the API' => sub {
    my $list = json('messages');
    is(keys_of($list), 'count messages messages_count messages_unread start tags total unread', 'a list');
    my $summary = $list->{messages}[0];
    is(keys_of($summary), 'Attachments Bcc Cc Created From ID MessageID Read ReplyTo Size Snippet Subject Tags To Username',
        'a summary');
    is_deeply($summary->{From}, { Name => 'Jürgen', Address => 'shop@example.test' }, 'From');
    is_deeply($summary->{To}, [ { Name => 'Anna, B.', Address => 'anna@example.test' } ], 'To');
    is_deeply($summary->{Bcc}, [ { Name => '', Address => 'hidden@example.test' } ], 'Bcc from the envelope');
    is("$summary->{Attachments} $summary->{Snippet}", '2 Maße <b>plain</b>', 'attachments, snippet');
    like($summary->{Created}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'Created');
    my $message = json('message/latest');
    is(keys_of($message), 'Attachments Bcc Cc Date From HTML ID Inline ListUnsubscribe MessageID ReplyTo ReturnPath Size'
        . ' Subject Tags Text To Username', 'a message');
    is("@$message{qw(ID Subject Date MessageID ReturnPath)}",
        '1.1 Öl und Maße 2030-01-01T10:00:00Z 1@example.test shop@example.test', '... its texts');
    is(keys_of($message->{Inline}[0]), 'Checksums ContentID ContentType FileName PartID Size', 'a file');
    is("@{ $message->{Inline}[0] }{qw(PartID ContentID Size)}", '2 logo@x 8', '... its facts');
    is_deeply(json('message/1.1/headers')->{'Message-Id'}, ['<1@example.test>'], 'header fields');
    is(keys_of(json('info')), 'Database DatabaseSize LatestVersion Messages RuntimeStats Tags Unread Version', 'info');
    is(json('message/9.9'), 404, 'an id that is none');
    is(json('nothing'), 404, 'a route that is none');
    is(json('search'), 400, 'a search for nothing');
};

subtest 'search' => sub {
    mail_in("From: b\@example.test\nTo: c\@example.test\nSubject: Second one\n\nno table", from => 'b@example.test');
    my %found = (
        'maße' => '1.1', 'MASSE' => '', 'second' => '2.1', '"second one"' => '2.1', '"one second"' => '', 'example' => '2.1 1.1',
        'from:j%C3%BCrgen' => '1.1', '-from:j%C3%BCrgen' => '2.1', 'to:hidden' => '1.1', 'subject:"second o"' => '2.1',
        'has:attachment' => '1.1', '!has:attachment' => '2.1', 'csv' => '1.1', 'table example' => '2.1', 'bcc:hidden' => '1.1',
        'message-id:1@example.test' => '1.1', 'before:2000-01-01' => '', 'after:2000-01-01 table' => '2.1', 'a:b' => '',
    );
    for my $query (sort keys %found) {
        my $octets = $query;
        utf8::encode($octets);
        $octets =~ s/([^A-Za-z0-9%:])/sprintf '%%%02X', ord $1/ge;
        is(join(' ', map { $_->{ID} } @{ json("search?query=$octets")->{messages} }), $found{$query}, $query);
    }
    my $list = json('search?query=example&start=1&limit=1');
    is("$list->{total} $list->{messages_count} $list->{count} $list->{messages}[0]{ID}", '2 2 1 1.1', 'a part of what is found');
    like((get('?query=%22second%22'))[0], qr{<h1>1 message with &quot;&quot;second&quot;&quot;</h1>}, 'on the page');
};

subtest 'hostile mails' => sub {
    my $evil = q{"><script>alert(1)</script><img src=x onerror=alert(1)>};
    my $client = RawClient->connect($server->port);
    $client->reply;
    $client->say("EHLO $evil");
    $client->say('QUIT');
    mail_in(<<"MAIL");
From: "$evil" <a\@example.test>
To: $evil
Subject: $evil
X-$evil: $evil
Message-ID: $evil
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

</pre>$evil
--b
Content-Type: text/html; charset="$evil"

<base href="http://evil.example.test/"><meta http-equiv="refresh" content="0;url=http://evil.example.test/">
<link rel=preconnect href=http://evil.example.test>$evil<img src="cid:svg"><img src="http://evil.example.test/x">
--b
Content-Type: image/svg+xml; name="\\"><script>alert(1)</script>.svg"
Content-ID: <svg>

<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>
--b
Content-Type: text/html; name="evil\r\n .html\\"; x"

$evil
--b--
MAIL
    for my $path ('', 'message/latest', 'sessions', 'session/3', 'session/4', '?query=%3Cscript%3E', 'faults') {
        my ($page, $answer) = get($path);
        is($answer->{status}, 200, "/$path");
        unlike($page, qr/<script(?! src="\/inbox\.js" defer><\/script>)|<img|<svg|<base/i, '... no element of theirs');
        is(() = $page =~ m{</main>}g, 1, '... and one end');
        like($answer->{headers}{'content-security-policy'},
            qr/\Adefault-src 'none'; style-src 'self'; script-src 'self';.* frame-ancestors 'none'\z/, '... its policy');
    }
    my ($html, $answer) = get('message/latest/html');
    like($answer->{headers}{'content-security-policy'}, qr/\Asandbox; default-src 'none'; img-src data:;/, 'HTML is caged');
    unlike($html, qr/<(?:base|meta|link)\b/i, '... without what leads elsewhere');
    like($html, qr/src="cid:svg"/, '... SVG is no image of ours');
    my ($message) = json('message/latest');
    for my $part (@{ $message->{Attachments} }, @{ $message->{Inline} }) {
        my (undef, $file) = get("api/v1/message/latest/part/$part->{PartID}");
        is($file->{headers}{'content-type'}, 'application/octet-stream', "a file $part->{ContentType} is octets");
        like($file->{headers}{'content-disposition'}, qr/\Aattachment; filename\*=UTF-8''[\w.%-]+\z/, '... to be saved');
        is($file->{headers}{'x-content-type-options'}, 'nosniff', '... never guessed at');
        like($file->{headers}{'content-security-policy'}, qr/sandbox/, '... and caged');
    }
};

subtest 'who may ask' => sub {
    my @local = ("localhost:1", '127.0.0.1', '[::1]:80', 'LOCALHOST');
    is(status_of(request_of('GET / HTTP/1.1', "Host: $_")), 200, "Host: $_") for @local;
    my @other = ('evil.example.test', 'localhost.evil.example.test', '127.0.0.1.nip.io', 'localhost@evil', '');
    is(status_of(request_of('GET / HTTP/1.1', "Host: $_")), 421, "Host: '$_' is refused") for @other;
    is(status_of(request_of('GET / HTTP/1.1')), 421, 'no Host is refused');
    is(status_of(request_of('GET / HTTP/1.1', "Host: $host", "Host: $host")), 400, 'two are, too');
    my @delete = ('DELETE /api/v1/messages HTTP/1.1', "Host: $host");
    is(status_of(request_of(@delete, $_)), 403, $_) for 'Origin: http://evil.example.test', 'Origin: null',
        'Origin: http://127.0.0.1:1', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-site';
    for my $body ('', 'token=', 'token=' . '0' x 32) {
        is(status_of(request_of('POST /clear HTTP/1.1', "Host: $host", 'Content-Length: ' . length $body) . $body), 403,
            "a form with '$body'");
    }
    is(json('messages')->{total}, 3, 'nothing of that has changed anything');
    is($http->post($url)->{status}, 403, 'POST to a page');
    is($http->request(PUT => $url)->{status}, 405, 'PUT to a page');
};

subtest 'requests that are none' => sub {
    my @host = ("Host: $host");
    is(status_of("nonsense\r\n\r\n"), 400, 'words');
    is(status_of(request_of('GET http://evil/ HTTP/1.1', @host)), 400, 'a proxy request');
    is(status_of(request_of('GET /' . 'a' x 9000 . ' HTTP/1.1', @host)), 431, 'a long line');
    is(status_of(request_of('GET / HTTP/1.1', @host, ('X: y') x 200)), 431, 'many fields');
    is(status_of(request_of('GET / HTTP/1.1', @host, 'no field')), 400, 'a field that is none');
    is(status_of(request_of('PUT /api/v1/chaos HTTP/1.1', @host, 'Content-Length: 65537')), 413, 'a long body');
    is(status_of(request_of('PUT /api/v1/chaos HTTP/1.1', @host, 'Content-Length: -1')), 400, 'a length below nothing');
    is(status_of(request_of('PUT /api/v1/chaos HTTP/1.1', @host, 'Transfer-Encoding: chunked')), 411, 'chunks');
    is(status_of(request_of('GET /inbox.css/../../etc/passwd HTTP/1.1', @host)), 404, 'a path that climbs');
    is(status_of(request_of('HEAD / HTTP/1.1', @host)), 200, 'HEAD is one');
    is($http->request(PUT => "${url}api/v1/chaos", { content => $_ })->{status}, 400, "chaos: $_")
        for 'x', '[]', '{"Else":{}}', '{"Sender":1}', '{"Sender":{"ErrorCode":250,"Probability":1}}',
        '{"Sender":{"ErrorCode":451,"Probability":101}}', '{"Sender":{"ErrorCode":"4\n51","Probability":1}}';
};

subtest 'faults' => sub {
    my ($page) = get('faults');
    my ($token) = $page =~ /name="token" value="([0-9a-f]{32})"/;
    my $client = RawClient->ready($server->port);
    like($client->say('MAIL FROM:<a@example.test>'), qr/\A250/, 'a session without');
    my %form = (token => $token, map { ("$_.kind" => '', "$_.code" => 451, "$_.seconds" => 5, "$_.chance" => 100) }
        qw(greeting ehlo auth mail rcpt data end));
    my %set = ('rcpt.kind' => 'refuse', 'rcpt.code' => 550, 'end.kind' => 'close', 'data.kind' => 'refuse', 'data.chance' => 0);
    is($http->post_form("${url}faults", { %form, %set })->{status}, 303, 'the form');
    like($client->say('RCPT TO:<b@example.test>'), qr/\A550 5\.3\.0 Not here\r\n\z/, '... reaches the running session');
    like((get('faults'))[0], qr{<option value="refuse" selected>.*value="550"}, '... is shown');
    is($http->post_form("${url}faults", { %form, 'rcpt.kind' => 'refuse', 'rcpt.code' => 250 })->{status}, 400, 'a wrong code');
    my $chaos = json('chaos', PUT => '{"Sender":{"ErrorCode":452,"Probability":100}}');
    is("$chaos->{Sender}{ErrorCode} $chaos->{Sender}{Probability} $chaos->{Recipient}{Probability}", '452 100 0', 'chaos');
    $client->say('RSET');
    like($client->say('MAIL FROM:<a@example.test>'), qr/\A452 4\.3\.0 /, '... reaches it, too');
    json('chaos', PUT => '{}');
    is(mail_in("Subject: x\n\ny"), '', 'a switch of another stage is still there');
    $http->post_form("${url}faults", { token => $token });
    like(mail_in("Subject: x\n\ny"), qr/\A250/, 'all off');
    my @lots = map { { stage => 'noop', chance => $_->[0], reply => "$_->[1]\r\n" } } [ 0, '450 No' ], [ 100, '251 Yes' ];
    my $other = Net::SMTP::AuthC::Sandbox->new(tls => 'none', faults => \@lots);
    is(RawClient->ready($other->port)->say('NOOP'), "251 Yes\r\n", 'chances of a program');
    ok(!eval { Net::SMTP::AuthC::Sandbox->new(faults => [ { %{ $lots[0] }, chance => 101 } ]) }, '... that are none');
    like($@, qr/chance is a number from 0 to 100, in the fault at 'noop' at \Q$0\E/, '... are told');
};

subtest 'forgetting' => sub {
    my $count = $server->messages;
    is(json('messages')->{total}, $count, 'both count alike');
    json('messages', DELETE => '{"IDs":["1.1"]}');
    is(scalar($server->messages), $count - 1, 'deleted here is gone there');
    json('search?query=subject:second', 'DELETE');
    is(scalar($server->messages), $count - 2, 'what was found');
    my ($token) = (get(''))[0] =~ /name="token" value="([0-9a-f]{32})"/;
    is($http->post_form("${url}clear", { token => $token })->{status}, 303, 'the button');
    is(scalar($server->messages) . scalar(grep { $_->ended } $server->sessions), '00', '... forgets sessions, too');
    mail_in("Subject: new\n\ny");
    is(json('messages')->{total}, 1, 'what comes then is there');
    my ($kept) = $server->messages;
    $server->clear;
    is(json('messages')->{total}, 0, 'cleared there is gone here');
    like($kept->data, qr/new/, '... but for who holds it');
    $http->request(DELETE => "${url}api/v1/messages", { content => '{"IDs":1}' });
    mail_in("Subject: new\n\ny");
    is($http->request(DELETE => "${url}api/v1/messages")->{content}, 'ok', 'all');
    is(scalar($server->messages), 0, '... are gone');
};

subtest 'refused messages' => sub {
    my $strict = Net::SMTP::AuthC::Sandbox->new(tls => 'none', inbox => 1,
        faults => [ { stage => 'end', reply => "554 5.6.0 No\r\n" } ]);
    ($server, $url) = ($strict, $strict->inbox_url);
    mail_in("Subject: no\n\nx");
    like((get(''))[0], qr{<span class="mark">refused</span> <a href="/message/1\.1">}, 'are in the list');
    is(json('messages')->{total}, 0, 'and not in the API');
    is(json('info')->{RuntimeStats}{SMTPRejected}, 1, '... but counted');
    $strict->stop;
    is(get('') && (get(''))[1]{status}, 599, 'with the server the inbox goes');
};

subtest 'what mails consist of' => sub {
    my %words = ('=?utf-8?q?a?= =?utf-8?q?b?= c' => 'ab c', '=?x-none?q?=41?=' => 'A', '=?utf-8?b?=' => '=?utf-8?b?=',
        '=?utf-8*en?Q?a_b?=' => 'a b', "\xc3\xa4" => 'ä', "\xe4" => 'ä', '=?utf-8?q?=ED=A0=80?=' => "\x{fffd}" x 3);
    for my $octets (sort keys %words) {
        my $text = Net::SMTP::AuthC::Sandbox::Inbox::Mime::words($octets);
        $text =~ s/\x{fffd}+/\x{fffd}\x{fffd}\x{fffd}/;
        is($text, $words{$octets}, unpack 'H*', $octets);
    }
    my $parse = \&Net::SMTP::AuthC::Sandbox::Inbox::Mime::parse;
    my @leaves = Net::SMTP::AuthC::Sandbox::Inbox::Mime::leaves($parse->(''));
    is(scalar @leaves, 1, 'nothing is one part');
    my $deep = join '', map { "Content-Type: multipart/mixed; boundary=x$_\n\n--x$_\n" } 1 .. 100;
    @leaves = Net::SMTP::AuthC::Sandbox::Inbox::Mime::leaves($parse->($deep));
    is(scalar @leaves, 1, 'as deep as it may be');
    is($leaves[0]{id} =~ tr/.//, 10, '... and no deeper');
    my $wide = "Content-Type: multipart/mixed; boundary=x\n\n" . "--x\n\na\n" x 2000;
    is(scalar(() = Net::SMTP::AuthC::Sandbox::Inbox::Mime::leaves($parse->($wide))), 500, 'no more than those');
    my $open = $parse->("Content-Type: MULTIPART/Mixed; boundary=\"a b\"\r\n\r\n--a b\r\n\r\none\r\n--a bc\r\n--a b  \r\n\r\ntwo");
    is(join('|', map { $_->{body} } @{ $open->{parts} }), "one\r\n--a bc|two", 'without an end, and a line that is like one');
};

done_testing;
