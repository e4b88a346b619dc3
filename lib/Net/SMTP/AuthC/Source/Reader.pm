# Reader: messages in other forms than a string: handles, code, objects, references, and strings of characters.
package Net::SMTP::AuthC::Source::Reader;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Source;

my $FORMS      = 'give a string, a reference to one, a handle, a code ref or an object with as_string';
my $PIECE      = 65536;
my $EMPTY_MOST = 10_000;    # pieces in a row

# As Source has them.
sub of {
    my ($class, $message) = @_;

    _usage('message is undefined') if !defined $message;
    my $form   = _form($message) // _usage('message: a ' . ref($message) . ' cannot be sent', $FORMS);
    my $source = $form->($message);
    $source->{failure} //= \my $none;
    return $source;
}

# Characters become octets, in their place.
sub encode {
    my ($class) = @_;

    return utf8::downgrade($_[1], 1) || _usage('message: ' . _wide());
}

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

sub _form {
    my ($message) = @_;

    return \&_of_handle if !ref $message;
    require Scalar::Util;
    my $is_object = defined Scalar::Util::blessed($message);
    return \&_of_object if $is_object && $message->can('as_string');
    my $type = Scalar::Util::reftype($message);
    return \&_of_handle if $type eq 'GLOB' || $type eq 'IO';
    return \&_of_code   if $type eq 'CODE';
    return !$is_object && $type =~ /\A(?:SCALAR|LVALUE|VSTRING)\z/ ? sub { _of_string(${ $_[0] }) } : undef;
}

sub _of_string { return Net::SMTP::AuthC::Source->of($_[0]) }

sub _wide { return q{a character above 255; encode it first, e.g. Encode::encode('UTF-8', ...)} }

sub _of_object {
    my ($message) = @_;

    return _of_built($message) if $message->can('is_streamed') && $message->is_streamed;
    my $source = _of_string($message->as_string);
    $source->{message_id} = $message->message_id if !defined $source->{message_id} && $message->can('message_id');
    $source->{smtputf8} = 1 if $message->can('needs_smtputf8') && $message->needs_smtputf8;
    return $source;
}

# A message of ours with attachments, which are encoded while they are sent.
sub _of_built {
    my ($message) = @_;

    my $source = _of_code($message->pieces);
    @$source{qw(size eight_bit message_id smtputf8)}
        = map { $message->$_ } qw(size is_eight_bit message_id needs_smtputf8);
    return $source;
}

sub _of_handle {
    my ($message) = @_;

    require Scalar::Util;
    my $handle = ref $message ? $message : \$message;
    _usage('message: the handle is not open') if !defined Scalar::Util::openhandle($handle);
    my $tied = tied *$handle;
    _usage('message: the handle decodes what it reads, so the octets of the message are lost',
        q{open it with '<:raw', or call binmode})
        if !$tied && grep { /\A(?:utf8|encoding)/ } PerlIO::get_layers($handle);
    return _of_code(_line_reader($handle)) if $tied && !$tied->can('READ');
    my $left = $tied ? undef : _octets_left($handle);
    return _of_code(_block_reader($handle)) if !defined $left;
    return {%{ _of_code(_file_reader($handle)) }, size_hint => $left};
}

# What a plain file has from here to its end, undef where that is not known without reading.
sub _octets_left {
    my ($handle) = @_;

    return if !-f $handle;
    my $size = -s _;
    return if grep { !/\A(?:unix|perlio|stdio|mmap)\z/ } PerlIO::get_layers($handle);
    my $here = tell $handle;
    return $size && $here >= 0 && $here < $size ? $size - $here : undef;
}

sub _block_reader {
    my ($handle) = @_;

    return sub {
        my $piece;
        my $n = read $handle, $piece, $PIECE;
        die "the handle cannot be read: $!\n" if !defined $n;
        return $n ? $piece : undef;
    };
}

# Past perl's buffer of 8192 octets, which would have to be filled and copied again and again; and the handle is left
# where the message ends.
sub _file_reader {
    my ($handle) = @_;

    my $is_begun;
    return sub {
        seek $handle, tell $handle, 0 if !$is_begun++;
        my $piece;
        my $n = sysread($handle, $piece, $PIECE) // sysread $handle, $piece, $PIECE;    # a signal may have come
        die "the handle cannot be read: $!\n" if !defined $n;
        seek $handle, sysseek($handle, 0, 1), 0 if !$n;
        return $n ? $piece : undef;
    };
}

sub _line_reader {
    my ($handle) = @_;

    return sub { return scalar readline $handle };
}

# Calls the caller's code, and keeps what it died of.
sub _of_code {
    my ($code) = @_;

    my ($failure, $empty);
    my $next = sub {
        my $piece;
        return $piece if eval { $piece = $code->(); _check($piece, \$empty); 1 };
        $failure = $@;
        die $failure;
    };
    return {octets => $next, failure => \$failure};
}

# The piece is the first argument itself, which becomes octets in its place.
sub _check {
    my $empty = $_[1];

    return if !defined $_[0];
    die _wide() . "\n" if utf8::is_utf8($_[0]) && !utf8::downgrade($_[0], 1);
    $$empty = length $_[0] ? 0 : 1 + ($$empty // 0);
    die "$$empty empty pieces in a row, and at its end it must return undef\n" if $$empty > $EMPTY_MOST;
    return;
}

1;
