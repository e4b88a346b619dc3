# What TLS came to: the facts of both faces, and the methods that IO::Socket::SSL gives a Net::SMTP object.
use strict;
use warnings;
use File::Temp;
use IPC::Open2;
use lib 't/lib';
use Face;
use Net::SMTP::AuthC::Certificate;
use Net::SMTP::AuthC::Sandbox::Certificates;
use Test::More;

my @FACTS = qw(cipher group issuer name not_after resumed stapled subject trust verified version);
my ($openssl) = grep { -x } map { "$_/openssl" } split /:/, $ENV{PATH} || '';

sub error_of { my ($code) = @_; return eval { $code->(); 1 } ? 'no error' : $@ }

sub over_tls { return sandbox(tls => 'implicit', @_) }

# A server with a certificate of these, signed by the sandbox's authority.
sub server_with {
    my (%want) = @_;
    my @pem = Net::SMTP::AuthC::Sandbox::TLS::make_certificate(common_name => 'localhost', valid_seconds => 86_400,
        names => 'DNS:localhost', issuer => [Net::SMTP::AuthC::Sandbox::Certificates::authority('known')], %want);
    return over_tls(certificate => \@pem);
}

subtest 'facts' => sub {
    for my $tls (qw(implicit starttls)) {
        my $server = sandbox(tls => $tls, users => {demo => 'secret'});
        my $receipt = Net::SMTP::AuthC->send_mail(server => $server->url, ca_file => $server->ca_file,
            username => 'demo', password => 'secret', from => 'a@b.test', to => 'c@d.test', subject => 'x',
            text => 'y');
        my $facts = $receipt->tls;
        is_deeply([sort keys %$facts], \@FACTS, "$tls: the receipt has all");
        my %is = (version => qr/\ATLSv1\.[23]\z/, cipher => qr/\A[A-Z0-9_-]{10,}\z/, group => qr/\A[\w-]*\z/,
            verified => qr/\A1\z/, name => qr/\Alocalhost\z/, trust => qr/\Achain\z/, subject => qr/\ACN=localhost\z/,
            issuer => qr/\ACN=Sandbox CA \(known\)\z/, resumed => qr/\A0\z/, stapled => qr/\A0\z/,
            not_after => qr/\A20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z\z/);
        like($facts->{$_}, $is{$_}, $_) for sort keys %is;
        my $took = $receipt->timings;
        is_deeply([sort keys %$took], [qw(auth connect tls transaction)], 'and every timing');
        is_deeply([grep { $_ < 0 || $_ > 60 } values %$took], [], 'in seconds');
    }
    my $in_clear = sandbox();
    my $receipt = Net::SMTP::AuthC->connect($in_clear->url . '?tls=none')->submit("x\n", from => 'a@b.test',
        to => 'c@d.test');
    is($receipt->tls, undef, 'nothing of TLS in clear');
    is($receipt->timings->{tls}, undef, 'nor a time');
};

subtest 'the time of a slow handshake' => sub {
    my $server = over_tls(faults => [{stage => 'tls', delay => 0.3}]);
    my $smtp = Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, timeout => 60);
    my $took = $smtp->submit("x\n", from => 'a@b.test', to => 'c@d.test')->timings;
    cmp_ok($took->{tls}, '>=', 0.25, 'is in timings') or diag explain $took;
};

subtest 'without TLS' => sub {
    my $smtp = client(sandbox());
    my %is = map { $_ => undef } qw(get_cipher get_sslversion get_session_reused dump_peer_certificate get_fingerprint
        get_fingerprint_bin);
    is(scalar $smtp->$_, $is{$_}, $_) for sort keys %is;
    is(scalar $smtp->peer_certificate('subject'), undef, 'peer_certificate');
    is($smtp->errstr, '', 'errstr');
    is(Net::SMTP::AuthC->can_ssl, 'Net::SMTP::AuthC', 'can_ssl, a class method');
    ok($smtp->can_ssl, 'on an object too');
};

subtest 'the methods' => sub {
    my $server = over_tls();
    my $smtp = client($server, SSL => 1);
    is($smtp->get_cipher, $smtp->tls->{cipher}, 'get_cipher');
    is($smtp->get_sslversion, $smtp->tls->{version} =~ tr/./_/r, 'get_sslversion, as SSL_version wants it');
    ok(client($server, SSL => 1, SSL_version => $smtp->get_sslversion), 'which can be given back');
    is($smtp->get_session_reused, 0, 'get_session_reused');
    $smtp->quit;
    is(client($server, SSL => 1)->get_session_reused, 1, 'the second time');
    my $plain = sandbox(tls => 'starttls');
    my $starts = client($plain);
    is($starts->get_cipher, undef, 'before starttls');
    ok($starts->starttls, 'starttls') or diag $@;
    ok($starts->get_cipher, 'after it');
    is($starts->dump_peer_certificate, "Subject Name: /CN=localhost\nIssuer  Name: /CN=Sandbox CA (known)\n",
        'dump_peer_certificate');
    my %can = map { $_ => 1 } qw(get_cipher get_sslversion peer_certificate dump_peer_certificate get_fingerprint
        get_fingerprint_bin get_session_reused errstr can_ssl);
    is_deeply([grep { !Net::SMTP::AuthC->can($_) } sort keys %can], [], 'can knows them');
};

subtest 'errstr' => sub {
    my $server = sandbox(tls => 'starttls');
    my $smtp = client($server, SSL_ca_file => undef);
    ok(!$smtp->starttls, 'an authority that nobody knows');
    like($smtp->errstr, qr/the issuer of certificate .* is not known here/, 'errstr says so');
    is($smtp->errstr . "\n", $@, 'and so did $@');
    is(Net::SMTP::AuthC->errstr, '', 'of no object');
};

subtest 'peer_certificate' => sub {
    my $server = server_with(common_name => 'caf\\\\', names =>
        'DNS:localhost,DNS:*.mail.test,IP:127.0.0.1,IP:::1,email:post@mail.test,URI:https://mail.test/');
    my $smtp = client($server, SSL => 1);
    is($smtp->peer_certificate($_), '/CN=Sandbox CA (known)', $_) for qw(issuer authority);
    is($smtp->peer_certificate($_), '/CN=caf\\\\', $_) for qw(subject owner);
    is($smtp->peer_certificate($_), 'caf\\\\', $_) for qw(commonName cn);
    my @names = $smtp->peer_certificate('subjectAltNames');
    is_deeply(\@names, [2 => 'localhost', 2 => '*.mail.test', 7 => "\x7f\0\0\1", 7 => "\0" x 15 . "\1",
        1 => 'post@mail.test', 6 => 'https://mail.test/'], 'subjectAltNames');
    like($smtp->peer_certificate('PEM'), qr/\A-----BEGIN CERTIFICATE-----\n.*\n-----END CERTIFICATE-----\n\z/s,
        'PEM');
    for my $field (undef, '', 'nonsense') {
        like(error_of(sub { $smtp->peer_certificate($field) }),
            qr/\Apeer_certificate: a field is needed, one of .*subjectAltNames.* at \Q$0\E line/,
            defined $field ? "'$field'" : 'no field');
    }
    $smtp = client(server_with(common_name => "M\xC3\xBCller"), SSL => 1);
    is($smtp->peer_certificate('subject'), '/CN=M\xC3\xBCller', 'octets that are not ASCII');
    is($smtp->peer_certificate('cn'), "M\xC3\xBCller", 'the common name as it is');
    $smtp = client(server_with(names => undef), SSL => 1);
    is_deeply([$smtp->peer_certificate('subjectAltNames')], [], 'no subjectAltName');
    $smtp = client(server_with(names => 'DER:30:20:82:09:6c:6f:63:61:6c:68:6f:73:74:82:13:6d:61:69:6c:2e:74:65:73:74'
        . ':00:2e:65:76:69:6c:2e:6e:65:74'), SSL => 1, SSL_verifycn_scheme => 'none');
    is_deeply([$smtp->peer_certificate('subjectAltNames')], [2 => 'localhost', 2 => "mail.test\0.evil.net"],
        'a NUL in a name is seen');
};

# The output of "openssl x509" for the certificate.
sub x509 {
    my ($pem, @options) = @_;
    my $pid = open2(my $read, my $write, $openssl, 'x509', '-noout', @options);
    print {$write} $pem;
    close $write;
    my $said = do { local $/; <$read> };
    waitpid $pid, 0;
    return $said // '';
}

subtest 'fingerprints' => sub {
    my $server = server_with(key => 'RSA-2048');
    my $smtp = client($server, SSL => 1);
    my $pem = $smtp->peer_certificate('PEM');
    for my $algorithm (qw(sha1 sha256 sha512)) {
        my $fingerprint = $smtp->get_fingerprint($algorithm);
        is($fingerprint, "$algorithm\$" . unpack('H*', $smtp->get_fingerprint_bin($algorithm)),
            "$algorithm and its octets");
        SKIP: {
            skip 'no openssl program here', 1 if !$openssl;
            my ($hex) = x509($pem, '-fingerprint', "-$algorithm") =~ /=([0-9A-F:]+)/;
            is($fingerprint, "$algorithm\$" . lc $hex =~ tr/://dr, 'as the openssl program has it');
        }
    }
    is($smtp->get_fingerprint, $smtp->get_fingerprint('sha256'), 'sha256 is the default');
    is($smtp->get_fingerprint_bin, $smtp->get_fingerprint_bin('sha256'), 'of the octets too');
    for my $fingerprint ($smtp->get_fingerprint, $smtp->get_fingerprint('sha1'),
        $smtp->get_fingerprint('sha256', undef, 1), $smtp->get_fingerprint('sha512', undef, 1)) {
        my $trusted = client($server, SSL => 1, SSL_ca_file => undef, SSL_fingerprint => $fingerprint);
        is($trusted && $trusted->tls->{trust}, 'fingerprint', "SSL_fingerprint takes $fingerprint");
    }
    like(error_of(sub { $smtp->get_fingerprint('md5') }), qr/sha256.* at \Q$0\E line/, 'no MD5');
    like(error_of(sub { $smtp->get_fingerprint('sha256', 1) }), qr/but the server's at \Q$0\E/,
        'of no other certificate');
};

subtest 'names as OpenSSL writes them' => sub {
    plan skip_all => 'no openssl program here' if !$openssl;
    my ($authority) = Net::SMTP::AuthC::Sandbox::Certificates::authority('known');
    my $folder = File::Temp->newdir;
    my $config = "$folder/config";
    open my $handle, '>', $config or die $!;
    print {$handle} "[req]\ndistinguished_name = dn\nprompt = no\nstring_mask = utf8only\nutf8 = yes\n[dn]\nC = DE\n"
        . "ST = Bayern\nL = M\xC3\xBCnchen\nO = A/B, C + D\n0.OU = one\n1.OU = two\nCN = mail.test\n"
        . "emailAddress = post\@mail.test\nserialNumber = 7\n+UID = both\n0.1.3.6.1.4.1.99999.1 = odd\n"
        . "0.2.999.3 = two\n";
    close $handle or die $!;
    my $made = `$openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -config $config -days 2 2>/dev/null`;
    my $certificate = Net::SMTP::AuthC::Certificate->of_pem($made);
    is($certificate->subject, '/C=DE/ST=Bayern/L=M\xC3\xBCnchen/O=A\/B, C \+ D/OU=one/OU=two/CN=mail.test'
        . '/emailAddress=post@mail.test/serialNumber=7+UID=both/1.3.6.1.4.1.99999.1=odd/2.999.3=two', 'in one line');
    is($certificate->subject, $certificate->issuer, 'it signed itself');
    my ($theirs) = x509($made, '-subject', '-nameopt', 'compat') =~ /\Asubject=\s*(.*)\n\z/;
    s{\\([/+])}{$1}g for my $ours = $certificate->subject, $theirs;    # older ones escape nothing
    is($ours, $theirs, 'the same as theirs');
};

# It reads what a stranger has sent: whatever that is, it dies in words or gives something.
subtest 'damaged certificates' => sub {
    my ($pem) = Net::SMTP::AuthC::Sandbox::Certificates::server('good');
    my $der = Net::SMTP::AuthC::Certificate->of_pem($pem)->der;
    require MIME::Base64;
    my $read = sub {
        my $text = MIME::Base64::encode_base64($_[0]);
        my $one = Net::SMTP::AuthC::Certificate->of_pem(
            "-----BEGIN CERTIFICATE-----\n$text-----END CERTIFICATE-----\n");
        return map { scalar $one->$_ } qw(subject issuer common_name alternative_names key_bits);
    };
    my @warnings = warnings_of(sub {
        my $died = 0;
        for my $place (0 .. length($der) - 1) {
            for my $octet (0x00, 0x30, 0x80, 0x84, 0xFF) {
                my $damaged = $der;
                substr $damaged, $place, 1, chr $octet;
                $died++ if !eval { $read->($damaged); 1 };
            }
            ok(!eval { $read->(substr $der, 0, $place); 1 }, "cut at $place") if $place % 50 == 0;
        }
        cmp_ok($died, '>', 20, "$died that are none");
    });
    is_deeply([@warnings > 3 ? @warnings[0 .. 2] : @warnings], [], 'no warnings');
    like(error_of(sub { Net::SMTP::AuthC::Certificate->of_pem('nothing') }), qr/no certificate in PEM/, 'no PEM');
};

done_testing;
