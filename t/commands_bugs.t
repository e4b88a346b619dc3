# The faults of Net::SMTP that must not be here, by their numbers in the compatibility notes. Where Net::SMTP is
# installed, a note tells what it does itself.
use strict;
use warnings;
use IO::Socket::INET;
use lib 't/lib';
use Face;
use MIME::Base64 qw(decode_base64);
use Socket qw(inet_aton pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(setitimer ITIMER_REAL time);

my $class = 'Net::SMTP::AuthC';
my %demo = (users => {demo => 'secret'});

sub ready {
    my ($server, @more) = @_;
    my $smtp = client($server, @more);
    $smtp->mail('a@b.test') && $smtp->to('c@d.test') or die $smtp->message;
    return $smtp;
}

sub over_tls { return sandbox(tls => 'implicit', %demo, @_) }

# How long it takes.
sub seconds {
    my ($code) = @_;
    my $began = time;
    $code->();
    return time - $began;
}

# For the notes: what Net::SMTP makes of the same, in at most three seconds.
sub beside {
    my ($server, $code) = @_;
    has_net_smtp() or return;
    my $result = eval {
        local $SIG{ALRM} = sub { die "it hangs\n" };
        local $SIG{__WARN__} = sub { };
        alarm 3;
        $code->(net_smtp($server) || die "new fails: $@");
    };
    my $why = $@;
    alarm 0;
    my $text = defined $result ? "'$result'" : $why ? "dies: $why" : 'undef';
    note 'Net::SMTP: ', $text =~ s/[^ -~]+/?/gr;
    return;
}

subtest 'B1: a silent server under TLS is a timeout' => sub {
    my $server = over_tls(faults => [{stage => 'noop', silent => 1}]);
    my $slow = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
    my $smtp = client($server, SSL => 1, Timeout => 0.5 * $slow);
    cmp_ok(seconds(sub { ok(!$smtp->noop, 'noop') }), '<', 5 * $slow, 'in time');
    is($smtp->message, "[$class] Timeout", 'message');
};

subtest 'B2: no reply keeps its CR, under TLS neither' => sub {
    my $server = over_tls(keywords => ['SIZE', 'X-A b']);
    my $smtp = client($server, SSL => 1);
    is(join('', $smtp->banner, $smtp->domain, $smtp->message, %{ *$smtp->{net_smtp_esmtp} }) =~ tr/\r//, 0, 'none');
    is($smtp->supports('SIZE'), '', "supports gives '' as it does in clear");
};

subtest 'B3: TLS does not change the class' => sub {
    my $server = over_tls();
    is(client($server, class => 'Mine', SSL => 1)->mine, 'mine', 'SSL => 1');
    my $starts = sandbox(tls => 'starttls', %demo);
    my $smtp = client($starts, class => 'Mine');
    ok($smtp->starttls, 'starttls');
    is($smtp->mine, 'mine', 'the method is still there');
    is($Mine::hellos, 3, 'and hello was called as a method each time');
};

subtest 'B4: the name in the first line of EHLO is no capability' => sub {
    my $server = sandbox(ehlo_raw => "250-auth.example.com\r\n250 SIZE\r\n");
    is(client($server)->supports('AUTH'), undef, 'AUTH');
    my $word = sandbox(ehlo_raw => "250-AUTH PLAIN\r\n250 SIZE\r\n");
    is(client($word)->supports('AUTH'), undef, 'even if it is that word');
    beside($server, sub { $_[0]->supports('AUTH') });
};

subtest 'B5: AUTH on several lines is one list' => sub {
    my $server = sandbox(ehlo_raw => "250-x\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH CRAM-MD5\r\n250 AUTH=LOGIN\r\n");
    is(join(' ', sort split / /, client($server)->supports('AUTH')), 'CRAM-MD5 LOGIN PLAIN', 'all of them');
    beside($server, sub { $_[0]->supports('AUTH') });
};

subtest 'B6: capabilities do not outlive the EHLO that told them' => sub {
    my $server = sandbox(%demo, faults => [
        {stage => 'ehlo', match => qr/fails/, reply => "451 no\r\n"},
        {stage => 'ehlo', match => qr/helo/, reply => "500 no\r\n"}]);
    my $smtp = client($server);
    ok(defined $smtp->supports('SIZE'), 'SIZE is offered');
    $smtp->hello('helo.test');
    is($smtp->supports('SIZE'), undef, 'not after HELO');
    $smtp->hello('again.test');
    ok(!$smtp->hello('fails.test'), 'an EHLO that fails');
    is($smtp->supports('SIZE'), undef, 'takes it all away');
    my $starts = sandbox(tls => 'starttls', %demo, faults => [{stage => 'ehlo', nth => 2, reply => "451 no\r\n"}]);
    $smtp = client($starts);
    ok(!$smtp->starttls, 'the second EHLO fails');
    is_deeply(*$smtp->{net_smtp_esmtp}, {}, 'nothing of before TLS is left');
};

subtest 'B7: a command during DATA never ends the message' => sub {
    my $server = sandbox();
    for my $call ([quit => 'QUIT'], [reset => 'RSET'], ['noop'], ['data'], ['hello'], ['help'], [mail => 'a@b.test'],
        [to => 'c@d.test'], [verify => 'x']
    ) {
        my ($method) = @$call;
        my $smtp = ready($server);
        $smtp->data;
        $smtp->datasend("the first half\n");
        ok(!$smtp->$method($method =~ /mail|to|verify/ ? $call->[1] : ()), "$method is refused");
        is($smtp->dataend, 0, 'and the message cannot be ended after it');
        ok(!defined fileno $smtp, 'the connection was given up');
    }
    my $smtp = ready($server);
    $smtp->data;
    $smtp->datasend("dropped\n");
    undef $smtp;
    said($server);
    is(scalar(my @messages = $server->messages), 0, 'nothing of all this is a mail');
    beside($server, sub {
        my ($smtp) = @_;
        $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data; $smtp->datasend("half\n"); $smtp->quit;
        return 'messages that were taken: ' . (my @messages = $server->messages);
    });
};

subtest 'B8: text before DATA is not said as commands' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    is($smtp->datasend("RSET\nNOOP\n"), 0, 'datasend is refused');
    is($smtp->code, 503, 'its code');
    is($smtp->dataend, 1, 'dataend has nothing to end');
    is($smtp->mail('a@b.test'), 1, 'replies are in step');
    is_deeply([said($server, $smtp)], ["EHLO $OWN_NAME", 'MAIL FROM:<a@b.test>'], 'what was said');
    beside($server, sub {
        $_[0]->datasend("RSET\n");
        $_[0]->mail('a@b.test');
        return join ' ', $_[0]->code, $_[0]->message;
    });
};

subtest 'B9: never true without sending' => sub {
    my $server = sandbox(keywords => ['8BITMIME', 'BINARYMIME', 'CHUNKING']);
    my $smtp = client($server);
    like(join('', warnings_of(sub { $smtp->mail('a@b.test', Bits => 'binary') })), qr/binary/,
        'Bits => binary warns');
    $smtp->to('c@d.test');
    is($smtp->data("text\n"), 1, 'data is true');
    is(scalar(my @messages = $server->messages), 1, 'and the mail is there');
    $server->clear;
    beside($server, sub {
        my ($smtp) = @_;
        $smtp->mail('a@b.test', Bits => 'binary');
        $smtp->to('c@d.test');
        return 'data gives ' . $smtp->data("x\n") . ', messages that came: ' . (my @messages = $server->messages);
    });
};

subtest 'B10: a signal is no timeout' => sub {
    my $server = sandbox(faults => [{stage => 'noop', delay => 1}]);
    my $smtp = client($server);
    my $signals = 0;
    local $SIG{ALRM} = sub { $signals++ };
    setitimer(ITIMER_REAL, 0.1, 0.1);
    my $good = $smtp->noop;
    setitimer(ITIMER_REAL, 0);
    is($good, 1, 'the reply is waited for');
    cmp_ok($signals, '>', 3, 'and the handler has run meanwhile');
};

subtest 'B11: octets that drip do not stretch the timeout' => sub {
    my $server = sandbox(faults => [{stage => 'greeting', drip => 0.3}]);
    my $smtp;
    my $took = seconds(sub { $smtp = $class->new($server->host, Port => $server->port, Timeout => 1) });
    cmp_ok($took, '<', 3, 'new ends');
    is($smtp, undef, 'without an object');
    like($@, qr/no answer within 1/, '$@');
};

subtest 'B12: a message that lacks a piece is not ended' => sub {
    my $server = sandbox();
    my $smtp = ready($server);
    $smtp->data;
    $smtp->datasend("first\n");
    ok(!eval { $smtp->datasend("\x{263a}"); 1 }, 'a wide character');
    is($smtp->dataend, 0, 'dataend');
    said($server);
    is(scalar(my @messages = $server->messages), 0, 'no mail');
};

subtest 'B13: nothing is injected' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    for my $bad ("a\@b.test\rDATA", "a\@b.test\r\nDATA", 'a@b> SIZE=1 X=<z', "a\@b\0c") {
        ok(!$smtp->mail($bad), 'mail');
        ok(!$smtp->to($bad), 'to');
        next if $bad =~ />/;
        ok(!$smtp->$_($bad), $_) for qw(verify expand help hello);
    }
    is_deeply([said($server, $smtp)], ["EHLO $OWN_NAME"], 'nothing of it was said');
    beside($server, sub {
        $_[0]->mail('a@b> SIZE=1 X=<z');
        $_[0]->mail("a\@b\rDATA");
        return join ' | ', said($server, $_[0]);
    });
};

subtest 'B14: auth does not die' => sub {
    my $server = over_tls(keywords => ['AUTH GSSAPI']);
    my $smtp = client($server, SSL => 1);
    is($smtp->auth('demo', 'secret'), !1, 'no mechanism in common');
    is($smtp->auth('', 'secret'), !1, 'no user');
    is($smtp->auth('demo', "\x{263a}"), !1, 'wide characters');
    is($smtp->noop, 1, 'the connection is as it was');
};

subtest 'B15: the next mechanism after a refusal, and * for a challenge that is none' => sub {
    my $server = over_tls(
        mechanisms => [qw(PLAIN LOGIN CRAM-MD5)], keywords => ['AUTH EXTERNAL PLAIN LOGIN CRAM-MD5'],
        faults     => [{stage => 'auth', nth => [1, 2], reply => "504 not that one\r\n"}],
    );
    my $smtp = client($server, SSL => 1);
    is($smtp->auth('demo', 'secret'), 1, 'auth');
    is(scalar(my @tried = grep { /\AAUTH / } said($server, $smtp)) >= 2, 1, 'after two at least');
    is(scalar(grep { /EXTERNAL/ } @tried), 0, 'EXTERNAL was not among them');
    my $odd = sandbox(%demo, mechanisms => ['CRAM-MD5'],
        faults => [{stage => 'auth-challenge', reply => "334 !!!\r\n"}]);
    $smtp = client($odd);
    is($smtp->auth('demo', 'secret'), !1, 'a challenge that is no base64');
    is((said($odd, $smtp))[-1], '*', 'is cancelled');
};

subtest 'B16: no authorization identity unless one is asked for' => sub {
    my $server = over_tls(mechanisms => ['PLAIN']);
    my $smtp = client($server, SSL => 1);
    $smtp->auth('demo', 'secret');
    my ($initial) = map { /\AAUTH PLAIN (\S+)/ ? $1 : () } said($server, $smtp);
    is(decode_base64($initial), "\0demo\0secret", 'PLAIN');
};

subtest 'B17: an initial response that is too long for a line waits for the challenge' => sub {
    my $long = 'x' x 2000;
    my $server = over_tls(users => {demo => $long}, mechanisms => ['PLAIN']);
    my $smtp = client($server, SSL => 1);
    is($smtp->auth('demo', $long), 1, 'auth');
    is((grep { /AUTH/ } said($server, $smtp))[0], 'AUTH PLAIN', 'said alone');
};

subtest 'B19: a port in the host is no part of the name' => sub {
    my $server = over_tls();
    my $smtp = $class->new('localhost:' . $server->port, SSL => 1, SSL_ca_file => $server->ca_file);
    ok($smtp, 'the certificate is compared with the name alone') or diag $@;
};

subtest 'B20: debug shows no password' => sub {
    my $server = sandbox(%demo, mechanisms => ['PLAIN']);
    my $text = stderr_of(sub { client($server, Debug => 1, insecure_cleartext_auth => 1)->auth('demo', 'secret') });
    unlike($text, qr/secret|c2VjcmV0|AGRlbW8Ac2VjcmV0/, 'neither plain nor base64');
    like($text, qr/AUTH PLAIN \*\*\*/, 'but that there was one');
};

subtest 'B21: after a greeting that says no, the next host' => sub {
    my $busy = sandbox(faults => [{stage => 'greeting', reply => "421 busy\r\n"}]);
    my $good = sandbox();
    my @hosts = map { 'localhost:' . $_->port } $busy, $good;
    is($class->new(\@hosts)->host, $hosts[1], 'new');
    ok(!$class->new([$hosts[0]]), 'if there is one');
    my $silent = over_tls(faults => [{stage => 'tls', silent => 1}]);
    my %tls = (SSL => 1, SSL_ca_file => $silent->ca_file);
    ok(!$class->new($silent->host, Port => $silent->port, %tls, Timeout => 0.5), 'a handshake that hangs');
    like($@, qr/TLS handshake: no answer within 0\.5 s/, '$@ says so');
    my $plus = over_tls(keywords => ['AUTH SCRAM-SHA-256-PLUS PLAIN'], mechanisms => ['PLAIN']);
    is(client($plus, SSL => 1)->auth('demo', 'secret'), 1, 'a -PLUS among the mechanisms does no harm');
};

subtest 'B22: after a starttls that failed no secret is said' => sub {
    my $server = sandbox(tls => 'starttls', auth_without_tls => 1, %demo, faults => [{stage => 'tls', close => 1}]);
    my $smtp = client($server);
    ok(!$smtp->starttls, 'starttls');
    isnt($smtp->code, 220, 'its code is not the go-ahead');
    ok(!$smtp->auth('demo', 'secret'), 'auth');
    is_deeply([grep { /AUTH/ } said($server, $smtp)], [], 'nothing was said');
};

subtest 'B23: to([...]) and mail(address, {...})' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    is($smtp->mail('a@b.test', {Size => 10}), 1, 'mail');
    is($smtp->to(['c@d.test', 'e@f.test']), 1, 'to');
    is_deeply([(said($server, $smtp))[1 .. 3]],
        ['MAIL FROM:<a@b.test> SIZE=10', 'RCPT TO:<c@d.test>', 'RCPT TO:<e@f.test>'], 'what was said');
    beside($server, sub { $_[0]->to(['c@d.test']) });
};

subtest 'B24: what became of each recipient is kept' => sub {
    my $server = sandbox(refuse => {'bad@x.test' => '550 5.1.1 no such user',
        'full@x.test' => '452 4.2.2 mailbox full'});
    my $smtp = client($server);
    $smtp->mail('a@b.test');
    is_deeply([$smtp->to('bad@x.test', 'good@x.test', 'full@x.test', {SkipBad => 1})], ['good@x.test'], 'SkipBad');
    is($smtp->data("x\n"), 1, 'data');
    is_deeply([map { [@$_[0, 1, 2]] } $smtp->_outcomes],
        [['bad@x.test', 'refused', 550], ['good@x.test', 'sent', 250], ['full@x.test', 'deferred', 452]],
        'all three are told apart');
};

subtest 'B25: what is no reply ends the dialogue, and so does one too many' => sub {
    for my $case (['no reply' => {reply => "what do you want?\r\n"}], ['no digits' => {reply => "25 ok\r\n"}],
        ['one too many' => {append => "250 extra\r\n"}], ['two codes' => {reply => "250-a\r\n550 b\r\n"}],
        ['without end' => {endless => "250-more\r\n", reply => "250-more\r\n"}],
        ['a line without end' => {reply => '250 ', endless => 'x' x 1000}],
    ) {
        my ($name, $what) = @$case;
        my $server = sandbox(faults => [{stage => 'noop', %$what}]);
        my $smtp = client($server);
        my $first = $smtp->noop;
        ok(!$first, "$name: false") if $name ne 'one too many';
        is($smtp->code, 421, "$name: code") if !$first;
        $server->wait_for(sub { grep { $_->ended } $_[0]->sessions }, timeout => 0.2);
        ok(!$smtp->mail('a@b.test'), "$name: the next command does not take old words for its reply");
        ok(!defined fileno $smtp, "$name: closed");
        is_deeply([grep { /MAIL/ } said($server)], [], "$name: nor was it said");
    }
};

subtest "B26: the handle's print takes all its arguments" => sub {
    my $server = sandbox();
    my $smtp = ready($server);
    my $handle = $smtp->datafh;
    print {$handle} "a\n", "b\n";
    printf {$handle} "%s\n", 'c';
    syswrite $handle, "d\n";
    is(close $handle, 1, 'close');
    is(($server->messages)[0]->data, "a\r\nb\r\nc\r\nd\r\n", 'what arrives');
};

subtest 'B27: quit tells of QUIT, and warnings name their method' => sub {
    my $server = sandbox(faults => [{stage => 'quit', silent => 1}]);
    my $smtp = client($server, Timeout => 0.5);
    is($smtp->quit, !1, 'no answer to QUIT');
    is($smtp->message, "[$class] Timeout", 'why');
    my $other = sandbox();
    $smtp = client($other);
    my ($warning) = warnings_of(sub { $smtp->mail('a@b.test', Wrong => 1) });
    like($warning, qr/\ANet::SMTP::AuthC::mail: .*"Wrong"/, 'mail');
    ($warning) = warnings_of(sub { $smtp->to('a@b.test', {Wrong => 1}) });
    like($warning, qr/\ANet::SMTP::AuthC::recipient: .*"Wrong"/, 'to');
};

# A listener whose queue is full leaves further connections without an answer.
sub full_listener {
    my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or return;
    listen $listener, 0;
    my @waiting;
    for (1 .. 4) {
        push @waiting, IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $listener->sockport, Blocking => 0);
        select undef, undef, undef, 0.05;
    }
    return ($listener, @waiting);
}

subtest 'B28: the timeout holds for connecting as a whole' => sub {
    my ($listener, @waiting) = full_listener() or plan skip_all => 'no listener';
    my $smtp;
    my $took = seconds(sub { $smtp = $class->new('127.0.0.1', Port => $listener->sockport, Timeout => 1) });
    is($smtp, undef, 'a host that does not answer');
    cmp_ok($took, '<', 4, 'costs the timeout once');
    like($@, qr/no answer within 1/, '$@');
};

done_testing;

package Mine;
our (@ISA, $hellos);
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub mine { return 'mine' }
sub hello { my $self = shift; $hellos++; return $self->SUPER::hello(@_) }
