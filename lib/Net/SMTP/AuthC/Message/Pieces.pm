# Pieces: the octets of a message whose attachments are encoded while they are sent, as often as they are asked for.
package Net::SMTP::AuthC::Message::Pieces;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

# Strings and attachments in the order in which they are sent.
sub new {
    my ($class, @content) = @_;

    my @joined;
    for my $part (@content) {
        if (@joined && !ref $part && !ref $joined[-1]) { $joined[-1] .= $part }
        else                                           { push @joined, $part }
    }
    return bless {content => \@joined}, $class;
}

sub _attachments { return grep { ref } @{ $_[0]{content} } }

# All but the attachments.
sub text { return join '', grep { !ref } @{ $_[0]{content} } }

sub size {
    my ($self) = @_;

    my $size = 0;
    $size += ref $_ ? $_->size : length for @{ $self->{content} };
    return $size;
}

# What is known to be gone or changed is said before anything is begun.
sub pieces {
    my ($self) = @_;

    eval { $_->check for $self->_attachments; 1 } or _throw($@);
    my ($reader, @rest) = (undef, @{ $self->{content} });
    return sub {
        while (1) {
            my $piece = $reader ? $reader->() : undef;
            return $piece if defined $piece;
            $reader = undef;
            return if !@rest;
            my $next = shift @rest;
            return $next if !ref $next;
            $reader = $next->reader;
        }
    };
}

sub as_string {
    my ($self) = @_;

    my ($next, $octets) = ($self->pieces, '');
    eval {
        while (defined(my $piece = $next->())) { $octets .= $piece }
        1;
    } or _throw($@);
    return $octets;
}

sub _throw {
    my ($died) = @_;

    die $died if ref $died;
    return Net::SMTP::AuthC::Error->throw(kind => 'system', text => $died =~ s/\n\z//r);
}

1;
