# Certificates good and bad, handshakes that stall or are cut: the verdict of both faces, and what they tell.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Face;
use Net::SMTP::AuthC::Sandbox::Certificates;
use Test::More;
use TinyServer;

use constant DAY => 86_400;

my $slow = $ENV{NET_SMTP_AUTHC_SLOW} || 1;

sub error_of { my ($code) = @_; return eval { $code->(); 1 } ? 'no error' : $@ }

sub certificate {
    my (%want) = @_;
    return [Net::SMTP::AuthC::Sandbox::TLS::make_certificate(common_name => 'mail', valid_seconds => DAY, %want)];
}

# Whoever signs: the authority that clients know, one below it, and others.
my %signer = (
    known        => [Net::SMTP::AuthC::Sandbox::Certificates::authority('known')],
    stranger     => certificate(common_name => 'A stranger', is_ca => 1),
    itself       => undef,
);
$signer{intermediate} = certificate(common_name => 'Between', is_ca => 1, issuer => $signer{known});
$signer{expired}      = certificate(common_name => 'Old', is_ca => 1, issuer => $signer{known},
    valid_seconds => -DAY);
$signer{weak}         = certificate(common_name => 'Weak', is_ca => 1, issuer => $signer{known}, key => 'RSA-1024');
$signer{nobody}       = certificate(common_name => 'Nobody', names => 'DNS:localhost', issuer => $signer{known});

# by: who signs, sends: who else is in the chain. says: the error, undef: none; for new, if that is another.
my $nul_name = 'DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74';
my @rows = (
    ['good', 'localhost', {names => 'DNS:localhost'}],
    ['good, in capitals', 'localhost', {names => 'DNS:LOCALHOST'}],
    ['good, with a dot behind it', 'localhost.', {names => 'DNS:localhost'}],
    ['good, among others', 'b.test', {names => 'DNS:a.test,DNS:b.test,IP:127.0.0.1'}],
    ['good, RSA', 'localhost', {names => 'DNS:localhost', key => 'RSA-2048'}],
    ['expired', 'localhost', {names => 'DNS:localhost', valid_seconds => -DAY},
        qr/certificate "CN=mail" \(depth 0\) expired on 20\d\d-\d\d-\d\dT[\d:]+Z: its owner must renew it/],
    ['not yet valid', 'localhost', {names => 'DNS:localhost', valid_from_seconds => DAY, valid_seconds => 2 * DAY},
        qr/"CN=mail" \(depth 0\) is valid only from 20\d\d-\d\d-\d\dT[\d:]+Z on: is this machine's clock right\?/],
    ['another name', 'localhost', {names => 'DNS:other.test,DNS:more.test'},
        qr/is not for localhost but for DNS:other\.test, DNS:more\.test: connect by a name it bears/],
    ['self-signed', 'localhost', {names => 'DNS:localhost', by => 'itself'},
        qr/"CN=mail" \(depth 0\) is self-signed, so nobody vouches for it: give it as ca_file \(SSL_ca_file\)/],
    ['unknown authority', 'localhost', {names => 'DNS:localhost', by => 'stranger'},
        qr/issuer of certificate "CN=mail" \(depth 0\), "CN=A stranger", is not known here: give ca_file/],
    ['unknown authority, sent along', 'localhost', {names => 'DNS:localhost', by => 'stranger', sends => 'stranger'},
        qr/"CN=A stranger" \(depth 1\) at the end of the chain is not trusted here: give ca_file/],
    ['intermediate', 'localhost', {names => 'DNS:localhost', by => 'intermediate', sends => 'intermediate'}],
    ['intermediate missing', 'localhost', {names => 'DNS:localhost', by => 'intermediate'},
        qr/"CN=Between", is not known here: .* may lack an intermediate certificate/],
    ['intermediate expired', 'localhost', {names => 'DNS:localhost', by => 'expired', sends => 'expired'},
        qr/certificate "CN=Old" \(depth 1\) expired on/],
    ['signed by no authority', 'localhost', {names => 'DNS:localhost', by => 'nobody', sends => 'nobody'},
        qr/"CN=Nobody" \(depth 1\) is not of an authority/],

    ['wildcard, whole first label', 'a.mail.test', {names => 'DNS:*.mail.test'}],
    ['wildcard, its domain', 'mail.test', {names => 'DNS:*.mail.test'},
        qr/is not for mail\.test but for DNS:\*\.mail/],
    ['wildcard, two labels', 'a.b.mail.test', {names => 'DNS:*.mail.test'}, qr/is not for a\.b\.mail\.test/],
    ['wildcard, behind a letter', 'abc.mail.test', {names => 'DNS:a*.mail.test'}, qr/is not for abc\.mail\.test/],
    ['wildcard, before a letter', 'abc.mail.test', {names => 'DNS:*c.mail.test'}, qr/is not for abc\.mail\.test/],
    ['wildcard, inside a label', 'abc.mail.test', {names => 'DNS:a*c.mail.test'}, qr/is not for abc\.mail\.test/],
    ['wildcard, second label', 'a.mail.test', {names => 'DNS:a.*.test'}, qr/is not for a\.mail\.test/],
    ['wildcard, last label', 'a.mail.test', {names => 'DNS:a.mail.*'}, qr/is not for a\.mail\.test/],
    ['wildcard, twice', 'a.mail.test', {names => 'DNS:*.*.test'}, qr/is not for a\.mail\.test/],
    ['wildcard, a top level', 'mail.test', {names => 'DNS:*.test'}, qr/is not for mail\.test/],
    ['wildcard, alone', 'localhost', {names => 'DNS:*'}, qr/is not for localhost/],

    ['address', '127.0.0.1', {names => 'IP:127.0.0.1'}],
    ['address, IPv6 in another spelling', '0:0:0::1', {names => 'IP:::1'}],
    ['another address', '127.0.0.1', {names => 'IP:127.0.0.2'},
        qr/is not for 127\.0\.0\.1 but for IP Address:127\.0\.0\.2/],
    ['address as a name', '127.0.0.1', {names => 'DNS:127.0.0.1'}, qr/is not for 127\.0\.0\.1/],
    ['address for a name', 'localhost', {names => 'IP:127.0.0.1'}, qr/is not for localhost but for IP Address/],
    ['address as common name', '127.0.0.1', {common_name => '127.0.0.1'}, qr/bears no subjectAltName/],

    ['common name only', 'localhost', {common_name => 'localhost'},
        qr/is not for localhost: it bears no subjectAltName \(a common name counts only .* allow_common_name\)/,
        undef],
    ['another common name', 'localhost', {common_name => 'other.test'}, qr/bears no subjectAltName/],
    ['common name beside another name', 'localhost', {common_name => 'localhost', names => 'DNS:other.test'},
        qr/is not for localhost but for DNS:other\.test/],
    ['a NUL in the name', 'localhost', {names => $nul_name}, qr/is not for localhost/],
    ['a NUL in the name, and a common name', 'localhost', {common_name => 'localhost', names => $nul_name},
        qr/is not for localhost/],

    ['weak key', 'localhost', {names => 'DNS:localhost', key => 'RSA-1024'},
        qr/"CN=mail" \(depth 0\) has a key too small to be safe \(1024 bits\): its owner must replace it/],
    ['weak key of the issuer', 'localhost', {names => 'DNS:localhost', by => 'weak', sends => 'weak'},
        qr/"CN=Weak" \(depth 1\) has a key too small/],
    ['for clients only', 'localhost', {names => 'DNS:localhost', extended_key_usage => 'clientAuth'},
        qr/is not made for this use .* serverAuth/],
);

sub server_of {
    my ($want) = @_;
    my %want = %$want;
    my ($by, $sends) = (delete $want{by} // 'known', delete $want{sends});
    my ($chain, $key) = @{ certificate(%want, $signer{$by} ? (issuer => $signer{$by}) : ()) };
    $chain .= $signer{$sends}[0] if $sends;
    return sandbox(tls => 'implicit', certificate => [$chain, $key]);
}

# undef when it went well.
sub verdict_of_connect {
    my ($server, $name) = @_;
    my $smtp = eval { Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, timeout => 10 * $slow,
        tls_name => $name) };
    return $smtp ? undef : $@;
}

sub verdict_of_new {
    my ($server, $name) = @_;
    my $smtp = eval { client($server, SSL => 1, Timeout => 10 * $slow, SSL_verifycn_name => $name) };
    return $smtp ? undef : $@;
}

sub judge {
    my ($words, $error, $name) = @_;
    return is($error, undef, "$name: taken") if !$words;
    like($error, $words, "$name: refused, in words");
    return like($error, qr/TLS handshake/, "$name: where");
}

subtest 'certificates' => sub {
    for my $row (@rows) {
        my ($test, $name, $want, $words) = @$row;
        my $server = server_of($want);
        my $error = verdict_of_connect($server, $name);
        judge($words, $error, "$test, connect");
        is_deeply([$error->kind, $error->step, $error->temporary], ['tls', 'TLS handshake', 0], "$test: its kind")
            if $words;
        judge(@$row > 4 ? $row->[4] : $words, verdict_of_new($server, $name), "$test, new");
        $server->wait_for(sub { !grep { !defined $_->ended } $_[0]->sessions });
        is_deeply([map { $_->client_lines } grep { $_->ended =~ /TLS/ } $server->sessions], [],
            "$test: nothing was said") if $words;
    }
};

subtest 'STARTTLS judges as TLS from the start does' => sub {
    for my $certificate (qw(expired wrong-name self-signed unknown-ca)) {
        my $server = sandbox(tls => 'starttls', users => {demo => 'secret'}, certificate => $certificate);
        my @option = (ca_file => $server->ca_file, username => 'demo', password => 'secret');
        my $error = error_of(sub { Net::SMTP::AuthC->connect($server->url, @option) });
        is($error->kind, 'tls', $certificate);
        like($error->text, qr/certificate "CN=[^"]*" \(depth 0\)/, 'which one');
        like(error_of(sub { Net::SMTP::AuthC->connect($server->url . '?tls=opportunistic', @option) }),
            qr/certificate/, "$certificate: opportunistic TLS too");
        $server->wait_for(sub { !grep { !defined $_->ended } $_[0]->sessions });
        is_deeply([grep { !/\A(?:EHLO|STARTTLS)/ } map { $_->client_lines } $server->sessions], [],
            'nothing more was said');
    }
};

# Greets inside TLS, then does what it is told; the socket and what sends and receives inside TLS.
sub tls_server {
    my ($deed) = @_;
    my ($certificate, $key) = Net::SMTP::AuthC::Sandbox::Certificates::server('good');
    return TinyServer->start(sub {
        my ($socket) = @_;
        my $tls = Net::SMTP::AuthC::Sandbox::TLS->new(fileno $socket, $certificate, $key);
        1 until $tls->handshake;
        my $heard = '';
        my $hear = sub {
            my ($until) = @_;
            while ($heard !~ $until) {
                my $octets = $tls->receive(65_536) // next;
                return 0 if $octets eq '';
                $heard .= $octets;
            }
            $heard = '';
            return 1;
        };
        $deed->($socket, $tls, $hear);
    });
}

sub authority { my $server = sandbox(tls => 'implicit'); return ($server, ca_file => $server->ca_file) }

subtest 'handshakes that stall' => sub {
    my ($keep, @ca) = authority();
    my %stall = (
        'silence'     => sub { sleep 60 },
        'one octet'   => sub { print { $_[0] } "\x16"; sleep 60 },
        'half a record, drop by drop' => sub {
            for my $octet (split //, "\x16\x03\x03\x40\x00" . "\x02" x 500) {
                print { $_[0] } $octet;
                select undef, undef, undef, 0.1;
            }
        },
    );
    for my $name (sort keys %stall) {
        my $server = TinyServer->start(sub { $stall{$name}->(@_) });
        my $limit = $name =~ /drop/ ? 'deadline' : 'timeout';
        my $began = time;
        my $error = error_of(sub { Net::SMTP::AuthC->connect('smtps://localhost:' . $server->port, @ca,
            $limit => $slow) });
        is(ref $error && $error->kind, 'timeout', "$name: $limit ends it") or diag $error;
        is($error->step, 'TLS handshake', 'in the handshake');
        cmp_ok(time - $began, '<', 20 * $slow, 'in time');
    }
    my $server = TinyServer->start($stall{silence});
    ok(!Net::SMTP::AuthC->new('localhost', Port => $server->port, SSL => 1, Timeout => $slow), 'new');
    like($@, qr/TLS handshake: no answer within/, 'says where');
};

subtest 'a stream that ends before the final reply is cut, with close_notify or without' => sub {
    my ($keep, @ca) = authority();
    my $talk = sub {
        my ($end) = @_;
        return sub {
            my ($socket, $tls, $hear) = @_;
            $tls->send("220 here\r\n");
            for my $reply ("250 here\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n") {
                $hear->(qr/\r\n\z/) or return;
                $tls->send($reply);
            }
            $hear->(qr/\r\n\.\r\n\z/) or return;
            $end->($tls);
        };
    };
    my %end = (
        'cut in the reply'        => sub { $_[0]->send('250 2.0.0 tak') },
        'closed in the reply'     => sub { $_[0]->send('250 2.0.0 tak'); $_[0]->close },
        'cut before the reply'    => sub { },
        'closed before the reply' => sub { $_[0]->close },
    );
    for my $name (sort keys %end) {
        my $server = tls_server($talk->($end{$name}));
        my $smtp = Net::SMTP::AuthC->connect('smtps://localhost:' . $server->port, @ca, timeout => 10 * $slow);
        my $error = error_of(sub { $smtp->submit("x\r\n", from => 'a@b.test', to => 'c@d.test') });
        is(ref $error && $error->kind, 'closed', $name) or diag $error;
        is($error->may_have_been_sent, 1, 'the message may be out');
        is(join(' ', map { $_->outcome } $error->receipt->recipients), 'unknown', 'nobody knows');
    }
};

done_testing;
