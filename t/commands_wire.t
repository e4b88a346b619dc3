# The octets of a classic session, all of them, in their order, and never one before the reply that it needs.
use strict;
use warnings;
use File::Temp;
use IO::Socket::INET;
use lib 't/lib';
use Face;
use Test::More;

# A server that answers each line by its first word and keeps what it got. Returns its port and a sub that gives that.
sub recorder {
    my %reply = @_;
    my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
    my $file = File::Temp->new;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        record($listener, "$file", %reply);
        require POSIX;
        POSIX::_exit(0);
    }
    my $port = $listener->sockport;
    close $listener;
    return ($port, sub {
        waitpid $pid, 0;
        open my $handle, '<:raw', "$file" or die "$file: $!";
        local $/;
        return scalar <$handle>;
    });
}

sub record {
    my ($listener, $path, %reply) = @_;
    open my $record, '>:raw', $path or die "$path: $!";
    alarm 20;
    my $socket = $listener->accept or return;
    my ($in_data, $buffer) = (0, '');
    syswrite $socket, "220 fake.example hi\r\n";
    while (sysread $socket, $buffer, 65536, length $buffer) {
        next if $buffer !~ /\n\z/ || $in_data && $buffer !~ /(?:\A|\n)\.\r\n\z/;
        print {$record} $buffer;
        print {$record} "(more than one line at once)\n" if !$in_data && $buffer =~ /\n./;
        my ($word) = $in_data ? '.' : $buffer =~ /\A(\S+)/;
        $in_data = $word eq 'DATA';
        $buffer = '';
        syswrite $socket, $reply{$word} // "250 ok\r\n";
        last if $word eq 'QUIT';
    }
    close $record;
    return;
}

my @replies = (
    EHLO => join('', map { "250-$_\r\n" } 'fake.example hi', 'SIZE 100000', '8BITMIME', 'DSN', 'PIPELINING')
        . "250 AUTH LOGIN\r\n",
    AUTH => "334 VXNlcm5hbWU6\r\n", 'dXNlcg==' => "334 UGFzc3dvcmQ6\r\n", 'cGFzcw==' => "235 ok\r\n",
    DATA => "354 go\r\n", QUIT => "221 bye\r\n",
);

sub session {
    my ($smtp) = @_;
    $smtp->auth('user', 'pass') if $smtp->isa('Net::SMTP::AuthC');
    $smtp->mail('a@b', Size => 100, Return => 'FULL', Bits => 8, Envelope => 'x y+z', AUTH => '');
    $smtp->to('c@d', {Notify => ['SUCCESS', 'failure'], ORcpt => 'rfc822;c@d'});
    $smtp->data;
    $smtp->datasend("Subject: x\n\n.dot\nlast");
    $smtp->dataend;
    return $smtp->quit;
}

my $login = "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n";
my $want = join '', map { "$_\r\n" } "EHLO $OWN_NAME", 'AUTH LOGIN', 'dXNlcg==', 'cGFzcw==',
    'MAIL FROM:<a@b> SIZE=100 RET=FULL BODY=8BITMIME ENVID=x+20y+2Bz AUTH=<>',
    'RCPT TO:<c@d> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@d', 'DATA', 'Subject: x', '', '..dot', 'last', '.', 'QUIT';

my ($port, $got) = recorder(@replies);
my @open = (Timeout => 10, insecure_cleartext_auth => 1);
is(session(Net::SMTP::AuthC->new('127.0.0.1', Port => $port, @open)), 1, 'a session');
is($got->(), $want, 'its octets');

my ($plain_port, $plain) = recorder(@replies, EHLO => "250-fake.example\r\n250 AUTH PLAIN\r\n", AUTH => "235 ok\r\n");
my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $plain_port, @open);
$smtp->auth('user', 'pass') && $smtp->quit;
is($plain->(), "EHLO $OWN_NAME\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nQUIT\r\n",
    'AUTH PLAIN in one line, without authorization identity');

SKIP: {
    skip 'no Net::SMTP here', 1 if !has_net_smtp();
    my ($port, $got) = recorder(@replies);
    session(Net::SMTP->new('127.0.0.1', Port => $port, Timeout => 10));
    my $same = $got->() eq $want =~ s/\Q$login\E//r;
    note 'Net::SMTP ', Net::SMTP->VERSION, $same ? ' says the same, but for AUTH' : ' says something else';
    pass('Net::SMTP itself was looked at');
}

done_testing;
