# Source: what is to be sent, in whatever form the caller has it, as the C core wants it.
package Net::SMTP::AuthC::Source;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $FORMS       = 'give a string, a reference to one, a handle, a code ref or an object with as_string';
my $PIECE       = 65536;
my $HEADER_MOST = 65536;     # octets in which a Message-ID is looked for
my $EMPTY_MOST  = 10_000;    # pieces in a row

# octets: a string, or a code ref that returns piece after piece and undef at the end; failure: a reference to what it
# died of. size, eight_bit and message_id where they are known beforehand.
sub of {
    my ($class, $message) = @_;

    _usage('message is undefined') if !defined $message;
    my $form = _form($message) // _usage('message: a ' . ref($message) . ' cannot be sent', $FORMS);
    my $source = $form->($message);
    $source->{failure} //= \my $none;
    return $source;
}

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

sub _form {
    my ($message) = @_;

    return \&_of_handle if ref \$message eq 'GLOB';
    return \&_of_string if !ref $message;
    require Scalar::Util;
    my $is_object = defined Scalar::Util::blessed($message);
    return \&_of_object if $is_object && $message->can('as_string');
    my $type = Scalar::Util::reftype($message);
    return \&_of_handle if $type eq 'GLOB' || $type eq 'IO';
    return \&_of_code   if $type eq 'CODE';
    return !$is_object && $type =~ /\A(?:SCALAR|LVALUE|VSTRING)\z/ ? sub { _of_string(${ $_[0] }) } : undef;
}

sub _of_string {
    my $octets = $_[0];

    _usage('message is undefined')  if !defined $octets;
    _usage('message: ' . _wide())   if utf8::is_utf8($octets) && !utf8::downgrade($octets, 1);
    return {
        octets     => $octets,
        size       => Net::SMTP::AuthC::_measure($octets),
        eight_bit  => $octets =~ /[\x80-\xff]/ ? 1 : 0,
        message_id => _message_id($octets),
    };
}

sub _wide { return q{a character above 255; encode it first, e.g. Encode::encode('UTF-8', ...)} }

# In the header, which ends at the first empty line.
sub _message_id {
    my ($head) = split /\r?\n\r?\n/, substr($_[0], 0, $HEADER_MOST), 2;

    return ($head // '') =~ /^Message-ID:\s*(<[^<>\s]+>)/im ? $1 : undef;
}

sub _of_object {
    my ($message) = @_;

    my $source = _of_string($message->as_string);
    $source->{message_id} = $message->message_id if !defined $source->{message_id} && $message->can('message_id');
    $source->{smtputf8} = 1 if $message->can('needs_smtputf8') && $message->needs_smtputf8;
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
    return _of_code($tied && !$tied->can('READ') ? _line_reader($handle) : _block_reader($handle));
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
        return $piece if eval { $piece = _checked(scalar $code->(), \$empty); 1 };
        $failure = $@;
        die $failure;
    };
    return {octets => $next, failure => \$failure};
}

sub _checked {
    my ($piece, $empty) = @_;

    return if !defined $piece;
    die _wide() . "\n" if utf8::is_utf8($piece) && !utf8::downgrade($piece, 1);
    $$empty = length $piece ? 0 : 1 + ($$empty // 0);
    die "$$empty empty pieces in a row, and at its end it must return undef\n" if $$empty > $EMPTY_MOST;
    return $piece;
}

1;
