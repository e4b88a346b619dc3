# Arguments: magic and overloading asked once, Perl code that pulls the object away, octets and characters, odd values.
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use Net::SMTP::AuthC;
use Test::More;
use TinyServer;

{
    package Counted;    # a tied scalar that counts how often it is asked
    our $fetched = 0;
    sub TIESCALAR { my ($class, $value) = @_; return bless \$value, $class }
    sub FETCH { $fetched++; return ${ $_[0] } }

    package Text;       # an object with a text, and code that runs when it is asked
    use overload '""' => sub { $_[0]{asked}++; $_[0]{code}->() if $_[0]{code}; $_[0]{text} }, fallback => 1;
    sub new { my ($class, $text, $code) = @_; return bless { text => $text, code => $code }, $class }
}

my %yes = (EHLO => "250-me\r\n250-SMTPUTF8\r\n250-SIZE 0\r\n250 AUTH CRAM-MD5 LOGIN PLAIN\r\n",
    AUTH => "235 2.7.0 in\r\n");
my $server = TinyServer->start(TinyServer->agree(%yes));

sub connected {
    my ($class, @more) = @_;
    return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 10, insecure_cleartext_auth => 1, @more)
        || die $@;
}

sub in_data {
    my ($smtp) = @_;
    $smtp->_mail('a@b.test', '') && $smtp->_rcpt('c@d.test', '') && $smtp->_data or die 'no DATA';
    return $smtp;
}

sub log_in {
    my ($smtp, $secret, @more) = @_;
    return $smtp->_auth('password', $secret, user => ['user'], mechanisms => 'PLAIN', @more);
}

# Every method of the core that takes a value, with the value last.
my %call = (
    _hello   => sub { $_[0]->_hello($_[1], 0) },
    _mail    => sub { $_[0]->_mail($_[1], '') },
    'parameters of _mail' => sub { $_[0]->_mail('a@b.test', $_[1]) },
    _rcpt    => sub { $_[0]->_mail('a@b.test', ''); $_[0]->_rcpt($_[1], '') },
    _command => sub { $_[0]->_command('VRFY', $_[1], 'vrfy') },
    'user of _auth'       => sub { log_in($_[0], ['secret'], user => [$_[1]]) },
    'authzid of _auth'    => sub { log_in($_[0], ['secret'], authzid => [$_[1]]) },
    'prepared of _auth'   => sub { log_in($_[0], ['secret', $_[1]]) },
    'secret of _auth'     => sub { log_in($_[0], [$_[1]]) },
    'mechanism of _auth'  => sub { log_in($_[0], ['secret'], mechanisms => $_[1]) },
    'host of _auth'       => sub { log_in($_[0], ['secret'], host => $_[1]) },
    'name of _auth_by_caller'    => sub { $_[0]->_auth_by_caller($_[1], undef, sub { '' }) },
    'initial of _auth_by_caller' => sub { $_[0]->_auth_by_caller('PLAIN', $_[1], sub { '' }) },
    'name of _starttls'   => sub { $_[0]->_starttls(Net::SMTP::AuthC::TLS->new, $_[1]) },
    _content => sub { in_data($_[0])->_content($_[1]) },
    'sender of _submit'    => sub { $_[0]->_submit($_[1], '', ['c@d.test', ''], "text\n") },
    'recipient of _submit' => sub { $_[0]->_submit('a@b.test', '', [$_[1], ''], "text\n") },
    'words of _submit'     => sub { $_[0]->_submit('a@b.test', '', ['c@d.test', $_[1]], "text\n") },
    'source of _submit'    => sub { $_[0]->_submit('a@b.test', '', ['c@d.test', ''], $_[1]) },
    _abandon => sub { $_[0]->_abandon($_[1]) },
    'option of _connect' => sub { Net::SMTP::AuthC->_new->_connect(0, host => '127.0.0.1',
        service => $server->port, tls_name => $_[1]) },
    'option of TLS'      => sub { Net::SMTP::AuthC::TLS->new(ca_file => $_[1]) },
    _scan => sub { my %facts = Net::SMTP::AuthC::_scan($_[1]) },
    'piece of _base64_lines' => sub { Net::SMTP::AuthC::_base64_lines(my $held = '', $_[1]) },
);

subtest 'tied and overloaded values are asked once' => sub {
    for my $name (sort keys %call) {
        my $smtp = connected();
        tie my $tied, 'Counted', 'value';
        $Counted::fetched = 0;
        eval { $call{$name}->($smtp, $tied) };
        is($Counted::fetched, 1, "$name: tied");
        $smtp = connected();
        my $text = Text->new('value');
        eval { $call{$name}->($smtp, $text) };
        is($text->{asked}, 1, "$name: overloaded");
    }
    my $smtp = connected();
    tie my $tied, 'Counted', $smtp;
    $Counted::fetched = 0;
    ok(Net::SMTP::AuthC::_noop($tied), 'a tied scalar that gives the object');
    is($Counted::fetched, 1, 'is asked once');
};

my %deed = (
    'lets the object go' => sub { undef ${ $_[0] } },
    'closes it'          => sub { close ${ $_[0] } },
    'takes its glob'     => sub { undef *${ $_[0] } },
    'gives it up'        => sub { ${ $_[0] }->_abandon('from within') },
    'calls a method'     => sub { ${ $_[0] }->_noop },
    'quits'              => sub { ${ $_[0] }->_quit },
    'blesses it anew'    => sub { bless ${ $_[0] }, 'Elsewhere' },
    'grows the stack'    => sub { my @x = (1) x 100_000; my $y = () = map { $_ } @x },
    'dies'               => sub { die "from within\n" },
);

subtest 'code within an argument' => sub {
    for my $deed (sort keys %deed) {
        for my $name (sort keys %call) {
            my $smtp = connected();
            my $text = Text->new('value', sub { $deed{$deed}->(\$smtp) });
            my $good = eval { $call{$name}->($smtp, $text); 1 };
            my $why = $@;
            ok(connected()->noop, "$deed, $name: we live");
            is($why, "from within\n", "$deed, $name: the death comes through") if $deed eq 'dies';
        }
    }
};

my $login = TinyServer->start(TinyServer->agree(%yes, AUTH => "334 VXNlcm5hbWU6\r\n"));

subtest 'code that gives a secret or a message' => sub {
    for my $deed (sort keys %deed) {
        for my $name ('secret of _auth', grep { /source/ } sort keys %call) {
            my $smtp = connected();
            my $code = sub { $deed{$deed}->(\$smtp); $name =~ /secret/ ? [] : undef };
            my $call = $name =~ /secret/ ? \&log_in : $call{$name};
            my $good = eval { $_[0] = $call->($smtp, $code); 1 };
            my $why = $@;
            ok(connected()->noop, "$deed, $name: we live");
            next if !$smtp;
            if ($deed =~ /calls|quits/) {
                like($why, qr/\Athis object is in the middle of another call/, "$deed, $name: refused by name");
            }
            is($why, "from within\n", "$deed, $name: the death comes through") if $deed eq 'dies';
            is(Net::SMTP::AuthC::_state($smtp), 'closed', "$deed, $name: the connection is closed")
                if $deed =~ /calls|quits|dies|closes|gives|takes/;
        }
    }
};

subtest 'code that leaves otherwise' => sub {
    for my $way ('last', 'next', 'goto') {
        my $smtp = connected();
        my $reached = 0;
        for my $once (1) {
            no warnings 'exiting';
            eval { log_in($smtp, sub { $way eq 'last' ? last : $way eq 'next' ? next : goto OUT }) };
            $reached = 1;
        }
        OUT: ok($reached, "$way: does not get out of the call");
        is($smtp->_state, 'closed', "$way: it is a death like others");
    }
    my $smtp = connected();
    ok(log_in($smtp, sub { return wantarray ? [] : ['scalar'] }), 'return is fine');
    my @depth;
    log_in(connected(), sub { @depth = caller(1); ['secret'] });
    is($depth[2], __LINE__ - 1, 'caller works');
};

subtest 'a message from code' => sub {
    my $one = TinyServer->start(TinyServer->agree(%yes));
    my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $one->port) or die $@;
    my @pieces = ("Subject: x\n", '', "\n.\n", Text->new("object\n"), 42, "\x{e4}\n", 'x' x 200_000);
    my $source = sub { my @churn = (1) x 5000; @pieces ? shift @pieces : undef };
    ok($smtp->_submit('a@b.test', '', ['c@d.test', '', 'e@f.test', ''], $source), 'taken');
    like($one->heard, qr/^DATA\r\nSubject: x\r\n\r\n\.\.\r\nobject\r\n42\xe4\r\nx+\r\n\.\r\n/m, 'as it was given');
    ok(!eval { $smtp->_submit('a@b.test', '', ['c@d.test', ''], sub { "\x{263a}" }); 1 }, 'a character above 255');
    like($@, qr/\Amessage: a character above 255/, 'is refused by name');
    is($smtp->_state, 'closed', 'and the message with it');
    unlike($one->heard =~ s/.*\r\n\.\r\n//sr, qr/\x{e2}|^\.\r\n/m, 'nothing of it was sent, and no end');
};

subtest 'octets and characters' => sub {
    my $one = TinyServer->start(TinyServer->agree(%yes));
    my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $one->port) or die $@;
    my $bytes = "\x{e4}\n";
    utf8::upgrade(my $upgraded = $bytes);
    for my $text ($bytes, $upgraded) {
        ok($smtp->_submit('a@b.test', '', ['c@d.test', ''], $text), 'a message');
        is(($one->heard =~ /.*DATA\r\n(.*?)\.\r\n/s)[0], "\x{e4}\r\n", 'however perl keeps it');
    }
    is($upgraded, $bytes, 'the argument is as it was');
    ok(utf8::is_utf8($upgraded), 'inside too');
    is({Net::SMTP::AuthC::_scan($upgraded)}->{size}, 3, 'measured as octets');
    for my $name ('_content', 'source of _submit', '_scan') {
        my $connection = connected();
        ok(!eval { $call{$name}->($connection, "\x{100}"); 1 }, "$name: a character above 255");
        like($@, qr/: a character above 255; encode it first/, "$name: refused by name");
    }
};

subtest 'odd values' => sub {
    local $SIG{__WARN__} = sub { };    # of undef
    my $coded = 0;
    my %odd = (undef => undef, empty => '', NUL => "a\0b", 'CR LF' => "a\r\nINJECTED", huge => 'x' x 3_000_000, wide => "\x{1F600}",
        number => 1e300, infinite => 9**9**9, list => [1], hash => {}, code => sub { $coded++ % 2 ? undef : 'code' }, glob => *STDOUT,
        'glob ref' => \*STDOUT, regexp => qr/x/, version => v1.2.3, 'read-only' => \'x', lvalue => \substr('abc', 1),
        'blessed' => bless([], 'Elsewhere'), 'another connection' => connected());
    for my $value (sort keys %odd) {
        for my $name (sort keys %call) {
            next if $value =~ /NUL|CR/ && $name =~ /content|source/;    # good in a message
            my $smtp = connected();
            my $good = eval { $_[0] = $call{$name}->($smtp, $odd{$value}); 1 };
            my $line = (split /\n/, $@ // '')[0] // '';
            ok($good || $line =~ /\A[\x20-\x7e]+\z/, "$value, $name") or diag $@;
        }
    }
    my @wrong = $server->heard =~ /^([A-Z]{4}[ -~]*\0.*|INJECTED.*)$/mg;
    is_deeply(\@wrong, [], 'no NUL was sent, and no line of an argument');
};

subtest 'what is missing or wrong in a list of options' => sub {
    for my $options ([], [host => undef, service => 25], [host => '127.0.0.1'], [host => '127.0.0.1', service => undef],
        [undef, 1], ['nonsense', 1], [host => "a\0b", service => 25], [host => '127.0.0.1', service => 25, timeout => 'nan'],
        [host => '127.0.0.1', service => 25, tls => {}], [host => '', service => 25], ['host']) {
        local $SIG{__WARN__} = sub { };
        ok(!eval { Net::SMTP::AuthC->_new->_connect(0, @$options); 1 }, 'options: ' . join ' ', map { $_ // 'undef' } @$options);
        like($@, qr/\A(?:(?:host|service) is needed|no option|host: a NUL|timeout: not a number|not a live|the host)/,
            'by name');
    }
    ok(!eval { Net::SMTP::AuthC::TLS->new(nonsense => 1); 1 } && $@ =~ /\Ano option nonsense here/, 'TLS option');
    ok(!eval { connected()->_connect(0, host => '127.0.0.1', service => 1); 1 } && $@ =~ /\Aconnected already/, 'twice');
    for my $recipients (undef, 'x', {}, \'x') {
        ok(!eval { connected()->_submit('a@b.test', '', $recipients, 'x'); 1 }, 'recipients that are no list');
    }
    ok(!connected()->_submit('a@b.test', '', [], 'x'), 'no recipients');
    ok(!connected()->_submit('a@b.test', '', ['c@d.test'], 'x'), 'half a pair');
};

subtest 'times' => sub {
    my $mute = TinyServer->start(TinyServer->agree(%yes, NOOP => sub { sleep 20; '' }));
    for my $time (0.0004, -1, 0.05) {
        my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $mute->port) or die $@;
        $smtp->_set_deadline($time);
        my $start = time;
        ok(!$smtp->noop && $smtp->error->kind eq 'timeout' && time - $start < 3, "a deadline in $time s");
    }
    for my $time (0, 9**9**9, 1e30) {
        my $smtp = connected();
        $smtp->_set_deadline($time);
        $smtp->_set_timeout($time, $time);
        ok($smtp->noop, "no limit: $time");
    }
    ok(!eval { connected()->_set_deadline(9**9**9 / 9**9**9); 1 } && $@ =~ /\Adeadline: not a number/, 'not a number');
};

done_testing();
