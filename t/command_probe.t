# The command's probe: whom it asks and in which order, to whom it would tell a password, and what it prints.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use CommandRun qw(smtpauthc);
use JSON::PP ();
use Net::SMTP::AuthC::Command::Probe::Advice;
use Net::SMTP::AuthC::Command::Probe::Dns;
use Net::SMTP::AuthC::Command::Probe::Providers;
use Net::SMTP::AuthC::Sandbox;
use Net::SMTP::AuthC::ServerAddress;
use Socket;
use Test::More;

my $PATIENCE = 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);

# ---- providers ----

for my $server (Net::SMTP::AuthC::Command::Probe::Providers->servers) {
    my $place = eval { Net::SMTP::AuthC::ServerAddress->parse($server) };
    ok($place && $place->{tls} =~ /\A(?:implicit|required)\z/, "$server, inside TLS");
}
my @known = (
    ['gmail.com', [], 'smtps://smtp.gmail.com:465'], ['GMX.de', [], 'smtps://mail.gmx.net:465'],
    ['x.test', ['aspmx.l.google.com'], 'smtps://smtp.gmail.com:465'],
    ['x.test', ['x-test.mail.protection.outlook.com.'], 'smtp://smtp.office365.com:587'],
    ['x.test', ['mx.x.test'], undef], ['x.test', ['mx.evilgoogle.com'], undef], ['notgmail.com', [], undef],
);
for my $row (@known) {
    my ($domain, $exchangers, $expected) = @$row;
    my $found = Net::SMTP::AuthC::Command::Probe::Providers->find($domain, @$exchangers);
    is($found && $found->{servers}[0], $expected, "$domain @$exchangers");
}

# ---- DNS ----

sub name { return join('', map { pack 'C/a', $_ } split /\./, $_[0]) . "\0" }
sub record { my ($type, $data, $name) = @_; return ($name // "\xC0\x0C") . pack('n n N n/a', $type, 1, 60, $data) }
sub srv { my ($priority, $weight, $port, $target) = @_; return record(33, pack('n3', $priority, $weight, $port) . name($target)) }
sub mx { my ($priority, $target) = @_; return record(15, pack('n', $priority) . $target) }

# A name server in a process: "name/type" => [records], or octets for the whole answer behind the id.
my @started;

sub name_server {
    my (%zone) = @_;
    my ($socket, $stream, $port) = sockets($zone{tcp});
    in_process(sub {
        while (my $from = recv $socket, my $question, 512, 0) { send $socket, $_, 0, $from for answers($question, \%zone) }
    });
    in_process(sub { serve_stream($stream) }) if $stream;
    return "127.0.0.1:$port";
}

sub in_process {
    my ($code) = @_;
    defined(my $pid = fork) or die $!;
    push @started, $pid and return if $pid;
    $code->();
    require POSIX;
    POSIX::_exit(0);
}

# A socket for datagrams, and where wanted one for streams on the same port.
sub sockets {
    my ($with_stream) = @_;
    for (1 .. 20) {
        my ($port, $stream) = (0);
        if ($with_stream) {
            socket $stream, PF_INET, SOCK_STREAM, 0 or die $!;
            bind $stream, pack_sockaddr_in(0, INADDR_LOOPBACK) and listen $stream, 5 or die $!;
            ($port) = unpack_sockaddr_in getsockname $stream;
        }
        socket my $socket, PF_INET, SOCK_DGRAM, 0 or die $!;
        bind $socket, pack_sockaddr_in($port, INADDR_LOOPBACK) or next;
        return ($socket, $stream, (unpack_sockaddr_in getsockname $socket)[0]);
    }
    die 'no port for both';
}

# Answers by TCP are whole, and come in pieces.
sub serve_stream {
    my ($socket) = @_;
    while (accept my $client, $socket) {
        sysread $client, my $question, 512;
        my $answer = (answers(substr($question, 2), {'big.test/15' => [mx(1, name('whole.test'))]}))[1];
        syswrite $client, $_ and select undef, undef, undef, 0.01 for unpack '(a7)*', pack 'n/a', $answer;
    }
    return;
}

sub answers {
    my ($question, $zone) = @_;
    my ($at, @labels) = (12);
    while (my $length = ord substr $question, $at, 1) { push @labels, substr $question, $at + 1, $length; $at += $length + 1 }
    my $type = unpack 'n', substr $question, $at + 1, 2;
    my $known = $zone->{join('.', @labels) . "/$type"};
    my $id = substr $question, 0, 2;
    return $id . $known if defined $known && !ref $known;
    my @records = @{ $known || [] };
    my $answer = pack('n n4', $known ? 0x8180 : 0x8183, 1, scalar @records, 0, 0) . substr($question, 12) . join '', @records;
    return ("\xff\xff$answer", $id . $answer);    # a stranger's before the right one
}

END { local $?; kill 'KILL', $_ and waitpid $_, 0 for @started }

my $dns = Net::SMTP::AuthC::Command::Probe::Dns->new(timeout => $PATIENCE, server => name_server(
    '_submission._tcp.x.test/33' => [srv(20, 0, 587, 'b.x.test'), srv(10, 1, 25, 'c.x.test'), srv(10, 9, 587, 'a.x.test')],
    '_submissions._tcp.x.test/33' => [srv(0, 0, 0, '')],
    'x.test/15' => [mx(20, name('second.x.test')), mx(10, "\5first\xC0\x0C"), record(16, 'text')],
    'round.test/15' => [mx(10, "\xC0\x28")],
    'cut.test/15' => [substr mx(10, name('a.test')), 0, 15],
    'junk.test/15' => "\x81\x80\xff\xff\xff\xff",
    'empty.test/15' => [],
));
is_deeply([map { "$_->{target}:$_->{port}" } $dns->srv('_submission._tcp.x.test')],
    [qw(a.x.test:587 c.x.test:25 b.x.test:587)], 'SRV by priority and weight');
is_deeply([$dns->srv('_submissions._tcp.x.test')], [], 'no such service');
is_deeply([$dns->mx('x.test')], [qw(first.x.test second.x.test)], 'MX, a compressed name among them');
is_deeply([$dns->mx($_)], [], "nothing: $_") for qw(none.test round.test cut.test empty.test), 'a..b', '';
my $is_cut = pack 'n n4', 0x8380, 1, 0, 0, 0;
my $big = Net::SMTP::AuthC::Command::Probe::Dns->new(timeout => $PATIENCE, server => name_server(tcp => 1, 'big.test/15' => $is_cut));
is_deeply([$big->mx('big.test')], ['whole.test'], 'an answer that does not fit is asked for by TCP');
ok(!eval { Net::SMTP::AuthC::Command::Probe::Dns->new(server => 'name.test'); 1 }, 'a name server is an address');

# ---- advice ----

my %found = (server => 'smtp://mail.x.test:587', user => q{it's me}, ca_file => '/ca.pem');
my %advice = map { $_ => Net::SMTP::AuthC::Command::Probe::Advice->of($_, \%found) } qw(perl msmtprc email-sender);
like($advice{perl}, qr{^my \$smtp = Net::SMTP::AuthC->connect\('smtp://mail\.x\.test:587',\n    username => 'it\\'s me',\n}, 'Perl');
ok(eval "no warnings; sub { my \$password; $advice{perl} }", '... that compiles') or diag($@);
like($advice{msmtprc}, qr/^host mail\.x\.test\nport 587\ntls on\ntls_starttls on\ntls_trust_file \/ca\.pem\n/m, 'msmtprc');
require Net::SMTP::AuthC::Command::Msmtprc;
ok(eval { Net::SMTP::AuthC::Command::Msmtprc->new->parse('x', $advice{msmtprc}) }, '... that can be read');
like($advice{'email-sender'}, qr/^EMAIL_SENDER_TRANSPORT_sasl_username='it'\\''s me'\nEMAIL_SENDER_TRANSPORT_ssl=starttls\n/m,
    'the environment');

# ---- the whole way ----

my %server = map { $_ => Net::SMTP::AuthC::Sandbox->new(tls => $_, users => {me => 'word'}) } qw(starttls implicit none);
my @common = ('--timeout', $PATIENCE, '--json');

# How many times somebody has begun to log in.
sub logins { my ($server) = @_; return scalar grep { $_->as_text =~ /^C: AUTH /m } $server->sessions }

sub probe {
    my ($server, @more) = @_;
    my ($status, $out, $err) = smtpauthc({env => {PW => 'word'}}, 'probe', 'localhost:' . $server->port, @common, @more);
    return ($status, eval { JSON::PP->new->decode($out) } || {out => $out}, $err);
}

for my $row (['starttls', 'smtp'], ['implicit', 'smtps']) {
    my ($kind, $scheme) = @$row;
    my $server = $server{$kind};
    my ($status, $data) = probe($server, '--ca-file', $server->ca_file, qw(-u me --password-env PW));
    is($status, 0, "$kind is found");
    is($data->{best}{server}, "$scheme://localhost:" . $server->port, '... by its address');
    is($data->{best}{login}, 'good, by PLAIN', '... and logs in');
    is(logins($server), 1, '... once');
    is_deeply($data->{best}{mechanisms}, [qw(PLAIN LOGIN CRAM-MD5)], '... with what it offers');
}
for my $row (['none', 'an open line'], ['starttls', 'an unknown authority']) {
    my ($kind, $name) = @$row;
    my $server = $server{$kind};
    $server->clear;
    my ($status, $data, $err) = probe($server, qw(-u me --password-env PW));
    is($status, 69, "$name is none");
    like($err, qr/no server was found that takes logins inside verified TLS/, '... and that is told');
    is(logins($server), 0, '... and nobody was told a password');
}

# What only DNS says may be seen, and gets no password.
my $port = $server{implicit}->port;
my $lies = name_server('_submissions._tcp.elsewhere.test/33' => [srv(0, 0, $port, 'localhost')]);
$server{implicit}->clear;
my ($status, $out, $err) = smtpauthc({env => {PW => 'word'}}, 'probe', 'me@elsewhere.test', '--dns', $lies, '--json',
    '--timeout', $PATIENCE, '--ca-file', $server{implicit}->ca_file, qw(-u me --password-env PW));
my $data = JSON::PP->new->decode($out);
is($data->{best}{server}, "smtps://localhost:$port", 'SRV is followed');
like($data->{best}{login}, qr/\Anot tried: only DNS says/, '... but no password given');
is(logins($server{implicit}), 0, '... to nobody');

($status, $out, $err) = smtpauthc('probe', "localhost:$port", '--ca-file', $server{implicit}->ca_file, qw(--format msmtprc));
is_deeply([$status, (split /\n/, $out)[0 .. 2]], [0, 'account default', 'host localhost', "port $port"], 'one form alone');
for my $bad ([], ['a', 'b'], ['a', '--format', 'yaml'], ['a', '--insecure-no-verify'], ['x@y.test', '--dns', 'name']) {
    is((smtpauthc('probe', @$bad))[0], 64, "no probe: @$bad");
}
done_testing;
