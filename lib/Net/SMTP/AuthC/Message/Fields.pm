# Fields: header fields and a content type of the caller's own, checked and written as such; most mails have none.
package Net::SMTP::AuthC::Message;

use 5.014;
use strict;
use warnings;

my %holds_mailbox = map { $_ => 1 } qw(from sender reply-to to cc resent-from resent-sender resent-to resent-cc
    disposition-notification-to return-receipt-to errors-to mail-followup-to mail-reply-to);
my %is_structured = map { $_ => 1 } qw(date message-id in-reply-to references mime-version content-type
    content-transfer-encoding content-disposition content-id return-path received resent-date resent-message-id
    tls-required);

# RFC 5322, section 3.6, RFC 2045, and RFC 8689.
my %is_single = map { $_ => 1 } qw(date from sender reply-to to cc message-id in-reply-to references subject
    mime-version content-type content-transfer-encoding content-disposition content-id content-description
    tls-required);

my $DATE = qr/(?:[A-Z][a-z]{2},[ ])?[0-9]{1,2}[ ][A-Z][a-z]{2}[ ][0-9]{4}
    [ ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?[ ](?:[+-][0-9]{4}|[A-Z]{1,3})/x;

sub _own_fields {
    my ($self, $given) = @_;

    my @fields = defined $given->{headers} ? $self->_fields_of_headers($given->{headers}) : ();
    my $own = $self->{own};
    return @fields, map { Net::SMTP::AuthC::Header->structured(@$_) } grep { !exists $own->{ lc $_->[0] } }
        _answer_fields($given), _tls_required($given->{tls_required});
}

sub _fields_of_headers {
    my ($self, $headers) = @_;

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

sub _date_of_caller {
    my ($argument, $date) = @_;

    return $date if $date =~ /\A$DATE\z/;
    return _refuse("$argument is no date", 'such as "Mon, 23 Nov 2026 20:41:17 +0100", or seconds since 1970');
}

# An answer to a message without references refers to that message (RFC 5322, section 3.6.4).
sub _answer_fields {
    my ($given) = @_;

    my @answered   = _ids('in_reply_to', $given->{in_reply_to});
    my @references = defined $given->{references} ? _ids('references', $given->{references}) : @answered;
    return ((@answered ? ['In-Reply-To' => "@answered"] : ()), (@references ? [References => "@references"] : ()));
}

sub _ids {
    my ($argument, $given) = @_;

    my @given = ref $given eq 'ARRAY' ? @$given : $given // ();
    my @ids   = map { Net::SMTP::AuthC::Header->check_text($argument, $_) } @given;
    return map { _checked_id($argument, $_) } map { split ' ' } @ids;
}

# RFC 8689, section 5: it has no other value.
sub _tls_required {
    my ($given) = @_;

    return if !defined $given;
    _refuse(q{tls_required: only 'no'}, 'that every server on the way uses TLS is asked for with require_tls')
        if lc $given ne 'no';
    return ['TLS-Required' => 'No'];
}

# Content

sub _content_of_caller {
    my ($self, $octets) = @_;

    my $type = $self->{own}{'content-type'} // 'text/plain';
    $type .= '; charset=utf-8' if $type =~ m{\Atext/}i && $type !~ /;\s*charset\s*=/i;
    _check_charset($type, $octets);
    my $own_encoding = $self->{own}{'content-transfer-encoding'};
    my $is_ready = defined $own_encoding || $type =~ m{\A(?:multipart|message)/}i;    # RFC 2045, section 6.4
    my ($encoding, $body) = $is_ready ? _as_it_is($octets, lc($own_encoding // '7bit'))
        : _transfer_encoded($octets);
    return (
        Net::SMTP::AuthC::Header->structured('Content-Type', $type),
        defined $own_encoding ? () : "Content-Transfer-Encoding: $encoding\r\n",
        "\r\n", $body,
    );
}

sub _check_charset {
    my ($type, $octets) = @_;

    my ($charset) = $type =~ /;\s*charset\s*=\s*"?([^\s";]+)/i or return;
    return if lc $charset eq 'utf-8' || lc $charset eq 'us-ascii' && $octets !~ /[^\x00-\x7f]/;
    return _refuse("headers: the text is sent in utf-8, not in $charset", 'leave the charset out');
}

sub _as_it_is {
    my ($octets, $encoding) = @_;

    _refuse('headers: Content-Transfer-Encoding must be 7bit, 8bit, quoted-printable or base64')
        if $encoding !~ /\A(?:7bit|8bit|quoted-printable|base64)\z/;
    my $forbidden = $encoding eq '8bit' ? qr/\0/ : qr/[^\x01-\x7f]/;
    _refuse("text: $encoding content holds what is not $encoding", 'encode it, or leave it to this module')
        if $octets =~ $forbidden;
    _refuse("text: a line of $encoding content is longer than 998 octets") if $octets =~ /^[^\r\n]{999}/m;
    return ($encoding, $octets);
}

1;
