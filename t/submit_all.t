# submit_all: options, messages that are wrong, callers' code that dies, a receipt for each message whatever happens, in
# order, in constant memory.
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $SLOW = $ENV{NET_SMTP_AUTHC_SLOW} || 1;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub client {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 5 * $SLOW, @more);
}
sub item { my ($n, @more) = @_; return {message => "Subject: $n\n\n$n\n", tag => $n, @more} }
sub items { return map { item($_) } @_ }
sub outcomes { return join ',', map { $_->outcome } $_[0]->recipients }

# What all receipts said, and what it died of or how many there were.
sub stream {
    my ($smtp, $messages, @given) = @_;
    my @told;
    my $count = eval {
        $smtp->submit_all($messages, from => 'a@x.test', to => 'b@x.test',
            on_receipt => sub { push @told, ($_[1]{tag} // '-') . '=' . outcomes($_[0]) }, @given);
    };
    return (join(' ', @told), $count // $@);
}
sub ids { my ($server) = @_; return join ' ', map { $_->header('Subject') } $server->messages }

for my $manner (['groups of DATA'], ['BDAT', chunking => 1], ['one flight', one_flight => 1], ['a window', window => 8]) {
    my ($what, @option) = @$manner;
    my $server = sandbox();
    my $smtp = client($server);
    my ($told, $count) = stream($smtp, [items(1 .. 20)], @option);
    is($told, join(' ', map { "$_=sent" } 1 .. 20), "$what: a receipt for each, in order");
    is($count, 20, '... counted');
    is(ids($server), join(' ', 1 .. 20), '... and they are there');
    is(($server->messages)[0]->via, $what =~ /DATA/ ? 'DATA' : 'BDAT', '... in this manner');
    my @left = items(1 .. 3);
    ($told, $count) = stream($smtp, sub { shift @left }, @option);
    is("$told $count", '1=sent 2=sent 3=sent 3', '... an iterator, over the same connection');
    ok($smtp->submit("x\n", from => 'a@x.test', to => 'b@x.test')->all_sent, '... and one by itself');
    is(join('|', stream($smtp, [])), '|0', '... and none at all');
    is(scalar(my @sessions = $server->sessions), 1, '... one connection');
}

subtest 'receipts' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 No such user', 'later@x.test' => '450 4.2.1 Busy'});
    my $smtp = client($server, transcript => 1);
    my (@receipts, @items, @progress);
    $smtp->submit_all([item(1, to => ['b@x.test', 'no@x.test']), item(2, to => 'no@x.test', from => 'c@x.test'),
        {message => \"Message-ID: <3\@x>\n\n3\n", to => [['b@x.test', {notify => 'never'}]]},
        item(4, to => ['no@x.test', 'later@x.test']), item(5, to => ['no@x.test', 'b@x.test'], all_or_none => 1), item(6)],
        from => 'a@x.test', to => 'b@x.test', window => 3, on_progress => sub { push @progress, "@_" },
        on_receipt => sub { push @receipts, $_[0]; push @items, $_[1] });
    is(join(' ', map { outcomes($_) } @receipts), 'sent,refused refused sent refused,deferred refused,not-sent sent',
        'outcomes');
    is(join(' ', map { $_->error ? $_->error->kind : '-' } @receipts), '- refused - deferred refused -',
        'an error where nobody has it');
    is(join(' ', map { $_->code || '-' } @receipts), '250 550 250 - - 250', 'the words that counted');
    is($receipts[2]->message_id, '<3@x>', 'Message-ID');
    is($receipts[0]->bytes, 17, 'size');
    ok($receipts[0]->transcript, 'transcript');
    is(scalar(@progress) . " $progress[-1]", '6 6 ' . (17 * 5 + 24), 'progress');
    is($items[5]{tag}, 6, 'the item itself');
    is(join(' ', map { $_->from } $server->messages), 'a@x.test a@x.test a@x.test', 'from');
    is(($receipts[1]->recipients)[0]->text, 'No such user', 'text');
};

subtest 'messages that are wrong' => sub {
    my $server = sandbox(size_limit => 100);
    my @bad = ('no hash', {}, item(1, to => []), item(2, to => ['']), item(3, from => "a\r\nb"), item(4, form => 'x'),
        item(5, message => undef), item(6, message => {}), item(7, message => 'x' x 200), item(8, deadline => 3),
        item(9, to => undef), item(10, message => "\x{20ac}"), item(11, dsn => 3),
        item(12, from => 'a' x 3000 . '@x.test'), item(13, to => ['b@x.test', 'b' x 600 . '@x.test']));
    my (@errors, @given);
    my $count = client($server)->submit_all([@bad, item(20)], from => 'a@x.test', to => 'b@x.test', window => 4,
        on_receipt => sub { push @errors, $_[0]->error; push @given, $_[0] });
    is($count, @bad + 1, 'each is told');
    is(join(' ', map { defined && ref =~ /Error\z/ ? $_->kind : ref || '-' } @errors),
        join(' ', ('usage') x 8, 'refused', ('usage') x 6, '-'), 'with an error') or diag map { $_ // '' } @errors;
    is(ids($server), '20', 'the good one goes');
    is(outcomes($given[6]), 'not-sent', 'the others do not');
};

subtest 'wrong calls' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    for my $case ([undef], ['x'], [{}], [[], window => 0], [[], window => 51], [[], window => 'x'], [[], on_receipt => 1],
        [[], on_progress => []], [[], colour => 1], [[], 'x'], [[], deadline => 'x']) {
        is(eval { $smtp->submit_all(@$case); 1 } // $@->kind, 'usage', join ' ', map { $_ // 'undef' } @$case);
    }
    is($smtp->_state, 'idle', 'nothing was said');
};

subtest 'code that dies' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    my $n = 0;
    my ($told, $died) = stream($smtp, sub { die "enough\n" if ++$n == 5; return item($n) }, window => 3);
    is("$told $died", "1=sent 2=sent 3=sent 4=sent enough\n", 'the iterator: what is under way has its receipt');
    my $seen = '';
    eval {
        $smtp->submit_all([items(1 .. 9)], from => 'a@x.test', to => 'b@x.test', window => 3,
            on_receipt => sub { $seen .= $_[1]{tag}; die "full\n" if $_[1]{tag} == 2 });
    };
    is($@, "full\n", 'on_receipt');
    like($seen, qr/\A123?4?5?6?\z/, '... nothing more is begun, and what is under way is told');
    my $arrived = () = ids($server) =~ /\d+/g;
    is($arrived, 4 + length $seen, '... which is what arrived');
    ($told, $died) = stream($smtp, [items(1 .. 3)], on_progress => sub { die {code => 7} });
    is(ref $died && $died->{code}, 7, 'on_progress, with its object');
    ok($smtp->submit("x\n", from => 'a@x.test', to => 'b@x.test')->all_sent, 'the connection lives');
    local $SIG{USR1} = sub { die "signal\n" };
    my $hang = sandbox(faults => [{stage => 'end', nth => 2, delay => 0.3}]);
    ($told, $died) = stream(client($hang), sub { $n++; kill USR1 => $$ if $n == 8; return item($n) }, window => 1);
    is($died, "signal\n", 'a signal handler');
    is(join(' ', map { s/=.*//r } split ' ', $told), join(' ', 6 .. 5 + split ' ', $told), '... each is told once');
};

subtest 'content that cannot be read' => sub {
    for my $option ([], [window => 4]) {
        my $server = sandbox();
        my ($told, $count) = stream(client($server), [items(1), item(2, message => sub { die "disk\n" }), items(3 .. 5)],
            @$option);
        like($told, qr/\A1=(?:sent|unknown) 2=not-sent 3=sent 4=sent 5=sent\z/, 'the others go on: ' . "@$option");
        is($count, 5, '... all of them');
        unlike(ids($server), qr/2/, '... but that one');
    }
};

subtest 'a connection that ends' => sub {
    my %bye = (reply => "421 4.3.2 Bye\r\n", close => 'after');
    for my $case (['421 to MAIL', {stage => 'mail', nth => [4, 9], %bye}], ['closed at RCPT', {stage => 'rcpt', nth => 4, close => 1}],
        ['421 after the end', {stage => 'end', nth => 3, append => "421 4.3.2 Bye\r\n", close => 'after'}]) {
        my ($what, $fault) = @$case;
        my $server = sandbox(faults => [$fault]);
        my ($told, $count) = stream(client($server), [items(1 .. 12)]);
        is($count, 12, "$what: the rest goes over another connection");
        like($told, qr/\A(?:\d+=(?:sent|unknown) ?){12}\z/, '... none is lost');
        my %times;
        $times{$_}++ for split ' ', ids($server);
        is_deeply([sort { $a <=> $b } keys %times], [1 .. 12], '... all arrive');
        is(join(',', grep { $times{$_} > 1 } keys %times), '', '... and none twice');
    }
    my $server = sandbox(faults => [{stage => 'mail', nth => 4, %bye}]);
    my ($told, $died) = stream(client($server, reconnect => 0), [items(1 .. 9)]);
    is("$told", '1=sent 2=sent 3=sent 4=deferred', 'reconnect => 0 ends it there');
    is($died->code, 421, '... with the error');
    $server = sandbox(faults => [{stage => 'mail', %bye}]);
    ($told, $died) = stream(client($server), [items(1 .. 9)], window => 3);
    like($told, qr/\A1=deferred( \d=(?:deferred|not-sent))*\z/, 'where nothing comes through, nothing is tried again');
    is(scalar(my @sessions = $server->sessions), 1, '... over and over');
    $server = sandbox(faults => [{stage => 'mail', nth => 3, silent => 1}]);
    ($told, $died) = stream(client($server), [items(1 .. 9)], deadline => 0.4 * $SLOW);
    is("$told " . $died->kind, '1=sent 2=sent 3=not-sent timeout', 'the deadline');
    $server = sandbox();
    my $n = 0;
    ($told, $died) = stream(client($server), sub { $server->stop if ++$n == 4; return item($n) });
    like($told, qr/\A1=sent 2=sent 3=(?:sent|unknown|not-sent)( \d=not-sent)+\z/, 'a server that cannot be reached any more');
    is($died->kind, 'connect', '... that error');
};

subtest 'constant memory' => sub {
    plan skip_all => 'no /proc' if !-r "/proc/$$/statm";
    my $memory = sub { open my $file, '<', "/proc/$$/statm" or die $!; return (split ' ', readline $file)[1] * 4 };
    my $server = sandbox(keywords => ['PIPELINING', 'CHUNKING']);
    my $smtp = client($server);
    my $count = $ENV{NET_SMTP_AUTHC_SLOW} ? 50 : 400;
    my ($n, $first) = (0);
    my $text = 'x' x 70 . "\n";
    $smtp->submit_all(sub { return if ++$n > $count; $first = $memory->() if $n == $count / 2; return item($n, message => $text x 100) },
        from => 'a@x.test', to => 'b@x.test', window => 8, on_receipt => sub { });
    cmp_ok($memory->() - $first, '<', 600, 'kilobytes after twice as many messages');
};

done_testing;
