# The faults of Net::SMTP in the message that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use BothClasses;
use Face;
use Test::More;

sub mails { return scalar(my @messages = $_[0]->messages) }

bug 7 => 'a command during DATA never ends the message', sub {
    my ($class) = @_;
    my $server = sandbox();
    for my $call (['quit'], ['reset'], ['data'], ['hello'], ['help'], [mail => 'a@b.test'], [to => 'c@d.test'],
        [verify => 'x'], [expand => 'x']
    ) {
        my ($method, @argument) = @$call;
        my $smtp = ready($server, class => $class);
        $smtp->data;
        $smtp->datasend("the first half\n");
        expect "$method is", truth(scalar $smtp->$method(@argument)), 'false';
        expect "dataend after $method", outcome(sub { $smtp->dataend }), 0;
        expect "$method: the connection was given up", truth(!defined fileno $smtp), 'true';
    }
    my $smtp = ready($server, class => $class);
    $smtp->data;
    $smtp->datasend("dropped\n");
    undef $smtp;
    said($server);
    expect 'mails that came of it', mails($server), 0;
};

bug 8 => 'text before DATA is not said as commands', sub {
    my ($class) = @_;
    my $server = sandbox();
    my $smtp = client($server, class => $class);
    expect 'dataend has nothing to end', $smtp->dataend, 1;
    expect 'datasend', $smtp->datasend("RSET\nNOOP\n"), 0;
    expect 'its code', $smtp->code, 503;
    expect 'mail', $smtp->mail('a@b.test'), 1;
    my (undef, @said) = said($server, $smtp);
    expect 'what was said', join(' | ', @said), 'MAIL FROM:<a@b.test>';
};

# A transaction that began with Bits => 'binary'.
sub binary {
    my ($server, $class) = @_;
    local $SIG{__WARN__} = sub { };
    my $smtp = client($server, class => $class);
    $smtp->mail('a@b.test', Bits => 'binary') && $smtp->to('c@d.test') or die $smtp->message;
    return $smtp;
}

bug 9 => 'never true without sending', sub {
    my ($class) = @_;
    local $SIG{__WARN__} = sub { };
    my @capable = (keywords => ['8BITMIME', 'BINARYMIME', 'CHUNKING']);
    my $server = sandbox(@capable);
    my $smtp = binary($server, $class);
    expect 'data after Bits => binary, and mails', truth($smtp->data("text\n")) . ' ' . mails($server),
        qr/\A(?:true 1|false 0)\z/;
    $server = sandbox(@capable);
    $smtp = ready($server, class => $class);
    expect 'bdatlast without it, and mails', truth(eval { $smtp->bdatlast("text\n") }) . ' ' . mails($server),
        qr/\A(?:true 1|false 0)\z/;
};

bug 9 => 'nor after a DATA that was refused', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [{stage => 'data', reply => "554 5.5.1 no\r\n"}]);
    my $smtp = ready($server, class => $class);
    $smtp->data;
    $smtp->datasend("text\n");
    expect 'dataend', truth($smtp->dataend), 'false';
};

bug 9 => 'BDAT sends what it is given, and ends with its message', sub {
    my ($class) = @_;
    my $server = sandbox(keywords => ['8BITMIME', 'BINARYMIME', 'CHUNKING']);
    my $smtp = binary($server, $class);
    my ($one, $two) = ("a\0\r", "\n.\n\xff");
    expect 'bdat', outcome(sub { $smtp->bdat($one) }), 1;
    expect 'bdatlast', outcome(sub { $smtp->bdatlast($two) }), 1;
    my ($mail) = $server->messages;
    expect 'the mail', $mail && $mail->data, $one . $two;
    expect 'the next mail', $smtp->mail('a@b.test') && $smtp->to('c@d.test'), 1;
    expect 'its data', $smtp->data("text\n"), 1;
    expect 'mails', mails($server), 2;
};

bug 12 => 'a message that lacks a piece is not ended', sub {
    my ($class) = @_;
    my $server = sandbox();
    my $smtp = ready($server, class => $class);
    $smtp->data;
    $smtp->datasend("first\n");
    expect 'a wide character', outcome(sub { $smtp->datasend("\x{263a}") }), qr/\Adies: /;
    expect 'dataend', $smtp->dataend, 0;
    said($server, $smtp);
    expect 'mails', mails($server), 0;
};

bug 26 => "the handle's print takes all its arguments, and there are printf and syswrite", sub {
    my ($class) = @_;
    my $server = sandbox();
    my $smtp = ready($server, class => $class);
    my $handle = $smtp->datafh;
    expect 'print', truth(outcome(sub { print {$handle} "a\n", "b\n" })), 'true';
    expect 'printf', outcome(sub { printf {$handle} "%s%d\n", 'c', 3 }), 1;
    expect 'syswrite', outcome(sub { syswrite $handle, "xd\n", 2, 1 }), 2;
    expect 'close', outcome(sub { close $handle }), 1;
    my ($mail) = $server->messages;
    expect 'the mail', $mail && $mail->data, "a\r\nb\r\nc3\r\nd\r\n";
};

done_testing;
