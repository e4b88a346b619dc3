# Email::Sender::Transport::AuthC: a transport's contract, failures with reason, code and recipients, settings from
# strings, the kept connection, and what may be out never tried again.
# valgrind: no
use strict;
use warnings;
use utf8;
use lib 't/lib';
use POSIX ();
use Test::More;

BEGIN {
    plan skip_all => 'Email::Sender is missing (Debian: libemail-sender-perl)'
        if !eval { require Email::Sender::Simple; require Email::Sender::Transport; 1 };
}

use Email::Sender::Transport::AuthC;
use IO::Socket::INET;
use Net::SMTP::AuthC::Sandbox;
use Subprocess qw(run_perl);

my $SECRET  = 'a-very-secret-word';
my $TIMEOUT = 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);
my $MESSAGE = "From: shop\@x.test\nTo: good\@x.test\nSubject: Order\n\nThank you.\n.dot\n";
my %refuse  = (
    'temp@x.test' => '450 4.2.1 Mailbox busy', 'temp2@x.test' => '451 4.3.0 Later',
    'perm@x.test' => '550 5.1.1 No such user', 'perm2@x.test' => '553 5.1.3 Strange address',
);
my $FAILURE = 'Email::Sender::Failure';

sub sandbox   { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', refuse => \%refuse, @_) }
sub with_tls  { return sandbox(tls => 'starttls', users => {demo => $SECRET}, @_) }
sub class     { return 'Email::Sender::Transport::AuthC' }
sub transport { my ($server, @more) = @_; return class()->new({host => 'localhost', port => $server->port,
    timeout => $TIMEOUT, @more}) }

sub login { my ($server) = @_; return (sasl_username => 'demo', sasl_password => $SECRET,
    ssl_options => {SSL_ca_file => $server->ca_file}) }

# The success, and the failure.
sub try_to_send {
    my ($transport, $to, %more) = @_;
    my $success = eval {
        $transport->send($more{message} // $MESSAGE, {from => $more{from} // 'shop@x.test', to => $to});
    };
    return ($success, $success ? undef : $@);
}

sub failing { my (undef, $failure) = try_to_send(@_); return $failure || die 'it was sent' }

sub dies { my ($code) = @_; return eval { $code->(); 1 } ? '' : "$@" }

sub sessions_of { return scalar(my @sessions = $_[0]->sessions) }

# Class by isa, code and recipients of a failure, as text.
sub facts {
    my ($failure) = @_;
    my @kinds = grep { $failure->isa("${FAILURE}::$_") } qw(Multi Temporary Permanent);
    return join ' ', @kinds, $failure->code // '-', $failure->recipients;
}

sub no_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
    return $socket->sockport;
}

subtest 'the contract' => sub {
    my $server = sandbox();
    my $transport = transport($server);
    ok($transport->does('Email::Sender::Transport'), 'the role');
    ok($transport->is_simple && !$transport->allow_partial_success, 'simple');
    my ($success) = try_to_send($transport, 'good@x.test');
    ok($success->isa('Email::Sender::Success'), 'a success');
    like($success->message, qr/\A2\.0\.0 Ok/, "the server's last words");
    ok($success->receipt->all_sent, 'the receipt');
    my ($message) = $server->messages;
    is($message->data, $MESSAGE =~ s/\n/\r\n/gr, 'the message');
    is_deeply([$message->from, $message->to], ['shop@x.test', 'good@x.test'], 'the envelope');
    is(($server->wait_for(sessions => 1))->ended, 'quit', 'a farewell');
    is(sessions_of($server), 1, 'one connection');
};

for my $persistent (0, 1) {
    subtest "what Email::Sender's transport is tried with, persistent => $persistent" => sub {
        my $server = sandbox(faults => [
            {stage => 'mail', match => qr/temp\@/, reply => "450 4.7.1 Slow down\r\n"},
            {stage => 'mail', match => qr/perm\@/, reply => "550 5.7.1 Not you\r\n"},
        ]);
        my $transport = transport($server, persistent => $persistent);
        my %is = (
            'temp@x.test'                           => 'Temporary 450 temp@x.test',
            'perm@x.test'                           => 'Permanent 550 perm@x.test',
            'good@x.test perm@x.test'               => 'Permanent 550 perm@x.test',
            'temp@x.test perm@x.test good@x.test'   => 'Multi - temp@x.test perm@x.test',
            'temp@x.test temp2@x.test'              => 'Multi Temporary - temp@x.test temp2@x.test',
            'perm@x.test good@x.test perm2@x.test'  => 'Multi Permanent - perm@x.test perm2@x.test',
        );
        for my $to (sort keys %is) {
            is(facts(failing($transport, [split ' ', $to])), $is{$to}, $to);
        }
        my $multi = failing($transport, [qw(temp@x.test perm@x.test good@x.test)]);
        my @failures = $multi->failures;
        is_deeply([map { facts($_) } @failures], ['Temporary 450 temp@x.test', 'Permanent 550 perm@x.test'],
            'the failures in it');
        like($failures[1]->message, qr/perm\@x\.test.*550 5\.1\.1 No such user/, 'with address, codes and words');
        is_deeply([map { $failures[1]->$_ } qw(kind step enhanced)], ['refused', 'RCPT', '5.1.1'], 'and details');
        is($multi->message, 'some recipients were rejected during RCPT', 'some');
        is(failing($transport, [qw(temp@x.test perm@x.test)])->message, 'all recipients were rejected during RCPT', 'all');
        is(facts(failing($transport, 'good@x.test', from => 'temp@x.test')), 'Temporary 450 good@x.test', 'MAIL 4yz');
        my $failure = failing($transport, ['good@x.test', 'other@x.test'], from => 'perm@x.test');
        is(facts($failure), 'Permanent 550 good@x.test other@x.test', 'MAIL 5yz');
        like($failure->message, qr/perm\@x\.test failed after MAIL FROM: .*550 5\.7\.1 Not you/, 'in the usual words');
        for my $to (['', undef], [], '') {
            my $failure = failing($transport, $to);
            ok($failure->isa($FAILURE), 'nobody');
            like($failure->message, qr/no valid addresses in recipient list/, '... in these words');
        }
        is(scalar(my @messages = $server->messages), 0, 'nobody got anything');
        my ($success) = try_to_send($transport, ['good@x.test', undef, '']);
        ok($success, 'the empty ones are left out');
        is(sessions_of($server), 1, 'over one connection') if $persistent;
    };
}

subtest 'partial success' => sub {
    my $server = sandbox();
    my $transport = transport($server, allow_partial_success => 1);
    ok(!$transport->is_simple, 'not simple');
    ok(dies(sub { Email::Sender::Simple->send($MESSAGE, {transport => $transport, from => 'a@x.test',
        to => 'good@x.test'}) }) =~ /not safe/, 'and refused by Email::Sender::Simple');
    my ($success) = try_to_send($transport, [qw(temp@x.test perm@x.test good@x.test), "a\nb\@x.test"]);
    ok($success->isa('Email::Sender::Success::Partial'), 'a partial success');
    ok($success->failure->isa("${FAILURE}::Multi"), 'with its failures');
    is(facts($success->failure) =~ s/\n/^/r, 'Multi - a^b@x.test temp@x.test perm@x.test', 'of everybody else');
    like($success->message, qr/Ok/, 'and a message');
    is_deeply([map { $_->to } $server->messages], ['good@x.test'], 'one got it');
    ($success) = try_to_send($transport, 'good@x.test');
    ok($success && !$success->isa('Email::Sender::Success::Partial'), 'a whole success is whole');
    is(facts(failing($transport, [qw(temp@x.test perm@x.test)])), 'Multi - temp@x.test perm@x.test', 'nobody left');
    for my $stage (qw(data end)) {
        my $server = sandbox(faults => [{stage => $stage, reply => "554 5.6.0 No\r\n"}]);
        my $failure = failing(transport($server, allow_partial_success => 1), [qw(temp@x.test good@x.test)]);
        is(facts($failure), 'Multi - temp@x.test good@x.test', "$stage refused: everybody is told of");
        is_deeply([map { facts($_) } $failure->failures], ['Temporary 450 temp@x.test', 'Permanent 554 good@x.test'],
            '... with his own reason');
    }
};

subtest 'DATA and the end' => sub {
    for my $case ([data => 'error at DATA start'], [end => 'error at after DATA']) {
        my ($stage, $words) = @$case;
        for my $code (452, 554) {
            my $server = sandbox(faults => [{stage => $stage, reply => "$code No\r\n"}]);
            my $failure = failing(transport($server), ['good@x.test', 'other@x.test']);
            is(facts($failure), ($code < 500 ? 'Temporary' : 'Permanent') . " $code good\@x.test other\@x.test",
                "$stage: $code");
            like($failure->message, qr/\Q$words\E: /, '... in the usual words');
        }
    }
    my $server = sandbox(size_limit => 10);
    my $failure = failing(transport($server), 'good@x.test');
    is(facts($failure), 'Permanent 552 good@x.test', 'too big');
    $server = sandbox(keywords => ['PIPELINING']);
    like(failing(transport($server), 'good@x.test', message => "Subject: x\n\n\xE4\n")->message,
        qr/8BITMIME/, '8 bits');
    ok((try_to_send(transport($server, body => '7bit'), 'good@x.test', message => "Subject: x\n\n\xE4\n"))[0],
        '... sent all the same when asked to');
    local $SIG{__WARN__} = sub { };    # Email::Simple says it too
    like(failing(transport($server), 'good@x.test', message => "Subject: x\n\n\x{263A}\n")->message, qr/above 255/,
        'characters are no octets');
};

subtest 'what may be out' => sub {
    for my $persistent (0, 1) {
        for my $fault ({close => 1}, {cut_after => 3}, {reset => 1}) {
            my $server = sandbox(faults => [{stage => 'end', session => 1, %$fault}]);
            my $transport = transport($server, persistent => $persistent, hosts => 'localhost,127.0.0.1', host => undef);
            my $failure = failing($transport, ['good@x.test', 'other@x.test']);
            my $name = join ' ', "persistent $persistent", %$fault;
            is(facts($failure), '- good@x.test other@x.test', "$name: neither temporary nor permanent, no code");
            is($failure->may_have_been_sent, 1, '... and it can be seen');
            like($failure->message, qr/may have been sent/, '... and read');
            is(sessions_of($server), 1, '... and nobody tried again');
        }
    }
    my $server = sandbox(faults => [{stage => 'end', close => 1}]);
    my $failure = failing(transport($server, allow_partial_success => 1), [qw(temp@x.test good@x.test)]);
    is(facts($failure), 'Multi - temp@x.test good@x.test', 'among several');
    is($failure->may_have_been_sent, 1, '... it can be seen from outside');
    $failure = failing(transport(sandbox(faults => [{stage => 'content', close => 1}])), 'good@x.test',
        message => $MESSAGE . ('x' x 70 . "\n") x 140_000);    # more than the buffers between can hold
    is(facts($failure), '- good@x.test', 'broken within the content');
    is($failure->may_have_been_sent, 0, '... is not out');
};

subtest 'no connection' => sub {
    my $failure = failing(class()->new(host => 'localhost', port => no_port()), 'good@x.test');
    is(facts($failure), '- good@x.test', 'nobody listens');
    is($failure->kind, 'connect', 'the kind');
    like($failure->message, qr/unable to establish SMTP connection to \(localhost\) port [0-9]+: .*refused.*\(check/,
        'the reason and what to do');
    my $server = sandbox(greeting => '554 5.3.2 Not today');
    $failure = failing(transport($server), 'good@x.test');
    is(facts($failure), 'Permanent 554 good@x.test', 'refused with the greeting');
    like($failure->message, qr/unable to establish.*Not today/, 'the reason');
    is(facts(failing(transport(sandbox(greeting => '421 4.3.2 Later')), 'good@x.test')), 'Temporary 421 good@x.test',
        'deferred with the greeting');
    $server = sandbox(faults => [{stage => 'greeting', silent => 1}]);
    $failure = failing(transport($server, timeout => 1), 'good@x.test');
    is_deeply([$failure->kind, facts($failure)], ['timeout', '- good@x.test'], 'a silent server');
};

subtest 'hosts' => sub {
    my $port   = no_port();
    my $server = sandbox();
    for my $hosts (['localhost', '127.0.0.1'], 'localhost, 127.0.0.1') {
        my $transport = class()->new(hosts => $hosts, port => $server->port);
        is_deeply([$transport->hosts], ['localhost', '127.0.0.1'], 'a list, or names with commas');
        is($transport->host, 'localhost', 'the first');
    }
    is_deeply([class()->new(host => ['a.test', 'b.test'])->hosts], ['a.test', 'b.test'], 'host may be a list too');
    is_deeply([class()->new->hosts, class()->new->port], ['localhost', 25], 'what there is without them');
    $server = sandbox(faults => [{stage => 'greeting', session => 1, reply => "421 4.3.2 Full\r\n", close => 1}]);
    my ($success) = try_to_send(transport($server, host => 'localhost,127.0.0.1'), 'good@x.test');
    ok($success, 'the next host when the first is full');
    for my $stage (qw(mail rcpt data)) {
        $server = sandbox(faults => [{stage => $stage, session => 1, close => 1}]);
        ok((try_to_send(transport($server, host => 'localhost,127.0.0.1'), 'good@x.test'))[0],
            "the next host when the first goes away at $stage");
        is(scalar(my @messages = $server->messages), 1, '... once');
    }
    $server = sandbox();
    is(facts(failing(transport($server, host => 'localhost,127.0.0.1'), 'perm@x.test')), 'Permanent 550 perm@x.test',
        'a refusal is a refusal');
    is(sessions_of($server), 1, '... and nobody else is asked');
    my $failure = failing(class()->new(host => 'localhost,127.0.0.1', port => $port), 'good@x.test');
    like($failure->message, qr/before that, connect with localhost/, 'all reasons are told');
};

subtest 'logins' => sub {
    my $server = with_tls();
    my ($success) = try_to_send(transport($server, login($server)), 'good@x.test');
    ok($success, 'TLS without asking for it, because there is a password') or return;
    my ($message) = $server->messages;
    is_deeply([$message->user, $message->tls ? 1 : 0], ['demo', 1], 'logged in, inside TLS');
    is($success->receipt->mechanism, 'PLAIN', 'the receipt knows how');
    my $failure = failing(transport($server, login($server), sasl_password => 'wrong'), 'good@x.test');
    is(facts($failure), 'Permanent 535 good@x.test', 'a wrong password');
    is($failure->kind, 'auth', 'the kind');
    like($failure->hint, qr/password/, 'a hint');
    like($failure->message, qr/failed AUTH: .*535 5\.7\.8/, 'the reason');
    unlike("$failure", qr/\Qwrong\E/, 'without the password');
    $server->clear;
    failing(transport($server, login($server), host => 'localhost,127.0.0.1', sasl_password => 'wrong'), 'good@x.test');
    $server->wait_for(sessions => 1);
    is(sessions_of($server), 1, 'nobody else is asked about it');

    my $deferring = with_tls(faults => [{stage => 'login', reply => "454 4.7.0 Later\r\n"}]);
    is(facts(failing(transport($deferring, login($deferring)), 'good@x.test')), 'Temporary 454 good@x.test', 'a login deferred');
    my $open = sandbox(users => {demo => $SECRET});
    my %login = (sasl_username => 'demo', sasl_password => $SECRET);
    like(failing(transport($open, %login), 'good@x.test')->message, qr/STARTTLS/, 'no TLS, no password');
    $failure = failing(transport($open, %login, ssl => 0, mechanism => 'PLAIN'), 'good@x.test');
    is($failure->kind, 'auth', 'nor when TLS is not wanted');
    ok((try_to_send(transport($open, %login, ssl => 0), 'good@x.test'))[0], 'CRAM-MD5 does not show it');
    ok((try_to_send(transport($open, %login, mechanism => 'LOGIN', insecure_cleartext_auth => 1), 'good@x.test'))[0],
        'but by name');
    ok(!(grep { /\A(?:AUTH PLAIN|MAIL)/ } map { $_->client_lines } ($open->sessions)[0, 1]), 'nothing was said before');

    my $scram = with_tls(mechanisms => ['PLAIN', 'SCRAM-SHA-256']);
    ok((try_to_send(transport($scram, login($scram), mechanism => 'SCRAM-SHA-256, PLAIN'), 'good@x.test'))[0], 'a list');
    is(($scram->messages)[0]->mechanism, 'SCRAM-SHA-256', '... of mechanisms');
    my $oauth = sandbox(tls => 'starttls', oauth_tokens => {demo => 'a-token'}, mechanisms => ['XOAUTH2']);
    ok((try_to_send(transport($oauth, sasl_username => 'demo', oauth_token => 'a-token',
        ssl_options => 'SSL_ca_file=' . $oauth->ca_file), 'good@x.test'))[0], 'a token');
};

subtest 'TLS' => sub {
    for my $case (['starttls', 'starttls'], ['maybestarttls', 'starttls'], ['ssl', 'implicit'], [1, 'implicit'],
        ['SSL', 'implicit'], ['maybestarttls', 'none'], [0, 'none']) {
        my ($ssl, $tls) = @$case;
        my $server = sandbox(tls => $tls);
        my @options = $tls eq 'none' ? () : (ssl_options => {ca_file => $server->ca_file});
        ok((try_to_send(transport($server, ssl => $ssl, @options), 'good@x.test'))[0], "ssl => $ssl with $tls");
        is(!!($server->messages)[0]->tls, $tls ne 'none', '... inside TLS');
    }
    for my $ssl (qw(starttls maybestarttls ssl)) {
        for my $certificate (qw(expired wrong-name self-signed)) {
            my $server = sandbox(tls => $ssl eq 'ssl' ? 'implicit' : 'starttls', certificate => $certificate);
            my $transport = transport($server, ssl => $ssl, ssl_options => {SSL_ca_file => $server->ca_file});
            my $failure = failing($transport, 'good@x.test');
            is_deeply([$failure->kind, facts($failure)], ['tls', '- good@x.test'], "$ssl: $certificate");
        }
    }
    my $server = sandbox();
    my $failure = failing(transport($server, ssl => 'starttls'), 'good@x.test');
    like($failure->message, qr/can't STARTTLS: .*does not offer STARTTLS/, 'not offered');
    is($failure->kind, 'tls', 'the kind');
    $server = sandbox(tls => 'starttls', faults => [{stage => 'starttls', reply => "454 4.7.0 Not now\r\n"}]);
    is(facts(failing(transport($server, ssl => 'maybestarttls', ssl_options => {SSL_ca_file => $server->ca_file}),
        'good@x.test')), 'Temporary 454 good@x.test', 'offered and refused: no mail in clear');
    my %port = (ssl => 465, starttls => 587, maybestarttls => 25, 0 => 25);
    is(class()->new(ssl => $_)->port, $port{$_}, "the port for $_") for sort keys %port;
};

subtest 'url' => sub {
    my $server = with_tls(tls => 'implicit');
    my $transport = class()->new(url => "smtps://demo:$SECRET\@localhost:" . $server->port,
        ssl_options => {SSL_ca_file => $server->ca_file});
    ok((try_to_send($transport, 'good@x.test'))[0], 'server and login in one');
    is_deeply([$transport->host, $transport->port], ['localhost', $server->port], 'its parts');
    is(($server->messages)[0]->user, 'demo', 'logged in');
};

subtest 'addresses' => sub {
    my $server = sandbox();
    my $transport = transport($server);
    my %wire = (
        q(o'neil@x.test)              => q(o'neil@x.test),
        'hot_coffee@x.test'           => 'hot_coffee@x.test',
        'everybody;loves;ldap@x.test' => '"everybody;loves;ldap"@x.test',
        '.rc@x.test'                  => '".rc"@x.test',
        'rc.@x.test'                  => '"rc."@x.test',
        'a@b@x.test'                  => '"a@b"@x.test',
        'two words@x.test'            => '"two words"@x.test',
        '"quoted already"@x.test'     => '"quoted already"@x.test',
        'a"b\\c@x.test'               => '"a\\"b\\\\c"@x.test',
        'Anna <anna@x.test>'          => 'anna@x.test',
        'a@[127.0.0.1]'               => 'a@[127.0.0.1]',
    );
    for my $address (sort keys %wire) {
        $server->clear;
        my ($success, $failure) = try_to_send($transport, $address, from => $address);
        ok($success, $address) or diag($failure);
        my $said = join "\n", map { $_->client_lines } $server->wait_for(sessions => 1);
        like($said, qr/^RCPT TO:<\Q$wire{$address}\E>$/m, '... to');
        like($said, qr/^MAIL FROM:<\Q$wire{$address}\E>/m, '... from');
    }
    $server->clear;
    ok((try_to_send($transport, 'good@x.test', from => ''))[0], 'the null sender');
    is(($server->messages)[0]->from, '', '... is null');
    for my $form ("j\xF6rg\@x.test", do { my $octets = "j\xF6rg\@x.test"; utf8::encode($octets); $octets }) {
        $server->clear;
        ok((try_to_send($transport, $form))[0], 'not ASCII');
        is_deeply([map { $_->to } $server->messages], ["j\xF6rg\@x.test"], '... characters or octets');
        ok(exists(($server->messages)[0]->mail_parameters->{SMTPUTF8}), '... by SMTPUTF8');
    }
    my $before = sessions_of($server);
    for my $bad ("a\r\nRCPT TO:<evil\@x.test>\@x.test", "a\n\@x.test", "a\r\@x.test", "a\0\@x.test", '<>') {
        my $failure = failing($transport, ['good@x.test', $bad]);
        is(facts($failure), "Permanent - $bad", 'a bad address is his own failure');
        is($failure->kind, 'usage', '... of the caller');
        next if $bad eq '<>';
        is(facts(failing($transport, 'good@x.test', from => $bad)), 'Permanent - good@x.test', '... as a sender too');
        unlike($failure->message, qr/[\r\n\0]/, '... told on one line');
    }
    is(sessions_of($server), $before, 'nobody was called for that');
};

subtest 'a kept connection' => sub {
    my $server = with_tls();
    my $transport = transport($server, login($server), persistent => '1');
    ok((try_to_send($transport, 'good@x.test'))[0], "message $_") for 1 .. 3;
    failing($transport, 'perm@x.test');
    ok((try_to_send($transport, 'good@x.test'))[0], 'after a refusal');
    is(sessions_of($server), 1, 'one connection');
    my ($said) = map { $_->as_text } $server->sessions;
    is(scalar(() = $said =~ /^C: RSET/mg), 1, 'RSET after the refusal only');
    $transport->disconnect;
    is(($server->wait_for(sessions => 1))->ended, 'quit', 'QUIT by disconnect');
    is(dies(sub { $transport->disconnect }), '', 'once more does no harm');
    ok((try_to_send($transport, 'good@x.test'))[0], 'and it goes on');
    is(sessions_of($server), 2, '... over another');
};

subtest 'a kept connection that the server has left' => sub {
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    for my $fault ({stage => 'mail', nth => 2, close => 1}, {stage => 'mail', nth => 2, reset => 1},
        {stage => 'mail', nth => 2, reply => "421 4.4.2 Idle too long\r\n", close => 1},
        {stage => 'data', nth => 2, close => 1}, {stage => 'content', nth => 2, close => 1},
        {stage => 'end', nth => 1, append => "421 4.4.2 Good bye\r\n", close => 'after'},
        {stage => 'end', nth => 1, close => 'after'}) {
        my $server = sandbox(faults => [$fault]);
        my $transport = transport($server, persistent => 1);
        my $name = join ' ', map { $fault->{$_} =~ s/\s+\z//r } sort keys %$fault;
        my $big = $MESSAGE . ('x' x 70 . "\n") x ($fault->{stage} eq 'content' ? 50_000 : 0);
        ok((try_to_send($transport, 'good@x.test'))[0], $name);
        my ($success, $failure) = try_to_send($transport, 'good@x.test', message => $big);
        ok($success, '... sent by another') or diag($failure);
        is(scalar(my @messages = $server->messages), 2, '... each once');
        is(sessions_of($server), 2, '... over two connections');
    }
    my $server = sandbox(faults => [{stage => 'end', nth => 2, close => 1}]);
    my $transport = transport($server, persistent => 1);
    try_to_send($transport, 'good@x.test');
    is(failing($transport, 'good@x.test')->may_have_been_sent, 1, 'gone after the dot: not sent again');
    is(sessions_of($server), 1, '... by nobody');
    ok((try_to_send($transport, 'good@x.test'))[0], 'the next message has a new one');
    is_deeply(\@warnings, [], 'and all that without a warning');
};

subtest 'a forked child' => sub {
    my $server = sandbox();
    my $transport = transport($server, persistent => 1);
    try_to_send($transport, 'good@x.test', message => "Subject: one\n\n.\n");
    defined(my $pid = fork) or die $!;
    if (!$pid) {
        my ($success) = try_to_send($transport, 'good@x.test', message => "Subject: child\n\n.\n");
        $transport->disconnect;
        POSIX::_exit($success ? 0 : 1);
    }
    waitpid $pid, 0;
    is($?, 0, 'the child sends');
    ok((try_to_send($transport, 'good@x.test', message => "Subject: two\n\n.\n"))[0], 'and the parent too');
    my @sessions = map { [$_->header('Subject'), $_->session] } $server->messages;
    is_deeply(\@sessions, [['one', 1], ['child', 2], ['two', 1]], 'each over its own connection');
};

subtest 'mistakes are told at once' => sub {
    my %mistake = (
        'ssl: "tls" is not known'       => {ssl => 'tls'},
        'no sasl_password'              => {sasl_username => 'demo'},
        'but no sasl_password'          => {sasl_username => 'demo', sasl_password => ''},
        'host and hosts'                => {host => 'a.test', hosts => 'b.test'},
        'no port in it'                 => {host => 'a.test:25'},
        'port: twenty five is none'     => {port => 'twenty five'},
        'no host name'                  => {host => 'a b'},
        'hosts: a name, or a list'      => {hosts => [undef, '']},
        'no TLS option SSL_ca_fil'      => {ssl_options => {SSL_ca_fil => '/x'}},
        'is no name=value'              => {ssl_options => 'SSL_ca_file'},
        'there is no attribute "user'   => {username => 'demo'},
        'there is no attribute "passw'  => {password => 'x'},
        'there is no attribute "SSL_'   => {SSL_verify_mode => 0},
        'persistent: 1 or 0'            => {persistent => 'perhaps'},
        'timeout'                       => {timeout => 'soon'},
        'url and port'                  => {url => 'smtps://a.test', port => 465},
        'is no server address'          => {url => 'a.test'},
        'mechanism'                     => {sasl_username => 'a', sasl_password => 'b', mechanism => '?'},
        'give one of them'              => {sasl_username => 'a', sasl_password => 'b', sasl_authenticator => 1},
        'body'                          => {body => 'binary'},
        'line end'                      => {sasl_username => 'demo', sasl_password => "x\n"},
    );
    for my $words (sort keys %mistake) {
        my $error = dies(sub { class()->new($mistake{$words}) });
        like($error, qr/\Q$words\E.* at \Q$0\E line [0-9]+\.$/, $words);
    }
    ok(eval { class()->new({redirect_address => 'x@y.test', host => 'a.test'}) }, 'what is not ours is passed over');
    is(class()->new({persistent => 'no', debug => 'false'})->persistent, 0, 'no is no');
    is(class()->new({persistent => 'on'})->persistent, 1, 'on is on');
    ok(eval { class()->new({sasl_username => '', ssl => undef, helo => '', hosts => ''}) }, 'empty is not given');
};

subtest 'a handler that dies' => sub {
    my $server = sandbox(faults => [{stage => 'mail', nth => 1, silent => 1}]);
    my $transport = transport($server, persistent => 1);
    my $error = do {
        local $SIG{ALRM} = sub { die "time is up\n" };
        alarm 1;
        my (undef, $died) = try_to_send($transport, 'good@x.test');
        alarm 0;
        $died;
    };
    is($error, "time is up\n", 'its exception comes through');
    ok((try_to_send($transport, 'good@x.test'))[0], 'and the transport is good for more');
};

subtest 'the environment' => sub {
    my $server = with_tls();
    my $code = <<'PERL';
use strict; use warnings;
use Email::Sender::Simple qw(sendmail);
my $success = sendmail("From: a\@x.test\nTo: good\@x.test\nSubject: x\n\nHello\n");
print ref(Email::Sender::Simple->default_transport), ' ', $success->message, "\n";
PERL
    for my $name (qw(AuthC Email::Sender::Transport::AuthC =Email::Sender::Transport::AuthC
        Email::Sender::Transport::SMTP::AuthC)) {
        local @ENV{map { "EMAIL_SENDER_TRANSPORT$_" } '', map { "_$_" } qw(host port ssl sasl_username sasl_password
            SSL_OPTIONS persistent timeout)}
            = ($name, 'localhost', $server->port, 'starttls', 'demo', $SECRET,
            'SSL_ca_file=' . $server->ca_file . ',SSL_verifycn_name=localhost', '1', $TIMEOUT);
        my ($status, $out, $err) = run_perl($code);
        is($err, '', "$name: without complaint");
        like($out, qr/AuthC 2\.0\.0 Ok/, '... sent');
    }
    is_deeply([map { $_->user } $server->messages], [('demo') x 4], 'logged in each time');
    local @ENV{qw(EMAIL_SENDER_TRANSPORT EMAIL_SENDER_TRANSPORT_ssl)} = ('AuthC', 'tls');
    my ($status, $out, $err) = run_perl($code);
    like($err, qr/ssl: "tls" is not known/, 'a mistake there is told');
};

subtest 'Email::Stuffer' => sub {
    eval { require Email::Stuffer; 1 }
        or return plan skip_all => 'Email::Stuffer is missing (Debian: libemail-stuffer-perl)';
    my $server = with_tls();
    my $sent = Email::Stuffer->from('a@x.test')->to('good@x.test')->subject('x')->text_body("Hello\n")
        ->transport(AuthC => {host => 'localhost', port => $server->port, login($server)})->send;
    ok($sent, 'sent');
    is(($server->messages)[0]->user, 'demo', 'logged in');
    my $failed = Email::Stuffer->from('a@x.test')->to('perm@x.test')->subject('x')->text_body("Hello\n")
        ->transport(AuthC => host => 'localhost', port => $server->port, login($server))->send;
    ok(!$failed, 'false for a failure');
};

subtest 'a transcript' => sub {
    my $server = with_tls();
    my $failure = failing(transport($server, login($server), transcript => 1), 'perm@x.test');
    like($failure->transcript->as_text, qr/AUTH PLAIN \*\*\*.*550/s, 'with a failure');
    my ($success) = try_to_send(transport($server, login($server), transcript => 1), 'good@x.test');
    unlike($success->receipt->transcript->as_text, qr/\Q$SECRET\E/, 'with a success');
};

done_testing();
