# Options: what callers pass to new and connect, TLS apart, as the C core wants it.
package Net::SMTP::AuthC::Options;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

# "host", "host:port", "[v6]", "[v6]:port" and Net::SMTP's "host:name(port)", with a port for where none is given.
sub host_and_port {
    my ($class, $host, $port) = @_;

    my $service = qr/[A-Za-z0-9_-]+(?:\([0-9]+\))?/;
    if ($host =~ /\A\[([^\]]+)\](?::($service))?\z/ || $host =~ /\A([^:]*):($service)\z/) {
        ($host, $port) = ($1, $2 // $port);
    }
    $port = $1 if defined $port && $port =~ /\(([0-9]+)\)\z/;
    return ($class->ascii_host($host), $port);
}

# A host name as DNS and TLS have it. $argument is what an error calls it.
sub ascii_host {
    my ($class, $name, $argument) = @_;

    return $name if !defined $name || $name !~ /[^\x00-\x7f]/;
    require Net::SMTP::AuthC::HostName;
    return Net::SMTP::AuthC::HostName->to_ascii("$name", $argument);
}

# The octets of a user name or a password: UTF-8. What is UTF-8 already stays as it is: that is how a program has it that
# read it from a file without decoding.
sub utf8_of {
    my ($class, $text) = @_;

    return undef if !defined $text;
    my $octets = "$text";
    return $octets if utf8::downgrade($octets, 1) && utf8::decode(my $copy = $octets);
    utf8::encode($text = "$text");
    return $text;
}

# Names of channel bindings in the order to try, as the core wants them; undef for the usual ones.
sub bindings {
    my ($class, $given) = @_;

    return undef if !defined $given;
    my $names = join ' ', ref $given eq 'ARRAY' ? @$given : $given;
    my $known = qr/(?:tls-exporter|tls-unique|tls-server-end-point)/;
    Net::SMTP::AuthC::Error->usage('channel_binding: tls-exporter, tls-unique, tls-server-end-point, or a list of '
        . q{them, or 'none'}) if $names !~ /\A(?:none|$known(?: $known)*)\z/;
    return $names;
}

# Octets as xtext (RFC 3461, section 4).
sub xtext { return $_[1] =~ s/([^!-*,-<>-~])/sprintf '+%02X', ord $1/ger }

# ---- what connect has besides ----

# A time limit: seconds, 0 for none, undef where none was given. What is shorter than the clock can tell is not none.
sub seconds {
    my ($class, $name, $value) = @_;

    return if !defined $value;
    Net::SMTP::AuthC::Error->usage("$name: a number of seconds, 0 for no limit")
        if $value !~ /\A(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e-?[0-9]+)?\z/i;
    return $value == 0 ? 0 : $value < 0.001 ? 0.001 : $value > 1e9 ? 1e9 : 0 + $value;
}

# timeout, end_timeout, deadline and family. A limit that was given holds everywhere; without one the reply to the
# last dot may take ten minutes (RFC 5321, section 4.5.3.2.6).
sub limits {
    my ($class, $given) = @_;

    my %limit = map { $_ => scalar $class->seconds($_, $given->{$_}) } qw(timeout end_timeout deadline);
    $limit{end_timeout} //= $limit{timeout} // 600;
    $limit{timeout} //= 120;
    $class->_check_local(@$given{qw(local_address local_port)});
    $limit{family} = $class->_family($given->{family}) if defined $given->{family};
    return \%limit;
}

sub _check_local {
    my ($class, $address, $port) = @_;

    Net::SMTP::AuthC::Error->usage('local_address: an IP address of this machine')
        if defined $address && $address !~ /\A(?:[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?)\z/;
    return if !defined $port;
    Net::SMTP::AuthC::Error->usage('local_port: a number from 0 to 65535')
        if $port !~ /\A[0-9]{1,5}\z/ || $port > 65535;
    Net::SMTP::AuthC::Error->usage('local_port without local_address') if !defined $address;
    return;
}

# 4, 6, or what Socket calls AF_INET and AF_INET6.
sub _family {
    my ($class, $family) = @_;

    require Socket;
    my %number = (0 => 0, 4 => Socket::AF_INET(), 6 => Socket::AF_INET6());
    return $number{$family} if defined $number{$family};
    return $family if grep { $_ eq $family } values %number;
    return Net::SMTP::AuthC::Error->usage('family: 4 or 6');
}

1;
