# The command's own words: send, check, sandbox, version, completion, and what people and programs see of them.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use CommandRun qw(smtpauthc write_file account);
use File::Temp qw(tempdir);
use JSON::PP ();
use Net::SMTP::AuthC::Command::Completion;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Receipt;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $PATIENCE = 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);
my $folder   = tempdir(CLEANUP => 1);

# ---- what errors and receipts end with ----

my %number = map { $_ => Net::SMTP::AuthC::Command::Exit->number($_) } Net::SMTP::AuthC::Command::Exit->names;
is(scalar(keys %{ {reverse %number} }), scalar(keys %number), 'every name has a number of its own');

sub ends_with { return Net::SMTP::AuthC::Command::Exit->of(Net::SMTP::AuthC::Error->new(text => 'x', @_), 'config') }
sub nobody {
    my @recipients = map { {address => 'a@x', step => 'RCPT', outcome => $_} } @_;
    return receipt => Net::SMTP::AuthC::Receipt->new(recipients => \@recipients);
}
my @errors = (
    ['usage', [kind => 'usage'], 'config'],
    ['an unknown host', [kind => 'connect', step => 'name lookup', temporary => 0], 'no_host'],
    ['a host that is unknown for now', [kind => 'connect', temporary => 1], 'temporary'],
    ['nobody listens', [kind => 'connect'], 'temporary'],
    ['TLS', [kind => 'tls'], 'tls'], ['STARTTLS later', [kind => 'tls', code => 454], 'temporary'],
    ['no SMTP', [kind => 'protocol'], 'tls'],
    ['a wrong password', [kind => 'auth', code => 535], 'auth'], ['a login later', [kind => 'auth', code => 454], 'temporary'],
    ['no mechanism', [kind => 'auth'], 'auth'],
    ['refused', [kind => 'refused', code => 554, step => 'end of data'], 'unavailable'],
    ['the sender refused', [kind => 'refused', code => 550, step => 'MAIL'], 'unavailable'],
    ['a login is wanted', [kind => 'refused', code => 530, step => 'MAIL'], 'auth'],
    ['too large', [kind => 'refused', code => 552, enhanced => '5.3.4'], 'data'],
    ['nothing for this server', [kind => 'refused', step => 'MAIL'], 'data'],
    ['deferred', [kind => 'deferred', code => 451], 'temporary'],
    ['a timeout', [kind => 'timeout'], 'temporary'], ['closed', [kind => 'closed'], 'temporary'],
    ['closed too late', [kind => 'closed', may_have_been_sent => 1], 'unknown'],
    ['a timeout too late', [kind => 'timeout', may_have_been_sent => 1], 'unknown'],
    ['no memory', [kind => 'system'], 'system'], ['the message broke off', [kind => 'interrupted'], 'write'],
    ['all refused', [kind => 'refused', code => 550, nobody(qw(refused refused))], 'no_user'],
    ['all or none', [kind => 'refused', nobody(qw(not-sent refused))], 'no_user'],
    ['one later', [kind => 'refused', code => 550, nobody(qw(refused deferred))], 'temporary'],
);
for my $row (@errors) {
    my ($name, $error, $expected) = @$row;
    is(ends_with(@$error), $expected, "$name: $expected");
}
is(Net::SMTP::AuthC::Command::Exit->of("died\n"), 'software', 'what is no error of ours');
my @receipts = ([['sent'], 'ok'], [[qw(sent refused)], 'partial'], [[qw(sent deferred)], 'partial'], [[qw(sent unknown)], 'unknown']);
for my $row (@receipts) {
    my %receipt = nobody(@{ $row->[0] });
    is(Net::SMTP::AuthC::Command::Exit->of_receipt($receipt{receipt}), $row->[1], "@{ $row->[0] }: $row->[1]");
}

# ---- send ----

my $server = Net::SMTP::AuthC::Sandbox->new(users => {me => 'hidden-word'}, refuse => {'no@x.test' => '550 5.1.1 No such user'});
my @server = ('--server', $server->url, '--ca-file', $server->ca_file, '--timeout', $PATIENCE, qw(-u me --password-env PW));
my @mail   = (qw(--from me@x.test --to a@x.test --subject), "Gr\xc3\xbc\xc3\x9fe");

sub smtpauthc_send {
    my @how = ref $_[0] ? %{ shift() } : ();
    return smtpauthc({env => {PW => 'hidden-word'}, @how}, 'send', @server, @_);
}

sub last_mail { my @messages = $server->messages; return $messages[-1] }

my ($status, $out, $err) = smtpauthc_send(@mail, '--text', "Hello all of you \xe2\x82\xac");
is_deeply([$status, $err], [0, ''], 'sent');
like($out, qr/\Asent to a\@x\.test: 250 2\.0\.0 Ok/, '... and told');
is(last_mail()->header('Subject'), '=?UTF-8?B?R3LDvMOfZQ==?=', 'a subject outside ASCII');
like(last_mail()->data, qr/Hello all of you =E2=82=AC/, 'a text outside ASCII');

my $letter = write_file("$folder/letter.txt", "from a file\n");
my $page   = write_file("$folder/page.html", "<p>from a file</p>\n");
my $bill   = write_file("$folder/bill.pdf", "%PDF-1.4 bill");
($status, $out, $err) = smtpauthc_send(@mail, '--text-file', $letter, '--html-file', $page, '--attach', $bill, qw(-q --cc c@x.test
    --bcc other@x.test --header), 'X-Mark: 1', '--envelope-from', 'bounce@x.test');
is_deeply([$status, $out, $err], [0, '', ''], 'with everything, and quiet') or diag("$out$err");
is_deeply([last_mail()->from, last_mail()->to], [qw(bounce@x.test a@x.test c@x.test other@x.test)], 'the envelope');
my $data = last_mail()->data;
like($data, qr/^X-Mark: 1\r$/m, 'a field');
like($data, qr/from a file.*<p>from a file<\/p>.*filename="?bill\.pdf.*JVBERi0xLjQgYmlsbA==/s, 'text, HTML and the file');
unlike($data, qr/other\@x\.test/, 'Bcc stays at home');

($status) = smtpauthc_send({stdin => "from standard input\n"}, @mail, '-q');
is_deeply([$status, last_mail()->body], [0, "from standard input\r\n"], 'standard input');
my $ready = write_file("$folder/ready.eml", "From: y\@x.test\nTo: z\@x.test\nBcc: b\@x.test\nSubject: x\n\n.ready\n");
($status) = smtpauthc_send('-q', '--message', $ready);
is_deeply([$status, last_mail()->from, last_mail()->to], [0, qw(y@x.test z@x.test b@x.test)], 'a message from a file');
is(last_mail()->data, "From: y\@x.test\r\nTo: z\@x.test\r\nSubject: x\r\n\r\n.ready\r\n", '... as it is, but for Bcc');

($status, $out, $err) = smtpauthc_send(qw(--json --from me@x.test --text x a@x.test no@x.test));
my $json = JSON::PP->new->decode($out);
is_deeply([$status, $json->{exit}, $json->{status}, $err], [80, 80, 'partial', ''], 'JSON, and nothing beside it');
is_deeply([map { "$_->{address} $_->{outcome} $_->{code}" } @{ $json->{recipients} }],
    ['a@x.test sent 250', 'no@x.test refused 550'], 'each recipient');
is($json->{tls}{verified}, JSON::PP::true(), 'true is true');
($status, $out) = smtpauthc_send(qw(--json --all-or-none --from me@x.test --text x a@x.test no@x.test));
$json = JSON::PP->new->decode($out);
is_deeply([$status, $json->{exit}, $json->{error}{kind}], [67, 67, 'refused'], 'all or none: an error');
isnt($json->{recipients}[0]{outcome}, 'sent', '... and nobody got it');

my $before = () = $server->messages;
($status, $out) = smtpauthc_send(@mail, qw(--text x --dry-run));
is_deeply([$status, $out], [0, 'server: ' . $server->url . "\nfrom: <me\@x.test>\nto: <a\@x.test>\n"], 'a dry run');
is(scalar(my @messages = $server->messages), $before, '... sends nothing');

my $rc = write_file("$folder/rc", account($server, tls => 'on', tls_trust_file => $server->ca_file, auth => 'on', user => 'me',
    password => 'hidden-word'), 0600);
($status) = smtpauthc('send', '-q', '-C', $rc, qw(--to a@x.test --text x));
is_deeply([$status, last_mail()->from], [0, 'me@x.test'], "the account's sender");

my @bad = (
    [64, [qw(--to a@x.test --text x)], qr/no sender: give --from/],
    [64, [@mail, qw(--text x --text-file y)], qr/give one of them/],
    [64, [@mail, qw(--message x --text y)], qr/--message brings its header and text/],
    [64, [@mail, qw(--text x --header X)], qr/Name: value/],
    [64, [@mail, qw(--text x --foo)], qr/unknown option: foo/],
    [64, [@mail, qw(--text x --account y)], qr/--server and --account/],
    [64, [@mail, qw(--text x --color blue)], qr/auto, always or never/],
    [65, [qw(--from me --to a@x.test --text x)], qr/from: no (?:domain|address)/],
    [65, [qw(--from me@x.test --to a@x.test --text x --subject), "a\nBcc: b\@x.test"], qr/line break/],
    [65, [qw(--from me@x.test --text x)], qr/no recipient/],
    [66, [@mail, '--text-file', "$folder/none"], qr/none: No such file/],
    [66, [@mail, qw(--text x --attach), $folder], qr/that is a folder/],
    [64, [@mail, qw(--text x --server), 'nonsense://x'], qr/only .*smtp/],
);
for my $row (@bad) {
    my ($expected, $arguments, $words) = @$row;
    ($status, $out, $err) = smtpauthc_send(@$arguments);
    is($status, $expected, "$expected: $words") or diag("$out$err");
    like($err, $words, '... and why');
}

# ---- the dialogue, and who sees it in colour ----

($status, $out, $err) = smtpauthc_send(@mail, qw(--text x -v));
like($err, qr/^S: 220 .*^C: AUTH PLAIN \*\*\*\n.*^\*: message of/ms, 'three styles by their prefixes');
unlike($err, qr/\e/, '... and no colour in a file');
($status, $out, $err) = smtpauthc_send(@mail, qw(--text x -v --color always));
like($err, qr/\e\[32mS: 220.*\e\[1;36mC: EHLO.*\e\[33m\*: /s, 'three colours, where they are wanted');
{
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new({});
    ok(!$terminal->has_color(\*STDOUT) || -t STDOUT, 'none by itself where no terminal is');
    open my $null, '<', '/dev/null' or die $!;
    ok(!$terminal->has_color($null), 'none in a file');
    ok(!$terminal->begin('x', 1), 'no progress there');
}
is(Net::SMTP::AuthC::Command::Terminal->visible("a\e[2J\x{20ac}\x{202e}"), "a\\x1B[2J\xe2\x82\xac\\x202E", 'what a terminal gets');
sub progress { return Net::SMTP::AuthC::Command::Terminal::progress_line({what => 'sending', since => 100, @_}) }
is(progress(now => 103.9), 'sending: 3 s', 'how long it takes');
is(progress(now => 102, size => 40e6, done => 10e6), 'sending: 10.0 of 40.0 MB, 5.0 MB/s, 6 s left', 'how far it is');
is(progress(now => 102, size => 40e6, done => 41e6), 'sending: 41.0 of 40.0 MB, 20.5 MB/s, 0 s left', 'further than that');

# ---- the others ----

($status, $out, $err) = smtpauthc({env => {PW => 'hidden-word'}}, 'check', $server->url, @server[2 .. $#server]);
is($status, 0, 'check');
like($out, qr/^C: AUTH PLAIN .*^login: +good, by PLAIN\n/ms, '... shows what was said, and what it came to');
unlike($out, qr/^C: MAIL/m, '... and sends nothing');
is((smtpauthc('check', $server->url))[0], 76, 'check of an unknown authority: 76');

($status, $out) = smtpauthc(qw(sandbox --seconds 0.2 --json --tls implicit));
$json = JSON::PP->new->decode($out);
is($status, 0, 'sandbox');
like("$json->{server} $json->{user} $json->{password} $json->{ca_file}", qr{\Asmtps://localhost:[0-9]+ demo [0-9a-f]{16} /}, '... tells all');
like($json->{inbox}, qr{\Ahttp://127\.0\.0\.1:[0-9]+/\z}, '... and where to look at its mail');
is((smtpauthc(qw(sandbox --tls maybe)))[0], 64, '... or what is wrong');

($status, $out) = smtpauthc(qw(version --json));
$json = JSON::PP->new->decode($out);
is($json->{version}, $Net::SMTP::AuthC::Command::Exit::VERSION // '0.01', 'version');
like((smtpauthc('--version'))[1], qr/\Asmtpauthc 0\.01 \(perl/, '... the other way');

for my $shell (qw(bash zsh)) {
    ($status, $out) = smtpauthc('completion', $shell);
    like($out, qr/compgen -W 'check completion config probe sandbox send version'.*send\) words='.*--attach/s, "completion for $shell");
    SKIP: {
        skip "no $shell", 1 if !grep { -x "$_/$shell" } split /:/, $ENV{PATH} // '';
        write_file("$folder/script", $out);
        is(system($shell, '-n', "$folder/script"), 0, '... that it can read');
    }
}
like((smtpauthc('help'))[1], qr/smtpauthc send --from/, 'help');
like((smtpauthc(qw(probe --help)))[1], qr/known of its\s+provider/, 'help about one');
is((smtpauthc('sned'))[0], 64, 'no such subcommand');

# ---- the page tells all ----

my $page_of_program = do { open my $handle, '<', 'bin/smtpauthc' or die $!; local $/; <$handle> };
require Net::SMTP::AuthC::Command::Options;
for my $name (map { require "Net/SMTP/AuthC/Command/$_.pm"; $_ } qw(Send Check Probe Settings Server Version)) {
    no strict 'refs';
    my $class = "Net::SMTP::AuthC::Command::$name";
    my @missing = grep { $page_of_program !~ /\Q$_\E\b/ }
        Net::SMTP::AuthC::Command::Options->names(\@{"${class}::GROUPS"}, @{"${class}::OWN"});
    is_deeply([grep { !/\A--(?:quiet|verbose)\z/ } @missing], [], "every option of $name is on the page");
}
my $source = do { open my $handle, '<', $INC{'Net/SMTP/AuthC/Command/Msmtprc.pm'} or die $!; local $/; <$handle> };
my ($table) = $source =~ /my %reader = \((.*?)^my %refused/ms;
my @unknown = grep { $page_of_program !~ /\b$_\b/ } $table =~ /\b([a-z]+_[a-z_]+|host|socket|domain|user|auth|timeout|port)\b/g;
is_deeply([grep { !/\A_/ } @unknown], [], 'every word of a configuration is on the page');
like($page_of_program, qr/^    $number{$_} +\S/m, "status $_ is on the page") for Net::SMTP::AuthC::Command::Exit->names;
is((smtpauthc(qw(config test -C eg/msmtprc)))[0], 0, 'the example of a configuration is right');
done_testing;
