# Mail: a message as programs hand it to sendmail: read, its header looked at and completed, Bcc taken out.
package Net::SMTP::AuthC::Command::Mail;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Header;

my $IN_MEMORY  = 8 * 1024 * 1024;
my $HEADER_MAX = 1024 * 1024;
my $PIECE      = 65536;

sub _fail { return Net::SMTP::AuthC::Command::Exit->fail(data => $_[0]) }

# All of a handle, before anybody is called; unless dots => 1 a line with nothing but a dot ends it. stuffed => 1: other
# lines that begin with a dot have one more, and where no such end comes there is no mail.
sub read {
    my ($class, $handle, %how) = @_;

    my $self = bless {body => '', size => 0, eight_bit => 0}, $class;
    my $is_ended;
    binmode $handle;
    local $/ = $how{dots} ? \$PIECE : "\n";
    while (defined(my $piece = readline $handle)) {
        last if !$how{dots} && $piece =~ /\A\.\r?\n?\z/ && ($is_ended = 1);
        $piece =~ s/\A\.// if $how{stuffed};
        $self->_take($piece);
    }
    return if $how{stuffed} && !$is_ended;
    $self->_split_off_header;
    return $self;
}

# In memory as long as it is small, then in a file that has no name.
sub _take {
    my ($self, $piece) = @_;

    $self->{eight_bit} ||= $piece =~ /[\x80-\xff]/ ? 1 : 0;
    if (!$self->{file} && length($self->{body}) + length $piece <= $IN_MEMORY) {
        $self->{body} .= $piece;
        return;
    }
    if (!$self->{file}) {
        open $self->{file}, '+>:raw', undef
            or Net::SMTP::AuthC::Command::Exit->fail(temporary => "no room for the message: $!");
    }
    $self->{size} += length($piece) + (my $ends = () = $piece =~ /(?<!\r)\n/g);
    print { $self->{file} } $piece
        or Net::SMTP::AuthC::Command::Exit->fail(temporary => "no room for the message: $!");
    return;
}

# Fields with their line ends, which may be CR, LF or both, as on the wire each of them ends a line. A text that begins
# with something else has no header.
sub _split_off_header {
    my ($self) = @_;

    my $text = \$self->{body};
    $$text =~ s/\A>?From [^\r\n]*(?:\r\n?|\n)//;
    my @fields;
    while ($$text =~ /\G(?:([\x21-\x39\x3b-\x7e]+[ \t]*:)|([ \t]))([^\r\n]*)(?:\r\n|[\r\n]|\z)/gc) {
        my ($begin, $blank, $rest) = ($1, $2, $3);
        _fail("the header has more than $HEADER_MAX octets") if pos $$text > $HEADER_MAX;
        last if !defined $begin && !@fields && do { pos($$text) = 0; 1 };
        if (defined $begin) { push @fields, {name => $begin =~ s/[ \t]*:\z//r, value => $rest} }
        else                { $fields[-1]{value} .= "\n$blank$rest" }
        last if pos $$text == length $$text;
    }
    my $at = pos($$text) // 0;
    $at = $+[0] if $$text =~ /\G(?:\r\n|[\r\n])/g;
    substr($$text, 0, $at) = '';
    $self->{fields} = \@fields;
    return;
}

# ---- the header ----

sub _values {
    my ($self, @names) = @_;

    my %is = map { lc $_ => 1 } @names;
    return map { $_->{value} } grep { $is{ lc $_->{name} } } @{ $self->{fields} };
}

sub has { my ($self, $name) = @_; return $self->_values($name) ? 1 : 0 }

sub remove {
    my ($self, @names) = @_;

    my %is = map { lc $_ => 1 } @names;
    @{ $self->{fields} } = grep { !$is{ lc $_->{name} } } @{ $self->{fields} };
    return;
}

# A whole field, its line end with it, as Net::SMTP::AuthC::Header writes it.
sub add {
    my ($self, $field) = @_;

    my ($name, $value) = $field =~ /\A([^:]+):(.*)\r\n\z/s;
    push @{ $self->{fields} }, {name => $name, value => $value =~ s/\r\n/\n/gr};
    return;
}

# Those of To, Cc and Bcc; of a mail that was sent on, those that it was sent on to the last time.
sub recipients {
    my ($self) = @_;

    my @resent = $self->_last_resent;
    my @lists  = @resent ? @resent : map { [$_ => $self->_values($_)] } qw(To Cc Bcc);
    return map { my ($name, @values) = @$_; map { _addresses($_, $name) } @values } @lists;
}

# The first block of Resent fields, which is the newest (RFC 5322, section 3.6.6).
sub _last_resent {
    my ($self) = @_;

    my @block;
    for my $field (@{ $self->{fields} }) {
        my $is_resent = $field->{name} =~ /\AResent-/i;
        last if @block && !$is_resent;
        push @block, $field if $is_resent;
    }
    return map { [$_->{name}, $_->{value}] } grep { $_->{name} =~ /\AResent-(?:To|Cc|Bcc)\z/i } @block;
}

sub sender {
    my ($self) = @_;

    my ($from) = map { $self->_values($_) } $self->_last_resent ? 'Resent-From' : (), 'From';
    return defined $from ? (_addresses($from, 'From'))[0] : undef;
}

# Local names, which no address of the Internet has, are taken too: "root", "Root <root>".
sub _addresses {
    my ($value, $name) = @_;

    $value =~ s/\n[ \t]/ /g;
    utf8::decode($value);
    my @items;
    push @items, $1 while $value =~ /\G((?:"(?:[^"\\]|\\.)*+"|\((?:[^()\\]|\\.)*+\)|<[^<>]*+>|[^",<(])++)(?:,|\z)/gc;
    @items = () if (pos $value // 0) < length $value;
    my @found = map { _local($_) // () } @items;
    return map { $_->{address} } @{ _parsed($value, $name) } if !@found;
    return map {
        my $item = $_;
        _local($item) // map { $_->{address} } @{ _parsed($item, $name) };
    } grep { /\S/ } @items;
}

# The name, when that is what the item is.
sub _local {
    my ($item) = @_;

    $item =~ s/\((?:[^()\\]|\\.)*+\)//g;
    return $item =~ /\A(?:[^<>\@:;]*<\s*([A-Za-z0-9._+-]+)\s*>|\s*([A-Za-z0-9._+-]+))\s*\z/ ? $1 // $2 : undef;
}

sub _parsed {
    my ($value, $name) = @_;

    my $found = eval { Net::SMTP::AuthC::Address->parse($value, $name) };
    return $found || _fail('the header: ' . ($@->can('text') ? $@->text : $@));
}

# ---- for submit ----

# The header as octets with CRLF, and the empty line.
sub header {
    my ($self) = @_;

    return join '', map { "$_->{name}:" . $_->{value} =~ s/\n/\r\n/gr . "\r\n" } @{ $self->{fields} };
}

# What submit takes, and options for it; $watch is told of the octets that were taken.
sub for_submit {
    my ($self, $watch) = @_;

    my $head = $self->header . "\r\n";
    return ($head . $self->{body}) if !$self->{file} && !$watch;
    my $size = length($head) + $self->{size} + length($self->{body}) + (my $ends = () = $self->{body} =~ /(?<!\r)\n/g);
    return ($self->_reader($head, $watch), size => $size, body => $self->{eight_bit} ? '8bit' : '7bit');
}

sub size { my ($self) = @_; return length($self->{body}) + $self->{size} }

sub _reader {
    my ($self, $head, $watch) = @_;

    my $first = $head . $self->{body};
    my ($at, $file) = (0, $self->{file});
    seek $file, 0, 0 if $file;
    return sub {
        my $piece = substr $first, $at, $PIECE;
        $at += length $piece;
        if ($piece eq '' && $file) { CORE::read($file, $piece, $PIECE) }
        $watch->(length $piece) if $watch;
        return length($piece // '') ? $piece : undef;
    };
}

1;
