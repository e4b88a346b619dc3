# The sandbox as an LMTP server: LHLO, a reply for each recipient, over TCP and a unix socket.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use IO::Socket::UNIX;
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use Test::More;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', lmtp => 1, @_) }

sub codes {
    my ($client, $count, @octets) = @_;
    $client->send(join '', @octets);
    return join ' ', map { substr $client->reply, 0, 3 } 1 .. $count;
}

sub ready {
    my ($client) = @_;
    $client->reply;
    like($client->say('LHLO me'), qr/\A250-.*^250[- ]PIPELINING\r$/ms, 'LHLO');
    return $client;
}

my $MAIL = "MAIL FROM:<a\@x.test>\r\n";
sub rcpt { return map { "RCPT TO:<$_\@x.test>\r\n" } @_ }

subtest 'introductions' => sub {
    my $server = sandbox();
    is($server->url, 'lmtp://localhost:' . $server->port, 'url');
    my $client = RawClient->connect($server->port);
    $client->reply;
    like($client->say($_), qr/\A500 /, $_) for 'EHLO me', 'HELO me';
    like($client->say('LHLO'), qr/\A501 /, 'LHLO without a name');
    like($client->say('LHLO me'), qr/\A250-/, 'LHLO');
    my $smtp = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
    $client = RawClient->connect($smtp->port);
    $client->reply;
    like($client->say('LHLO me'), qr/\A500 /, 'LHLO is not SMTP');
};

subtest 'a reply for each' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 No'}, faults => [
        {stage => 'end', match => qr/\Afull\@/, reply => "452 4.2.2 Full\r\n"},
        {stage => 'end', match => qr/\Agone\@/, reply => "550-5.2.1 Gone\r\n550 5.2.1 away\r\n"}]);
    my $client = ready(RawClient->connect($server->port));
    my $text = "x\r\n.\r\n";
    is(codes($client, 6, $MAIL, rcpt(qw(b no full gone)), "DATA\r\n"), '250 250 550 250 250 354', 'the envelope');
    is(codes($client, 3, $text), '250 452 550', 'one for each that was taken');
    is(codes($client, 4, $MAIL, rcpt(qw(b b)), "DATA\r\n") . codes($client, 2, $text), '250 250 250 354250 250',
        'also for one that is there twice');
    is(codes($client, 6, $MAIL, rcpt(qw(full b)), "BDAT 1\r\nx", "BDAT 0 LAST\r\n"), '250 250 250 250 452 250',
        'BDAT');
    is(codes($client, 3, $MAIL, rcpt('gone'), "DATA\r\n") . codes($client, 1, $text), '250 250 354550', 'nobody');
    is(codes($client, 3, $MAIL, rcpt('no'), "DATA\r\n"), '250 550 503', 'DATA for nobody');
    is(codes($client, 2, "BDAT 2\r\nx\n", "BDAT 2 LAST\r\nx\n", "RSET\r\n"), '503 250',
        'BDAT LAST for nobody has no reply');
    is(codes($client, 1, "BDAT 2 LAST\r\nx\n", "QUIT\r\n"), '221', 'nor without MAIL');
    my @messages = $server->messages;
    is(join('|', map { join ' ', $_->to } @messages), 'b@x.test|b@x.test b@x.test|b@x.test', 'who has it');
    is(join('|', map { join ' ', $_->refused_to } @messages), 'full@x.test gone@x.test||full@x.test', 'who has not');
    is(join('|', map { join ' ', $_->to } $server->refused_messages), 'gone@x.test', 'what nobody has');
    is(scalar(() = $messages[0]->rcpt_parameters), 1, 'parameters of those who have it');
};

subtest 'the connection breaks between the replies' => sub {
    my $server = sandbox(faults => [{stage => 'end', match => qr/\Ac\@/, close => 1}]);
    my $client = ready(RawClient->connect($server->port));
    codes($client, 5, $MAIL, rcpt(qw(b c d)), "DATA\r\n");
    is(codes($client, 2, "x\r\n.\r\n"), '250 ', 'one reply');
    is(join(' ', map { $_->to } $server->messages), 'b@x.test c@x.test d@x.test', 'all have it');
};

subtest 'too big' => sub {
    my $server = sandbox(size_limit => 2);
    my $client = ready(RawClient->connect($server->port));
    codes($client, 4, $MAIL, rcpt(qw(b c)), "DATA\r\n");
    is(codes($client, 2, "xyz\r\n.\r\n"), '552 552', 'for both');
};

subtest 'a chunk that fails' => sub {
    my $server = sandbox(faults => [{stage => 'bdat', nth => 1, reply => "452 4.3.1 Full\r\n"}]);
    my $client = ready(RawClient->connect($server->port));
    is(codes($client, 6, $MAIL, rcpt(qw(b c)), "BDAT 1\r\nx", "BDAT 1 LAST\r\ny"), '250 250 250 452 503 503',
        'the last one is answered for each all the same');
};

subtest 'a unix socket' => sub {
    my $server = sandbox(path => 1);
    my $path = $server->path;
    ok(-S $path, 'path');
    is($server->url, "lmtp+unix://$path", 'url');
    my $client = ready(bless {socket => IO::Socket::UNIX->new(Peer => $path), buffer => ''}, 'RawClient');
    is(codes($client, 3, $MAIL, rcpt('b'), "DATA\r\n") . codes($client, 1, ".\r\n"), '250 250 354250', 'a message');
    like(RawClient->connect($server->port)->reply, qr/\A220 /, 'the port is there as well');
    is(($server->sessions)[0]->peer, 'unix socket', 'peer');
    $server->stop;
    ok(!-e $path, 'gone with the server');
    my $folder = File::Temp->newdir;
    $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', path => "$folder/s");
    ok(-S "$folder/s", 'a path of the caller');
    like($server->url, qr/\Asmtp:/, 'SMTP has its usual url');
    ok(!eval { sandbox(path => "$folder/s") }, 'a path that is there');
    like($@, qr{\Athe sandbox cannot start: cannot listen on \Q$folder\E/s: }, 'and why');
    undef $server;
    ok(!-e "$folder/s", 'gone');
    is(Net::SMTP::AuthC::Sandbox->new(tls => 'none')->path, undef, 'no path');
};

done_testing;
