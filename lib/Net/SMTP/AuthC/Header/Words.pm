# Words: text as encoded words (RFC 2047), each of whole characters.
package Net::SMTP::AuthC::Header::Words;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Header;

# With room for a field name in front of it, on a line that may have 76 (RFC 2047, section 2).
my $ENCODED_MAX = 64;
my $PAYLOAD_MAX = $ENCODED_MAX - length '=?UTF-8?Q??=';

# Words of plain ASCII before and behind stay readable; the blanks between encoded words are encoded with them.
sub in {
    my ($text) = @_;

    my @parts = split /([ \t]+)/, $text;
    my ($first, $last) = (0, $#parts);
    return join ' ', of($text) if $text =~ /[ \t]{60}/;
    $first += 2 while !_must_be_encoded($parts[$first]);
    $last  -= 2 while !_must_be_encoded($parts[$last]);
    my $middle = join ' ', of(join '', @parts[$first .. $last]);
    return join '', @parts[0 .. $first - 1], $middle, @parts[$last + 1 .. $#parts];
}

sub _must_be_encoded { return Net::SMTP::AuthC::Header->needs_encoding($_[0]) }

# Q stays half readable, B is shorter where little is ASCII.
sub of {
    my ($text) = @_;

    my $octets = $text;
    utf8::encode($octets);
    my $ascii = $octets =~ tr/\x00-\x7f//;
    return 2 * $ascii >= length $octets ? _q_words($text) : _b_words($text);
}

sub _q_words {
    my ($text) = @_;

    my @words = ('');
    for my $character (split //, $text) {
        utf8::encode($character);
        $character =~ s{([^A-Za-z0-9!*+/ -])}{sprintf '=%02X', ord $1}ge;
        $character =~ tr/ /_/;
        push @words, '' if length($words[-1]) + length($character) > $PAYLOAD_MAX;
        $words[-1] .= $character;
    }
    return map { "=?UTF-8?Q?$_?=" } @words;
}

sub _b_words {
    my ($text) = @_;

    require MIME::Base64;
    my @words = ('');
    for my $character (split //, $text) {
        utf8::encode($character);
        push @words, '' if length($words[-1]) + length($character) > 3 * int($PAYLOAD_MAX / 4);
        $words[-1] .= $character;
    }
    return map { '=?UTF-8?B?' . MIME::Base64::encode_base64($_, '') . '?=' } @words;
}

1;
