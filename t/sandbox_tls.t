# The test server inside TLS: both ways in, good and bad certificates, faults around the handshake.
use strict;
use warnings;
use IO::Socket::INET;
use IPC::Open2;
use lib 't/lib';
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use RawClient;
use Test::More;

my $AUTH = 'AUTH PLAIN AGRlbW8Ac2VjcmV0';
my ($openssl) = grep { -x } map { "$_/openssl" } split /:/, $ENV{PATH} || '';

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(users => { demo => 'secret' }, @_) }

# Says lines through "openssl s_client"; returns everything that the server said.
sub s_client {
    my ($server, $lines, @more) = @_;
    my @way = $server->url =~ /\Asmtps/ ? () : qw(-starttls smtp -name me.example.test);
    my @verify = ('-CAfile', $server->ca_file, qw(-verify_return_error -verify_hostname localhost));
    local $SIG{PIPE} = 'IGNORE';
    @more = ('-connect' => '127.0.0.1:' . $server->port, @more) unless grep { $_ eq '-connect' } @more;
    my $pid = open2(my $read, my $write, "exec $openssl s_client -quiet -crlf @way @verify @more 2>/dev/null");
    print {$write} map { "$_\n" } @$lines;
    close $write;
    my $said = do { local $/; <$read> };
    waitpid $pid, 0;
    return defined $said ? $said : '';
}

my @mail = ('EHLO me', $AUTH, 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', 'Subject: x', '', '..dot', '.',
    'QUIT');

subtest 'a message through openssl s_client' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    for my $tls (qw(starttls implicit)) {
        my $server = sandbox(tls => $tls);
        my $said = s_client($server, \@mail);
        like($said, qr/^221 2\.0\.0 Bye\r$/m, "$tls: to the end");
        like($said, qr/^250 AUTH PLAIN LOGIN CRAM-MD5\r$/m, 'AUTH is offered');
        unlike($said, qr/STARTTLS/, 'STARTTLS is not, inside');
        my ($message) = $server->messages;
        is($message->data, "Subject: x\r\n\r\n.dot\r\n", 'the octets');
        like($message->tls, qr/\ATLSv1\.[23]\z/, 'the version');
        is($message->user, 'demo', 'the user');
        is($server->wait_for(sessions => 1)->ended, 'quit', 'the end');
        like($server->url, $tls eq 'implicit' ? qr/\Asmtps:/ : qr/\Asmtp:/, 'the URL');
    }
};

subtest 'everything said before STARTTLS is forgotten' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    my $server = sandbox(require_auth => 0);
    like(s_client($server, [ 'MAIL FROM:<a@b.test>', 'QUIT' ]), qr/^503 5\.5\.1 Say EHLO first/m, 'EHLO too');
    like(s_client($server, [ 'EHLO me', 'STARTTLS', 'QUIT' ]), qr/^503 5\.5\.1 TLS is there already/m,
        'no TLS in TLS');
};

subtest 'certificates that a client must refuse' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    for my $certificate (qw(expired wrong-name self-signed unknown-ca)) {
        my $server = sandbox(tls => 'implicit', certificate => $certificate);
        is(s_client($server, [ 'EHLO me', 'QUIT' ]), '', $certificate);
        like($server->wait_for(sessions => 1)->ended, qr/TLS|client/, 'how that looked');
    }
    my $server = sandbox(tls => 'implicit', certificate => 'cn-only');
    like(s_client($server, ['QUIT']), qr/221/, 'cn-only: OpenSSL by itself takes it');
};

subtest 'certificates of clients' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    my $server = sandbox(tls => 'implicit', client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('someone');
    like(s_client($server, ['QUIT'], '-cert' => $certificate, '-key' => $key), qr/221/, 'with one');
    is($server->wait_for(sessions => 1)->client_certificate, 'CN=someone', 'whose it was');
};

subtest 'what is said before TLS' => sub {
    my $server = sandbox(require_tls => 1);
    my $client = RawClient->connect($server->port);
    $client->reply;
    is($client->say('STARTTLS'), "503 5.5.1 Say EHLO first\r\n", 'EHLO comes first');
    my $offer = $client->say('EHLO me');
    like($offer, qr/^250[- ]STARTTLS\r$/m, 'STARTTLS is offered');
    unlike($offer, qr/AUTH/, 'AUTH is not');
    is(join(' ', map { substr $client->say($_), 0, 3 } 'NOOP', $AUTH, 'MAIL FROM:<a@b.test>', 'STARTTLS now'),
        '250 530 530 501', 'require_tls');
    $client = RawClient->ready(($server = sandbox())->port);
    is(substr($client->say($AUTH), 0, 3), 538, 'AUTH without TLS');
    $client = RawClient->ready((my $open = sandbox(auth_without_tls => 1))->port);
    is(substr($client->say($AUTH), 0, 3), 235, 'auth_without_tls');
    $client = RawClient->ready($server->port);
    $client->send("STARTTLS\r\nEHLO injected\r\n");
    like($client->reply, qr/\A220 /, 'octets behind STARTTLS');
    is($client->rest(0.2), '', 'are not answered');
    ok((grep { $_ eq 'early talker: 15 octets behind STARTTLS' } map { $_->notes } $server->sessions), 'but noted');
    $client->send("EHLO in clear\r\n");
    $client->rest;
    is($client->why, 'end', 'plain text instead of a handshake ends the connection');
    like(($server->wait_for(sub { my @ended = grep { ($_->ended || '') =~ /TLS/ } $_[0]->sessions; $ended[0] })
        || die)->ended,
        qr/\ATLS handshake failed: /, 'for a reason that is told');
};

subtest 'faults around the handshake' => sub {
    my $client = RawClient->ready((my $server = sandbox(faults => [ { stage => 'starttls',
        append => "250 injected\r\n" } ]))->port);
    $client->send("STARTTLS\r\n");
    is($client->rest(0.2), "220 2.0.0 Ready to start TLS\r\n250 injected\r\n", 'octets behind the reply to STARTTLS');
    $client = RawClient->ready(($server = sandbox(faults => [ { stage => 'starttls',
        reply => "454 4.7.0 not now\r\n" } ]))->port);
    is($client->say('STARTTLS') . $client->say('NOOP'), "454 4.7.0 not now\r\n250 2.0.0 Ok\r\n", 'a refusal');
    for my $tls (qw(starttls implicit)) {
        my %octets = (garbage => "220 this is no TLS\r\n", close => '', reset => '');
        for my $fault (sort keys %octets) {
            $server = sandbox(tls => $tls, faults => [ { stage => 'tls', $fault => $octets{$fault} || 1 } ]);
            $client = RawClient->connect($server->port);
            $client->reply if $tls eq 'starttls';
            $client->say($_) for $tls eq 'starttls' ? ('EHLO me', 'STARTTLS') : ();
            is($client->rest(0.3), $octets{$fault}, "$tls: $fault at the handshake");
        }
    }
};

# A man in the middle for one connection, who adds a command behind STARTTLS. Gives his port and process.
sub injector {
    my ($port) = @_;
    my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
    my $pid = fork;
    die $! unless defined $pid;
    return ($listener->sockport, $pid) if $pid;
    my @ends = (scalar $listener->accept, RawClient->connect($port)->socket);
    while (1) {
        my $ready = '';
        vec($ready, fileno $_, 1) = 1 for @ends;
        select $ready, undef, undef, 10;
        for my $from (grep { vec $ready, fileno $ends[$_], 1 } 0, 1) {
            sysread $ends[$from], my $octets, 65536 or POSIX::_exit(0);
            $octets .= "EHLO injected\r\n" if $octets eq "STARTTLS\r\n";
            syswrite $ends[ 1 - $from ], $octets;
        }
    }
}

subtest 'a plaintext buffer that survives STARTTLS' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    for my $keeps (0, 1) {
        my $server = sandbox(keep_input_behind_starttls => $keeps);
        my ($port, $pid) = injector($server->port);
        my $said = s_client($server, [ 'NOOP', 'QUIT' ], '-connect' => "127.0.0.1:$port");
        like($said, $keeps ? qr/^250-sandbox.*^250 2\.0\.0 Ok/ms : qr/\A(?:250 \w+\n)?250 2\.0\.0 Ok/,
            $keeps ? 'kept when told' : 'dropped otherwise');
        waitpid $pid, 0;
    }
};

subtest 'cut and slow replies inside TLS' => sub {
    plan skip_all => 'no openssl program here' unless $openssl;
    my $server = sandbox(tls => 'implicit', faults => [ { stage => 'noop', cut_after => 4 }, { stage => 'ehlo',
        drip => 0.001 } ]);
    like(s_client($server, [ 'EHLO me', 'NOOP' ]), qr/^250 AUTH [^\n]*\n250 \z/m, 'a part of a reply, then the end');
};

done_testing;
