# eg/article.pl: the article's script in today's words, and the lines of the article itself.
# valgrind: no
use strict;
use warnings;
use File::Temp;
use lib 't/lib';
use Face;
use Test::More;

my @perl = ($^X, map { "-I$_" } @INC);

# What the script prints, STDERR too, and its exit status.
sub run_script {
    my ($server, $password) = @_;
    my $file = File::Temp->new;
    print {$file} "$password\n";
    close $file;
    my $command = join ' ', map { "'$_'" } @perl, 'eg/article.pl', $server->host, $server->port, 'demo',
        '<someemail@foo.com>', '<other@foo.com>', $server->ca_file;
    return (scalar qx{$command <$file 2>&1}, $?);
}

subtest 'eg/article.pl' => sub {
    my $server = sandbox(tls => 'implicit', users => {demo => 'secret'}, mechanisms => [qw(LOGIN CRAM-MD5)]);
    my ($text, $status) = run_script($server, 'secret');
    is($status, 0, 'it runs') or diag $text;
    is($text, <<'END', 'it prints what the article prints');
sandbox.example.test ESMTP sandbox
TX: AUTH
2.7.0 Authentication successful
TX: MAIL FROM: <someemail@foo.com>
2.1.0 Ok
TX: RCPT TO: <other@foo.com>
2.1.5 Ok
TX: DATA
To: <other@foo.com>
From: <someemail@foo.com>
Subject: A Test Message

Hey this is a test message
2.0.0 Ok: kept as 1.1
TX: QUIT
END
    my ($message) = $server->messages;
    is_deeply([$message->from, $message->to, $message->user], ['someemail@foo.com', 'other@foo.com', 'demo'],
        'the mail');
    is($message->header('Subject'), 'A Test Message', 'its subject');
    ($text, $status) = run_script($server, 'wrong');
    isnt($status, 0, 'a wrong password');
    like($text, qr/^AUTH: 5\.7\.8/m, 'is told');
};

# "250-PIPELINING 250 8BITMIME" stands on one line in the article, so that a CRLF is lost and the reply never ends.
my @told = ('250-pioneer.host-serve.net', '250-AUTH=LOGIN CRAM-MD5', '250-AUTH LOGIN CRAM-MD5',
    '250-PIPELINING 250 8BITMIME');
my $capabilities = join '', map { "$_\r\n" } @told;

subtest 'the server of the article' => sub {
    my $server = sandbox(users => {demo => 'secret'}, ehlo_raw => $capabilities, mechanisms => [qw(LOGIN CRAM-MD5)],
        damaged_challenge => 1);
    my $smtp = client($server);
    is(join(' ', sort split / /, $smtp->supports('AUTH')), 'CRAM-MD5 LOGIN', 'AUTH= and AUTH are one list');
    is($smtp->supports('PIPELINING'), '', 'PIPELINING');
    is($smtp->supports('8BITMIME'), '', '8BITMIME');
    is($smtp->domain, 'sandbox.example.test', 'the greeting');
    is($smtp->auth('demo', 'secret'), 1, 'CRAM-MD5 with the damaged challenge');
    is($smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n"), 1, 'a mail');
};

subtest 'the user of the article' => sub {
    my $server = sandbox(tls => 'implicit', users => {justwait => 'secret'});
    my $smtp = client($server, SSL => 1);
    is($smtp->auth("justwait \r\n", 'secret'), !1, 'a name with a line end behind it');
    like($smtp->message, qr/user.*(?:CR|line end)/i, 'is refused with the reason');
    is($smtp->auth('justwait', 'secret'), 1, 'and the connection is still good');
};

done_testing;
