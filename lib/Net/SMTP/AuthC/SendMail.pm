# SendMail: send_mail: the message, the connection, the sending and the farewell in one call.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Message;
use Net::SMTP::AuthC::Submission;

my %is_message_option = map { $_ => 1 } qw(from sender to cc bcc reply_to subject text html attach inline headers date
    message_id in_reply_to references tls_required);
my %is_shop_option    = map { $_ => 1 } qw(once ledger allow_at_load);

my $SURE_TO_FIT = 100;    # recipients that every server takes at once (RFC 5321, section 4.5.3.1.8)

sub send_mail {
    my ($class, @given) = @_;

    my $given = _given('send_mail', \&_is_send_option, @given);
    do { require Net::SMTP::AuthC::Loading; Net::SMTP::AuthC::Loading->check($given) } if defined $ENV{GATEWAY_INTERFACE};
    delete $given->{allow_at_load};
    my %message = map { $_ => delete $given->{$_} } grep { $is_message_option{$_} } keys %$given;
    my $message = Net::SMTP::AuthC::Message->new(%message);
    return $class->_send_now($message, $given) if !exists $given->{once} && !exists $given->{ledger};
    require Net::SMTP::AuthC::Ledger;
    return Net::SMTP::AuthC::Ledger->once($given, $message, sub { $class->_send_now($_[0], $given) });
}

sub _is_send_option {
    my ($name) = @_;

    return $name eq 'server' || $name eq 'early' || $is_message_option{$name} || $is_shop_option{$name} || _is_connect_option($name)
        || _is_submit_option($name);
}

# QUIT goes with the end of the message.
sub _send_now {
    my ($class, $message, $given) = @_;

    my %submit   = map { $_ => delete $given->{$_} } grep { !_is_connect_option($_) && _is_submit_option($_) } keys %$given;
    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    my $end      = $deadline && _now() + $deadline;
    my $server   = delete $given->{server};
    delete $given->{early} if ref $server;    # a list goes on where a login is put off
    my $self     = $given->{early} ? $class->_connect_with($server, $given) : $class->connect($server, %$given);
    @submit{qw(from to deadline)} = ($message->envelope_from, [$message->envelope_to], $end && _later($end));
    my $send     = sub { $self->_submit_one($message, \%submit, @{ $submit{to} } <= $SURE_TO_FIT) };
    my $receipt  = $given->{early} ? Net::SMTP::AuthC::Early->finish($self, $send) : $send->();
    $self->_say_farewell if $self->_state ne 'closed';
    return $receipt;
}

1;
