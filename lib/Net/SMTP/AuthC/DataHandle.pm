# DataHandle: the handle of datafh: what is printed to it goes into the message, closing it ends the message.
package Net::SMTP::AuthC::DataHandle;

use 5.014;
use strict;
use warnings;

our @CARP_NOT = ('Net::SMTP::AuthC');    # complaints name the line that prints

sub open {
    my ($class, $smtp) = @_;

    my $handle = \do { no warnings 'once'; local *MESSAGE };
    tie *$handle, $class, $smtp;
    return $handle;
}

sub TIEHANDLE { return bless {smtp => $_[1]}, $_[0] }

# It serves one message: once closed, nothing goes through it, not even into the next message.
sub _send {
    my ($self, $text) = @_;

    return $self->{smtp} ? $self->{smtp}->datasend($text) : 0;
}

sub PRINT {
    my ($self, @text) = @_;

    return $self->_send(join($, // '', map { $_ // '' } @text) . ($\ // ''));
}

sub PRINTF {
    my ($self, $format, @values) = @_;

    return $self->_send(sprintf $format, @values);
}

sub WRITE {
    my ($self, $text, $length, $offset) = @_;

    my $piece = substr($text, $offset // 0, $length // length $text) // '';
    return $self->_send($piece) ? length $piece : undef;
}

sub CLOSE {
    my ($self) = @_;

    my $smtp = delete $self->{smtp} or return !1;
    return $smtp->dataend;
}

sub FILENO { return $_[0]{smtp} ? fileno $_[0]{smtp} : undef }

sub BINMODE { return 1 }

1;
