# Transcript: what server and client said, for a terminal, a page and a program.
package Net::SMTP::AuthC::Transcript;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my %prefix   = (server => 'S', client => 'C', note => '*');
my %ansi     = (server => "\e[32m", client => "\e[1;36m", note => "\e[33m");
my %style    = (
    server => 'color:#0b5d1e',
    client => 'color:#123c8c;font-weight:bold',
    note   => 'color:#6b4a00;font-style:italic',
);
my %entity   = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', q{'} => '&#39;');
my %is_field = map { $_ => 1 } qw(direction text secret ms);

my $BOX = 'margin:0;padding:0.5em;background:#fff;color:#222;white-space:pre-wrap;overflow-wrap:anywhere';

# RFC 3629, section 4.
my $UTF8 = qr/[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}
             |\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}
             |\xF4[\x80-\x8F][\x80-\xBF]{2}/x;

sub new {
    my ($class, %given) = @_;

    my %self = (max => 10_000, max_octets => 4 * 1024 * 1024, %given);
    for my $name (sort keys %self) {
        _refuse(qq{unknown argument "$name"}) if $name !~ /\Amax(?:_octets)?\z/;
        _refuse("$name must be a whole number from 2 on") if $self{$name} !~ /\A[0-9]+\z/ || $self{$name} < 2;
    }
    return bless {%self, head => [], head_octets => 0, tail => [], tail_octets => 0, dropped => 0}, $class;
}

sub _refuse { return Net::SMTP::AuthC::Error->usage("transcript: $_[0]") }

sub add {
    my ($self, %given) = @_;

    my $entry = _entry($self->{max_octets}, \%given);
    if ($self->_head_has_room($entry)) {
        push @{ $self->{head} }, $entry;
        $self->{head_octets} += length $entry->{text};
        return $self;
    }
    push @{ $self->{tail} }, $entry;
    $self->{tail_octets} += length $entry->{text};
    $self->_drop_the_middle;
    return $self;
}

sub _entry {
    my ($max_octets, $given) = @_;

    for my $name (sort keys %$given) {
        _refuse(qq{unknown field "$name" of an entry}) if !$is_field{$name};
    }
    my ($direction, $text, $ms) = map { $_ // '' } @$given{qw(direction text ms)};
    _refuse(qq{unknown direction "$direction"}) if !$prefix{$direction};
    _refuse('ms must be a number') if $ms !~ /\A(?:[0-9]+(?:\.[0-9]+)?)?\z/;
    utf8::encode($text) if $text =~ /[^\x00-\xff]/;
    substr($text, $max_octets / 2) = ' [cut]' if length $text > $max_octets / 2;
    $ms = length $ms ? 0 + $ms : undef;
    return {direction => $direction, text => $text, secret => $given->{secret} ? 1 : 0, ms => $ms};
}

# The beginning keeps its half; once the end has begun, everything goes there.
sub _head_has_room {
    my ($self, $entry) = @_;

    return !@{ $self->{tail} } && @{ $self->{head} } < int($self->{max} / 2)
        && $self->{head_octets} + length($entry->{text}) <= $self->{max_octets} / 2;
}

sub _drop_the_middle {
    my ($self) = @_;

    my $tail = $self->{tail};
    my $most = $self->{max} - @{ $self->{head} };
    while (@$tail > 1 && (@$tail > $most || $self->{tail_octets} > $self->{max_octets} / 2)) {
        $self->{tail_octets} -= length shift(@$tail)->{text};
        $self->{dropped}++;
    }
    return;
}

sub entries {
    my ($self) = @_;

    my $gap = {direction => 'note', text => "$self->{dropped} entries left out", secret => 0, ms => undef};
    return map { +{%$_} } @{ $self->{head} }, $self->{dropped} ? $gap : (), @{ $self->{tail} };
}

# A text may be a reply of several lines; a CR or LF elsewhere ends none, so no server can forge a line of the client.
sub _lines {
    my ($entry) = @_;

    my $text = $entry->{text} =~ s/\r?\n\z//r;
    my @lines = split /\r\n/, $text, -1;
    return map { "$prefix{$entry->{direction}}: " . Net::SMTP::AuthC::Error::visible($_) } @lines ? @lines : '';
}

sub entry_as_text {
    my ($class, $entry) = @_;

    return join '', map { "$_\n" } _lines($entry);
}

sub as_text {
    my ($self) = @_;

    return join '', map { $self->entry_as_text($_) } $self->entries;
}

sub entry_as_ansi {
    my ($class, $entry) = @_;

    return join '', map { "$ansi{$entry->{direction}}$_\e[0m\n" } _lines($entry);
}

sub as_ansi {
    my ($self) = @_;

    return join '', map { $self->entry_as_ansi($_) } $self->entries;
}

sub as_html {
    my ($self, %how) = @_;

    my $rows = join '', map { _rows($_) } $self->entries;
    my $list = qq{<pre class="smtp-transcript" style="$BOX">$rows</pre>\n};
    return $how{page} ? _page($list) : $list;
}

sub _rows {
    my ($entry) = @_;

    my $direction = $entry->{direction};
    my $title = defined $entry->{ms} ? qq{ title="$entry->{ms} ms"} : '';
    my @lines = map { s/([&<>"'])/$entity{$1}/gr } _lines($entry);
    return join '', map { qq{<span class="smtp-$direction" style="$style{$direction}"$title>$_</span>\n} } @lines;
}

sub _page {
    my ($list) = @_;

    return <<"END";
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>SMTP transcript</title></head>
<body>
$list</body>
</html>
END
}

sub as_json {
    my ($self) = @_;

    return "[\n" . join(",\n", map { _object($_) } $self->entries) . "\n]\n";
}

sub _object {
    my ($entry) = @_;

    my $secret = $entry->{secret} ? 'true' : 'false';
    my $ms = $entry->{ms} // 'null';
    my $text = _json_text($entry->{text});
    return qq|{"direction":"$entry->{direction}","text":"$text","secret":$secret,"ms":$ms}|;
}

# Octets that are not UTF-8 have no character in JSON: they become the four characters \xNN.
sub _json_text {
    my ($text) = @_;

    $text =~ s{([\x20-\x21\x23-\x5b\x5d-\x7e]+)|($UTF8)|(\\x(?=[0-9A-F]{2}))|([\x00-\x7f])|(.)}
              { $1 // (defined $2 ? _json_character($2) : defined $3 ? '\\\\x5Cx'
                : defined $4 ? sprintf('\\u%04x', ord $4) : sprintf '\\\\x%02X', ord $5) }gse;
    return $text;
}

sub _json_character {
    my ($octets) = @_;

    utf8::decode($octets);
    my $number = ord $octets;
    return sprintf '\\u%04x', $number if $number < 0x10000;
    $number -= 0x10000;
    return sprintf '\\u%04x\\u%04x', 0xD800 | $number >> 10, 0xDC00 | $number & 0x3FF;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Transcript - what server and client said, for a terminal, a page and a program

=head1 SYNOPSIS

    use Net::SMTP::AuthC::Transcript;

    my $transcript = Net::SMTP::AuthC::Transcript->new;
    $transcript->add(direction => 'note',   text => 'connected to smtp.example.com');
    $transcript->add(direction => 'server', text => "220 smtp.example.com ESMTP\r\n", ms => 12.5);
    $transcript->add(direction => 'client', text => "AUTH PLAIN ***\r\n", secret => 1);

    print $transcript->as_text;                  # *: connected to ...   S: 220 ...   C: AUTH PLAIN ***
    print $transcript->as_ansi if -t STDOUT;
    print $transcript->as_html(page => 1);
    print $transcript->as_json;

=head1 DESCRIPTION

Lines from the server, lines to the server and notes in three fonts, as the first articles about SMTP AUTH printed
them.

Entries arrive redacted: whoever writes a secret to the wire hands in C<***> in its place. Nothing here hides or
uncovers anything.

Whatever a server says stays text. Control characters, ESC sequences and octets above 126 are shown as C<\xNN>,
markup is escaped, and only CRLF ends a line, so a server cannot write a line that looks like one of the client's.

=head1 METHODS

=head2 new

    my $transcript = Net::SMTP::AuthC::Transcript->new(max => 200, max_octets => 65_536);

At most C<max> entries (10,000) and C<max_octets> octets of text (4 MiB) are kept: beyond that the middle is dropped
and a note stands in its place. An entry longer than half of C<max_octets> is cut and ends in C<[cut]>.

=head2 add(%entry)

Adds an entry and returns the transcript: C<direction> is C<server>, C<client> or C<note>; C<text> are octets, with
or without their line end (a text with characters above 255 is taken as UTF-8); C<secret> says that something in it
was replaced; C<ms> are milliseconds since the start, or undef.

=head2 entries

    print $_->{text} for $transcript->entries;

The entries as a list of new hashes with the keys C<direction>, C<text>, C<secret> (0 or 1) and C<ms>; texts are as
they came.

=head2 as_text

One line each, with C<S: >, C<C: > or C<*: > in front. Printable ASCII and line feeds, nothing else.

=head2 as_ansi

The same in three colours, the client's lines bold. Whether a terminal is there to show them is for the caller to ask.

=head2 as_html(page => 1)

A complete C<< <pre> >> with a C<< <span> >> for each line, of the classes C<smtp-server>, C<smtp-client> and
C<smtp-note>, styled inline; with C<page> a whole HTML page around it. The time of an entry is its C<title>.

=head2 as_json

An array of objects with the keys of C<entries>, in ASCII. C<text> is the whole text with its line end. Octets that
are not UTF-8 stand as the characters C<\xNN>; where a text itself holds C<\x> and two hexadecimal digits, its
backslash stands as C<\x5C>.

=head2 entry_as_text($entry), entry_as_ansi($entry)

    print STDERR Net::SMTP::AuthC::Transcript->entry_as_text({direction => 'note', text => 'closed'});

The lines of one entry, for those who print while it happens.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects of kind C<usage>.

=over 4

=item transcript: unknown argument "..."

C<new> knows C<max> and C<max_octets>.

=item transcript: max must be a whole number from 2 on

So must C<max_octets>.

=item transcript: unknown field "..." of an entry

See L</add(%entry)>.

=item transcript: unknown direction "..."

It is one of C<server>, C<client> and C<note>.

=item transcript: ms must be a number

Digits, with decimals or without.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Error>

=cut
