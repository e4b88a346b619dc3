# AuthC: Email::Sender::Transport::AuthC by the name that stands beside Email::Sender's own SMTP transports.
package Email::Sender::Transport::SMTP::AuthC;

use Moo;
extends 'Email::Sender::Transport::AuthC';
no Moo;

1;

__END__

=head1 NAME

Email::Sender::Transport::SMTP::AuthC - another name of Email::Sender::Transport::AuthC

=head1 SYNOPSIS

    EMAIL_SENDER_TRANSPORT=Email::Sender::Transport::SMTP::AuthC

=head1 SEE ALSO

L<Email::Sender::Transport::AuthC>

=cut
