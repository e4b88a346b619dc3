# Parameter: a field with parameters as MIME writes them: quoted, and by RFC 2231 where quotes do not do.
package Net::SMTP::AuthC::Message::Parameter;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Header;

my $LINE_MAX  = 78;    # RFC 5322, section 2.1.1
my $VALUE_MAX = 55;    # leaves room for a name in front of it

# The whole field; a line is broken in front of a parameter.
sub field {
    my ($name, $value, @parameters) = @_;

    my ($lines, $line) = ('', "$name: $value");
    for my $parameter (@parameters) {
        if (length("$line; $parameter;") <= $LINE_MAX) {
            $line .= "; $parameter";
        }
        else {
            $lines .= "$line;\r\n";
            $line = " $parameter";
        }
    }
    return "$lines$line\r\n";
}

sub _is_plain { return $_[0] =~ /\A[\x20-\x7e]*\z/ && !Net::SMTP::AuthC::Header->needs_encoding($_[0]) }

sub _quoted { return '"' . $_[0] =~ s/(["\\])/\\$1/gr . '"' }

# One parameter, or its pieces where it is long (RFC 2231).
sub of {
    my ($name, $value) = @_;

    return "$name=" . _quoted($value) if _is_plain($value) && length $value <= $VALUE_MAX;
    my @pieces = _pieces($value);
    $pieces[0] = "UTF-8''$pieces[0]";
    return "$name*=$pieces[0]" if @pieces == 1;
    return map { "$name*$_*=$pieces[$_]" } 0 .. $#pieces;
}

sub _pieces {
    my ($value) = @_;

    my @pieces = ('');
    for my $character (split //, $value) {
        utf8::encode($character);
        $character =~ s/([^A-Za-z0-9._+-])/sprintf '%%%02X', ord $1/ge;
        push @pieces, '' if length($pieces[-1]) + length($character) > $VALUE_MAX;
        $pieces[-1] .= $character;
    }
    return @pieces;
}

# What programs read that are older than RFC 2231: encoded words in quotes, where RFC 2047 does not want them.
sub as_old_programs_read {
    my ($name, $value) = @_;

    return "$name=" . _quoted($value) if _is_plain($value);
    return qq{$name="} . join("\r\n ", Net::SMTP::AuthC::Header->encoded_words($value)) . '"';
}

1;
