# A descriptor that goes in the midst of a message, and its number that is used again: nobody else is written to.
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use Net::SMTP::AuthC;
use POSIX ();
use Test::More;
use TinyServer;

my $server = TinyServer->start(TinyServer->agree);

sub connected { return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 10) || die $@ }

# Another file has the number now: both ends of a pair of sockets come back, the first under the number of ours.
sub take_number {
    my ($smtp) = @_;

    my $number = fileno $smtp;
    POSIX::close($number);
    socketpair my $mine, my $other, 1, 1, 0 or die $!;
    is(fileno $mine, $number, 'the same number');
    $other->blocking(0);
    return ($mine, $other);
}

sub nothing_was_written {
    my ($smtp, $other) = @_;

    is(sysread($other, my $octets, 100), undef, 'nothing was written to it');
    is($smtp->error->kind, 'closed', 'the error says so');
    is($smtp->_state, 'closed', 'and it is over');
    return;
}

for my $size (10, 100_000) {
    subtest "between the pieces of a message, $size octets" => sub {
        my $smtp = connected();
        ok($smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data, 'DATA');
        ok($smtp->datasend("one\n"), 'a piece');
        my ($mine, $other) = take_number($smtp);
        $smtp->datasend('x' x $size);
        ok(!$smtp->dataend, 'no end');
        nothing_was_written($smtp, $other);
    };

    subtest "while a piece is made, $size octets" => sub {
        my $smtp = Net::SMTP::AuthC->connect('smtp://127.0.0.1:' . $server->port . '?tls=none', timeout => 10);
        my ($mine, $other);
        my $second = sub { ($mine, $other) = take_number($smtp); return 'x' x $size };
        my @pieces = (sub { "one\n" }, $second, sub { undef });
        ok(!eval { $smtp->submit(sub { (shift @pieces)->() }, from => 'a@b.test', to => 'c@d.test') }, 'no receipt');
        is($@->kind, 'closed', 'but an error');
        nothing_was_written($smtp, $other);
    };
}

subtest 'in a signal handler' => sub {
    my $smtp = connected();
    my ($mine, $other);
    local $SIG{ALRM} = sub { ($mine, $other) = take_number($smtp) };
    ok($smtp->mail('a@b.test'), 'MAIL');
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), my $alarm = POSIX::SigSet->new(POSIX::SIGALRM()));
    kill ALRM => $$;
    POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $alarm);
    ok(!$smtp->to('c@d.test'), 'no RCPT');
    nothing_was_written($smtp, $other);
};

done_testing;
