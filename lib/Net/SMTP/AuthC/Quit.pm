# Quit: the end of a connection of either face; who only sends needs no more of the Net::SMTP face than this.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

my $FAREWELL_SECONDS = 5;    # it is worth no more

# True when QUIT was said and the connection did not break over it.
sub quit {
    my ($self) = @_;

    my $good = $self->_state eq 'closed' ? $self->_heard(!1)
        : ref $self ne __PACKAGE__ && $self->_speaks_by_words ? $self->_QUIT
        : $self->_has_quit($self->_quit);
    $self->close;
    return $good;
}

# As _heard, whose file is read where the Net::SMTP face is in use already, or where there is a failure to tell of.
sub _has_quit {
    my ($self, $good) = @_;

    return $self->_heard($good) if !$good || $INC{'Net/SMTP/AuthC/Status.pm'};
    my ($code, @lines) = $self->_reply;
    @{ *$self }{qw(net_cmd_code net_cmd_resp)} = ($code, [map { "$_\n" } @lines]);
    return !!$good;
}

# The message is out: nothing that happens now may look like a failure to send it.
sub _say_farewell {
    my ($self) = @_;

    $self->_set_deadline($FAREWELL_SECONDS);
    local $@;
    eval { $self->_quit };
    return;
}

1;
