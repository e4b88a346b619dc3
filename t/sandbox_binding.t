# Logins to the test server that need TLS: SCRAM bound to its channel, and EXTERNAL by a certificate.
# valgrind: no
use strict;
use warnings;
use Digest::SHA qw(sha256);
use IPC::Open2;
use lib 't/lib';
use MIME::Base64 qw(decode_base64);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use RawLogin;
use Test::More;

my ($openssl) = grep { -x } map { "$_/openssl" } split /:/, $ENV{PATH} || '';
plan skip_all => 'no openssl program here' unless $openssl;
alarm 60 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);    # s_client may wait for what never comes

my @SCRAM = map { ("SCRAM-SHA-$_", "SCRAM-SHA-$_-PLUS") } 1, 256, 512;

sub sandbox {
    return Net::SMTP::AuthC::Sandbox->new(users => { demo => 'secret' }, tls => 'implicit', scram_iterations => 50,
        mechanisms => [ @SCRAM, 'EXTERNAL' ], @_);
}

# A talk through "openssl s_client", which tells what a channel can be bound to. Greeted, EHLO said.
package Inside;

sub connect {
    my ($class, $server, @more) = @_;
    my @verify = ('-CAfile', $server->ca_file, qw(-verify_return_error -verify_hostname localhost));
    my @export = ('-keymatexport' => 'EXPORTER-Channel-Binding', '-keymatexportlen' => 32);
    my $command = join ' ', "exec $openssl s_client -crlf", @verify, @export, @more, '-connect';
    my $pid = IPC::Open2::open2(my $read, my $write, "$command 127.0.0.1:" . $server->port . ' 2>/dev/null');
    my $self = bless { pid => $pid, read => $read, write => $write, told => '' }, $class;
    $self->reply;
    $self->{offer} = $self->say('EHLO me');
    return $self;
}

sub say {
    my ($self, $line) = @_;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{write}, "$line\n";
    return $self->reply;
}

# The next reply: lines that end in CRLF. The program's own do not, but the greeting may stand behind half of one.
sub reply {
    my ($self) = @_;
    my $reply = '';
    while (defined(my $line = readline $self->{read})) {
        $line =~ /\r\n\z/ ? ($reply .= $line) : ($self->{told} .= $line);
        return $reply if $line =~ /[0-9]{3} .*\r\n\z/ && $line !~ /\A[0-9]{3}-/;
    }
    return $reply;
}

sub exporter { return $_[0]{told} =~ /Keying material: ([0-9A-F]+)/ ? pack 'H*', $1 : '' }

# RFC 5929 section 4: the certificates of the sandbox are signed with SHA-256.
sub end_point {
    my ($self) = @_;
    my ($pem) = $self->{told} =~ /-----BEGIN CERTIFICATE-----\n(.*?)-----END/s;
    return main::sha256(main::decode_base64($pem));
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    close $self->{write};
    close $self->{read};
    waitpid $self->{pid}, 0;
}

package main;

subtest 'EXTERNAL' => sub {
    my $server = sandbox(client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('someone');
    my %want = ('' => 235, someone => 235, other => 535);
    for my $identity (sort keys %want) {
        my $client = Inside->connect($server, '-cert' => $certificate, '-key' => $key);
        my ($said) = RawLogin::talk($client, 'EXTERNAL', $identity);
        is(substr($said, 0, 3), $want{$identity}, "identity '$identity'");
    }
    is(($server->sessions)[0]->user, 'someone', 'the user is who the certificate is for');
};

subtest 'SCRAM with channel binding' => sub {
    plan skip_all => 'this build has no channel binding' unless Net::SMTP::AuthC::Sandbox::TLS->can('binding');
    my $server = sandbox();
    for my $hash (1, 256, 512) {
        my $client = Inside->connect($server);
        like($client->{offer}, qr/^250 AUTH @SCRAM EXTERNAL\r$/m, 'offered');
        my %want = (hash => $hash, flag => 'p=tls-exporter', binding => $client->exporter);
        my ($scram, @said) = RawLogin::talk_scram($client, %want, binding => $client->end_point);
        is($said[1], '334 e=channel-bindings-dont-match', "SHA-$hash: not by other octets");
        ($scram, @said) = RawLogin::talk_scram($client, hash => $hash, flag => 'y', mechanism => "SCRAM-SHA-$hash");
        is($said[0], '334 e=server-does-support-channel-binding', 'not by one who believes there is none');
        ($scram, @said) = RawLogin::talk_scram($client, %want);
        is_deeply([ $said[1], substr $said[2], 0, 3 ], [ '334 v=' . $scram->signature, 235 ], 'by tls-exporter');
    }
    my $client = Inside->connect($server);
    my ($scram, @said) = RawLogin::talk_scram($client, flag => 'p=tls-server-end-point',
        binding => $client->end_point);
    is($said[1], '334 v=' . $scram->signature, 'by tls-server-end-point');
    $client = Inside->connect($server);
    ($scram, @said) = RawLogin::talk_scram($client, flag => 'p=tls-unique', binding => '');
    is($said[0], '334 e=unsupported-channel-binding-type', 'tls-unique is not for TLS 1.3');
};

subtest 'taken out of the offer' => sub {
    plan skip_all => 'this build has no channel binding' unless Net::SMTP::AuthC::Sandbox::TLS->can('binding');
    my $server = sandbox(faults => [ { stage => 'ehlo', without => qr/-PLUS\z/ } ]);
    my $client = Inside->connect($server);
    like($client->{offer}, qr/^250 AUTH SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 EXTERNAL\r$/m, 'not seen');
    my ($scram, @said) = RawLogin::talk_scram($client, flag => 'y', mechanism => 'SCRAM-SHA-256');
    is($said[0], '334 e=server-does-support-channel-binding', 'but a client that could have used it learns of it');
};

subtest 'outside TLS' => sub {
    my $server = sandbox(tls => 'starttls', auth_without_tls => 1);
    my $client = RawClient->connect($server->port);
    $client->reply;
    like($client->say('EHLO me'), qr/^250 AUTH SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 EXTERNAL\r$/m, 'not offered');
    is(substr($client->say('AUTH SCRAM-SHA-256-PLUS'), 0, 3), 504, 'and not taken');
};

done_testing;
