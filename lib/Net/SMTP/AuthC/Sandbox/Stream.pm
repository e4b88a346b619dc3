# One connection as the sandbox's session sees it: lines and octets in and out, plain or inside TLS, never for ever.
package Net::SMTP::AuthC::Sandbox::Stream;
use strict;
use warnings;
use Errno qw(EAGAIN EWOULDBLOCK EINTR ECONNRESET);
use IO::Handle;
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use constant { BLOCK => 65536, SLICE => 1, LINGER => 0.5 };

# Every method that has to wait dies with {ended => why} when the connection, its time, or the sandbox is at its end.
sub new {
    my ($class, %self) = @_;
    my $self = bless { timeout => 300, parent => getppid, %self, buffer => '' }, $class;
    $self->{socket}->blocking(0);
    setsockopt $self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
    return $self;
}

# One line without its line end; in list context also the line end found. Undef for a line beyond the limit.
sub getline {
    my ($self, $limit) = @_;
    my $deadline = time + $self->{timeout};
    my $too_long;
    until ($self->{buffer} =~ /\n/) {
        $self->{buffer} = '', $too_long = 1 if length $self->{buffer} > $limit;
        $self->fill($deadline);
    }
    $self->{buffer} =~ s/\A([^\n]*?)(\r?\n)//;
    my ($line, $end) = ($1, $2);
    return $too_long || length($line) + 2 > $limit ? undef : wantarray ? ($line, $end) : $line;
}

# At most $count octets, at least one.
sub read {
    my ($self, $count) = @_;
    $self->fill(time + $self->{timeout}) unless length $self->{buffer};
    return substr $self->{buffer}, 0, $count, '';
}

sub unread {
    my ($self, $octets) = @_;
    $self->{buffer} = $octets . $self->{buffer};
    return;
}

# Whether the other side has sent something that nobody asked for yet.
sub pending {
    my ($self) = @_;
    return 1 if length $self->{buffer};
    my $octets = $self->_receive;
    return 0 unless defined $octets && length $octets;
    $self->{buffer} .= $octets;
    return 1;
}

# Everything that came already.
sub drop_input {
    my ($self) = @_;
    $self->pending;
    return substr $self->{buffer}, 0, length $self->{buffer}, '';
}

sub fill {
    my ($self, $deadline) = @_;
    while (1) {
        my $octets = $self->_receive;
        if (defined $octets) {
            die { ended => 'closed by the client' } if $octets eq '';
            $self->{buffer} .= $octets;
            return;
        }
        $self->_wait($self->{tls} ? $self->{tls}->wants : 'read', $deadline);
    }
}

sub print {
    my ($self, $octets) = @_;
    my $deadline = time + $self->{timeout};
    while (length $octets) {
        my $sent = $self->_send($octets);
        substr $octets, 0, $sent, '' if $sent;
        $self->_wait($self->{tls} ? $self->{tls}->wants : 'write', $deadline) unless defined $sent;
    }
    return;
}

# Seconds in which nothing is read or written.
sub pause {
    my ($self, $seconds) = @_;
    my $end = time + $seconds;
    while ((my $left = $end - time) > 0) {
        $self->_select('', '', $left);
    }
    return;
}

# Reads and forgets whatever comes until the other side goes away.
sub swallow {
    my ($self) = @_;
    while (1) {
        $self->{buffer} = '';
        $self->fill(time + $self->{timeout});
    }
}

# $tls: a Net::SMTP::AuthC::Sandbox::TLS over this socket.
sub start_tls {
    my ($self, $tls) = @_;
    my $deadline = time + $self->{timeout};
    until (eval { $tls->handshake }) {
        die { ended => 'TLS handshake failed: ' . _reason("$@") } if $@;
        $self->_wait($tls->wants, $deadline);
    }
    $self->{tls} = $tls;
    return;
}

# The octets of a channel binding (RFC 5929, RFC 9266); undef where there is none.
sub binding {
    my ($self, $name) = @_;
    my $tls = $self->{tls};
    return $tls && $tls->can('binding') ? scalar $tls->binding($name) : undef;
}

sub fileno { return CORE::fileno($_[0]{socket}) }

# A close with unread input behind it would turn into a reset, and that could overtake the last reply.
sub close {
    my ($self) = @_;
    return unless $self->{socket};
    eval { $self->{tls}->close } if $self->{tls};
    delete $self->{tls};
    shutdown $self->{socket}, 1;
    my $deadline = time + LINGER;
    eval { $self->{buffer} = '', $self->fill($deadline) while 1 };
    CORE::close(delete $self->{socket});
    return;
}

# An end that the other side sees as "Connection reset by peer".
sub reset {
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    CORE::close(delete $self->{socket});
    delete $self->{tls};
    return;
}

# Octets, '' at the end, undef when it must wait.
sub _receive {
    my ($self) = @_;
    return $self->_guard(sub { $self->{tls}->receive(BLOCK) }) if $self->{tls};
    my $count = sysread $self->{socket}, my $octets, BLOCK;
    return defined $count ? $octets : $self->_failed;
}

sub _send {
    my ($self, $octets) = @_;
    return $self->_guard(sub { $self->{tls}->send($octets) }) if $self->{tls};
    my $count = syswrite $self->{socket}, $octets;
    return defined $count ? $count : $self->_failed;
}

sub _guard {
    my ($self, $code) = @_;
    my $result;
    return $result if eval { $result = $code->(); 1 };
    die { ended => 'TLS failed: ' . _reason("$@") };
}

sub _reason {
    my ($text) = @_;
    $text =~ s/\ATLS handshake: | at \S+ line \d+\.?\n?\z//g;
    return $text;
}

sub _failed {
    return if $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR;
    die { ended => $! == ECONNRESET ? 'reset by the client' : "closed by the client ($!)" };
}

sub _wait {
    my ($self, $direction, $deadline) = @_;
    my $bit = '';
    vec($bit, $self->fileno, 1) = 1;
    while (1) {
        my $left = $deadline - time;
        die { ended => 'timeout' } if $left <= 0;
        return if $self->_select($direction eq 'read' ? ($bit, '') : ('', $bit), $left);
    }
}

# One slice of waiting; the lifeline becomes readable when the program that made the sandbox ends.
sub _select {
    my ($self, $read, $write, $left) = @_;
    my $lifeline = CORE::fileno($self->{lifeline});
    vec($read, $lifeline, 1) = 1;
    my $ready = select $read, $write, undef, $left < SLICE ? $left : SLICE;
    return 0 if $ready <= 0 && getppid == $self->{parent};
    die { ended => 'sandbox stopped' } if getppid != $self->{parent} || vec($read, $lifeline, 1);
    return 1;
}

1;
