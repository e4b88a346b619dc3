# Parameters: what stands behind the addresses of MAIL and RCPT: by themselves where the message asks for them, by the
# caller's word otherwise, and never one that the server has not offered.
package Net::SMTP::AuthC::Parameters;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# The message cannot go through this server.
sub _refuse {
    my ($step, $text, %more) = @_;

    return Net::SMTP::AuthC::Error->throw(kind => 'refused', step => $step, temporary => 0,
        text => "$text; nothing was sent", %more);
}

# Characters become the octets of their UTF-8.
sub _xtext {
    my ($text) = @_;

    utf8::encode($text);
    return Net::SMTP::AuthC::Options->xtext($text);
}

# given: from, size, body, smtputf8, dsn, auth; to: the recipients as hashes of address and words.
sub of_mail {
    my ($class, %about) = @_;

    my ($offered, $source, $given, $to) = @about{qw(offered source given to)};
    return join ' ',
        _size($given->{size} // $source->{size}, $offered),
        _body($source, $given->{body}, $offered),
        _smtputf8($source, $given, $to, $offered),
        _dsn($given->{dsn}, $to, $offered),
        _auth($given->{auth}, $offered);
}

sub of_recipient {
    my ($class, $option) = @_;

    my @words;
    for my $name (sort keys %$option) {
        my $value = $option->{$name};
        if    ($name eq 'notify') { push @words, 'NOTIFY=' . _notify($value) }
        elsif ($name eq 'orcpt')  { push @words, 'ORCPT=' . _original($value) }
        else                      { _usage(qq{unknown option "$name" of a recipient}, 'known are notify and orcpt') }
    }
    return join ' ', @words;
}

sub _notify {
    my ($value) = @_;

    my $words = uc join ',', ref $value eq 'ARRAY' ? @$value : $value // '';
    _usage('notify: never, or some of success, failure and delay')
        if $words !~ /\A(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)\z/;
    return $words;
}

sub _original {
    my ($value) = @_;

    _usage('orcpt: an address') if !length($value // '') || ref $value;
    my ($type, $address) = $value =~ /\A([A-Za-z0-9-]+);(.+)\z/s ? ($1, $2) : ('rfc822', $value);
    return "$type;" . _xtext($address);
}

sub _size {
    my ($size, $offered) = @_;

    _usage('size: a whole number of octets') if defined $size && $size !~ /\A[0-9]{1,18}\z/;
    return if !defined $size || !exists $offered->{SIZE};
    my ($limit) = $offered->{SIZE} =~ /\A([0-9]{1,18})\z/;
    return "SIZE=$size" if !$limit || $size <= $limit;
    return _refuse('MAIL', "the message has $size octets, the server takes $limit at most", code => 552,
        enhanced => '5.3.4');
}

sub _body {
    my ($source, $asked, $offered) = @_;

    my $body = lc($asked // (!defined $source->{eight_bit} ? 'unknown' : $source->{eight_bit} ? '8bit' : '7bit'));
    _usage('body: 7bit or 8bit') if $body !~ /\A[78]bit\z/ && defined $asked;
    return if $body eq '7bit';
    return 'BODY=8BITMIME' if exists $offered->{'8BITMIME'};
    return if $body eq 'unknown';
    return _refuse('MAIL', 'the message has 8-bit octets, and the server does not offer 8BITMIME',
        hint => q{encode it as quoted-printable or base64, or pass body => '7bit' to send it all the same});
}

sub _smtputf8 {
    my ($source, $given, $to, $offered) = @_;

    my $in_address = grep { /[^\x00-\x7f]/ } $given->{from}, map { $_->{address} } @$to;
    return if !($given->{smtputf8} // ($in_address || $source->{smtputf8}));
    return 'SMTPUTF8' if exists $offered->{SMTPUTF8};
    return _refuse('MAIL', ($in_address ? 'an address has characters outside ASCII' : 'SMTPUTF8 was asked for')
        . ', and the server does not offer SMTPUTF8',
        hint => 'write the domain as xn--...; a name before the @ cannot be sent through this server');
}

sub _dsn {
    my ($dsn, $to, $offered) = @_;

    _usage('dsn: a hash with ret and envid') if defined $dsn && ref $dsn ne 'HASH';
    my %dsn = %{ $dsn || {} };
    my ($ret, $envid) = delete @dsn{qw(ret envid)};
    _usage(qq{unknown option "$_" of dsn}, 'known are ret and envid') for sort keys %dsn;
    _usage('dsn ret: full or hdrs') if defined $ret && $ret !~ /\A(?:full|hdrs)\z/i;
    _usage('dsn envid: 1 to 100 printable characters') if defined $envid && $envid !~ /\A[\x20-\x7e]{1,100}\z/;
    return if !defined $ret && !defined $envid && !grep { length $_->{words} } @$to;
    _refuse('MAIL', 'the server does not offer DSN', hint => 'leave dsn, notify and orcpt out')
        if !exists $offered->{DSN};
    return ((defined $ret ? 'RET=' . uc $ret : ()), (defined $envid ? 'ENVID=' . _xtext($envid) : ()));
}

sub _auth {
    my ($auth, $offered) = @_;

    return if !defined $auth;
    _refuse('MAIL', 'the server does not offer AUTH', hint => 'leave auth out') if !exists $offered->{AUTH};
    return 'AUTH=' . (length $auth ? _xtext($auth) : '<>');
}

1;
