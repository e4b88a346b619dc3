# LMTP to a real Dovecot, over a unix socket and over TCP: a reply for each recipient, one message and a stream of them.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Net::SMTP::AuthC;
use Test::More;
use Time::HiRes qw(sleep time);

my ($dovecot) = grep { -x } map { "$_/dovecot" } qw(/usr/sbin /usr/local/sbin);
plan skip_all => 'needs root (Dovecot changes its user)' if $> != 0;
plan skip_all => 'no Dovecot with LMTP here' if !$dovecot || !grep { -x } glob '/usr/lib/dovecot/lmtp';

my $folder = tempdir('smtpc-XXXXXXXX', DIR => '/tmp', CLEANUP => 1);
chmod 0711, $folder or die "$folder: $!";
my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
my ($owner, $mail) = ($$, (getpwnam 'mail')[2]);
mkdir "$folder/mail" or die $!;
chown $mail, -1, "$folder/mail" or die $!;
write_file('users', map { "$_\@example.test:{PLAIN}x::::::\n" } qw(inbox other));
write_file('dovecot.conf', configuration());

my $pid = fork // die "fork: $!";
if (!$pid) {
    open STDERR, '>', "$folder/said";
    exec $dovecot, '-F', '-c', "$folder/dovecot.conf" or die $!;
}
END { local $?; if ($pid && $$ == $owner) { kill TERM => $pid; waitpid $pid, 0 } }

my $end = time + 20;
sleep 0.05 while !-S "$folder/lmtp" && time < $end;

for my $server ("lmtp+unix://$folder/lmtp", "lmtp://127.0.0.1:$port") {
    my $smtp = eval { Net::SMTP::AuthC->connect($server, transcript => 1) };
    ok($smtp, "$server: LHLO") or diag($@, slurp("$folder/log")), next;
    my $receipt = $smtp->submit("Subject: one\n\n.one\n", from => 'a@example.test',
        to => [map { "$_\@example.test" } qw(inbox nobody other)]);
    is(join(' ', map { $_->outcome } $receipt->recipients), 'sent refused sent', 'three recipients, three answers');
    like($_->text, qr/Saved/, $_->address . ': the answer is his own') for $receipt->sent;
    my $answers = () = $smtp->transcript->as_text =~ /S: 250 2\.0\.0 <\S+> \S+ Saved/g;
    is($answers, 2, 'one for each that was accepted');
    my %told;
    $smtp->submit_all([map { {message => "Subject: $_\n\n$_\n", from => '', to => ['inbox@example.test', 'other@example.test']} } 1 .. 10],
        on_receipt => sub { $told{ $_[0]->all_sent }++ });
    is_deeply(\%told, {1 => 10}, 'a stream');
    ok($smtp->quit, 'quit');
}
my %in = map { $_ => scalar(() = glob "$folder/mail/$_/new/*") } qw(inbox other);
is_deeply(\%in, {inbox => 22, other => 22}, 'all of it is in the mailboxes');
done_testing();

sub configuration {
    return <<"CONF";
protocols = lmtp
first_valid_uid = 1
base_dir = $folder/run
state_dir = $folder/run
log_path = $folder/log
ssl = no
mail_location = maildir:$folder/mail/%n
passdb {
  driver = passwd-file
  args = username_format=%u $folder/users
}
userdb {
  driver = static
  args = uid=$mail gid=$mail home=$folder/mail/%n
}
service lmtp {
  unix_listener $folder/lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = $port
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
CONF
}

sub write_file {
    my ($name, @lines) = @_;

    open my $out, '>', "$folder/$name" or die "$name: $!";
    print {$out} @lines;
    close $out or die "$name: $!";
    return;
}

sub slurp { open my $in, '<', $_[0] or return ''; local $/; return scalar <$in> }
