# Saslprep: user names and passwords as SASLprep (RFC 4013) has them: in one form, and what none may hold refused.
package Net::SMTP::AuthC::Saslprep;

use 5.014;
use strict;
use warnings;

# What no text may hold: tables C.2.1 to C.9 of RFC 3454 (Unicode 3.2), less what is gone before they are looked at:
# what is mapped to nothing (U+200C, U+200D, U+2060 and U+FEFF of C.2.2), and U+0340 and U+0341 of C.8, which NFKC
# replaces. NFKC makes none of these, nor any of C.1.2, out of others; so the text is searched as it was given, and
# the position is one that its owner can count.
my $LAST_TWO = join '', map { sprintf '\x{%X}-\x{%X}', 0x10000 * $_ + 0xFFFE, 0x10000 * $_ + 0xFFFF } 0 .. 16;

my @PROHIBITED = (
    ['beyond Unicode',            qr/[^\x{0}-\x{10FFFF}]/],
    ['a surrogate',               qr/[\x{D800}-\x{DFFF}]/],
    ['a control character',       qr/[\x00-\x1F\x7F-\x9F\x{6DD}\x{70F}\x{180E}\x{2028}\x{2029}\x{2061}-\x{2063}]
                                    |[\x{206A}-\x{206F}\x{FFF9}-\x{FFFC}\x{1D173}-\x{1D17A}]/x],
    ['for private use',           qr/[\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}]/],
    ['a noncharacter',            qr/[\x{FDD0}-\x{FDEF}$LAST_TWO]/],
    ['the replacement character', qr/\x{FFFD}/],
    ['a description of an ideograph',        qr/[\x{2FF0}-\x{2FFB}]/],
    ['a control of the writing direction',   qr/[\x{200E}\x{200F}\x{202A}-\x{202E}]/],
    ['a tag character',           qr/[\x{E0001}\x{E0020}-\x{E007F}]/],
);

# (the prepared characters, undef), or (undef, why not). The reason tells the code point only of a character that no
# text may hold: the others are part of a secret. Unassigned code points pass, as in queries (RFC 3454, section 7).
sub prepare {
    my ($text) = @_;

    return (undef, 'it is empty') if !defined $text || $text eq '';
    return ($text, undef) if $text !~ /[^\x20-\x7E]/;
    my $reason = _prohibited($text);
    return (undef, $reason) if defined $reason;
    my $prepared = _normalized($text);
    return (undef, 'nothing is left of it: it holds only characters that do not count') if $prepared eq '';
    $reason = _wrong_direction($prepared);
    return defined $reason ? (undef, $reason) : ($prepared, undef);
}

# No groups in any pattern here: perl would keep a copy of the text for them.
sub _prohibited {
    my ($text) = @_;

    my ($first, $what);
    for my $row (@PROHIBITED) {
        ($first, $what) = ($-[0], $row->[0]) if $text =~ $row->[1] && $-[0] < ($first // 1 + length $text);
    }
    return undef if !defined $first;
    return sprintf 'U+%04X at character %d is %s', ord substr($text, $first, 1), 1 + $first, $what;
}

# Spaces (C.1.2) before what is mapped to nothing (B.1): U+200B is in both, and servers have it as a space.
sub _normalized {
    my ($text) = @_;

    require Unicode::Normalize;
    $text =~ tr/\x{A0}\x{1680}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}/ /;
    $text =~ tr/\x{AD}\x{34F}\x{1806}\x{180B}-\x{180D}\x{200C}\x{200D}\x{2060}\x{FE00}-\x{FE0F}\x{FEFF}//d;
    return Unicode::Normalize::NFKC($text);
}

# RFC 3454, section 6. perl's Unicode is newer than the RFC's: scripts that came later are judged as they are.
sub _wrong_direction {
    my ($text) = @_;

    my $right_to_left = qr/[\p{Bidi_Class: R}\p{Bidi_Class: AL}]/;
    return undef if $text !~ $right_to_left;
    return sprintf 'the left-to-right letter at character %d stands in a text with right-to-left letters', 1 + $-[0]
        if $text =~ /\p{Bidi_Class: L}/;
    for my $end ([first => 0], [last => -1]) {
        return "the $end->[0] character of a text with right-to-left letters must be such a letter"
            if substr($text, $end->[1], 1) !~ $right_to_left;
    }
    return undef;
}

1;
