# The faults of Net::SMTP in auth that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use BothClasses;
use Face;
use MIME::Base64 qw(decode_base64 encode_base64);
use TinyServer;
use Test::More;

sub over_tls { return sandbox(tls => 'implicit', users => {demo => 'secret'}, @_) }
sub secure { return client($_[0], class => $_[1], SSL => 1) }

bug 14 => 'auth does not die', sub {
    my ($class) = @_;
    my $server = over_tls(keywords => ['AUTH GSSAPI']);
    my $smtp = secure($server, $class);
    expect 'no mechanism in common', outcome(sub { $smtp->auth('demo', 'secret') }), '';
    expect 'no user', outcome(sub { $smtp->auth('', 'secret') }), '';
    expect 'the connection is as it was', $smtp->reset, 1;
    $server = over_tls(mechanisms => ['CRAM-MD5']);
    $smtp = secure($server, $class);
    expect 'wide characters', outcome(sub { $smtp->auth('demo', "\x{263a}") }), '';
};

bug 15 => 'the next mechanism after a refusal', sub {
    my ($class) = @_;
    my $server = over_tls(mechanisms => [qw(PLAIN LOGIN CRAM-MD5)],
        keywords => ['AUTH EXTERNAL PLAIN LOGIN CRAM-MD5'],
        faults => [{stage => 'auth', nth => [1, 2], reply => "504 not that one\r\n"}]);
    my $smtp = secure($server, $class);
    expect 'auth', outcome(sub { $smtp->auth('demo', 'secret') }), 1;
    my @tried = map { /\AAUTH (\S+)/ } said($server, $smtp);
    expect 'tried', scalar @tried, 3;
    expect 'EXTERNAL was among them', truth(grep { /EXTERNAL/ } @tried), 'false';
};

bug 15 => 'a challenge that is none is cancelled', sub {
    my ($class) = @_;
    my $server = sandbox(users => {demo => 'secret'}, mechanisms => ['CRAM-MD5'],
        faults => [{stage => 'auth-challenge', reply => "334 !!!\r\n"}]);
    my $smtp = client($server, class => $class);
    expect 'auth', outcome(sub { $smtp->auth('demo', 'secret') }), '';
    expect 'the last line', (said($server, $smtp))[-1], '*';
};

# Offers DIGEST-MD5 with these qualities of protection, and believes whatever it is told.
sub digest_server {
    my ($qop) = @_;
    my $challenge = encode_base64(qq(realm="r",nonce="n",qop="$qop",algorithm=md5-sess,charset=utf-8), '');
    return TinyServer->start(sub {
        my ($socket, $read) = @_;
        print {$socket} "220 tiny.test\r\n";
        my @replies = ("250-tiny.test\r\n250 AUTH DIGEST-MD5\r\n", "334 $challenge\r\n", "235 ok\r\n");
        while ($read->()) { print {$socket} shift @replies // "250 ok\r\n" }
    });
}

# What auth gives, what it answered, and the lines it said.
sub digest {
    my ($class, $host, $qop) = @_;
    my $server = digest_server($qop);
    my $smtp = $class->new($host =~ s/PORT/$server->port/er, Port => $server->port, Timeout => 10 * $SLOW)
        or die "new: $@";
    my $object = Authen::SASL->new(mechanism => 'DIGEST-MD5', callback => {user => 'demo', pass => 'secret'});
    my $result = outcome(sub { $smtp->auth($object) });
    close $smtp if defined fileno $smtp;
    my @said = $server->heard =~ /([^\r\n]+)/g;
    return ($result, decode_base64($said[2] // ''), @said);
}

bug 15 => 'a server that proves nothing is not believed', sub {
    my ($class) = @_;
    my ($result) = digest($class, '127.0.0.1', 'auth');
    expect 'auth, when 235 comes before the proof that DIGEST-MD5 promises', $result, '';
}, 'Authen::SASL';

bug 16 => 'no authorization identity unless one is asked for', sub {
    my ($class) = @_;
    my $server = over_tls(mechanisms => ['PLAIN']);
    my $smtp = secure($server, $class);
    $smtp->auth('demo', 'secret');
    my ($initial) = map { /\AAUTH PLAIN (\S+)/ ? $1 : () } said($server, $smtp);
    expect 'PLAIN', decode_base64($initial // '') =~ tr/\0/!/r, '!demo!secret';
};

bug 17 => 'an initial response that is too long for a line waits for the challenge', sub {
    my ($class) = @_;
    my $long = 'x' x 2000;
    my $server = over_tls(users => {demo => $long}, mechanisms => ['PLAIN']);
    my $smtp = secure($server, $class);
    expect 'auth', $smtp->auth('demo', $long), 1;
    my ($first) = grep { /AUTH/ } said($server, $smtp);
    expect 'octets of the line with AUTH', length($first), length 'AUTH PLAIN';
};

bug 18 => 'no security layer is agreed on that nobody then speaks', sub {
    my ($class) = @_;
    my (undef, $response) = digest($class, '127.0.0.1', 'auth,auth-int,auth-conf');
    expect 'of auth, auth-int and auth-conf', ($response =~ /qop="?([\w-]+)/)[0], 'auth';
    my ($result) = digest($class, '127.0.0.1', 'auth-int');
    expect 'auth, where there is nothing but auth-int', $result, '';
}, 'Authen::SASL';

bug 19 => 'a port in the host is no part of its name', sub {
    my ($class) = @_;
    my (undef, $response) = digest($class, '127.0.0.1:PORT', 'auth');
    expect 'digest-uri', ($response =~ /digest-uri="([^"]*)"/)[0], 'smtp/127.0.0.1';
}, 'Authen::SASL';

bug 19 => 'nor of the name that the certificate must bear', sub {
    my ($class) = @_;
    my $server = over_tls();
    my $smtp = $class->new('localhost:' . $server->port, SSL => 1, SSL_ca_file => $server->ca_file);
    expect 'new', truth($smtp), 'true';
};

bug 20 => 'debug shows no password', sub {
    my ($class) = @_;
    for my $mechanism (qw(PLAIN LOGIN)) {
        my $server = over_tls(mechanisms => [$mechanism]);
        my $text = stderr_of(sub {
            my $smtp = secure($server, $class);
            $smtp->debug(1);
            $smtp->auth('demo', 'secret');
        });
        my @shown = $text =~ /(secret|c2VjcmV0|ZGVtbwBzZWNyZXQ|AGRlbW8Ac2VjcmV0)/g;
        expect "$mechanism: of the password", "@shown", '';
        expect "$mechanism: that there was one is shown", truth($text =~ />>> (?:AUTH PLAIN )?\*\*\*/), 'true';
    }
};

done_testing;
