# Binary messages: mail(Bits => 'binary'), bdat, bdatlast; and octets as they are by rawdatasend.
use strict;
use warnings;
use lib 't/lib';
use Both;
use Face;
use Test::More;
use TinyServer;

my @keywords = ('8BITMIME', 'BINARYMIME', 'CHUNKING', 'SIZE 10000000');

sub begun {
    my ($server, %option) = @_;
    my $smtp = client($server, %option);
    ok($smtp->mail('a@b.test', Bits => 'binary'), 'mail');
    ok($smtp->to('c@d.test'), 'to');
    return $smtp;
}

sub last_of { return ($_[0]->messages)[-1] }

subtest 'octets as they are' => sub {
    my $server = sandbox(keywords => \@keywords);
    my $smtp = begun($server);
    my @octets = ("one\n.two\r\n", join('', map { chr } 0 .. 255), ".\r\nrest");
    is($smtp->bdat($octets[0]), 1, 'bdat');
    is($smtp->bdat($octets[1]), 1, 'again');
    is($smtp->bdatlast($octets[2]), 1, 'bdatlast');
    is($smtp->code, 250, 'code');
    is(last_of($server)->data, join('', @octets), 'the message');
    is_deeply([map { $_->[1] } $smtp->_outcomes], ['sent'], 'its outcome');
    ok(!$smtp->bdatlast('x'), 'then the mode is over');
    ok($smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("text\n"), 'and a message by DATA goes');
    my @said = said($server, $smtp);
    is_deeply([grep { /\A(?:MAIL|BDAT|DATA)/ } @said], ['MAIL FROM:<a@b.test> BODY=BINARYMIME', 'BDAT 10', 'BDAT 256',
        'BDAT 7 LAST', 'MAIL FROM:<a@b.test>', 'DATA'], 'what was said');
};

subtest 'empty, large, wide' => sub {
    my $server = sandbox(keywords => \@keywords);
    my $smtp = begun($server);
    my $large = "x\0\r\n." x 120_000;
    is($smtp->bdat(''), 1, 'nothing');
    is($smtp->bdat($large), 1, 'more than a chunk takes');
    ok(!eval { $smtp->bdat("\x{100}"); 1 }, 'a character above 255 dies');
    like($@, qr/character above 255/, 'with the reason');
    is($smtp->bdatlast("\xe9"), 1, 'the end');
    is(last_of($server)->data, $large . "\xe9", 'the message');
    is_deeply([grep { /\ABDAT/ } said($server, $smtp)], ['BDAT 0', 'BDAT 262144', 'BDAT 262144', 'BDAT 75712',
        'BDAT 1 LAST'], 'the chunks');
};

subtest 'never true for what was not sent' => sub {
    my $server = sandbox(keywords => \@keywords);
    my $smtp = client($server);
    $smtp->mail('a@b.test');
    $smtp->to('c@d.test');
    is_deeply([warnings_of(sub {
        is($smtp->bdat('x'), !1, 'bdat in a message for DATA');
        is($smtp->code, 503, 'its code');
        like(scalar $smtp->message, qr/Bits => 'binary'/, 'and reason');
        like($smtp->error, qr/nothing was sent/, 'the error too');
        is($smtp->bdatlast('x'), !1, 'bdatlast');
    })], [], 'and no warning');
    $smtp = begun($server);
    is($smtp->data('x'), !1, 'data in a message for bdat');
    like(scalar $smtp->message, qr/bdat/, 'its reason');
    ok($smtp->reset, 'reset');
    is($smtp->bdat('x'), !1, 'ends the mode');
    $smtp = begun($server);
    $smtp->mail('a@b.test');
    is($smtp->code, 503, 'mail within a mail is refused');
    $smtp = begun($server);
    ok($smtp->bdat("half a message\n"), 'a chunk');
    ok($smtp->quit, 'quit without a last one');
    is(scalar(my @messages = $server->messages), 0, 'nothing has arrived');
    close $smtp;
    is($smtp->bdat('x'), !1, 'on a closed connection') ;
};

subtest 'refused and lost' => sub {
    my $server = sandbox(keywords => \@keywords, faults => [{stage => 'bdat', match => qr/\A3/, reply => "552 5.3.4 no\r\n"}]);
    my $smtp = begun($server);
    is($smtp->bdat('abc'), !1, 'a chunk that is refused');
    is($smtp->code, 552, 'its code');
    is($smtp->error->kind, 'refused', 'its error');
    my $tiny = TinyServer->start(TinyServer->agree(EHLO => "250-me\r\n250-CHUNKING\r\n250 BINARYMIME\r\n",
        BDAT => sub { exit }));
    $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $tiny->port, Timeout => 20);
    $smtp->mail('a@b.test', Bits => 'binary') && $smtp->to('c@d.test');
    is($smtp->bdatlast("x\n"), !1, 'no reply to the last chunk');
    is_deeply([$smtp->code, $smtp->error->may_have_been_sent], [421, 1], 'it may have been sent');
    is(($smtp->_outcomes)[0][1], 'unknown', 'the outcome');
};

subtest 'options of Bits' => sub {
    my $server = sandbox(keywords => ['8BITMIME', 'BINARYMIME']);
    my $smtp = client($server);
    is(scalar warnings_of(sub { $smtp->mail('a@b.test', Bits => 'binary') }), 1, 'without CHUNKING there is a warning');
    is($smtp->bdat('x'), !1, 'and no bdat');
    is((grep { /\AMAIL/ } said($server, $smtp))[-1], 'MAIL FROM:<a@b.test>', 'and no BODY');
};

subtest 'by words' => sub {
    my $server = sandbox(keywords => \@keywords);
    my $smtp = begun($server, class => 'ByWords');
    is($smtp->bdat("one\n") && $smtp->bdatlast("two\n"), 1, 'a class with its own command');
    is_deeply([@ByWords::said[-2, -1]], ['BDAT 4', 'BDAT 4 LAST'], 'hears of it');
    is(last_of($server)->data, "one\ntwo\n", 'the message');
    $smtp = begun($server);
    is($smtp->_BDAT(6, 'LAST'), $smtp, '_BDAT');
    is($smtp->rawdatasend('a', 'bc'), 1, 'its octets');
    is($smtp->rawdatasend('more than that'), 0, 'too many');
    is($smtp->rawdatasend(['def']), 1, 'the rest');
    is($smtp->response, 2, 'the reply');
    is(last_of($server)->data, 'abcdef', 'the message');
    $smtp = begun($server);
    $smtp->command('BDAT 5');
    is($smtp->response, 5, 'a reply is not to be had before the octets');
    ok($smtp->noop, 'and an announcement without octets was none');
    my $large = 'y' x 600_000;
    $smtp->command('BDAT', length $large, 'LAST');
    ok($smtp->rawdatasend($large), 'a large one');
    is($smtp->response, 2, 'its reply');
    is(last_of($server)->data, $large, 'the message');
};

subtest 'rawdatasend in a message' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
    ok($smtp->rawdatasend("one\r\n..two\r\n.", ".three\r\n"), 'text with its dots doubled');
    ok($smtp->rawdatasend('.') && $smtp->rawdatasend(".four\r\nf") && $smtp->rawdatasend(".ve\r\n"), 'in pieces');
    ok($smtp->dataend, 'dataend');
    is(last_of($server)->wire, "one\r\n..two\r\n..three\r\n..four\r\nf.ve\r\n.\r\n", 'the octets are those');
    is($smtp->rawdatasend('x'), 0, 'outside of a message: nothing');
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
    is($smtp->rawdatasend("text\r\n.\r\nMAIL FROM:<x>\r\n"), 0, 'a dot alone does not end the message');
    is($smtp->_state, 'closed', 'but the connection');
    is(scalar(my @messages = $server->messages), 1, 'nothing has arrived of it');
};

my $both = sandbox(keywords => \@keywords);
my $begin = sub { $_[0]->mail('a@b.test', Bits => 'binary'); $_[0]->to('c@d.test') };
same_on_both($both,
    ['bdat', sub { $begin->($_[0]); $_[0]->bdat("x\n.y") }],
    ['bdatlast', sub { $begin->($_[0]); $_[0]->bdat('x'); $_[0]->bdatlast('') }],
    ['bdat outside', sub { $_[0]->bdat('x') }, 'false, and a reason (B9)'],
    ['data in bdat mode', sub { $begin->($_[0]); $_[0]->data('x') }, 'false, and a reason (B9)'],
);

done_testing;

package ByWords;
our (@ISA, @said);
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub command { my $self = shift; push @said, "@_"; return $self->SUPER::command(@_) }
