# Authen::SASL's own objects, those in Perl and those over the Cyrus library, against the sandbox.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/../t/lib';
use Face;
use MIME::Base64 qw(encode_base64 decode_base64);
use TinyServer;
use Test::More;

BEGIN {
    eval { require Authen::SASL; require Authen::SASL::Perl; 1 } or plan skip_all => 'Authen::SASL is not installed';
}

my %users = (demo => 'secret', 'd"e\\mo' => 's"e\\c:ret');
my %callback = (user => 'demo', auth => 'demo', pass => 'secret');    # auth: what Cyrus calls user

# The Cyrus library names no mechanism that it has taken, knows no is_success, and says nothing where nothing is due.
my ($cyrus) = grep { eval "require $_; 1" } qw(Authen::SASL::XS Authen::SASL::Cyrus);
my @plugins = ('Authen::SASL::Perl', $cyrus || ());
note(join ', ', map { "$_ " . ($_->VERSION // '?') } 'Authen::SASL', @plugins);

sub server_with { return sandbox(tls => 'implicit', users => \%users, @_) }
sub secure { return client($_[0], SSL => 1, @_[1 .. $#_]) }
sub object { return Authen::SASL->new(callback => {%callback}, @_) }

for my $plugin (@plugins) {
    local @Authen::SASL::Plugins = ($plugin);
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256)) {
        SKIP: {
            skip "$plugin has no $mechanism here", 1 if !offers($plugin, $mechanism);
            subtest "$plugin, $mechanism" => sub { logs_in($plugin, $mechanism) };
        }
    }
}

# Whether the Cyrus library has a mechanism shows only when it begins.
sub offers {
    my ($plugin, $mechanism) = @_;
    my $object = object(mechanism => $mechanism);
    my $client = eval { $object->client_new('smtp', 'localhost', 0) } or return 0;
    $client->client_start;
    return $plugin eq 'Authen::SASL::Perl' || $client->code >= 0;
}

sub logs_in {
    my ($plugin, $mechanism) = @_;
    my $server = server_with(mechanisms => [$mechanism]);
    my $object = object(mechanism => $mechanism);
    my $smtp = secure($server);
    is($smtp->auth($object), 1, 'auth') or diag $smtp->error;
    is($smtp->mechanism, $mechanism, 'mechanism');
    $smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n");
    is(($server->messages)[-1]->user, 'demo', 'the login is the one of the message');
    is($object->mechanism, $mechanism, 'the object is what it was');
    again($server, $mechanism, $object) if $plugin eq 'Authen::SASL::Perl' || $mechanism ne 'DIGEST-MD5';
    $smtp = Net::SMTP::AuthC->connect('smtps://127.0.0.1:' . $server->port, ca_file => $server->ca_file,
        sasl => object(mechanism => $mechanism));
    is($smtp->mechanism, $mechanism, 'connect');
}

# Not for Cyrus' DIGEST-MD5: it remembers the first time, and begins as the sandbox lets nobody begin.
sub again {
    my ($server, $mechanism, $object) = @_;
    my $smtp = secure($server);
    is($smtp->auth($object), 1, 'the same object once more') or diag $smtp->error;
    my $wrong = object(mechanism => $mechanism, callback => { %callback, pass => 'wrong' });
    $smtp = secure($server);
    is($smtp->auth($wrong), !1, 'a wrong password');
    is($smtp->error->kind, 'auth', 'kind of the error');
    is($smtp->code, 535, 'its code') if $mechanism !~ /\ASCRAM/;    # there the server says it in a challenge
    is($smtp->noop, 1, 'the connection goes on');
}

subtest 'the classic constructors' => sub {
    local @Authen::SASL::Plugins = ('Authen::SASL::Perl');
    my $server = server_with(mechanisms => [qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5)]);
    for my $case (['callback' => { mechanism => 'DIGEST-MD5 CRAM-MD5', callback => \%callback }, 'DIGEST-MD5'],
        ['mech' => { mech => 'CRAM-MD5 PLAIN', callback => \%callback }, 'CRAM-MD5'],
        ['user and password' => { mechanism => 'PLAIN', user => 'demo', password => 'secret' }, 'PLAIN'],
        ['no mechanism' => { callback => \%callback }, 'DIGEST-MD5'],
        ['code and list' => { mechanism => 'LOGIN',
            callback => { user => sub { 'demo' }, pass => [sub { $_[1] }, 'secret'] } }, 'LOGIN'],
        ['as Net::SMTP makes it' => { mechanism => 'DIGEST-MD5', callback => { %callback, authname => 'demo' } },
            'DIGEST-MD5'],
    ) {
        my ($name, $option, $expected) = @$case;
        my $smtp = secure($server);
        is($smtp->auth(Authen::SASL->new(%$option)), 1, $name) or diag $smtp->error;
        is($smtp->mechanism, $expected, "is $expected");
    }
    my $odd = object(mechanism => 'DIGEST-MD5', callback => { user => 'd"e\\mo', pass => 's"e\\c:ret' });
    is(secure($server)->auth($odd), 1, 'quotes in a user name');
};

subtest 'one object at two servers' => sub {
    local @Authen::SASL::Plugins = ('Authen::SASL::Perl');
    my $object = object();
    for my $mechanism (qw(DIGEST-MD5 CRAM-MD5 PLAIN)) {
        my $server = server_with(mechanisms => [$mechanism]);
        my $smtp = secure($server);
        is($smtp->auth($object), 1, $mechanism) or diag $smtp->error;
    }
};

subtest 'EXTERNAL and ANONYMOUS beside a password' => sub {
    local @Authen::SASL::Plugins = ('Authen::SASL::Perl');
    my $server = server_with(keywords => ['AUTH EXTERNAL ANONYMOUS PLAIN'], mechanisms => ['PLAIN']);
    my $smtp = secure($server);
    is($smtp->auth(object(callback => { %callback, authname => 'demo' })), 1, 'auth') or diag $smtp->error;
    is($smtp->mechanism, 'PLAIN', 'by the password');
};

for my $plugin (@plugins) {
    local @Authen::SASL::Plugins = ($plugin);
    subtest "$plugin, no security layer" => \&has_no_layer if offers($plugin, 'DIGEST-MD5');
}

sub has_no_layer {
    for my $case (['auth,auth-int,auth-conf', qr/(?:\A|,)qop=auth(?:,|\z)/], ['auth-int', undef]) {
        my ($offered, $expected) = @$case;
        my $challenge = qq(realm="r",nonce="n",qop="$offered",algorithm=md5-sess,cipher="rc4,3des");
        $challenge = encode_base64($challenge, '');
        my $server = TinyServer->start(TinyServer->agree(EHLO => "250-x\r\n250 AUTH DIGEST-MD5\r\n",
            AUTH => "334 $challenge\r\n"));
        my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 20);
        is($smtp->auth(object(mechanism => 'DIGEST-MD5')), !1, "offered $offered");
        my ($said) = $server->heard =~ /AUTH DIGEST-MD5\r\n(.*)\r\n/;
        $expected ? like(decode_base64($said), $expected, 'qop auth') : is($said, '*', 'cancelled');
        my $why = $expected ? qr/before the object was done|another step is needed/ : qr/too weak|no layer/;
        like($smtp->error->text, $why, 'why');
    }
}

subtest 'wide characters' => sub {
    local @Authen::SASL::Plugins = ('Authen::SASL::Perl');
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5)) {
        my $server = server_with(mechanisms => [$mechanism]);
        my $smtp = secure($server);
        my $object = object(mechanism => $mechanism, callback => { user => 'demo', pass => "\x{263a} secret" });
        is($smtp->auth($object), !1, "$mechanism: false, and nobody dies");
        like($smtp->error->text, qr/$mechanism: .*(?:above 255|Wide character|over 0xFF)/, 'why');
        unlike($smtp->error, qr/secret/, 'no secret');
    }
};

done_testing;
