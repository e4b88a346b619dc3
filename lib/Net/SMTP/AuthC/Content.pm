# Content: the transfer encoding of a text, chosen so that it arrives as it was.
package Net::SMTP::AuthC::Content;

use 5.014;
use strict;
use warnings;

my $SOFT_MAX = 73;    # of the 76 octets of RFC 2045: a first octet may grow by 2, and "=" ends a soft line
my %escaped;          # by octet

sub encode {
    my ($class, $octets) = @_;

    my $encoding = $class->encoding_for($octets);
    return ($encoding, $octets) if $encoding eq '7bit';
    return ($encoding, $encoding eq 'base64' ? _base64($octets) : _quoted_printable($octets));
}

# Blanks at the end of a line, "From " at its beginning and a dot alone are what some mail systems change.
sub encoding_for {
    my ($class, $octets) = @_;

    return '7bit' if $octets !~ /[^\t\r\n\x20-\x7e]/ && $octets !~ /[ \t]\r|^From |^\.\r|^[^\r\n]{999}/m;
    my $plain = $octets =~ tr/\t\r\n\x20-\x3c\x3e-\x7e//;
    return 4 * (length($octets) - $plain) > length $octets ? 'base64' : 'quoted-printable';
}

sub _base64 {
    my ($octets) = @_;

    require MIME::Base64;
    return MIME::Base64::encode_base64($octets, "\r\n");
}

# MIME::QuotedPrint would leave "From " and the dot, and has no room for them on a full line.
sub _quoted_printable {
    my ($octets) = @_;

    %escaped = map { chr $_ => sprintf '=%02X', $_ } 0 .. 255 if !%escaped;
    $octets =~ s/([^\t\r\n\x20-\x3c\x3e-\x7e]|[\t ](?=\r\n))/$escaped{$1}/g;
    $octets =~ s/^([^\r\n]{$SOFT_MAX}[^\r\n]+)/_soft_lines($1)/gme;
    $octets =~ s/^From /=46rom /mg;
    $octets =~ s/^\.(?==?\r)/=2E/mg;
    return $octets;
}

# Cuts never fall within a "=XX".
sub _soft_lines {
    my ($line) = @_;

    return join "=\r\n", $line =~ /\G(.{1,$SOFT_MAX}(?<!=)(?<!=.))/g;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Content - the transfer encoding of a text

=head1 SYNOPSIS

    use Net::SMTP::AuthC::Content;

    my ($encoding, $body) = Net::SMTP::AuthC::Content->encode("Gr\xC3\xBC\xC3\x9Fe \r\n");
    print "Content-Transfer-Encoding: $encoding\r\n\r\n$body";

=head1 DESCRIPTION

Takes octets whose lines all end in CRLF and gives them in C<7bit>, C<quoted-printable> or C<base64>: never 8 bit,
never a line longer than 998 octets, and nothing in it that a mail system on the way changes (blanks at the end of a
line, C<From > at the beginning, a dot alone).

=head1 METHODS

=head2 encode($octets)

The name of the encoding and the encoded octets.

=head2 encoding_for($octets)

The name alone: C<7bit> if nothing can suffer, else C<quoted-printable> where most of it is
printable ASCII, and C<base64>.

=head1 DIAGNOSTICS

None: it takes any octets.

=cut
