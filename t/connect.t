# connect: server addresses, options, logins, TLS and what is refused; errors name the argument and the caller's line.
# valgrind: no
use strict;
use warnings;
use utf8;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my %demo = (username => 'demo', password => 'secret');

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(users => {demo => 'secret'}, @_) }

# The error of a call, which must be one.
sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

sub connecting { my (@arguments) = @_; return error_of(sub { Net::SMTP::AuthC->connect(@arguments) }) }

subtest 'server addresses that are none' => sub {
    my %wrong = (
        undef => undef, 'nothing' => '', 'a name alone' => 'smtp.example.com',
            'name and port' => 'smtp.example.com:25',
        'no host' => 'smtps://', 'only a login' => 'smtps://u:p@', 'no host but a port' => 'smtp://:25',
        'another scheme' => 'http://host', 'a scheme with one slash' => 'smtp:/host', 'a path' => 'smtp://host/inbox',
        'a fragment' => 'smtp://host#x', 'an unknown query' => 'smtp://host?ssl=1',
            'an unknown tls' => 'smtp://host?tls=maybe',
        'two queries' => 'smtp://host?tls=none&tls=required', 'tls with smtps' => 'smtps://host?tls=none',
        'an empty query' => 'smtp://host?', 'an empty port' => 'smtp://host:', 'port 0' => 'smtp://host:0',
        'port 65536' => 'smtp://host:65536', 'a negative port' => 'smtp://host:-1',
            'two ports' => 'smtp://host:25:26',
        'IPv6 without brackets' => 'smtp://::1', 'half a bracket' => 'smtp://[::1', 'the other half' => 'smtp://::1]',
        'a name in brackets' => 'smtp://[host]', 'empty brackets' => 'smtp://[]',
            'behind brackets' => 'smtp://[::1]x',
        'a space' => 'smtp://my host', 'a space before' => ' smtp://host', 'a line end' => "smtp://host\n",
        'two dots' => 'smtp://a..b', 'a dot first' => 'smtp://.a', 'a name with a symbol' => 'smtp://bü❤cher.test',
        'a broken escape' => 'smtp://u%4:p@host', 'an escape that is not UTF-8' => 'smtp://u:%FF@host',
        'a password with a slash' => 'smtp://u:geheim/x@host', 'no slashes' => 'smtp:u:geheim@host',
        'a hash' => {server => 'smtp://host'}, 'an empty list' => [], 'a list of nothing' => [undef],
        'a list with one that is none' => ['smtp://localhost:1', 'host'], 'lmtps' => 'lmtps://host:24',
        'LMTP without a port' => 'lmtp://host', 'a host before the path' => 'smtp+unix://host/path',
        'no path' => 'lmtp+unix://', 'TLS over a unix socket' => 'smtps+unix:///path',
        'a query behind the path' => 'smtp+unix:///path?tls=none', 'a login before it' => 'smtp+unix://u:geheim@/path',
        'a NUL in the path' => 'smtp+unix:///a%00b', 'a broken escape in the path' => 'smtp+unix:///a%2',
    );
    for my $name (sort keys %wrong) {
        my $error = connecting($wrong{$name});
        like($error, qr/\A[\x20-\x7e]*server[\x20-\x7e]* at \Q$0\E line [0-9]+\.\n\z/, $name);
        is(ref $error && $error->kind, 'usage', "$name: kind");
        unlike($error, qr/geheim/, "$name: no password in it");
    }
    like(connecting('smtp://u:geheim/x@host'), qr/percent-encoded/, 'and what to do about a slash');
    like(connecting('smtp://bü❤cher.test'), qr/only letters, digits and hyphens/, 'and about a symbol');
};

subtest 'server addresses of every form' => sub {
    require Net::SMTP::AuthC::ServerAddress;
    my %form = (
        'smtps://mail.test'               => {host => 'mail.test', port => 465, tls => 'implicit'},
        'SMTPS://mail.test/'              => {host => 'mail.test', port => 465, tls => 'implicit'},
        'smtp://mail.test'                => {host => 'mail.test', port => 587, tls => 'required'},
        'smtp://mail.test:2525'           => {host => 'mail.test', port => 2525, tls => 'required'},
        'smtp://mail.test:submission'     => {host => 'mail.test', port => 'submission', tls => 'required'},
        'smtp://mail.test.'               => {host => 'mail.test.', port => 587, tls => 'required'},
        'smtp://mail.test?tls=none'       => {host => 'mail.test', port => 587, tls => 'none'},
        'smtp://mail.test/?tls=required'  => {host => 'mail.test', port => 587, tls => 'required'},
        'smtp://h:25?tls=opportunistic'   => {host => 'h', port => 25, tls => 'opportunistic'},
        'smtps://[2001:db8::1]'           => {host => '2001:db8::1', port => 465, tls => 'implicit'},
        'smtps://[::ffff:127.0.0.1]:4650' => {host => '::ffff:127.0.0.1', port => 4650, tls => 'implicit'},
        'smtps://[fe80::1%eth0]:465'      => {host => 'fe80::1%eth0', port => 465, tls => 'implicit'},
        'smtp://192.0.2.1'                => {host => '192.0.2.1', port => 587, tls => 'required'},
        'smtp://u@h'                      => {host => 'h', port => 587, tls => 'required', username => 'u'},
        'smtp://u:p@h'     => {host => 'h', port => 587, tls => 'required', username => 'u', password => 'p'},
        'smtp://u@x.test:p%40%3A%2f%25@h' => {host => 'h', port => 587, tls => 'required', username => 'u@x.test',
            password => 'p@:/%'},
        'smtp://u:p:q@h'   => {host => 'h', port => 587, tls => 'required', username => 'u', password => 'p:q'},
        'smtp://j%C3%BCrgen:ä@h' => {host => 'h', port => 587, tls => 'required', username => 'jürgen',
            password => 'ä'},
        'lmtp://h:24'      => {host => 'h', port => 24, tls => 'none', lmtp => 1},
        'lmtp://h:24?tls=required' => {host => 'h', port => 24, tls => 'required', lmtp => 1},
        'lmtp+unix:///run/a%20b%25' => {host => 'localhost', unix_path => '/run/a b%', tls => 'none', lmtp => 1},
        'smtp+unix:///run/%C3%A4ö' => {host => 'localhost', unix_path => "/run/\xc3\xa4\xc3\xb6", tls => 'none'},
    );
    is_deeply(Net::SMTP::AuthC::ServerAddress->parse($_), $form{$_}, $_) for sort keys %form;
};

subtest 'options' => sub {
    for my $case (['nonsense => 1', nonsense => 1], ['Timeout => 1', Timeout => 1], ['SSL => 1', SSL => 1],
        ['SSL_ca_flie => 1', SSL_ca_flie => 1]) {
        my ($name, @option) = @$case;
        my $error = connecting('smtp://localhost', @option);
        like($error, qr/\Aunknown option "\Q$option[0]\E" of connect at \Q$0\E line [0-9]+\.\n\z/, $name);
    }
    like(connecting('smtp://localhost', 'username'), qr/pairs/, 'an odd number');
    my %wrong = (timeout => ['abc', -1, ''], end_timeout => ['1 s'], deadline => ["1\n\n"], family => [5, 'inet'],
        transcript => [{}, []], local_port => ['x', 70_000]);
    for my $name (sort keys %wrong) {
        for my $value (grep { ref || length || $name eq 'timeout' } @{ $wrong{$name} }) {
            like(connecting('smtp://localhost', $name => $value), qr/\A$name:.* at \Q$0\E line/, "$name => $value");
        }
    }
    like(connecting('smtp://localhost', local_address => 'nowhere'), qr/\Alocal_address: an IP/,
        'local_address must be literal');
    like(connecting('smtp://localhost', SSL_ca => ['x']), qr/SSL_ca is not supported/,
        'more than we check');
    like(connecting('smtps://localhost', ca_file => '/no/such'), qr{/no/such.* at \Q$0\E line},
        'a CA file that is none');
    my $server = sandbox(tls => 'none', require_auth => 0);
    my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => '1e1', family => 4,
        hello => 'me.test',
        local_address => '127.0.0.1', local_port => 0, pipelining => 0, debug => 0);
    is(($server->sessions)[0]->helo, 'me.test', 'hello');
    is_deeply([map { defined $smtp->supports($_) ? 1 : 0 } qw(8BITMIME X-NO)], [1, 0],
        'supports knows what was offered');
    $smtp->submit("x\n", from => 'a@x.test', to => 'b@x.test');
    is(join(' ', map { /\A(\w+)/ } ($server->sessions)[0]->client_lines), 'EHLO MAIL RCPT DATA', 'what was said');
};

subtest 'user name and password' => sub {
    my $server = sandbox(users => {demo => 'secret', 'jürgen' => 'gänse☃', 'a@b:c' => 'p/%@'}, tls => 'implicit');
    my @tls = (ca_file => $server->ca_file);
    my %wrong = (
        'username without password' => [username => 'demo'], 'password without username' => [password => 'x'],
        'mechanism without username' => [mechanism => 'PLAIN'], 'username is empty' => [username => '',
            password => 'x'],
        'password is empty' => [username => 'demo', password => ''],
        'username has a NUL at octet 2' => [username => "d\0", password => 'x'],
        'password has a NUL at octet 1' => [username => 'd', password => "\0"],
        'username ends in a line end' => [username => "demo \r\n", password => 'x'],
        'password ends in a line end' => [username => 'demo', password => "x\n"],
        'password: a HASH is no text' => [username => 'demo', password => {}],
    );
    for my $text (sort keys %wrong) {
        like(connecting($server->url, @tls, @{ $wrong{$text} }), qr/\A\Q$text\E.* at \Q$0\E line/, $text);
    }
    is(scalar($server->sessions), 0, 'for all of that nobody was called');

    my ($host, $port) = ($server->host, $server->port);
    for my $case (['options', "smtps://$host:$port", %demo], ['the address', "smtps://demo:secret\@$host:$port"],
        ['the address and an option', "smtps://demo\@$host:$port", password => 'secret'],
        ['options before the address', "smtps://nobody:wrong\@$host:$port", %demo],
        ['characters in the address', "smtps://jürgen:gänse☃\@$host:$port"],
        ['escapes in the address', "smtps://j%C3%BCrgen:g%C3%A4nse%E2%98%83\@$host:$port"],
        ['escaped delimiters', "smtps://a%40b%3Ac:p%2F%25%40\@$host:$port"],
        ['characters in options', "smtps://$host:$port", username => 'jürgen', password => 'gänse☃'],
        ['characters that Perl holds as octets', "smtps://$host:$port", username => do { my $name = 'jürgen';
            utf8::downgrade($name); $name }, password => sub { 'gänse☃' }],
        ['octets that are UTF-8 already', "smtps://$host:$port", username => do { my $name = 'jürgen';
            utf8::encode($name); $name }, password => do { my $word = 'gänse☃'; utf8::encode($word); $word }]) {
        my ($name, $url, @option) = @$case;
        for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
            my $smtp = eval { Net::SMTP::AuthC->connect($url, @tls, @option, mechanism => $mechanism) };
            is($smtp && $smtp->mechanism, $mechanism, "$name, $mechanism") or diag($@);
        }
    }
    like(connecting($server->url, @tls, %demo, password => 'wrong'), qr/535.*user name and password.* at \Q$0\E line/,
        'a wrong password');
};

subtest 'the password of a code ref' => sub {
    my $asked = 0;
    my @login = (username => 'demo', password => sub { $asked++; return 'secret' });
    my $server = sandbox(tls => 'implicit');
    ok(Net::SMTP::AuthC->connect($server->url, @login, ca_file => $server->ca_file), 'logged in');
    is($asked, 1, 'it is asked once');
    $server = sandbox(tls => 'implicit', faults => [{stage => 'auth', nth => 1, reply => "535 5.7.8 no\r\n"}]);
    ok(Net::SMTP::AuthC->connect($server->url, @login, ca_file => $server->ca_file), 'the second mechanism');
    is($asked, 2, 'and again once');
    $server = sandbox(tls => 'none', users => {});
    is(connecting($server->url . '?tls=none', @login)->kind, 'auth', 'AUTH is not offered');
    is($asked, 2, 'so it is not asked');
    is(connecting($server->url, @login)->kind, 'tls', 'STARTTLS is not offered');
    is(connecting('smtp://localhost:' . $server->port . '?tls=none', @login, mechanism => 'PLAIN')->kind, 'auth',
        'an open line');
    is($asked, 2, 'nor there');
    $server = sandbox(tls => 'implicit');
    my @tls = (username => 'demo', ca_file => $server->ca_file);
    like(connecting($server->url, @tls, password => sub { undef }), qr/\Apassword: .*gave nothing.* at \Q$0\E line/,
        'undef');
    like(connecting($server->url, @tls, password => sub { die "no key ring\n" }), qr/\Apassword: .*no key ring/,
        'it dies');
    is_deeply(connecting($server->url, @tls, password => sub { die {mine => 1} }), {mine => 1}, 'with an object');
    like(connecting($server->url, @tls, password => sub { "x\n" }), qr/\Apassword ends in a line end/, 'a line end');
    is(scalar(grep { /AUTH/ } map { $_->client_lines } $server->sessions), 0,
        'for all of that nothing of AUTH was said');
};

subtest 'TLS: what was asked for is what happens' => sub {
    my $implicit = sandbox(tls => 'implicit');
    my $starttls = sandbox(tls => 'starttls');
    my $none     = sandbox(tls => 'none', require_auth => 0);
    my $connect  = sub { my ($server, $url, @more) = @_;
        return Net::SMTP::AuthC->connect($url, ca_file => $server->ca_file, @more) };
    like($connect->($implicit, $implicit->url, %demo)->tls->{version}, qr/\ATLSv1\.[23]\z/, 'smtps');
    my $tls = $connect->($starttls, $starttls->url, %demo)->tls;
    is($tls->{verified}, 1, 'smtp: STARTTLS, verified');
    is($tls->{name}, 'localhost', 'for this name');
    ok($connect->($starttls, $starttls->url . '?tls=required', %demo)->tls, 'tls=required');
    ok($connect->($starttls, $starttls->url . '?tls=opportunistic', %demo)->tls, 'tls=opportunistic, offered');
    is($connect->($none, $none->url . '?tls=opportunistic')->tls, undef, 'tls=opportunistic, not offered');
    is($connect->($starttls, $starttls->url . '?tls=none')->tls, undef, 'tls=none, though offered');
    my $error = error_of(sub { $connect->($none, $none->url) });
    is($error->kind, 'tls', 'smtp without STARTTLS');
    like($error, qr/does not offer STARTTLS.*smtps:.*tls=none/, 'what it was, and what to do');
    is(join(' ', map { /\A(\w+)/ } ($none->sessions)[-1]->client_lines), 'EHLO', 'nothing else was said');
    is(error_of(sub { $connect->($starttls, 'smtps://localhost:' . $starttls->port, timeout => 5) })->kind, 'tls',
        'smtps to a port with STARTTLS');
    is(error_of(sub { $connect->($implicit, 'smtp://localhost:' . $implicit->port, timeout => 1) })->kind, 'timeout',
        'smtp to a port with TLS');
};

subtest 'policy: secrets and open lines' => sub {
    for my $mechanism (qw(PLAIN LOGIN)) {
        my $server = sandbox(tls => 'none', mechanisms => [$mechanism]);
        my $error = connecting($server->url . '?tls=none', %demo);
        is($error->kind, 'auth', "$mechanism on an open line");
        like($error, qr/insecure_cleartext_auth/, 'names the option');
        is(scalar(grep { /AUTH|MAIL/ } map { $_->client_lines } $server->sessions), 0, 'nothing was said');
        my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none', %demo, insecure_cleartext_auth => 1);
        is($smtp->mechanism, $mechanism, 'with the option it goes');
    }
    my $server = sandbox(tls => 'none');
    is(Net::SMTP::AuthC->connect($server->url . '?tls=none', %demo)->mechanism, 'CRAM-MD5',
        'CRAM-MD5 on an open line');
    is(connecting($server->url . '?tls=none', %demo, mechanism => 'PLAIN')->kind, 'auth',
        'PLAIN by name is refused too');
    is(connecting($server->url . '?tls=none', %demo, password => 'wrong')->code, 535, 'a wrong password');
    is(scalar(grep { /AUTH (?:PLAIN|LOGIN)/ } map { $_->client_lines } $server->sessions), 0,
        'and no PLAIN after it');
    $server = sandbox(users => {}, tls => 'none');
    my $error = error_of(sub { Net::SMTP::AuthC->send_mail(server => $server->url . '?tls=none', %demo,
        from => 'a@x.test', to => 'b@x.test', text => 'x') });
    is($error->kind, 'auth', 'AUTH is not offered');
    is(scalar(grep { /MAIL/ } map { $_->client_lines } $server->sessions), 0, 'so there is no mail');
    $server = sandbox(tls => 'implicit');
    my @tls = (ca_file => $server->ca_file, %demo);
    is(Net::SMTP::AuthC->connect($server->url, @tls, mechanism => ['CRAM-MD5', 'LOGIN'])->mechanism, 'CRAM-MD5',
        'a list');
    is(connecting($server->url, @tls, mechanism => [])->kind, 'usage', 'an empty list');
};

subtest 'certificates' => sub {
    my %says = (good => undef, expired => qr/expired/, 'wrong-name' => qr/elsewhere\.example\.test/,
        'self-signed' => qr/self-signed/, 'unknown-ca' => qr/issuer/, 'cn-only' => qr/allow_common_name/);
    my %passes = (
        insecure_no_verify     => {map { $_ => 1 } keys %says},
        insecure_no_name_check => {good => 1, 'wrong-name' => 1, 'cn-only' => 1},
        allow_common_name      => {good => 1, 'cn-only' => 1},
        ''                     => {good => 1},
    );
    for my $kind (sort keys %says) {
        for my $tls (qw(implicit starttls)) {
            my $server = sandbox(tls => $tls, certificate => $kind);
            for my $option (sort keys %passes) {
                my @options = (ca_file => $server->ca_file, length $option ? ($option => 1) : ());
                my $smtp = eval { Net::SMTP::AuthC->connect($server->url, %demo, @options) };
                my $error = $@;
                my $name = "$kind, $tls" . ($option && ", $option");
                is($smtp ? 1 : 0, $passes{$option}{$kind} || 0, $name) or diag($error);
                next if $smtp;
                is($error->kind, 'tls', "$name: kind");
                is($error->temporary, 0, "$name: it will not pass");
                like($error, $says{$kind}, "$name: it says why");
            }
            my @said = map { $_->client_lines } grep { !$_->user } $server->sessions;
            is(scalar(grep { /AUTH|MAIL/ } @said), 0,
                "$kind, $tls: where it was refused, no password") if $kind ne 'good';
        }
        my $server = sandbox(tls => 'implicit', certificate => $kind);
        my $smtp = eval { Net::SMTP::AuthC->connect($server->url, SSL_ca_file => $server->ca_file,
            SSL_verify_mode => 0) };
        ok($smtp, "$kind: SSL_verify_mode => 0");
        is($smtp->tls->{verified}, 0, "$kind: and verified says so");
    }
    my $server = sandbox(tls => 'implicit');
    is(connecting($server->url)->kind, 'tls', 'without ca_file the sandbox is not trusted');
    is(connecting($server->url, ca_file => $server->ca_file, tls_name => 'other.test')->kind, 'tls',
        'tls_name: another');
    my $elsewhere = sandbox(tls => 'implicit', certificate => 'wrong-name');
    ok(Net::SMTP::AuthC->connect($elsewhere->url, ca_file => $elsewhere->ca_file, $_ => 'elsewhere.example.test'), $_)
        for qw(tls_name SSL_verifycn_name);
    ok(Net::SMTP::AuthC->connect('smtps://127.0.0.1:' . $server->port, ca_file => $server->ca_file),
        'by its address');
};

subtest 'a certificate of the client' => sub {
    my $server = sandbox(tls => 'implicit', client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('shop.test');
    for my $names ([qw(certificate_file key_file)], [qw(SSL_cert_file SSL_key_file)]) {
        ok(Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, $names->[0] => $certificate,
            $names->[1] => $key), "shown, by @$names");
    }
    $server->wait_for(sub { grep { $_->client_certificate } $server->sessions });
    like(($server->sessions)[0]->client_certificate, qr/shop\.test/, 'and seen');
    like(connecting($server->url, ca_file => $server->ca_file, certificate_file => '/no/such', key_file => $key),
        qr{/no/such}, 'a file that is none');
    like(connecting($server->url, ca_file => $server->ca_file, certificate_file => $key, key_file => $key),
        qr/\Q$key/, 'a file that is no certificate');
};

subtest 'minimum_version' => sub {
    my $server = sandbox(tls => 'implicit');
    my $smtp = Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, minimum_version => 'TLSv1.3');
    is($smtp->tls->{version}, 'TLSv1.3', 'TLSv1.3');
    like(connecting($server->url, minimum_version => $_), qr/minimum_version.* at \Q$0\E line/,
        "not $_") for qw(TLSv1.1 SSLv3 x);
};

subtest 'nobody there' => sub {
    my $server = sandbox(tls => 'none');
    my $port = $server->port;
    $server->stop;
    my $error = connecting("smtp://u:geheim\@127.0.0.1:$port?tls=none");
    is($error->kind, 'connect', 'nobody listens');
    is($error->temporary, 1, 'which may pass');
    like($error, qr/127\.0\.0\.1.*$port.*at \Q$0\E line/, 'it says where');
    unlike($error, qr/geheim/, 'and not the password');
    is(connecting('smtp://no-such-host.invalid?tls=none', timeout => 5)->kind =~ /\A(?:connect|timeout)\z/, 1,
        'no such host');
};

done_testing;
