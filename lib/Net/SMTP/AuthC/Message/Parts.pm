# Parts: a message of more than one part (RFC 2046): HTML beside the text, images within it, files attached.
package Net::SMTP::AuthC::Message::Parts;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Message::Attachment;
use Net::SMTP::AuthC::Message::Parameter;

# The fields that say what it is, an empty line, and the content: strings, and the attachments where they come. A part
# within is a list of just that.
sub content {
    my ($class, $message, $given) = @_;

    for my $name (grep { exists $message->{own}{ lc $_ } } qw(Content-Type Content-Transfer-Encoding)) {
        _refuse("headers: $name has no place beside html, attach and inline", 'an attachment has a type of its own');
    }
    my @attached = _attached($message, $given->{attach});
    my @within   = _within($message, $given);
    my ($text, $html) = _texts($given, @attached, @within);
    my $boundary = _boundary(map { @$_ } grep { $_ } $text, $html);
    $html = _several('related; type="text/html"', "=_3.$boundary", $html, map { _part_of($_) } @within) if @within;
    my @read = grep { $_ } $text, $html;
    @read = _several('alternative', "=_2.$boundary", @read) if @read > 1;
    return @{ $read[0] } if !@attached;
    return @{ _several('mixed', "=_1.$boundary", @read, map { _part_of($_) } @attached) };
}

sub _refuse { return Net::SMTP::AuthC::Error->usage(@_) }

# ---- what is given ----

sub _attached {
    my ($message, $attach) = @_;

    my @attach = ref $attach eq 'ARRAY' ? @$attach : $attach // ();
    return map { _attachment($message, $attach[$_], argument => "attach[$_]") } 0 .. $#attach;
}

sub _within {
    my ($message, $given) = @_;

    my $inline = $given->{inline} // {};
    _refuse('inline must be {name => file, ...}') if ref $inline ne 'HASH';
    _refuse('inline needs html that shows it') if %$inline && !defined $given->{html};
    return map { _attachment($message, $inline->{$_}, argument => "inline{$_}", within => $_) } sort keys %$inline;
}

sub _attachment {
    my ($message, $given, @about) = @_;

    return Net::SMTP::AuthC::Message::Attachment->new($given, domain => $message->_domain, @about);
}

# Plain text and HTML, each as a part, or undef.
sub _texts {
    my ($given, @attachments) = @_;

    my ($text, $html) = @$given{qw(text html)};
    _refuse('text, html or attach is needed', q{text => '' is a mail without any})
        if !defined $text && !defined $html && !@attachments;
    $text = _text_part('text/plain', $text, 'text') if defined $text;
    $html = _text_part('text/html', _linked($html, @attachments), 'html') if defined $html;
    return ($text, $html);
}

sub _text_part {
    my ($type, $text, $argument) = @_;

    my $octets = Net::SMTP::AuthC::Message::_octets_of($text, $argument);
    return [Net::SMTP::AuthC::Message::_encoded("$type; charset=utf-8", $octets)];
}

# "cid:logo" becomes the whole Content-ID, which no other message has: some programs remember images by it.
sub _linked {
    my ($html, @attachments) = @_;

    my %seen;
    for my $part (grep { defined $_->cid } @attachments) {
        my ($name, $id) = ($part->cid, $part->id);
        _refuse($part->argument . qq{: the cid "$name" is there already}) if $seen{$name}++;
        my $found = $html =~ s/\b((?i:cid:))\Q$name\E(?![A-Za-z0-9\@_-]|\.[A-Za-z0-9_-])/$1$id/g;
        _refuse($part->argument . ": html has no cid:$name") if !$found && $part->is_within;
    }
    return $html;
}

# ---- parts of parts ----

# "=_" is in no base64 and in no quoted-printable; in a text that stays as it is it could be.
sub _boundary {
    my (@texts) = @_;

    my ($random, $number) = (Net::SMTP::AuthC::Message::_random_hex(), 0);
    $number++ while grep { index($_, "$random.$number") >= 0 } @texts;
    return "$random.$number";
}

sub _part_of { return [$_[0]->fields . "\r\n", $_[0]] }

# The line end in front of a boundary belongs to the boundary.
sub _several {
    my ($type, $boundary, @parts) = @_;

    return [
        Net::SMTP::AuthC::Message::Parameter::field('Content-Type', "multipart/$type", qq{boundary="$boundary"}),
        "\r\n", map({ ("--$boundary\r\n", @$_, "\r\n") } @parts), "--$boundary--\r\n",
    ];
}

1;
