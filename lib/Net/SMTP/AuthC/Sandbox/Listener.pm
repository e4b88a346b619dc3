# The process that accepts a sandbox's connections: a child of the program that made it, with one of its own for each.
package Net::SMTP::AuthC::Sandbox::Listener;
use strict;
use warnings;
use File::Path ();
use IO::Handle;
use Net::SMTP::AuthC::Sandbox::Journal;
use Net::SMTP::AuthC::Sandbox::Session;
use Net::SMTP::AuthC::Sandbox::Stream;
use POSIX ();
use Socket qw(AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOMAXCONN INADDR_LOOPBACK inet_pton pack_sockaddr_in
    pack_sockaddr_in6 pack_sockaddr_un unpack_sockaddr_in sockaddr_family SOL_SOCKET SO_REUSEADDR);

use constant { SLICE => 0.5, PATIENCE => 5, PAGE => 30 };

# Opens the sockets and forks; option, folder and make_tls as for a session, path for a unix socket besides.
sub start {
    my ($class, %self) = @_;
    die "it needs fork, which Windows does not have\n" if $^O eq 'MSWin32';
    my $self = bless { %self, owner => $$, kids => {}, count => 0 }, $class;
    ($self->{port}, my @sockets) = _sockets($self->{option}{listen_ipv6});
    push @sockets, _unix_socket($self->{path}) if defined $self->{path};
    push @sockets, $self->_open_inbox if $self->{option}{inbox};
    pipe my $lifeline, my $held or die "pipe: $!\n";
    my $quiet = POSIX::SigSet->new(POSIX::SIGTERM(), POSIX::SIGINT(), POSIX::SIGHUP(), POSIX::SIGCHLD());
    my $before = POSIX::SigSet->new;
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), $quiet, $before);
    my $pid = fork;
    $self->_child($lifeline, @sockets) if defined $pid && $pid == 0;
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), $before);
    die "fork: $!\n" unless defined $pid;
    @$self{qw(pid held)} = ($pid, $held);
    delete $self->{inbox};    # the child's alone, as the other sockets are
    return $self;
}

sub port { return $_[0]{port} }

# That of the web inbox; undef without one.
sub inbox_port { return $_[0]{inbox_port} }

# Ends the listener and its sessions; only in the process that started it.
sub stop {
    my ($self) = @_;
    return unless $self->{owner} == $$ && $self->{pid};
    local ($@, $!, $?);
    local @SIG{qw(CHLD PIPE)} = ('DEFAULT', 'IGNORE');
    my $pid = delete $self->{pid};
    syswrite $self->{held}, 'q' if $self->{held};
    unlink $self->{path} if defined $self->{path};
    for (1 .. PATIENCE * 100) {
        return if waitpid($pid, POSIX::WNOHANG()) != 0;
        select undef, undef, undef, 0.01;
    }
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub _sockets {
    my ($ipv6) = @_;
    for (1 .. 20) {
        my $four = _listening(AF_INET, pack_sockaddr_in(0, INADDR_LOOPBACK));
        die "cannot listen on 127.0.0.1: $!\n" unless $four;
        my $port = (unpack_sockaddr_in(getsockname $four))[0];
        return ($port, $four) unless $ipv6;
        my $six = _listening(AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, '::1')));
        return ($port, $four, $six) if $six;
        die "cannot listen on ::1: $!\n" unless $!{EADDRINUSE};
    }
    die "found no port that is free on 127.0.0.1 and ::1\n";
}

sub _unix_socket {
    my ($path) = @_;
    my $socket = eval { _listening(AF_UNIX, pack_sockaddr_un($path)) };
    return $socket || die 'cannot listen on ' . $path . ': ' . ($@ || "$!\n");
}

# Its modules are loaded here, where a failure can be told.
sub _open_inbox {
    my ($self) = @_;
    require Net::SMTP::AuthC::Sandbox::Inbox;
    my $port = $self->{option}{inbox} == 1 ? 0 : $self->{option}{inbox};
    $self->{inbox} = _listening(AF_INET, pack_sockaddr_in($port, INADDR_LOOPBACK))
        or die "cannot listen on 127.0.0.1:$port: $!\n";
    $self->{inbox_port} = (unpack_sockaddr_in(getsockname $self->{inbox}))[0];
    $self->{inbox_server} = Net::SMTP::AuthC::Sandbox::Inbox->new($self->{folder});
    return $self->{inbox};
}

sub _listening {
    my ($family, $address) = @_;
    socket my $socket, $family, SOCK_STREAM, 0 or return;
    setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1 unless $family == AF_UNIX;
    bind $socket, $address or return;
    listen $socket, SOMAXCONN or return;
    $socket->blocking(0);
    return $socket;
}

# From here on nothing returns to the program's own code: no END block, no DESTROY, no handler of it runs.
sub _child {
    my ($self, $lifeline, @sockets) = @_;
    @SIG{qw(INT HUP QUIT PIPE)} = ('IGNORE') x 4;
    @SIG{qw(TERM ALRM USR1 USR2)} = ('DEFAULT') x 4;
    delete @SIG{qw(__WARN__ __DIE__)};
    $SIG{CHLD} = sub { };
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new);
    @$self{qw(lifeline sockets)} = ($lifeline, \@sockets);
    eval {
        _let_go(map { fileno $_ } $lifeline, @sockets);
        $self->_serve;
        1;
    } or warn "the sandbox failed: $@";
    POSIX::_exit(0);
}

# Descriptors of the program that stayed open here would keep its pipes and connections from ending. They are
# replaced, not closed: Perl still counts its handles on them, and would not close a later one with the same number.
sub _let_go {
    my %ours = map { $_ => 1 } 2, @_;
    my @open = 0 .. 255;
    if (opendir my $folder, '/dev/fd') {
        @open = grep { /\A[0-9]+\z/ } readdir $folder;
        closedir $folder;
    }
    my $null = POSIX::open('/dev/null', POSIX::O_RDWR());
    POSIX::dup2($null, $_) for grep { !$ours{$_} && $_ != $null } @open;
    return;
}

sub _serve {
    my ($self) = @_;
    my $parent = $self->{owner};
    $0 = "SMTP sandbox of $parent";
    while (1) {
        delete $self->{kids}{$_} for _ended();
        my $bits = '';
        vec($bits, fileno $_, 1) = 1 for $self->{lifeline}, @{ $self->{sockets} };
        my $ready = select $bits, undef, undef, SLICE;
        return $self->_orphaned if getppid != $parent;
        next if $ready <= 0;
        return $self->_called if vec $bits, fileno $self->{lifeline}, 1;
        $self->_accept($_) for grep { vec $bits, fileno $_, 1 } @{ $self->{sockets} };
    }
}

sub _ended {
    my @ended;
    while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0) { push @ended, $pid }
    return @ended;
}

sub _accept {
    my ($self, $socket) = @_;
    my $address = accept my $client, $socket or return;
    my $is_page = $self->{inbox} && $self->{inbox} == $socket;
    my $number = $is_page ? 0 : ++$self->{count};
    my $pid = fork;
    return warn "fork: $!" unless defined $pid;
    if ($pid == 0) {
        eval { $is_page ? $self->_page($client) : $self->_session($client, $number, $address); 1 }
            or warn "the sandbox failed: $@";
        POSIX::_exit(0);
    }
    $self->{kids}{$pid} = 1;
    return;
}

# One request to the inbox, which has its time and no more.
sub _page {
    my ($self, $client) = @_;
    $self->{inbox_server}->answer($self->_stream($client, PAGE));
    return;
}

sub _stream {
    my ($self, $client, $timeout) = @_;
    close $_ for @{ delete $self->{sockets} };
    return Net::SMTP::AuthC::Sandbox::Stream->new(
        socket => $client, lifeline => $self->{lifeline}, timeout => $timeout);
}

sub _session {
    my ($self, $client, $number, $address) = @_;
    my $stream = $self->_stream($client, $self->{option}{timeout});
    my $journal = Net::SMTP::AuthC::Sandbox::Journal->new($self->{folder});
    my $session = Net::SMTP::AuthC::Sandbox::Session->new(stream => $stream, journal => $journal, number => $number,
        map { $_ => $self->{$_} } qw(option folder make_tls));
    my %peer = (AF_INET, '127.0.0.1', AF_INET6, '::1');
    $session->run($peer{ sockaddr_family($address) } || 'unix socket');
    return;
}

# A word through the lifeline means stop; its end means that nobody is left who could.
sub _called {
    my ($self) = @_;
    my $got = sysread $self->{lifeline}, my $word, 1;
    return $got ? $self->_end_sessions : $self->_orphaned;
}

sub _orphaned {
    my ($self) = @_;
    $self->_end_sessions;
    unlink $self->{path} if defined $self->{path};
    File::Path::remove_tree($self->{folder});
    return;
}

sub _end_sessions {
    my ($self) = @_;
    close $_ for @{ delete $self->{sockets} };
    kill KILL => keys %{ $self->{kids} };
    waitpid $_, 0 for keys %{ $self->{kids} };
    return;
}

1;
