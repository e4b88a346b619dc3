# Receipt: what became of a message, recipient by recipient.
package Net::SMTP::AuthC::Receipt;

use 5.014;
use strict;
use warnings;

# And these: addresses, a list; answers, a list of as many [outcome, code, enhanced, text, step], or undef where nobody
# was named to the server. Recipients with the same answer may share it.
my @FIELDS = qw(code enhanced text message_id bytes mechanism transcript error repeated);

for my $field (@FIELDS) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

my $NOT_SENT = ['not-sent'];

# Of fields as above, in a hash that becomes the receipt. Receipts of one connection may share timings and tls;
# transaction: the seconds that stand in timings under that name.
sub _of_core {
    my ($class, $self) = @_;

    $self->{answers} //= [($NOT_SENT) x @{ $self->{addresses} }];
    return bless $self, $class;
}

sub new {
    my ($class, %given) = @_;

    require Net::SMTP::AuthC::Receipt::Recipient;
    my @recipients = map { Net::SMTP::AuthC::Receipt::Recipient->new(%$_) } @{ delete $given{recipients} || [] };
    for my $field (qw(timings tls)) {
        $given{$field} = { %{ $given{$field} } } if $given{$field};
    }
    my %is_field = map { $_ => 1 } @FIELDS, qw(timings tls);
    for my $name (sort keys %given) {
        Net::SMTP::AuthC::Error->usage(qq{unknown field "$name" of a receipt}) if !$is_field{$name};
    }
    return $class->_of_core({
        %given,
        addresses => [map { $_->address } @recipients],
        answers   => [map { [@$_{qw(outcome code enhanced text step)}] } @recipients],
    });
}

sub tls { return $_[0]{tls} && { %{ $_[0]{tls} } } }

sub timings {
    my ($self) = @_;

    return {%{ $self->{timings} || {} }, defined $self->{transaction} ? (transaction => $self->{transaction}) : ()};
}

# ---- recipients: made when they are asked for ----

sub recipients {
    my ($self) = @_;

    return wantarray ? $self->_recipients(0 .. $#{ $self->{addresses} }) : scalar @{ $self->{addresses} };
}

sub _recipients {
    my ($self, @which) = @_;

    require Net::SMTP::AuthC::Receipt::Recipient;
    my ($addresses, $answers) = @$self{qw(addresses answers)};
    return map { Net::SMTP::AuthC::Receipt::Recipient->of($addresses->[$_], @{ $answers->[$_] }) } @which;
}

sub _with {
    my ($self, $outcome) = @_;

    my $answers = $self->{answers};
    my @which = grep { $answers->[$_][0] eq $outcome } 0 .. $#$answers;
    return wantarray ? $self->_recipients(@which) : scalar @which;
}

sub sent     { return $_[0]->_with('sent') }
sub refused  { return $_[0]->_with('refused') }
sub deferred { return $_[0]->_with('deferred') }
sub unknown  { return $_[0]->_with('unknown') }
sub not_sent { return $_[0]->_with('not-sent') }

sub all_sent {
    my ($self) = @_;

    return $self->recipients > 0 && $self->sent == $self->recipients ? 1 : 0;
}

sub outcome {
    my ($self, $address) = @_;

    my ($which) = grep { $self->{addresses}[$_] eq $address } 0 .. $#{ $self->{addresses} };
    return defined $which ? $self->{answers}[$which][0] : undef;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Receipt - what became of a message, recipient by recipient

=head1 SYNOPSIS

    use Net::SMTP::AuthC::Receipt;

    my $receipt = Net::SMTP::AuthC::Receipt->new(
        recipients => [
            {address => 'a@example.net', outcome => 'sent', code => 250, enhanced => '2.0.0', text => 'Ok'},
            {address => 'b@example.net', outcome => 'refused', code => 550, enhanced => '5.1.1', text => 'Who?'},
        ],
        code => 250, enhanced => '2.0.0', text => 'Ok: queued as 4XYZ',
    );

    for my $refused ($receipt->refused) {
        print join(' ', $refused->address, $refused->code, $refused->enhanced, $refused->text), "\n";
    }
    print scalar($receipt->sent), " sent\n";
    print $receipt->outcome('b@example.net'), "\n";     # refused

=head1 DESCRIPTION

C<submit> and C<send_mail> of L<Net::SMTP::AuthC> return such an object; an error carries one where recipients were
named before it happened. Every recipient has exactly one outcome:

=over 4

=item sent

The server took the message for it: a reply 2yz after the end of the data.

=item refused

5yz: trying again does not help.

=item deferred

4yz: trying again later may help.

=item not-sent

The end of the message never left for the server, so it cannot have been delivered.

=item unknown

The end of the message left and no final reply came. It may have been delivered; sending again may deliver it twice.

=back

=head1 METHODS

=head2 new(%fields)

Makes a receipt of C<recipients> (an array ref of hashes) and of the fields below. An unknown field or outcome is an
error.

=head2 recipients

All recipients in the order they were given; in scalar context their number.

=head2 sent, refused, deferred, unknown, not_sent

    warn $_->address . ': ' . $_->text for $receipt->deferred;

The recipients with that outcome; in scalar context their number. C<not_sent> lists those with the outcome
C<not-sent>.

=head2 all_sent

1 if there is a recipient and every one was sent, else 0.

=head2 outcome($address)

The outcome of that recipient, written exactly as it was given; undef for an address that is none.

=head2 code, enhanced, text

The server's final reply: 250, C<2.0.0>, C<Ok: queued as 4XYZ>.

=head2 message_id

The Message-ID of the message, or undef if it is not known.

=head2 timings

A hash ref with the seconds it took: C<connect>, C<tls> (the handshake; with STARTTLS that command and the second
EHLO too), C<auth>, C<transaction>.

=head2 bytes

The octets of the message that were sent.

=head2 tls

A hash ref with what C<tls> of L<Net::SMTP::AuthC> has: C<version>, C<cipher>, C<group>, C<verified>, C<trust>,
C<name>, C<subject>, C<issuer>, C<not_after>, C<resumed> and C<stapled>; undef for a connection without TLS.

=head2 mechanism

The SASL mechanism of the login, or undef.

=head2 transcript

The L<Net::SMTP::AuthC::Transcript>, if one was asked for.

=head2 error

The L<Net::SMTP::AuthC::Error> that a message of C<submit_all> ended with, or undef.

=head2 repeated

True for the receipt of a mail that was sent before, by an earlier call of C<send_mail> with the same C<once>.

=head1 RECIPIENTS

Each is a C<Net::SMTP::AuthC::Receipt::Recipient> with the methods C<address>, C<outcome>, C<code>, C<enhanced>,
C<text> and C<step>: the reply that decided its outcome, and the command it was the reply to. They are undef where
there was none.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects of kind C<usage>: C<unknown field "..." of a receipt>, C<unknown field
"..." of a recipient>, C<unknown outcome "..." of a recipient>, C<a recipient without address>. The names are those
listed above.

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Error>

=cut
