# Reader: the options of TLS, by our names and by those of IO::Socket::SSL, read and checked.
package Net::SMTP::AuthC::TlsOptions::Reader;

use 5.014;
use strict;
use warnings;

use overload ();
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

our @CARP_NOT = ('Net::SMTP::AuthC::TlsOptions');

# Every name that is taken: what the core calls it, and who reads its value. One that reads nothing says nothing.
my %option = (
    (map { $_ => [$_, \&_file] } qw(ca_file certificate_file key_file crl_file session_file keylog_file)),
    (map { $_ => [$_, \&_text] } qw(key_password cipher_list ciphersuites minimum_version)),
    (map { $_ => [$_, \&_flag] } qw(insecure_no_verify insecure_no_name_check allow_common_name check_crl_of_chain
        must_staple)),
    (map { $_ => ['tlsa', \&_lines] } qw(dane tlsa)),
    (map { $_ => ['fingerprints', \&_words] } qw(fingerprint fingerprints SSL_fingerprint)),
    (map { $_ => ['name', \&_host] } qw(tls_name SSL_verifycn_name)),
    (map { $_ => ['ca_path', \&_folders] } qw(ca_path SSL_ca_path)),
    pins       => ['pins', \&_words],
    sni_name   => ['sni_name', \&_host_or_none],
    resumption => ['no_resumption', sub { return _flag(@_) ? 0 : 1 }],

    SSL_ca_file         => ['ca_file', \&_file],
    SSL_cert_file       => ['certificate_file', \&_file],
    SSL_key_file        => ['key_file', \&_file],
    SSL_crl_file        => ['crl_file', \&_file],
    SSL_cipher_list     => ['cipher_list', \&_text],
    SSL_ciphersuites    => ['ciphersuites', \&_text],
    SSL_version         => ['minimum_version', \&_version],
    SSL_hostname        => ['sni_name', \&_ssl_hostname],
    SSL_verify_mode     => ['insecure_no_verify', \&_verify_mode],
    SSL_verifycn_scheme => ['insecure_no_name_check', \&_scheme],
    SSL_ocsp_mode       => ['must_staple', \&_ocsp_mode],
    SSL_ecdh_curve      => ['', \&_curve],
    SSL_session_cache_size => ['no_resumption', sub { return $_[1] eq '0' ? 1 : undef }],
);

# They would demand more than we check, or other than we do: to pass over them in silence would be a lie.
my $OWN_FILE = 'write it to a file in PEM and give';
my %refused = (
    SSL_ca                   => "$OWN_FILE SSL_ca_file",
    SSL_cert                 => "$OWN_FILE SSL_cert_file",
    SSL_key                  => "$OWN_FILE SSL_key_file",
    SSL_verify_callback      => 'say whom to trust by SSL_ca_file, SSL_fingerprint or pins; what the server showed '
        . 'can be looked at with peer_certificate before the login',
    SSL_ocsp_staple_callback => 'leave it out: what the server staples is checked, and must_staple demands it',
    SSL_create_ctx_callback  => 'give the options that it would set',
    SSL_reuse_ctx            => 'give its options: connections with the same options share a context by themselves',
    SSL_server               => 'this is a client',
    SSL_verifycn_publicsuffix => 'leave it out: a wildcard counts for one whole label only, and never for a whole '
        . 'top level; pins narrow it further',
);

# They change nothing for a client of SMTP.
my %is_harmless = map { $_ => 1 } qw(SSL_check_crl SSL_use_cert SSL_passwd_cb SSL_startHandshake SSL_session_cache
    SSL_session_key SSL_session_id_context SSL_mode_release_buffers SSL_honor_cipher_order SSL_keepSocketOnError
    SSL_error_trap SSL_alpn_protocols SSL_npn_protocols SSL_ocsp_cache SSL_dh SSL_dh_file
    SSL_client_ca SSL_client_ca_file SSL_ticket_keycb);

sub is_option { return $option{ $_[1] } || $refused{ $_[1] } || $is_harmless{ $_[1] } ? 1 : 0 }

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# As TlsOptions has them. SSL_hostname is said as SNI, and is the name to be borne too where nothing else names one.
sub of {
    my ($class, $given, $host) = @_;

    for my $name (grep { $given->{$_} } sort keys %refused) {
        _usage("$name is not supported here: $refused{$name}");
    }
    my $demand = _read_all($given);
    _settle($demand, $given);
    my $sni  = $given->{SSL_hostname};
    my $name = delete $demand->{name} // (length($sni // '') ? $sni : $host);
    return ($demand, Net::SMTP::AuthC::Options->ascii_host($name));
}

sub merged {
    my ($class, $first, $later) = @_;

    my %is_said = map { $option{$_} ? ($option{$_}[0] => 1) : () } keys %$later;
    my @kept = grep { !$option{$_} || !$is_said{ $option{$_}[0] } } keys %$first;
    return { (map { $_ => $first->{$_} } @kept), %$later };
}

sub _read_all {
    my ($given) = @_;

    my (%demand, %name_of);
    for my $name (sort grep { $option{$_} && defined $given->{$_} } keys %$given) {
        my ($target, $read) = @{ $option{$name} };
        my $value = $read->($name, $given->{$name}) // next;
        my $before = $name_of{$target};
        _usage("$before and $name contradict each other: give one of them")
            if defined $before && $demand{$target} ne $value;
        ($demand{$target}, $name_of{$target}) = ($value, $name);
    }
    return \%demand;
}

# What hangs on more than one option.
sub _settle {
    my ($demand, $given) = @_;

    my ($check_crl, $use_cert) = @$given{qw(SSL_check_crl SSL_use_cert)};
    delete $demand->{crl_file} if defined $check_crl && !$check_crl && !defined $given->{crl_file};
    _usage('SSL_check_crl without a file of revocation lists: give SSL_crl_file')
        if $check_crl && !$demand->{crl_file};
    my @is_ssl = grep { !defined $given->{$_} } qw(certificate_file key_file);
    delete @$demand{@is_ssl} if defined $use_cert && !$use_cert;
    _usage('session_file and resumption => 0 contradict each other: give one of them')
        if $demand->{no_resumption} && defined $demand->{session_file};
    $demand->{key_password} //= _password($given->{SSL_passwd_cb})
        if defined $given->{SSL_passwd_cb} && ($demand->{certificate_file} // $demand->{key_file});
    delete $demand->{key_password} if !defined $demand->{key_password};
    return;
}

# ---- how values are read: by the name, for errors, and the value ----

# Who has no value for an option of IO::Socket::SSL may leave it empty; with ours that is a mistake.
sub _text {
    my ($name, $value) = @_;

    _usage("$name: a " . ref($value) . ' reference is no text') if ref $value && !overload::Method($value, '""');
    return "$value" if length $value;
    return $name =~ /\ASSL_/ ? undef : _usage("$name is empty");
}

sub _file {
    my ($name, $value) = @_;

    _usage("$name: it takes one file; put the certificates of several into one")
        if ref $value eq 'ARRAY' && @$value != 1;
    return _text($name, ref $value eq 'ARRAY' ? $value->[0] // '' : $value);
}

sub _folders { return _joined(':', @_) }
sub _words   { return _joined(' ', @_) }
sub _lines   { return _joined("\n", @_) }

sub _joined {
    my ($between, $name, $value) = @_;

    return _text($name, $value) if ref $value ne 'ARRAY';
    _usage("$name: an empty list") if !@$value;
    return join $between, map { _text($name, $_ // '') // _usage("$name: something in the list is empty") } @$value;
}

# 'no' would be true.
sub _flag {
    my ($name, $value) = @_;

    _usage("$name: 1 or 0") if $value !~ /\A[01]?\z/;
    return $value ? 1 : 0;
}

sub _host {
    my ($name, $value) = @_;

    return Net::SMTP::AuthC::Options->ascii_host(_text($name, $value), $name);
}

sub _host_or_none { return ref $_[1] || length $_[1] ? _host(@_) : '' }

# '' says no SNI; an address cannot be said.
sub _ssl_hostname {
    my ($name, $value) = @_;

    my $host = _host_or_none($name, $value);
    return $host =~ /:|\A[0-9.]+\z/ ? '' : $host;
}

sub _password {
    my ($code) = @_;

    _usage('SSL_passwd_cb: a code ref that gives the password') if ref $code ne 'CODE';
    return $code->(0);
}

sub _verify_mode {
    my ($name, $mode) = @_;

    _usage("$name: a number, 0 (SSL_VERIFY_NONE) for no verification, 1 (SSL_VERIFY_PEER) for verification")
        if $mode !~ /\A(?:[0-9]|1[0-5])\z/;
    return $mode ? 0 : 1;
}

# We are as strict as the strictest of these.
my %is_scheme = map { $_ => 1 } qw(default smtp rfc2595 imap pop3 acap rfc4642 nntp rfc5539 netconf rfc5538 syslog
    rfc5425 snmp rfc5953 http www rfc2818 xmpp rfc3920 ftp rfc4217);

sub _scheme {
    my ($name, $scheme) = @_;

    return undef if $scheme eq '';
    return 1 if $scheme eq 'none';
    return $is_scheme{$scheme} ? 0 : _usage("$name: smtp, or none (a hash or another scheme is not supported here)");
}

# We ask no responders, so a mode that speaks of their answers would be a promise.
sub _ocsp_mode {
    my ($name, $mode) = @_;

    return undef if $mode eq '';
    _usage("$name: the number of SSL_OCSP_NO_STAPLE, SSL_OCSP_TRY_STAPLE or SSL_OCSP_MUST_STAPLE (nobody is asked "
        . 'but the server, so SSL_OCSP_FAIL_HARD and SSL_OCSP_FULL_CHAIN are not supported here)')
        if $mode !~ /\A[0-9]{1,4}\z/ || $mode & ~0b10011;
    return $mode & 0b00010 ? 1 : undef;
}

sub _curve {
    my ($name, $curves) = @_;

    return undef if $curves eq '' || $curves eq 'auto';
    return _usage("$name is not supported here: leave it out (OpenSSL chooses well), or set Groups in openssl.cnf");
}

# Whoever names an older version gets a newer one. To be kept from TLS 1.3 is another matter.
sub _version {
    my ($name, $version) = @_;

    return undef if $version eq '';
    my (%is_out, %is_named);
    for my $word (split /\s*:\s*/, lc $version, -1) {
        $word =~ m{\A(!?)(?:sslv(?:2|3|23|2/3)|tlsv1(?:_?([123]))?)\z}
            or _usage(qq{$name: "$version" is none, try TLSv1_2 or TLSv1_3 or leave it out});
        ($1 ? $is_out{ $2 // 0 } : $is_named{ $2 // 0 }) = 1;
    }
    _usage("$name: TLS 1.3 cannot be left out; leave the !TLSv1_3 out instead") if $is_out{3};
    return $is_out{2} ? 'TLSv1.3' : $is_named{2} ? 'TLSv1.2' : $is_named{3} ? 'TLSv1.3' : undef;
}

# ---- warnings ----

my %is_warned;

sub warn_of_keylog {
    my ($class, $path) = @_;

    return if $is_warned{$path}++;
    require Carp;
    Carp::carp("keylog_file: the secrets of TLS sessions are written to $path; whoever reads it can read all "
        . 'that was recorded of them, passwords too');
    return;
}

1;
