# Reader: values of options as callers write them, checked and read.
package Net::SMTP::AuthC::Options::Reader;

use 5.014;
use strict;
use warnings;

sub _usage { require Net::SMTP::AuthC::Error; return Net::SMTP::AuthC::Error->usage(@_) }

# As Options has them; usual: of the limits that were not given.
sub limits {
    my ($class, $given, $usual) = @_;

    my %limit = map { $_ => defined $given->{$_} ? $class->seconds($_, $given->{$_}) : undef }
        qw(timeout end_timeout deadline);
    $limit{end_timeout} //= $limit{timeout} // $usual->{end_timeout};
    $limit{timeout} //= $usual->{timeout};
    _check_local(@$given{qw(local_address local_port)});
    $limit{family} = _family($given->{family}) if defined $given->{family};
    return \%limit;
}

# What is shorter than the clock can tell is not none.
sub seconds {
    my ($class, $name, $value) = @_;

    _usage("$name: a number of seconds, 0 for no limit")
        if $value !~ /\A(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e-?[0-9]+)?\z/i;
    return $value == 0 ? 0 : $value < 0.001 ? 0.001 : $value > 1e9 ? 1e9 : 0 + $value;
}

sub _check_local {
    my ($address, $port) = @_;

    _usage('local_address: an IP address of this machine')
        if defined $address && $address !~ /\A(?:[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?)\z/;
    return if !defined $port;
    _usage('local_port: a number from 0 to 65535') if $port !~ /\A[0-9]{1,5}\z/ || $port > 65535;
    _usage('local_port without local_address') if !defined $address;
    return;
}

# 4, 6, or what Socket calls AF_INET and AF_INET6.
sub _family {
    my ($family) = @_;

    require Socket;
    my %number = (0 => 0, 4 => Socket::AF_INET(), 6 => Socket::AF_INET6());
    return $number{$family} if defined $number{$family};
    return $family if grep { $_ eq $family } values %number;
    return _usage('family: 4 or 6');
}

sub bindings {
    my ($class, $given) = @_;

    my $names = join ' ', ref $given eq 'ARRAY' ? @$given : $given;
    my $known = qr/(?:tls-exporter|tls-unique|tls-server-end-point)/;
    _usage('channel_binding: tls-exporter, tls-unique, tls-server-end-point, or a list of '
        . q{them, or 'none'}) if $names !~ /\A(?:none|$known(?: $known)*)\z/;
    return $names;
}

sub host_and_port {
    my ($class, $host, $port) = @_;

    my $service = qr/[A-Za-z0-9_-]+(?:\([0-9]+\))?/;
    if ($host =~ /\A\[([^\]]+)\](?::($service))?\z/ || $host =~ /\A([^:]*):($service)\z/) {
        ($host, $port) = ($1, $2 // $port);
    }
    $port = $1 if defined $port && $port =~ /\(([0-9]+)\)\z/;
    return ($host, $port);
}

sub xtext { return $_[1] =~ s/([^!-*,-<>-~])/sprintf '+%02X', ord $1/ger }

1;
