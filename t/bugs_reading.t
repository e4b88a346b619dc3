# The faults of Net::SMTP in reading replies that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use BothClasses;
use Face;
use Test::More;
use Time::HiRes qw(setitimer ITIMER_REAL);

bug 4 => 'the name in the first line of EHLO is no capability', sub {
    my ($class) = @_;
    for my $first ('auth.example.com', 'AUTH PLAIN') {
        my $server = sandbox(ehlo_raw => "250-$first\r\n250 SIZE\r\n");
        my $smtp = client($server, class => $class);
        expect "'$first': AUTH", scalar $smtp->supports('AUTH'), undef;
        expect "'$first': SIZE", $smtp->supports('SIZE'), '';
    }
};

bug 5 => 'AUTH on several lines is one list', sub {
    my ($class) = @_;
    my $server = sandbox(ehlo_raw => "250-x\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH CRAM-MD5\r\n250 AUTH=LOGIN\r\n");
    my @names = split ' ', client($server, class => $class)->supports('AUTH');
    expect 'supports', join(' ', sort @names), 'CRAM-MD5 LOGIN PLAIN';
};

bug 6 => 'capabilities do not outlive the EHLO that told them', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [
        {stage => 'ehlo', match => qr/fails/, reply => "451 no\r\n"},
        {stage => 'ehlo', match => qr/helo/, reply => "500 no\r\n"}]);
    my $smtp = client($server, class => $class);
    expect 'SIZE', $smtp->supports('SIZE'), qr/\A[0-9]+\z/;
    $smtp->hello('helo.test');
    expect 'SIZE after HELO', scalar $smtp->supports('SIZE'), undef;
    $smtp->hello('again.test');
    expect 'an EHLO that fails', scalar $smtp->hello('fails.test'), undef;
    expect 'SIZE after it', scalar $smtp->supports('SIZE'), undef;
    my $starts = sandbox(tls => 'starttls', faults => [{stage => 'ehlo', nth => 2, reply => "451 no\r\n"}]);
    $smtp = client($starts, class => $class);
    expect 'starttls with an EHLO that fails behind it', scalar $smtp->starttls, undef;
    expect 'what is left of before TLS', join(' ', sort keys %{ *$smtp->{net_smtp_esmtp} }), '';
};

bug 10 => 'a signal is no timeout', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [{stage => 'rset', delay => $SLOW}]);
    my $smtp = client($server, class => $class, Timeout => 10 * $SLOW);
    my $signals = 0;
    local $SIG{ALRM} = sub { $signals++ };
    setitimer(ITIMER_REAL, 0.1, 0.1);
    my $good = $smtp->reset;
    setitimer(ITIMER_REAL, 0);
    expect 'reset', $good, 1;
    expect 'the handler has run meanwhile', truth($signals > 3), 'true';
};

# What a server says to RSET that is no reply, or more than one.
my @no_replies = (
    ['no reply', {reply => "what do you want?\r\n"}], ['no digits', {reply => "25 ok\r\n"}],
    ['two codes', {reply => "250-a\r\n550 b\r\n"}],
    ['a reply without end', {endless => "250-more\r\n", reply => "250-more\r\n"}],
    ['a line without end', {reply => '250 ', endless => 'x' x 1000}],
);

# The server may take its time to notice that nobody is there.
sub mails_said_to {
    my ($server) = @_;
    $server->wait_for(sub { grep { $_->ended } $_[0]->sessions }, timeout => 0.5);
    return scalar grep { /\AMAIL/ } map { $_->client_lines } $server->sessions;
}

bug 25 => 'what is no reply ends the dialogue, and so does one too many', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [
        {stage => 'rset', append => "250 extra\r\n"}, {stage => 'mail', reply => "550 no\r\n"}]);
    my $smtp = client($server, class => $class);
    $smtp->reset;
    mails_said_to($server);    # until the second reply is there
    expect 'one reply too many: the next command takes it for its own', truth($smtp->mail('a@b.test')), 'false';
    expect 'one reply too many: the next command was said', mails_said_to($server), 0;
    for my $case (@no_replies) {
        my ($name, $what) = @$case;
        $server = sandbox(faults => [{stage => 'rset', %$what}]);
        $smtp = client($server, class => $class);
        expect "$name: reset", $smtp->reset, '';
        expect "$name: code", $smtp->code, 421;
        expect "$name: it is closed", truth(!defined fileno $smtp), 'true';
        expect "$name: the next command", $smtp->mail('a@b.test'), '';
        expect "$name: how often it was said", mails_said_to($server), 0;
    }
};

bug 25 => 'command and response as well', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [{stage => 'noop', nth => 2, reply => "what do you want?\r\n"}]);
    my $smtp = client($server, class => $class);
    expect 'a reply: response', outcome(sub { $smtp->command('NOOP')->response }), 2;
    expect 'no reply: response', outcome(sub { $smtp->command('NOOP')->response }), 5;
    expect 'its code', $smtp->code, 421;
    expect 'it is closed', truth(!defined fileno $smtp), 'true';
    expect 'the next: response', outcome(sub { $smtp->command('NOOP')->response }), 5;
};

done_testing;
