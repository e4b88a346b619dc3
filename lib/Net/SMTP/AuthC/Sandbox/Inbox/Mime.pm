# What mails consist of (RFC 2045 to 2047, RFC 2231), as far as it can be made out: nothing here refuses a message.
package Net::SMTP::AuthC::Sandbox::Inbox::Mime;
use strict;
use warnings;
use Encode ();
use MIME::Base64 ();
use MIME::QuotedPrint ();

use constant { DEPTH => 10, PARTS => 500 };

# A part: id, fields ([name, octets], ...), type, charset, name, cid, disposition, and parts or body.
sub parse {
    my ($octets) = @_;
    my $left = PARTS;
    return _part($octets, '', 'text/plain', \$left);
}

sub _part {
    my ($octets, $id, $default, $left) = @_;
    my ($head, $body) = _halves($octets);
    my %part = (id => $id, fields => [ _fields($head) ], encoding => '');
    my ($type, %of_type) = _structured(field(\%part, 'Content-Type'));
    my ($disposition, %of_disposition) = _structured(field(\%part, 'Content-Disposition'));
    $part{type} = $type =~ m{\A[\w!#\$&^.+-]+/[\w!#\$&^.+-]+\z} ? $type : $default;
    @part{qw(disposition charset)} = ($disposition, defined $of_type{charset} ? $of_type{charset} : '');
    ($part{name}) = ((grep { defined } $of_disposition{filename}, $of_type{name}), '');
    ($part{cid}) = (field(\%part, 'Content-ID') || '') =~ /<?([^<>\s]*)/;
    $part{encoding} = lc $1 if (field(\%part, 'Content-Transfer-Encoding') || '') =~ /\A\s*([\w-]+)/;
    my $boundary = $part{type} =~ m{\Amultipart/} ? $of_type{boundary} : undef;
    my @bodies = defined $boundary && DEPTH > ($id =~ tr/.//) ? _split($body, $boundary) : ();
    @bodies = splice @bodies, 0, $$left;
    $$left -= @bodies;
    return { %part, body => $body } unless @bodies;
    my $inner = $part{type} eq 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    my $prefix = $id eq '' ? '' : "$id.";
    $part{parts} = [ map { _part($bodies[$_], $prefix . ($_ + 1), $inner, $left) } 0 .. $#bodies ];
    return \%part;
}

# Head and body of a message or a part.
sub _halves {
    my ($octets) = @_;
    return ('', substr $octets, $+[0]) if $octets =~ /\A\r?\n/;
    return $octets =~ /\n\r?\n/ ? (substr($octets, 0, $-[0] + 1), substr $octets, $+[0]) : ($octets, '');
}

sub _fields {
    my ($head) = @_;
    $head =~ s/\r?\n(?=[ \t])//g;
    $head =~ s/(?<![ \t])[ \t]++(?=\r?\n)//g;
    return map { /\A([^\s:]+)[ \t]*:[ \t]*(.*)\z/s ? [ $1, $2 ] : () } split /\r?\n/, $head;
}

# The first of that name, in octets; undef without.
sub field {
    my ($part, $name) = @_;
    my ($field) = grep { lc $_->[0] eq lc $name } @{ $part->{fields} };
    return $field ? $field->[1] : undef;
}

sub _split {
    my ($body, $boundary) = @_;
    my ($from, @bodies);
    while ($body =~ /^--\Q$boundary\E(--)?[ \t]*\r?(?:\n|\z)/mg) {
        my ($at, $behind, $is_last) = ($-[0], $+[0], $1);
        push @bodies, substr $body, $from, $at - $from if defined $from;
        $from = $is_last ? undef : $behind;
        last if $is_last || @bodies >= PARTS;
    }
    push @bodies, substr $body, $from if defined $from && @bodies < PARTS;
    s/\r?\n\z// for @bodies;
    return @bodies;
}

# "text/plain; charset=utf-8" to ('text/plain', charset => 'utf-8'), long and foreign values as RFC 2231 has them.
sub _structured {
    my ($text) = @_;
    return '' unless defined $text;
    no warnings 'regexp';    # of what is too long to be a value
    my ($first) = $text =~ /\A([^;\s]*)/;
    my %piece;
    my $name_and_value = qr/;\s*([^\s=;*]+)(?:\*([0-9]{1,3}))?(\*)?\s*=\s*("(?:[^"\\]++|\\.)*+"|[^;\s]*)/s;
    while ($text =~ /$name_and_value/g) {
        my ($name, $number, $is_escaped, $value) = (lc $1, $2 || 0, $3, $4);
        $value =~ s/\\(.)/$1/gs if $value =~ s/\A"(.*)"\z/$1/s;
        $piece{$name}[$number] = [ $value, $is_escaped ] if !$piece{$name}[$number];
    }
    return (lc $first, map { $_ => _whole(grep { defined } @{ $piece{$_} }) } keys %piece);
}

sub _whole {
    my (@pieces) = @_;
    my $charset;
    if ($pieces[0][1] && $pieces[0][0] =~ s/\A([^']*)'[^']*'//) { $charset = $1 }
    return words(join '', map { $_->[0] } @pieces) if !defined $charset;
    return text(join('', map { my ($value, $is_escaped) = @$_;
        $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge if $is_escaped;
        $value } @pieces), $charset);
}

# The parts that hold something.
sub leaves {
    my ($part) = @_;
    return $part->{parts} ? map { leaves($_) } @{ $part->{parts} } : $part;
}

# The content of a leaf, as octets.
sub content {
    my ($part) = @_;
    return MIME::Base64::decode_base64($part->{body}) if $part->{encoding} eq 'base64';
    return MIME::QuotedPrint::decode_qp($part->{body}) if $part->{encoding} eq 'quoted-printable';
    return $part->{body};
}

# Octets to characters; what is not of its charset becomes U+FFFD. Without a charset UTF-8 is tried first.
sub text {
    my ($octets, $charset) = @_;
    my $encoding = defined $charset && $charset =~ /\A[\w.:+-]{2,40}\z/ ? Encode::find_encoding($charset) : undef;
    $encoding = undef if $encoding && $encoding->name =~ /\A(?:ascii|utf8|MIME.*)\z/;
    my $text = $encoding ? eval { $encoding->decode(my $copy = $octets, Encode::FB_DEFAULT()) } : undef;
    $text = _guessed($octets) unless defined $text;
    $text =~ s/[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/\x{FFFD}/g;
    return $text;
}

sub _guessed {
    my ($octets) = @_;
    return $octets if $octets !~ /[\x80-\xff]/;
    my $copy = $octets;
    return utf8::decode($copy) ? $copy : Encode::decode('cp1252', $octets);
}

# A header field's octets to characters, its encoded words decoded (RFC 2047 section 6.2).
sub words {
    my ($octets) = @_;
    my $text = text($octets);
    my $word = qr/=\?[\w.:+-]+(?:\*[\w-]*)?\?[bq]\?[^?\s]*\?=/i;
    $text =~ s/($word)\s+(?=$word)/$1/g;
    $text =~ s/=\?([\w.:+-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/_word($1, lc $2, $3)/gei;
    return $text;
}

sub _word {
    my ($charset, $form, $octets) = @_;
    utf8::encode($octets);
    return text(MIME::Base64::decode_base64($octets), $charset) if $form eq 'b';
    $octets =~ tr/_/ /;
    $octets =~ s/=([0-9A-Fa-f]{2})/chr hex $1/ge;
    return text($octets, $charset);
}

1;
