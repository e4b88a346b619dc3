# The TLS options of both faces: each name, what it comes to, what is refused and how that is told.
use strict;
use warnings;
use File::Temp;
use lib 't/lib';
use Face;
use Net::SMTP::AuthC::TlsOptions;
use Test::More;

my $options = 'Net::SMTP::AuthC::TlsOptions';
my $folder  = File::Temp->newdir;

sub error_of { my ($code) = @_; return eval { $code->(); 1 } ? 'no error' : $@ }

# What options come to; the name in a place of its own.
sub demands {
    my (%given) = @_;
    my ($demand, $name) = $options->of(\%given, 'mail.test');
    return { %$demand, name => $name };
}

sub connected {
    my ($server, @option) = @_;
    return Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, timeout => 60, @option);
}

sub file {
    my ($name, $text) = @_;
    open my $handle, '>', "$folder/$name" or die $!;
    print {$handle} $text and close $handle or die $!;
    return "$folder/$name";
}

subtest 'each name' => sub {
    my @rows = (
        [{}, {}], [{ca_file => undef, SSL_version => undef, pins => undef}, {}],
        (map { [{$_ => "x"}, {$_ => 'x'}] } qw(ca_file ca_path certificate_file key_file key_password crl_file
            session_file keylog_file cipher_list ciphersuites minimum_version sni_name pins fingerprints tlsa)),
        (map { [{$_ => 1}, {$_ => 1}], [{$_ => 0}, {$_ => 0}], [{$_ => ''}, {$_ => 0}] } qw(insecure_no_verify
            insecure_no_name_check allow_common_name check_crl_of_chain must_staple)),
        [{resumption => 0}, {no_resumption => 1}], [{resumption => 1}, {no_resumption => 0}],
        [{tls_name => 'other.test'}, {name => 'other.test'}],
        [{sni_name => ''}, {sni_name => ''}],
        [{pins => ['a', 'b']}, {pins => 'a b'}], [{pins => 'a b'}, {pins => 'a b'}],
        [{fingerprint => ['a', 'b']}, {fingerprints => 'a b'}], [{fingerprints => ['a']}, {fingerprints => 'a'}],
        [{dane => ['3 1 1 AB', '2 0 1 CD']}, {tlsa => "3 1 1 AB\n2 0 1 CD"}],
        [{dane => "3 1 1 AB\n2 0 1 CD"}, {tlsa => "3 1 1 AB\n2 0 1 CD"}],
        [{ca_path => ['/a', '/b']}, {ca_path => '/a:/b'}],

        [{SSL_ca_file => 'x'}, {ca_file => 'x'}], [{SSL_ca_file => ['x']}, {ca_file => 'x'}],
        [{SSL_ca_path => 'x'}, {ca_path => 'x'}], [{SSL_ca_path => ['x', 'y']}, {ca_path => 'x:y'}],
        [{SSL_cert_file => 'x', SSL_key_file => 'y'}, {certificate_file => 'x', key_file => 'y'}],
        [{SSL_cert_file => 'x', SSL_use_cert => 1}, {certificate_file => 'x'}],
        [{SSL_cert_file => 'x', SSL_key_file => 'y', SSL_use_cert => 0}, {}],
        [{certificate_file => 'x', SSL_use_cert => 0}, {certificate_file => 'x'}],
        [{SSL_cert_file => 'x', SSL_passwd_cb => sub { "p@_" }}, {certificate_file => 'x', key_password => 'p0'}],
        [{SSL_cert_file => 'x', SSL_passwd_cb => sub { 'p' }, key_password => 'q'},
            {certificate_file => 'x', key_password => 'q'}],
        [{SSL_passwd_cb => sub { die 'nobody wants it' }}, {}],
        [{SSL_cipher_list => 'HIGH'}, {cipher_list => 'HIGH'}],
        [{SSL_ciphersuites => 'TLS_AES_256_GCM_SHA384'}, {ciphersuites => 'TLS_AES_256_GCM_SHA384'}],
        [{SSL_fingerprint => 'sha256$ab'}, {fingerprints => 'sha256$ab'}],
        [{SSL_fingerprint => ['sha256$ab', 'sha1$cd']}, {fingerprints => 'sha256$ab sha1$cd'}],
        [{SSL_verify_mode => 0}, {insecure_no_verify => 1}], [{SSL_verify_mode => '0'}, {insecure_no_verify => 1}],
        (map { [{SSL_verify_mode => $_}, {insecure_no_verify => 0}] } 1, 2, 3, 5, 7),
        [{SSL_verifycn_name => 'other.test'}, {name => 'other.test'}],
        [{SSL_verifycn_scheme => 'none'}, {insecure_no_name_check => 1}],
        (map { [{SSL_verifycn_scheme => $_}, {insecure_no_name_check => 0}] } qw(smtp default http rfc2595)),
        [{SSL_hostname => 'sni.test'}, {sni_name => 'sni.test', name => 'sni.test'}],
        [{SSL_hostname => 'sni.test', SSL_verifycn_name => 'v.test'}, {sni_name => 'sni.test', name => 'v.test'}],
        [{SSL_hostname => ''}, {sni_name => ''}],
        [{SSL_hostname => '192.0.2.1'}, {sni_name => '', name => '192.0.2.1'}],
        [{SSL_hostname => '2001:db8::1'}, {sni_name => '', name => '2001:db8::1'}],
        [{SSL_hostname => "b\xFCcher.test"}, {sni_name => 'xn--bcher-kva.test', name => 'xn--bcher-kva.test'}],
        (map { [{SSL_version => $_}, {}] } 'SSLv23', 'SSLv2/3', 'SSLv23:!SSLv3:!SSLv2', 'sslv23 : !tlsv1',
            'TLSv1', 'TLSv1_1', 'TLSv11', 'SSLv3', 'SSLv23:!SSLv2:!SSLv3:!TLSv1:!TLSv1_1'),
        (map { [{SSL_version => $_}, {minimum_version => 'TLSv1.2'}] } 'TLSv1_2', 'TLSv12', 'tlsv1_2',
            'TLSv12:!SSLv2'),
        (map { [{SSL_version => $_}, {minimum_version => 'TLSv1.3'}] } 'TLSv1_3', 'TLSv13', 'SSLv23:!TLSv1_2',
            'SSLv23:!SSLv2:!SSLv3:!TLSv1:!TLSv1_1:!TLSv12'),
        [{SSL_crl_file => 'x', SSL_check_crl => 1}, {crl_file => 'x'}], [{SSL_crl_file => 'x'}, {crl_file => 'x'}],
        [{SSL_crl_file => 'x', SSL_check_crl => 0}, {}], [{SSL_check_crl => 0}, {}],
        (map { [{SSL_ocsp_mode => $_}, {}] } 0, 1, 16, 17),
        (map { [{SSL_ocsp_mode => $_}, {must_staple => 1}] } 2, 18, 3),
        [{SSL_session_cache_size => 0}, {no_resumption => 1}], [{SSL_session_cache_size => 10}, {}],
        [{SSL_ecdh_curve => 'auto'}, {}],
        (map { [{$_ => ''}, {}] } qw(SSL_ca_file SSL_ca_path SSL_cert_file SSL_key_file SSL_crl_file SSL_cipher_list
            SSL_ciphersuites SSL_fingerprint SSL_verifycn_scheme SSL_verifycn_name SSL_version SSL_ocsp_mode SSL_ca
            SSL_cert SSL_ecdh_curve SSL_verifycn_publicsuffix)),
        (map { [{$_ => 'x'}, {}] } qw(SSL_startHandshake SSL_session_cache SSL_session_key SSL_mode_release_buffers
            SSL_honor_cipher_order SSL_keepSocketOnError SSL_error_trap SSL_alpn_protocols SSL_npn_protocols
            SSL_ocsp_cache SSL_dh_file SSL_client_ca_file SSL_session_id_context)),
        [{ca_file => 'x', SSL_ca_file => 'x'}, {ca_file => 'x'}],
        [{Timeout => 5, nonsense => 1}, {}],
    );
    for my $row (@rows) {
        my ($given, $demand) = @$row;
        my $name = join ', ', map { "$_ => " . ($given->{$_} // 'undef') } sort keys %$given;
        is_deeply(eval { demands(%$given) } // $@, { name => 'mail.test', %$demand }, $name);
        is_deeply([grep { !$options->is_option($_) } keys %$given], [grep { /Timeout|nonsense/ } keys %$given],
            'is known to be an option');
    }
};

subtest 'what is refused, by name' => sub {
    my @rows = (
        (map { [$_ => '', qr/\A$_ is empty/] } qw(ca_file ca_path certificate_file key_file crl_file session_file
            keylog_file cipher_list ciphersuites minimum_version pins fingerprint fingerprints dane tlsa tls_name)),
        (map { [$_ => {}, qr/\A$_: a HASH reference is no text/] } qw(ca_file key_password pins dane tls_name sni_name
            SSL_ca_file SSL_cert_file SSL_key_file SSL_cipher_list SSL_ciphersuites SSL_fingerprint SSL_hostname)),
        (map { [$_ => ['x', 'y'], qr/\A$_: it takes one file/] } qw(ca_file SSL_ca_file SSL_crl_file)),
        (map { [$_ => [], qr/\A$_: (?:an empty list|it takes one file)/] } qw(pins dane SSL_fingerprint ca_file)),
        (map { [$_ => ['x', undef], qr/\A$_: something in the list is empty|\A$_ is empty/] }
            qw(pins fingerprints SSL_fingerprint dane)),
        [SSL_ca_file => \undef, qr/\ASSL_ca_file: a SCALAR reference/],
        (map { [$_ => 'no', qr/\A$_: 1 or 0/] } qw(insecure_no_verify insecure_no_name_check allow_common_name
            must_staple check_crl_of_chain resumption)),
        [insecure_no_verify => 2, qr/1 or 0/],
        (map { [SSL_verify_mode => $_, qr/\ASSL_verify_mode: a number, 0 \(SSL_VERIFY_NONE\)/] } '',
            'SSL_VERIFY_PEER', 'none', '00', '0x00', 16, -1, "0\n", []),
        (map { [SSL_verifycn_scheme => $_, qr/\ASSL_verifycn_scheme: smtp, or none/] } 'sip', 'None', {}, 'nonsense'),
        (map { [SSL_version => $_, qr/\ASSL_version: "\Q$_\E" is none/] } 'TLSv1.2', 'TLSv2', 'SSLv23:',
            '!!TLSv1', 'x'),
        (map { [SSL_version => $_, qr/\ASSL_version: TLS 1.3 cannot be left out/] } 'SSLv23:!TLSv1_3',
            'TLSv12:!TLSv13'),
        (map { [SSL_ocsp_mode => $_, qr/\ASSL_ocsp_mode: .*SSL_OCSP_MUST_STAPLE/] } 4, 8, 10, 'must', -1, 99999),
        [SSL_check_crl => 1, qr/\ASSL_check_crl without .*SSL_crl_file/],
        [SSL_ecdh_curve => 'P-384', qr/\ASSL_ecdh_curve is not supported here: leave it out/],
        (map { [$_->[0] => 1, qr/\A$_->[0] is not supported here: .*$_->[1]/] } [SSL_ca => 'give SSL_ca_file'],
            [SSL_cert => 'give SSL_cert_file'], [SSL_key => 'give SSL_key_file'], [SSL_verify_callback => 'pins'],
            [SSL_ocsp_staple_callback => 'must_staple'], [SSL_create_ctx_callback => 'options'],
            [SSL_reuse_ctx => 'options'], [SSL_server => 'client'], [SSL_verifycn_publicsuffix => 'leave it out']),
    );
    for my $row (@rows) {
        my ($name, $value, $words) = @$row;
        my $error = error_of(sub { demands($name => $value) });
        like($error, $words, "$name => " . ($value // 'undef'));
        is(ref $error && $error->kind, 'usage', 'its kind');
    }
    like(error_of(sub { demands(SSL_cert_file => 'x', SSL_passwd_cb => 'geheim') }), qr/\ASSL_passwd_cb: a code ref/,
        'SSL_passwd_cb');
};

subtest 'what contradicts' => sub {
    my @rows = (
        [ca_file => 'x', SSL_ca_file => 'y'], [certificate_file => 'x', SSL_cert_file => 'y'],
        [fingerprint => 'x', SSL_fingerprint => 'y'], [fingerprint => 'x', fingerprints => ['x', 'y']],
        [dane => 'x', tlsa => 'y'], [tls_name => 'a.test', SSL_verifycn_name => 'b.test'],
        [insecure_no_verify => 1, SSL_verify_mode => 1], [SSL_verify_mode => 0, insecure_no_verify => 0],
        [insecure_no_name_check => 1, SSL_verifycn_scheme => 'smtp'],
        [sni_name => 'a.test', SSL_hostname => 'b.test'],
        [minimum_version => 'TLSv1.2', SSL_version => 'TLSv1_3'], [resumption => 0, session_file => 'x'],
    );
    for my $row (@rows) {
        my %given = @$row;
        my $error = error_of(sub { demands(%given) });
        my @names = map { quotemeta } sort keys %given;
        like($error, qr/\A(?=.*$names[0])(?=.*$names[1]).* contradict each other: give one of them/, "@$row");
    }
    my @core = (
        [insecure_no_verify => 1, pins => 'sha256//' . 'A' x 43 . '='], [insecure_no_verify => 1, must_staple => 1],
        [SSL_verify_mode => 0, dane => '3 1 1 ' . 'ab' x 32],
        [insecure_no_name_check => 1, dane => '3 1 1 ' . 'ab' x 32],
        [SSL_verify_mode => 0, check_crl_of_chain => 1],
    );
    for my $row (@core) {
        my $error = error_of(sub { $options->context(demands_only(@$row)) });
        like($error, qr/: (?:\S+ is a demand on a chain|tlsa says by itself)|TLS set-up.*leave/, "@$row");
    }
};

sub demands_only { my $demand = demands(@_); delete $demand->{name}; return $demand }

subtest 'junk that the core finds' => sub {
    my $text = file('text', "hello\n");
    my %wrong = (pins => 'md5//x', fingerprint => 'sha256$zz', dane => '3 1 junk', minimum_version => 'TLSv1.1',
        cipher_list => 'NONSENSE', ciphersuites => 'NONSENSE', ca_file => $text, ca_path => "$folder/none",
        crl_file => $text, certificate_file => $text, sni_name => '192.0.2.1', session_file => $text,
        keylog_file => "$folder/none/x");
    for my $name (sort keys %wrong) {
        my $called = {dane => 'tlsa'}->{$name} // $name;
        my $error = error_of(sub { $options->context(demands_only($name => $wrong{$name})) });
        like($error, qr/\ATLS set-up: [^:]*$called/, $name);
        is(ref $error && $error->kind, 'tls', 'its kind');
        my $smtp = Net::SMTP::AuthC->new('localhost', Port => 1, SSL => 1, $name => $wrong{$name});
        ok(!$smtp, 'new');
        like($@, qr/\ANet::SMTP::AuthC: TLS set-up: [^:]*$called/, 'says the same');
    }
};

subtest 'a context for each configuration' => sub {
    my $server = sandbox(tls => 'implicit');
    my $ca = file('ca.pem', do { local (@ARGV, $/) = $server->ca_file; scalar <> });
    my $first = $options->context({ca_file => $ca});
    is($options->context({ca_file => $ca}), $first, 'the same');
    my %more = (minimum_version => 'TLSv1.3', sni_name => '', pins => 'sha256//' . 'A' x 43 . '=', must_staple => 1,
        fingerprints => 'ab' x 32, tlsa => '3 1 1 ' . 'ab' x 32, no_resumption => 1, session_file => "$folder/s",
        allow_common_name => 1, insecure_no_name_check => 1, cipher_list => 'HIGH', key_password => 'secret',
        ciphersuites => 'TLS_AES_256_GCM_SHA384', check_crl_of_chain => 1);
    my %seen = ($first => 'none');
    for my $name (sort keys %more) {
        my $context = $options->context({ca_file => $ca, $name => $more{$name}});
        is($seen{$context}, undef, $name);
        $seen{$context} = $name;
    }
    isnt($options->context({ca_file => $ca, key_password => 'other'}),
        $options->context({ca_file => $ca, key_password => 'secret'}), 'another password');
    $first = $options->context({ca_file => $ca});
    my $kept = $options->context({ca_file => $ca, session_file => "$folder/s"});
    file('s.new', '');
    chmod 0600, "$folder/s.new" and rename "$folder/s.new", "$folder/s" or die $!;
    is($options->context({ca_file => $ca, session_file => "$folder/s"}), $kept, 'a session file that has changed');
    rename file('ca.new', do { local (@ARGV, $/) = $ca; <> . "\n" }), $ca or die $!;
    isnt($options->context({ca_file => $ca}), $first, 'a file that has changed');
};

subtest 'SSL_hostname' => sub {
    my $elsewhere = sandbox(tls => 'implicit', certificate => 'wrong-name');
    my $name = 'elsewhere.example.test';
    ok(eval { connected($elsewhere, SSL_hostname => $name) }, 'connect: SNI, and the name') or diag $@;
    like(error_of(sub { connected($elsewhere, SSL_hostname => $name, tls_name => 'localhost') }),
        qr/is not for localhost/, 'unless another is given');
    like(error_of(sub { connected($elsewhere, sni_name => $name) }), qr/is not for localhost/, 'sni_name: SNI only');
    ok(!eval { client($elsewhere, SSL => 1, SSL_hostname => $name) }, 'new: SNI only, as with Net::SMTP');
    like($@, qr/is not for localhost/, 'in words');
    ok(eval { client($elsewhere, SSL => 1, SSL_hostname => 'any.test', SSL_verifycn_name => $name) },
        'SSL_verifycn_name beside it') or diag $@;
    ok(eval { client(sandbox(tls => 'implicit'), SSL => 1, SSL_hostname => '') }, 'none') or diag $@;
};

subtest 'starttls goes before new, however it is spelt' => sub {
    my $server = sandbox(tls => 'starttls');
    my $smtp = Net::SMTP::AuthC->new($server->host, Port => $server->port, SSL_ca_file => '/nowhere/ca.pem');
    ok($smtp->starttls(ca_file => $server->ca_file), 'ca_file before SSL_ca_file') or diag $@;
    $smtp = Net::SMTP::AuthC->new($server->host, Port => $server->port, insecure_no_verify => 1);
    ok(!$smtp->starttls(SSL_verify_mode => 1), 'SSL_verify_mode before insecure_no_verify');
    like($@, qr/not known here/, 'for that reason');
    is_deeply($options->merged({ca_file => 1, pins => 2, Timeout => 3}, {SSL_ca_file => undef, Timeout => 4}),
        {SSL_ca_file => undef, pins => 2, Timeout => 4}, 'what is taken back stays so');
};

# The error for a wrong one tells the right one.
subtest 'pins, fingerprints, DANE' => sub {
    my $server = sandbox(tls => 'implicit');
    my %case = (
        pins         => ['sha256//' . 'A' x 43 . '=', qr{(sha256//\S+=)}, 'chain'],
        fingerprint  => ['sha256$' . 'ab' x 32, qr/(sha256\$[0-9a-f]{64})/, 'fingerprint'],
        SSL_fingerprint => ['sha1$' . 'ab' x 20, qr/(sha256\$[0-9a-f]{64})/, 'fingerprint'],
        dane         => ['3 1 1 ' . 'ab' x 32, qr/"(3 1 1 [0-9a-fA-F]{64})"/, 'dane'],
    );
    my $stranger = SystemTrust->can('file') ? $SystemTrust::file->filename : $ENV{SSL_CERT_FILE};
    for my $name (sort keys %case) {
        my ($wrong, $right, $trust) = @{ $case{$name} };
        my @ca = $name eq 'pins' ? () : (ca_file => $stranger);
        my $error = error_of(sub { connected($server, $name => $wrong, @ca) });
        is(ref $error && $error->kind, 'tls', "$name: a wrong one") or diag $error;
        like($error, $right, 'the error tells the right one');
        my ($value) = $error =~ $right;
        my $smtp = eval { connected($server, $name => [$wrong, $value // ''], @ca) };
        is($smtp && $smtp->tls->{trust}, $trust, 'which is taken in a list') or diag $@;
        is($smtp && $smtp->tls->{verified}, 1, 'and makes the connection verified');
        my $old = eval { client($server, SSL => 1, SSL_ca_file => undef, ($name eq 'pins' ? () :
            (SSL_ca_file => $stranger)), $name eq 'pins' ? (ca_file => $server->ca_file) : (), $name => $value) };
        is($old && $old->tls->{trust}, $trust, 'by new, too') or diag $@;
    }
};

subtest 'must_staple' => sub {
    my $server = sandbox(tls => 'implicit');
    for my $option ([must_staple => 1], [SSL_ocsp_mode => 2]) {
        like(error_of(sub { connected($server, @$option) }), qr/must_staple is demanded.*came no OCSP answer/,
            "$option->[0]: a server that staples nothing");
    }
    is(connected($server, SSL_ocsp_mode => 16)->tls->{stapled}, 0, 'SSL_OCSP_TRY_STAPLE');
};

subtest 'resumption' => sub {
    my $server = sandbox(tls => 'implicit');
    my $round = sub {
        my (@option) = @_;
        my $smtp = connected($server, @option);
        my $resumed = $smtp->tls->{resumed};
        $smtp->quit;
        return $resumed;
    };
    is(join(' ', map { $round->() } 1 .. 3), '0 1 1', 'by default');
    is(join(' ', map { $round->(resumption => 0) } 1 .. 2), '0 0', 'resumption => 0');
    is(join(' ', map { $round->(SSL_session_cache_size => 0) } 1 .. 2), '0 0', 'SSL_session_cache_size => 0');
    my @file = (session_file => "$folder/sessions");
    is(join(' ', map { $round->(@file) } 1 .. 3), '0 1 1', 'session_file');
    is((stat "$folder/sessions")[2] & 0777, 0600, 'is for its owner alone');
    chmod 0640, "$folder/sessions";
    my $open = qr/session_file: \S+ is open to other users .*chmod 600/;
    like(error_of(sub { $round->(@file, minimum_version => 'TLSv1.3') }), $open, 'refused when others can read');
    ok(!client_of($server, @file), 'new') or return;
    like($@, $open, 'does the same');
};

sub client_of {
    my ($server, @option) = @_;
    return Net::SMTP::AuthC->new($server->host, Port => $server->port, SSL => 1, SSL_ca_file => $server->ca_file,
        @option);
}

subtest 'keylog_file' => sub {
    my $server = sandbox(tls => 'implicit');
    my $path = "$folder/keys";
    my @warnings = warnings_of(sub { connected($server, keylog_file => $path, resumption => 0)->quit for 1 .. 2 });
    is(scalar @warnings, 1, 'one warning');
    like($warnings[0], qr/\Akeylog_file: the secrets .*\Q$path\E.* at \Q$0\E line [0-9]+\.$/, 'with our line');
    is((stat $path)[2] & 0777, 0600, 'it is for its owner alone');
    my $text = do { local (@ARGV, $/) = $path; scalar <> };
    my @sessions = $text =~ /^CLIENT_TRAFFIC_SECRET_0 ([0-9a-f]{64}) [0-9a-f]+$/mg;
    is(scalar @sessions, 2, 'the secrets of both connections');
    unlink $path;
    connected($server, keylog_file => $path, resumption => 0);
    ok(-s $path, 'a file that was taken away is made again');
    @warnings = warnings_of(sub { ok(client_of($server, keylog_file => $path), 'new') });
    is(scalar @warnings, 0, 'no second warning');
    chmod 0644, $path;
    like(error_of(sub { connected($server, keylog_file => $path, minimum_version => 'TLSv1.3') }),
        qr/keylog_file: \S+ is open to other users/, 'refused when others can read');
};

done_testing;
