# The Net::SMTP face: data, datasend, dataend, datafh; the octets that arrive, and that nothing else does.
use strict;
use warnings;
use lib 't/lib';
use Face;
use Test::More;

# A client that is ready for DATA.
sub ready {
    my ($server, @more) = @_;
    my $smtp = client($server, @more);
    $smtp->mail('a@b.test') && $smtp->to('c@d.test') or die $smtp->message;
    return $smtp;
}

# The octets of the only message that came of the code.
sub arrives {
    my ($code, @more) = @_;
    my $server = sandbox(@more);
    my $smtp = ready($server);
    $code->($smtp);
    $smtp->quit;
    my ($message) = $server->messages;
    return $message ? $message->wire : undef;
}

subtest 'data(text)' => sub {
    for my $case (
        ['a string', ["a\nb\n"] => "a\r\nb\r\n.\r\n"], ['several', ["a\n", 'b', "c\n"] => "a\r\nbc\r\n.\r\n"],
        ['a list', [["a\n", "b\n"]] => "a\r\nb\r\n.\r\n"], ['no line end', ['a'] => "a\r\n.\r\n"],
        ['nothing', [''] => ".\r\n"], ['an empty list', [[]] => ".\r\n"], ['undef', [undef] => ".\r\n"],
        ['dots', [".\n..\n.x\n"] => "..\r\n...\r\n..x\r\n.\r\n"], ['CRLF', ["a\r\n.\r\n"] => "a\r\n..\r\n.\r\n"],
        ['octets', ["\xe9\xff\n"] => "\xe9\xff\r\n.\r\n"], ['a number', [17] => "17\r\n.\r\n"],
        ['CR alone', ["a\rb\n"] => "a\r\nb\r\n.\r\n"],
    ) {
        my ($name, $arguments, $want) = @$case;
        is(arrives(sub { is($_[0]->data(@$arguments), 1, "data: $name") }), $want, "what arrives: $name");
    }
    my $upgraded = "\xe9\n";
    utf8::upgrade($upgraded);
    is(arrives(sub { $_[0]->data($upgraded) }), "\xe9\r\n.\r\n", 'how Perl holds a string does not matter');
};

subtest 'data, datasend, dataend' => sub {
    is(arrives(sub {
        my ($smtp) = @_;
        is($smtp->data, 1, 'data');
        is($smtp->code, 354, 'its code');
        is($smtp->datasend("a\r"), 1, 'datasend');
        is($smtp->datasend("\n", '.', "b\n"), 1, 'several');
        is($smtp->datasend(["c\n", 'd']), 1, 'a list');
        is($smtp->datasend(''), 1, 'nothing');
        is($smtp->datasend, 1, 'not even that');
        is($smtp->dataend, 1, 'dataend');
        is($smtp->code, 250, 'its code');
        is($smtp->dataend, 1, 'dataend with nothing pending is true');
    }), "a\r\n..b\r\nc\r\nd\r\n.\r\n", 'what arrives');
    my $big = join '', map { "$_ " . 'x' x 60 . "\n" } 1 .. 30000;
    my $want = $big =~ s/\n/\r\n/gr . ".\r\n";
    ok(arrives(sub { $_[0]->data($big) }) eq $want, '2 MB in one piece');
    ok(arrives(sub { my ($smtp) = @_; $smtp->data; $smtp->datasend($_) for $big =~ /(.{1,7777})/gs; $smtp->dataend })
        eq $want, '2 MB in pieces');
};

subtest 'refusals' => sub {
    my $server = sandbox(faults => [{stage => 'data', nth => 1, reply => "451 later\r\n"},
        {stage => 'end', nth => 1, reply => "554 5.6.0 spam\r\n"}]);
    my $smtp = ready($server);
    is($smtp->data("never\n"), !1, 'DATA is refused');
    is(join('|', $smtp->code, $smtp->message), "451|later\n", 'its reply');
    is($smtp->datasend("never\n"), 0, 'datasend then sends nothing');
    is($smtp->dataend, !1, 'dataend does not say that all is well');
    is($smtp->dataend, 1, 'once more there is nothing to end');
    is($smtp->data("text\n"), !1, 'the message is refused');
    is(join('|', $smtp->code, $smtp->message), "554|5.6.0 spam\n", 'its reply');
    is($smtp->error->step, 'end of data', 'the step');
    is($smtp->noop, 1, 'the connection goes on');
    is_deeply([grep { /never/ } said($server, $smtp)], [], 'nothing of the text was said as a command');
    $smtp = client($server);
    is($smtp->data, !1, 'DATA without MAIL');
    is($smtp->datafh, undef, 'datafh without MAIL');
};

subtest 'a goodbye right behind the yes' => sub {
    my $server = sandbox(faults => [{stage => 'end', append => "421 4.3.2 closing\r\n", close => 'after'}]);
    my $smtp = ready($server);
    is($smtp->data("text\n"), !!1, 'the message was taken');
    is($smtp->code, 250, 'and the reply is the one to it');
    is(scalar(my @messages = $server->wait_for(count => 1)), 1, 'once');
    is($smtp->mail('a@b.test'), !1, 'the connection is over');
};

subtest 'datafh' => sub {
    is(arrives(sub {
        my ($smtp) = @_;
        my $handle = $smtp->datafh;
        ok($handle, 'a handle');
        is(fileno $handle, fileno $smtp, 'fileno');
        ok(binmode $handle, 'binmode');
        ok(print({$handle} "a\n", 'b', "c\n"), 'print with several arguments');
        ok(printf({$handle} "%s-%03d\n", 'd', 7), 'printf');
        is(syswrite($handle, "xxe\nxx", 2, 2), 2, 'syswrite with length and offset');
        is(syswrite($handle, "f\n"), 2, 'syswrite');
        is(syswrite($handle, "yyg\n", 2, -2), 2, 'syswrite from the end');
        { local ($,, $\) = ('+', "!\n"); print {$handle} 'h', 'i' }
        ok($handle->print("j\n"), 'the method print');
        is(close $handle, 1, 'close');
        is($smtp->code, 250, 'the reply to the message');
        ok(!close $handle, 'close again');
        ok(!print({$handle} 'late'), 'print after it');
        ok(defined fileno $smtp, 'the connection is open');
    }), "a\r\nbc\r\nd-007\r\ne\r\nf\r\ng\r\nh+i!\r\nj\r\n.\r\n", 'what arrives');

    my $server = sandbox(faults => [{stage => 'end', nth => 2, reply => "552 too big\r\n"}]);
    my $smtp = ready($server);
    my $first = $smtp->datafh;
    print {$first} "one\n";
    close $first;
    $smtp->mail('a@b.test');
    $smtp->to('c@d.test');
    my $second = $smtp->datafh;
    print {$second} "two\n";
    ok(!print({$first} "in between\n"), 'a handle serves one message only');
    ok(!close $first, 'and does not end another');
    ok(!close $second, 'close says that the message was refused');
    is($smtp->code, 552, 'its code');
    is(($server->refused_messages)[0]->data, "two\r\n", 'that message');
};

subtest 'a piece that cannot be had' => sub {
    my $server = sandbox();
    my $smtp = ready($server);
    my $line;
    ok(!eval { $smtp->data("before \x{263a}\n"); 1 }, 'data dies of a wide character'); $line = __LINE__;
    like($@, qr/above 255.* line $line\.$/, 'with the line of the caller');
    is($smtp->noop, 1, 'nothing was said: the connection is as it was');
    is($smtp->data("good\n"), 1, 'and takes a message');
    for my $bad (["\x{263a}"], ['x', "\x{263a}"], [['x', "\x{263a}"]], [Dying->new]) {
        $smtp = ready($server);
        $smtp->data;
        $smtp->datasend("the first half\n");
        ok(!eval { $smtp->datasend(@$bad); 1 }, 'datasend dies');
        like($@, qr/above 255|no string/, 'with the reason');
        is($smtp->dataend, 0, 'dataend does not end the message');
        is($smtp->code, 421, 'the connection was given up');
    }
    $smtp = ready($server);
    my $handle = $smtp->datafh;
    ok(!eval { print {$handle} "\x{263a}"; 1 }, 'print dies'); $line = __LINE__;
    like($@, qr/ line $line\.$/, 'with the line of the caller');
    is(close $handle, 0, 'close fails');
    said($server);
    is_deeply([map { $_->data } $server->messages], ["good\r\n"], 'only the whole message was taken');
};

subtest 'the connection breaks' => sub {
    my $server = sandbox(faults => [{stage => 'content', after => 1000, close => 1}]);
    my $smtp = ready($server);
    ok(!$smtp->data(('x' x 70 . "\n") x 300_000), 'more than any socket holds');
    is($smtp->code, 421, 'its code');
    is($smtp->error->may_have_been_sent, 0, 'it cannot have been sent');
    is($smtp->datasend('x'), 0, 'datasend');
    is($smtp->dataend, 0, 'dataend');
    $server = sandbox(faults => [{stage => 'end', close => 1}]);
    $smtp = ready($server);
    ok(!$smtp->data("x\n"), 'no reply to the message');
    is($smtp->error->may_have_been_sent, 1, 'it may have been sent');
    like($smtp->error->message, qr/may have been sent/, 'and that is said');
};

done_testing;

package Dying;
use overload '""' => sub { die "no string\n" };
sub new { return bless [], $_[0] }
