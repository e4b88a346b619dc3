# login: every mechanism on both faces; the choice, the way down, tokens, identities, and what a refusal tells.
use strict;
use warnings;
use utf8;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my @WITH_PASSWORD = qw(SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1
    PLAIN LOGIN CRAM-MD5);
my @WITH_TOKEN = qw(OAUTHBEARER XOAUTH2);
my %users = (demo => 'secret', 'jürgen' => 'paß wörd', 'a,b=c' => 'x=y,z');

sub sandbox {
    return Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => \%users, oauth_tokens => {demo => 'token'},
        mechanisms => [@WITH_PASSWORD, @WITH_TOKEN, 'EXTERNAL', 'ANONYMOUS'], @_);
}

sub connecting {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->connect('smtps://localhost:' . $server->port, ca_file => $server->ca_file,
        timeout => 5 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1), @more);
}

sub error_of {
    my ($server, @more) = @_;
    return eval { connecting($server, @more); 1 } ? 'no error' : $@;
}

sub opened {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->new('localhost', Port => $server->port, SSL => 1, SSL_ca_file => $server->ca_file, @more)
        || die $@;
}

# The names behind AUTH, of all sessions that have ended, in their order.
sub tried {
    my ($server, $count) = @_;
    return map { $_->as_text =~ /^C: AUTH (\S+)/mg } $server->wait_for(sessions => $count || 1);
}

subtest 'every mechanism with a password' => sub {
    my $server = sandbox();
    for my $mechanism (@WITH_PASSWORD) {
        for my $user (sort keys %users) {
            my $smtp = connecting($server, username => $user, password => $users{$user}, mechanism => $mechanism);
            is($smtp->mechanism, $mechanism, "connect: $mechanism");
        }
        my $error = error_of($server, username => 'demo', password => 'wrong', mechanism => $mechanism);
        is($error->kind, 'auth', 'a wrong password');
        is($error->code, 535, 'is told');
        my $smtp = opened($server);
        ok($smtp->auth('demo', 'secret', $mechanism), "auth: $mechanism");
        ok(!opened($server)->auth('demo', 'wrong', $mechanism), 'a wrong password');
        ok($smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n"), 'and a message');
    }
};

subtest 'the choice without a name' => sub {
    my @left = @WITH_PASSWORD;
    while (@left) {
        my $server = sandbox(mechanisms => [reverse @left]);
        is(connecting($server, username => 'demo', password => 'secret')->mechanism, $left[0], "of @left");
        splice @left, 0, 3;
    }
    my $server = sandbox();
    is(connecting($server, username => 'demo', oauth_token => 'token')->mechanism, 'OAUTHBEARER', 'with a token');
    $server = sandbox(mechanisms => ['XOAUTH2', 'PLAIN']);
    is(connecting($server, username => 'demo', oauth_token => 'token')->mechanism, 'XOAUTH2', 'as it is offered');
};

subtest 'the way down' => sub {
    my $server = sandbox(faults => [{stage => 'login', match => qr/\ASCRAM-/, reply => "504 5.5.4 Unknown\r\n"}]);
    is(connecting($server, username => 'demo', password => 'secret')->mechanism, 'PLAIN',
        'mechanisms that the server does not want cost nothing');
    is_deeply([tried($server)], [qw(SCRAM-SHA-512-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN)],
        'each is tried once; a binding serves one login');
    $server = sandbox(faults => [{stage => 'login', match => qr/\ASCRAM-/, refuse => '535 5.7.8 no such secret'}]);
    like(error_of($server, username => 'demo', password => 'secret'), qr/535 .*wrong, or somebody stands between/,
        'a refused login with channel binding');
    is_deeply([tried($server)], ['SCRAM-SHA-512-PLUS'], 'is followed by nothing');
    is(connecting($server, username => 'demo', password => 'secret', mechanism => ['SCRAM-SHA-256-PLUS', 'PLAIN'])->mechanism,
        'PLAIN', 'unless it is named');
    $server = sandbox(mechanisms => [qw(SCRAM-SHA-512 SCRAM-SHA-256 PLAIN LOGIN)], faults => [{stage => 'login',
        match => qr/\ASCRAM-/, refuse => '535 5.7.8 no such secret'}]);
    is(connecting($server, username => 'demo', password => 'secret')->mechanism, 'PLAIN', 'a refused password');
    is_deeply([tried($server)], ['SCRAM-SHA-512', 'PLAIN'], 'is tried once more, another way');
    $server = sandbox(mechanisms => [qw(SCRAM-SHA-512 PLAIN LOGIN CRAM-MD5)]);
    error_of($server, username => 'demo', password => 'wrong');
    is_deeply([tried($server)], ['SCRAM-SHA-512', 'PLAIN'], 'and no third time');
    $server = sandbox();
    error_of($server, username => 'demo', oauth_token => 'wrong');
    is_deeply([tried($server)], ['OAUTHBEARER'], 'a token is not tried again in another wrapping');
    $server = sandbox(faults => [{stage => 'login', reply => "454 4.7.0 Later\r\n"}]);
    my $error = error_of($server, username => 'demo', password => 'secret');
    is($error->temporary, 1, 'what is temporary');
    is_deeply([tried($server)], ['SCRAM-SHA-512-PLUS'], 'is not tried again');
};

subtest 'tokens' => sub {
    my $server = sandbox();
    my @asked;
    my $token = sub { my (%why) = @_; push @asked, \%why; return $why{renew} ? 'token' : 'old' };
    my $smtp = connecting($server, username => 'demo', oauth_token => $token);
    is($smtp->mechanism, 'OAUTHBEARER', 'a code ref');
    is(scalar @asked, 2, 'is asked once more after a refusal');
    is_deeply($asked[0], {}, 'first without a reason');
    is($asked[1]{renew}, 1, 'then to renew');
    like($asked[1]{error}, qr/invalid_token/, 'with what the server said');
    @asked = ();
    my $error = error_of($server, username => 'demo', oauth_token => sub { push @asked, 1; 'wrong' });
    is(scalar @asked, 2, 'and not a third time');
    like($error, qr/AUTH .* 535 .*invalid_token/, 'the true refusal with the words of the challenge');
    unlike($error, qr/check user name and password/, 'nobody is told to look at a password');
    ok(opened($server)->auth('demo', undef, oauth_token => 'token', mechanism => $_), "auth: $_") for @WITH_TOKEN;
    my $long = 'e' x 4000;
    $server = sandbox(oauth_tokens => {demo => $long});
    for my $mechanism (@WITH_TOKEN) {
        ok(connecting($server, username => 'demo', oauth_token => $long, mechanism => $mechanism), "a long one, $mechanism");
    }
    my ($session) = $server->wait_for(sessions => 2);
    like($session->as_text, qr/^C: AUTH OAUTHBEARER\r?\n/m, 'goes after the 334');
    my $places = join ' ', map { $_->as_text } $server->sessions;
    unlike($places, qr/^C: AUTH \S+ \S/m, 'never in the command');
};

subtest 'EXTERNAL and ANONYMOUS' => sub {
    my $server = sandbox(client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('demo');
    my @own = (certificate_file => $certificate, key_file => $key);
    is(connecting($server, @own, mechanism => 'EXTERNAL')->mechanism, 'EXTERNAL', 'by the certificate alone');
    is(connecting($server, @own, mechanism => 'EXTERNAL', username => 'demo')->mechanism, 'EXTERNAL', 'with its name');
    is(error_of($server, @own, mechanism => 'EXTERNAL', username => 'other')->code, 535, 'with another name');
    is(connecting($server, mechanism => 'ANONYMOUS')->mechanism, 'ANONYMOUS', 'nobody');
    ok(opened($server)->auth('trace@example.test', undef, 'ANONYMOUS'), 'with a trace');
    my $error = error_of($server, username => 'demo', password => 'secret', mechanism => ['EXTERNAL', 'PLAIN'], @own);
    is($error, 'no error', 'in a list with others');
    $server = sandbox(mechanisms => ['ANONYMOUS', 'EXTERNAL']);
    like(error_of($server, username => 'demo', password => 'secret'), qr/only when named \(mechanism\): EXTERNAL ANONYMOUS/,
        'never by themselves');
};

subtest 'identities' => sub {
    for my $mechanism (qw(PLAIN SCRAM-SHA-256 OAUTHBEARER)) {
        my $server = sandbox();
        my @secret = $mechanism eq 'OAUTHBEARER' ? (oauth_token => 'token') : (password => 'secret');
        my $smtp = eval { connecting($server, username => 'demo', @secret, mechanism => $mechanism, authzid => 'demo') };
        ok($smtp, "$mechanism carries one") or diag $@;
    }
    my $error = error_of(sandbox(), username => 'demo', password => 'secret', mechanism => 'CRAM-MD5', authzid => 'other');
    like($error, qr/cannot carry authzid: CRAM-MD5/, 'CRAM-MD5 does not');
};

subtest 'SASLprep where it is asked for' => sub {
    my $server = sandbox(users => {'IX' => 'pass'});
    for my $user ("I\x{ad}X", "\x{2168}") {
        ok(connecting($server, username => $user, password => "p\x{aa}ss", mechanism => 'SCRAM-SHA-256'), 'SCRAM');
        is(error_of($server, username => $user, password => "p\x{aa}ss", mechanism => 'PLAIN')->code, 535, 'PLAIN: as it is');
    }
    my $error = error_of($server, username => 'IX', password => "pa\x07ss", mechanism => 'SCRAM-SHA-256');
    like($error, qr/SASLprep refuses the password: .*U\+0007.*: SCRAM-SHA-256/, 'refused by name');
    unlike($error, qr/pa.ss/, 'which does not show it');
    $server = sandbox(users => {demo => "pa\tss"});
    is(connecting($server, username => 'demo', password => "pa\tss")->mechanism, 'PLAIN',
        'a password that only SCRAM refuses');
    is(connecting($server, username => 'demo', password => sub { "pa\tss" })->mechanism, 'PLAIN', 'from a code ref too');
};

subtest 'nothing fits' => sub {
    my $server = sandbox(ehlo_raw => "250-x\r\n250 AUTH OAUTHBEARER GSSAPI\r\n");
    my $error = error_of($server, username => 'demo', password => 'secret');
    is($error->kind, 'auth', 'an error');
    like($error, qr/server offers OAUTHBEARER GSSAPI; we have for a password: SCRAM-SHA-512-PLUS .*only with oauth_token: OAUTHBEARER/,
        'what is offered, what there is, and what is in the way');
    $server = sandbox(mechanisms => ['PLAIN', 'SCRAM-SHA-256-PLUS']);
    like(error_of($server, username => 'demo', oauth_token => 'token'), qr/only with a password: SCRAM-SHA-256-PLUS PLAIN/, 'a token');
    like(error_of($server, username => 'demo', password => 'secret', mechanism => 'SCRAM-SHA-256-PLUS', channel_binding => 'none'),
        qr/no channel binding \(it comes with TLS\) left or to be had: SCRAM-SHA-256-PLUS/, 'no binding');
    $server = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit');
    $error = error_of($server, username => 'demo', password => 'secret');
    like($error, qr/the server does not offer AUTH/, 'no AUTH at all');
    my ($session) = $server->wait_for(sessions => 1);
    unlike($session->as_text, qr/^C: MAIL/m, 'is an error before MAIL');
};

subtest 'what cannot be is refused before anybody is called' => sub {
    my @cases = (
        [[password => 'x', oauth_token => 'y', username => 'u'], qr/password and oauth_token/],
        [[oauth_token => 'y'], qr/oauth_token without username/],
        [[authzid => 'y'], qr/authzid without username/],
        [[username => 'u', mechanism => 'PLAIN'], qr/username without password/],
        [[username => "justwait \r\n", password => 'x'], qr/username ends in a line end \(CR or LF\).*nothing was sent/],
        [[username => 'u', password => "x\n"], qr/password ends in a line end/],
        [[username => 'u', oauth_token => "x\r\n"], qr/oauth_token ends in a line end/],
        [[username => 'u', oauth_token => ''], qr/oauth_token is empty/],
        [[username => 'u', password => 'x', authzid => ''], qr/authzid is empty/],
        [[username => 'u', password => 'x', authzid => "a\0b"], qr/authzid has a NUL/],
        [[username => 'u', password => 'x', mechanism => 'A,B'], qr/mechanism: a name/],
        [[username => 'u', password => 'x', scram_min_iterations => 0], qr/scram_min_iterations: a number/],
        [[username => 'u', password => 'x', scram_max_iterations => 'many'], qr/scram_max_iterations: a number/],
        [[username => 'u', password => 'x', channel_binding => 'tls-magic'], qr/channel_binding: tls-exporter/],
    );
    for my $case (@cases) {
        my $error = eval { Net::SMTP::AuthC->connect('smtps://127.0.0.1:1', @{ $case->[0] }); 1 } ? 'no error' : $@;
        like($error, $case->[1], "$error");
        is(eval { $error->kind }, 'usage', 'usage');
    }
};

subtest 'a refusal tells what may be the matter, and no secret' => sub {
    my $server = sandbox();
    my $smtp = opened($server);
    ok(!$smtp->auth('demo ', 'c2VjcmV0LXdvcmQ='), 'refused');
    my $hint = $smtp->error->hint;
    like($hint, qr/user name.*blank|blank.*user name/i, 'white space at an edge');
    like($hint, qr/base64/, 'encoded already');
    like($hint, qr/the user name has 5 characters, the password has 16 characters/, 'lengths');
    unlike($hint, qr/c2Vj/, 'not the text');
    $server = sandbox(faults => [{stage => 'login', refuse => '534 5.7.9 Application-specific password required. see https://x'}]);
    like(error_of($server, username => 'demo', password => 'secret', mechanism => 'PLAIN')->hint, qr/app password/, 'a provider');
};

subtest 'the bounds of SCRAM' => sub {
    my @login = (username => 'demo', password => 'secret', mechanism => 'SCRAM-SHA-256');
    my $server = sandbox(scram_iterations => 1000);
    like(error_of($server, @login), qr/1000.*4096.*scram_min_iterations/, 'too few, and the option that allows it');
    is(error_of($server, @login, scram_min_iterations => 1000), 'no error', 'allowed by name');
    $server = sandbox(scram_iterations => 5000);
    like(error_of($server, @login, scram_max_iterations => 4999), qr/5000.*4999.*scram_max_iterations/, 'too many');
};

subtest 'channel bindings' => sub {
    my @login = (username => 'demo', password => 'secret', mechanism => 'SCRAM-SHA-256-PLUS');
    for my $binding ('tls-exporter', 'tls-server-end-point', ['tls-unique', 'tls-server-end-point']) {
        my $server = sandbox();
        is(error_of($server, @login, channel_binding => $binding), 'no error', ref $binding ? "@$binding" : $binding);
    }
    my $server = sandbox(faults => [{stage => 'ehlo', without => qr/-PLUS\z/}]);
    my $error = error_of($server, username => 'demo', password => 'secret');
    is($error->kind, 'auth', 'an offer that was taken out on the way is noticed');
    like($error, qr/downgrade|between/, 'and said') or diag $error;
    is_deeply([tried($server)], ['SCRAM-SHA-512'], 'nothing else is tried');
};

done_testing;
