# Certificate: what stands in an X.509 certificate (RFC 5280), for a caller who asks; nothing is decided by it.
package Net::SMTP::AuthC::Certificate;

use 5.014;
use strict;
use warnings;

use MIME::Base64 ();

use constant { BIT_STRING => 0x03, OID => 0x06, SEQUENCE => 0x30, EXPLICIT_0 => 0xA0, EXPLICIT_3 => 0xA3 };

# As OpenSSL writes them in one line.
my %short_name = (
    '2.5.4.3' => 'CN', '2.5.4.4' => 'SN', '2.5.4.5' => 'serialNumber', '2.5.4.6' => 'C', '2.5.4.7' => 'L',
    '2.5.4.8' => 'ST', '2.5.4.9' => 'street', '2.5.4.10' => 'O', '2.5.4.11' => 'OU', '2.5.4.12' => 'title',
    '2.5.4.15' => 'businessCategory', '2.5.4.17' => 'postalCode', '2.5.4.42' => 'GN',
    '2.5.4.97' => 'organizationIdentifier', '1.2.840.113549.1.9.1' => 'emailAddress',
    '0.9.2342.19200300.100.1.1' => 'UID', '0.9.2342.19200300.100.1.25' => 'DC',
    '1.3.6.1.4.1.311.60.2.1.2' => 'jurisdictionST', '1.3.6.1.4.1.311.60.2.1.3' => 'jurisdictionC',
);
my $ALT_NAMES = '2.5.29.17';

# Of PEM; dies when it is no certificate.
sub of_pem {
    my ($class, $pem) = @_;

    my ($base64) = $pem =~ /-----BEGIN CERTIFICATE-----([A-Za-z0-9+\/=\s]+)-----END/ or die "no certificate in PEM\n";
    my $self = bless {der => MIME::Base64::decode_base64($base64)}, $class;
    my ($body) = _children(_value($self->{der}, SEQUENCE));
    my @fields = $body ? _children($body->[1]) : ();
    shift @fields if @fields && $fields[0][0] == EXPLICIT_0;    # the version
    die "no certificate: fields are missing\n" if @fields < 6;
    @$self{qw(issuer_der subject_der key_der)} = map { $_->[1] } @fields[2, 4, 5];
    my ($extensions) = grep { $_->[0] == EXPLICIT_3 } @fields;
    $self->{extensions} = $extensions ? [_children(_value($extensions->[1], SEQUENCE))] : [];
    return $self;
}

sub der     { return $_[0]{der} }
sub subject { return _one_line($_[0]{subject_der}) }
sub issuer  { return _one_line($_[0]{issuer_der}) }

# The first common name, as octets; undef where there is none.
sub common_name {
    my ($self) = @_;

    my ($name) = grep { $_->[0] eq 'CN' } _attributes($self->{subject_der});
    return $name ? $name->[1] : undef;
}

# Type and octets, type and octets ..., as Net::SSLeay gives them: 1 mail, 2 DNS, 4 a name in one line, 6 URI, 7 an
# address.
sub alternative_names {
    my ($self) = @_;

    for my $extension (@{ $self->{extensions} }) {
        my @parts = _children($extension->[1]);
        next if @parts < 2 || _oid($parts[0][1]) ne $ALT_NAMES;
        return map { _alternative($_->[0] & 0x1F, $_->[1]) } _children(_value($parts[-1][1], SEQUENCE));
    }
    return;
}

sub _alternative {
    my ($type, $octets) = @_;

    return ($type, _one_line(_value($octets, SEQUENCE))) if $type == 4;
    return $type =~ /\A[1267]\z/ ? ($type, $octets) : ();
}

# The bare bits of the key, without what says whose kind it is.
sub key_bits {
    my ($self) = @_;

    my ($bits) = grep { $_->[0] == BIT_STRING } _children($self->{key_der});
    return $bits && length $bits->[1] ? substr $bits->[1], 1 : die "no certificate: no key\n";
}

# ---- names ----

# As OpenSSL's X509_NAME_oneline.
sub _one_line {
    my ($der) = @_;

    my $line = '';
    for my $attribute (_attributes($der)) {
        my ($name, $octets, $is_more) = @$attribute;
        $octets =~ s{([/+])|([^ -~])}{ defined $1 ? "\\$1" : sprintf '\x%02X', ord $2 }ge;
        $line .= ($is_more ? '+' : '/') . "$name=$octets";
    }
    return $line;
}

# [short name or object identifier, octets, whether it says more of what is before it] ...
sub _attributes {
    my ($der) = @_;

    my @attributes;
    for my $set (_children($der)) {
        my $count = 0;
        for my $pair (map { [_children($_->[1])] } _children($set->[1])) {
            die "no certificate: half a name\n" if @$pair != 2;
            my $oid = _oid($pair->[0][1]);
            push @attributes, [$short_name{$oid} // $oid, $pair->[1][1], $count++];
        }
    }
    return @attributes;
}

sub _oid {
    my ($octets) = @_;

    my ($first, @numbers) = unpack 'w*', $octets;
    return '' if !defined $first;
    my $top = $first < 40 ? 0 : $first < 80 ? 1 : 2;
    return join '.', $top, $first - 40 * $top, @numbers;
}

# ---- DER (X.690) ----

# [tag, octets] ...
sub _children {
    my ($octets) = @_;

    my @children;
    while (length $octets) {
        my ($tag, $value) = _take(\$octets);
        push @children, [$tag, $value];
    }
    return @children;
}

sub _value {
    my ($octets, $wanted) = @_;

    my ($tag, $value) = _take(\$octets);
    die "no certificate: another structure\n" if $tag != $wanted;
    return $value;
}

# One tag and its octets off the front.
sub _take {
    my ($octets) = @_;

    my ($tag, $length) = unpack 'CC', $$octets;
    my $skip = 2;
    if (($length // 0) > 0x80) {
        my $count = $length & 0x7F;
        $length = unpack 'N', "\0" x (4 - $count) . substr $$octets, 2, $count if $count <= 4;
        $skip += $count;
    }
    die "no certificate: broken DER\n" if !defined $length || $length > length($$octets) - $skip;
    my $value = substr $$octets, $skip, $length;
    substr $$octets, 0, $skip + $length, '';
    return ($tag, $value);
}

1;
