# Receipt: what became of a message, recipient by recipient.
package Net::SMTP::AuthC::Receipt;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my @FIELDS   = qw(recipients code enhanced text message_id timings bytes tls mechanism transcript);
my %is_field = map { $_ => 1 } @FIELDS;

for my $field (grep { $_ ne 'recipients' } @FIELDS) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

sub new {
    my ($class, %given) = @_;

    for my $name (sort keys %given) {
        Net::SMTP::AuthC::Error->usage(qq{unknown field "$name" of a receipt}) if !$is_field{$name};
    }
    my $self = bless {%given}, $class;
    $self->{recipients} = [map { Net::SMTP::AuthC::Receipt::Recipient->new(%$_) } @{ $given{recipients} || [] }];
    $self->{timings}    = { %{ $given{timings} || {} } };
    $self->{tls}        = { %{ $given{tls} } } if $given{tls};
    return $self;
}

sub recipients { return @{ $_[0]{recipients} } }

sub _with {
    my ($self, $outcome) = @_;

    return grep { $_->outcome eq $outcome } $self->recipients;
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

    my ($recipient) = grep { $_->address eq $address } $self->recipients;
    return $recipient ? $recipient->outcome : undef;
}

# Recipient: one address and its one outcome.
package Net::SMTP::AuthC::Receipt::Recipient;

my @RECIPIENT_FIELDS   = qw(address outcome code enhanced text step);
my %is_recipient_field = map { $_ => 1 } @RECIPIENT_FIELDS;
my %is_outcome         = map { $_ => 1 } qw(sent refused deferred not-sent unknown);

for my $field (@RECIPIENT_FIELDS) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

sub new {
    my ($class, %given) = @_;

    for my $name (sort keys %given) {
        Net::SMTP::AuthC::Error->usage(qq{unknown field "$name" of a recipient}) if !$is_recipient_field{$name};
    }
    Net::SMTP::AuthC::Error->usage('a recipient without address') if !defined $given{address};
    my $outcome = $given{outcome} // '';
    Net::SMTP::AuthC::Error->usage(qq{unknown outcome "$outcome" of a recipient}) if !$is_outcome{$outcome};
    return bless {%given}, $class;
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
