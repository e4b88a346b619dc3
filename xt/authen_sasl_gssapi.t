# GSSAPI by Authen::SASL with a Kerberos of the test's own on loopback; the server's side is GSSAPI.pm.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/../t/lib';
use File::Temp ();
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::SMTP::AuthC;
use TinyServer;
use Test::More;

$ENV{PATH} .= ':/usr/sbin:/usr/local/sbin';
eval { require Authen::SASL; require Authen::SASL::Perl; require GSSAPI; GSSAPI->import(':all'); 1 }
    or plan skip_all => 'Authen::SASL and GSSAPI are not installed';
for my $program (qw(krb5kdc kdb5_util kadmin.local kinit)) {
    plan skip_all => "$program is not installed" if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}
my ($cyrus) = grep { eval "require $_; 1" } qw(Authen::SASL::XS Authen::SASL::Cyrus);

my $folder = File::Temp->newdir;
my $kdc = start_kdc();
END { local $?; if ($kdc) { kill TERM => $kdc; waitpid $kdc, 0 } }

sub file {
    my ($name, $text) = @_;
    open my $handle, '>', "$folder/$name" or die "$name: $!";
    print {$handle} $text or die "$name: $!";
    close $handle or die "$name: $!";
    return "$folder/$name";
}

sub run_quietly {
    my (@command) = @_;
    my $log = "$folder/log";
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        open STDIN, '<', '/dev/null' or die $!;
        open STDOUT, '>>', $log or die $!;
        open STDERR, '>&', \*STDOUT or die $!;
        exec @command or exit 127;
    }
    waitpid $pid, 0;
    return if $? == 0;
    open my $handle, '<', $log or die $!;
    plan skip_all => "@command[0, 1]: " . join '', <$handle>;
}

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen: $!";
    return $socket->sockport;
}

sub start_kdc {
    my $port = free_port();
    $ENV{KRB5_CONFIG} = file('krb5.conf', <<"END");
[libdefaults]
default_realm = TOY.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
TOY.TEST = {
 kdc = 127.0.0.1:$port
}
[domain_realm]
localhost = TOY.TEST
END
    $ENV{KRB5_KDC_PROFILE} = file('kdc.conf', <<"END");
[kdcdefaults]
kdc_listen = 127.0.0.1:$port
kdc_tcp_listen = 127.0.0.1:$port
[realms]
TOY.TEST = {
 database_name = $folder/principal
 key_stash_file = $folder/stash
 acl_file = $folder/acl
}
[logging]
kdc = FILE:$folder/kdc.log
END
    @ENV{qw(KRB5_KTNAME KRB5_CLIENT_KTNAME KRB5CCNAME)} =
        map { "FILE:$folder/$_" } qw(server.keytab none.keytab tickets);
    run_quietly('kdb5_util', 'create', '-s', '-r', 'TOY.TEST', '-P', 'master');
    run_quietly('kadmin.local', '-q', $_) for 'addprinc -randkey smtp/localhost', 'addprinc -randkey demo',
        "ktadd -k $folder/server.keytab smtp/localhost", "ktadd -k $folder/demo.keytab demo";
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        open STDOUT, '>>', "$folder/log" or die $!;
        open STDERR, '>&', \*STDOUT or die $!;
        exec 'krb5kdc', '-n', '-P', "$folder/pid" or exit 127;
    }
    my $end = time + 20;
    select undef, undef, undef, 0.05
        until time > $end || IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp');
    return $pid;
}

# RFC 4752: the context, then the layers on offer, then the choice. Says yes, or at which point it said no.
sub server {
    my ($layers, $stop_at) = @_;
    return TinyServer->start(sub {
        my ($socket, $read) = @_;
        my $ask = sub {
            print {$socket} '334 ' . encode_base64($_[0], '') . "\r\n";
            my $line = $read->() // die "gone\n";
            $line =~ /\A\*/ and do { print {$socket} "501 5.7.0 cancelled\r\n"; return undef };
            return decode_base64($line);
        };
        print {$socket} "220 localhost ESMTP\r\n";
        while (defined(my $line = $read->())) {
            if ($line =~ /\AEHLO/) { print {$socket} "250-localhost\r\n250 AUTH GSSAPI\r\n" }
            elsif ($line =~ /\AAUTH GSSAPI(?: (\S+))?/) {
                my $verdict = login($ask, defined $1 ? decode_base64($1) : $ask->(''), $layers, $stop_at);
                print {$socket} "$verdict\r\n" if defined $verdict;
            }
            else { print {$socket} "250 Ok\r\n" }
        }
    });
}

sub login {
    my ($ask, $token, $layers, $stop_at) = @_;
    my $context = GSSAPI::Context->new;
    while (1) {
        my $status = $context->accept(GSSAPI::GSS_C_NO_CREDENTIAL(), $token, GSSAPI::GSS_C_NO_CHANNEL_BINDINGS(),
            my $client, undef, my $answer, undef, undef, undef);
        return '535 5.7.8 ' . ($status->specific_message // 'no') =~ s/[\r\n]/ /gr
            if $status->major != 0 && $status->major != 1;
        return '235 at once' if $stop_at eq 'context';
        $token = $ask->($answer // '') // return if length($answer // '') || $status->major != 0;
        last if $status->major == 0;
    }
    $token = $ask->(wrapped($context, pack 'CCCC', $layers, 0, 16, 0)) // return;
    my $choice;
    $context->unwrap($token, $choice, undef, undef) or return '535 5.7.8 cannot be unwrapped';
    my ($layer, $identity) = unpack 'C x3 a*', $choice;
    return $layer == 1 ? "235 2.7.0 layer $layer, identity <$identity>" : "235 2.7.0 layer $layer";
}

sub wrapped {
    my ($context, $octets) = @_;
    $context->wrap(0, 0, $octets, undef, my $token) or die 'wrap';
    return $token;
}

sub client {
    my ($server) = @_;
    return Net::SMTP::AuthC->new('localhost', Port => $server->port, Timeout => 30) || die "no client: $@";
}

# The identity to act as has a name in Perl and another in Cyrus.
sub object { return Authen::SASL->new(mechanism => 'GSSAPI', callback => { authname => 'demo', user => 'demo' }) }

sub use_plugin {
    no warnings 'once';
    @Authen::SASL::Plugins = @_;
    return;
}

use_plugin('Authen::SASL::Perl');

subtest 'without a ticket' => sub {
    my $server = server(1, '');
    my $smtp = client($server);
    is($smtp->auth(object()), !1, 'auth');
    like($smtp->error->text, qr/GSSAPI: GSSAPI Error/, 'why');
    unlike($server->heard, qr/AUTH/, 'nothing was said');
};

run_quietly('kinit', '-k', '-t', "$folder/demo.keytab", 'demo');

for my $plugin ('Authen::SASL::Perl', $cyrus || ()) {
    use_plugin($plugin);
    SKIP: {
        skip "$plugin has no GSSAPI here", 1 if !has_gssapi($plugin);
        subtest "with a ticket: $plugin" => \&logs_in;
        subtest "a server that insists on a layer: $plugin" => \&gives_up;
        subtest "a server that says yes too early: $plugin" => \&sees_a_lie;
    }
}

sub has_gssapi {
    my ($plugin) = @_;
    my $object = object();
    my $client = $object->client_new('smtp', 'localhost', 0);
    return defined $client->client_start || $plugin ne 'Authen::SASL::Perl' && $client->code >= 0;
}

sub logs_in {
    for my $layers (1, 7) {
        my $server = server($layers, '');
        my $smtp = client($server);
        is($smtp->auth(object()), 1, "layers on offer: $layers") or diag $smtp->error;
        is($smtp->message, "2.7.0 layer 1, identity <demo>\n", 'none was taken');
        is($smtp->mechanism, 'GSSAPI', 'mechanism');
        is($smtp->noop, 1, 'the connection goes on');
    }
    my $server = server(1, '');
    my $smtp = Net::SMTP::AuthC->connect('smtp://localhost:' . $server->port . '?tls=none', sasl => object());
    is($smtp->mechanism, 'GSSAPI', 'connect');
}

sub gives_up {
    my $server = server(6, '');
    my $smtp = client($server);
    is($smtp->auth(object()), !1, 'auth');
    like($smtp->error->text, qr/GSSAPI: .*too weak/, 'why');
    is($smtp->noop, 1, 'the connection goes on');
}

sub sees_a_lie {
    my $server = server(1, 'context');
    my $smtp = client($server);
    is($smtp->auth(object()), !1, 'auth');
    like($smtp->error->text, qr/before the object was done|another step is needed/, 'why');
    is($smtp->noop, !1, 'the connection is closed');
}

done_testing;
