# The cases that this library was born from, each by its name.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(decode_base64 encode_base64);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my %mail = (from => 'a@x.test', to => 'b@x.test');

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(users => {demo => 'secret'}, @_) }

# A connection that may log in with any mechanism.
sub login {
    my ($server, @more) = @_;
    my $tls = $server->url =~ /\Asmtps/ ? '' : '?tls=none';
    return Net::SMTP::AuthC->connect($server->url . $tls, username => 'demo', password => 'secret', timeout => 10,
        ca_file => $server->ca_file, insecure_cleartext_auth => 1, @more);
}

sub said { my ($server) = @_; return map { $_->client_lines } $server->sessions }

sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

my %ehlo = (
    'AUTH=LOGIN CRAM-MD5 beside AUTH LOGIN CRAM-MD5' =>
        "250-x.test\r\n250-AUTH=LOGIN CRAM-MD5\r\n250 AUTH LOGIN CRAM-MD5\r\n",
    'AUTH=LOGIN CRAM-MD5 alone'     => "250-x.test\r\n250 AUTH=LOGIN CRAM-MD5\r\n",
    'AUTH on several lines'         => "250-x.test\r\n250-AUTH LOGIN\r\n250-AUTH CRAM-MD5\r\n250 SIZE\r\n",
    'AUTH in small letters'         => "250-x.test\r\n250 auth login cram-md5\r\n",
    'AUTH with blanks and tabs'     => "250-x.test\r\n250 AUTH  LOGIN \t CRAM-MD5 \r\n",
    'AUTH= with a blank before'     => "250-x.test\r\n250 AUTH =LOGIN CRAM-MD5\r\n",
);
for my $name (sort keys %ehlo) {
    subtest $name => sub {
        for my $mechanism (qw(LOGIN CRAM-MD5)) {
            my $server = sandbox(tls => 'none', ehlo_raw => $ehlo{$name}, mechanisms => [qw(LOGIN CRAM-MD5)]);
            my $smtp = eval { login($server, mechanism => $mechanism) };
            is($smtp && $smtp->mechanism, $mechanism, $mechanism) or diag($@);
            is(scalar(grep { /\AAUTH \Q$mechanism\E\z/ } said($server)), 1, "$mechanism was said, once");
        }
    };
}

subtest '250-PIPELINING 250 8BITMIME on one line: a lost CRLF' => sub {
    my $server = sandbox(tls => 'none', require_auth => 0,
        ehlo_raw => "250-x.test\r\n250-PIPELINING 250 8BITMIME\r\n250 SIZE 1000000\r\n");
    my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none');
    is(join(' ', map { defined $smtp->supports($_) ? 1 : 0 } qw(PIPELINING 8BITMIME SIZE)), '1 1 1',
        'all three are known');
    is($smtp->submit("x\n", %mail)->all_sent, 1, 'and mail goes');
    $server = sandbox(tls => 'none', require_auth => 0, ehlo_raw => "250-x.test\r\n250-PIPELINING 250 8BITMIME\r\n");
    $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 10);
    is($smtp->submit("x\n", %mail)->all_sent, 1, 'even where the reply has lost its end by it');
};

subtest 'PLAIN as the article tells it: prompts and answers in clear text' => sub {
    my $server = sandbox(tls => 'none', legacy_plain => 1, mechanisms => ['PLAIN']);
    is(login($server, mechanism => 'PLAIN')->mechanism, 'PLAIN', 'logged in');
    my @lines = grep { !/\AEHLO/ } said($server);
    is(join('|', @lines[-2, -1]), 'demo|secret', 'with two lines in clear text');
    my $transcript = '';
    login($server, mechanism => 'PLAIN', transcript => sub { $transcript .= "$_[0]{text}\n" });
    unlike($transcript, qr/^(?:demo|secret)$/m, 'which the transcript hides');
    is(ref error_of(sub { login($server, password => 'wrong', mechanism => 'PLAIN') }), 'Net::SMTP::AuthC::Error',
        'a wrong one');
    is(error_of(sub { login($server, insecure_cleartext_auth => 0) })->kind, 'auth',
        'but never on an open line unasked');
};

subtest 'PLAIN by RFC 4616' => sub {
    my $server = sandbox(tls => 'implicit');
    is(login($server, mechanism => 'PLAIN')->mechanism, 'PLAIN', 'logged in');
    is((grep { /AUTH/ } said($server))[0], 'AUTH PLAIN ' . encode_base64("\0demo\0secret", ''),
        'as the RFC writes it');
};

subtest 'LOGIN with VXNlcm5hbWU6 and UGFzc3dvcmQ6' => sub {
    my $server = sandbox(tls => 'implicit');
    is(login($server, mechanism => 'LOGIN')->mechanism, 'LOGIN', 'logged in');
    my ($session) = $server->sessions;
    is(join('|', grep { /\A334/ } $session->server_lines), '334 VXNlcm5hbWU6|334 UGFzc3dvcmQ6', 'so it was asked');
    is(join('|', map { decode_base64($_) } ($session->client_lines)[-2, -1]), 'demo|secret', 'so it answered');
};

my @prompts = (['User Name', 'Password'], ['username:', 'password:'], ['User', 'Pass'], ['', ''], ["Username\0",
    "Password\0"]);
subtest 'LOGIN with every other prompt' => sub {
    for my $pair (@prompts) {
        my @base64 = map { encode_base64($_, '') } @$pair;
        my $server = sandbox(tls => 'implicit', faults => [map { {stage => 'auth-challenge', nth => $_ + 1,
            reply => "334 $base64[$_]\r\n"} } 0, 1]);
        my $smtp = eval { login($server, mechanism => 'LOGIN') };
        is($smtp && $smtp->mechanism, 'LOGIN', join ' and ', map { s/\0/\\0/r } @$pair) or diag($@);
    }
};

subtest 'CRAM-MD5' => sub {
    my $server = sandbox(tls => 'none');
    is(login($server, insecure_cleartext_auth => 0)->mechanism, 'CRAM-MD5', 'on an open line');
    is(scalar(grep { /secret|@{[encode_base64('secret', '')]}/ } said($server)), 0, 'the password stays at home');
};

subtest 'the damaged challenge: answered over the bytes as they came' => sub {
    my $server = sandbox(tls => 'none', damaged_challenge => 1, mechanisms => ['CRAM-MD5']);
    is(login($server)->mechanism, 'CRAM-MD5', 'logged in');
    my ($challenge) = map { /\A334 (.*)/ ? decode_base64($1) : () } ($server->sessions)[0]->server_lines;
    like($challenge, qr/<.*\nZ\x02.*>/s, 'it was damaged indeed');
};

subtest 'the damaged challenge, refused: the next mechanism' => sub {
    my $server = sandbox(tls => 'implicit', damaged_challenge => 1,
        faults => [{stage => 'auth', nth => 1, reply => "535 5.7.8 no\r\n"}]);
    is(login($server, mechanism => [qw(CRAM-MD5 LOGIN)])->mechanism, 'LOGIN', 'LOGIN');
    is(join(' ', map { /\AAUTH (\S+)/ } said($server)), 'CRAM-MD5 LOGIN', 'after CRAM-MD5');
};

subtest '235 and 535' => sub {
    my $server = sandbox(tls => 'implicit');
    my $smtp = login($server);
    is($smtp->submit("x\n", %mail)->all_sent, 1, '235: mail may go');
    my $error = error_of(sub { login($server, password => 'wrong') });
    is($error->code . $error->kind . $error->temporary, '535auth0', '535: an error that stays');
    like($error, qr/user name and password/, 'which says what to look at');
    is(scalar(grep { /\AMAIL/ } map { $_->client_lines } grep { !$_->user } $server->sessions), 0, 'and no mail');
};

subtest 'implicit TLS as on port 465' => sub {
    require Net::SMTP::AuthC::ServerAddress;
    is(Net::SMTP::AuthC::ServerAddress->parse('smtps://x.test')->{port}, 465, 'the port');
    my $server = sandbox(tls => 'implicit');
    is(login($server)->submit("x\n", %mail)->tls->{verified}, 1, 'verified');
    like(($server->wait_for(count => 1))[0]->tls, qr/\ATLS/, 'the server saw TLS');
};

subtest q{a user name that ends in ' \r\n'} => sub {
    my $server = sandbox(tls => 'implicit');
    my $error = error_of(sub { login($server, username => "demo \r\n") });
    like($error, qr/\Ausername ends in a line end .* at \Q$0\E line/, 'the reason');
    is(scalar($server->sessions), 0, 'before anything is sent');
    my $old = Net::SMTP::AuthC->new($server->host, Port => $server->port, SSL => 1, SSL_ca_file => $server->ca_file);
    ok(!$old->auth("demo \r\n", 'secret'), 'the old face says no');
    like(scalar $old->message, qr/line end/, 'with the reason');
    is(scalar(grep { /AUTH/ } said($server)), 0, 'and nothing of it was sent');
};

subtest 'a long user name and a long password: no line breaks in base64' => sub {
    my ($user, $password) = ('u' x 200, 'p' x 1500);
    my $server = sandbox(tls => 'implicit', users => {$user => $password});
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
        my $smtp = eval { login($server, username => $user, password => $password, mechanism => $mechanism) };
        is($smtp && $smtp->mechanism, $mechanism, $mechanism) or diag($@);
    }
    is(join(' ', sort map { $_->user eq $user ? 1 : 0 } $server->sessions), '1 1 1', 'each arrived whole');
};

subtest 'loading the library sends nothing' => sub {
    my $server = sandbox(tls => 'none');
    my @perl = ($^X, map { "-I$_" } @INC);
    local %ENV = (%ENV, SMTPHOSTS => 'localhost:' . $server->port);
    open my $pipe, '-|', @perl, '-we', 'use Net::SMTP::AuthC; '
        . 'print join ",", sort grep { m{^Net/|^IO|^Socket|SSL} } keys %INC'
        or die $!;
    my $loaded = join '', readline $pipe;
    ok(close $pipe, 'it loads');
    is($loaded, 'Net/SMTP/AuthC.pm', 'and loads nothing beside itself');
    open $pipe, '-|', @perl, '-we', 'use Net::SMTP::AuthC; require Net::SMTP::AuthC::Submission; '
        . 'my $class = "Net::SMTP::AuthC"; print $class->can("send_mail") ? "can" : "cannot"' or die $!;
    is(scalar readline $pipe, 'can', 'all of it can be loaded');
    is(scalar($server->sessions), 0, 'and nobody was called');
};

done_testing;
