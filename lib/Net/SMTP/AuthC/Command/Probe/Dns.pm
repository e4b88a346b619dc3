# Dns: asks the system's name server for SRV and MX records; what it hears is a hint, and trusted with nothing.
package Net::SMTP::AuthC::Command::Probe::Dns;

use 5.014;
use strict;
use warnings;

use IO::Select ();
use Net::SMTP::AuthC::Command::Exit;
use Socket ();

my %type = (MX => 15, SRV => 33);

# server: "address" or "address:port" instead of those in resolv.conf; timeout: seconds for each question.
sub new {
    my ($class, %with) = @_;

    my @servers = defined $with{server} ? _place($with{server}) : _system_servers();
    return bless {servers => \@servers, timeout => $with{timeout} || 3}, $class;
}

sub _place {
    my ($text) = @_;

    return [$1 // $2, $3 // 53] if $text =~ /\A(?:\[([0-9a-fA-F:]+)\]|([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*))
        (?::([0-9]+))?\z/x;
    return Net::SMTP::AuthC::Command::Exit->fail(usage => '--dns: an IP address, or address:port');
}

sub _system_servers {
    open my $file, '<', '/etc/resolv.conf' or return [qw(127.0.0.1 53)];
    my @found = map { /\A\s*nameserver\s+([0-9a-fA-F:.]+)/ ? [$1, 53] : () } <$file>;
    return @found ? @found : [qw(127.0.0.1 53)];
}

# Hashes of priority, weight, port and target, the best first. A target "." says that there is no such service.
sub srv {
    my ($self, $name) = @_;

    my @found = grep { length $_->{target} } map { _srv(@$_) } $self->_ask($name, 'SRV');
    return sort { $a->{priority} <=> $b->{priority} || $b->{weight} <=> $a->{weight} } @found;
}

sub _srv {
    my ($message, $at, $length) = @_;

    return if $length < 7;
    my %record;
    @record{qw(priority weight port)} = unpack 'n3', substr $message, $at, 6;
    ($record{target}) = _name($message, $at + 6);
    return defined $record{target} ? \%record : ();
}

# Names of hosts, the best first.
sub mx {
    my ($self, $name) = @_;

    my @found = map { [unpack('n', substr $_->[0], $_->[1], 2), _name($_->[0], $_->[1] + 2)] } $self->_ask($name, 'MX');
    return map { $_->[1] } sort { $a->[0] <=> $b->[0] } grep { length($_->[1] // '') } @found;
}

# ---- a question and its answer (RFC 1035, section 4) ----

sub _ask {
    my ($self, $name, $kind) = @_;

    my @labels = split /\./, $name;
    return if !@labels || grep { $_ eq '' || length > 63 || /[^\x21-\x7e]/ } @labels;
    my $question = join('', map { pack 'C/a', $_ } @labels) . pack('C n n', 0, $type{$kind}, 1);
    for my $server (@{ $self->{servers} }) {
        my $id     = pack 'n', int rand 65536;
        my $answer = $self->_talk($server, "$id\x01\x00\0\x01\0\0\0\0\0\0$question") // next;
        return _records($answer, $question, $type{$kind});
    }
    return;
}

# By UDP, and again by TCP when the answer did not fit.
sub _talk {
    my ($self, $server, $message) = @_;

    my $answer = $self->_by(Socket::SOCK_DGRAM(), $server, $message) // return;
    return $answer if !(ord(substr $answer, 2, 1) & 2);
    return $self->_by(Socket::SOCK_STREAM(), $server, $message);
}

sub _by {
    my ($self, $kind, $server, $message) = @_;

    my ($error, $place) = Socket::getaddrinfo(@$server, {flags => Socket::AI_NUMERICHOST(), socktype => $kind});
    return if $error || !$place;
    socket my $socket, $place->{family}, $kind, 0 or return;
    my $timeout = pack 'l!l!', $self->{timeout}, 0;
    setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_SNDTIMEO(), $timeout;
    connect $socket, $place->{addr} or return;
    my $is_stream = $kind == Socket::SOCK_STREAM();
    syswrite $socket, $is_stream ? pack('n/a', $message) : $message or return;
    return $self->_heard($socket, $is_stream, substr $message, 0, 2);
}

# The answer to this question of ours; others are passed over.
sub _heard {
    my ($self, $socket, $is_stream, $id) = @_;

    my ($wait, $got, $end) = (IO::Select->new($socket), '', time + $self->{timeout});
    while (time <= $end && $wait->can_read($end - time || 0.5)) {
        sysread $socket, $got, 65537, $is_stream ? length $got : 0 or return;
        next if $is_stream && (length $got < 2 || length $got < 2 + unpack 'n', $got);
        my $answer = $is_stream ? substr $got, 2 : $got;
        return $answer if length $answer >= 12 && substr($answer, 0, 2) eq $id && ord(substr $answer, 2, 1) & 0x80;
    }
    return;
}

# [message, offset, length] of each record of that type.
sub _records {
    my ($message, $question, $wanted) = @_;

    my ($flags, $questions, $answers) = unpack 'x2 n3', $message;
    my $at = 12 + length $question;
    return if $flags & 0x0f || $questions != 1 || lc substr($message, 12, length $question) ne lc $question;
    my @found;
    for (1 .. $answers) {
        (undef, $at) = _name($message, $at);
        return @found if !defined $at || $at + 10 > length $message;
        my ($type, undef, undef, $length) = unpack 'n n N n', substr $message, $at, 10;
        $at += 10;
        return @found if $at + $length > length $message;
        push @found, [$message, $at, $length] if $type == $wanted;
        $at += $length;
    }
    return @found;
}

# A name and where it ends. Pointers go back only, so that none goes round.
sub _name {
    my ($message, $at) = @_;

    my ($end, @labels);
    for (1 .. 128) {
        my $length = $at < length $message ? ord substr $message, $at, 1 : return;
        if ($length >= 0xC0) {
            my $to = unpack('n', substr($message, $at, 2) . "\0") & 0x3FFF;
            $end //= $at + 2;
            return if $to >= $at;
            $at = $to;
            next;
        }
        return if $length > 63;
        $at += 1 + $length;
        return (join('.', @labels), $end // $at) if !$length;
        push @labels, substr $message, $at - $length, $length;
    }
    return;
}

1;
