# The parameters of MAIL and RCPT: each is said as its RFC words it where it is offered, and an error tells what to do
# where it is not.
# valgrind: no
use strict;
use warnings;
use utf8;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Parameters;
use Net::SMTP::AuthC::Sandbox;
use Net::SMTP::AuthC::Source;
use Test::More;

my $class   = 'Net::SMTP::AuthC::Parameters';
my %mail    = (from => 'a@x.test', to => 'b@x.test');
my %usual   = map { $_ => '' } qw(PIPELINING 8BITMIME SMTPUTF8 DSN CHUNKING BINARYMIME);
my %verified = (verified => 1);

sub error_of {
    my ($call) = @_;
    return eval { $call->(); 1 } ? 'no error' : $@;
}

# offered, message, from, to and tls for themselves, the rest are options of submit: words of MAIL, binary, the octets
# of the addresses.
sub mail_of {
    my (%given) = (message => "x\n", offered => {%usual}, %mail, @_);
    my ($message, $offered, $tls) = delete @given{qw(message offered tls)};
    my $from = Net::SMTP::AuthC::Envelope->sender(delete $given{from});
    my @to   = Net::SMTP::AuthC::Envelope->recipients(delete $given{to});
    my ($words, $binary) = $class->of_mail(offered => $offered, source => ref $message eq 'HASH' ? $message
        : Net::SMTP::AuthC::Source->of($message), given => \%given, from => $from, to => \@to, tls => $tls);
    return ($words, $binary, map { join ' ', grep { length } @$_{qw(octets words)} } $from, @to);
}

sub words_of { return (mail_of(@_))[0] }
sub refused { my (@given) = @_; return error_of(sub { mail_of(@given) }) }

sub is_usage {
    my ($text, @given) = @_;
    my $error = refused(@given);
    is(ref $error && $error->kind, 'usage', "$text: kind");
    return like($error, qr/\A\Q$text\E/, $text);
}

sub is_refused {
    my ($text, @given) = @_;
    my $error = refused(@given);
    is(ref $error && join(' ', $error->kind, $error->step, $error->temporary), 'refused MAIL 0', "$text: kind");
    return like($error, qr/\Q$text\E.*; nothing was sent/, $text) && $error;
}

subtest 'SIZE' => sub {
    my %limited = (offered => {SIZE => '100'});
    is(words_of(%limited), 'SIZE=3', 'of a string, with its CRLF');
    is(words_of(%limited, message => {octets => sub { }, size_hint => 90}), 'SIZE=90', 'of what can be estimated');
    is(words_of(%limited, message => {octets => sub { }}), '', 'not of what nobody knows');
    my %file = (message => {octets => sub { }, size_hint => 101});
    my $error = is_refused('the server takes 100 at most', %limited, %file);
    is($error->code, 552, 'an estimate is judged');
    is(is_refused('101 octets', %limited, size => 101)->enhanced, '5.3.4', 'and what the caller says');
    is(words_of(offered => {SIZE => $_}, size => '9' x 18), 'SIZE=' . '9' x 18, "no limit: SIZE $_") for '', 0, 'x',
        '9' x 20;
};

subtest 'BODY' => sub {
    my @binary = (body => 'binary', offered => {%usual, SIZE => ''}, message => "a\nb\0c\n");
    is_deeply([(mail_of(@binary))[0, 1]], ['SIZE=6 BODY=BINARYMIME', 1], 'binary: its octets as they are');
    is_deeply([(mail_of(message => {octets => "x\n", binary => 1}))[0, 1]], ['BODY=BINARYMIME', 1],
        'a message that says so itself');
    is_deeply([(mail_of(message => {octets => "x\n", binary => 1}, body => '8bit'))[0, 1]], ['BODY=8BITMIME', 0],
        'the caller has the last word');
    is_deeply([(mail_of(message => 'x' x 2000 . "\0"))[0, 1]], ['', 0], 'NUL and long lines alone are not binary');
    for my $lacking (qw(BINARYMIME CHUNKING)) {
        my %offered = %usual;
        delete $offered{$lacking};
        is_refused("is binary, and the server does not offer $lacking", @binary, offered => \%offered);
    }
    is(words_of(message => "ä\n", body => 'BINARY'), 'BODY=BINARYMIME', 'in capitals');
    is(words_of(message => "\xe4\n", offered => {}, optional => 'body'), '', '8 bit where that is optional');
    is_refused('8BITMIME', message => "\xe4\n", offered => {});
    is_usage('body: 7bit, 8bit or binary', body => '9bit');
};

subtest 'addresses outside ASCII' => sub {
    my @idn = (from => 'info@bücher.example', to => ['B <b@köln.example>', 'c@x.test']);
    my @ascii = ('info@xn--bcher-kva.example', 'b@xn--kln-sna.example', 'c@x.test');
    for my $offered ({}, {%usual}) {
        is_deeply([mail_of(@idn, offered => $offered)], ['', 0, @ascii], 'domains become A-labels');
    }
    is(words_of(@idn, smtputf8 => 1), 'SMTPUTF8', 'SMTPUTF8 where it is asked for');
    my @octets = map { utf8::encode(my $text = $_); $text } 'info@bücher.example', 'jörg@x.test';
    is_deeply([mail_of(from => $idn[1], to => 'jörg@x.test')], ['SMTPUTF8', 0, @octets],
        'and where a local part needs it, and then all stay as they are');
    my $error = is_refused('jörg@x.test has' =~ s/ö/\\xF6/r, to => 'jörg@x.test', offered => {});
    like($error, qr/outside ASCII before the @, and the server does not offer SMTPUTF8.*name before the @ cannot/,
        'where it is not offered');
    is_refused('smtputf8 => 0 was given', to => 'jörg@x.test', smtputf8 => 0);
    is_refused('U+2764 is a symbol', to => 'j@i❤.example', offered => {});
    is(words_of(to => 'j@i❤.example'), 'SMTPUTF8', 'what is no host name, as the server likes');
    is_deeply([(mail_of(@idn, smtputf8 => 0))[0, 2]], ['', $ascii[0]], 'smtputf8 => 0 with domains alone');
    my $smtp_address = 'Net::SMTP::AuthC::Address';
    is($smtp_address->to_ascii($_), $_, "ASCII stays: $_") for 'a@b.example', 'a@[192.0.2.1]', 'postmaster';
    is($smtp_address->to_ascii('"a@b"@bücher.example'), '"a@b"@xn--bcher-kva.example', 'a quoted @');
    is($smtp_address->to_ascii($_), undef, 'none') for 'ä@b.example', 'a@i❤.example', 'ä';
};

subtest 'a header outside ASCII' => sub {
    my $utf8 = "Subject: Gr\xc3\xbc\xc3\x9fe\n\nx\n";
    is(words_of(message => $utf8), 'BODY=8BITMIME SMTPUTF8', 'is what SMTPUTF8 is for');
    like(is_refused('the header', message => $utf8, offered => {'8BITMIME' => ''}), qr/encoded words.*smtputf8 => 0/,
        'what to do');
    is(words_of(message => $utf8, offered => {'8BITMIME' => ''}, smtputf8 => 0), 'BODY=8BITMIME', 'all the same');
    is(words_of(message => $utf8, offered => {'8BITMIME' => ''}, optional => ['smtputf8']), 'BODY=8BITMIME',
        'the same');
    is(words_of(message => $_), 'BODY=8BITMIME', 'no SMTPUTF8')
        for "Subject: x\n\nGr\xc3\xbc\xc3\x9fe\n", "Subject: Gr\xfc\n\nx\n", "Gr\xc3\xbc\xc3\x9fe\n";
};

subtest 'DSN and AUTH=' => sub {
    my @dsn = (dsn => {ret => 'full', envid => 'order 1'}, to => ['b@x.test', ['c@x.test', {notify => 'never'}]]);
    is_deeply([mail_of(@dsn)], ['RET=FULL ENVID=order+201', 0, 'a@x.test', 'b@x.test', 'c@x.test NOTIFY=NEVER'],
        'DSN');
    is_deeply([mail_of(@dsn, offered => {}, optional => 'dsn')], ['', 0, 'a@x.test', 'b@x.test', 'c@x.test'],
        'left out of RCPT, too, where it is optional');
    like(is_refused('dsn: the server does not offer DSN', @dsn, offered => {}), qr/optional => 'dsn'/, 'what to do');
    is(words_of(offered => {}, dsn => {}), '', 'nothing asked for');
    is((mail_of(to => [['b@x.test', {orcpt => 'jörg\+1@x.test'}]]))[3],
        'b@x.test ORCPT=utf-8;j\x{F6}rg\x{5C}\x{2B}1@x.test', 'ORCPT of RFC 6533');
    is_usage('dsn envid:', dsn => {envid => $_}) for 'x' x 101, ' ' x 34, '', "\n";
    is_usage('orcpt: more than 500', to => [['b@x.test', {orcpt => '+' x 200}]]);
    is(words_of(auth => 'a+b@x.test', offered => {AUTH => 'PLAIN'}), 'AUTH=a+2Bb@x.test', 'AUTH=');
    is(words_of(auth => '', offered => {}, optional => [qw(auth dsn)]), '', 'optional');
    is_usage('auth: an address', auth => 'x' x 501);
    is_usage('optional: "dns" is none of auth, ', optional => [qw(dsn dns)]);
};

subtest 'DELIVERBY' => sub {
    my @offered = (offered => {DELIVERBY => '60'});
    is(words_of(@offered, by => 120), 'BY=120;R', 'seconds');
    is(words_of(@offered, by => {seconds => '+0120', mode => 'Return', trace => 1}), 'BY=120;RT', 'and trace');
    is(words_of(@offered, by => {seconds => $_, mode => 'notify'}), "BY=$_;N", "notify, $_") for 5, 0, -30;
    is(words_of(offered => {DELIVERBY => $_}, by => 1), 'BY=1;R', "no minimum: DELIVERBY $_") for '', 0, 'x', ',60';
    is_refused('no delivery within less than 60', @offered, by => 59);
    is_refused('within less than 60', offered => {DELIVERBY => '60,x'}, by => 59);
    is_refused('by: the server does not offer DELIVERBY', by => 120);
    is(words_of(by => 120, optional => 'by'), '', 'optional');
    is_usage('by: a whole number of seconds', by => $_) for 'soon', 1.5, '', 10**9, {}, {seconds => undef};
    is_usage(q{by mode: 'return' or 'notify'}, by => {seconds => 1, mode => 'R'});
    is_usage('by: only', by => $_) for 0, -1;
    is_usage('unknown option "second" of by', by => {second => 1});
};

subtest 'FUTURERELEASE' => sub {
    my @offered = (offered => {FUTURERELEASE => '3600 2030-01-31T00:00:00Z', DELIVERBY => ''});
    is(words_of(@offered, hold_for => 3600), 'HOLDFOR=3600', 'for a time');
    for my $time (1896048000 - 86400 * 31, '1893369600.9', '2029-12-31T00:00:00Z', '2029-12-31T01:30:00+01:30',
        '2029-12-30t19:00:00.5-05:00', '2029-12-30T23:59:60Z') {
        is(words_of(@offered, hold_until => $time), 'HOLDUNTIL=2029-12-31T00:00:00Z', "until $time");
    }
    my $error = is_refused('3600 seconds at most', @offered, hold_for => 3601);
    is($error->code . $error->enhanced, '5015.5.4', 'as the server would say');
    is_refused('until 2030-01-31T00:00:00Z at most', @offered, hold_until => '2030-01-31T00:00:01Z');
    is(words_of(offered => {FUTURERELEASE => $_}, hold_until => 4e9), 'HOLDUNTIL=2096-10-02T07:06:40Z',
        "no maximum: $_") for '', '3600', '3600 soon', 'x 2030-01-31T00:00:00Z';
    is_refused("$_: the server does not offer FUTURERELEASE", $_ => 999_999_999) for qw(hold_for hold_until);
    is(words_of(hold_for => 5, hold_until => undef, optional => [qw(hold_for)]), '', 'optional');
    is_usage('hold_for: a whole number', @offered, hold_for => $_) for 0, -1, 1.5, 10**9, '';
    is_usage('hold_until: seconds since 1970, or', @offered, hold_until => $_) for 'tomorrow', -1,
        '2029-02-29T00:00:00Z', '2029-12-31T24:00:00Z', '2029-12-31', '2029-12-31T00:00:00',
        '2029-12-31T00:00:61Z', 10**12;
    is_usage('hold_for and hold_until: one of them', @offered, hold_for => 5, hold_until => 5);
    is_usage('hold_for: not with the null sender', @offered, hold_for => 5, from => '');
    is_usage('by: 60 seconds are over before hold_for', @offered, hold_for => 60, by => 60);
    is_usage('by: 60 seconds are over before hold_until', @offered, hold_until => time + 120, by => 60);
    is(words_of(@offered, hold_for => 60, by => 61), 'BY=61;R HOLDFOR=60', 'both');
};

subtest 'MT-PRIORITY' => sub {
    my @offered = (offered => {'MT-PRIORITY' => 'MIXER'});
    is(words_of(@offered, priority => $_), 'MT-PRIORITY=' . (0 + $_), "priority $_") for -9, 0, '+3', 9, '-0';
    is_usage('priority: a whole number, -9 to 9', @offered, priority => $_) for 10, -10, 'high', 1.5, '';
    is_refused('priority: the server does not offer MT-PRIORITY', priority => 1);
    is(words_of(priority => 1, optional => 'priority'), '', 'optional');
};

subtest 'REQUIRETLS' => sub {
    my @offered = (offered => {REQUIRETLS => ''});
    is(words_of(@offered, require_tls => 1, tls => \%verified), 'REQUIRETLS', 'over verified TLS');
    is(words_of(@offered, require_tls => 0), '', 'not asked for');
    is(is_refused('the connection to the server is not encrypted', @offered, require_tls => 1)->enhanced, '5.7.10',
        'in clear');
    is_refused('was not verified', @offered, require_tls => 1, tls => {verified => 0});
    my $error = is_refused('require_tls: the server does not offer REQUIRETLS', require_tls => 1, tls => \%verified);
    is($error->code . ' ' . $error->enhanced, '550 5.7.30', 'not offered');
    is(words_of(@$_, require_tls => 1, optional => 'require_tls'), '', 'optional') for \@offered, [tls => \%verified];
};

subtest 'LIMITS' => sub {
    my %limits = (
        'MAILMAX=10 rcptmax=100 RCPTDOMAINMAX=1' => [10, 100, 1],
        'RCPTMAX=5 X-NEW NEW_ONE=a=b'            => [undef, 5, undef],
        'MAILMAX=0 RCPTMAX=1000000 RCPTDOMAINMAX=05' => [undef, undef, undef],
        'MAILMAX=-1 RCPTMAX=7 RCPTDOMAINMAX'     => [undef, 7, undef],
        'MAILMAX=999999'                         => [999999, undef, undef],
        ''                                       => [undef, undef, undef],
        map({ $_ => [undef, undef, undef] } 'MAILMAX=5 RCPT;MAX=5', 'MAILMAX=5 =5', 'MAILMAX= RCPTMAX=5',
            "MAILMAX=5\t"),
    );
    for my $line (sort keys %limits) {
        is_deeply([@{ $class->limits({LIMITS => $line}) }{qw(MAILMAX RCPTMAX RCPTDOMAINMAX)}], $limits{$line},
            "LIMITS $line");
    }
    is_deeply($class->limits({}), {}, 'none');
};

# Everything at once and at its longest, through the core's limit for a command line and a strict server.
subtest 'on the wire' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {demo => 'secret'}, extensions =>
        ['DELIVERBY 60', 'FUTURERELEASE 999999999 9999-12-31T23:59:59Z', 'MT-PRIORITY MIXER', 'REQUIRETLS']);
    my $smtp = Net::SMTP::AuthC->connect($server->url, SSL_ca_file => $server->ca_file, timeout => 10,
        username => 'demo', password => 'secret');
    my $local = "\x{e4}" x 20;
    my $receipt = $smtp->submit("x\xe4\n", from => "$local\@x.test", dsn => {ret => 'hdrs', envid => '+' x 33},
        auth => '+' x 166, by => {seconds => 999_999_999, mode => 'notify', trace => 1}, hold_until => 1.9e9,
        priority => -9, require_tls => 1, size => 10_000_000,
        to => [["$local\@x.test", {notify => [qw(success failure delay)], orcpt => 'rfc822;' . '+' x 164}]]);
    ok($receipt->all_sent, 'sent');
    my ($message) = $server->messages;
    is_deeply($message->mail_parameters, {SIZE => 10_000_000, BODY => '8BITMIME', SMTPUTF8 => undef, RET => 'HDRS',
        ENVID => '+2B' x 33, AUTH => '+2B' x 166, BY => '999999999;NT', HOLDUNTIL => '2030-03-17T17:46:40Z',
        'MT-PRIORITY' => -9, REQUIRETLS => undef}, 'every parameter of MAIL');
    is_deeply([$message->rcpt_parameters],
        [[{NOTIFY => 'SUCCESS,FAILURE,DELAY', ORCPT => 'rfc822;' . '+2B' x 164}]->[0]], 'and of RCPT');
    $receipt = $smtp->submit("x\n", from => 'a@bücher.example', to => 'b@köln.example', hold_for => 60);
    is($receipt->outcome('b@köln.example'), 'sent', 'the receipt knows the address as it was given');
    is(join(' ', map { $_->from, $_->to } ($server->messages)[1]), 'a@xn--bcher-kva.example b@xn--kln-sna.example',
        'the server knows another');
    my $error = error_of(sub { $smtp->submit("x\n", %mail, by => 30) });
    like($error, qr/\AMAIL with localhost:[0-9]+: by: .*less than 60 seconds; nothing was sent/,
        'an error says where');
    is(scalar(grep { /\AMAIL/ } map { $_->client_lines } $server->sessions), 2, 'nothing was said');
    ok($smtp->submit("x\n", %mail)->all_sent, 'the connection lives');
};

done_testing;
