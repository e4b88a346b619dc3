# Options: what callers pass to new, starttls and connect, as the C core wants it.
package Net::SMTP::AuthC::Options;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

# IO::Socket::SSL's names, for both faces, and ours for the sending face.
my %tls_option = (
    SSL_ca_file     => 'ca_file',
    SSL_ca_path     => 'ca_path',
    SSL_cert_file   => 'certificate_file',
    SSL_key_file    => 'key_file',
    SSL_cipher_list => 'cipher_list',
    (map { $_ => $_ } qw(ca_file ca_path certificate_file key_file key_password cipher_list ciphersuites
        minimum_version insecure_no_verify insecure_no_name_check allow_common_name)),
);

# Names of IO::Socket::SSL that are read here otherwise, or that change nothing for a client of SMTP.
my %is_read_otherwise = map { $_ => 1 } qw(SSL_verify_mode SSL_verifycn_name SSL_verifycn_scheme SSL_hostname
    SSL_version SSL_passwd_cb SSL_use_cert SSL_verifycn_publicsuffix SSL_startHandshake SSL_session_cache
    SSL_session_cache_size SSL_session_key SSL_reuse_ctx SSL_mode_release_buffers SSL_honor_cipher_order
    SSL_keepSocketOnError SSL_error_trap);

# These would demand more than we check, so that to pass over them in silence would be a lie.
my @NOT_YET = qw(SSL_verify_callback SSL_crl_file SSL_check_crl SSL_fingerprint SSL_ocsp_mode SSL_ca SSL_cert
    SSL_key);

my %is_not_yet = map { $_ => 1 } @NOT_YET;

sub is_tls_option { return $tls_option{ $_[1] } || $is_read_otherwise{ $_[1] } || $is_not_yet{ $_[1] } }

# The demands of a caller as a list for Net::SMTP::AuthC::TLS->new, and the name that the certificate must bear.
sub tls {
    my ($class, $given, $host) = @_;

    for my $name (grep { defined $given->{$_} } @NOT_YET) {
        Net::SMTP::AuthC::Error->usage("$name is not supported here", 'leave it out, or use ca_file');
    }
    my @names  = grep { $tls_option{$_} && defined $given->{$_} } keys %$given;
    my %demand = map { $tls_option{$_} => $given->{$_} } @names;
    $demand{insecure_no_verify} = 1 if defined $given->{SSL_verify_mode} && !$given->{SSL_verify_mode};
    $demand{insecure_no_name_check} = 1 if ($given->{SSL_verifycn_scheme} // '') eq 'none';
    $demand{minimum_version} //= 'TLSv1.3' if ($given->{SSL_version} // '') =~ /\A(?:SSLv23:.*!TLSv1_?2|TLSv1_3\z)/;
    $demand{key_password} //= $given->{SSL_passwd_cb}->(0) if ref $given->{SSL_passwd_cb} eq 'CODE';
    my $name = $given->{SSL_verifycn_name} // $given->{tls_name} // $given->{SSL_hostname} // $host;
    return (\%demand, $class->ascii_host($name));
}

# One context a configuration; a file that changes is a new configuration.
my %contexts;

sub context {
    my ($class, $demand) = @_;

    my $key = join "\0", map { ($_, $demand->{$_}, /_(?:file|path)\z/ ? (stat $demand->{$_})[9] // 0 : ()) }
        sort keys %$demand;
    return $contexts{$key} if $contexts{$key};
    my $context = eval { Net::SMTP::AuthC::TLS->new(%$demand) };
    if (!$context) {
        my $text = $@ =~ s/ at \Q${\__FILE__}\E line [0-9]+.*\n\z//sr;
        Net::SMTP::AuthC::Error->throw(kind => 'tls', step => 'TLS set-up', text => $text, temporary => 0);
    }
    %contexts = () if keys %contexts > 20;
    return $contexts{$key} = $context;
}

sub CLONE { %contexts = (); return }

# "host", "host:port", "[v6]", "[v6]:port" and Net::SMTP's "host:name(port)", with a port for where none is given.
sub host_and_port {
    my ($class, $host, $port) = @_;

    my $service = qr/[A-Za-z0-9_-]+(?:\([0-9]+\))?/;
    if ($host =~ /\A\[([^\]]+)\](?::($service))?\z/ || $host =~ /\A([^:]*):($service)\z/) {
        ($host, $port) = ($1, $2 // $port);
    }
    $port = $1 if defined $port && $port =~ /\(([0-9]+)\)\z/;
    return ($class->ascii_host($host), $port);
}

# A host name as DNS and TLS have it. $argument is what an error calls it.
sub ascii_host {
    my ($class, $name, $argument) = @_;

    return $name if !defined $name || $name !~ /[^\x00-\x7f]/;
    require Net::SMTP::AuthC::HostName;
    return Net::SMTP::AuthC::HostName->to_ascii("$name", $argument);
}

# The octets of a user name or a password: UTF-8. What is UTF-8 already stays as it is: that is how a program has it that
# read it from a file without decoding.
sub utf8_of {
    my ($class, $text) = @_;

    return undef if !defined $text;
    my $octets = "$text";
    return $octets if utf8::downgrade($octets, 1) && utf8::decode(my $copy = $octets);
    utf8::encode($text = "$text");
    return $text;
}

# Names of channel bindings in the order to try, as the core wants them; undef for the usual ones.
sub bindings {
    my ($class, $given) = @_;

    return undef if !defined $given;
    my $names = join ' ', ref $given eq 'ARRAY' ? @$given : $given;
    my $known = qr/(?:tls-exporter|tls-unique|tls-server-end-point)/;
    Net::SMTP::AuthC::Error->usage('channel_binding: tls-exporter, tls-unique, tls-server-end-point, or a list of '
        . q{them, or 'none'}) if $names !~ /\A(?:none|$known(?: $known)*)\z/;
    return $names;
}

# Octets as xtext (RFC 3461, section 4).
sub xtext { return $_[1] =~ s/([^!-*,-<>-~])/sprintf '+%02X', ord $1/ger }

# ---- what connect has besides ----

# A time limit: seconds, 0 for none, undef where none was given. What is shorter than the clock can tell is not none.
sub seconds {
    my ($class, $name, $value) = @_;

    return if !defined $value;
    Net::SMTP::AuthC::Error->usage("$name: a number of seconds, 0 for no limit")
        if $value !~ /\A(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e-?[0-9]+)?\z/i;
    return $value == 0 ? 0 : $value < 0.001 ? 0.001 : $value > 1e9 ? 1e9 : 0 + $value;
}

# timeout, end_timeout, deadline and family. A limit that was given holds everywhere; without one the reply to the
# last dot may take ten minutes (RFC 5321, section 4.5.3.2.6).
sub limits {
    my ($class, $given) = @_;

    my %limit = map { $_ => scalar $class->seconds($_, $given->{$_}) } qw(timeout end_timeout deadline);
    $limit{end_timeout} //= $limit{timeout} // 600;
    $limit{timeout} //= 120;
    $class->_check_local(@$given{qw(local_address local_port)});
    $limit{family} = $class->_family($given->{family}) if defined $given->{family};
    return \%limit;
}

sub _check_local {
    my ($class, $address, $port) = @_;

    Net::SMTP::AuthC::Error->usage('local_address: an IP address of this machine')
        if defined $address && $address !~ /\A(?:[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?)\z/;
    return if !defined $port;
    Net::SMTP::AuthC::Error->usage('local_port: a number from 0 to 65535')
        if $port !~ /\A[0-9]{1,5}\z/ || $port > 65535;
    Net::SMTP::AuthC::Error->usage('local_port without local_address') if !defined $address;
    return;
}

# 4, 6, or what Socket calls AF_INET and AF_INET6.
sub _family {
    my ($class, $family) = @_;

    require Socket;
    my %number = (0 => 0, 4 => Socket::AF_INET(), 6 => Socket::AF_INET6());
    return $number{$family} if defined $number{$family};
    return $family if grep { $_ eq $family } values %number;
    return Net::SMTP::AuthC::Error->usage('family: 4 or 6');
}

1;
