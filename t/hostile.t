# Servers that are silent, slow, endless, wrong, rude or gone: every call ends in time, and says the truth.
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use HostileRun;
use HostileServer qw(hear content drip endless silent deaf sip cut reset_now tls pause);
use Test::More;

my %login    = (username => 'demo', password => $HostileRun::PASSWORD, insecure_cleartext_auth => 1);
my $GREETING = "220 x.test ESMTP\r\n";
my $EHLO     = "250-x.test\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 8BITMIME\r\n";

# What an honest server says until a stage, and what a client has said then.
my @to_ehlo = ($GREETING, hear);
my @to_mail = (@to_ehlo, $EHLO, hear);
my @to_rcpt = (@to_mail, "250 ok\r\n", hear);
my @to_data = (@to_rcpt, "250 ok\r\n", hear);
my @to_end  = (@to_data, "354 go\r\n", content);
my @to_content = (@to_data, "354 go\r\n");

# outcome: of the message when the server fails there; none before there is a message.
my @stages = (
    { stage => 'greeting', script => [], code => 220, outcome => '' },
    { stage => 'EHLO', script => \@to_ehlo, code => 250, outcome => '' },
    { stage => 'AUTH', script => \@to_mail, code => 235, outcome => '', option => {%login, mechanism => 'PLAIN'} },
    { stage => 'MAIL', script => \@to_mail, code => 250, outcome => 'not-sent' },
    { stage => 'RCPT', script => \@to_rcpt, code => 250, outcome => 'not-sent' },
    { stage => 'DATA', script => \@to_data, code => 354, outcome => 'not-sent' },
    { stage => 'end', script => \@to_end, code => 250, outcome => 'unknown' },
);
my @cases;

sub add {
    my ($name, $script, %more) = @_;
    push @cases, { name => $name, script => $script, %more };
    return;
}

# The same behaviour at every stage.
sub everywhere {
    my ($what, $behaviour, %more) = @_;
    for my $stage (@stages) {
        my @words = $behaviour->($stage);
        add("$what at $stage->{stage}", [@{ $stage->{script} }, @words], outcome => $stage->{outcome},
            option => $stage->{option},
            map { $_ => ref $more{$_} eq 'CODE' ? $more{$_}->($stage) : $more{$_} } keys %more);
    }
    return;
}

my $refused_outcome = sub { my ($stage) = @_; return length $stage->{outcome} ? 'not-sent|deferred|refused' : '' };

# ---- silence, drip, endlessness ----

everywhere('silence', sub { silent }, kind => 'timeout', text => qr/no answer within 1\.0 s/);
everywhere('half a line, then silence', sub { (substr("$_[0]{code} ok", 0, 5), silent) }, kind => 'timeout');
everywhere('the first of several lines, then silence', sub { ("$_[0]{code}-ok\r\n", silent) }, kind => 'timeout|none',
    most => 3.5, outcome => sub { length $_[0]{outcome} ? "$_[0]{outcome}|not-sent|sent" : '|not-sent' });
everywhere('drip', sub { drip("$_[0]{code} " . 'slow ' x 20 . "\r\n", 0.1) }, kind => 'timeout');
everywhere('drip of lines', sub { drip("$_[0]{code}-s\r\n" x 20, 0.1) }, kind => 'timeout', most => 3.6);
everywhere('endless replies', sub { endless("$_[0]{code} ok\r\n") }, kind => 'protocol|timeout|closed|auth',
    outcome => sub { length $_[0]{outcome} ? 'not-sent|unknown|sent' : '|not-sent' }, kind => '.*', most => 2);
everywhere('an endless line', sub { ("$_[0]{code} ", endless('x' x 4096)) }, kind => 'protocol');
everywhere('an endless multi-line reply', sub { endless("$_[0]{code}-more\r\n" x 100) }, kind => 'protocol');

# ---- wrong codes ----

for my $wrong (
    ['lines of different codes', sub { "$_[0]{code}-a\r\n550 b\r\n" }],
    ['1yz', sub { "150 wait\r\n" }], ['6yz', sub { "650 huh\r\n" }], ['0yz', sub { "050 huh\r\n" }],
    ['two digits', sub { "25 ok\r\n" }], ['four digits', sub { "2500 ok\r\n" }],
    ['garbage', sub { "\x00\x01garbage\xff\r\n" }], ['an empty line', sub { "\r\n" }],
    ['HTTP', sub { "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" }],
    ['SSH', sub { "SSH-2.0-OpenSSH_9.2\r\n" }],
    ['a TLS alert', sub { "\x15\x03\x01\x00\x02\x02\x46\r\n" }],
) {
    everywhere($wrong->[0], $wrong->[1], kind => 'protocol', text => qr/reply|answered|greeting/i);
}

# ---- wild octets, which no terminal may get ----

everywhere('NUL, ESC and 8-bit in a refusal', sub { "554 5.0.0 \e[2J\x00\x07\x9b31m\xff\xfe \\x1B\r\n" },
    kind => sub { $_[0]{stage} eq 'EHLO' ? 'timeout' : 'refused|auth|protocol' },
    outcome => sub { length $_[0]{outcome} ? 'refused' : '' });
everywhere('CR within a line', sub { "554 5.0.0 one\rC: forged\r\n" },
    kind => sub { $_[0]{stage} eq 'EHLO' ? 'timeout' : 'refused|auth|protocol' },    # HELO is tried
    outcome => sub { length $_[0]{outcome} ? 'refused' : '' });

# ---- gone ----

everywhere('FIN', sub { cut }, kind => 'closed');
everywhere('RST', sub { reset_now },
    kind => sub { $_[0]{stage} eq 'greeting' ? 'connect|closed' : 'closed' });    # connect(2) may see it already
everywhere('FIN after half a reply', sub { ("$_[0]{code} o", cut) }, kind => 'closed');
everywhere('421', sub { "421 4.3.2 shutting down\r\n" }, kind => 'deferred|auth', code => 421,
    outcome => $refused_outcome);
everywhere('421 and FIN', sub { ("421 4.3.2 shutting down\r\n", cut) }, kind => 'deferred|auth', code => 421,
    outcome => $refused_outcome);
my $last = "250 2.0.0 Ok\r\n";
for my $n (0 .. length($last) - 1) {
    for my $end ([FIN => cut], [RST => reset_now]) {
        add("$end->[0] after $n octets of the reply to the dot", [@to_end, substr($last, 0, $n), $end->[1]],
            kind => 'closed', outcome => 'unknown', text => qr/may have been sent/);
    }
}
add('FIN after the whole reply to the dot', [@to_end, $last, cut], outcome => 'sent');
add('FIN in the content', [@to_content, hear(20), cut], kind => 'closed', outcome => 'not-sent',
    message => "x\r\n" x 1_000_000);
add('RST in the content', [@to_content, hear(20), reset_now], kind => 'closed', outcome => 'not-sent',
    message => "x\r\n" x 1_000_000);
add('FIN after QUIT', [@to_end, $last, hear, cut], outcome => 'sent', after => sub { $_[0]->quit });
add('silence after QUIT', [@to_end, $last, hear, silent], outcome => 'sent', after => sub { $_[0]->quit });

# ---- gone, or talkative, while nobody looked ----

# Another message over the same connection.
sub again {
    my ($smtp) = @_;
    select undef, undef, undef, 0.1;
    return $smtp->submit("again\n", from => 'a@x.test', to => ['c@x.test', 'd@x.test']);
}

for my $idle (['421', "421 4.4.2 idle for too long\r\n", cut], ['FIN', cut], ['RST', reset_now],
    ['250', "250 still here\r\n"], ['half a reply', '25'], ['garbage', "hello?\r\n"]) {
    my ($what, @words) = @$idle;
    add("$what between two messages", [@to_end, $last, @words], after => \&again, outcome => 'sent',
        second => 'not-sent',
        kind => 'deferred|closed|protocol', unheard => qr/again/);
}

# ---- the wrong time ----

everywhere('a second reply behind the first', sub { "$_[0]{code} ok\r\n$_[0]{code} and again\r\n" }, kind => '.*',
    outcome => sub { length $_[0]{outcome} ? 'not-sent|unknown|sent' : '|not-sent' });
add('EHLO is answered with the greeting', ["220 x\r\n$EHLO"], kind => 'protocol|timeout', unheard => qr/MAIL/);
add('all replies before any command', ["220 x\r\n${EHLO}250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"],
    kind => 'protocol', outcome => '', unheard => qr/MAIL|Subject/);
add('the reply to the dot comes with the 354', [@to_data, "354 go\r\n250 2.0.0 taken\r\n", content],
    kind => 'protocol', outcome => 'not-sent');
add('250 in the middle of the content', [@to_content, hear, "250 done\r\n"], kind => 'protocol',
    outcome => 'not-sent',
    message => "x\r\n" x 1_000_000);
add('552 in the middle of the content', [@to_content, hear(3), "552 5.3.4 enough\r\n", silent],
    kind => 'refused|deferred', code => 552, outcome => 'refused', message => "x\r\n" x 1_000_000);
add('421 in the middle of the content', [@to_content, hear(3), "421 4.3.2 bye\r\n", cut],
    kind => 'deferred', code => 421, outcome => 'deferred|not-sent', message => "x\r\n" x 1_000_000);
add('250 to DATA', [@to_data, "250 ok\r\n"], kind => 'protocol', outcome => 'not-sent', unheard => qr/Subject/);
add('354 to RCPT', [@to_rcpt, "354 go\r\n"], kind => 'protocol|refused', unheard => qr/Subject|DATA/,
    outcome => 'not-sent|refused');
add('354 to MAIL', [@to_mail, "354 go\r\n"], kind => 'protocol|refused', unheard => qr/Subject|DATA/,
    outcome => 'not-sent|refused');
add('334 to MAIL', [@to_mail, "334 \r\n"], kind => 'protocol|refused', unheard => qr/Subject|DATA/,
    outcome => 'not-sent|refused');
add('354 to the dot', [@to_end, "354 more\r\n"], kind => 'protocol', outcome => 'unknown|not-sent|refused');
add('354 with nobody accepted', [$GREETING, hear, "250-x\r\n250 PIPELINING\r\n", hear(3),
        "250 ok\r\n550 5.1.1 who\r\n354 go\r\n", content, "250 taken\r\n", hear, "250 reset\r\n"],
    kind => 'refused', outcome => 'refused', heard => qr/DATA\r\n\.\r\n/, unheard => qr/Subject/);
add('354 with nobody accepted, and 554 to the dot', [$GREETING, hear, "250-x\r\n250 PIPELINING\r\n", hear(3),
        "250 ok\r\n550 5.1.1 who\r\n354 go\r\n", content, "554 nobody\r\n", hear, "250 reset\r\n"],
    kind => 'refused', outcome => 'refused', unheard => qr/Subject/);
add('MAIL refused, yet 354', [$GREETING, hear, "250-x\r\n250 PIPELINING\r\n", hear(3),
        "550 5.7.1 no\r\n503 first MAIL\r\n354 go\r\n", content, "250 taken\r\n", hear, "250 reset\r\n"],
    kind => 'refused', outcome => 'refused', unheard => qr/Subject/);
add('fewer replies than commands', [$GREETING, hear, "250-x\r\n250 PIPELINING\r\n", hear(3), "250 ok\r\n250 ok\r\n"],
    kind => 'timeout', outcome => 'not-sent', unheard => qr/Subject/);

# ---- reading slowly or not at all ----

my $big = "a line of thirty-two octets....\n" x 500_000;
add('a server that stops to read in the content', [@to_content, deaf], kind => 'timeout', outcome => 'not-sent',
    most => 2,
    message => $big, memory => 80_000);
add('a server that reads an octet at a time', [@to_content, sip(0.2)], kind => 'timeout', outcome => 'not-sent',
    most => 2,
    message => $big, memory => 80_000);
add('a server that stops to read, and a code ref', [@to_content, deaf], kind => 'timeout', outcome => 'not-sent',
    message => sub { 'x' x 65534 . "\r\n" });

# ---- TLS ----

my $OFFER    = "250-x.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
my @starttls = ($GREETING, hear, $OFFER, hear);
my %tls      = (tls => '?tls=required', unheard => qr/MAIL|AUTH/);
add('STARTTLS is not offered', [$GREETING, hear, $EHLO], %tls, kind => 'tls', text => qr/does not offer STARTTLS/);
add('STARTTLS is not offered, login or no', [$GREETING, hear, $EHLO], %tls, kind => 'tls', option => {%login});
add('EHLO refused where STARTTLS is needed', [$GREETING, hear, "502 no\r\n", hear, "250 x\r\n"], %tls,
    kind => 'refused|tls|protocol', unheard => qr/MAIL|AUTH|HELO/);
for my $code (454, 501, 502, 554, 220) {
    my $text = $code == 220 ? "220-a\r\n550 b\r\n" : "$code 5.5.1 no\r\n";
    add("STARTTLS is answered with $text" =~ s/\r\n/ /gr, [@starttls, $text], %tls, kind => 'tls|protocol');
}
add('STARTTLS fails, opportunistic', [@starttls, "454 4.7.0 no\r\n"], %tls, kind => 'tls',
    tls => '?tls=opportunistic');
add('bytes behind the 220 to STARTTLS', [@starttls, "220 go\r\n250 injected\r\n", tls], %tls, kind => 'tls',
    text => qr/in clear/);
add('one byte behind the 220 to STARTTLS', [@starttls, "220 go\r\n2", tls], %tls, kind => 'tls',
    text => qr/in clear/);
add('garbage in the handshake', [@starttls, "220 go\r\n", pause(0.1), "garbage, and much more of it\r\n"], %tls,
    kind => 'tls');
add('an SMTP reply in the handshake', [@starttls, "220 go\r\n", pause(0.1), "454 4.7.0 no, after all\r\n"], %tls,
    kind => 'tls');
add('a TLS alert in the handshake', [@starttls, "220 go\r\n", pause(0.1), "\x15\x03\x03\x00\x02\x02\x28"], %tls,
    kind => 'tls');
add('a record that is too long', [@starttls, "220 go\r\n", pause(0.1), "\x16\x03\x03\xff\xff" . 'x' x 70_000], %tls,
    kind => 'tls');
add('FIN in the handshake', [@starttls, "220 go\r\n", pause(0.1), cut], %tls, kind => 'tls|closed');
add('RST in the handshake', [@starttls, "220 go\r\n", pause(0.1), reset_now], %tls, kind => 'tls|closed');
add('a stalled handshake', [@starttls, "220 go\r\n", deaf], %tls, kind => 'timeout');
add('a handshake that drips', [@starttls, "220 go\r\n", drip("\x16\x03\x03\x40\x00" . "\x02" x 100, 0.1)], %tls,
    kind => 'timeout|tls');
add('a certificate that nobody knows', [@starttls, "220 go\r\n", tls, hear, $OFFER], %tls, kind => 'tls',
    text => qr/self-signed/, option => {%login});
my %inside = (tls => '?tls=required', option => {%login, insecure_no_verify => 1});
add('AUTH vanishes inside TLS', [@starttls, "220 go\r\n", tls, hear, "250 x.test\r\n"], %inside, kind => 'auth',
    unheard => qr/AUTH|MAIL/);
add('EHLO fails inside TLS', [@starttls, "220 go\r\n", tls, hear, "502 no\r\n"], %inside, kind => 'refused|protocol',
    unheard => qr/AUTH|MAIL/);
add('cut inside TLS without close_notify, in the reply to the dot',
    [@starttls, "220 go\r\n", tls, hear, "250 x\r\n", hear, "250 ok\r\n", hear, "250 ok\r\n", hear, "354 go\r\n",
        content,
        '250 2.0.0 O', cut], tls => '?tls=required', option => {insecure_no_verify => 1}, kind => 'closed',
    outcome => 'unknown');
add('silence where TLS is implicit', [deaf], scheme => 'smtps', kind => 'timeout');
add('a greeting in clear where TLS is implicit', [$GREETING], scheme => 'smtps', kind => 'tls', text => qr/STARTTLS/);
add('garbage where TLS is implicit', ["\x00\xff garbage\r\n"], scheme => 'smtps', kind => 'tls');
add('HTTP where TLS is implicit', [hear, "HTTP/1.1 400 Bad Request\r\n\r\n"], scheme => 'smtps',
    kind => 'tls|timeout');
add('FIN where TLS is implicit', [cut], scheme => 'smtps', kind => 'tls|closed');
add('RST where TLS is implicit', [reset_now], scheme => 'smtps', kind => 'connect|tls|closed');

# ---- AUTH ----

my @auth = @to_mail;
my %auth = (option => {%login, mechanism => 'PLAIN'}, outcome => '', unheard => qr/MAIL/);
my %cram = (%auth, option => {%login, mechanism => 'CRAM-MD5'});
my %by_login = (%auth, option => {%login, mechanism => 'LOGIN'});
my $CHALLENGE = "334 PDEuMkB4LnRlc3Q+\r\n";
add('334 with junk to PLAIN', [@auth, "334 !!!\r\n", hear, "501 bad\r\n"], %auth, kind => 'auth|protocol');
add('334 with junk to CRAM-MD5', [@auth, "334 !!!\r\n", hear, "501 cancelled\r\n"], %cram, kind => 'auth',
    heard => qr/^\*\r\n/m);
add('334 for ever to PLAIN', [@auth, map { ("334 \r\n", hear) } 1 .. 40], %auth, kind => 'auth|protocol|timeout');
add('334 for ever to LOGIN', [@auth, map { ("334 VXNlcm5hbWU6\r\n", hear) } 1 .. 40], %by_login,
    kind => 'auth|protocol|timeout');
add('334 for ever to CRAM-MD5', [@auth, map { ($CHALLENGE, hear) } 1 .. 40], %cram, kind => 'auth|protocol|timeout');
add('334 for ever to the cancellation', [@auth, "334 !!!\r\n", map { (hear, "334 !!!\r\n") } 1 .. 40], %cram,
    kind => 'protocol|auth');
add('a huge challenge', [@auth, '334 ' . 'QUFB' x 300_000 . "\r\n", hear, "501 no\r\n"], %cram,
    kind => 'protocol|auth');
add('a long challenge within the limits', [@auth, '334 ' . 'QUFB' x 2000 . "\r\n", hear, "535 no\r\n"], %cram,
    kind => 'auth');
add('a challenge in several lines', [@auth, "334-PDEu\r\n334 MkB4LnRlc3Q+\r\n", hear, "235 ok\r\n", hear,
    "550 no\r\n"],
    %cram, outcome => 'refused|', kind => 'refused|auth|protocol', unheard => qr/\0/);
add('an endless challenge in lines', [@auth, endless("334-QUFB\r\n")], %cram, kind => 'protocol');
add('334 after 535', [@auth, "535 5.7.8 no\r\n", "334 VXNlcm5hbWU6\r\n"], %auth, kind => 'auth|protocol');
add('235 after 535', [@auth, "535 5.7.8 no\r\n235 well, yes\r\n"], %auth, kind => 'auth|protocol');
add('235 at once to CRAM-MD5', [@auth, "235 ok\r\n", hear, "550 no\r\n"], %cram, outcome => 'refused|',
    unheard => qr/\Q$HostileRun::PASSWORD/, kind => 'refused|auth|protocol');
add('235 to a cancelled login', [@auth, "334 !!!\r\n", hear, "235 ok\r\n"], %cram, kind => 'protocol|auth');
add('250 to AUTH', [@auth, "250 ok\r\n", hear, "550 no\r\n"], %auth, unheard => undef, outcome => '|refused',
    kind => 'protocol|auth|refused');
add('354 to AUTH', [@auth, "354 go\r\n"], %auth, kind => 'protocol');
add('535 again and again', [@auth, map { ("535 5.7.8 no\r\n", hear) } 1 .. 9], %auth, kind => 'auth', code => 535,
    option => {%login}, unheard => qr/AUTH.*AUTH.*AUTH/s);
add('504 again and again', [@auth, map { ("504 5.5.4 no\r\n", hear) } 1 .. 9], %auth, kind => 'auth',
    option => {%login});
add('AUTH that promises nothing', [$GREETING, hear, "250-x\r\n250 AUTH\r\n"], %auth, option => {%login},
    kind => 'auth', unheard => qr/AUTH/);
add('a thousand mechanisms', [$GREETING, hear, "250-x\r\n" . join('', map { "250-AUTH X-$_ Y-$_\r\n" } 1 .. 1000)
        . "250 SIZE\r\n"], %auth, kind => 'auth|protocol', unheard => qr/AUTH/);
add('a clear line: CRAM-MD5 fails, and the password stays', [@auth, "535 5.7.8 no\r\n"], kind => 'auth',
    option => {username => 'demo', password => $HostileRun::PASSWORD}, unheard => qr/PLAIN|LOGIN|MAIL/);
add('a clear line: only PLAIN', [$GREETING, hear, "250-x\r\n250 AUTH PLAIN LOGIN\r\n"], kind => 'auth',
    option => {username => 'demo', password => $HostileRun::PASSWORD}, text => qr/insecure_cleartext_auth/,
    unheard => qr/AUTH|MAIL/);

# ---- EHLO ----

add('a thousand keywords', [$GREETING, hear, "250-x\r\n" . join('',
    map { "250-X$_ y\r\n" } 1 .. 1000) . "250 SIZE\r\n"],
    kind => 'protocol|timeout', outcome => '|not-sent', most => 2.5);
add('SIZE with a number of forty digits', [$GREETING, hear, "250-x\r\n250 SIZE " . '9' x 40 . "\r\n", hear,
    "550 n\r\n"],
    kind => 'refused', outcome => 'refused');
add('keywords with wild octets', [$GREETING, hear, "250-x\r\n250-\e[2J\x00\r\n250-=\r\n250- \r\n250 \xff\r\n", hear,
        "550 n\r\n"], kind => 'refused|protocol');
add('EHLO and HELO refused', [$GREETING, hear, "500 no\r\n", hear, "500 no\r\n"], kind => 'refused', outcome => '',
    heard => qr/HELO/, unheard => qr/MAIL/);
add('EHLO deferred: no HELO', [$GREETING, hear, "450 later\r\n"], kind => 'deferred', outcome => '',
    unheard => qr/HELO/);
add('the reply to EHLO has lost its last CRLF', [$GREETING, hear, "250-x\r\n250-PIPELINING 250 8BITMIME\r\n", hear(3),
        "550 no\r\n550 no\r\n503 no\r\n", hear, "250 reset\r\n"], kind => 'refused', outcome => 'refused',
            option => {timeout => 4}, most => 3.5);

my @only = map { qr/$_/ } @ARGV;
@cases = grep { my $name = $_->{name}; grep { $name =~ $_ } @only } @cases if @only;
my $complaints = HostileRun::run(@cases);
for my $index (0 .. $#cases) {
    ok(!@{ $complaints->{$index} }, $cases[$index]{name}) or diag(join "\n", @{ $complaints->{$index} });
}
done_testing;
