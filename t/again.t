# again: a message goes once more over a fresh connection only when it is provably not sent; never twice, never unasked.
# valgrind: no
use strict;
use warnings;
use File::Temp ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $SLOW    = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $MESSAGE = "Subject: x\nMessage-ID: <one\@x.test>\n\nOne.\n";
my %mail    = (from => 'a@x.test', to => 'b@x.test');

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub client {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 5 * $SLOW, @more);
}
sub attempt { my ($call) = @_; my $receipt = eval { $call->() }; return $receipt || $@ }
sub outcomes { return join ' ', map { $_->outcome } (ref $_[0] eq 'Net::SMTP::AuthC::Receipt' ? $_[0] : $_[0]->receipt)->recipients }

# What a second message meets with on a connection; its result, and how many sessions and messages there were.
sub second {
    my ($faults, %more) = @_;
    my $server = sandbox(faults => $faults, %{ delete $more{server} || {} });
    my $smtp   = client($server, %{ delete $more{connect} || {} });
    my $first  = $smtp->submit($MESSAGE, %mail);
    (delete $more{meanwhile} || sub { })->($smtp, $server);
    my $message = delete $more{message} // "Subject: second\n\nTwo.\n";
    my $result = attempt(sub { $smtp->submit($message, %mail, %more) });
    return ($result, scalar(my @messages = $server->messages), scalar(my @sessions = $server->sessions), $smtp, $server);
}

my %idle = (
    'a connection closed meanwhile' => [{stage => 'end', nth => 1, close => 'after'}],
    '421 to MAIL' => [{stage => 'mail', nth => 2, reply => "421 4.3.2 Bye\r\n", close => 'after'}],
    '421 to RCPT' => [{stage => 'rcpt', nth => 2, reply => "421 4.3.2 Bye\r\n", close => 'after'}],
    '421 to the end' => [{stage => 'end', nth => 2, reply => "421 4.3.2 Bye\r\n", close => 'after'}],
    'closed at MAIL' => [{stage => 'mail', nth => 2, close => 1}],
    'reset at DATA' => [{stage => 'data', nth => 2, reset => 1}],
    'unasked 421' => [{stage => 'end', nth => 1, append => "421 4.4.2 Idle\r\n", close => 'after'}],
);
for my $what (sort keys %idle) {
    my ($receipt, $messages, $sessions, $smtp) = second($idle{$what}, meanwhile => sub { select undef, undef, undef, 0.05 });
    is(eval { $receipt->all_sent } || "$receipt", 1, $what) or next;
    is("$messages $sessions", '2 2', '... once, over a second connection');
    is(fileno $smtp, $smtp->fileno, '... whose descriptor is the object\'s');
    ok(!$receipt->error, '... without an error');
}

subtest 'not again' => sub {
    my ($error, $messages, $sessions) = second([{stage => 'end', nth => 2, close => 1}]);
    is(outcomes($error) . $messages . $sessions, 'unknown21', 'nobody knows');
    my @never = ([{stage => 'mail', nth => [2, 3], reply => "421 4.3.2 Bye\r\n", close => 'after'}]);
    ($error, $messages, $sessions) = second(@never);
    is(outcomes($error) . $error->code . "$messages $sessions", 'deferred4211 2', 'a second time');
    ($error, $messages, $sessions) = second($idle{'421 to MAIL'}, connect => {reconnect => 0});
    is(outcomes($error) . "$messages $sessions", 'deferred1 1', 'reconnect => 0');
    ($error, $messages, $sessions) = second([{stage => 'mail', nth => 2, silent => 1}], connect => {timeout => 0.3 * $SLOW});
    is(outcomes($error) . $error->kind . $sessions, 'not-senttimeout1', 'after a time limit');
    ($error, $messages, $sessions) = second([{stage => 'mail', nth => 2, reply => "550 5.1.0 No\r\n", close => 'after'}]);
    is(outcomes($error) . $error->code . $sessions, 'refused5501', 'refused');
    ($error, $messages, $sessions) = second([], meanwhile => sub { $_[0]->quit });
    is($error->kind . $sessions, 'closed1', 'after quit');
    ($error, $messages, $sessions) = second([], meanwhile => sub { close $_[0] });
    is($error->kind . $sessions, 'closed1', 'after close');
    my $server = sandbox(faults => [{stage => 'mail', nth => 1, reply => "421 4.3.2 Bye\r\n", close => 'after'}]);
    $error = attempt(sub { client($server)->submit($MESSAGE, %mail) });
    is($error->code . scalar(my @all = $server->sessions), '4211', 'the first message of a connection');
};

subtest 'a server that is gone' => sub {
    my ($error, $messages) = second([], meanwhile => sub { $_[1]->stop });
    is(outcomes($error) . $error->kind, 'not-sentclosed', 'the error tells what happened first');
    like($error->hint, qr/nor could another be had: .*refused/, 'and why there is no other');
    is($error->receipt->message_id, undef, 'its receipt is the message\'s');
};

subtest 'content' => sub {
    my $at_end = [{stage => 'end', nth => 2, reply => "421 4.3.2 Bye\r\n", close => 'after'}];
    my $file = File::Temp->new;
    print {$file} "above\n", $MESSAGE;
    close $file;
    open my $handle, '<', "$file" or die $!;
    readline $handle;
    my ($receipt, $messages, undef, undef, $server) = second($at_end, message => $handle);
    is(eval { $receipt->all_sent }, 1, 'a plain file is read from where it stood') or diag $receipt;
    is(($server->messages)[-1]->data =~ tr/\r//dr, $MESSAGE, 'and comes whole');
    my @pieces = ('x' x 70, "\n");
    my ($error) = second($at_end, message => sub { shift @pieces });
    is(outcomes($error), 'deferred', 'what was read by a code ref is gone');
    @pieces = ('x' x 70, "\n");
    ($receipt) = second($idle{'421 to MAIL'}, message => sub { shift @pieces }, server => {keywords => []});
    is(eval { $receipt->all_sent }, 1, 'unless nothing was read yet') or diag $receipt;
    my $built = Net::SMTP::AuthC::Message->new(%mail, subject => 'built', text => "x\n",
        attach => [{data => 'y' x 3000, name => 'y.bin', type => 'application/octet-stream'}]);
    ($receipt, undef, undef, undef, $server) = second($at_end, message => $built);
    is(eval { $receipt->all_sent }, 1, 'a message with attachments is made again') or diag $receipt;
    is(($server->messages)[-1]->header('Message-ID'), $built->message_id, 'with the same Message-ID');
};

subtest 'logins, TLS, transcript and deadline' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {'u' => 'very secret'},
        faults => [{stage => 'mail', nth => 2, reply => "421 4.3.2 Bye\r\n", close => 'after'},
            {stage => 'greeting', nth => 3, silent => 1}, {stage => 'mail', nth => 4, close => 1}]);
    my $smtp = Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, username => 'u',
        password => 'very secret', transcript => 1, timeout => 10 * $SLOW);
    my @receipts = map { $smtp->submit($MESSAGE, %mail) } 1, 2;
    is_deeply([map { $_->mechanism . $_->all_sent } @receipts], ['PLAIN1', 'PLAIN1'], 'logged in again');
    isnt($receipts[0]->timings, $receipts[1]->timings, 'timings are those of each connection');
    is(scalar(my @greeted = $receipts[1]->transcript->as_text =~ /^S: +220 /mg), 2, 'one transcript has both')
        or diag $receipts[1]->transcript->as_text;
    require Data::Dumper;
    unlike(Data::Dumper::Dumper($smtp, *$smtp{HASH}), qr/very secret/, 'no dump shows the password');
    my $start = time;
    my $error = attempt(sub { $smtp->submit($MESSAGE, %mail, deadline => 0.5 * $SLOW) });
    like($error->hint // "$error", qr/nor could another be had: .*deadline/s, 'the deadline holds over the second connection');
    cmp_ok(time - $start, '<', 5 * $SLOW, 'and ends it');
};

subtest 'a busy greeting' => sub {
    my $server = sandbox(faults => [{stage => 'greeting', nth => 1, reply => "421 4.3.2 Busy\r\n", close => 'after'}]);
    my $error = attempt(sub { client($server, reconnect => 0) });
    is($error->code, 421, 'told at once with reconnect => 0');
    $server = sandbox(faults => [{stage => 'greeting', nth => 1, reply => "421 4.3.2 Busy\r\n", close => 'after'}]);
    is(attempt(sub { client($server, deadline => 1.5) })->code, 421, 'and where time is short');
    $server = sandbox(faults => [{stage => 'greeting', nth => 1, reply => "421 4.3.2 Busy\r\n", close => 'after'}]);
    isa_ok(attempt(sub { client($server, deadline => 60) }), 'Net::SMTP::AuthC', 'otherwise it is called once more');
};

done_testing;
