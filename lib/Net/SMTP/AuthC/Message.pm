# Message: a mail from its parts: text, HTML beside it, images within, files attached.
package Net::SMTP::AuthC::Message;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Header;

# What few mails have is in files of its own.
my @FIELDS = qw(headers in_reply_to references tls_required);
my @PARTS  = qw(html attach inline);

my %is_argument = map { $_ => 1 } qw(from sender to cc bcc reply_to subject text date message_id), @FIELDS, @PARTS;

my @DAYS   = qw(Sun Mon Tue Wed Thu Fri Sat);
my @MONTHS = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);

my $ID_PART = qr/[\x21-\x3b\x3d\x3f\x41-\x7e]+/;

my $made = 0;
our $RANDOM_SOURCE = '/dev/urandom';

sub new {
    my ($class, %given) = @_;

    for my $name (sort keys %given) {
        next if $is_argument{$name};
        _refuse(qq{unknown argument "$name"}, 'known are ' . join ', ', sort keys %is_argument);
    }
    my $self = bless {own => {}, utf8 => 0}, $class;
    $self->_read_people(\%given);
    my @own     = $self->_fields_of_caller(\%given);
    my @content = $self->_content(\%given);
    $self->_keep($self->_made_fields(\%given), @own, @content);
    delete @$self{qw(own people)};
    return $self;
}

sub _keep {
    my ($self, @octets) = @_;

    return $self->{octets} = join '', @octets if !grep { ref } @octets;
    require Net::SMTP::AuthC::Message::Pieces;
    return $self->{parts} = Net::SMTP::AuthC::Message::Pieces->new(@octets);
}

sub message_id      { return $_[0]{message_id} }
sub envelope_from   { return $_[0]{envelope_from} }
sub envelope_to     { my @to = @{ $_[0]{envelope_to} }; return @to }
sub needs_smtputf8  { return $_[0]{utf8} }
sub is_streamed     { return $_[0]{parts} ? 1 : 0 }
sub size            { return $_[0]{parts} ? $_[0]{parts}->size : length $_[0]{octets} }
sub is_eight_bit    { return ($_[0]{parts} ? $_[0]{parts}->text : $_[0]{octets}) =~ /[\x80-\xff]/ ? 1 : 0 }
sub as_string       { return $_[0]{parts} ? $_[0]{parts}->as_string : $_[0]{octets} }

sub pieces {
    my ($self) = @_;

    return $self->{parts}->pieces if $self->{parts};
    my @octets = $self->{octets};
    return sub { return shift @octets };
}

sub _refuse { return Net::SMTP::AuthC::Error->usage(@_) }

# People

sub _read_people {
    my ($self, $given) = @_;

    _refuse('from is needed') if !defined $given->{from};
    my %people = map { $_ => $self->_mailboxes($given->{$_} // [], $_) } qw(from sender to cc bcc reply_to);
    _refuse('from has no address') if !@{ $people{from} };
    _refuse('sender is one mailbox') if @{ $people{sender} } > 1;
    $people{sender} = [$people{from}[0]] if !@{ $people{sender} } && @{ $people{from} } > 1;
    my %seen;
    $self->{envelope_from} = ($people{sender}[0] || $people{from}[0])->{address};
    $self->{envelope_to} = [grep { !$seen{$_}++ } map { $_->{address} } map { @$_ } @people{qw(to cc bcc)}];
    _refuse('no recipient', 'give at least one address in to, cc or bcc') if !@{ $self->{envelope_to} };
    $self->{people} = \%people;
    return;
}

sub _mailboxes {
    my ($self, $given, $argument) = @_;

    my $mailboxes = Net::SMTP::AuthC::Address->parse($given, $argument);
    $self->{utf8} = 1 if grep { !defined Net::SMTP::AuthC::Address->to_ascii($_->{address}) } @$mailboxes;
    return $mailboxes;
}

sub _mailbox_field {
    my ($self, $name, $mailboxes) = @_;

    my @formatted = map { Net::SMTP::AuthC::Address->format($_->{name}, _in_header($_->{address})) } @$mailboxes;
    return Net::SMTP::AuthC::Header->mailboxes($name, @formatted);
}

# With A-labels, which every reader takes, where they do.
sub _in_header { return Net::SMTP::AuthC::Address->to_ascii($_[0]) // $_[0] }

# Fields

sub _fields_of_caller {
    my ($self, $given) = @_;

    return if !grep { defined $given->{$_} } @FIELDS;
    require Net::SMTP::AuthC::Message::Fields;
    return $self->_own_fields($given);
}

# Each unless the caller has its own.
sub _made_fields {
    my ($self, $given) = @_;

    my ($people, $own) = @$self{qw(people own)};
    my $cc_field = @{ $people->{cc} } || $own->{cc};
    my @fields = (
        [Date       => structured   => _checked_date('date', $given->{date} // time)],
        [From       => mailboxes    => $people->{from}],
        [Sender     => mailboxes    => $people->{sender}],
        ['Reply-To' => mailboxes    => $people->{reply_to}],
        [To         => mailboxes    => $people->{to}],
        [Cc         => mailboxes    => $people->{cc}],
        @{ $people->{to} } || $cc_field ? () : [To => structured => 'undisclosed-recipients:;'],
        [Subject    => unstructured => $given->{subject}],
        ['Message-ID' => structured => $self->_message_id($given->{message_id})],
        ['MIME-Version' => structured => '1.0'],
    );
    return map { $self->_made_field(@$_) } grep { !exists $own->{ lc $_->[0] } } @fields;
}

sub _made_field {
    my ($self, $name, $how, $value) = @_;

    return if !defined $value;
    return Net::SMTP::AuthC::Header->$how($name, $value) if $how ne 'mailboxes';
    return @$value ? $self->_mailbox_field($name, $value) : ();
}

sub _checked_date {
    my ($argument, $date) = @_;

    return _date($date) if $date =~ /\A[0-9]{1,11}(?:\.[0-9]+)?\z/;
    require Net::SMTP::AuthC::Message::Fields;
    return _date_of_caller($argument, $date);
}

sub _date {
    my ($time) = @_;

    my ($second, $minute, $hour, $day, $month, $year, $weekday, $yearday) = localtime $time;
    my ($utc_minute, $utc_hour, $utc_year, $utc_yearday) = (gmtime $time)[1, 2, 5, 7];
    my $days   = $year <=> $utc_year || $yearday <=> $utc_yearday;
    my $offset = $minute - $utc_minute + 60 * ($hour - $utc_hour + 24 * $days);
    my $zone = sprintf '%s%02d%02d', $offset < 0 ? '-' : '+', abs($offset) / 60, abs($offset) % 60;
    return sprintf '%s, %d %s %d %02d:%02d:%02d %s',
        $DAYS[$weekday], $day, $MONTHS[$month], 1900 + $year, $hour, $minute, $second, $zone;
}

sub _message_id {
    my ($self, $given) = @_;

    return $self->{message_id} //= defined $given ? _checked_id('message_id', $given) : $self->_new_id;
}

sub _checked_id {
    my ($argument, $id) = @_;

    my $inner = $id =~ /\A<(.*)>\z/ ? $1 : $id;
    return "<$inner>" if $inner =~ /\A$ID_PART\@$ID_PART\z/ && length $inner < 900;
    return _refuse("$argument is no message id", 'such as "<1001.4711@shop.example>"');
}

sub _new_id {
    my ($self) = @_;

    return sprintf '<%x.%x.%x.%s@%s>', time, $$, ++$made, _random_hex(), $self->_domain;
}

# One outside ASCII would make every reference to the message need SMTPUTF8.
sub _domain {
    my ($self) = @_;

    my ($domain) = _in_header($self->{envelope_from}) =~ /\@([^@]*)\z/;
    return $domain =~ /[^\x21-\x7e]/ ? 'smtputf8.invalid' : $domain;
}

sub _random_hex {
    my $octets = '';
    if (open my $random, '<:raw', $RANDOM_SOURCE) {
        sysread $random, $octets, 12;
    }
    return unpack 'H*', $octets if length $octets == 12;
    return join '', map { sprintf '%06x', rand 1 << 24 } 1 .. 4;
}

# Content

# The fields that say what it is, an empty line, and the content; what is encoded while it is sent, as objects.
sub _content {
    my ($self, $given) = @_;

    if (grep { defined $given->{$_} } @PARTS) {
        require Net::SMTP::AuthC::Message::Parts;
        return Net::SMTP::AuthC::Message::Parts->content($self, $given);
    }
    _refuse('text is needed', q{text => '' is a mail without any}) if !defined $given->{text};
    my $octets = _octets_of($given->{text}, 'text');
    return $self->_content_of_caller($octets)
        if exists $self->{own}{'content-type'} || exists $self->{own}{'content-transfer-encoding'};
    return _encoded('text/plain; charset=utf-8', $octets);
}

sub _encoded {
    my ($type, $octets) = @_;

    my ($encoding, $body) = _transfer_encoded($octets);
    return ("Content-Type: $type\r\nContent-Transfer-Encoding: $encoding\r\n\r\n", $body);
}

# What is plain at first sight is most of all mail.
sub _transfer_encoded {
    my ($octets) = @_;

    return ('7bit', $octets)
        if $octets !~ /[^\r\n\x20-\x7e]/ && $octets !~ / \r/ && $octets !~ /^[F.]/m && $octets !~ /^[^\r]{990}/m;
    require Net::SMTP::AuthC::Content;
    return Net::SMTP::AuthC::Content->encode($octets);
}

sub _octets_of {
    my ($text, $argument) = @_;

    _refuse("$argument must be text, not a reference") if ref $text && !overload::Method($text, '""');
    $text = "$text";
    _refuse("$argument: no character of Unicode at character " . (1 + $-[0]))
        if utf8::is_utf8($text) && $text =~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    $text =~ s/\r\n|\r|\n/\r\n/g;
    $text .= "\r\n" if $text =~ /[^\n]\z/;
    utf8::encode($text);
    return $text;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Message - a mail from its parts: text, HTML, images, attachments

=head1 SYNOPSIS

    use utf8;
    use Net::SMTP::AuthC::Message;

    my $message = Net::SMTP::AuthC::Message->new(
        from    => 'Shop <orders@shop.example>',
        to      => ['"Doe, J." <j@example.net>'],
        bcc     => 'archive@shop.example',
        subject => 'Ihre Bestellung 1001 aus Köln',
        text    => "Danke schön.\n",
        html    => '<img src="cid:logo"><p>Danke schön.',
        inline  => {logo => {data => "GIF89a...", type => 'image/gif'}},
        attach  => [$0, {data => "1001;Schraube\n", name => 'Übersicht.csv'}],
        headers => ['Auto-Submitted' => 'auto-generated'],
    );

    print $message->as_string;                                  # octets, lines end in CRLF
    print $message->size, " octets\n";
    print $message->envelope_from, "\n";
    print "$_\n" for $message->envelope_to;

=head1 DESCRIPTION

Text goes in as Perl character strings and comes out as octets that any mail system leaves as they are; nothing in
a message is ever 8 bit, but addresses that need SMTPUTF8. A message is checked and made once, in C<new>; asking it
twice gives the same octets and the same Message-ID.

Attachments are read and encoded while the message is sent (by C<submit> and C<send_mail> of L<Net::SMTP::AuthC>),
a piece at a time, so memory does not depend on their size; the size of the whole is known before.

For more than this there are L<Email::MIME>, L<Email::Stuffer> and L<MIME::Entity>: C<submit> takes their objects
as they are.

=head1 METHODS

=head2 new(%arguments)

C<from>, one of C<to>, C<cc> and C<bcc>, and one of C<text>, C<html> and C<attach> are needed. An argument it does
not know is refused by name, and one that is undef is as good as none.

=over 4

=item from, to, cc, bcc, reply_to

A string or an array ref, as L<Net::SMTP::AuthC::Address/parse($given, $argument)> reads it. With several addresses
in C<from> the first is the Sender. C<bcc> is for the envelope only and never in the message. Without C<to> and
C<cc>, To says C<undisclosed-recipients:;>. A domain outside ASCII is written in A-labels (C<xn--...>).

=item sender

    from => 'Boss <boss@shop.example>', sender => 'Desk <desk@shop.example>'

Who sends it for those in C<from>: one mailbox. It becomes the envelope's sender, too, who hears of failures.

=item subject

Encoded as needed. A text that looks like an encoded word is text: give C<Köln>, not C<=?UTF-8?Q?K=C3=B6ln?=>.

=item text

Any line ends; they become CRLF, and the last line gets one. It is sent as C<7bit> where nothing in it could
suffer, else in quoted-printable or base64, whichever suits: no line is longer than 998 octets, and blanks at the
end of a line, C<From > at the beginning of one, and a dot alone arrive as they are.

=item html

The same as HTML: beside the text for readers to choose from, or alone. It is sent in UTF-8, whatever a C<meta>
element in it says.

=item attach

    attach => 'invoice.pdf',
    attach => [
        'invoice.pdf',
        {file => '/tmp/x4711', name => 'Rechnung für Köln.pdf'},
        {data => $octets, name => 'list.csv', type => 'text/csv; charset=iso-8859-1'},
        {handle => $fh, name => 'photo.jpg', disposition => 'inline'},
    ],

A file, or an array ref of files, each a name or a hash with one of C<file>, C<data> and C<handle>:

=over 4

=item file, data, handle

The name of a file; a string of octets or a reference to one; a handle, which is read from where it stands to its
end. What cannot be read twice, such as a pipe, or says too little of itself, is copied to a temporary file by
C<new>. Files must not change before they are sent, and handles must stay open.

=item name

Any characters, at most 255; the last part of C<file> unless given, and C<''> is none. What is not ASCII is written
by RFC 2231, and for older programs also as encoded words.

=item type

The media type, guessed from the name for the usual kinds, else C<application/octet-stream>. A text's charset is
what you say here, or unsaid. C<multipart/...> and C<message/...> may not be in base64, so they are refused.

=item disposition

C<attachment>, or C<inline> for what is to be shown in the message.

=item cid

A name by which C<html> shows it, as below.

=back

=item inline

    html => '<img src="cid:logo">', inline => {logo => 'logo.png', photo => {data => $jpeg, type => 'image/jpeg'}},

Images within the HTML, by name: letters, digits, C<->, C<_> and dots. The values are as in C<attach>, but need no
name. In the HTML C<cid:logo> is completed to the image's Content-ID, which is another one in each message; a name
with a domain (C<logo@shop.example>) is that Content-ID itself and stays.

=item in_reply_to, references

    in_reply_to => $id, references => [@ids_of_that_message, $id]

Message-IDs, as array refs or in a string with blanks between, with or without C<< < > >>. Without C<references>
those of C<in_reply_to> stand there.

=item tls_required

C<< tls_required => 'no' >> asks servers on the way to send it even where TLS fails (RFC 8689): for reports of such
failures.

=item headers

    headers => ['List-Id' => '<orders.shop.example>', 'List-Unsubscribe' => "<$url>"],

More fields, in this order; address fields are checked and encoded as such. A field given here replaces the one
that would be made (the envelope stays that of the arguments). A field of which a message has only one cannot be
given twice, and Bcc not at all.

Where there is only C<text>, Content-Type and Content-Transfer-Encoding can be given, too. With a Content-Type of
the caller the text is encoded in UTF-8 all the same, so its charset must be C<utf-8>; it is added to C<text/...>
without one. With a Content-Transfer-Encoding of the caller, or a type C<multipart/...> or C<message/...>, the text
is taken as encoded and goes out as it is.

=item date

Seconds since 1970, or a date as the header wants it; otherwise the time of C<new>, in the local zone.

=item message_id

With or without C<< < > >>; otherwise a new one with the domain of C<from>.

=back

=head2 as_string

The message in octets, lines ended by CRLF, dots not doubled (who sends it does that). With its attachments, so it
may be long.

=head2 pieces

    my $next = $message->pieces;
    while (defined(my $octets = $next->())) { print {$out} $octets }

A code ref that returns the same octets piece after piece, and undef at the end. It dies when a file has changed;
what can be known of that beforehand C<pieces> dies of itself.

=head2 size

The number of these octets, as the C<SIZE=> of SMTP says it (RFC 1870); nothing is read for it.

=head2 is_streamed

1 if there is something that is encoded while it is sent, else 0.

=head2 is_eight_bit

1 if there are octets above 127, as with some addresses and with C<Content-Transfer-Encoding: 8bit>; else 0.

=head2 message_id

The Message-ID with its C<< < > >>.

=head2 envelope_from

The address of C<sender>, or the first of C<from>, as a character string.

=head2 envelope_to

The addresses of C<to>, C<cc> and C<bcc>, each once; in scalar context their number. Two addresses are the same if
they are so character by character.

=head2 needs_smtputf8

1 if an address of the envelope or of an address field has no form in ASCII, so that the server must offer
SMTPUTF8; else 0.

=head1 SECURITY

No value can add a field, a part or a recipient: CR, LF, NUL and control characters are refused in every header
value, address and file name, with an error that names the argument; what bounds the parts is looked for in the
text first. Text from a form may go into C<text> as it is, into C<subject> if an error is an answer, and a name
best into C<< to => [{name => $name, address => $address}] >>. It must be escaped for C<html>, and never be the
name of a file: that would send any file that the program can read.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects, of kind C<usage> unless something else is said; those of
L<Net::SMTP::AuthC::Address> and L<Net::SMTP::AuthC::Header> come too.

=over 4

=item unknown argument "..."

=item from is needed, from has no address, no recipient, text is needed, text, html or attach is needed

Something to send is missing. C<< text => '' >> is a mail without text.

=item sender is one mailbox

=item headers must be [Name => value, ...]

An array ref with an even number of elements.

=item headers: Subject is given twice

A message has one of these.

=item headers: no Bcc in a message, everyone would read it

Use the argument C<bcc>.

=item headers: To has no address

=item headers: Content-Type has no place beside html, attach and inline

Each part has its own. To send content of another type, attach it with C<type>.

=item headers: the text is sent in utf-8, not in iso-8859-1

Leave out the charset of your Content-Type.

=item headers: Content-Transfer-Encoding must be 7bit, 8bit, quoted-printable or base64

=item text: 7bit content holds what is not 7bit

Also C<text: a line of 7bit content is longer than 998 octets>. The text was to go out as it is and cannot.

=item text: no character of Unicode at character 5

A surrogate or a number above 10FFFF; so with C<html>. Also C<text must be text, not a reference>.

=item date is no date, message_id is no message id, tls_required: only 'no'

The hint shows what is one. So with C<in_reply_to> and C<references>.

=item attach[0]: /path/invoice.pdf cannot be opened: No such file or directory

C<attach[0]> is the first of the list, C<inline{logo}> the image of that name. Also C<cannot be read>, C<no
temporary file>, C<the temporary file cannot be written>.

=item attach[0]: there are no longer the 4711 octets of when the message was made

The file has become longer or shorter, before it was sent or meanwhile. From C<as_string>, C<pieces> and C<submit>
it is of kind C<system>; in the middle of sending, C<interrupted>: nothing was delivered. Let whoever writes the
file finish first. Also C<the handle was closed>, C<the handle cannot be read>.

=item attach[0] must be a file's name, or {file => ..., name => ...}

Also C<attach[0] is undefined>, C<attach[0]: unknown option "...">, and C<inline must be {name =E<gt> file, ...}>.

=item attach[0]: one of file, data and handle is needed

=item attach[0]: name is needed

For data and handles; C<< name => '' >> leaves it without one. Also C<attach[0] name: longer than 255 characters>.

=item attach[0] data must be octets, or a reference to them

Also C<attach[0] data: a character above 255>: encode it first.

=item attach[0]: the handle is not open

Also C<the handle decodes what it reads, so the octets are lost>, C<a character above 255>.

=item attach[0] type is no media type

Also C<attach[0] type: message/rfc822 may not be in base64>, and C<inline{logo}: type is needed>, where it cannot
be guessed.

=item attach[0] disposition must be attachment or inline

=item attach[0] cid: letters, digits, "-", "_" and dots, and @domain where you like

Also C<the cid "logo" is there already>.

=item inline{logo}: html has no cid:logo

Nothing would show it. Also C<inline needs html that shows it>.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Address>, L<Net::SMTP::AuthC::Header>

=cut
