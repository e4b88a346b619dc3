# Net::SMTP::AuthC::Ledger: one mail for one key: shown again, posted twice, cut short, killed at any moment.
# valgrind: no
use strict;
use warnings;
use utf8;
use File::Temp;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Ledger;
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

delete $ENV{GATEWAY_INTERFACE};
my $temp = File::Temp->newdir('authc-ledger-XXXXXXXX', TMPDIR => 1);
my $count = 0;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub folder  { return "$temp/" . ++$count }

sub order {
    my ($server, $folder, @more) = @_;
    return Net::SMTP::AuthC->send_mail(
        server => 'smtp://localhost:' . $server->port . '?tls=none', from => 'shop@x.test', to => 'c@x.test',
        subject => 'Order 1001', text => "Thank you.\n", once => 'order-1001', ledger => $folder, @more);
}

sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

# The code in a process of its own; what it returns is what finish has, '' when it was killed.
sub start {
    my ($code) = @_;
    pipe my $read, my $write or die "pipe: $!";
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        my $words = eval { $code->() } // "died: $@";
        syswrite $write, $words;
        POSIX::_exit(0);
    }
    return {pid => $pid, read => $read};
}

sub finish {
    my ($child) = @_;
    my $words = '';
    1 while sysread $child->{read}, $words, 4096, length $words;
    waitpid $child->{pid}, 0;
    return $words;
}

# Until the ledger says so; the child is killed then.
sub kill_at {
    my ($child, $folder, $state) = @_;
    my $end = time + 20;
    my $ledger;
    until (($ledger ||= -d $folder && Net::SMTP::AuthC::Ledger->new($folder))
        && ($ledger->state('order-1001') // '') eq $state) {
        return fail("never $state") if time > $end;
        sleep 0.01;
    }
    kill KILL => $child->{pid};
    finish($child);
    return $ledger;
}

subtest 'again and again' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 Who?'});
    my $folder = folder();
    my @to     = (to => ['c@x.test', 'no@x.test']);
    my $first  = order($server, $folder, @to);
    ok(!$first->repeated, 'the first is the first');
    my $second = order($server, $folder, @to);
    ok($second->repeated, 'the second says so');
    is($server->messages, 1, 'one mail');
    is($server->sessions, 1, 'and nobody was called again');
    is($second->$_, $first->$_, $_) for qw(text code enhanced message_id bytes);
    is_deeply([$second->recipients], [$first->recipients], 'the recipients and their answers');
    is($server->messages && ($server->messages)[0]->header('Message-ID'), $second->message_id, 'the mail is that');
    ok(!order($server, $folder, once => 'order-1002')->repeated, 'another key, another mail');
    ok(!order($server, $folder, once => "Bestellung \x{263A}")->repeated, 'of any characters');
    ok(!order($server, folder())->repeated, 'in another folder, too');
    is($server->messages, 4, 'four mails in all');
    is((stat $folder)[2] & 0777, 0700, 'the folder that was made is ours alone');
    is_deeply([grep { ((stat)[2] & 0777) != 0600 } glob "$folder/*"], [], 'so are its files');
    is_deeply([grep { !m{/[0-9a-f]{64}\z} } glob "$folder/*"], [], 'whose names are digests');
};

subtest 'many at once' => sub {
    my $server = sandbox(faults => [{stage => 'end', delay => 0.2}]);
    my $folder = folder();
    my @children = map { start(sub { my $r = order($server, $folder); ($r->repeated ? 'again ' : 'first ') . $r->text }) } 1 .. 6;
    my @words = map { finish($_) } @children;
    is($server->messages, 1, 'one mail');
    is(scalar(grep { /\Afirst / } @words), 1, 'one sent it');
    is(scalar(grep { /\Aagain / } @words), 5, 'the others waited for it') or diag "@words";
    is(scalar(keys %{{ map { substr($_, 6) => 1 } @words }}), 1, 'and say the same');
};

subtest 'a failure that is none of the mail frees the key' => sub {
    for my $stage (qw(greeting ehlo mail rcpt data)) {
        my $server = sandbox(faults => [{stage => $stage, nth => 1, close => 1}]);
        my $folder = folder();
        my $error  = error_of(sub { order($server, $folder) });
        ok(ref $error && !$error->may_have_been_sent, "cut at $stage") or diag $error;
        is(Net::SMTP::AuthC::Ledger->new($folder)->state('order-1001'), 'failed', 'is noted');
        ok(!order($server, $folder)->repeated, 'and the next call sends');
        is($server->messages, 1, 'the one mail');
    }
    for my $reply ("451 4.3.0 Later\r\n", "554 5.7.1 Spam\r\n") {
        my $server = sandbox(faults => [{stage => 'end', nth => 1, reply => $reply}]);
        my $folder = folder();
        like(error_of(sub { order($server, $folder) }), qr/Later|Spam/, 'the server does not want it');
        ok(!order($server, $folder)->repeated, 'the next call sends');
        ok(order($server, $folder)->repeated, 'and no other');
    }
};

subtest 'what may be out is not sent again' => sub {
    my $server = sandbox(faults => [{stage => 'end', nth => 1, close => 1}]);
    my $folder = folder();
    my $first  = error_of(sub { order($server, $folder) });
    is($first->kind . $first->may_have_been_sent, 'closed1', 'cut before the answer');
    my $second = error_of(sub { order($server, $folder) });
    is($second->kind . $second->may_have_been_sent, 'interrupted1', 'the second call tells');
    like($second, qr/\Aonce: the mail "order-1001" was handed over at 20\S+ \S+ UTC: .*forget.* at \Q$0\E line /, 'in words');
    is(($second->receipt->unknown)[0]->address, 'c@x.test', 'with the recipients');
    is($second->receipt->message_id, $first->receipt->message_id, 'and the Message-ID');
    is($server->sessions, 1, 'nobody was called for it');
    my $ledger = Net::SMTP::AuthC::Ledger->new($folder);
    is($ledger->state('order-1001'), 'unknown', 'the ledger says so');
    is($ledger->forget('order-1001'), 1, 'who has looked may free the key');
    is($ledger->forget('order-1001'), 0, 'once');
    ok(!order($server, $folder)->repeated, 'and send it');
};

subtest 'killed' => sub {
    my $slow   = sandbox(faults => [{stage => 'data', silent => 1}]);
    my $server = sandbox();
    my $folder = folder();
    my $ledger = kill_at(start(sub { order($slow, $folder)->text }), $folder, 'begun');
    is($ledger->state('order-1001'), 'begun', 'before the end of the mail left');
    ok(!order($server, $folder)->repeated, 'the next call sends');
    is($server->messages, 1, 'the one mail');

    $slow   = sandbox(faults => [{stage => 'end', nth => 1, silent => 1}]);
    $folder = folder();
    kill_at(start(sub { order($slow, $folder)->text }), $folder, 'ending');
    my $error = error_of(sub { order($slow, $folder) });
    ok(ref $error && $error->may_have_been_sent, 'behind the end: nobody knows') or diag $error;
    like($error, qr/ended before it had the answer/, 'which is told');
    is(($error->receipt->recipients)[0]->outcome, 'unknown', 'of each recipient');
    is($slow->sessions, 1, 'and nobody was called again');

    $server = sandbox();
    $folder = folder();
    my $note = Net::SMTP::AuthC::Ledger::Entry->can('note');
    finish(start(sub {
        no warnings 'redefine';
        local *Net::SMTP::AuthC::Ledger::Entry::note = sub { $_[1] eq 'sent' ? POSIX::_exit(9) : goto &$note };
        order($server, $folder)->text;
    }));
    is($server->messages, 1, 'between the answer and its note: it was sent');
    ok(ref error_of(sub { order($server, $folder) }), 'and is not sent again');
    is($server->messages, 1, 'one mail');
};

subtest 'Perl code that dies in the call' => sub {
    my $server = sandbox(faults => [{stage => 'mail', nth => 1, silent => 1}]);
    my $folder = folder();
    local $SIG{ALRM} = sub { die "alarm\n" };
    Time::HiRes::alarm(0.2);
    is(error_of(sub { order($server, $folder) }), "alarm\n", 'before the end');
    ok(!order($server, $folder)->repeated, 'the next call sends');
    $server = sandbox(faults => [{stage => 'end', nth => 1, silent => 1}]);
    $folder = folder();
    my $sync = Net::SMTP::AuthC::Ledger::Entry->can('_sync_folder');
    no warnings 'redefine';
    local *Net::SMTP::AuthC::Ledger::Entry::_sync_folder = sub { $sync->(@_); Time::HiRes::alarm(0.2) };
    is(error_of(sub { order($server, $folder) }), "alarm\n", 'behind the end');
    my $error = error_of(sub { order($server, $folder) });
    ok(ref $error && $error->may_have_been_sent, 'nobody knows');
};

subtest 'a ledger that cannot be written' => sub {
    my $server = sandbox();
    my $folder = folder();
    my $write  = Net::SMTP::AuthC::Ledger::Entry->can('_write');
    for my $state (qw(begun ending sent)) {
        no warnings 'redefine';
        local *Net::SMTP::AuthC::Ledger::Entry::_write = sub {
            $_[1] =~ /"state":"$state"/ ? $_[0]->_die('No space left on device') : goto &$write;
        };
        my @warnings;
        local $SIG{__WARN__} = sub { push @warnings, @_ };
        my $error = error_of(sub { order($server, $folder, once => $state) });
        is($server->messages, $state eq 'sent' ? 1 : 0, "$state: it is sent only if that can be noted first");
        like("$error@warnings", qr/No space left/, 'and told');
        is($error, 'no error', 'but not as a failure to send') if $state eq 'sent';
    }
    ok(!order($server, $folder, once => $_)->repeated, "$_: can be sent later") for qw(begun ending);
    ok(ref error_of(sub { order($server, $folder, once => 'sent') }), 'sent: not again, though nobody could note it');
    is($server->messages, 3, 'each once');
};

subtest 'files as a crash or a stranger leaves them' => sub {
    my $server = sandbox();
    my $folder = folder();
    order($server, $folder);
    my ($path) = glob "$folder/*";
    my @line = do { open my $file, '<', $path or die $!; <$file> };
    is(scalar @line, 3, 'begun, ending, sent: a line each');
    for (['' => 0], [$line[0] => 0], [substr($line[0], 0, 9) => 0], ["$line[0]" . substr($line[1], 0, 9) => 0],
        ["$line[0]\0\0\0\0" => 0], ["$line[0]$line[1]" => 1], ["$line[0]$line[1]" . substr($line[2], 0, -1) => 1],
        ["garbage\n" => 1], ["@line[0, 1]\0\0\n" => 1], ["[]\n" => 1], [qq({"state":"odd"}\n) => 1]) {
        my ($text, $is_taken) = @$_;
        open my $file, '>', $path or die $!;
        print {$file} $text;
        close $file or die $!;
        my $before = $server->messages;
        my $error  = error_of(sub { order($server, $folder) });
        is(ref $error ? $error->may_have_been_sent : $error, $is_taken ? 1 : 'no error', 'of ' . length($text) . ' octets');
        is($server->messages, $before + !$is_taken, $is_taken ? 'is not sent' : 'is sent');
        next if $is_taken;
        ok(order($server, $folder)->repeated, 'and that can be read');
        open $file, '<', $path or die $!;
        is(join('', grep { !/\A\{[^{]*"state":"\w+"[^}]*\}\n\z/ } grep { !/recipients/ } <$file>), '', 'line by line');
    }
    unlink $path;
    symlink "$temp/elsewhere", $path or die $!;
    like(error_of(sub { order($server, $folder) }), qr/ledger: /, 'a symbolic link is not followed');
    ok(!-e "$temp/elsewhere", 'and nothing is made elsewhere');
};

subtest 'a file that goes while its lock is waited for' => sub {
    my $server = sandbox();
    my $folder = folder();
    Net::SMTP::AuthC::Ledger->new($folder);
    my $entry = Net::SMTP::AuthC::Ledger::Entry->new($folder, 'order-1001');
    $entry->lock(1);
    my @children = map { start(sub { order($server, $folder)->repeated ? 'again' : 'first' }) } 1 .. 2;
    sleep 0.3;
    unlink glob "$folder/*";
    undef $entry;
    is(join(' ', sort map { finish($_) } @children), 'again first', 'those who wait agree on the new one');
    is($server->messages, 1, 'one mail');

    my $try = Net::SMTP::AuthC::Ledger::Entry->can('_try_lock');
    my $is_first = 1;
    no warnings 'redefine';
    local *Net::SMTP::AuthC::Ledger::Entry::_try_lock = sub {
        unlink $_[0]{path} if $is_first-- > 0;    # the cleanup, between our open and our lock
        goto &$try;
    };
    $entry = Net::SMTP::AuthC::Ledger::Entry->new($folder, 'order-1001');
    ok($entry->lock(1), 'it goes between open and lock');
    is((stat $entry->{path})[1], (stat $entry->{file})[1], 'what is locked is what others find');
};

subtest 'a message that is sent again within the call, as nobody had got it' => sub {
    my $folder  = folder();
    my $message = Net::SMTP::AuthC::Message->new(from => 'a@x.test', to => 'c@x.test', text => 'x');
    my $ledger  = Net::SMTP::AuthC::Ledger->new($folder);
    my @states;
    my $error = error_of(sub {
        Net::SMTP::AuthC::Ledger->once({once => 'k', ledger => $folder}, $message, sub {
            for (1 .. 2) {
                my $next = $_[0]->pieces;
                push @states, $ledger->state('k');
                1 while defined $next->();
                push @states, $ledger->state('k');
            }
            $_[0]->pieces;
            die "killed\n";
        });
    });
    is("$error@states", "killed\nbegun ending begun ending", 'the state follows');
    is($ledger->state('k'), 'failed', 'and is that of the last attempt');
};

subtest 'another process takes too long' => sub {
    my $server = sandbox();
    my $folder = folder();
    Net::SMTP::AuthC::Ledger->new($folder);
    my $entry = Net::SMTP::AuthC::Ledger::Entry->new($folder, 'order-1001');
    $entry->lock(1);
    my $error = error_of(sub { order($server, $folder, deadline => 0.2) });
    is($error->kind . $error->may_have_been_sent, 'timeout1', 'the deadline holds, and nobody knows');
    like($error, qr/another process is still sending/, 'why');
    is(Net::SMTP::AuthC::Ledger->new($folder)->forget('order-1001'), 0, 'what is under way is not forgotten');
    undef $entry;
    ok(!order($server, $folder, deadline => 20)->repeated, 'later it can be sent');
};

subtest 'arguments' => sub {
    my $server = sandbox();
    my $folder = folder();
    mkdir "$temp/open" or die $!;
    chmod 0777, "$temp/open" or die $!;
    for my $case (['once without ledger', ledger => undef], ['once: a key', once => undef], ['once: a key', once => ''],
        ['once: a key', once => 'x' x 1001], ['once: a key', once => []], ['ledger: the path', ledger => ''],
        ["ledger: $0 is no folder", ledger => $0], ['ledger: everybody may write', ledger => "$temp/open"],
        ["ledger: $temp/none/one: No such file", ledger => "$temp/none/one"]) {
        my ($text, @option) = @$case;
        like(error_of(sub { order($server, $folder, @option) }), qr/\A\Q$text\E.* at \Q$0\E line [0-9]+\.\n\z/, $text);
    }
    is($server->sessions, 0, 'for all that nobody was called');
    order($server, $folder);
    like(error_of(sub { order($server, $folder, to => 'shop@x.test') }), qr/"order-1001" is the key of a mail to others/,
        'one key for two mails is told');
    order($server, folder(), allow_at_load => 1, deadline => 0);
    is($server->messages, 2, 'allow_at_load and deadline => 0 are taken');
};

subtest 'who looks after it' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 Who?'}, faults => [{stage => 'end', nth => 2, close => 1}]);
    my $folder = folder();
    order($server, $folder, once => 'sent');
    eval { order($server, $folder, once => 'unknown') };
    eval { order($server, $folder, once => 'failed', to => 'no@x.test') };
    my $ledger = Net::SMTP::AuthC::Ledger->new($folder);
    is_deeply([sort map { "$_->{key} $_->{state}" } $ledger->entries], ['failed failed', 'sent sent', 'unknown unknown'],
        'entries: all of them');
    is($ledger->state('nothing'), undef, 'state of what is not there');
    is($ledger->cleanup(days => 1), 0, 'cleanup: nothing is old');
    utime 1, 1, $_ for glob "$folder/*";
    is($ledger->cleanup(days => 1), 2, 'what is known goes');
    is_deeply([map { $_->{key} } $ledger->entries], ['unknown'], 'what is not known stays');
    is($ledger->cleanup(days => 1, unknown => 1), 1, 'unless it is to go');
    for my $case (['cleanup: days', ()], ['days: a number', days => 'x'], ['unknown option "age"', days => 1, age => 1]) {
        my ($text, @option) = @$case;
        like(error_of(sub { $ledger->cleanup(@option) }), qr/\A\Q$text/, $text);
    }
};

subtest 'taint mode: a key from a form' => sub {
    my $server = sandbox();
    my $folder = folder();
    open my $perl, '-|', $^X, '-T', (map { "-I$_" } @INC), '-MNet::SMTP::AuthC', '-e', <<'PERL', $server->port, $folder or die $!;
        my ($port, $given) = @ARGV;
        my ($folder) = $given =~ /(.*)/;
        print Net::SMTP::AuthC->send_mail(server => "smtp://localhost:$port?tls=none", from => 'a@x.test', to => 'c@x.test',
            text => 'x', once => "order-$port", ledger => $folder)->repeated ? "again\n" : "first\n" for 1 .. 2;
PERL
    is(join('', <$perl>), "first\nagain\n", 'is taken');
};

done_testing;
