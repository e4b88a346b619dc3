# Reader: senders and recipients of all kinds: names around the address, characters outside ASCII, wishes for DSN.
package Net::SMTP::AuthC::Envelope::Reader;

use 5.014;
use strict;
use warnings;

use overload ();
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Parameters;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# As Envelope has them.
sub sender {
    my ($class, $from) = @_;

    _usage('from is needed', q{'' is the null sender of bounces}) if !defined $from;
    my $address = $from =~ /\A(?:<>)?\z/ ? '' : _address($from, 'from');
    return {address => $address, octets => _octets($address)};
}

# Who wants DSN says [address, {notify => ..., orcpt => ...}].
sub recipients {
    my ($class, $to) = @_;

    my @to = ref $to eq 'ARRAY' ? @$to : defined $to ? $to : ();
    _usage('no recipient', 'give at least one address in to') if !@to;
    return map { _recipient($to[$_], ref $to eq 'ARRAY' ? "to[$_]" : 'to') } 0 .. $#to;
}

sub _recipient {
    my ($given, $argument) = @_;

    my ($one, $option, @more) = ref $given eq 'ARRAY' ? @$given : $given;
    _usage("$argument: an address, or [address, {notify => ..., orcpt => ...}]")
        if @more || defined $option && ref $option ne 'HASH';
    my $address = _address($one, $argument);
    _usage("$argument: an empty address") if !length $address;
    return {address => $address, octets => _octets($address),
        words => Net::SMTP::AuthC::Parameters->of_recipient($option || {})};
}

# A bare address, or one with a name or brackets around it.
sub _address {
    my ($given, $argument) = @_;

    _usage("$argument: an undefined address") if !defined $given;
    _usage("$argument: a " . ref($given) . ' is no address') if ref $given && !overload::Method($given, '""');
    return "$given" if $given =~ /\A[^\s<>,"():;\x00-\x1f\x7f]*\z/;
    require Net::SMTP::AuthC::Address;
    my $list = Net::SMTP::AuthC::Address->parse("$given", $argument);
    _usage("$argument: one address each, not " . @$list) if @$list != 1;
    return $list->[0]{address};
}

# UTF-8 on the wire, however Perl holds it.
sub _octets {
    my ($text) = @_;

    utf8::encode($text);
    return $text;
}

1;
