# Mail::Mailer::authc: what MailTools and MIME::Entity print is what arrives, logged in or not at all, and the result of
# close is the truth.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use POSIX ();
use Test::More;

BEGIN {
    plan skip_all => 'MailTools is missing (Debian: libmailtools-perl)'
        if !eval { require Mail::Mailer; require Mail::Send; require Mail::Internet; 1 };
}

use Errno ();
use IO::Socket::INET;
use Net::SMTP::AuthC::Sandbox;

my $SECRET  = 'a-very-secret-word';
my $TIMEOUT = 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);
my %refuse  = ('perm@x.test' => '550 5.1.1 No such user', 'temp@x.test' => '450 4.2.1 Busy');
delete $ENV{MAILADDRESS};

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', refuse => \%refuse, @_) }
sub with_tls { return sandbox(tls => 'starttls', users => {demo => $SECRET}, @_) }
sub at { my ($server, @more) = @_; return (Server => 'localhost', Port => $server->port, Timeout => $TIMEOUT, @more) }

sub login {
    my ($server, @more) = @_;
    return at($server, Auth => ['demo', $SECRET], SSL_ca_file => $server->ca_file, @more);
}

sub handle {
    my ($header, @options) = @_;
    return Mail::Mailer->new('authc', @options)->open({From => 'shop@x.test', To => 'good@x.test', %$header});
}

sub dies { my ($code) = @_; return eval { $code->(); 1 } ? '' : $@ }
sub count_of { my ($server) = @_; return scalar(my @messages = $server->messages) }

subtest 'every way of printing' => sub {
    my $server = sandbox();
    my $mailer = handle({Subject => 'x'}, at($server));
    print $mailer 'one ', "two\n";
    { local ($,, $\) = ('-', "!\n"); print $mailer 'a', 'b'; }
    $mailer->print("method\n");
    printf $mailer "%03d\n", 7;
    $mailer->printf("%s\n", '100%');
    syswrite $mailer, "12written\n34", 8, 2;
    print $mailer ".dot\n..dots\n";
    ok($mailer->opened, 'the handle is open');
    ok(defined fileno $mailer, 'and has a number');
    is(count_of($server), 0, 'nothing is sent before close');
    ok($mailer->close, 'close is true');
    my ($message) = $server->messages;
    is($message->body, "one two\r\na-b!\r\nmethod\r\n007\r\n100%\r\nwritten\n" =~ s/(?<!\r)\n/\r\n/r
        . ".dot\r\n..dots\r\n", 'what was printed') or diag($message->data);
    is_deeply([$message->from, $message->to], ['shop@x.test', 'good@x.test'], 'the envelope');
    like($mailer->receipt->text, qr/Ok/, 'the receipt');
    is($mailer->error, undef, 'no error');
    is($mailer->close, 1, 'closing twice does no harm');
    is(count_of($server), 1, '... and sends nothing');
    is(($server->wait_for(sessions => 1))->ended, 'quit', 'a farewell');
    my $core = handle({}, at($server));
    print $core "x\n";
    ok(CORE::close($core), "perl's own close");
    is(count_of($server), 2, '... sends too');
};

subtest 'the header' => sub {
    my $server = sandbox();
    my $mailer = handle({To => ['A <a@x.test>, b@x.test', '"C, D" <c@x.test>'], Cc => 'd@x.test', Bcc => 'e@x.test, a@x.test',
        Subject => "folded\n line", 'X-List' => [1, 2]}, at($server));
    ok($mailer->close, 'sent');
    my ($message) = $server->messages;
    is_deeply([$message->to], [map { "$_\@x.test" } qw(a b c d e)], 'everybody once');
    unlike($message->data, qr/e\@x\.test|^Bcc/mi, 'Bcc is blind');
    is($message->header('Subject'), 'folded line', 'a folded line');
    is_deeply([$message->header('X-List')], [1, 2], 'a field twice');
    like($message->header('X-Mailer'), qr/Net::SMTP::AuthC/, 'the mailer');
    for my $bad ("x\nBcc: evil\@x.test", "x\r\nBcc: y", "x\rBcc: y", "x\n\nbody", "x\0") {
        like(dies(sub { handle({Subject => $bad}, at($server)) }), qr/header Subject: a line end .* at \Q$0\E line/,
            'a line end that would begin a line');
    }
    for my $bad ("a\nRCPT TO:<x\@y>\@x.test", 'a@x.test, <', '') {
        ok(dies(sub { handle({To => $bad}, at($server)) }), 'a recipient that is none');
    }
    is(scalar(my @sessions = $server->sessions), 1, 'nobody was called for these');
};

subtest 'the sender' => sub {
    my $server = sandbox();
    ok(handle({From => 'Shop <shop@x.test>'}, at($server))->close, 'From of the header');
    ok(handle({}, at($server, From => 'bounces@x.test'))->close, 'From of the options');
    { local $ENV{MAILADDRESS} = 'me@x.test'; ok(handle({}, at($server))->close, 'of the environment'); }
    is_deeply([map { $_->from } $server->messages], [qw(shop@x.test bounces@x.test me@x.test)], 'each');
};

subtest 'MailTools and MIME::Entity' => sub {
    my $server = with_tls();
    my $send = Mail::Send->new(To => 'good@x.test', Subject => 'x');
    my $handle = $send->open('authc', login($server));
    print $handle "Hello\n";
    ok($handle->close, 'Mail::Send');
    my $internet = Mail::Internet->new(["From: shop\@x.test\n", "To: good\@x.test\n", "Subject: y\n", "\n", "Hello\n"]);
    ok($internet->send('authc', login($server)), 'Mail::Internet');
    is_deeply([map { $_->user } $server->messages], [qw(demo demo)], 'logged in');
    is_deeply([map { $_->body } $server->messages], [("Hello\r\n") x 2], 'the text');
    SKIP: {
        skip 'MIME::Entity is missing (Debian: libmime-tools-perl)', 3 if !eval { require MIME::Entity; 1 };
        my $entity = MIME::Entity->build(From => 'shop@x.test', To => 'A <good@x.test>, perm@x.test', Type => 'text/plain',
            Subject => 'z', Data => ["Hello\n", ".dot\n"]);
        $entity->attach(Data => "\x00\xFF\n" x 100, Type => 'application/octet-stream', Encoding => 'base64');
        ok(!$entity->send('authc', login($server)), 'MIME::Entity: one refused, nobody gets it');
        ok($entity->send('authc', login($server), SkipBad => 1), 'with SkipBad the others do');
        like(($server->messages)[-1]->data, qr/^\.dot\r\n.*base64/ms, 'whole');
    }
};

subtest 'close tells the truth' => sub {
    my $server = sandbox();
    for my $case (['perm@x.test', 'refused', 550], ['good@x.test, perm@x.test', 'refused', undef],
        ['temp@x.test', 'deferred', 450]) {
        my ($to, $kind, $code) = @$case;
        my $mailer = handle({To => $to}, at($server));
        print $mailer "x\n";
        is($mailer->close, '', "$to: false");
        isa_ok($@, 'Net::SMTP::AuthC::Error');
        is_deeply([$@->kind, $@->code], [$kind, $code], 'the reason');
        like("$@", qr/ at \Q$0\E line/, "with the program's line");
        is($mailer->error, $@, 'and in the object');
    }
    is(count_of($server), 0, 'nothing was sent');
    my $mailer = handle({To => 'good@x.test, perm@x.test'}, at($server, SkipBad => 1));
    ok($mailer->close, 'SkipBad');
    is_deeply([map { $_->address } $mailer->receipt->refused], ['perm@x.test'], 'the receipt tells of the refused');
    for my $stage (qw(data end)) {
        my $server = sandbox(faults => [{stage => $stage, reply => "452 4.3.1 Full\r\n"}]);
        my $mailer = handle({}, at($server));
        ok(!$mailer->close, "$stage refused: false");
        is($! + 0, Errno::EAGAIN(), '$! says as much as it can');
    }
    $server = sandbox(faults => [{stage => 'end', close => 1}]);
    $mailer = handle({}, at($server));
    ok(!$mailer->close, 'gone after the dot: false');
    is($mailer->error->may_have_been_sent, 1, 'and may be out');
    $mailer = handle({}, at(sandbox()));
    print $mailer "\x{263A}\n";
    ok(!$mailer->close, 'characters are no octets: false');
    like($@, qr/above 255/, 'the reason');
};

subtest 'Auth given, never without' => sub {
    my $server = with_tls(require_auth => 0);
    my %mistake = (
        'a wrong password'   => [Auth => ['demo', 'wrong']],
        'an empty password'  => [Auth => ['demo', '']],
        'no password'        => [Auth => ['demo']],
        'no user'            => [Auth => [undef, $SECRET]],
        'an empty list'      => [Auth => []],
        'nothing'            => [Auth => undef],
        'a string'           => [Auth => "demo:$SECRET"],
        'no TLS'             => [StartTLS => 0],
        'an unknown mechanism' => [Auth => ['demo', $SECRET, 'CRAM-MD6']],
        'not trusted'        => [SSL_ca_file => undef],
    );
    for my $what (sort keys %mistake) {
        my $error = dies(sub { handle({}, login($server, @{ $mistake{$what} })) });
        isa_ok($error, 'Net::SMTP::AuthC::Error', $what);
        like("$error", qr/ at \Q$0\E line/, '... in the program');
        unlike("$error", qr/\Q$SECRET\E/, '... without the password');
    }
    $server = sandbox();
    like(dies(sub { handle({}, at($server, Auth => ['demo', $SECRET])) }), qr/STARTTLS/, 'no STARTTLS offered');
    like(dies(sub { handle({}, at($server, Auth => ['demo', $SECRET], StartTLS => 0)) }), qr/not offer AUTH/,
        'no AUTH offered');
    like(dies(sub { handle({}, at($server, oauth_token => 'x')) }), qr/without Auth/, 'a token alone');
    is(count_of($server), 0, 'nothing was sent');
    $server = with_tls(mechanisms => ['PLAIN', 'LOGIN', 'SCRAM-SHA-1']);
    ok(handle({}, login($server, Auth => ['demo', $SECRET, 'LOGIN']))->close, 'a mechanism');
    ok(handle({}, login($server, StartTLS => 1))->close, 'StartTLS');
    is_deeply([map { $_->mechanism } $server->messages], ['LOGIN', 'SCRAM-SHA-1'], 'as asked, or the strongest');
    $server = sandbox(users => {demo => $SECRET}, mechanisms => ['PLAIN']);
    like(dies(sub { handle({}, at($server, Auth => ['demo', $SECRET], StartTLS => 0)) }), qr/AUTH/, 'not in clear');
    ok(handle({}, at($server, Auth => ['demo', $SECRET], insecure_cleartext_auth => 1))->close, 'but by name');
};

subtest 'servers' => sub {
    my $server = sandbox(tls => 'implicit', users => {demo => $SECRET});
    ok(handle({}, login($server, SSL => 1))->close, 'SSL');
    ok(handle({}, login($server, Server => 'smtps://localhost:' . $server->port))->close, 'an address');
    ok(handle({}, login($server, SSL => 1, Server => 'localhost:' . $server->port, Port => 1))->close,
        'a port behind the host');
    my $plain = sandbox();
    my $dead = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    ok(handle({}, at($plain, Server => ["localhost:$dead", 'localhost']))->close, 'the next when nobody listens');
    my $error = dies(sub { handle({}, Server => 'localhost', Port => $dead) });
    is(ref $error && $error->kind, 'connect', 'nobody listens: open dies');
    like($error, qr/refused/, 'with the reason');
    require Net::Config;
    local $Net::Config::NetConfig{smtp_hosts} = [];
    like(dies(sub { handle({}) }), qr/no server/, 'no server at all');
    local $Net::Config::NetConfig{smtp_hosts} = ['localhost'];
    ok(handle({}, Port => $plain->port)->close, "libnet's");
};

subtest 'never closed' => sub {
    my $server = sandbox();
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    { my $mailer = handle({}, at($server)); print $mailer 'half a'; }
    eval { my $mailer = handle({}, at($server)); print $mailer 'half a'; die "no\n" };
    is($@, "no\n", 'the exception stays');
    is(count_of($server), 0, 'nothing is sent');
    is(scalar(grep { /was not sent/ } @warnings), 2, 'and a warning says so');
    my $mailer = Mail::Mailer->new('authc', at($server));
    undef $mailer;
    is(scalar @warnings, 2, 'one that was never opened has nothing to say');
    $mailer = handle({}, at($server));
    print $mailer "first\n";
    $mailer->open({From => 'shop@x.test', To => 'good@x.test'});
    ok($mailer->close, 'opened anew');
    is(count_of($server), 2, 'both are sent');
    $mailer = handle({}, at($server));
    defined(my $pid = fork) or die $!;
    if (!$pid) { undef $mailer; POSIX::_exit(@warnings == 2 ? 0 : 1) }
    waitpid $pid, 0;
    is($?, 0, 'a forked child goes in silence');
    ok($mailer->close, 'the parent sends');
    is(count_of($server), 3, 'once');
};

done_testing();
