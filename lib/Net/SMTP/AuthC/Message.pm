# Message: a text mail from its parts.
package Net::SMTP::AuthC::Message;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Content;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Header;

my %is_argument   = map { $_ => 1 } qw(from to cc bcc reply_to subject text headers date message_id);
my %holds_mailbox = map { $_ => 1 } qw(from sender reply-to to cc resent-from resent-sender resent-to resent-cc
    disposition-notification-to return-receipt-to errors-to mail-followup-to mail-reply-to);
my %is_structured = map { $_ => 1 } qw(date message-id in-reply-to references mime-version content-type
    content-transfer-encoding content-disposition content-id return-path received resent-date resent-message-id);

# RFC 5322, section 3.6, and RFC 2045.
my %is_single = map { $_ => 1 } qw(date from sender reply-to to cc message-id in-reply-to references subject
    mime-version content-type content-transfer-encoding content-disposition content-id content-description);

my @DAYS   = qw(Sun Mon Tue Wed Thu Fri Sat);
my @MONTHS = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);

my $ID_PART = qr/[\x21-\x3b\x3d\x3f\x41-\x7e]+/;
my $DATE = qr/(?:[A-Z][a-z]{2},[ ])?[0-9]{1,2}[ ][A-Z][a-z]{2}[ ][0-9]{4}
    [ ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?[ ](?:[+-][0-9]{4}|[A-Z]{1,3})/x;

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
    my @own    = $self->_own_fields($given{headers});
    my $body   = $self->_body($given{text});
    $self->{octets} = join '', $self->_made_fields(\%given), @own, $self->_content_fields, "\r\n", $body;
    delete @$self{qw(own people encoding)};
    return $self;
}

sub as_string       { return $_[0]{octets} }
sub message_id      { return $_[0]{message_id} }
sub envelope_from   { return $_[0]{envelope_from} }
sub envelope_to     { my @to = @{ $_[0]{envelope_to} }; return @to }
sub needs_smtputf8  { return $_[0]{utf8} }

sub _refuse { return Net::SMTP::AuthC::Error->usage(@_) }

# People

sub _read_people {
    my ($self, $given) = @_;

    _refuse('from is needed') if !defined $given->{from};
    my %people = map { $_ => $self->_mailboxes($given->{$_} // [], $_) } qw(from to cc bcc reply_to);
    _refuse('from has no address') if !@{ $people{from} };
    my %seen;
    $self->{envelope_from} = $people{from}[0]{address};
    $self->{envelope_to} = [grep { !$seen{$_}++ } map { $_->{address} } map { @$_ } @people{qw(to cc bcc)}];
    _refuse('no recipient', 'give at least one address in to, cc or bcc') if !@{ $self->{envelope_to} };
    $self->{people} = \%people;
    return;
}

sub _mailboxes {
    my ($self, $given, $argument) = @_;

    my $mailboxes = Net::SMTP::AuthC::Address->parse($given, $argument);
    $self->{utf8} = 1 if grep { $_->{address} =~ /[^\x00-\x7f]/ } @$mailboxes;
    return $mailboxes;
}

sub _mailbox_field {
    my ($self, $name, $mailboxes) = @_;

    my @formatted = map { Net::SMTP::AuthC::Address->format($_->{name}, $_->{address}) } @$mailboxes;
    return Net::SMTP::AuthC::Header->mailboxes($name, @formatted);
}

# Fields of the caller

sub _own_fields {
    my ($self, $headers) = @_;

    return if !defined $headers;
    _refuse('headers must be [Name => value, ...]') if ref $headers ne 'ARRAY' || @$headers % 2;
    my ($own, @fields) = ($self->{own});
    for (my $i = 0; $i < @$headers; $i += 2) {
        my ($name, $value) = @$headers[$i, $i + 1];
        my $key = lc Net::SMTP::AuthC::Header->check_name($name);
        _refuse("headers: no $name in a message, everyone would read it", 'use the argument bcc')
            if $key =~ /\A(?:resent-)?bcc\z/;
        _refuse("headers: $name is given twice") if exists $own->{$key} && $is_single{$key};
        $own->{$key} = Net::SMTP::AuthC::Header->check_text($name, $value);
        push @fields, $self->_own_field($name, $key, $own->{$key}) if $key ne 'content-type';
    }
    return @fields;
}

sub _own_field {
    my ($self, $name, $key, $value) = @_;

    return $self->_own_mailbox_field($name, $value) if $holds_mailbox{$key};
    return Net::SMTP::AuthC::Header->unstructured($name, $value) if !$is_structured{$key};
    $value = _checked_date($name, $value) if $key eq 'date';
    $value = $self->{message_id} = _checked_id($name, $value) if $key eq 'message-id';
    return Net::SMTP::AuthC::Header->structured($name, $value);
}

# Comments and groups of the caller stay where nothing has to be encoded.
sub _own_mailbox_field {
    my ($self, $name, $value) = @_;

    my $mailboxes = $self->_mailboxes($value, $name);
    my $can_stay = $value =~ /\A[\x20-\x7e]*\z/ && $value !~ /=\?/;
    _refuse("headers: $name has no address") if !@$mailboxes && !($can_stay && $value =~ /:/);
    return Net::SMTP::AuthC::Header->structured($name, $value) if $can_stay;
    return $self->_mailbox_field($name, $mailboxes);
}

# Fields made here, each unless the caller has its own

sub _made_fields {
    my ($self, $given) = @_;

    my ($people, $own) = @$self{qw(people own)};
    my $cc_field = @{ $people->{cc} } || $own->{cc};
    my @fields = (
        [Date       => structured   => _checked_date('date', $given->{date} // time)],
        [From       => mailboxes    => $people->{from}],
        [Sender     => mailboxes    => [@{ $people->{from} } > 1 ? $people->{from}[0] : ()]],
        ['Reply-To' => mailboxes    => $people->{reply_to}],
        [To         => mailboxes    => $people->{to}],
        [Cc         => mailboxes    => $people->{cc}],
        @{ $people->{to} } || $cc_field ? () : [To => structured => 'undisclosed-recipients:;'],
        [Subject    => unstructured => $given->{subject}],
        ['Message-ID' => structured => $self->_message_id($given->{message_id})],
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
    return $date if $date =~ /\A$DATE\z/;
    return _refuse("$argument is no date", 'such as "Mon, 23 Nov 2026 20:41:17 +0100", or seconds since 1970');
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

# A domain outside ASCII would make every reference to the message need SMTPUTF8.
sub _new_id {
    my ($self) = @_;

    my ($domain) = $self->{envelope_from} =~ /\@([^@]*)\z/;
    $domain = 'smtputf8.invalid' if $domain =~ /[^\x21-\x7e]/;
    return sprintf '<%x.%x.%x.%s@%s>', time, $$, ++$made, _random_hex(), $domain;
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

sub _content_fields {
    my ($self) = @_;

    my $own = $self->{own};
    return (
        exists $own->{'mime-version'} ? () : "MIME-Version: 1.0\r\n",
        Net::SMTP::AuthC::Header->structured('Content-Type', $self->_type),
        exists $own->{'content-transfer-encoding'} ? () : "Content-Transfer-Encoding: $self->{encoding}\r\n",
    );
}

sub _type {
    my ($self) = @_;

    my $type = $self->{own}{'content-type'} // 'text/plain';
    return $type =~ m{\Atext/}i && $type !~ /;\s*charset\s*=/i ? "$type; charset=utf-8" : $type;
}

sub _body {
    my ($self, $text) = @_;

    _refuse('text is needed', q{text => '' is a mail without any}) if !defined $text;
    _refuse('text must be text, not a reference') if ref $text && !overload::Method($text, '""');
    $text = "$text";
    _refuse('text: no character of Unicode at character ' . (1 + $-[0]))
        if $text =~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    $text =~ s/\r\n|\r|\n/\r\n/g;
    $text .= "\r\n" if $text =~ /[^\n]\z/;
    utf8::encode($text);
    $self->_check_charset($text);
    return $self->_as_it_is($text) if $self->_is_ready_made;
    ($self->{encoding}, my $body) = Net::SMTP::AuthC::Content->encode($text);
    return $body;
}

sub _check_charset {
    my ($self, $octets) = @_;

    my ($charset) = $self->_type =~ /;\s*charset\s*=\s*"?([^\s";]+)/i or return;
    return if lc $charset eq 'utf-8' || lc $charset eq 'us-ascii' && $octets !~ /[^\x00-\x7f]/;
    return _refuse("headers: the text is sent in utf-8, not in $charset", 'leave the charset out');
}

# RFC 2045, section 6.4: parts within are encoded by whoever made them.
sub _is_ready_made {
    my ($self) = @_;

    return exists $self->{own}{'content-transfer-encoding'} || $self->_type =~ m{\A(?:multipart|message)/}i;
}

sub _as_it_is {
    my ($self, $octets) = @_;

    my $encoding = lc($self->{own}{'content-transfer-encoding'} // '7bit');
    _refuse('headers: Content-Transfer-Encoding must be 7bit, 8bit, quoted-printable or base64')
        if $encoding !~ /\A(?:7bit|8bit|quoted-printable|base64)\z/;
    my $forbidden = $encoding eq '8bit' ? qr/\0/ : qr/[^\x01-\x7f]/;
    _refuse("text: $encoding content holds what is not $encoding", 'encode it, or leave it to this module')
        if $octets =~ $forbidden;
    _refuse("text: a line of $encoding content is longer than 998 octets") if $octets =~ /^[^\r\n]{999}/m;
    $self->{encoding} = $encoding;
    return $octets;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Message - a text mail from its parts

=head1 SYNOPSIS

    use utf8;
    use Net::SMTP::AuthC::Message;

    my $message = Net::SMTP::AuthC::Message->new(
        from    => 'Shop <orders@shop.example>',
        to      => ['"Doe, J." <j@example.net>'],
        bcc     => 'archive@shop.example',
        subject => 'Ihre Bestellung 1001 aus Köln',
        text    => "Danke schön.\n",
        headers => ['Auto-Submitted' => 'auto-generated'],
    );

    print $message->as_string;                                  # octets, lines end in CRLF
    print $message->envelope_from, "\n";
    print "$_\n" for $message->envelope_to;

=head1 DESCRIPTION

Everything goes in as Perl character strings and comes out as octets that any mail system leaves as they are. A
message is checked and made once, in C<new>; asking it twice gives the same octets and the same Message-ID.

=head1 METHODS

=head2 new(%arguments)

C<from>, one of C<to>, C<cc> and C<bcc>, and C<text> are needed. An argument it does not know is refused by name.

=over 4

=item from, to, cc, bcc, reply_to

A string or an array ref, as L<Net::SMTP::AuthC::Address/parse($given, $argument)> reads it. With several addresses
in C<from> the first is the Sender. C<bcc> is for the envelope only and never in the message. Without C<to> and
C<cc>, To says C<undisclosed-recipients:;>.

=item subject

Encoded as needed. A text that looks like an encoded word is text: give C<Köln>, not C<=?UTF-8?Q?K=C3=B6ln?=>.

=item text

Any line ends; they become CRLF, and the last line gets one. It is sent as C<7bit> where nothing in it could suffer,
else in quoted-printable or base64, whichever suits: no line is longer than 998 octets, and blanks at the end of a
line, C<From > at the beginning of one, and a dot alone arrive as they are.

=item headers

    headers => ['List-Id' => '<orders.shop.example>', 'Content-Type' => 'text/html'],

More fields, in this order; address fields are checked and encoded as such. A field given here replaces the one that
would be made (the envelope stays that of C<from>, C<to>, C<cc> and C<bcc>). A field of which a message has only one
cannot be given twice, and Bcc not at all.

With a Content-Type of the caller the text is encoded in UTF-8 all the same, so its charset must be C<utf-8>; it is
added to C<text/...> without one. With a Content-Transfer-Encoding of the caller, or a type C<multipart/...> or
C<message/...>, the text is taken as encoded and goes out as it is.

=item date

Seconds since 1970, or a date as the header wants it; otherwise the time of C<new>, in the local zone.

=item message_id

With or without C<< < > >>; otherwise a new one with the domain of C<from>.

=back

=head2 as_string

The message in octets, lines ended by CRLF, dots not doubled (who sends it does that).

=head2 message_id

The Message-ID with its C<< < > >>.

=head2 envelope_from

The first address of C<from>, as a character string.

=head2 envelope_to

The addresses of C<to>, C<cc> and C<bcc>, each once; in scalar context their number. Two addresses are the same if
they are so character by character.

=head2 needs_smtputf8

1 if an address of the envelope or of an address field is not ASCII, so that the server must offer SMTPUTF8; else 0.

=head1 SECURITY

No value can add a field or a recipient: CR, LF, NUL and control characters are refused in every header value and
address, with an error that names the argument. Text from a form may go into C<text> as it is, into C<subject> if an
error is an answer, and a name best into C<< to => [{name => $name, address => $address}] >>.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects of kind C<usage>; those of L<Net::SMTP::AuthC::Address> and
L<Net::SMTP::AuthC::Header> come too.

=over 4

=item unknown argument "..."

=item from is needed, from has no address, no recipient, text is needed

Something to send is missing. C<< text => '' >> is a mail without text.

=item headers must be [Name => value, ...]

An array ref with an even number of elements.

=item headers: Subject is given twice

A message has one of these.

=item headers: no Bcc in a message, everyone would read it

Use the argument C<bcc>.

=item headers: To has no address

=item headers: the text is sent in utf-8, not in iso-8859-1

Leave out the charset of your Content-Type.

=item headers: Content-Transfer-Encoding must be 7bit, 8bit, quoted-printable or base64

=item text: 7bit content holds what is not 7bit

Also C<text: a line of 7bit content is longer than 998 octets>. The text was to go out as it is and cannot.

=item text: no character of Unicode at character 5

A surrogate or a number above 10FFFF.

=item date is no date, message_id is no message id

The hint shows one.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Address>, L<Net::SMTP::AuthC::Header>

=cut
