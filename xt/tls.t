# TLS with real servers: sessions resumed here and by the next process, pins, DANE, revocation lists, stapled answers.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Dovecot;
use RealServers::Exim;
use RealServers::Logins;
use RealServers::Postfix;
use Test::More;

# Postfix and Dovecot have OpenSSL, Exim has GnuTLS.
my @classes = grep { !defined $_->missing } map { "RealServers::$_" } qw(Postfix Exim Dovecot);
plan skip_all => join '; ', map { $_->missing } qw(RealServers::Postfix RealServers::Exim) if !@classes;

for my $class (@classes) {
    subtest $class => sub {
        my $server = $class->start;
        for my $port (qw(tls starttls)) {
            next if $class eq 'RealServers::Dovecot';   # each connection is a process with keys of its own
            resumed_here($server, $port);
            resumed_by_the_next($server, $port);
        }
        keys_of_the_certificate($server);
        revocation_list($server);
        staple($server);
        RealServers::Logins::finish($server);
    };
}
done_testing();

# The facts of one connection, or the error as text.
sub facts {
    my ($server, $port, %option) = @_;
    my $smtp = eval { RealServers::Logins::connection($server, $port, %option) } or return "$@";
    my $facts = $smtp->tls;
    $smtp->quit;
    return $facts;
}

sub connects {
    my ($server, $name, %option) = @_;
    my $facts = facts($server, 'starttls', %option);
    ok(ref $facts, $name) or diag($facts);
    return ref $facts ? $facts : {};
}

sub is_refused {
    my ($server, $reason, $name, %option) = @_;
    like(facts($server, 'starttls', %option), $reason, $name);
}

# A ticket serves once, and Postfix gives no new one for it: the third connection may be another.
sub resumed_here {
    my ($server, $port) = @_;
    my @facts = map { my $facts = facts($server, $port); ref $facts ? $facts : {resumed => $facts} } 1 .. 2;
    is_deeply([map { $_->{resumed} } @facts], [0, 1], "$port: the second connection resumes the first's session");
    ok($facts[1]{verified}, 'and is as verified');
    my $facts = facts($server, $port, resumption => 0);
    is(ref $facts ? $facts->{resumed} : $facts, 0, 'none where that is switched off');
}

# Each connection in a process of its own, as those of a CGI script are.
sub resumed_by_the_next {
    my ($server, $port) = @_;
    my $file = $server->path("sessions-$port");
    my $url  = ($port eq 'tls' ? 'smtps' : 'smtp') . '://localhost:' . $server->port($port);
    my $run  = sub {
        local $ENV{PERL5LIB} = join ':', @INC;
        open my $words, '-|', $^X, '-MNet::SMTP::AuthC', '-e', 'my ($url, @option) = @ARGV;
            my $smtp = Net::SMTP::AuthC->connect($url, @option); print $smtp->tls->{resumed}; $smtp->quit', $url,
            SSL_ca_file => $server->ca_file, session_file => $file or die "perl: $!";
        return <$words> // 'nothing';
    };
    is_deeply([map { $run->() } 1 .. 2], [0, 1], "$port: the next process resumes the session by its file");
    is((stat $file)[2] & 07777, 0600, 'which is for nobody else to read');
    chmod 0644, $file;
    like(facts($server, $port, session_file => $file), qr/session_file/, 'one that others may read is refused');
}

# What the openssl command computes is what must fit.
sub keys_of_the_certificate {
    my ($server) = @_;
    my ($key, $whole, $other) = map { digest($server, $_) } 'cert.pem|key', 'cert.pem', 'client.pem|key';
    my @key = (hex_of($key), hex_of($other));
    connects($server, 'the pin of its key fits',   pins => 'sha256//' . base64_of($key));
    connects($server, 'one of two pins fits',      pins => [map { 'sha256//' . base64_of($_) } $other, $key]);
    connects($server, "the pin of the CA's key fits", pins => 'sha256//' . base64_of(digest($server, 'ca.pem|key')));
    is_refused($server, qr/pin/, 'the pin of another key does not', pins => 'sha256//' . base64_of($other));
    is(connects($server, 'its fingerprint is enough', ca_file => $server->path('client.pem'), SSL_ca_file => undef,
        SSL_fingerprint => 'sha256$' . hex_of($whole))->{trust}, 'fingerprint', 'and is what was trusted');
    is(connects($server, 'DANE-EE of its key is enough', ca_file => $server->path('client.pem'), SSL_ca_file => undef,
        tlsa => "3 1 1 $key[0]")->{trust}, 'dane', 'and is what was trusted');
    my $authority = `openssl x509 -in '${\$server->ca_file}' -outform DER`;
    connects($server, 'DANE-TA of the CA, whole where the server does not send it',
        tlsa => '2 0 0 ' . hex_of($authority));
    is_refused($server, qr/DANE|TLSA/, 'DANE-EE of another key is refused', tlsa => "3 1 1 $key[1]");
}

# SHA-256 of a certificate, or of its key.
sub digest {
    my ($server, $what) = @_;
    my ($file, $part) = split /\|/, $what;
    my $path = $server->path($file);
    my $der  = $part ? "openssl x509 -in '$path' -pubkey -noout | openssl pkey -pubin -outform DER"
        : "openssl x509 -in '$path' -outform DER";
    return scalar `$der | openssl dgst -sha256 -binary`;
}

sub hex_of    { return unpack 'H*', $_[0] }
sub base64_of { require MIME::Base64; return MIME::Base64::encode_base64($_[0], '') }

sub revocation_list {
    my ($server) = @_;
    for my $is_revoked (0, 1) {
        my $list = $server->path("crl-$is_revoked.pem");
        RealServers::write_file($server->path('ca.conf'), "[ca]\ndefault_ca = all\n[all]\ndatabase = "
            . $server->register($is_revoked) . "\ndefault_md = sha256\ndefault_crl_days = 1\n");
        $server->run_command(qw(openssl ca -gencrl -batch), '-config', $server->path('ca.conf'),
            '-cert', $server->ca_file, '-keyfile', $server->path('ca-key.pem'), '-out', $list);
        connects($server, 'a revocation list without it', crl_file => $list)              if !$is_revoked;
        is_refused($server, qr/revoked/, 'a revocation list with it', crl_file => $list) if $is_revoked;
    }
}

sub staple {
    my ($server) = @_;
    if ($server->isa('RealServers::Exim')) {
        is(connects($server, 'must_staple, and it does', must_staple => 1)->{stapled}, 1, 'which is told');
    }
    else {
        is_refused($server, qr/stapl/, 'must_staple, and it does not', must_staple => 1);
        is(connects($server, 'without must_staple')->{stapled}, 0, 'none is told of');
    }
}
