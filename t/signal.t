# Signals: Perl's handlers run on time in every wait, may die, may return; none of them moves a deadline.
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use Config;
use IO::Socket::INET;
use Net::SMTP::AuthC;
use Socket qw(inet_aton pack_sockaddr_in);
use Subprocess qw(run_perl);
use Test::More;
use Time::HiRes qw(time ualarm);
use TinyServer;

# Takes connections (the kernel does) and never says a word.
my $silent = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', Proto => 'tcp') or die $!;

sub connected {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 10, @more) || die $@;
}

my $mute = sub { sleep 60; '' };

# What is waited for, and how to get there: a sub that waits, then, if they are there already, the object and the server.
my %wait = (
    greeting => sub { return sub { Net::SMTP::AuthC->new('127.0.0.1', Port => $silent->sockport, Timeout => 10) } },
    'TLS handshake' =>
        sub { return sub { Net::SMTP::AuthC->new('127.0.0.1', Port => $silent->sockport, SSL => 1, Timeout => 10) } },
    map({ my ($name, $verb, $method, @arguments) = @$_;
        $name => sub {
            my $server = TinyServer->start(TinyServer->agree(EHLO => "250-me\r\n250-STARTTLS\r\n250 AUTH CRAM-MD5\r\n",
                AUTH => "334 PDEuMkBtZT4=\r\n", $verb => $mute));
            my $smtp = connected($server, SendHello => $verb ne 'EHLO');
            return (sub { $smtp->$method(@arguments) }, $smtp, $server);
        } }
        ['EHLO reply', 'EHLO', 'hello'], ['AUTH reply', 'AUTH', 'auth', 'user', 'secret', 'CRAM-MD5'],
        ['STARTTLS reply', 'STARTTLS', 'starttls'], ['MAIL reply', 'MAIL', 'mail', 'a@b.test'],
        ['QUIT reply', 'QUIT', 'quit']),
    'end of data' => sub {
        my $server = TinyServer->start(sub {
            my ($socket, $read) = @_;
            print {$socket} "220 hi\r\n";
            while (my $line = $read->()) {
                print {$socket} $line =~ /\ADATA/ ? "354 go\r\n" : "250 ok\r\n" if $line =~ /\A[A-Z]{4}/;
            }
        });
        my $smtp = connected($server);
        $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data; $smtp->datasend("text\n");
        return (sub { $smtp->dataend }, $smtp, $server);
    },
    content => sub {
        my $deaf = TinyServer->start(sub {
            my ($socket, $read) = @_;
            print {$socket} "220 hi\r\n";
            while (my $line = $read->()) {
                print {$socket} $line =~ /\ADATA/ ? "354 go\r\n" : "250 ok\r\n";
                sleep 60 if $line =~ /\ADATA/;
            }
        });
        my $smtp = connected($deaf);
        $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
        my $text = ('x' x 76 . "\n") x 1_000_000;
        return (sub { $smtp->datasend($text) }, $smtp, $deaf);
    },
);

# A listener whose queue is full: the kernel does not answer, and connect waits.
my $full = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp') or die $!;
my @crowd = map { my $one = IO::Socket::INET->new(Proto => 'tcp'); $one->blocking(0);
    connect $one, pack_sockaddr_in($full->sockport, inet_aton '127.0.0.1'); $one } 1 .. 8;
$wait{connect} = sub { return sub { Net::SMTP::AuthC->new('127.0.0.1', Port => $full->sockport, Timeout => 10) } };

subtest 'a handler that dies' => sub {
    for my $name (sort keys %wait) {
        my ($code, $smtp, $server) = $wait{$name}->();
        my $start = time;
        my $good = eval {
            local $SIG{ALRM} = sub { die "alarm\n" };
            ualarm 300_000;
            $code->();
            1;
        };
        my $error = $@;
        ualarm 0;
        my $took = time - $start;
        ok(!$good, "$name: the call is left");
        is($error, "alarm\n", "$name: with what the handler said");
        ok($took > 0.25 && $took < 1.5, "$name: on time") or diag "$took s";
        next if !$smtp;
        is($smtp->_state, 'closed', "$name: the connection is closed");
        ok(!defined fileno $smtp, "$name: its descriptor too");
        is($smtp->error->kind, 'interrupted', "$name: the error says why") if $smtp->error;
        ok(!eval { $smtp->noop }, "$name: nothing works on it");
        ok(!eval { $smtp->quit }, "$name: nor does quit wait");
    }
};

subtest 'a handler that returns' => sub {
    my $slow = sub { select undef, undef, undef, 0.8; "250 at last\r\n" };
    my $server = TinyServer->start(TinyServer->agree(NOOP => $slow, EHLO => $slow));
    my $start = time;
    my @rang;
    local $SIG{ALRM} = sub { push @rang, time - $start };
    ualarm 200_000, 200_000;
    my $smtp = connected($server);
    my $good = $smtp && $smtp->noop;
    ualarm 0;
    ok($good, 'the calls went on');
    cmp_ok(scalar @rang, '>=', 4, 'the handler ran again and again');
    ok($rang[0] < 0.45, 'the first time when it was due') or diag $rang[0];
};

subtest 'a storm of signals moves no deadline' => sub {
    for my $what (qw(USR1 CHLD)) {
        my $count = 0;
        local $SIG{$what} = sub { $count++ };
        my $parent = $$;
        my $stormer = fork // die $!;
        if (!$stormer) {
            while (kill $what => $parent) { select undef, undef, undef, 0.003 }
            require POSIX;
            POSIX::_exit(0);
        }
        my $start = time;
        my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $silent->sockport, Timeout => 1);
        my $took = time - $start;
        my $why = $@;
        my $server = TinyServer->start(TinyServer->agree);
        my $works = connected($server);
        my $good = $works && $works->mail('a@b.test') && $works->to('c@d.test') && $works->data("x\n" x 100_000);
        kill KILL => $stormer;
        { local $SIG{CHLD} = 'DEFAULT'; waitpid $stormer, 0 }
        ok(!$smtp && $why =~ /no answer within 1\.0 s/, "$what: the deadline passed") or diag $why;
        my $slow = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
        ok($took > 0.95 && $took < 3 * $slow, "$what: when it was due") or diag $took;
        cmp_ok($count, '>', 50 / $slow, "$what: the handler ran all the time");
        ok($good, "$what: a message goes through");
    }
};

subtest 'SIGPIPE is the program\'s own' => sub {
    for my $handler ('DEFAULT', 'IGNORE', sub { die 'SIGPIPE' }) {
        local $SIG{PIPE} = $handler;
        my $server = TinyServer->start(TinyServer->agree(MAIL => sub { require POSIX; POSIX::_exit(0) }));
        my $smtp = connected($server);
        $smtp->mail('a@b.test');
        select undef, undef, undef, 0.02;
        ok(!$smtp->noop, "$handler: false, and we live");
        is($SIG{PIPE}, $handler, "$handler: as it was");
    }
};

subtest 'a handler that uses the object' => sub {
    my $server = TinyServer->start(TinyServer->agree(NOOP => sub { select undef, undef, undef, 0.5; "250 ok\r\n" }));
    my $smtp = connected($server);
    my @said;
    local $SIG{ALRM} = sub { push @said, eval { $smtp->quit; 1 } ? 'quit' : $@, $smtp->_state };
    ualarm 100_000;
    ok($smtp->noop, 'the call goes on');
    like($said[0], qr/\Athis object is in the middle of another call/, 'another one is refused by name');
    is($said[1], 'idle', 'but asking is allowed');
    my %drastic = (
        'close it' => sub { close $smtp },
        'reset it' => sub { $smtp->_abandon('enough') },
        'undef it' => sub { undef $smtp },
        'take its glob away' => sub { undef *$smtp },
    );
    for my $name (sort keys %drastic) {
        $smtp = connected($server);
        local $SIG{ALRM} = $drastic{$name};
        ualarm 100_000;
        my $good = eval { $_[0] = $smtp->_noop; 1 };
        ualarm 0;
        ok($good, "$name: the call returns") or diag $@;
        $smtp or next;
        is($smtp->_state, 'closed', "$name: closed");
    }
};

subtest 'PERL_SIGNALS=unsafe, and POSIX::sigaction' => sub {
    plan skip_all => 'on a slow run such a signal jumps out of OpenSSL, whose memory is then lost'
        if $ENV{NET_SMTP_AUTHC_SLOW};
    my $program = <<'E';
use strict; use warnings; use Net::SMTP::AuthC; use POSIX; use Time::HiRes qw(time ualarm);
my ($port, $way) = @ARGV;
my $die = sub { die "alarm\n" };
for my $ssl (0, 1) {
    my $start = time;
    $way eq 'sigaction' ? POSIX::sigaction(SIGALRM, POSIX::SigAction->new($die)) : ($SIG{ALRM} = $die);
    ualarm 200_000;
    eval { Net::SMTP::AuthC->new('127.0.0.1', Port => $port, Timeout => 5, SSL => $ssl); 1 };
    print $@, time - $start < 1 ? "on time\n" : "late\n";
}
E
    for my $way (qw(unsafe sigaction)) {
        local $ENV{PERL_SIGNALS} = $way eq 'unsafe' ? 'unsafe' : 'safe';
        my ($status, $out, $err) = run_perl($program, $silent->sockport, $way);
        is_deeply([$status, $out, $err], [0, "alarm\non time\n" x 2, ''], $way);
    }
};

done_testing();
