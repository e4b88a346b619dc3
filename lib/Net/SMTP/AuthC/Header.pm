# Header: header fields from text to octets: encoded words, folding, and nothing that could become another field.
package Net::SMTP::AuthC::Header;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $NAME_MAX = 76;
my $LINE_MAX = 78;     # RFC 5322, section 2.1.1
my $WORD_MAX = 900;    # what cannot be folded must leave room below 998

sub check_name {
    my ($class, $name) = @_;

    _refuse('a field name is undefined or empty') if !length($name // '');
    _refuse("field name is longer than $NAME_MAX characters") if length $name > $NAME_MAX;
    _refuse(qq{field name "$name": character } . (1 + $-[0]) . ' may not be in a field name')
        if $name =~ /[^\x21-\x39\x3b-\x7e]/;
    return $name;
}

sub check_text {
    my ($class, $label, $text) = @_;

    _refuse("$label is undefined") if !defined $text;
    _refuse("$label must be text, not a reference") if ref $text && !overload::Method($text, '""');
    $text = "$text";
    _refuse_character($label, $1, 1 + $-[0])
        if $text =~ /([\x00-\x08\x0a-\x1f\x7f]|[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}])/;
    return $text;
}

sub _refuse_character {
    my ($label, $character, $position) = @_;

    _refuse("$label: a line break at character $position", 'header text is one line') if $character =~ /[\r\n]/;
    my $what = ord $character < 0x80 ? 'a control character' : 'no character of Unicode';
    $what = 'a NUL' if $character eq "\0";
    return _refuse("$label: $what at character $position");
}

sub _refuse { return Net::SMTP::AuthC::Error->usage(@_) }

sub unstructured {
    my ($class, $name, $text) = @_;

    $class->check_name($name);
    $text = _trim($class->check_text($name, $text));
    return $class->_fold($name, $text) if !$class->needs_encoding($text);
    require Net::SMTP::AuthC::Header::Words;
    return $class->_fold($name, Net::SMTP::AuthC::Header::Words::in($text));
}

# The look-behind spares the inner ends of a long run of blanks, which would cost their square.
sub _trim { return $_[0] =~ s/\A[ \t]+//r =~ s/(?<![ \t])[ \t]+\z//r }

sub structured {
    my ($class, $name, $value) = @_;

    $class->check_name($name);
    $value = $class->check_text($name, $value);
    _refuse("$name: a character outside ASCII at character " . (1 + $-[0])) if $value =~ /[^\x00-\x7f]/;
    return $class->_fold($name, $value);
}

sub mailboxes {
    my ($class, $name, @mailboxes) = @_;

    $class->check_name($name);
    my $value = join ', ', map { $class->check_text($name, $_) } @mailboxes;
    utf8::encode($value);
    return $class->_fold($name, $value);
}

# Also what a reader would take for an encoded word, and what could not be folded.
sub needs_encoding {
    my ($class, $text) = @_;

    return $text =~ /[^\x00-\x7f]|=\?|[ \t]{60}|[^ \t]{$WORD_MAX}/ ? 1 : 0;
}

sub encoded_words {
    my ($class, $text) = @_;

    require Net::SMTP::AuthC::Header::Words;
    return Net::SMTP::AuthC::Header::Words::of($text);
}

# A line is broken in front of blanks, and only where there is something before and behind them.
sub _fold {
    my ($class, $name, $value) = @_;

    $value = _trim($value);
    my $limit = $value =~ /=\?/ ? $LINE_MAX - 2 : $LINE_MAX;
    return "$name: $value\r\n" if length("$name: $value") <= $limit;
    my ($lines, $line) = ('', "$name:");
    my ($first, @pairs) = split /([ \t]+)/, $value;
    unshift @pairs, ' ', $first // '';
    while (my ($blanks, $word) = splice @pairs, 0, 2) {
        if (length("$line$blanks$word") > $limit && ($line ne "$name:" || length $word < $limit)) {
            $lines .= "$line\r\n";
            $line = '';
        }
        $line .= "$blanks$word";
    }
    _refuse("$name: a word too long for a line") if "\n$lines$line" =~ /\n[^\n]{999}/;
    return "$lines$line\r\n";
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Header - header fields from text to octets

=head1 SYNOPSIS

    use utf8;
    use Net::SMTP::AuthC::Header;

    print Net::SMTP::AuthC::Header->unstructured(Subject => 'Ihre Bestellung aus Köln');
    print Net::SMTP::AuthC::Header->structured('In-Reply-To' => '<1001@shop.example>');
    print Net::SMTP::AuthC::Header->mailboxes(To => 'Shop <orders@shop.example>', 'j@example.net');

=head1 DESCRIPTION

Values are Perl character strings; what comes back are the octets of one whole field with its CRLF, folded at 78
characters.

CR, LF, NUL and the other control characters (except the tab) are refused with an error that names the field and the
position. They are never removed or repaired, so no value can become a second field.

=head1 METHODS

All are called on the class.

=head2 unstructured($name, $text)

A field of free text, such as Subject. What is not ASCII becomes encoded words (RFC 2047) in UTF-8, Q where most of
it is ASCII and B elsewhere, cut between characters; words of plain ASCII before and behind stay as they are. So are
texts encoded that a reader would take for an encoded word, and words too long for a line. Blanks at both ends are
dropped.

=head2 structured($name, $value)

A field with a syntax of its own, such as References or Content-Type: ASCII only, folded at blanks, not encoded.

=head2 mailboxes($name, @mailboxes)

An address field of mailboxes as C<< Net::SMTP::AuthC::Address->format >> makes them. An address outside ASCII is
written in UTF-8, which needs SMTPUTF8.

=head2 encoded_words($text)

    join ' ', Net::SMTP::AuthC::Header->encoded_words($name);

The text as a list of encoded words of at most 64 characters, which may also stand in a phrase.

=head2 needs_encoding($text)

1 if the text cannot stand in a header as it is.

=head2 check_name($name)

Returns the name if it is a field name (octets 33 to 126 without the colon, at most 76 of them), dies otherwise.

=head2 check_text($label, $text)

Returns the text if it may stand in a header, dies with an error that begins with the label otherwise.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects of kind C<usage>.

=over 4

=item Subject: a line break at character 12

Also C<a NUL>, C<a control character>, C<no character of Unicode> (a surrogate, or a number above 10FFFF). Most
often a web form's text was passed on as it came: that is how header fields are injected.

=item Subject is undefined

=item Subject must be text, not a reference

=item References: a character outside ASCII at character 3

Fields with a syntax of their own cannot be encoded.

=item References: a word too long for a line

A line of mail has at most 998 octets, and this one cannot be folded.

=item field name "...": character 4 may not be in a field name

Also C<a field name is undefined or empty> and C<field name is longer than 76 characters>.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC::Address>, L<Net::SMTP::AuthC::Message>

=cut
