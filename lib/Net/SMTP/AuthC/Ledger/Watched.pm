# Watched: a message that tells when its end is asked for: behind the last piece, before the end can leave.
package Net::SMTP::AuthC::Ledger::Watched;

use 5.014;
use strict;
use warnings;

for my $method (qw(message_id envelope_from envelope_to needs_smtputf8 size is_eight_bit as_string)) {
    no strict 'refs';
    *$method = sub { my $self = shift; return $self->{message}->$method(@_) };
}

# again: when the message is read from its beginning; ending: when there is no more of it.
sub new {
    my ($class, $message, %call) = @_;

    return bless {message => $message, %call}, $class;
}

# So that it is read piece by piece, whatever it is.
sub is_streamed { return 1 }

sub pieces {
    my ($self) = @_;

    my $next = $self->{message}->pieces;
    $self->{again}->();
    return sub {
        my $piece = $next->();
        $self->{ending}->() if !defined $piece;
        return $piece;
    };
}

1;
