# The command's secrets: every place that one can come from, and every place where none may be seen.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use CommandRun qw(smtpauthc write_file account);
use File::Temp qw(tempdir);
use Net::SMTP::AuthC::Command::Netrc;
use Net::SMTP::AuthC::Command::Private;
use Net::SMTP::AuthC::Command::Secret;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $SECRET = 'hidden-word';

# ---- never on the command line ----

my @refused = (['--password=x'], ['--password', 'x'], ['--pass=x'], ['--passwd=x'], ['-password', 'x'], ['--token=x'],
    ['--oauth-token=x'], ['--secret=x'], ['--key-password=x'], ['--auth-pass=x'], ['smtps://u:x@host'],
    ['--server=smtps://u:x@host'], ['--server', 'smtp://u:x@host:587'], ['-spop', 'smtps://u:%40x@h'], ['--PASSWORD=x']);
for my $arguments (@refused) {
    my $died = eval { Net::SMTP::AuthC::Command::Secret->refuse_in('--user', 'me', @$arguments); 1 } ? undef : $@;
    ok($died && $died->name eq 'usage', "refused: @$arguments");
    unlike("$died", qr/\bx\b/, '... and not repeated');
}
for my $arguments (['--password-file', 'x'], ['--password-env=X'], ['smtps://host'], ['smtps://u@host'], ['--', '--password'],
    ['--text', 'a:b@c'], ['--subject=http: //x']) {
    ok(eval { Net::SMTP::AuthC::Command::Secret->refuse_in(@$arguments); 1 }, "taken: @$arguments");
}
for my $command (['check', 'smtps://localhost', "--password=$SECRET"], ["--password=$SECRET", 'a@x.test'],
    ['send', '--server', "smtps://me:$SECRET\@localhost"]) {
    my ($status, $out, $err) = smtpauthc(@$command);
    is($status, 64, 'a secret as an option: 64');
    like($err, qr/secrets are not taken from the command line, where everybody .* --password-file/, '... and why');
    unlike("$out$err", qr/$SECRET/, '... and not repeated');
}

# ---- netrc ----

my $netrc = <<"TEXT";
# machine commented login c password c
machine a.test login me password one
machine A.test login you password "two \\" words"
machine b.test
    login me
    password three
macdef init
machine c.test login me password wrong

machine d.test login me
machine d.test password four
default login any password five
TEXT
my @entries = (['a.test', 'me', 'one'], ['A.TEST', 'you', 'two " words'], ['b.test', 'me', 'three'], ['b.test', undef, 'three'],
    ['c.test', 'any', 'five'], ['d.test', 'me', 'four'], ['x.test', 'other', undef], ['a.test', 'other', undef]);
for my $row (@entries) {
    my ($host, $user, $expected) = @$row;
    my $entry = Net::SMTP::AuthC::Command::Netrc->entry($netrc, $host, $user);
    is($entry && $entry->{password}, $expected, "netrc: $host " . ($user // ''));
}

# ---- files that others see ----

for my $row ([0600, ''], [0400, ''], [0640, 'read'], [0604, 'read'], [0620, 'change'], [0602, 'change'], [0644, 'read']) {
    my ($mode, $expected) = @$row;
    write_file("$folder/mode", 'x', $mode);
    my $handle = Net::SMTP::AuthC::Command::Private->open("$folder/mode");
    is(Net::SMTP::AuthC::Command::Private->open_to($handle), $expected, sprintf 'mode %03o', $mode);
    close $handle;
    unlink "$folder/mode";
}

# ---- every way, at a server ----

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {me => $SECRET});
my @check  = ('check', $server->url, '--ca-file', $server->ca_file, '--timeout', 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1));
my $file   = write_file("$folder/password", "$SECRET\nsecond line\n", 0600);
my $open   = write_file("$folder/open", "$SECRET\n", 0644);
my $empty  = write_file("$folder/empty", "\n", 0600);
my $login  = write_file("$folder/netrc", "machine localhost login me password $SECRET\n", 0600);
mkdir "$folder/credentials";
write_file("$folder/credentials/smtpauthc", $SECRET, 0440);
mkdir "$folder/home";
write_file("$folder/home/.netrc", "machine localhost login me password $SECRET\n", 0600);

my @ways = (
    ['a file', 0, [qw(--user me --password-file), $file]],
    ['a file that others can read', 78, [qw(--user me --password-file), $open], {}, qr/others can read it; chmod 600/],
    ['an empty file', 78, [qw(--user me --password-file), $empty], {}, qr/there is no password in it/],
    ['no file', 78, [qw(--user me --password-file), "$folder/none"], {}, qr/none: No such file/],
    ['a command', 0, [qw(--user me --password-command), "cat $file; cat >&2"]],
    ['a command that fails', 78, [qw(--user me --password-command), 'echo x; exit 3'], {}, qr/ended with status 3/],
    ['a command that is silent', 78, [qw(--user me --password-command true)], {}, qr/the command gave nothing/],
    ['the environment', 0, [qw(--user me --password-env SMTP_PW)], {SMTP_PW => $SECRET}],
    ['a variable that is not set', 78, [qw(--user me --password-env SMTP_PW)], {}, qr/SMTP_PW is not set/],
    ['a descriptor', 0, [qw(--user me --password-fd 0)], {}, undef, "$SECRET\n"],
    ['a descriptor that is not open', 78, [qw(--user me --password-fd 77)], {}, qr/--password-fd 77: Bad file/],
    ['netrc', 0, [qw(--user me --netrc), $login]],
    ['netrc, which knows the user', 0, ['--netrc', $login]],
    ["netrc at home", 0, [qw(--user me)], {HOME => "$folder/home"}],
    ['netrc for another', 78, [qw(--user you --netrc), $login], {}, qr/nothing in it fits/],
    ['a credential of systemd', 0, [qw(--user me --password-credential smtpauthc)],
        {CREDENTIALS_DIRECTORY => "$folder/credentials"}],
    ['the credential that is there', 0, [qw(--user me)], {CREDENTIALS_DIRECTORY => "$folder/credentials"}],
    ['no such credential', 78, [qw(--user me --password-credential ../password)],
        {CREDENTIALS_DIRECTORY => "$folder/credentials"}, qr/there is no \.\.\/password/],
    ['two at once', 64, [qw(--user me --password-env X --password-fd 0)], {}, qr/give one of them/],
    ['none, and no terminal', 78, [qw(--user me)], {}, qr/no password for me at localhost; use --password-file/],
    ['to be asked without a terminal', 78, [qw(--user me --ask)], {}, qr/no terminal to ask/],
    ['a wrong one', 77, [qw(--user me --password-env SMTP_PW)], {SMTP_PW => 'another-word'}, qr/535/],
    ['a token as a password', 77, [qw(--user me --oauth --password-env SMTP_PW)], {SMTP_PW => $SECRET}, qr/OAUTHBEARER|XOAUTH2/],
);
my $shown = '';
for my $row (@ways) {
    my ($name, $expected, $arguments, $env, $words, $stdin) = @$row;
    my ($status, $out, $err) = smtpauthc({env => $env, stdin => $stdin}, @check, '-q', @$arguments);
    is($status, $expected, "$name: $expected") or diag("$out$err");
    $words ? like($err, $words, '... and why') : is("$out$err", '', '... and not a word');
    $shown .= "$out$err";
}

# ---- and nowhere to be seen ----

# What the system shows of the process.
my $look = "cat /proc/\$PPID/cmdline >$folder/line 2>/dev/null || ps -o args= -p \$PPID >$folder/line; cat $file";
my ($status, $out, $err) = smtpauthc(@check, qw(-v --user me --password-command), $look);
is($status, 0, 'with the whole dialogue') or diag($err);
my $line = do { open my $handle, '<', "$folder/line" or die "$folder/line: $!"; local $/; <$handle> } // '';
$shown .= "$out$err$line";
my $rc = write_file("$folder/rc", account($server, tls => 'on', tls_starttls => 'off', tls_trust_file => $server->ca_file,
    auth => 'on', user => 'me', passwordeval => "cat $file"), 0600);
($status, $out, $err) = smtpauthc({stdin => "To: a\@x.test\n\nthe mail\n"}, '-C', $rc, qw(-v -t));
is($status, 0, 'passwordeval, while the mail is on standard input') or diag($err);
is(($server->messages)[0]->body, "the mail\r\n", '... which it does not get');
($status, my $json, $err) = smtpauthc(qw(check --json -C), $rc);
is($status, 0, 'as JSON');
$shown .= "$out$err$json";
require MIME::Base64;
my @forms = ($SECRET, map { MIME::Base64::encode_base64($_, '') } $SECRET, "\0me\0$SECRET");
is_deeply([grep { index($shown, $_) >= 0 } @forms, 'another-word'], [], 'no secret was shown, in no form');
like($line, qr/smtpauthc/, '... not in the list of processes, which was looked at');
done_testing;
