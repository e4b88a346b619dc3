# The faults of Net::SMTP in new that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use IO::Socket::INET;
use lib 't/lib';
use BothClasses;
use Face;
use Socket qw(AF_INET6 SOCK_STREAM getaddrinfo);
use Test::More;
use Time::HiRes qw(time);

# How many seconds something takes, at most what is allowed.
sub in_time {
    my ($seconds, $code) = @_;
    my $began = time;
    $code->();
    return truth(time - $began < $seconds);
}

bug 11 => 'octets that drip do not stretch the timeout', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [{stage => 'greeting', drip => 0.3 * $SLOW}]);
    my $smtp;
    expect 'new ends in time', in_time(4 * $SLOW, sub {
        $smtp = $class->new($server->host, Port => $server->port, Timeout => $SLOW);
    }), 'true';
    expect 'new', truth($smtp), 'false';
    expect '$@', $@, qr/no answer within/;
};

bug 21 => 'after a greeting that says no the next host, and $@ tells why', sub {
    my ($class) = @_;
    my $busy = sandbox(faults => [{stage => 'greeting', reply => "421 busy\r\n"}]);
    my $good = sandbox();
    my @hosts = map { 'localhost:' . $_->port } $busy, $good;
    expect 'new with two hosts', outcome(sub { $class->new(\@hosts)->host }), $hosts[1];
    expect 'new with the one that says no', truth($class->new([$hosts[0]])), 'false';
    expect '$@', $@, "$class: 421 busy\n";
    my $silent = sandbox(tls => 'implicit', faults => [{stage => 'tls', silent => 1}]);
    my %tls = (SSL => 1, SSL_ca_file => $silent->ca_file);
    expect 'a handshake that hangs',
        truth($class->new($silent->host, Port => $silent->port, %tls, Timeout => $SLOW)), 'false';
    expect '$@ after it', $@, qr/\S/;
};

bug 21 => 'a -PLUS among the mechanisms does no harm', sub {
    my ($class) = @_;
    my $server = sandbox(tls => 'implicit', users => {demo => 'secret'}, mechanisms => ['PLAIN'],
        keywords => ['AUTH SCRAM-SHA-256-PLUS EXTERNAL-PLUS PLAIN']);
    expect 'auth', outcome(sub { client($server, class => $class, SSL => 1)->auth('demo', 'secret') }), 1;
};

# A listener whose queue is full leaves further connections without an answer.
sub full_listener {
    my ($address, $port) = @_;
    require IO::Socket::IP;
    my $listener = IO::Socket::IP->new(Listen => 1, LocalAddr => $address, LocalPort => $port) or return;
    listen $listener, 0;
    my @waiting;
    for (1 .. 4) {
        push @waiting,
            IO::Socket::IP->new(PeerAddr => $address, PeerPort => $listener->sockport, Blocking => 0);
        select undef, undef, undef, 0.05;
    }
    return [$listener, @waiting];
}

bug 28 => 'the timeout holds for connecting as a whole', sub {
    my ($class) = @_;
    my $full = full_listener('127.0.0.1') or return plan skip_all => 'no listener';
    my $smtp;
    expect 'new ends in time', in_time(5 * $SLOW, sub {
        $smtp = $class->new('127.0.0.1', Port => $full->[0]->sockport, Timeout => $SLOW);
    }), 'true';
    expect 'new', truth($smtp), 'false';
    expect '$@', $@, qr/\S/;
};

# Where localhost has an address of both kinds: the one that does not answer costs next to nothing.
sub has_both_kinds {
    my ($error, @addresses) = getaddrinfo('localhost', 25, {socktype => SOCK_STREAM});
    return !$error && @addresses > 1 && $addresses[0]{family} == AF_INET6;
}

bug 28 => 'a dead address does not hold up the one behind it', sub {
    my ($class) = @_;
    my $server = sandbox();
    my $full = has_both_kinds() && full_listener('::1', $server->port)
        or return plan skip_all => 'localhost has one address here';
    my $smtp;
    expect 'new ends in time', in_time(3 * $SLOW, sub {
        $smtp = $class->new('localhost', Port => $server->port, Timeout => 4 * $SLOW);
    }), 'true';
    expect 'new', truth($smtp), 'true';
};

done_testing;
