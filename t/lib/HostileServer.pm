# A server for tests that does exactly what its script says to one client, in a process of its own.
package HostileServer;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF IPPROTO_TCP TCP_NODELAY);

our @EXPORT_OK = qw(hear content drip endless silent deaf sip cut reset_now tls pause certificate);

use constant LIFE => 30;    # seconds, whatever happens

# The words of a script besides texts, which are said as they are.
sub hear      { return ['hear', $_[0] || 1] }       # so many lines
sub content   { return ['content'] }                # up to the final dot
sub drip      { return ['drip', @_] }               # a text octet by octet, seconds between them
sub endless   { return ['endless', @_] }            # a text again and again
sub silent    { return ['silent'] }                 # takes all, says nothing
sub deaf      { return ['deaf'] }                   # takes nothing, says nothing
sub sip       { return ['sip', @_] }                # takes an octet at a time, seconds between them
sub cut       { return ['cut'] }                    # FIN
sub reset_now { return ['reset'] }                  # RST
sub tls       { return ['tls'] }
sub pause     { return ['pause', @_] }

my @certificate;

# Made once, by the process that starts the servers.
sub certificate {
    require Net::SMTP::AuthC;
    return @certificate if @certificate;
    @certificate = Net::SMTP::AuthC::Sandbox::TLS::make_certificate(common_name => 'localhost', is_ca => 0,
        names => 'IP:127.0.0.1', valid_seconds => 86400, issuer => undef);
    return @certificate;
}

# Listens, and plays the script to the first client. What it hears goes to the file $heard.
sub start {
    my ($class, $heard, @script) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1, Proto => 'tcp') or die "listen: $!";
    my $small = grep { ref && $_->[0] =~ /\A(?:deaf|sip)\z/ } @script;
    setsockopt $listener, SOL_SOCKET, SO_RCVBUF, 4096 if $small;
    certificate() if grep { ref && $_->[0] eq 'tls' } @script;
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return bless { port => $listener->sockport, pid => $pid, owner => $$ }, $class if $pid;
    eval { $class->_play($listener, $heard, @script) };
    POSIX::_exit(0);
}

sub port { return $_[0]{port} }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($@, $!, $?);
    $self->stop if $self->{pid} && $self->{owner} == $$;
    return;
}

sub _play {
    my ($class, $listener, $heard, @script) = @_;
    alarm LIFE;
    $SIG{PIPE} = 'IGNORE';
    open my $log, '>:raw', $heard or die "$heard: $!";
    $log->autoflush(1);
    my $socket = $listener->accept or return;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    my $self = bless { socket => $socket, log => $log, buffer => '' }, $class;
    for my $word (@script, silent()) {
        ref $word or $self->_say($word), next;
        my ($name, @more) = @$word;
        my $method = "_$name";
        $self->$method(@more);
    }
    return;
}

sub _say {
    my ($self, $octets) = @_;
    while (length $octets) {
        my $n = $self->{tls} ? $self->{tls}->send($octets) : syswrite $self->{socket}, $octets;
        if (defined $n) { substr $octets, 0, $n, '' }
        elsif ($self->{tls}) { select undef, undef, undef, 0.01 }
        else { die "gone\n" }
    }
    return;
}

# More of what the client says; dies when it has gone.
sub _more {
    my ($self) = @_;
    my $octets;
    if ($self->{tls}) {
        until (defined($octets = $self->{tls}->receive(65536))) { select undef, undef, undef, 0.01 }
    }
    else { sysread $self->{socket}, $octets, 65536 }
    die "gone\n" unless defined $octets && length $octets;
    print { $self->{log} } $octets;
    $self->{buffer} .= $octets;
    return;
}

sub _hear {
    my ($self, $lines) = @_;
    for (1 .. $lines) {
        $self->_more until $self->{buffer} =~ s/\A[^\n]*\n//;
    }
    return;
}

sub _content {
    my ($self) = @_;
    $self->{buffer} = "\r\n$self->{buffer}";
    $self->_more until $self->{buffer} =~ s/\A.*?\r\n\.\r\n//s;
    return;
}

sub _drip {
    my ($self, $octets, $seconds) = @_;
    for my $octet (split //, $octets) {
        $self->_say($octet);
        _pause($self, $seconds);
    }
    return;
}

sub _pause { select undef, undef, undef, $_[1]; return }
sub _endless { my ($self, $octets) = @_; while (1) { $self->_say($octets) } }
sub _silent { my ($self) = @_; while (1) { $self->{buffer} = ''; $self->_more } }
sub _deaf { sleep LIFE; return }

sub _sip {
    my ($self, $seconds) = @_;
    while (sysread $self->{socket}, my $octet, 1) { _pause($self, $seconds) }
    return;
}

sub _cut {
    my ($self) = @_;
    shutdown $self->{socket}, 1;
    $self->_silent;
    return;
}

sub _reset {
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $self->{socket};
    POSIX::_exit(0);
}

sub _tls {
    my ($self) = @_;
    $self->{socket}->blocking(0);
    my $tls = Net::SMTP::AuthC::Sandbox::TLS->new(fileno $self->{socket}, certificate(), undef);
    until ($tls->handshake) { select undef, undef, undef, 0.005 }
    $self->{tls} = $tls;
    return;
}

1;
