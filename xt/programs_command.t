# The command smtpauthc in sendmail's place, through a real Postfix: git, MIME::Lite, MailTools, Email::Sender, PHP, cron.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use lib dirname(__FILE__) . '/lib';
use RealServers::Postfix;
use RealServers::Programs;
use Test::More;

my $server  = RealServers::Logins::server('RealServers::Postfix');
my $program = File::Spec->rel2abs(dirname(__FILE__) . '/../bin/smtpauthc-sendmail');

# In the program's home: the configuration, and a sendmail that is a path.
sub prepare {
    my ($port, $path, $user, $password, $ca) = @_;
    my $folder = dirname($path);
    RealServers::write_file("$folder/password", "$password\n", 0600);
    RealServers::write_file("$folder/.msmtprc", <<"RC", 0600);
defaults
tls on
tls_trust_file $ca
account default
host localhost
port $port
domain client.example.test
from @{[$server->SENDER]}
auth on
user $user
passwordeval cat $folder/password
RC
    RealServers::write_file("$folder/sendmail", "#!/bin/sh\nexec $^X $program \"\$@\"\n", 0755);
    return "$folder/sendmail";
}

# $make: the command of the path of sendmail, that of the message, and the recipient.
sub sends {
    my ($name, $make, %option) = @_;
    return RealServers::Programs::sends($server, $name, is_ours => 1, judge => \&same_fields, %option,
        command => sub { return $make->(prepare(@_), $_[1], $server->INBOX) });
}

sub fields { my ($header, $own) = @_; return [sort grep { !/$own/ } split /\n(?![ \t])/, $header] }

# The given fields, in any order; those that programs make are theirs.
my $OWN = qr/^(?:X-Mailer|MIME-Version|Content-\S+|Message-I[Dd]|Date): /;
sub same_fields { return is_deeply(fields($_[0], $OWN), fields($_[1], $OWN), 'the given fields') }
sub all_fields { return is_deeply(fields($_[0], qr/^$/), fields($_[1], qr/^$/), 'the given fields, and no other') }

# A Perl program of the three arguments, that has the message as header and body.
sub perl {
    my ($code) = @_;
    my $read = <<'PERL';
use strict;
use warnings;
my ($sendmail, $path, $to) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $text = do { local $/; <$file> };
my ($head, $body) = split /\n\n/, $text, 2;
my %header = map { /\A([^:]+): (.*)\z/ } split /\n/, $head;
PERL
    return sub {
        my ($sendmail, $path, $to) = @_;
        my $script = dirname($path) . '/script.pl';
        RealServers::write_file($script, "$read$code");
        return ($^X, $script, $sendmail, $path, $to);
    };
}

sub shell {
    my ($code) = @_;
    return sub { return ('/bin/sh', '-c', $code, 'sh', @_) };
}

# ---- as cron, PHP and scripts do ----

sends('a script, -t -i', shell('"$1" -t -i <"$2"'), judge => \&all_fields);
sends('PHP', shell('cat "$2" | /bin/sh -c "$1 -t -i"'), judge => \&all_fields);
sends('PHP, with CRLF', shell('cat "$2" | /bin/sh -c "$1 -t -i"'), judge => \&all_fields, crlf => 1);
sends('cron', shell('"$1" -FCronDaemon -i -B8BITMIME -oem "$3" <"$2"'), judge => \&all_fields);
sends('the options of a mail program', shell('"$1" -oem -oi -f sender@example.test -- "$3" <"$2"'), judge => \&all_fields);

# ---- git ----

my $git = RealServers::Programs::git_send_email();
SKIP: {
    skip 'no git send-email for this perl', 1 if !defined $git;
    my @options = ('--confirm=never', '--quiet', '--suppress-cc=all', '--8bit-encoding=ISO-8859-1', '--transfer-encoding=8bit',
        '--from=' . $server->SENDER, '--envelope-sender=' . $server->SENDER);
    for my $how (['sendemail.sendmailCmd', '-c', 'sendemail.sendmailcmd='], ['sendemail.smtpServer', '-c', 'sendemail.smtpserver=']) {
        my ($name, @set) = @$how;
        sends("git send-email, $name", sub {
            my ($sendmail, $path, $to) = @_;
            return ('git', $set[0], "$set[1]$sendmail", 'send-email', "--to=$to", @options, $path);
        });
    }
}

# ---- Perl ----

sends('MIME::Lite, its default', perl(<<'PERL'), modules => ['MIME::Lite']);
use MIME::Lite;
my $mail = MIME::Lite->new((map { $_ => $header{$_} } qw(From To Subject Date)), 'X-Mark:' => $header{'X-Mark'},
    Type => 'text/plain', Encoding => 'binary', Data => $body);
$mail->attr('content-type.charset' => 'iso-8859-1');
MIME::Lite->send('sendmail', "$sendmail -t -oi -oem");
$mail->send or die 'not sent';
PERL

# Without -oi a line with nothing but a dot would end it, as sendmail has it.
sends('Mail::Mailer, sendmail', perl(<<'PERL'), modules => ['Mail::Mailer']);
BEGIN { $ENV{PERL_MAILERS} = "sendmail:$ARGV[0]" }
use Mail::Mailer;
my $mailer = Mail::Mailer->new('sendmail', '-oi');
$mailer->open(\%header) or die 'no mailer';
print {$mailer} $body or die 'not printed';
$mailer->close or die 'not sent';
PERL

sends('Email::Sender, Sendmail', perl(<<'PERL'), modules => ['Email::Sender'], judge => \&all_fields);
use Email::Sender::Simple ();
use Email::Sender::Transport::Sendmail;
my $transport = Email::Sender::Transport::Sendmail->new(sendmail => $sendmail);
Email::Sender::Simple->send($text, {to => $to, from => $header{From}, transport => $transport});
PERL

RealServers::Programs::finish($server);
