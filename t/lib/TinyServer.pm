# A forked server for tests: one sub for every connection, its octets counted and kept; loopback, any port, a process each.
package TinyServer;
use strict;
use warnings;
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();

# The sub is called with the socket and a sub that reads one line; when it returns, the connection is closed. The listener
# may be another one, such as of a unix socket.
sub start {
    my ($class, $code, $listener) = @_;
    $listener ||= IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen: $!";
    my $port = $listener->can('sockport') && $listener->sockport;
    my $self = bless { port => $port, owner => $$, kept => File::Temp->new }, $class;
    defined($self->{pid} = fork) or die "fork: $!";
    if (!$self->{pid}) {
        setpgrp 0, 0;
        $SIG{$_} = 'DEFAULT' for qw(ALRM USR1 TERM);
        $SIG{$_} = 'IGNORE' for qw(PIPE CHLD);
        while (getppid == $self->{owner}) {
            $self->_serve($listener, $code) if IO::Select->new($listener)->can_read(1);
        }
        kill -9, $$;
    }
    setpgrp $self->{pid}, 0;    # whoever is first: all its processes are stopped together
    return $self;
}

sub port { return $_[0]{port} }

# What all clients said so far.
sub heard {
    my ($self) = @_;
    open my $file, '<:raw', $self->{kept}->filename or die $!;
    local $/;
    return scalar <$file>;
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid};
    return if !$pid || $self->{owner} != $$;
    local ($!, $?, $@);
    kill -9, $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY { $_[0]->stop }
sub CLONE_SKIP { return 1 }

sub _serve {
    my ($self, $listener, $code) = @_;
    my $socket = $listener->accept or return;
    return if fork;
    $socket->autoflush(1);
    my $buffer = '';
    my $read = sub {
        while ($buffer !~ /\n/) {
            sysread($socket, $buffer, 65536, length $buffer) or return;
        }
        $buffer =~ s/\A(.*\n)// or return;
        open my $file, '>>:raw', $self->{kept}->filename or POSIX::_exit(1);
        print {$file} $1;
        return $1;
    };
    eval { $code->($socket, $read); 1 } or warn $@;
    POSIX::_exit(0);
}

# A dialogue that says yes to everything; the replies in %other come instead, by verb, '.' for the end of the message.
sub agree {
    my ($class, %other) = @_;
    return sub {
        my ($socket, $read) = @_;
        print {$socket} $other{greeting} // "220 tiny.example.test ESMTP\r\n";
        while (defined(my $line = $read->())) {
            my $verb = uc(($line =~ /\A([A-Za-z]+)/)[0] // '');
            my $reply = $other{$verb} // ($verb eq 'DATA' ? "354 go on\r\n" : "250 2.0.0 Ok\r\n");
            print {$socket} ref $reply ? $reply->($line) : $reply;
            return if $verb eq 'QUIT';
            next if $verb ne 'DATA' || $reply !~ /\A354/;
            while (defined($line = $read->())) { last if $line eq ".\r\n" }
            return if !defined $line;
            print {$socket} $other{'.'} // "250 2.0.0 taken\r\n";
        }
    };
}

1;
