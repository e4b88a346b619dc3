# The Net::SMTP face over TLS: SSL => 1 and starttls, their options, and what holds after a failure.
use strict;
use warnings;
use lib 't/lib';
use Face;
use Test::More;

my $class = 'Net::SMTP::AuthC';

sub over_tls { return sandbox(tls => 'implicit', @_) }
sub starts_tls { return sandbox(tls => 'starttls', users => {demo => 'secret'}, @_) }

# new itself, with nothing added.
sub new_client {
    my ($server, @option) = @_;
    return $class->new($server->host, Port => $server->port, Timeout => 10, @option);
}

subtest 'SSL => 1' => sub {
    my $server = over_tls();
    my $smtp = new_client($server, SSL => 1, SSL_ca_file => $server->ca_file);
    ok($smtp, 'a verified connection') or return diag $@;
    like($smtp->tls->{version}, qr/\ATLSv1\.[23]\z/, 'its version');
    is($smtp->tls->{verified}, 1, 'verified');
    is($smtp->tls->{name}, 'localhost', 'for the name');
    is($smtp->code, 250, 'EHLO was said');
    is($smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n") && $smtp->quit, 1, 'a mail');
    ok(!new_client($server, SSL => 1), 'without the CA');
    like($@, qr/certificate/i, 'is refused, and $@ says so');
    ok(new_client($server, SSL => 1, SSL_verify_mode => 0), 'unless verification is off');
    ok(new_client($server, SSL => 1, SSL_verify_mode => 0)->tls->{verified} == 0, 'and that is known');
    ok(!new_client($server, Timeout => 0.5), 'no TLS to a port that wants it');
};

subtest 'certificates' => sub {
    for my $bad (qw(expired wrong-name self-signed unknown-ca)) {
        my $server = over_tls(certificate => $bad);
        ok(!new_client($server, SSL => 1, SSL_ca_file => $server->ca_file), $bad);
        like($@, qr/\A\Q$class\E: TLS handshake: ./, '$@');
        ok(new_client($server, SSL => 1, SSL_verify_mode => 0), "$bad: not verified");
    }
    my $wrong = over_tls(certificate => 'wrong-name');
    my @trust = (SSL => 1, SSL_ca_file => $wrong->ca_file);
    ok(new_client($wrong, @trust, SSL_verifycn_name => 'elsewhere.example.test'), 'SSL_verifycn_name');
    ok(new_client($wrong, @trust, SSL_verifycn_scheme => 'none'), 'SSL_verifycn_scheme none');
    my $cn = over_tls(certificate => 'cn-only');
    ok(new_client($cn, SSL => 1, SSL_ca_file => $cn->ca_file),
        'a certificate with a common name only, as Net::SMTP has it');
    my $server = over_tls(client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('me.example.test');
    my $smtp = new_client($server, SSL => 1, SSL_ca_file => $server->ca_file, SSL_cert_file => $certificate,
        SSL_key_file => $key);
    ok($smtp, 'a client certificate') or diag $@;
    $smtp->quit;
    $server->wait_for(sessions => 1);
    like(($server->sessions)[0]->client_certificate, qr/me\.example\.test/, 'is shown');
    for my $option (SSL_ca_file => 'SSL_cert_file', SSL_key_file => 'SSL_ca_path') {
        ok(!new_client($server, SSL => 1, $option => '/nowhere/x'), "$option that is not there");
    }
};

subtest 'starttls' => sub {
    my $server = starts_tls();
    my $smtp = new_client($server, Hello => 'me.example.test');
    is($smtp->supports('STARTTLS'), '', 'it is on offer');
    is($smtp->supports('AUTH'), undef, 'AUTH is not');
    is($smtp->starttls(SSL_ca_file => $server->ca_file), 'sandbox.example.test', "starttls gives hello's value");
    is($smtp->code, 250, 'the code of EHLO');
    is(ref $smtp, $class, 'the class is the same');
    is($smtp->supports('STARTTLS'), undef, 'it is no more on offer');
    ok(defined $smtp->supports('AUTH'), 'AUTH is');
    ok(!eval { $smtp->starttls; 1 }, 'twice: it dies');
    like($@, qr/encrypted already.*\Q$0\E/, 'with our line');
    is($smtp->auth('demo', 'secret'), 1, 'auth');
    is_deeply([grep { /EHLO|STARTTLS/ } said($server, $smtp)],
        ['EHLO me.example.test', 'STARTTLS', 'EHLO me.example.test'], 'what was said');
    $smtp = new_client($server, SSL_ca_file => $server->ca_file);
    ok($smtp->starttls, 'the SSL_ options of new hold here');
    $smtp = new_client($server, SSL_ca_file => '/nowhere');
    ok($smtp->starttls(SSL_ca_file => $server->ca_file), 'those of starttls win');
    my $odd = starts_tls(faults => [{stage => 'starttls', reply => "250 begin\r\n"}]);
    $smtp = new_client($odd, SSL_ca_file => $odd->ca_file);
    ok($smtp->starttls, 'a server that says 250') or diag $@;
};

# After these the object is good for nothing but QUIT.
sub is_unfit {
    my ($smtp, $server, $name) = @_;
    my $open = defined fileno $smtp;
    ok(!$smtp->auth('demo', 'secret'), "$name: no auth");
    ok(!$smtp->mail('a@b.test'), "$name: no mail");
    isnt($smtp->code, 220, "$name: and no code that looks good");
    is($smtp->quit, $open, "$name: quit") if $open;
    is_deeply([grep { /AUTH|MAIL/ } said($server, $smtp)], [], "$name: nothing of the kind was said");
    return;
}

subtest 'a starttls that fails' => sub {
    my $server = starts_tls();
    my $smtp = new_client($server);
    is_deeply([$smtp->starttls], [], 'unknown CA: an empty list');
    like($@, qr/certificate/i, '$@');
    is($smtp->error->kind, 'tls', 'error');
    is_unfit($smtp, $server, 'unknown CA');
    $smtp = new_client($server);
    is($smtp->starttls(SSL_ca_file => '/nowhere/ca.pem'), undef, 'a CA file that is none');
    like($@, qr{/nowhere/ca.pem}, '$@');
    is($smtp->error->kind, 'tls', 'error');
    is_unfit($smtp, $server, 'CA file');
    $smtp = new_client($server);
    is($smtp->starttls(SSL_verify_callback => sub { 1 }), undef, 'an option that we lack');
    like($@, qr/\ASSL_verify_callback is not supported here: ./, '$@');
    is_unfit($smtp, $server, 'option');
    for my $fault (
        [refused => {reply => "454 4.7.0 not now\r\n"}], [cut => {close => 1}],
        [injected => {append => "250 2.0.0 said before TLS began\r\n"}], [garbled => {reply => "hello\r\n"}],
    ) {
        my ($name, $what) = @$fault;
        my $bad = starts_tls(auth_without_tls => 1, faults => [{stage => 'starttls', %$what}]);
        $smtp = new_client($bad, SSL_ca_file => $bad->ca_file);
        is($smtp->starttls, undef, $name);
        like($@, qr/\S.*\n\z/, "$name: \$@");
        is($smtp->code, 454, 'the code of the refusal') if $name eq 'refused';
        is_unfit($smtp, $bad, $name);
    }
};

subtest 'replies under TLS are as they are in clear' => sub {
    my $server = over_tls(keywords => ['SIZE', '8BITMIME'], faults => [
        {stage => 'help', reply => "214-one\r\n214 two\r\n"}, {stage => 'noop', silent => 1}]);
    my $smtp = client($server, SSL => 1, Timeout => 0.5);
    is($smtp->supports('SIZE'), '', 'supports');
    unlike($smtp->banner, qr/\r/, 'banner');
    is_deeply([map { /\r/ ? 'CR' : () } $smtp->message], [], 'message');
    is($smtp->help, "one\ntwo\n", 'help');
    my $began = time;
    is($smtp->noop, !1, 'silence');
    is($smtp->message, '[Net::SMTP::AuthC] Timeout', 'is a timeout');
    cmp_ok(time - $began, '<', 5, 'in time');
};

done_testing;
