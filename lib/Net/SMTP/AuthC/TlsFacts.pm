# TlsFacts: what TLS came to, by the methods that IO::Socket::SSL gives a Net::SMTP object.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

sub can_ssl { return __PACKAGE__ }

sub get_cipher         { return _tls_fact($_[0], 'cipher') }
sub get_session_reused { return _tls_fact($_[0], 'resumed') }

# Written as SSL_version wants it: "TLSv1_3".
sub get_sslversion {
    my $version = _tls_fact($_[0], 'version') // return;

    return $version =~ tr/./_/r;
}

sub _tls_fact {
    my ($self, $name) = @_;

    my $facts = $self->_tls || return;
    return $facts->{$name};
}

# Why the last method failed, '' when it did not.
sub errstr {
    my ($self) = @_;

    my $error = ref $self ? *$self->{net_smtp_authc_error} || $self->_error : undef;
    return $error ? $error->{text} : '';
}

# ---- the server's certificate ----

my %field = (
    subject         => sub { $_[0]->subject },
    issuer          => sub { $_[0]->issuer },
    commonName      => sub { $_[0]->common_name },
    subjectAltNames => sub { $_[0]->alternative_names },
);
@field{qw(owner authority cn)} = @field{qw(subject issuer commonName)};

# Without a field IO::Socket::SSL gives an address in memory, which the program hands to Net::SSLeay: no text in its
# place would do but bring the program down.
sub peer_certificate {
    my ($self, $field) = @_;

    my @known = (sort(keys %field), 'PEM');
    my $read  = $field{ $field // '' };
    if (!$read && ($field // '') ne 'PEM') {
        require Carp;
        Carp::croak('peer_certificate: a field is needed, one of ' . join ' ', @known);
    }
    return $self->_peer_pem if !$read;
    my $certificate = $self->_peer_certificate || return;
    return $read->($certificate);
}

sub _peer_certificate {
    my ($self) = @_;

    my $pem = $self->_peer_pem // return;
    require Net::SMTP::AuthC::Certificate;
    return Net::SMTP::AuthC::Certificate->of_pem($pem);
}

# The two lines of Net::SSLeay.
sub dump_peer_certificate {
    my ($self) = @_;

    my $certificate = $self->_peer_certificate || return;
    return 'Subject Name: ' . $certificate->subject . "\nIssuer  Name: " . $certificate->issuer . "\n";
}

# "sha256$HEX" of the certificate, "sha256$pub$HEX" of its key: what SSL_fingerprint takes.
sub get_fingerprint {
    my ($self, $algorithm, $certificate, $of_key) = @_;

    $algorithm ||= 'sha256';
    my $octets = $self->get_fingerprint_bin($algorithm, $certificate, $of_key) // return;
    return "$algorithm\$" . ($of_key ? 'pub$' : '') . unpack 'H*', $octets;
}

sub get_fingerprint_bin {
    my ($self, $algorithm, $certificate, $of_key) = @_;

    my ($number) = ($algorithm || 'sha256') =~ /\Asha(1|224|256|384|512)\z/;
    if (!$number || $certificate) {
        require Carp;
        Carp::croak($number ? 'get_fingerprint: of no certificate but the server\'s'
            : 'get_fingerprint: sha1, sha224, sha256, sha384 or sha512');
    }
    my $found = $self->_peer_certificate || return;
    require Digest::SHA;
    return Digest::SHA->new($number)->add($of_key ? $found->key_bits : $found->der)->digest;
}

1;
