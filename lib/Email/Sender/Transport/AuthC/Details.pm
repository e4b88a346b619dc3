# Details: what a failure of this transport tells besides message, code and recipients.
package Email::Sender::Transport::AuthC::Details;

use Moo::Role;

# A Net::SMTP::AuthC::Error; a failure that is made of others has none.
has error => (is => 'ro');

for my $field (qw(kind step enhanced hint transcript receipt)) {
    no strict 'refs';
    *$field = sub { my $error = $_[0]->error; return $error ? $error->$field : undef };
}

sub may_have_been_sent {
    my ($self) = @_;

    return 1 if $self->error && $self->error->may_have_been_sent;
    return $self->can('failures') && grep({ $_->can('may_have_been_sent') && $_->may_have_been_sent }
        $self->failures) ? 1 : 0;
}

# Receipt: what a success tells besides the server's last words.
package Email::Sender::Transport::AuthC::Details::Receipt;

use Moo::Role;

has receipt => (is => 'ro');

1;
