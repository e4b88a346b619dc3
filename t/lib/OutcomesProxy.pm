# A proxy between client and server that counts octets, and cuts or holds one direction after a number of them.
package OutcomesProxy;
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SHUT_WR SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

use constant { LIFE => 120, DRAIN => 10, BLOCK => 65536 };

my $SLOW = $ENV{NET_SMTP_AUTHC_SLOW} || 1;

# One cut for each connection, in their order: {to => 'server' | 'client', record => $k, octets => $n, how => 'close',
# 'reset' or 'hold'}, or {} for none. A record is one of TLS; in clear there is one only, the whole. What passed goes
# to the file $report, a line a connection.
sub start {
    my ($class, $port, $is_tls, $report, @cuts) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5, Proto => 'tcp') or die "listen: $!";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return bless { port => $listener->sockport, pid => $pid }, $class if $pid;
    my $good = eval { _serve($listener, $port, $is_tls, $report, @cuts); 1 };
    warn "the proxy failed: $@" unless $good;
    POSIX::_exit($good ? 0 : 1);
}

sub port { return $_[0]{port} }

# Until the last of the connections is over.
sub wait {
    my ($self) = @_;
    waitpid $self->{pid}, 0;
    return $? == 0;
}

sub _serve {
    my ($listener, $port, $is_tls, $report, @cuts) = @_;
    alarm LIFE * $SLOW;
    $SIG{PIPE} = 'IGNORE';
    open my $log, '>:raw', $report or die "$report: $!";
    for my $cut (@cuts) {
        my $client = $listener->accept or die "accept: $!";
        my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "connect: $!";
        setsockopt $_, IPPROTO_TCP, TCP_NODELAY, 1 for $client, $server;
        my @flows = (_flow('server', $client, $server, $is_tls, $cut),
            _flow('client', $server, $client, $is_tls, $cut));
        _end(@flows) if _splice(@flows);
        print {$log} join("\t", map { unpack 'H*', $_ } map { @$_{qw(read passed)} } @flows), "\n";
    }
    close $log or die "$report: $!";
    return;
}

# read: what has come; passed: what went on; starts: where its records begin, as far as that is known.
sub _flow {
    my ($to, $from, $onto, $is_tls, $cut) = @_;
    my %own = ($cut->{to} || '') eq $to ? %$cut : ();
    return { from => $from, onto => $onto, is_tls => $is_tls, read => '', passed => '', starts => [0], %own };
}

# 1 when a cut is due, 0 when both sides are through.
sub _splice {
    my (@flows) = @_;
    for (@flows) { return 1 if _pass($_) }
    while (my @open = grep { !$_->{ended} } @flows) {
        for my $flow (_ready(LIFE, @open)) {
            _receive($flow);
            return 1 if _pass($flow);
            shutdown $flow->{onto}, SHUT_WR if $flow->{ended};
        }
    }
    return 0;
}

sub _ready {
    my ($seconds, @flows) = @_;
    my $bits = '';
    vec($bits, fileno $_->{from}, 1) = 1 for @flows;
    return if select($bits, undef, undef, $seconds) <= 0;
    return grep { vec $bits, fileno $_->{from}, 1 } @flows;
}

sub _receive {
    my ($flow) = @_;
    $flow->{ended} = 1 unless sysread $flow->{from}, $flow->{read}, BLOCK, length $flow->{read};
    return;
}

# Passes on what may pass; true when the cut has come. Held back octets are taken and forgotten.
sub _pass {
    my ($flow) = @_;
    my ($limit, $sent) = (_limit($flow), length $flow->{passed});
    my $end = defined $limit && $limit < length $flow->{read} ? $limit : length $flow->{read};
    _send($flow->{onto}, substr $flow->{read}, $sent, $end - $sent) if $end > $sent;
    $flow->{passed} = substr $flow->{read}, 0, $end;
    return defined $limit && $end == $limit && $flow->{how} ne 'hold';
}

sub _send {
    my ($onto, $octets) = @_;
    while (length $octets) {
        my $count = syswrite $onto, $octets or return;    # gone: its own end tells so
        substr $octets, 0, $count, '';
    }
    return;
}

# Where to cut; undef while that is not known, or never.
sub _limit {
    my ($flow) = @_;
    my $starts = $flow->{starts};
    while ($flow->{is_tls} && length $flow->{read} >= $starts->[-1] + 5) {
        push @$starts, $starts->[-1] + 5 + unpack 'x3 n', substr $flow->{read}, $starts->[-1], 5;
    }
    my $start = defined $flow->{record} ? $starts->[$flow->{record}] : undef;
    return defined $start ? $start + $flow->{octets} : undef;
}

# Both sides see an orderly end, and what they say after it is heard and forgotten: a reset could overtake octets.
sub _end {
    my (@flows) = @_;
    return _reset(@flows) if grep { ($_->{how} || '') eq 'reset' } @flows;
    shutdown $_->{onto}, SHUT_WR for @flows;
    my $end = time + DRAIN * $SLOW;
    while (my @open = grep { !$_->{ended} } @flows) {
        last if time >= $end;
        _receive($_) for _ready($end - time, @open);
    }
    return;
}

sub _reset {
    my (@flows) = @_;
    for (@flows) {
        setsockopt $_->{onto}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        close $_->{onto};
    }
    return;
}

1;
