# The command as programs call sendmail: its options, whose mail it is, what of the header leaves, and every status.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use CommandRun qw(smtpauthc run_as write_file account);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Net::SMTP::AuthC::Command::Aliases;
use Net::SMTP::AuthC::Command::Mail;
use Net::SMTP::AuthC::Command::Sendmail;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $folder = tempdir(CLEANUP => 1);

# ---- options ----

sub options {
    my ($option, @rest) = Net::SMTP::AuthC::Command::Sendmail->_read(@_);
    return [$option, @rest];
}

my @options = (
    [[], {}],
    [['a@x', 'b@x'], {}, 'a@x', 'b@x'],
    [[qw(-t -i)], {t => 1, i => 1}],
    [[qw(-ti)], {t => 1, i => 1}],
    [[qw(-oi -oem -odb -odi -oee -oeq -oep -ox -oi a)], {i => 1}, 'a'],
    [[qw(-o i -oMr x)], {i => 1}, 'x'],
    [[qw(-f a@x b)], {from => 'a@x'}, 'b'],
    [[qw(-fa@x b)], {from => 'a@x'}, 'b'],
    [['-f', '', 'b'], {from => ''}, 'b'],
    [[qw(-r a@x -r b@x)], {from => 'b@x'}],
    [['-FFull Name', '-i', 'r'], {full_name => 'Full Name', i => 1}, 'r'],
    [[qw(-tif a@x)], {t => 1, i => 1, from => 'a@x'}],
    [[qw(-R hdrs -V id -N), 'success,delay'], {notify => 'success,delay', return => 'hdrs', envid => 'id'}],
    [[qw(-B8BITMIME -B 7BIT -h 5 -L tag -O Opt=1 -p x -A c -G -m -n -U -em)], {G => 1, m => 1, n => 1, U => 1}],
    [[qw(-bm -X log -C file -a acc)], {mode => 'm', transcript => 'log', config => 'file', account => 'acc'}],
    [[qw(-q)], {queue => 1}], [[qw(-q15m x)], {queue => 1}, 'x'], [[qw(-bp)], {mode => 'p'}],
    [[qw(-- -t)], {}, '-t'],
    [[qw(-i -- a@x)], {i => 1}, 'a@x'],
    [[qw(--account=x --dry-run --timeout 5 r)], {account => 'x', 'dry-run' => 1, timeout => 5}, 'r'],
    [['-f', "\xc3\xa4\@x"], {from => "\xe4\@x"}],
);
for my $row (@options) {
    my ($arguments, @expected) = @$row;
    is_deeply(options(@$arguments), \@expected, "options: @$arguments");
}
for my $bad ([qw(-k)], [qw(-f)], [qw(--foo)], [qw(--account)], [qw(a -t)]) {
    ok(!eval { options(@$bad); 1 } && $@->name eq 'usage', "no options: @$bad: $@");
}

# ---- the mail ----

sub mail {
    my ($text, @how) = @_;
    open my $handle, '<', \$text or die $!;
    return Net::SMTP::AuthC::Command::Mail->read($handle, dots => 1, @how);
}

sub whole { my ($mail) = @_; my ($octets) = $mail->for_submit; return $octets }

my @mails = (
    ["A: 1\nB: 2\n 3\n\nbody\n",          "A: 1\r\nB: 2\r\n 3\r\n\r\nbody\n", 'a folded field'],
    ["A: 1\r\nB: 2\r\n\r\nbody\r\n",      "A: 1\r\nB: 2\r\n\r\nbody\r\n",    'CRLF'],
    ["A: 1\rBcc: x\r\rbody",              "A: 1\r\nBcc: x\r\n\r\nbody",      'CR, which ends lines on the wire'],
    ["no header\nat all\n",               "\r\nno header\nat all\n",         'text alone'],
    ["\nA: 1\n",                          "\r\nA: 1\n",                      'an empty line first'],
    [" x\nA: 1\n",                        "\r\n x\nA: 1\n",                  'a blank first'],
    ["A: 1\ntext\n",                      "A: 1\r\n\r\ntext\n",              'no line between'],
    ["A: 1",                              "A: 1\r\n\r\n",                    'a field and nothing else'],
    ["From me Mon Jan  1\nA: 1\n\nx",     "A: 1\r\n\r\nx",                   "a mailbox's first line"],
    ["",                                  "\r\n",                            'nothing'],
    ["A : 1\nB:\n\n",                     "A: 1\r\nB:\r\n\r\n",              'a blank before the colon'],
);
for my $row (@mails) {
    my ($text, $expected, $name) = @$row;
    is(whole(mail($text)), $expected, "mail: $name");
}
is(whole(mail("A: 1\n\none\n.\ntwo\n", dots => 0)), "A: 1\r\n\r\none\n", 'a dot ends it');
is(whole(mail("A: 1\n\none\n.\ntwo\n")), "A: 1\r\n\r\none\n.\ntwo\n", '... unless told otherwise');

my @people = (
    ["To: a\@x.test, B <b\@x.test>\nCc: c\@x.test\nBcc: d\@x.test\n", [qw(a@x.test b@x.test c@x.test d@x.test)]],
    ["To: a\@x.test\nto: b\@x.test,\n c\@x.test\n", [qw(a@x.test b@x.test c@x.test)], 'fields twice, folded'],
    ["To: root\n", ['root'], 'a local name'],
    ["To: Root <root>, \"A, B\" <a\@x.test>, joe (him, too)\n", ['root', 'a@x.test', 'joe'], 'among others'],
    ["To: Friends: a\@x.test, b\@x.test;\n", [qw(a@x.test b@x.test)], 'a group'],
    ["To: undisclosed-recipients:;\nBcc: a\@x.test\n", ['a@x.test'], 'an empty one'],
    ["Subject: a\@x.test\n", [], 'nobody'],
    ["To: a\@x.test\nBcc: b\@x.test\nResent-To: c\@x.test\nResent-Bcc: d\@x.test\nTo: e\@x.test\nResent-To: f\@x.test\n",
        [qw(c@x.test d@x.test)], 'sent on: the newest block alone'],
    ["A: 1\rBcc: x\@x.test\n", ['x@x.test'], 'behind a lone CR'],
    ["To: \xc3\xa4\@x.test\n", ["\xe4\@x.test"], 'UTF-8'],
);
for my $row (@people) {
    my ($text, $expected, $name) = @$row;
    is_deeply([mail("$text\nx")->recipients], $expected, 'recipients: ' . ($name // 'To, Cc, Bcc'));
}
for my $bad ("To: a\@x.test, <\n", "To: \"a\n", "To: a\@x.test b\@x.test\n", "To: a\@\x01\n") {
    ok(!eval { mail("$bad\n")->recipients; 1 } && $@->name eq 'data', 'no recipients: ' . $bad =~ s/\s+\z//r);
}
ok(!eval { mail('A: ' . ('x' x 2_000_000)); 1 } && $@->name eq 'data', 'a header without an end');
my $large = mail("A: 1\n\n" . ("x" x 99 . "\n") x 100_000);
my ($reader, %about) = $large->for_submit;
my $read = '';
while (defined(my $piece = $reader->())) { $read .= $piece }
is(length $read, 10_000_008, 'a large one comes from a file, whole');
is_deeply(\%about, {size => 10_100_008, body => '7bit'}, '... and its size is known beforehand');

my $aliases = Net::SMTP::AuthC::Command::Aliases->read(write_file("$folder/aliases",
    "# some\nroot: joe, ops\@x.test  # us\njoe: joe\@x.test\nloop: loop\ndefault: rest\@x.test\n"));
is_deeply([$aliases->expand(qw(root a@x.test Joe other))], [qw(joe@x.test ops@x.test a@x.test rest@x.test)], 'aliases');
is_deeply([$aliases->expand('loop')], ['loop'], '... that name themselves');

# ---- the whole way ----

my $server = Net::SMTP::AuthC::Sandbox->new(users => {me => 'hidden-word'},
    refuse => {'no@x.test' => '550 5.1.1 No such user', 'later@x.test' => '450 4.2.1 Busy'},
    faults => [
        {stage => 'end', nth => 1 + 5, reply => "554 5.6.0 No such mail\r\n"},
        {stage => 'end', nth => 2 + 5, reply => "451 4.3.0 Try again\r\n"},
        {stage => 'end', nth => 3 + 5, close => 1},
    ]);
my %login = (tls => 'on', tls_trust_file => $server->ca_file, auth => 'on', user => 'me', password => 'hidden-word');
my $rc = write_file("$folder/rc", account($server, %login), 0600);
my $shown = '';

sub sendmail {
    my ($stdin, @arguments) = @_;
    my @result = smtpauthc({stdin => $stdin}, '-C', $rc, @arguments);
    $shown .= "$result[1]$result[2]";
    return @result;
}

sub last_mail { my @messages = $server->messages; return $messages[-1] }

my ($status, $out, $err) = sendmail("To: a\@x.test\nBcc: b\@x.test\nSubject: x\n\n.\nhello\n", '-ti');
is_deeply([$status, $out, $err], [0, '', ''], 'sent, and not a word');
is_deeply([last_mail()->from, last_mail()->to], ['me@x.test', 'a@x.test', 'b@x.test'], 'the envelope');
like(last_mail()->data, qr/\ATo: a\@x.test\r\nSubject: x\r\nFrom: me\@x\.test\r\nDate: .*\r\nMessage-ID: <.*\@x\.test>\r\n\r\n\.\r\nhello/,
    'no Bcc; From, Date and Message-ID made');
is(last_mail()->user, 'me', 'logged in');

($status) = sendmail("From: Y <y\@y.test>\nDate: Mon, 1 Jan 2026 00:00:00 +0000\nMessage-ID: <1\@y>\nTo: z\@z.test\n\n",
    qw(-f bounce@y.test -FIgnored -- a@x.test));
is($status, 0, 'with -f');
is_deeply([last_mail()->from, last_mail()->to], ['bounce@y.test', 'a@x.test'], 'recipients behind the options alone');
unlike(last_mail()->data, qr/Ignored|me\@x/, 'nothing is made that is there');

($status) = sendmail("hello\n", '-FCron Daemon', qw(-i -B8BITMIME -oem -f), '<>', 'a@x.test');
is_deeply([$status, last_mail()->from], [0, ''], 'as cron does, from nobody');
like(last_mail()->data, qr/^From: MAILER-DAEMON\r$/m, 'a From for nobody');

($status, $out, $err) = sendmail("To: a\@x.test\n\nx", qw(-t -R hdrs -N failure -V id7 no@x.test));
is($status, 80, 'some got it');
is($err, "smtpauthc: refused: no\@x.test 550 5.1.1 No such user\n", '... and who did not is told');
like(last_mail()->data, qr/\ATo: a/, '... the others have it');

($status, $out, $err) = run_as('bin/smtpauthc-sendmail', {stdin => "Subject: x\n\nhello\n"}, '-C', $rc, qw(-X), "$folder/log",
    '-v', 'a@x.test');
is($status, 0, 'by its other name');
like($out, qr/^S: 220 .*^C: AUTH PLAIN \*\*\*\n.*^S: 250 2\.0\.0 Ok/ms, 'the dialogue');
my @said = do { open my $log, '<', "$folder/log" or die $!; <$log> };
is(join('', @said), $out, '... and in a file');
is((stat "$folder/log")[2] & 0777, 0600, '... for nobody else');
$shown .= $out;

# ---- statuses ----

for my $row ([69, qr/554 5\.6\.0 No such mail/], [75, qr/451 4\.3\.0 Try again/], [79, qr/may have been sent/]) {
    ($status, $out, $err) = sendmail("x\n", 'a@x.test');
    is($status, $row->[0], "status $row->[0]");
    like($err, $row->[1], '... and why');
}

my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
my $port   = $closed->sockport;
close $closed;
my $other = Net::SMTP::AuthC::Sandbox->new(certificate => 'expired', users => {me => 'x'});
sub with { return write_file("$folder/rc2", account($server, %login, @_), 0600) }
sub elsewhere { return write_file("$folder/rc3", account($other, %login, @_), 0600) }
my @status = (
    ['no recipient in the header', 65, "Subject: x\n\n", [qw(-t)]],
    ['a header that cannot be read', 65, "To: a\@x.test b\@x.test\n\n", [qw(-t)]],
    ['a recipient that is none', 65, "x", ["a\@x.test\n"]],
    ['no recipient', 64, "x", []],
    ['an unknown option', 64, "x", [qw(-k)]],
    ['everybody refused', 67, "x", [qw(no@x.test)]],
    ['everybody later', 75, "x", [qw(later@x.test)]],
    ['nobody now, one later', 75, "x", [qw(no@x.test later@x.test)]],
    ['75 is not wanted', 69, "x", [qw(--no-75 later@x.test)]],
    ['nobody listens', 75, "x", ['a@x.test'], sub { with(port => $port) }],
    ['a wrong password', 77, "x", ['a@x.test'], sub { with(password => 'another-word') }],
    ['no password', 78, "x", ['a@x.test'], sub { with(password => undef) }],
    ['no login', 77, "x", ['a@x.test'], sub { with(auth => 'off') }],
    ['no TLS', 77, "x", ['a@x.test'], sub { with(tls => 'off') }],
    ['a bad certificate', 76, "x", ['a@x.test'], \&elsewhere],
    ['an unknown authority', 76, "x", ['a@x.test'], sub { with(tls_trust_file => ($other->client_certificate)[0]) }],
    ['a mistake in the configuration', 78, "x", ['a@x.test'], sub { with(foo => 1) }],
    ['no such account', 78, "x", ['-a', 'none', 'a@x.test']],
    ['a host that is no name', 78, "x", ['a@x.test'], sub { with(host => 'a..b') }],
    ['a file of authorities that is not there', 76, "x", ['a@x.test'], sub { with(tls_trust_file => "$folder/none") }],
    ['be a server', 64, "x", ['-bd']],
    ['show the queue', 0, "x", ['-bp']],
    ['work through the queue', 0, "x", ['-q30m']],
);
my $silent = Net::SMTP::AuthC::Sandbox->new(tls => 'none', faults => [{stage => 'mail', silent => 1}]);
push @status, ['silence', 75, "x", ['a@x.test'], sub { write_file("$folder/rc4", account($silent, timeout => 1)) }],
    ['no time left', 75, "x", [qw(--deadline 0.5 a@x.test)], sub { write_file("$folder/rc4", account($silent)) }];
for my $row (@status) {
    my ($name, $expected, $stdin, $arguments, $make) = @$row;
    my @config = $make ? ('-C', scalar $make->()) : ();
    ($status, $out, $err) = sendmail($stdin, @config, @$arguments);
    is($status, $expected, "$name: $expected") or diag("$out$err");
}
unlike($shown, qr/hidden-word|another-word/, 'no password was shown');
unlike($shown, qr/AG1lAGhpZGRlbi13b3Jk/, '... in no form');

($status, $out) = sendmail("To: a\@x.test\n\n", qw(-t --dry-run));
is_deeply([$status, $out =~ s/^(?:server|account).*\n//mgr], [0, "from: <me\@x.test>\nto: <a\@x.test>\n"], 'a dry run');

# ---- SMTP on standard input and output ----

my $dialogue = join "\r\n", 'EHLO me', 'MAIL FROM:<f@x.test> SIZE=5', 'RCPT TO:<a@x.test>', 'RCPT TO:<b@x.test>', 'DATA',
    'Subject: x', 'Bcc: c@x.test', '', '..dot', 'end', '.', 'MAIL FROM:<>', 'RCPT TO:<a@x.test>', 'RCPT TO:<no@x.test>', 'DATA',
    'x', '.', 'NOOP', 'RCPT TO:<z@x.test>', 'FOO', 'MAIL FROM:a@x', 'MAIL FROM:<a@x.test> RET=FULL', 'DATA', 'QUIT', 'NOOP', '';
($status, $out, $err) = sendmail($dialogue, '-bs');
is_deeply([$status, $err], [0, ''], 'SMTP on standard input');
is(join(' ', $out =~ /^([0-9]{3}[ -])/mg), '220  250- 250- 250- 250- 250  250  250  250  354  250  250  250  250  354  550  250  503  500  501  '
    . '501  503  221 ', 'its answers') or diag($out);
is_deeply([last_mail()->from, last_mail()->to], [qw(f@x.test a@x.test b@x.test)], 'the envelope; and all or none');
like(last_mail()->data, qr/\ASubject: x\r\nFrom: f\@x\.test\r\n.*\r\n\r\n\.dot\r\nend\r\n\z/s, 'the mail');
my $taken = () = $server->messages;
($status, $out) = sendmail("MAIL FROM:<f\@x.test>\nRCPT TO:<a\@x.test>\nDATA\nSubject: x\n\ncut", '-bs');
is(scalar(my @all = $server->messages), $taken, 'a mail without an end is none');
($status, $out) = sendmail("MAIL FROM:<f\@x.test>\nRCPT TO:<a\@x.test>\nDATA\nx\n.\nQUIT\n", '-C', with(password => 'another-word'), '-bs');
like($out, qr/^354 .*\r\n451 4\.3\.0 AUTH with .*\r\n221 /m, 'no login: later, perhaps');

# ---- the account's wishes ----

sub wishes {
    my ($set, $text, @arguments) = @_;
    my ($got, $said, $complaint) = sendmail($text, '-C', with(%$set), @arguments);
    is($got, 0, 'sent: ' . join ' ', %$set) or diag($complaint);
    return last_mail();
}
is(wishes({allow_from_override => 'off'}, "x", qw(-f other@x.test a@x.test))->from, 'me@x.test', 'the sender stays');
like(wishes({set_from_header => 'on', from_full_name => 'Me Too'}, "From: x\@y.test\n\nx", 'a@x.test')->data,
    qr/\AFrom: Me Too <me\@x\.test>\r\n/, 'From is made anew');
like(wishes({undisclosed_recipients => 'on'}, "To: a\@x.test\nCc: other\@x.test\n\nx", '-t')->data,
    qr/\ATo: undisclosed-recipients:;\r\n(?!.*other\@x\.test)/s, 'nobody sees the others');
is_deeply([wishes({aliases => "$folder/aliases"}, "x", 'root')->to], [qw(joe@x.test ops@x.test)], 'aliases');
unlike(wishes({set_date_header => 'off', set_msgid_header => 'off', set_from_header => 'off'}, "x", 'a@x.test')->data,
    qr/^(?:Date|Message-ID|From):/mi, 'nothing is made');
wishes({logfile => "$folder/mail.log"}, "x", 'a@x.test');
my ($line) = do { open my $log, '<', "$folder/mail.log" or die $!; <$log> };
like($line, qr/ host=smtp:\S+ tls=on auth=on from=me\@x\.test recipients=a\@x\.test mailsize=[0-9]+ exitcode=0\n\z/, 'a log');
done_testing;
