# login_hostile: servers that lie in a login: what each is told, that nothing more is said to it, and that no secret is.
# valgrind: no
use strict;
use warnings;
use MIME::Base64 qw(decode_base64);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $PASSWORD = 'sesame-oeffne-dich';

sub sandbox {
    my ($fault, @more) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {demo => $PASSWORD}, oauth_tokens => {demo => $PASSWORD},
        mechanisms => [qw(SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5 OAUTHBEARER XOAUTH2)],
        faults => [$fault], @more);
}

# What came of a login, and the lines of AUTH that the server heard.
sub log_in {
    my ($server, %with) = @_;
    my $smtp = eval { Net::SMTP::AuthC->connect('smtps://localhost:' . $server->port, ca_file => $server->ca_file,
        username => 'demo', timeout => 5 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1), transcript => 1, debug => 0,
        ($with{oauth_token} ? () : (password => $PASSWORD)), %with) };
    my $error = $smtp ? undef : $@;
    undef $smtp;
    my ($session) = $server->wait_for(sessions => 1);
    my @lines = grep { !/\A(?:EHLO|QUIT)/ } $session->client_lines;
    return ($error, @lines);
}

sub shows_password {
    my (@lines) = @_;
    return grep { index($_, $PASSWORD) >= 0 || grep { index(decode_base64($_), $PASSWORD) >= 0 } split ' ', $_ } @lines;
}

my $CLOSED = 'closed';
my $NEXT   = 'next';

# What the server does, what is said about it, and what follows: the connection is closed, or another mechanism tried.
my @first = (
    ['nonce-not-ours',     qr/nonce/,            $CLOSED],
    ['nonce-not-extended', qr/nonce/,            $CLOSED],
    ['no-salt',            qr/salt|s=/,          $NEXT],
    ['no-count',           qr/i=|count/,         $NEXT],
    ['other-order',        qr/SCRAM-SHA-256/,    $NEXT],
    ['i=1',                qr/\b1\b.*4096/,      $NEXT],
    ['i=0',                qr/i=|count/,         $NEXT],
    ['i=04096',            qr/i=|count/,         $NEXT],
    ['i=2147483648',       qr/2147483648.*1000000|count/, $NEXT],
    ['s=',                 qr/salt/,             $NEXT],
    ['s=no!',              qr/salt/,             $NEXT],
    ['m=1',                qr/extension|m=/,     $NEXT],
    ['e=other-error',      qr/other-error/,      $NEXT],
    ['e=server-does-support-channel-binding', qr/downgrade|between/, $CLOSED],
    ['success',            qr/prove|signature|235/, $CLOSED],
);

for my $mechanism ('SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS') {
    for my $case (@first) {
        my ($what, $words, $then) = @$case;
        subtest "$mechanism, $what" => sub {
            my ($error, @lines) = log_in(sandbox({stage => 'login', scram_first => $what}),
                mechanism => [$mechanism, 'PLAIN']);
            my @proofs = grep { decode_base64($_) =~ /\Ac=.*,p=/ } @lines;
            is(scalar @proofs, 0, 'no proof was given');
            if ($then eq $CLOSED) {
                is(eval { $error->kind }, 'auth', 'an error');
                like($error, $words, 'that says why');
                is(scalar(grep { /\AAUTH PLAIN/ } @lines), 0, 'PLAIN is not tried');
                is_deeply([shows_password(@lines)], [], 'the password was not shown');
            }
            else {
                is($error, undef, 'another mechanism logs in') or diag $error;
                is($lines[-1] =~ /\AAUTH PLAIN/ ? 1 : 0, 1, 'the last is PLAIN');
                my ($only) = log_in(sandbox({stage => 'login', scram_first => $what}), mechanism => $mechanism);
                like($only, $words, 'alone it says why');
            }
        };
    }
    for my $what ('wrong', 'none', 'v=AAAA', '', 'v=', 'e=channel-bindings-dont-match') {
        subtest "$mechanism, last: '$what'" => sub {
            my ($error, @lines) = log_in(sandbox({stage => 'login', scram_last => $what}), mechanism => [$mechanism, 'PLAIN']);
            is(eval { $error->kind }, 'auth', 'an error, although the server may say 235');
            like($error, qr/signature|prove|between|v=/, 'that says why');
            is(scalar(grep { /\AAUTH PLAIN/ } @lines), 0, 'PLAIN is not tried');
            is_deeply([shows_password(@lines)], [], 'the password was not shown');
        };
    }
}

subtest 'the signature inside the 235' => sub {
    for my $where ('235', '235 2.7.0') {
        my ($error) = log_in(sandbox({stage => 'noop', delay => 0}, scram_signature => $where), mechanism => 'SCRAM-SHA-256');
        is($error, undef, "in a $where");
    }
    my ($error) = log_in(sandbox({stage => 'login', scram_last => 'wrong'}, scram_signature => '235'), mechanism => 'SCRAM-SHA-256');
    like($error, qr/signature/, 'a wrong one');
};

subtest 'an error at the end is the refusal with its words' => sub {
    my ($error) = log_in(sandbox({stage => 'login', scram_last => 'e=other-error'}), mechanism => 'SCRAM-SHA-256');
    like($error, qr/535 .*SCRAM-SHA-256: other-error/, 'both');
};

subtest 'OAuth' => sub {
    for my $mechanism ('OAUTHBEARER', 'XOAUTH2') {
        my @with = (mechanism => $mechanism, oauth_token => 'wrong');
        my ($error) = log_in(sandbox({stage => 'login', oauth_error => 'none'}), @with);
        like($error, qr/535/, "$mechanism: 535 at once");
        ($error) = log_in(sandbox({stage => 'login', oauth_error => "no JSON\x00\x1b"}), @with);
        like($error, qr/535 .*no JSON\?\?/, 'words that are no JSON are shown, escaped');
        my @lines;
        ($error, @lines) = log_in(sandbox({stage => 'login', challenge => '{"status":"401"}'}), @with);
        is($lines[-1], '*', 'complaints without end are cancelled');
        like($error, qr/goes on after its complaint/, 'and that is said');
        ok(@lines <= 4, 'soon');
    }
};

subtest 'challenges' => sub {
    for my $junk ('not base64 at all', '====', 'A', "\xff\xfe") {
        my ($error, @lines) = log_in(sandbox({stage => 'auth-challenge', reply => "334 $junk\r\n"}), mechanism => 'CRAM-MD5');
        is($lines[-1], '*', 'junk is cancelled');
        like($error, qr/the challenge is not base64: "[\x20-\x7e]*"/, 'and shown, escaped');
    }
    my ($error, @lines) = log_in(sandbox({stage => 'auth-challenge', reply => '334 ' . 'A' x 12288 . "\r\n"}), mechanism => 'CRAM-MD5');
    is($error->code, 535, 'a challenge of 12288 octets is answered, which is another than was meant');
    ok(!grep({ $_ eq '*' } @lines), 'not cancelled');
    ($error, @lines) = log_in(sandbox({stage => 'auth-challenge', endless => 'A' x 1000}), mechanism => 'CRAM-MD5');
    ok($error, 'one without an end is not');
    ($error, @lines) = log_in(sandbox({stage => 'login', challenge => 'again'}), mechanism => $_) for 'LOGIN';
    is($lines[-1], '*', 'LOGIN without end is cancelled');
};

done_testing;
