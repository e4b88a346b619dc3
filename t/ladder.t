# ladder: servers that cannot do what they offer: the next manner down, for the message where nobody has it, and for those
# that come after, in this process and by a file in others.
# valgrind: no
use strict;
use warnings;
use File::Temp ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Ladder;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $SLOW    = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $MESSAGE = "Subject: x\n\nOne.\n";
my %mail    = (from => 'a@x.test', to => 'b@x.test');

sub sandbox { my (@fault) = @_; return Net::SMTP::AuthC::Sandbox->new(tls => 'none', faults => [@fault]) }
sub client {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 5 * $SLOW, @more);
}
sub outcomes { return join ' ', map { $_->outcome } $_[0]->recipients }
sub attempt { my ($smtp, @option) = @_; return eval { $smtp->submit($MESSAGE, %mail, @option) } || $@ }
sub rung { return *{ $_[0] }->{net_smtp_authc_rung} // '-' }

# Each: what the server does to BDAT or a group; how it is asked for; the outcome, how it went, the rung then.
my @cases = (
    ['500', {stage => 'end', nth => 1, reply => "500 5.5.1 What?\r\n"}, [chunking => 1], 'sent', 'BDAT DATA', 1],
    ['502', {stage => 'end', nth => 1, reply => "502 5.5.1 No BDAT\r\n"}, [one_flight => 1], 'sent', 'BDAT DATA', 1],
    ['504 and gone', {stage => 'end', nth => 1, reply => "504 5.5.4 No\r\n", close => 'after'}, [chunking => 1], 'sent',
        'BDAT DATA', 1],
    ['503 to one flight', {stage => 'end', nth => 1, reply => "503 5.5.1 Not yet\r\n"}, [one_flight => 1], 'sent',
        'BDAT BDAT', 2],
    ['503 to BDAT', {stage => 'end', nth => 1, reply => "503 5.5.1 Not yet\r\n"}, [chunking => 1], 'sent', 'BDAT DATA', 1],
    ['503 all the way', {stage => 'end', nth => [1, 2], reply => "503 5.5.1 Not yet\r\n"}, [one_flight => 1], 'sent',
        'BDAT BDAT DATA', 1],
    ['early talk in a group', {stage => 'rcpt', nth => 1, reply => "554 5.5.0 SMTP synchronization error\r\n"}, [],
        'sent', 'DATA', 0],
    ['early talk in one flight', {stage => 'mail', nth => 1, reply => "503 Improper use of SMTP command pipelining\r\n"},
        [one_flight => 1], 'sent', 'BDAT', 2],
    ['early talk, and gone', {stage => 'mail', nth => 1, reply => "421 early talker\r\n", close => 'after'}, [], 'sent',
        'DATA', 0],
    ['554 about content', {stage => 'end', nth => 1, reply => "554 5.7.1 A reply came too early\r\n"}, [], 'refused', 'DATA', '-'],
    ['another 554', {stage => 'rcpt', nth => 1, reply => "554 5.7.1 No\r\n"}, [one_flight => 1], 'refused', '', '-'],
    ['500 to the end of DATA', {stage => 'end', nth => 1, reply => "500 5.5.1 What?\r\n"}, [], 'refused', 'DATA', '-'],
);
for my $case (@cases) {
    my ($what, $fault, $option, $outcome, $vias, $rung) = @$case;
    my $server = sandbox($fault);
    my $smtp = client($server);
    my $result = attempt($smtp, @$option);
    my $is_receipt = ref $result eq 'Net::SMTP::AuthC::Receipt';
    is(outcomes($is_receipt ? $result : $result->receipt), $outcome, "$what: outcome") or diag $result;
    is(join(' ', map { $_->via } $server->refused_messages, $server->messages), $vias, '... manner');
    is(rung($smtp), $rung, '... and what is remembered');
    is(rung(client($server)), $rung, '... on another connection, too');
    next if $rung eq '-';
    ok(attempt($smtp, @$option)->all_sent, '... and the next one goes so at once');
    is(scalar(my @all = ($server->messages, $server->refused_messages)), 1 + split(' ', $vias), '... once');
}

subtest 'lock-step' => sub {
    my $server = sandbox({stage => 'rcpt', nth => 1, reply => "554 5.5.0 synchronization error\r\n"});
    attempt(client($server));
    attempt(client($server));
    my ($session) = ($server->sessions)[-1];
    my @lines = grep { /^[CS]: / } $session->lines;
    is(scalar(grep { $lines[$_] =~ /^C: / && $lines[$_ + 1] =~ /^C: / } 0 .. $#lines - 1), 0, 'a reply after each command');
};

subtest 'a server that hangs on BDAT' => sub {
    my $server = sandbox({stage => 'end', nth => 1, silent => 1});
    my $smtp = client($server, timeout => 0.4 * $SLOW, end_timeout => 0.4 * $SLOW);
    my $error = attempt($smtp, chunking => 1);
    is(outcomes($error->receipt) . $error->kind, 'unknowntimeout', 'nobody knows, and it is not sent again');
    is(rung(client($server)), 1, 'the next goes by DATA');
};

subtest 'a stream' => sub {
    for my $fault ({stage => 'end', nth => [1 .. 4], reply => "503 5.5.1 Not yet\r\n"},
        {stage => 'end', nth => 1, reply => "502 5.5.1 No BDAT\r\n", close => 'after'},
        {stage => 'mail', nth => 1, reply => "554 synchronization error\r\n", close => 'after'}) {
        my $server = sandbox($fault);
        my @told;
        my $count = client($server)->submit_all([map { {message => "Subject: $_\n\n$_\n", tag => $_} } 1 .. 20], %mail,
            window => 4, on_receipt => sub { push @told, "$_[1]{tag}=" . outcomes($_[0]) });
        my %had = map { $_->header('Subject') => 1 } $server->messages;
        is($count, 20, "$fault->{stage}: $fault->{reply}") or next;
        is(join(' ', grep { !$had{$_} } map { /(\d+)=sent/ } @told), '', '... who is told as sent has it');
        cmp_ok(scalar(grep { /=sent/ } @told), '>=', 17, '... nearly all, for of some in the window nobody knows');
        unlike("@told", qr/refused|deferred/, '... and the manner cost nobody the message');
        is(scalar($server->messages), scalar(keys %had), '... none came twice');
    }
};

subtest 'in a file' => sub {
    my $folder = File::Temp->newdir;
    my $path = "$folder/ladder";
    my $server = sandbox({stage => 'end', nth => 1, reply => "502 5.5.1 No BDAT\r\n"});
    my $name = 'localhost:' . $server->port;
    my $smtp = client($server, ladder_file => $path);
    ok(!-e $path, 'none while all goes well');
    ok(attempt($smtp, chunking => 1)->all_sent, 'a step down');
    is(sprintf('%o', (stat $path)[2] & 07777), '600', 'nobody else reads it');
    like(slurp($path), qr/\Anet-smtp-authc ladder 1\n\Q$name\E 1 [0-9]+\n\z/, 'server, rung, time');
    is_deeply([grep { !/\A\.|\Aladder\z/ } do { opendir my $d, $folder or die; readdir $d }], [], 'and nothing is left beside it');
    my $now = time;
    my $other = sandbox();
    for my $case (["NAME 2 $now\n", 2], ["NAME 2 " . ($now - 90_000) . "\n", '-'], ["NAME 7 $now\n", '-'],
        ["NAME 2 $now\nrubbish\n", '-'], ['', '-'], ["NAME 2 " . ($now + 9e5) . "\n", '-']) {
        my ($text, $rung) = @$case;
        my $server = sandbox();
        $text =~ s/NAME/'localhost:' . $server->port/e;
        spew($path, length $text ? "net-smtp-authc ladder 1\n$text" : "\0\0\0");
        is(rung(client($server, ladder_file => $path)), $rung, $text =~ s/localhost:\d+|$now//gr =~ s/[^ -~]//gr . ': read');
    }
    is(rung(client($other, ladder_file => "$folder/no/such")), '-', 'no such folder');
    $server = sandbox({stage => 'end', nth => 1, reply => "502 5.5.1 No BDAT\r\n"});
    ok(attempt(client($server, ladder_file => "$folder/no/such"), chunking => 1)->all_sent, 'what cannot be written is left');
    ok(!-e "$folder/no", '... alone');
};

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return scalar readline $file }
sub spew { my ($path, $text) = @_; open my $file, '>', $path or die "$path: $!"; print {$file} $text; close $file }

done_testing;
