# submit: every form of a message, every parameter, every outcome, and what the receipt and the error say of it.
use strict;
use warnings;
use utf8;
use File::Temp ();
use IO::File;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $MESSAGE = "Subject: x\nMessage-ID: <one\@x.test>\n\nOne.\n.dot\n";
my $WIRE    = "Subject: x\r\nMessage-ID: <one\@x.test>\r\n\r\nOne.\r\n.dot\r\n";
my %mail    = (from => 'a@x.test', to => 'b@x.test');

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub client { my ($server, @more) = @_; return Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 10,
    @more) }

sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

# The error of a submission on a connection of its own, and what the server then has.
sub failing {
    my ($server, $message, @more) = @_;
    my $smtp = client($server);
    my $error = error_of(sub { $smtp->submit($message, %mail, @more) });
    return ($error, $smtp);
}

sub outcomes { my ($result) = @_; return join ' ', map { $_->address . '=' . $_->outcome } $result->recipients }
sub said { my ($server) = @_; return map { $_->client_lines } $server->sessions }

{
    package Tied::Lines;
    sub TIEHANDLE { my ($class, @lines) = @_; return bless [@lines], $class }
    sub READLINE { return shift @{ $_[0] } }
    package Tied::Octets;
    sub TIEHANDLE { my ($class, $octets) = @_; return bless \$octets, $class }
    sub READ { my ($self, undef, $n) = @_; $_[1] = substr $$self, 0, 7, ''; return length $_[1] }
    package Mail::Object;
    sub new { my ($class, $text) = @_; return bless {text => $text}, $class }
    sub as_string { return $_[0]{text} }
    sub read { die "never called\n" }
}

subtest 'every form of a message' => sub {
    my $server = sandbox();
    my $smtp   = client($server);
    my $file   = File::Temp->new;
    print {$file} $MESSAGE;
    close $file;
    my $open = sub { open my $handle, '<', "$file" or die $!; return $handle };
    open STDIN, '<', "$file" or die $!;
    open BARE, '<', "$file" or die $!;
    open my $memory, '<', \(my $copy = $MESSAGE) or die $!;
    tie *LINES, 'Tied::Lines', $MESSAGE =~ /([^\n]*\n)/g;
    tie *OCTETS, 'Tied::Octets', $MESSAGE;
    my @pieces = $MESSAGE =~ /(.{1,5})/gs;
    my @blessed = @pieces;
    my $skip = $open->();
    readline $skip;
    my %form = (
        'a string' => $MESSAGE, 'a reference to a string' => \$MESSAGE, 'a part of a string' => \substr($MESSAGE, 0),
        'a handle' => $open->(), 'a glob' => *BARE, 'a reference to a glob' => \*STDIN,
            'a handle on memory' => $memory,
        'IO::File' => IO::File->new("$file", '<'), 'an IO' => *{ $open->() }{IO}, 'a pipe' => do { open my $p, '-|',
            'cat', "$file"; $p },
        'a tied handle with READLINE' => \*LINES, 'a tied handle with READ' => \*OCTETS,
        'a code ref' => sub { shift @pieces }, 'a blessed code ref' => bless(sub { shift @blessed }, 'Some::Class'),
        'an object with as_string' => Mail::Object->new($MESSAGE),
        'characters below 256' => do { my $text = $MESSAGE; utf8::upgrade($text); $text },
    );
    for my $name (sort keys %form) {
        my $receipt = eval { $smtp->submit($form{$name}, %mail) };
        ok($receipt && $receipt->all_sent, $name) or diag($@);
        my ($message) = $server->wait_for(count => 1);
        is($message && $message->data, $WIRE, "$name: what arrived");
        $server->clear;
    }
    ok($smtp->submit($skip, %mail), 'a handle of which something was read');
    like(($server->wait_for(count => 1))[0]->data, qr/\AMessage-ID/, 'the rest of it');
    is(scalar($server->sessions), 1, 'all of that over one connection');
};

subtest 'forms that are none' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    my $closed = IO::File->new($0, '<');
    $closed->close;
    open my $decoding, '<:encoding(UTF-8)', $0 or die $!;
    my %wrong = ('undef' => undef, 'a reference to undef' => \undef, 'a list' => [], 'a hash' => {},
        'a pattern' => qr/x/,
        'a reference to a reference' => \\'x', 'an object without as_string' => bless({}, 'Some::Class'),
        'a closed handle' => $closed, 'a handle that decodes' => $decoding, 'a wide character' => "x\n\nGänse☃\n",
        'a wide character in a reference' => \"☃", 'a wide character in an object' => Mail::Object->new('☃'),
        'an object that has nothing' => Mail::Object->new(undef));
    for my $name (sort keys %wrong) {
        my $error = error_of(sub { $smtp->submit($wrong{$name}, %mail) });
        like($error, qr/\Amessage[: ].* at \Q$0\E line [0-9]+\.\n\z/, $name);
        is(ref $error && $error->kind, 'usage', "$name: kind");
    }
    for my $case (['from is needed', from => undef], ['no recipient', to => undef], ['no recipient', to => []],
        ['to[0]: an undefined address', to => [undef]], ['to[0]: a HASH is no address', to => [{}]],
        ['to[1]: an empty address', to => ['b@x.test', '']], ['unknown option "too" of submit', too => 'x'],
        ['unknown option "ORCPT" of a recipient', to => [['b@x.test', {ORCPT => 'x'}]]], ['size:', size => 'big'],
        ['to[0]: an address, or', to => [['b@x.test', 'c@x.test']]], ['body: 7bit, 8bit or binary', body => '9bit'],
        ['to: one address each, not 2', to => 'b@x.test, c@x.test'], ['deadline:', deadline => 'soon']) {
        my ($text, @option) = @$case;
        like(error_of(sub { $smtp->submit('x', %mail, @option) }), qr/\A\Q$text\E.* at \Q$0\E line/,
            "$text (@{[$option[0]]})");
    }
    is(scalar(grep { !/\AEHLO/ } said($server)), 0, 'for all of that nothing was said');
    ok($smtp->submit($MESSAGE, %mail), 'and the connection lives');
};

subtest 'the receipt' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(users => {demo => 'secret'});
    my $smtp = Net::SMTP::AuthC->connect($server->url, username => 'demo', password => 'secret',
        ca_file => $server->ca_file,
        transcript => 1);
    my $receipt = $smtp->submit($MESSAGE, from => '<a@x.test>', to => ['B <b@x.test>', 'c@x.test']);
    is($receipt->all_sent, 1, 'all_sent');
    is(outcomes($receipt), 'b@x.test=sent c@x.test=sent', 'outcomes');
    is($receipt->outcome('c@x.test'), 'sent', 'outcome by address');
    is($receipt->code . ' ' . $receipt->enhanced, '250 2.0.0', 'code and enhanced');
    like($receipt->text, qr/kept as 1\.1/, 'text');
    is($receipt->message_id, '<one@x.test>', 'message_id of a string');
    is($receipt->bytes, length $WIRE, 'bytes');
    is($receipt->mechanism, 'PLAIN', 'mechanism');
    is($receipt->tls->{verified} . $receipt->tls->{name}, '1localhost', 'tls');
    is(join(' ', sort keys %{ $receipt->timings }), 'auth connect tls transaction', 'timings');
    is(scalar(grep { $_ >= 0 && $_ < 5 } values %{ $receipt->timings }), 4, 'in seconds');
    is($receipt->transcript, $smtp->transcript, 'transcript');
    my ($message) = $server->wait_for(count => 1);
    is($message->from . ' ' . join(' ', $message->to), 'a@x.test b@x.test c@x.test', 'the envelope');
    is($message->mail_parameters->{SIZE}, length $WIRE, 'SIZE');
    my $second = $smtp->submit("x\n", from => '', to => 'b@x.test');
    is(($server->wait_for(count => 2))[1]->from, '', 'the null sender');
    is($second->message_id, undef, 'no message_id');
    ok($second->timings != $receipt->timings, 'receipts share nothing');
    is($smtp->submit("x\n", from => '<>', to => 'b@x.test')->all_sent, 1, 'and with brackets');
    my @piece = ("ab\n", 'c');
    is($smtp->submit(sub { shift @piece }, %mail)->bytes, length "ab\r\nc\r\n", 'bytes of what comes piece by piece');
};

subtest 'an outcome for every recipient' => sub {
    my $server = sandbox(refuse => {'no@x.test' => '550 5.1.1 Who?', 'later@x.test' => "451 4.2.0 Later",
        'forward@x.test' => '251 2.1.5 Will forward'});
    for my $pipelining (0, 1) {
        my $smtp = client($server, pipelining => $pipelining);
        my $receipt = $smtp->submit($MESSAGE, from => 'a@x.test',
            to => [qw(b@x.test no@x.test later@x.test forward@x.test)]);
        is(outcomes($receipt), 'b@x.test=sent no@x.test=refused later@x.test=deferred forward@x.test=sent',
            'outcomes');
        is($receipt->all_sent, 0, 'not all_sent');
        my ($refused) = $receipt->refused;
        is(join(' ', map { $refused->$_ } qw(code enhanced text step)), '550 5.1.1 Who? RCPT', 'why refused');
        is(join(' ', map { $_->code } $receipt->deferred), 451, 'and deferred');
        is(join(' ', ($server->wait_for(count => 1))[0]->to), 'b@x.test forward@x.test', 'who got it');
        $server->clear;
        my $error = error_of(sub { $smtp->submit($MESSAGE, from => 'a@x.test', to => [qw(no@x.test later@x.test)]) });
        is(outcomes($error->receipt), 'no@x.test=refused later@x.test=deferred',
            'all refused: an error with the receipt');
        is($error->kind . $error->temporary, 'deferred1', 'one deferral makes it worth another try');
        $error = error_of(sub { $smtp->submit($MESSAGE, from => 'a@x.test', to => 'no@x.test') });
        is(join(' ', map { $error->$_ } qw(kind code enhanced temporary)), 'refused 550 5.1.1 0', 'one and refused');
        like($error, qr/\ARCPT with localhost:[0-9]+: 550 5\.1\.1 Who\? at \Q$0\E line/, 'in one line');
        $error = error_of(sub { $smtp->submit($MESSAGE, from => 'a@x.test', to => 'no@x.test') });
        is(outcomes($error->receipt), 'no@x.test=refused', 'and refused again');
        is(scalar($server->messages), 0, 'nothing arrived');
        ok($smtp->submit($MESSAGE, %mail)->all_sent, 'and the connection lives');
        $server->clear;
    }
};

subtest 'refused and deferred, at every stage' => sub {
    for my $reply ("550 5.7.1 No\r\n", "451 4.3.0 Later\r\n") {
        for my $stage (qw(mail data end)) {
            my $server = sandbox(faults => [{stage => $stage, nth => 1, reply => $reply}]);
            my ($error, $smtp) = failing($server, $MESSAGE);
            my ($kind, $outcome) = $reply =~ /\A5/ ? qw(refused refused) : qw(deferred deferred);
            is($error->kind, $kind, "$kind at $stage");
            is($error->temporary, $kind eq 'deferred' ? 1 : 0, "$kind at $stage: temporary");
            is($error->may_have_been_sent, 0, "$kind at $stage: nobody has it");
            is(outcomes($error->receipt), "b\@x.test=$outcome", "$kind at $stage: outcome");
            is($error->code . ' ' . $error->enhanced, substr($reply, 0, 9), "$kind at $stage: code");
            is(scalar($server->messages), 0, "$kind at $stage: nothing arrived");
            ok($smtp->submit($MESSAGE, %mail), "$kind at $stage: the connection lives");
        }
    }
    my $server = sandbox(faults => [{stage => 'end', close => 1}]);
    my ($error) = failing($server, $MESSAGE);
    is($error->kind . $error->may_have_been_sent . $error->temporary, 'closed10',
        'no reply to the dot: nobody knows');
    is(outcomes($error->receipt), 'b@x.test=unknown', 'and the outcome says so');
};

subtest 'several messages, and a connection that goes' => sub {
    my $server = sandbox(faults => [{stage => 'mail', nth => 4, reply => "421 4.3.2 Closing\r\n", close => 'after'}]);
    my $smtp = client($server, reconnect => 0);
    is($smtp->submit("$_\n", %mail)->all_sent, 1, "message $_") for 1 .. 3;
    my $error = error_of(sub { $smtp->submit("4\n", from => 'a@x.test', to => [qw(c@x.test d@x.test)]) });
    is($error->code, 421, 'the fourth meets 421');
    unlike(outcomes($error->receipt), qr/=sent|unknown/, 'and went to nobody');
    $error = error_of(sub { $smtp->submit("5\n", from => 'a@x.test', to => 'e@x.test') });
    isnt(ref $error, '', 'the fifth finds it closed');
    is($error->receipt ? outcomes($error->receipt) : 'e@x.test=not-sent', 'e@x.test=not-sent',
        'and is not taken for another');
    is(scalar($server->messages), 3, 'three arrived');

    # closed while nobody looked
    $server = sandbox();
    $smtp = client($server);
    $smtp->submit("1\n", %mail);
    $server->stop;
    $error = error_of(sub { $smtp->submit("2\n", %mail) });
    is($error->kind, 'closed', 'an idle connection that was closed');
    is($error->may_have_been_sent, 0, 'this message was not sent, whatever became of the one before');
    is($error->receipt ? outcomes($error->receipt) : 'b@x.test=not-sent', 'b@x.test=not-sent', 'says its outcome');
};

subtest 'size' => sub {
    my $server = sandbox(size_limit => 100);
    my $smtp = client($server);
    my $error = error_of(sub { $smtp->submit('x' x 200, %mail) });
    is($error->kind . $error->code, 'refused552', 'too big for what the server takes');
    like($error, qr/202 octets.* 100 .*nothing was sent/, 'with the numbers');
    is(scalar(grep { /MAIL/ } said($server)), 0, 'the server was not bothered');
    my @pieces = ('x' x 200);
    $error = error_of(sub { $smtp->submit(sub { shift @pieces }, %mail) });
    is($error->kind . $error->code, 'refused552', 'where the size is not known, the server says so');
    ok($smtp->submit("x\n", %mail, size => 90), 'size given');
    is(($server->wait_for(count => 1))[0]->mail_parameters->{SIZE}, 90, 'is what is said');
    is(error_of(sub { $smtp->submit("x\n", %mail, size => 101) })->code, 552, 'and what is judged by');
    $server = sandbox(keywords => ['SIZE']);
    ok(client($server)->submit("x\n", %mail), 'SIZE without a number');
    $server = sandbox(keywords => []);
    ok(client($server)->submit("x\n", %mail, size => 5), 'no SIZE');
    is(join('', keys %{ ($server->wait_for(count => 1))[0]->mail_parameters }), '', 'so it is not said');
};

subtest '8BITMIME' => sub {
    my $with = sandbox();
    my $smtp = client($with);
    my @left = ("x\n");
    for my $case (['7bit', "x\n", undef], ['8bit', "\xe4\n", '8BITMIME'], ['8bit asked for', "x\n", '8BITMIME',
        body => '8bit'],
        ['7bit asked for', "\xe4\n", undef, body => '7bit'], ['not known', sub { shift @left }, '8BITMIME']) {
        my ($name, $message, $body, @option) = @$case;
        $smtp->submit($message, %mail, @option);
        is(($with->wait_for(count => 1))[0]->mail_parameters->{BODY}, $body, $name);
        $with->clear;
    }
    my $without = sandbox(keywords => []);
    $smtp = client($without);
    my $error = error_of(sub { $smtp->submit("\xe4\n", %mail) });
    is($error->kind, 'refused', 'not offered');
    like($error, qr/8BITMIME; nothing was sent.*quoted-printable.*7bit/, 'what to do');
    is(scalar(grep { /MAIL/ } said($without)), 0, 'nothing was sent indeed');
    ok($smtp->submit("\xe4\n", %mail, body => '7bit'), 'unless told otherwise');
    is(($without->wait_for(count => 1))[0]->data, "\xe4\r\n", 'and nothing is lost');
};

subtest 'SMTPUTF8' => sub {
    my $with = sandbox();
    my $latin = 'jürgen@x.test';
    utf8::downgrade($latin);
    my $receipt = client($with)->submit("x\n", from => $latin, to => ['gänse☃@x.test', $latin, 'b@x.test']);
    my ($message) = $with->wait_for(count => 1);
    is($message->from, 'jürgen@x.test', 'the sender');
    is(join(' ', $message->to), 'gänse☃@x.test jürgen@x.test b@x.test', 'the recipients');
    ok(exists $message->mail_parameters->{SMTPUTF8}, 'SMTPUTF8 is said');
    is($receipt->outcome('gänse☃@x.test'), 'sent', 'the receipt speaks characters');
    is(client($with)->submit("x\n", %mail)->all_sent, 1, 'ASCII');
    ok(!exists(($with->wait_for(count => 2))[1]->mail_parameters->{SMTPUTF8}), 'SMTPUTF8 is not said');
    client($with)->submit("x\n", %mail, smtputf8 => 1);
    ok(exists(($with->wait_for(count => 3))[2]->mail_parameters->{SMTPUTF8}), 'unless asked for');
    my $without = sandbox(keywords => ['8BITMIME']);
    my ($error) = failing($without, "x\n", to => 'ä@x.test');
    is($error->kind, 'refused', 'not offered');
    like($error, qr/SMTPUTF8; nothing was sent.*xn--/, 'what to do');
    ($error) = failing($without, "x\n", smtputf8 => 1);
    like($error, qr/SMTPUTF8/, 'asked for and not offered');
    is(scalar(grep { /MAIL/ } said($without)), 0, 'nothing was sent');
};

subtest 'DSN and AUTH=' => sub {
    my $server = sandbox(users => {demo => 'secret'}, require_auth => 0);
    my $smtp = client($server);
    $smtp->submit("x\n", from => 'a@x.test', dsn => {ret => 'hdrs', envid => 'order 1+1'}, auth => '',
        to => [['b@x.test', {notify => [qw(success delay)], orcpt => 'B+b@x.test'}], ['c@x.test',
            {notify => 'never'}], 'd@x.test']);
    my ($message) = $server->wait_for(count => 1);
    is_deeply([@{ $message->mail_parameters }{qw(RET ENVID AUTH)}], ['HDRS', 'order+201+2B1', '<>'], 'of MAIL');
    my @rcpt = $message->rcpt_parameters;
    is_deeply([map { [@$_{qw(NOTIFY ORCPT)}] } map { ref eq 'ARRAY' ? @$_ : $_ } @rcpt],
        [['SUCCESS,DELAY', 'rfc822;B+2Bb@x.test'], ['NEVER', undef], [undef, undef]], 'of RCPT');
    my $without = sandbox(keywords => []);
    for my $option ([dsn => {ret => 'full'}], [to => [['b@x.test', {notify => 'never'}]]], [auth => 'a@x.test']) {
        my ($error) = failing($without, "x\n", @$option);
        like($error, qr/does not offer (?:DSN|AUTH); nothing was sent/, "$option->[0] and not offered");
    }
    is(scalar(grep { /MAIL/ } said($without)), 0, 'nothing was sent');
};

subtest 'a message that dies in the middle' => sub {
    my $server = sandbox();
    my $big = 'x' x 70_000 . "\n";
    open my $folder, '<', '.' or die $!;
    my %dying = (
        'a code ref' => [sub { our $n; die "disk full\n" if $n++ > 2; $big }, qr/disk full/],
        'a code ref at once' => [sub { die "no paper\n" }, qr/no paper/],
        'a wide character in a piece' => [do { my @p = ("x\n", "☃\n"); sub { shift @p } }, qr/above 255/],
        'a handle that cannot be read' => [$folder, qr/cannot be read: \S/],
        'nothing for ever' => [sub { '' }, qr/empty pieces/],
    );
    for my $name (sort keys %dying) {
        my ($message, $text) = @{ $dying{$name} };
        my ($error, $smtp) = failing($server, $message);
        is(ref $error && $error->kind, 'interrupted', "$name: kind");
        like($error, $text, "$name: it says why");
        like($error, qr/nothing was delivered.* at \Q$0\E line [0-9]+\.\n\z/,
            "$name: and that nothing was delivered");
        is(ref $error && outcomes($error->receipt), 'b@x.test=not-sent', "$name: outcome");
        ok(!defined $smtp->fileno, "$name: the connection is closed");
    }
    my ($error, $smtp) = failing($server, sub { die {mine => 1} });
    is_deeply($error, {mine => 1}, 'an object stays as it is');
    ok(!defined $smtp->fileno, 'and the connection is closed');
    $smtp = client($server);
    ($error) = error_of(sub { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; $smtp->submit(sub { select undef,
        undef, undef, 0.05;
        'x' }, %mail) });
    alarm 0;
    like($error, qr/alarm/, 'an alarm in the code ref');
    is(scalar($server->messages), 0, 'nothing arrived');
    my @messages = ('x', undef);
    failing($server, sub { client($server)->submit("y\n", %mail) if @messages > 1; shift @messages });
    is(join('', map { $_->data } $server->messages), "y\r\nx\r\n", 'another connection may be used within');
    $server->clear;
    my $one = client($server);
    $error = error_of(sub { $one->submit(sub { $one->submit("y\n", %mail) }, %mail) });
    like($error, qr/middle of another call/, 'the same one may not');
    $server->wait_for(sub { !grep { !defined $_->ended } $server->sessions }, timeout => 1);
    is(scalar($server->messages) + scalar($server->refused_messages), 0, 'and nothing arrived');
};

subtest 'odd sizes' => sub {
    my $server = sandbox(size_limit => 0);
    my $smtp = client($server);
    my $line = 'abcdefgh' x 9 . "\n";
    my $five = "Subject: big\n\n" . $line x (5 * 1024 * 1024 / length $line);
    for my $case (['empty', '', ''], ['no final newline', 'x', "x\r\n"], ['only a dot', '.', ".\r\n"],
        ['CR at the end', "x\r", "x\r\n"], ['5 MB', $five, $five =~ s/\n/\r\n/gr]) {
        my ($name, $message, $data) = @$case;
        is($smtp->submit($message, %mail)->all_sent, 1, $name);
        my ($arrived) = $server->wait_for(count => 1);
        ok($arrived->data eq $data, "$name: octet by octet");
        is($arrived->mail_parameters->{SIZE}, length $data, "$name: SIZE") if $arrived->mail_parameters->{SIZE};
        $server->clear;
        my $at = 0;
        $smtp->submit(sub { my $from = $at; $at += 9973; $from < length $message ? substr $message, $from,
            9973 : undef }, %mail);
        ok(($server->wait_for(count => 1))[0]->data eq $data, "$name: in pieces");
        $server->clear;
    }
};

subtest 'the transcript never knows the password' => sub {
    require MIME::Base64;
    my ($user, $password) = ('demo', 'correct horse battery');
    my $server = Net::SMTP::AuthC::Sandbox->new(users => {$user => $password}, tls => 'implicit');
    my @secrets = ($password, (map { MIME::Base64::encode_base64($_, '') } $password, "\0$user\0$password"),
        MIME::Base64::encode_base64($user, ''));
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
        my (@entries, $file);
        open my $handle, '>', \$file or die $!;
        for my $where (1, sub { push @entries, $_[0] }, $handle) {
            my $smtp = Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, username => $user,
                password => $password, mechanism => $mechanism, transcript => $where);
            $smtp->submit("Subject: x\n\nthe content is not told\n", %mail);
            my $transcript = $smtp->transcript;
            for my $form (qw(as_text as_ansi as_html as_json)) {
                my $text = $transcript->$form;
                is(scalar(grep { index($text, $_) >= 0 } @secrets), 0, "$mechanism, $form: no secret");
                like($text, qr/AUTH $mechanism.*MAIL FROM/s, "$mechanism, $form: but the rest");
                unlike($text, qr/not told/, "$mechanism, $form: nor the content");
            }
        }
        my $text = join '', map { $_->{text} } @entries;
        is(scalar(grep { index("$text$file", $_) >= 0 } @secrets), 0, "$mechanism: as it goes");
        is(join(' ', sort keys %{ $entries[0] }), 'direction ms secret text', "$mechanism: what an entry is");
        is($entries[0]{direction} . $entries[-1]{direction}, 'noteserver', "$mechanism: who speaks");
        like($file, qr/^C: AUTH $mechanism.*^C: MAIL FROM:<a\@x\.test>/sm, "$mechanism: a handle gets text");
    }
    $server = sandbox();
    my $smtp = client($server, transcript => sub { die "full\n" if $_[0]{text} =~ /^DATA/ });
    my $error = error_of(sub { $smtp->submit("x\n", %mail) });
    is($error, "full\n", 'a sub that dies');
    ok(!defined $smtp->fileno, 'and the connection is closed');
};

subtest 'deadlines' => sub {
    require Time::HiRes;
    my $took = sub {
        my ($call) = @_;
        my $start = Time::HiRes::time();
        my $error = error_of($call);
        return ($error, Time::HiRes::time() - $start);
    };
    for my $stage (qw(mail rcpt data end)) {
        my $server = sandbox(faults => [{stage => $stage, nth => 1, drip => 0.2}], keywords => []);
        my $smtp = client($server, timeout => 60);
        my ($error, $seconds) = $took->(sub { $smtp->submit("x\n", %mail, deadline => 0.5) });
        is($error->kind, 'timeout', "submit: a drip at $stage");
        cmp_ok($seconds, '<', 3, "submit: a drip at $stage ends in time");
    }
    my $server = sandbox();
    my $smtp = client($server);
    $smtp->submit("x\n", %mail, deadline => 0.3);
    select undef, undef, undef, 0.5;
    is($smtp->submit("x\n", %mail)->all_sent, 1, 'a deadline ends with its message');
    $smtp = client($server, deadline => 0.3);
    select undef, undef, undef, 0.5;
    is($smtp->submit("x\n", %mail)->all_sent, 1, 'that of connect with connect');
    for my $stage (qw(greeting ehlo)) {
        $server = sandbox(faults => [{stage => $stage, silent => 1}]);
        my ($error, $seconds) = $took->(sub { client($server, timeout => 60, deadline => 0.5) });
        is($error->kind, 'timeout', "connect: silence at $stage");
        cmp_ok($seconds, '<', 3, "connect: silence at $stage ends in time");
    }
    my ($endless, $late) = $took->(sub { client(sandbox())->submit(sub { 'x' x 1000 }, %mail, deadline => 0.5) });
    is($endless->kind . outcomes($endless->receipt), 'timeoutb@x.test=not-sent', 'a message without an end');
    cmp_ok($late, '<', 4, 'ends in time');
    $server = sandbox(faults => [{stage => 'end', silent => 1}]);
    $smtp = client($server, end_timeout => 0.3);
    my ($error, $seconds) = $took->(sub { $smtp->submit("x\n", %mail) });
    is($error->kind . outcomes($error->receipt), 'timeoutb@x.test=unknown', 'end_timeout');
    cmp_ok($seconds, '<', 3, 'ends in time');
};

subtest 'a signal handler that dies' => sub {
    for my $stage (qw(mail data end)) {
        my $server = sandbox(faults => [{stage => $stage, silent => 1}], keywords => []);
        my $smtp = client($server, timeout => 20);
        my $handled = 0;
        my $error = error_of(sub {
            local $SIG{USR1} = sub { $handled++ };
            local $SIG{ALRM} = sub { die "alarm\n" };
            kill USR1 => $$;
            alarm 1;
            $smtp->submit("x\n", %mail);
        });
        alarm 0;
        is($error, "alarm\n", "at $stage: its exception stays as it is");
        is($handled, 1, "at $stage: another handler just runs");
        ok(!defined $smtp->fileno, "at $stage: the connection is closed");
        is($smtp->error->may_have_been_sent, $stage eq 'end' ? 1 : 0, "at $stage: error tells whether it may be out");
        is(scalar($server->messages), $stage eq 'end' ? 1 : 0, "at $stage: which is so");
    }
};

subtest 'in a forked child' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    my $pid = open my $pipe, '-|';
    if (!$pid) {
        print error_of(sub { $smtp->submit("x\n", %mail) });
        require POSIX;
        close STDOUT;
        POSIX::_exit(0);
    }
    like(scalar readline $pipe, qr/belongs to process $$.* at \Q$0\E line/, 'it says whose the connection is');
    ok($smtp->submit("x\n", %mail), 'and the parent goes on');
};

done_testing;
