# The command's configuration: every line of msmtprc's syntax, which account a mail is for, and files that are refused.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use CommandRun qw(smtpauthc write_file);
use File::Temp qw(tempdir);
use Net::SMTP::AuthC::Command::Account;
use Net::SMTP::AuthC::Command::Config;
use Net::SMTP::AuthC::Command::Msmtprc;
use Test::More;

my $folder = tempdir(CLEANUP => 1);

sub parsed {
    my ($text, %with) = @_;
    my @accounts = Net::SMTP::AuthC::Command::Msmtprc->new(home => '/home/me', %with)->parse('FILE', $text);
    return map { Net::SMTP::AuthC::Command::Account->new($_) } @accounts;
}

sub settings { my ($account) = @_; return {map { $_ => $account->{set}{$_}{value} } keys %{ $account->{set} }} }

# text => accounts as name, settings
my @good = (
    ['nothing', "\n# remark\n   # another\n", []],
    ['one account', "account a\nhost h\nport 25\n", [a => {host => 'h', port => 25}]],
    ['settings before any account', "host h\ntls\n", [default => {host => 'h', tls => 1}]],
    ['defaults', "defaults\ntls on\naccount a\nhost h\naccount b\ntls off\n",
        [a => {tls => 1, host => 'h'}, b => {tls => 0}]],
    ['defaults that change later', "defaults\nport 1\naccount a\ndefaults\nport 2\naccount b\n",
        [a => {port => 1}, b => {port => 2}]],
    ['inheritance', "account a\nhost h\nuser u\naccount b : a\nuser v\naccount c:a,b\nport 9\n",
        [a => {host => 'h', user => 'u'}, b => {host => 'h', user => 'v'}, c => {host => 'h', user => 'v', port => 9}]],
    ['defaults under inherited ones', "account a\nport 1\ndefaults\nport 2\nuser d\naccount b : a\n",
        [a => {port => 1}, b => {port => 1, user => 'd'}]],
    ['quotes', qq{user "  a b "\npassword "x"y"\ndomain ""\n}, [default => {user => '  a b ', password => 'x"y',
        domain => ''}]],
    ['blanks and a hash within', "  user\t a # b  \r\n", [default => {user => 'a # b'}]],
    ['home', "tls_trust_file ~/ca.pem\nlogfile ~\naliases ~x/y\n", [default => {tls_trust_file => '/home/me/ca.pem',
        logfile => '/home/me', aliases => '~x/y'}]],
    ['mechanisms', "auth\naccount b\nauth off\naccount c\nauth scram-sha-256\n",
        [default => {auth => 1}, b => {auth => 0}, c => {auth => 'SCRAM-SHA-256'}]],
    ['a fingerprint', 'tls_fingerprint ' . join(':', ('aB') x 32), [default => {tls_fingerprint => 'ab' x 32}]],
    ['older words', "keepbcc on\nadd_missing_from_header off\nadd_missing_date_header\n",
        [default => {remove_bcc_headers => 0, set_from_header => 'off', set_date_header => 'auto'}]],
    ['set back', "timeout off\nsource_ip\nsyslog off\nport\n", [default => {timeout => '', source_ip => '', syslog => '',
        port => ''}]],
    ['syslog', "syslog\naccount b\nsyslog LOG_MAIL\n", [default => {syslog => 'LOG_USER'}, b => {syslog => 'LOG_MAIL'}]],
);
for my $row (@good) {
    my ($name, $text, $expected) = @$row;
    is_deeply([map { ($_->name => settings($_)) } parsed($text)], $expected, $name);
}

# text => what the fault says; the file and the line come first
my @bad = (
    ["\nfoo bar\n",                     qr/line 2: unknown command "foo"/],
    ["HOST x\n",                        qr/line 1: unknown command "HOST"/],
    ["account\n",                       qr/line 1: account: it looks like/],
    ["account a b\n",                   qr/line 1: account: it looks like/],
    ["account a\naccount a\n",          qr/line 2: account a is there already/],
    ["account a : b\n",                 qr/line 1: there is no account b above/],
    ["defaults now\n",                  qr/line 1: defaults takes no argument/],
    ["port 0\n",                        qr/line 1: port: a number from 1 to 65535/],
    ["port 25a\n",                      qr/port: a number/],
    ["tls yes\n",                       qr/tls: on or off/],
    ["protocol imap\n",                 qr/protocol: one of smtp, lmtp/],
    ["auth ntlm\n",                     qr/auth: NTLM is not spoken here/],
    ["auth gssapi\n",                   qr/auth: GSSAPI is not spoken here/],
    ["auth foo\n",                      qr/auth: on, off, or the name/],
    ["tls_fingerprint " . '00' x 20,    qr/tls_fingerprint: only SHA-256/],
    ["tls_fingerprint 00\n",            qr/tls_fingerprint: 64 hex/],
    ["tls_priorities NORMAL\n",         qr/tls_priorities is not supported: it is GnuTLS's/],
    ["tls_min_dh_prime_bits 512\n",     qr/tls_min_dh_prime_bits is not supported/],
    ["ntlmdomain x\n",                  qr/ntlmdomain is not supported/],
    ["dsn_notify always\n",             qr/dsn_notify: off, never/],
    ["source_ip host.example\n",        qr/source_ip: an IP address/],
    ["syslog LOG_KERN\n",               qr/syslog: on, off/],
    ["eval\n",                          qr/eval: the command is missing/],
    ["password secretword\nfoo\n",      qr/line 2: unknown/],
    ["host a\0b\n",                     qr/a NUL/],
);
for my $row (@bad) {
    my ($text, $expected) = @$row;
    my $died = eval { parsed($text, run => sub { 'host x' }); 1 } ? '' : "$@";
    like($died, $expected, "refused: $expected");
    like($died, qr/\AFILE, line [0-9]+: /, '... with file and line');
    unlike($died, qr/secretword/, '... and no secret');
}

my @asked;
my ($evaluated) = parsed("eval echo user me\neval echo host h", run => sub { push @asked, $_[1]; return $_[1] =~ s/echo //r });
is_deeply(settings($evaluated), {user => 'me', host => 'h'}, 'eval gives a line');
is_deeply(\@asked, ['echo user me', 'echo host h'], '... by its command');

# ---- what accounts come to ----

my @server = (
    ["host h\n",                                  'smtp://h:25?tls=none'],
    ["host h\ntls on\nport 587\n",                'smtp://h:587?tls=required'],
    ["host h\ntls on\ntls_starttls off\n",        'smtps://h:465'],
    ["host 2001:db8::1\ntls\n",                   'smtp://[2001:db8::1]:25?tls=required'],
    ["host h\nprotocol lmtp\nport 2003\n",        'lmtp://h:2003'],
    ["protocol lmtp\nsocket /run/lmtp\n",         'lmtp+unix:///run/lmtp'],
);
for my $row (@server) {
    my ($account) = parsed($row->[0]);
    is($account->server, $row->[1], "server: $row->[1]");
}
my ($full) = parsed("host h\nauth plain\nuser u\nsource_ip 127.0.0.1\ntimeout 5\ntls\ntls_certcheck off\ndomain me.test\n"
    . "tls_trust_file /ca\ntls_key_file /k\ntls_cert_file /c\ntls_host_override o\nproxy_host p\n");
is_deeply({$full->connect_options}, {mechanism => 'PLAIN', local_address => '127.0.0.1', timeout => 5,
    insecure_no_verify => 1, hello => 'me.test', ca_file => '/ca', key_file => '/k', certificate_file => '/c',
    tls_name => 'o', proxy => 'socks5h://p:1080'}, 'options of connect');
my ($pinned) = parsed("host h\ntls\ntls_fingerprint " . 'ab' x 32);
my %pinned   = $pinned->connect_options;
is($pinned{fingerprint}, 'sha256$' . 'ab' x 32, 'a fingerprint');
is_deeply([glob "$pinned{ca_path}/*"], [], '... and no authority beside it');
my ($none) = parsed("host h\ntls\ntls_trust_file\n");
like(eval { $none->connect_options; 1 } ? '' : $@, qr/a tls_fingerprint is needed/, 'nobody to trust');

my ($a, $b, $c) = parsed("account a\nfrom me\@x.test\naccount b\nfrom *\@y.te?t\naccount c\nfrom [a-c]\@z.test\n");
my @fit = (['me@x.test', 1, 0, 0], ['ME@X.TEST', 1, 0, 0], ['me+list@x.test', 1, 0, 0], ['you@x.test', 0, 0, 0],
    ['any.body@y.test', 0, 1, 0], ['a@y.teest', 0, 0, 0], ['b@z.test', 0, 0, 1], ['d@z.test', 0, 0, 0],
    ['me@xxtest', 0, 0, 0], ["me\@y.test\n", 0, 0, 0]);
for my $row (@fit) {
    my ($address, @expected) = @$row;
    is_deeply([map { $_->fits($address) } $a, $b, $c], \@expected, 'who sends as ' . $address =~ s/\n/\\n/r);
}
is_deeply([map { $_->sender } $a, $b], ['me@x.test', undef], 'a pattern is no sender');
{
    local @ENV{qw(USER HOSTNAME)} = ('joe', 'box.test');
    is((parsed("from %U\@%H\n"))[0]->sender, 'joe@box.test', 'user and host');
    is((parsed("auto_from on\nmaildomain d.test\n"))[0]->sender, 'joe@d.test', 'the older way');
}

# ---- files ----

sub config { my ($text, $mode) = @_; return write_file("$folder/rc", $text, $mode // 0600) }

sub chosen {
    my ($path, @which) = @_;
    return eval { Net::SMTP::AuthC::Command::Config->load($path)->account(@which)->name } // "$@";
}

my $three = config("account a\nhost h\nfrom a\@x.test\naccount b\nhost h\nfrom *\@x.test\naccount default : b\nfrom d\@x.test\n");
is(chosen($three, 'b'), 'b', 'by its name');
is(chosen($three, undef, 'a@x.test'), 'a', 'by the sender');
is(chosen($three, undef, 'z@x.test'), 'b', 'by a pattern');
is(chosen($three, undef, 'z@y.test'), 'default', 'none fits');
is(chosen($three, undef, undef), 'default', 'none is asked for');
like(chosen($three, 'x'), qr/there is no account x \(there: a, b, default\)/, 'none of the name');
is(chosen(config("account only\nhost h\n")), 'only', 'the only one');
like(chosen(config("account a\naccount b\n")), qr/no account "default"/, 'two, and none of them default');

is(chosen(config("host h\npassword p\n", 0600)), 'default', 'a password that nobody else can read');
like(chosen(config("host h\npassword p\n", 0640)), qr/line 2: a password, and others can read/, 'one that others can read');
is(chosen(config("host h\n", 0644)), 'default', 'without one anybody may read it');
like(chosen(config("host h\n", 0666)), qr/everybody can change it/, 'but nobody write');
like(chosen("$folder/none"), qr/none: No such file/, 'no file');
like(chosen($folder), qr/that is a folder/, 'a folder');

{
    local $ENV{HOME} = $folder;
    local $ENV{XDG_CONFIG_HOME} = "$folder/x";
    local @Net::SMTP::AuthC::Command::Config::SYSTEM_FILES = ("$folder/s1", "$folder/s2");
    mkdir "$folder/$_" for qw(x x/msmtp);
    is_deeply([Net::SMTP::AuthC::Command::Config->files], [], 'nothing there');
    like(chosen(undef), qr/there is no configuration: name a --server, or write one of \S+\.smtpauthcrc/, '... told');
    write_file("$folder/x/msmtp/config", "account x\nhost x\n");
    write_file("$folder/s2", "account s\nhost s\naccount x\nhost other\n");
    is_deeply([Net::SMTP::AuthC::Command::Config->files], ["$folder/x/msmtp/config", "$folder/s2"], "one of each");
    my $both = Net::SMTP::AuthC::Command::Config->load;
    is_deeply([map { [$_->name, $_->host] } $both->accounts], [['x', 'x'], ['s', 's']], "the user's come first");
    write_file("$folder/.msmtprc", "account m\nhost m\n");
    is((Net::SMTP::AuthC::Command::Config->files)[0], "$folder/.msmtprc", "msmtp's");
    write_file("$folder/.smtpauthcrc", "account o\nhost o\n");
    is((Net::SMTP::AuthC::Command::Config->files)[0], "$folder/.smtpauthcrc", 'our own before it');
}

# ---- the subcommand ----

my $rc = config("account a\nhost h.test\nuser me\nauth on\npassword hidden-word\npasswordeval echo hidden-word\n"
    . "account b\nhost h\ntls on\ntls_trust_file $folder/none.pem\n");
my ($status, $out, $err) = smtpauthc(qw(config show -C), $rc);
is($status, 0, 'config show');
like($out, qr/^account a .*line 1\n    auth on\n    host h\.test\n    password \*\*\*\n    passwordeval \*\*\*\n/m, '... masks');
unlike("$out$err", qr/hidden-word/, '... all of it');
($status, $out, $err) = smtpauthc(qw(config test -C), $rc);
is($status, 78, 'config test finds a file that is not there');
like($err, qr/account b: TLS set-up: .*none\.pem/, '... and names it');
like($out, qr/^a: smtp:.*\n    tls is off: mails go in clear, and passwords are not sent at all$/m, '... and judges');
($status, $out, $err) = smtpauthc(qw(config test -C), config("host h\nfoo\n"));
is_deeply([$status, $err], [78, "smtpauthc: $folder/rc, line 2: unknown command \"foo\"\n"], 'file and line, and 78');
done_testing;
