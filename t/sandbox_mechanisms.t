# The test server's side of SASL: mechanisms take the right secret and refuse the wrong, and faults strike in a login.
use strict;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use RawLogin;
use Test::More;

my @HASHES = (1, 256, 512);
my $REFUSED = '535 5.7.8 Authentication credentials invalid';
my $WELCOME = '235 2.7.0 Authentication successful';
my $XOAUTH2 = "user=demo\1auth=Bearer tok\1\1";
my @ALL = (qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5 OAUTHBEARER XOAUTH2 EXTERNAL ANONYMOUS),
    map { ("SCRAM-SHA-$_", "SCRAM-SHA-$_-PLUS") } @HASHES);

sub sandbox {
    my (%option) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => 'none', users => { demo => 'secret' }, scram_iterations => 50,
        oauth_tokens => { demo => 'tok', 'a,b=c' => 'tok2' }, mechanisms => \@ALL, %option);
}

# A sandbox whose logins have these faults, and a client of it.
sub with_fault {
    my ($fault, %option) = @_;
    my $server = sandbox(faults => [ { stage => 'login', %$fault } ], %option);
    return ($server, RawClient->ready($server->port));
}

# The codes of replies.
sub codes { return join ' ', map { substr $_, 0, 3 } @_ }

subtest 'what is offered' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', users => { demo => 'secret' });
    my $client = RawClient->connect($server->port);
    $client->reply;
    like($client->say('EHLO me'), qr/^250 AUTH PLAIN LOGIN CRAM-MD5\r$/m, 'by default no more than before');
    is(codes(RawLogin::talk($client, 'SCRAM-SHA-1', 'n,,n=demo,r=x')), '504', 'the others not at all');
    $client = RawClient->connect(($server = sandbox(mechanisms => [ map { lc } @ALL ]))->port);
    $client->reply;
    my ($offer) = $client->say('EHLO me') =~ /^250 AUTH (.*)\r$/m;
    is($offer, lc join(' ', grep { !/PLUS/ } @ALL), 'by name all, those with channel binding inside TLS only');
    is(codes(RawLogin::talk($client, 'SCRAM-SHA-256-PLUS', 'p=tls-unique,,n=demo,r=x')), '504', 'nor taken outside');
};

subtest 'OAUTHBEARER and XOAUTH2, with the vectors' => sub {
    for my $mechanism (qw(OAUTHBEARER XOAUTH2)) {
        for my $row (grep { $_->{kind} eq 'initial' } RawClient::vectors(lc $mechanism)) {
            my $user = $mechanism eq 'XOAUTH2' ? $row->{user} : $row->{authzid} eq '-' ? 'owner' : $row->{authzid};
            my $server = sandbox(oauth_tokens => { $user => $row->{token}, other => 'other' });
            my $client = RawClient->ready($server->port);
            my @said = RawLogin::talk($client, $mechanism, undef, RawClient::octets($row->{message_hex}));
            is_deeply(\@said, [ '334 ', $WELCOME ], "$mechanism $row->{id}");
            is(($server->sessions)[0]->user, $user, 'the user');
            if ($mechanism eq 'OAUTHBEARER') {
                my ($host, $port) = map { $_ eq '-' ? 'none' : $_ } @$row{qw(host port)};
                is_deeply([($server->sessions)[0]->notes], ["OAUTHBEARER: host $host, port $port"], 'host and port');
            }
            my $fits = length("AUTH $mechanism $row->{b64}\r\n") <= 512;
            $client = RawClient->ready($server->port);
            is(codes($client->say("AUTH $mechanism $row->{b64}")), $fits ? 235 : 500, 'in one line');
        }
    }
};

subtest 'OAUTHBEARER and XOAUTH2: refusals' => sub {
    my $client = RawClient->ready((my $server = sandbox())->port);
    my $bearer = "n,a=demo,\1host=h\1port=25\1auth=Bearer tok\1\1";
    my %wrong = (map({ $_ => 'invalid_token' } "n,a=demo,\1host=h\1port=25\1auth=Bearer no\1\1",
        "n,,\1auth=Bearer no\1\1", "n,a=other,\1auth=Bearer tok\1\1", "n,,\1auth=Basic tok\1\1"),
        map { $_ => 'invalid_request' } "n,,\1host=h\1port=25\1\1", "n,user=demo,\1auth=Bearer tok\1\1",
        "n,,auth=Bearer tok\1\1", "n,,\1auth=Bearer tok\1", '');
    $wrong{"n,,\1port=$_\1auth=Bearer tok\1\1"} = 'invalid_request' for qw(0 025 x 65536), '';
    $wrong{"n,,\1host=$_\1auth=Bearer tok\1\1"} = 'invalid_request' for 'a b', '';
    for my $message (sort keys %wrong) {
        my @said = RawLogin::talk($client, 'OAUTHBEARER', $message, "\1");
        (my $shown = $message) =~ s/\x01/^A/g;
        like($said[0], qr/\A334 \{"status":"$wrong{$message}",.*\}\z/, "OAUTHBEARER $shown");
        is($said[1], $REFUSED, 'then the refusal');
    }
    my %status = ("user=demo\1auth=Bearer no\1\1" => 401, "user=other\1auth=Bearer tok\1\1" => 401,
        "user=demo\1auth=tok\1\1" => 400, "user=demo\1auth=Bearer tok\1" => 400, '' => 400);
    for my $message (sort keys %status) {
        my @said = RawLogin::talk($client, 'XOAUTH2', $message, '');
        (my $shown = $message) =~ s/\x01/^A/g;
        like($said[0], qr/\A334 \{"status":"$status{$message}",.*\}\z/, "XOAUTH2 $shown");
        is($said[1], $REFUSED, 'then the refusal');
    }
    is_deeply([grep { /answer/ } ($server->sessions)[0]->notes], [], 'the answers were as they should be');
    RawLogin::talk($client, 'XOAUTH2', '', "\1");
    RawLogin::talk($client, 'OAUTHBEARER', '', '');
    is(scalar(my @odd = grep { /the answer to the error/ } ($server->sessions)[0]->notes), 2, 'others are noted');
    is(codes(RawLogin::talk($client, 'OAUTHBEARER', '', \'*')), '334 501', 'cancelled');
    is((RawLogin::talk($client, 'OAUTHBEARER', $bearer))[0], $WELCOME, 'and the right one');
};

subtest 'OAuth: faults' => sub {
    my ($server, $client) = with_fault({ oauth_error => 'none' });
    is_deeply([RawLogin::talk($client, 'XOAUTH2', '')], [$REFUSED], '535 at once');
    is_deeply([RawLogin::talk($client, 'OAUTHBEARER', '')], [$REFUSED], 'for both');
    ($server, $client) = with_fault({ oauth_error => 'not json' });
    is_deeply([RawLogin::talk($client, 'XOAUTH2', '', '')], [ '334 not json', $REFUSED ], 'other octets');
    is((RawLogin::talk($client, 'XOAUTH2', $XOAUTH2))[0], $WELCOME, 'only for who is refused');
    $server = sandbox(faults => [ { stage => 'login', nth => [ 1, 2 ], refuse => '535 5.7.8 Token expired' } ]);
    $client = RawClient->ready($server->port);
    for my $attempt (1 .. 3) {
        my @said = RawLogin::talk($client, 'XOAUTH2', $XOAUTH2, '');
        is($said[-1], $attempt < 3 ? '535 5.7.8 Token expired' : $WELCOME, "login $attempt of a good token");
        is(scalar @said, $attempt < 3 ? 2 : 1, 'with the error step of a bad one') if $attempt < 3;
    }
};

subtest 'EXTERNAL and ANONYMOUS' => sub {
    my $client = RawClient->ready((my $server = sandbox())->port);
    is_deeply([RawLogin::talk($client, 'EXTERNAL', '')], [$REFUSED], 'EXTERNAL without a certificate');
    my %want = ('CN=some one,O=x' => 'some one', 'O=x,CN=a\\,b\\+\\C3\\A9' => "a,b+\xc3\xa9", 'O=none' => 'O=none');
    for my $subject (sort keys %want) {
        my $user = $want{$subject};
        my @said = map { RawLogin::alone('EXTERNAL', [$_], certificate => $subject) } '', $user, 'other';
        is_deeply(\@said, [ "user $user", "user $user", 'refused' ], "$subject: no identity, its own, another");
    }
    my %trace = ('me@example.test' => $WELCOME, '' => $WELCOME, 'a' x 255 => $WELCOME, 'a' x 256 => $REFUSED,
        "\xff" => $REFUSED, "a\nb" => $REFUSED);
    for my $trace (sort keys %trace) {
        $client = RawClient->ready($server->port);
        is_deeply([RawLogin::talk($client, 'ANONYMOUS', undef, $trace)], [ '334 ', $trace{$trace} ],
            'ANONYMOUS: ' . length($trace) . ' octets');
    }
    my ($session) = grep { ($_->identity || '') =~ /me/ } $server->sessions;
    is(join('|', map { $session->$_ } qw(user identity mechanism)), 'anonymous|me@example.test|ANONYMOUS',
        'who it was');
};

subtest 'DIGEST-MD5' => sub {
    my $digest = 'Net::SMTP::AuthC::Sandbox::Mechanisms::DigestMD5';
    for my $row (RawClient::vectors('digest-md5')) {
        my %said = $digest->can('directives')->(decode_base64($row->{response_b64}));
        my $password = RawClient::octets($row->{password_hex});
        is($said{response}, $row->{response}, "$row->{id}: read");
        is($digest->can('digest')->(\%said, $password, 'AUTHENTICATE'), $row->{response}, 'the response');
        is($digest->can('digest')->(\%said, $password, ''), $row->{rspauth}, "the server's");
    }
    my $client = RawClient->ready((my $server = sandbox())->port);
    my %is = (user => 'demo', realm => 'sandbox.example.test', password => 'secret', cnonce => 'c',
        uri => 'smtp/localhost');
    my $rspauth;
    my $answer = sub {
        my (%other) = @_;
        return sub {
            my %now = (%is, nonce => $_[0] =~ /nonce="([^"]*)"/, nc => '00000001', %other);
            (my $response, $rspauth) = RawLogin::digest_md5(%now);
            return qq(charset=utf-8,username="$now{user}",realm="$now{realm}",nonce="$now{nonce}",nc=$now{nc},)
                . qq(cnonce="$now{cnonce}",digest-uri="$now{uri}",response=$response,qop=auth);
        };
    };
    for my $wrong ([ password => 'no' ], [ user => 'nobody' ], [ realm => 'other' ], [ nonce => 'x' ],
        [ nc => '00000002' ], [ uri => 'imap/localhost' ]) {
        my @said = RawLogin::talk($client, 'DIGEST-MD5', undef, $answer->(@$wrong), '');
        is_deeply([@said[ 1 .. $#said ]], [$REFUSED], "wrong: @$wrong");
    }
    is(codes(RawLogin::talk($client, 'DIGEST-MD5', 'x')), '501', 'no initial response');
    for my $junk ('', 'username', 'a=b,a=b', 'username="demo') {
        is((RawLogin::talk($client, 'DIGEST-MD5', undef, $junk))[1], $REFUSED, "junk: $junk");
    }
    my @said = RawLogin::talk($client, 'DIGEST-MD5', undef, sub { $answer->()->($_[0]) . ',nc=00000001' });
    is($said[1], $REFUSED, 'a directive twice');
    @said = RawLogin::talk($client, 'DIGEST-MD5', undef, $answer->(), '');
    is_deeply([@said[ 1, 2 ]], [ "334 rspauth=$rspauth", $WELCOME ], 'right');
};

my @refusals = ('432 4.7.12 A password transition is needed', '454 4.7.0 Later', '500 5.5.2 What?', '501 5.5.2 How?',
    '503 5.5.1 Not now', '504 5.5.4 Unknown', '530 5.7.0 Must issue STARTTLS first', '534 5.7.9 Too weak',
    '538 5.7.11 Encryption required');

subtest 'refusals at each point of a login' => sub {
    for my $refusal (@refusals) {
        for my $point ([ 'login' ], [ 'auth-challenge', round => 1 ], [ 'auth-challenge', round => 2 ], ['auth']) {
            my ($stage, @more) = @$point;
            my $server = sandbox(faults => [ { stage => $stage, @more, nth => 1, reply => "$refusal\r\n" } ]);
            my $client = RawClient->ready($server->port);
            my ($scram, @said) = RawLogin::talk_scram($client, hash => 256);
            my $before = { login => 0, 'auth-challenge' => $more[-1] ? $more[-1] - 1 : 0, auth => 2 }->{$stage};
            is($said[$before], $refusal, join ' ', 'at', @$point, substr $refusal, 0, 3);
            is(codes($client->say('NOOP')), '250', 'no other reply behind it');
            is(codes($client->say('MAIL FROM:<a@b.test>')), '530', 'nobody is logged in');
            is(codes((RawLogin::talk_scram($client, hash => 256))[-1]), '235', 'until the next login');
        }
    }
};

subtest 'match, round, and other things of a login' => sub {
    my $server = sandbox(faults => [ { stage => 'login', match => qr/\ASCRAM/, reply => "504 5.5.4 no\r\n" },
        { stage => 'auth-challenge', match => qr/\ALOGIN/, round => 2, reply => "334 !junk!\r\n" },
        { stage => 'auth-challenge', match => qr/\ACRAM/, reply => '334 ' . 'A' x 20000 . "\r\n" } ]);
    my $client = RawClient->ready($server->port);
    is(codes(RawLogin::talk($client, 'SCRAM-SHA-1', 'n,,n=demo,r=x')), '504', 'match at login');
    is_deeply([(RawLogin::talk($client, 'LOGIN', undef, 'demo', \'*'))[ 0, 1 ]],
        [ '334 Username:', '334 !junk!' ], 'round');
    is(length $client->say('AUTH CRAM-MD5'), 20006, 'a challenge that is too long');
    is(codes($client->say('*')), '501', 'cancelled');
    my %initial = (PLAIN => "\0demo\0secret", 'SCRAM-SHA-1' => 'n,,n=demo,r=x', XOAUTH2 => $XOAUTH2,
        OAUTHBEARER => "n,,\1auth=Bearer tok\1\1", LOGIN => undef, 'CRAM-MD5' => undef, 'DIGEST-MD5' => undef);
    for my $mechanism (sort keys %initial) {
        ($server, $client) = with_fault({ challenge => 'more?' });
        my @said = RawLogin::talk($client, $mechanism, $initial{$mechanism}, ('x') x 20, \'*');
        is_deeply([@said[ 0 .. 20 ]], [ ('334 more?') x 21 ], "$mechanism: a challenge without end");
        like($said[21], qr/\A501/, 'but for "*"');
    }
    ($server, $client) = with_fault({ close => 1 });
    is($client->say('AUTH PLAIN AGRlbW8Ac2VjcmV0'), '', 'an end at once');
    ($server, $client) = with_fault({ reply => "235 2.7.0 Welcome\r\n" });
    is(codes(map { $client->say($_) } 'AUTH SCRAM-SHA-1', 'MAIL FROM:<a@b.test>'), '235 530', 'a 235 that is a lie');
};

subtest 'refuse: every mechanism says it in its own way' => sub {
    my %answers = (PLAIN => ["\0demo\0secret"], LOGIN => [ undef, 'demo', 'secret' ], XOAUTH2 => [ $XOAUTH2, '' ],
        'CRAM-MD5' => [ undef, sub { 'demo ' . RawLogin::hmac_md5_hex('secret', $_[0]) } ], ANONYMOUS => ['me']);
    my %codes = (PLAIN => '454', LOGIN => '334 334 454', 'CRAM-MD5' => '334 454', XOAUTH2 => '334 454',
        ANONYMOUS => '454');
    for my $mechanism (sort keys %answers) {
        my ($server, $client) = with_fault({ refuse => "454 4.7.0 Later\r\n", nth => 1 });
        is(codes(RawLogin::talk($client, $mechanism, @{ $answers{$mechanism} })), $codes{$mechanism}, $mechanism);
        is(codes(RawLogin::talk($client, 'PLAIN', "\0demo\0secret")), '235', 'the next is not refused');
    }
    my ($server, $client) = with_fault({ refuse => '535 5.7.8 No', nth => 1 });
    my ($scram, @said) = RawLogin::talk_scram($client, hash => 256);
    is_deeply([@said[ 1, 2 ]], [ '334 e=invalid-proof', '535 5.7.8 No' ], 'a right proof is none');
};

subtest 'words taken out of the offer' => sub {
    my $server = sandbox(faults => [ { stage => 'ehlo', without => qr/\A(?:SCRAM-|SIZE|OAUTH)/ } ]);
    my $client = RawClient->connect($server->port);
    $client->reply;
    my $offer = $client->say('EHLO me');
    unlike($offer, qr/SCRAM|OAUTHBEARER/, 'not said');
    like($offer, qr/^250 AUTH PLAIN LOGIN CRAM-MD5 DIGEST-MD5 XOAUTH2 EXTERNAL ANONYMOUS\r$/m, 'the others stay');
    is(codes((RawLogin::talk_scram($client, hash => 1))[-1]), '235', 'and yet taken');
};

subtest 'what is wrong with the options is said' => sub {
    my @wrong = ([ oauth_tokens => [] ] => qr/oauth_tokens must be a hash/,
        [ scram_iterations => 0 ] => qr/number from 1/, [ scram_signature => 250 ] => qr/'334', '235' or/);
    my @faults = ({ stage => 'auth', refuse => 1 } => qr/refuse is for the stage 'login', not 'auth'/,
        { stage => 'login', round => 1, reply => '1' } => qr/round is for the stage 'auth-challenge'/,
        { stage => 'login', scram_first => 'nonce' } => qr/unknown scram_first 'nonce' in the fault at 'login'/,
        { stage => 'login', scram_first => [ 'i=1', {} ] } => qr/unknown scram_first/,
        { stage => 'login', scram_last => 'late' } => qr/unknown scram_last 'late'/);
    while (my ($fault, $words) = splice @faults, 0, 2) { push @wrong, [ faults => [$fault] ], $words }
    while (my ($option, $words) = splice @wrong, 0, 2) {
        ok(!eval { sandbox(@$option) }, "$option->[0] is refused");
        like($@, $words, 'with the reason');
    }
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
