# send_mail: one call from the parts of a mail to the receipt; what arrives is a whole mail, and Bcc stays at home.
use strict;
use warnings;
use utf8;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;
use Time::HiRes qw(time);

my %login = (username => 'demo', password => 'secret');
my %mail  = (from => 'Shop <orders@shop.test>', to => 'customer@x.test', subject => 'Order 1001',
    text => "Thank you.\n");

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(users => {demo => 'secret'}, @_) }

sub send_to {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->send_mail(server => $server->url, ca_file => $server->ca_file, %login, %mail, @more);
}

sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

subtest 'end to end' => sub {
    for my $tls (qw(implicit starttls)) {
        my $server  = sandbox(tls => $tls);
        my $receipt = send_to($server, from => 'Büro <orders@shop.test>', to => ['"Doe, J." <j@x.test>',
            'Zoë <z@x.test>'],
            cc => 'c@x.test', bcc => ['secret@x.test', 'j@x.test'], reply_to => 'answers@shop.test',
            subject => 'Größe 40 ☃', text => "Danke schön ☃\n.\n.dot\nFrom here\n" . 'x' x 2000 . "\n",
            headers => ['X-Shop' => 'Käse']);
        is($receipt->all_sent, 1, "$tls: all sent");
        is(join(' ', map { $_->address } $receipt->recipients), 'j@x.test z@x.test c@x.test secret@x.test',
            'each once');
        my ($message) = $server->wait_for(count => 1);
        is($message->from, 'orders@shop.test', 'the sender');
        is(join(' ', $message->to), 'j@x.test z@x.test c@x.test secret@x.test', 'the recipients');
        unlike($message->data, qr/bcc|secret\@/i, 'Bcc is not in the message');
        is($message->header('Message-ID'), $receipt->message_id, 'the Message-ID is that of the receipt');
        like($receipt->message_id, qr/\A<[^<>\s]+\@shop\.test>\z/, 'and has the domain of the sender');
        like($message->header('Date'),
            qr/\A[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} [+-][0-9]{4}\z/, 'Date');
        my ($head) = split /\r\n\r\n/, $message->data;
        unlike($head, qr/[^\r\n\x20-\x7e]/, 'the header is ASCII');
        require Encode;
        is(Encode::decode('MIME-Header', $message->header('Subject')), 'Größe 40 ☃', 'the subject can be read');
        like($message->header('From'), qr/\A=\?UTF-8\?.*<orders\@shop\.test>\z/i, 'From');
        is($message->header('To') =~ /\A"Doe, J\." <j\@x\.test>, =\?UTF-8\?/i, 1, 'To');
        is($message->header($_), {Cc => 'c@x.test', 'Reply-To' => 'answers@shop.test',
            'MIME-Version' => '1.0'}->{$_}, $_)
            for qw(Cc Reply-To MIME-Version);
        ok(decoded($message) eq "Danke schön ☃\n.\n.dot\nFrom here\n" . 'x' x 2000 . "\n", 'the text');
        cmp_ok($message->longest_line, '<=', 998, 'no line is too long');
        is($message->bare_lf + $message->bare_cr + $message->undeclared_8bit, 0, 'and no octet out of order');
        is($receipt->bytes, $message->mail_parameters->{SIZE}, 'bytes');
        is($message->user, 'demo', 'logged in');
        is(($server->wait_for(sessions => 1))[0]->ended, 'quit', 'and said QUIT');
        isnt(send_to($server)->message_id, $receipt->message_id, 'the next one has another id');
    }
};

subtest 'a plain one' => sub {
    my $server = sandbox(tls => 'implicit');
    my $receipt = send_to($server, message_id => '<4711@shop.test>', date => 0);
    is($receipt->message_id, '<4711@shop.test>', 'message_id as given');
    my ($message) = $server->wait_for(count => 1);
    is($message->body, "Thank you.\r\n", 'the text as it is');
    is($message->header('Subject'), 'Order 1001', 'the subject as it is');
    like($message->header('Date'), qr/ 19(?:70|69) /, 'date as given');
    ok(send_to($server, server => 'smtps://demo:secret@localhost:' . $server->port, username => undef,
        password => undef),
        'the login in the address');
};

subtest 'addresses outside ASCII' => sub {
    my $server = sandbox(tls => 'implicit');
    my $receipt = send_to($server, to => 'Zoë <zoë@x.test>');
    my ($message) = $server->wait_for(count => 1);
    ok(exists $message->mail_parameters->{SMTPUTF8}, 'SMTPUTF8');
    is($receipt->outcome('zoë@x.test'), 'sent', 'sent');
    $server = sandbox(tls => 'implicit', keywords => ['8BITMIME']);
    my $error = error_of(sub { send_to($server, reply_to => 'zoë@x.test') });
    is(ref $error && $error->kind, 'refused', 'in the header alone, and not offered');
    is(scalar(grep { /MAIL/ } map { $_->client_lines } $server->sessions), 0, 'nothing was sent');
};

subtest 'errors' => sub {
    my $server = sandbox(tls => 'implicit', refuse => {'no@x.test' => '550 5.1.1 Who?'});
    for my $case (['server is needed', server => undef], ['from is needed', from => undef], ['text is needed',
        text => undef],
        ['no recipient', to => undef], ['unknown option "subjekt" of send_mail', subjekt => 'x'],
        ['unknown option "Timeout" of send_mail', Timeout => 1], ['deadline:', deadline => 'soon'],
        ['username without password', password => undef], ['server: "x"', server => 'x']) {
        my ($text, @option) = @$case;
        my $error = error_of(sub { send_to($server, @option) });
        like($error, qr/\A\Q$text\E.* at \Q$0\E line [0-9]+\.\n\z/, $text);
    }
    is(scalar($server->sessions), 0, 'for all of that nobody was called');
    my $receipt = send_to($server, to => ['a@x.test', 'no@x.test']);
    is(join(' ', map { $_->outcome } $receipt->recipients), 'sent refused', 'one of two: a receipt');
    my $error = error_of(sub { send_to($server, to => 'no@x.test', transcript => 1) });
    is($error->kind . $error->code, 'refused550', 'nobody: an error');
    is(($error->receipt->recipients)[0]->outcome, 'refused', 'with the receipt');
    like($error->transcript->as_text, qr/RCPT TO:<no\@x\.test>/, 'and the transcript');
    $error = error_of(sub { send_to($server, password => 'wrong') });
    is($error->kind . $error->code, 'auth535', 'a wrong password');
    is(scalar($server->messages), 1, 'one mail arrived in all this');
};

subtest 'early: the envelope goes with the login' => sub {
    my $said = sub { join ' ', map { /\AC: (\S+)/ ? $1 : /\AS: (235|334|5..)/ ? $1 : () } split /\n/, $_[0]->transcript->as_text };
    my $server = sandbox(tls => 'implicit');
    my $receipt = send_to($server, early => 1, transcript => 1);
    is($said->($receipt), 'EHLO AUTH MAIL RCPT DATA 235 . QUIT', 'one flight, and the content after 235');
    like($receipt->text, qr/kept/, 'the answer is that to the message, not that to QUIT');
    my $error = error_of(sub { send_to($server, early => 1, password => 'wrong', transcript => 1) });
    is($error->kind . $error->code, 'auth535', 'a wrong password');
    is(join(' ', map { $_->outcome } $error->receipt->recipients), 'not-sent', 'nothing was sent');
    is($said->($error), 'EHLO AUTH MAIL RCPT DATA 535 530 503 503 RSET', 'and it was not tried again');
    $server = sandbox(tls => 'implicit', faults => [{stage => 'login', nth => 1, reply => "503 5.5.1 not so fast\r\n"}]);
    $receipt = send_to($server, early => 1, transcript => 1);
    like($said->($receipt), qr/\AEHLO AUTH MAIL RCPT DATA 503 .*RSET AUTH 235 MAIL RCPT DATA \. QUIT\z/, 'in turns where the server minds');
    is(scalar($server->messages), 1, 'one mail');
    $server = sandbox(tls => 'implicit', mechanisms => ['CRAM-MD5']);
    like($said->(send_to($server, early => 1, transcript => 1)), qr/AUTH 334 .*MAIL/, 'a mechanism that needs answers is waited for');
};

subtest 'after the mail is out, nothing looks like a failure' => sub {
    for my $fault ({close => 1}, {reset => 1}, {reply => "421 4.3.2 bye\r\n"}, {reply => "garbage\r\n"},
        {reply => "554 no\r\n"}) {
        my $server = sandbox(tls => 'implicit', faults => [{stage => 'quit', %$fault}]);
        is(eval { send_to($server)->all_sent } || $@, 1, join ' ', 'QUIT is met with', keys %$fault);
    }
    my $server = sandbox(tls => 'implicit', faults => [{stage => 'quit', silent => 1}]);
    my $start = time;
    is(eval { send_to($server, timeout => 1)->all_sent } || $@, 1, 'QUIT is met with silence');
    cmp_ok(time - $start, '<', 2, 'which takes a moment only');
    is(eval { send_to($server, transcript => sub { die "full\n" if $_[0]{text} =~ /QUIT/ })->all_sent } || $@, 1,
        'the transcript dies at QUIT');
};

subtest 'the deadline holds for everything together' => sub {
    for my $stage (qw(greeting ehlo auth mail rcpt data end)) {
        my $server = sandbox(tls => 'implicit', faults => [{stage => $stage, drip => 0.1}]);
        my $start = time;
        my $error = error_of(sub { send_to($server, deadline => 0.6) });
        is(ref $error ? $error->kind : $error, 'timeout', "a drip at $stage");
        cmp_ok(time - $start, '<', $stage eq 'greeting' ? 1.5 : 1, 'ends in time');
    }
    my $server = sandbox(tls => 'implicit');
    ok(send_to($server, deadline => 10), 'and does no harm otherwise');
};

done_testing;

sub decoded {
    my ($message) = @_;
    my $how = lc $message->header('Content-Transfer-Encoding');
    my $body = $message->body;
    if ($how eq 'quoted-printable') { require MIME::QuotedPrint; $body = MIME::QuotedPrint::decode_qp($body) }
    if ($how eq 'base64') { require MIME::Base64; $body = MIME::Base64::decode_base64($body) }
    utf8::decode($body);
    return $body =~ s/\r\n/\n/gr;
}
