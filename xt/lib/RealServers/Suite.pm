# RealServers::Suite: what the client must do through every real server, compared octet by octet with what arrived.
package RealServers::Suite;
use strict;
use warnings;
use Net::SMTP::AuthC;
use RealServers;
use Test::More;

use constant ARRIVAL_SECONDS => 30;

my $marks = 0;

# Runs the whole suite against a server of the class; skips with the reason where it cannot run.
sub run {
    my ($class) = @_;
    my $reason = $class->missing;
    plan skip_all => $reason if defined $reason;
    my $server = $class->start;
    for my $tls (qw(tls starttls)) {
        for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
            subtest "$tls, $mechanism" => sub { one_connection($server, $tls, $mechanism) };
        }
        subtest "$tls, the Net::SMTP face" => sub { old_face($server, $tls) };
        subtest "$tls, streams" => sub { streams($server, $tls) };
        subtest "$tls, one flight" => sub { one_flight($server, $tls) };
    }
    Test::More->builder->is_passing or diag($server->log);
    $server->stop;
    done_testing();
}

sub one_connection {
    my ($server, $tls, $mechanism) = @_;
    my $smtp = eval { connection($server, $tls, $mechanism, $server->PASSWORD) };
    ok($smtp, 'connects and logs in') or return diag($@);
    my %bodies = bodies();
    arrives($server, $smtp, $_, $bodies{$_}) for sort keys %bodies;
    one_refused($server, $smtp);
    $smtp->quit;
    wrong_password($server, $tls, $mechanism);
}

# By name for STARTTLS, by address for TLS at once: the certificate bears both.
sub connection {
    my ($server, $tls, $mechanism, $password) = @_;
    my $where = $tls eq 'tls' ? 'smtps://127.0.0.1:' : 'smtp://localhost:';
    return Net::SMTP::AuthC->connect($where . $server->port($tls), username => $server->USER, password => $password,
        mechanism => $mechanism, SSL_ca_file => $server->ca_file);
}

# Every name says what could go wrong with such a text on its way.
sub bodies {
    my $line = join '', 'a' .. 'z', 0 .. 9, "\n";
    return (
        'plain text'          => "Dear customer,\r\n\r\nthank you.\r\n",
        'dots at line starts' => ".\r\n..\r\n.dot\r\n...\r\n\r\n.\r\nend.\r\n",
        'LF-only ends'        => "one\ntwo\n\n.\nthree\n",
        '8-bit'               => join('', map { chr } 160 .. 255) . "\r\n\xe4\xf6\xfc\xc3\xa4\r\n",
        'five megabytes'      => $line x int(5 * 1024 * 1024 / length $line),
        'no final newline'    => "the last line has no end",
        'only a dot'          => '.',
        'long lines'          => ('x' x 990) . "\r\n." . ('y' x 990) . "\r\n",
    );
}

# A message whose first header is a mark that no other message has.
sub message {
    my ($server, $body) = @_;
    my $mark = sprintf 'X-Mark: %d-%d', $$, ++$marks;
    my $ends = $body =~ /\r\n/ ? "\r\n" : "\n";
    my @header = ($mark, 'From: <' . $server->SENDER . '>', 'To: <' . $server->INBOX . '>', 'Subject: a test',
        'Date: Thu, 01 Jan 2026 12:00:00 +0000', "Message-ID: <$$.$marks\@example.test>");
    return ($mark, join('', map { "$_$ends" } @header, '') . $body);
}

# What a Maildir must hold: the lines of the message, each ended by LF.
sub as_delivered {
    my ($message) = @_;
    $message =~ s/\r\n?/\n/g;
    return $message =~ /\n\z/ ? $message : "$message\n";
}

sub arrives {
    my ($server, $smtp, $name, $body) = @_;
    my ($mark, $message) = message($server, $body);
    my $receipt = eval { $smtp->submit($message, from => $server->SENDER, to => [$server->INBOX]) };
    ok($receipt, "$name: submitted") or return diag($@);
    ok($receipt->all_sent, "$name: the server has taken it");
    same_octets($server->await($mark, ARRIVAL_SECONDS), as_delivered($message), "$name: arrives octet by octet");
}

# Five megabytes in a failed is() would help nobody: says where the difference begins.
sub same_octets {
    my ($got, $expected, $name) = @_;
    return fail("$name: nothing came") if !defined $got;
    return pass($name) if $got eq $expected;
    my $at = length(($got ^ $expected) =~ /\A(\0*)/ ? $1 : '');
    fail($name);
    my $from = $at > 20 ? $at - 20 : 0;
    diag(sprintf '%d octets came, %d were expected; they differ at octet %d', length $got, length $expected, $at);
    diag("came     " . show(substr $got, $from, 60) . "\nexpected " . show(substr $expected, $from, 60));
}

sub show { return $_[0] =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger }

sub one_refused {
    my ($server, $smtp) = @_;
    my ($mark, $message) = message($server, "for one of two\r\n");
    my @to      = ($server->STRANGER, $server->INBOX);
    my $receipt = eval { $smtp->submit($message, from => $server->SENDER, to => \@to) };
    ok($receipt, 'one of two refused: submitted') or return diag($@);
    is_deeply([map { $_->address } $receipt->sent],    [$server->INBOX],    'one was sent to');
    is_deeply([map { $_->address } $receipt->refused], [$server->STRANGER], 'one was refused');
    like(join(' ', map { $_->code } $receipt->refused), qr/\A55\d\z/, 'with a code that says so');
    ok(!$receipt->all_sent, 'not all were sent to');
    same_octets($server->await($mark, ARRIVAL_SECONDS), as_delivered($message), 'the other has the mail');
}

sub wrong_password {
    my ($server, $tls, $mechanism) = @_;
    my $before = $server->count;
    my $smtp   = eval { connection($server, $tls, $mechanism, 'wrong') };
    my $error  = $@;
    ok(!$smtp, 'a wrong password is refused') or return;
    return fail("an error object: $error") if !eval { $error->isa('Net::SMTP::AuthC::Error') };
    is($error->kind, 'auth', 'the error is one of the login');
    is($error->code, 535,    'with code 535');
    is($server->count, $before, 'no mail came of it');
}

# Many messages a connection in each manner, every third to a stranger as well, one to nobody else.
sub streams {
    my ($server, $tls) = @_;
    for my $manner ([], [chunking => 1], [one_flight => 1], [window => 8], [window => 8, all_or_none => 1]) {
        my ($name, %option) = ("@$manner" || 'DATA', @$manner);
        my $smtp   = connection($server, $tls, 'PLAIN', $server->PASSWORD);
        my @stream = map { one_of_stream($server, $_) } 1 .. 20;
        my %told;
        my $count = eval {
            $smtp->submit_all([map { $_->{item} } @stream], %option, on_receipt => sub {
                my ($receipt, $item) = @_;
                $told{ $item->{tag} } .= join ' ', map { $_->outcome } $receipt->recipients;
            });
        };
        is($count, 20, "$name: all are told of") or diag($@);
        stream_is_right($server, $name, \%told, \%option, @stream);
        ok(eval { $smtp->submit((message($server, "after\r\n"))[1], from => $server->SENDER, to => [$server->INBOX]) },
            "$name: the connection lives on") or diag($@);
        $smtp->quit;
    }
}

sub one_of_stream {
    my ($server, $number) = @_;
    my ($mark, $message) = message($server, "number $number\n.\n..\n" . 'x' x ($number * 500) . "\n");
    my @to = ($number == 7 ? () : $server->INBOX, $number % 3 == 1 ? $server->STRANGER : ());
    return {mark => $mark, message => $message, to => \@to,
        item => {message => $message, from => $server->SENDER, to => \@to, tag => $number}};
}

sub stream_is_right {
    my ($server, $name, $told, $option, @stream) = @_;
    my ($wrong, $missing) = ('', '');
    for my $number (1 .. @stream) {
        my $one = $stream[$number - 1];
        my $good = $number == 7 ? 'refused' : @{ $one->{to} } == 1 ? 'sent'
            : $option->{all_or_none} ? 'not-sent refused' : 'sent refused';
        $wrong .= " $number: $told->{$number} instead of $good;" if $told->{$number} ne $good;
        next if $good !~ /\bsent/ || $good =~ /not-sent/;
        my $came = $server->await($one->{mark}, ARRIVAL_SECONDS);
        $missing .= " $number" if ($came // '') ne as_delivered($one->{message});
    }
    is($wrong,   '', "$name: what became of each recipient");
    is($missing, '', "$name: each arrives octet by octet");
}

# A whole message without a wait; and the envelope together with the login.
sub one_flight {
    my ($server, $tls) = @_;
    my $url = ($tls eq 'tls' ? 'smtps://127.0.0.1:' : 'smtp://localhost:') . $server->port($tls);
    for my $option ('one_flight', 'early') {
        my $mark = sprintf '%d-flight-%d', $$, ++$marks;
        my $receipt = eval {
            Net::SMTP::AuthC->send_mail(server => $url, username => $server->USER, password => $server->PASSWORD,
                SSL_ca_file => $server->ca_file, mechanism => 'PLAIN', $option => 1, from => $server->SENDER,
                to => $server->INBOX, subject => $option, text => "one\n\ntwo\n", headers => ['X-Mark' => $mark]);
        };
        ok($receipt && $receipt->all_sent, "$option: sent") or diag($@);
        like($server->await("X-Mark: $mark", ARRIVAL_SECONDS) // '', qr/\n\none\n\ntwo\n\z/, "$option: arrived");
    }
}

sub old_face {
    my ($server, $tls) = @_;
    my ($mark, $message) = message($server, "old\n.face\n");
    my $smtp = Net::SMTP::AuthC->new('localhost', Port => $server->port($tls), SSL => $tls eq 'tls' ? 1 : 0,
        Timeout => 30, SSL_ca_file => $server->ca_file);
    ok($smtp, 'new') or return diag($@);
    ok($smtp->starttls(SSL_ca_file => $server->ca_file), 'starttls') or diag($smtp->message) if $tls ne 'tls';
    ok(!$smtp->auth($server->USER, 'wrong'), 'auth with a wrong password is false');
    is($smtp->code, 535, 'and the code is 535');
    ok($smtp->auth($server->USER, $server->PASSWORD), 'auth in the same session')        or diag($smtp->message);
    ok($smtp->mail($server->SENDER), 'mail')                                              or diag($smtp->message);
    my @taken = $smtp->to($server->STRANGER, $server->INBOX, {SkipBad => 1});
    is_deeply(\@taken, [$server->INBOX], 'to gives the recipients that were taken');
    ok($smtp->data($message), 'data')                                                     or diag($smtp->message);
    ok($smtp->quit, 'quit')                                                               or diag($smtp->message);
    same_octets($server->await($mark, ARRIVAL_SECONDS), as_delivered($message), 'arrives octet by octet');
}

1;
