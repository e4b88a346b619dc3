# Programs written for Net::SMTP, as Debian has them, through a real Postfix: MIME::Lite, MailTools, Mail::Box, git.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Postfix;
use RealServers::Programs;
use Test::More;

my $server   = RealServers::Logins::server('RealServers::Postfix');
my @ca       = ('ca_file=' . $server->ca_file);
my @starttls = ('starttls=required', @ca);

sub sends { return RealServers::Programs::sends($server, @_) }

# Its beginning in all of them: the message in two parts, headers by name.
my $READ = <<'PERL';
use strict;
use warnings;
my ($port, $path, $user, $password, $ca) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $text = do { local $/; <$file> };
my ($head, $body) = split /\n\n/, $text, 2;
my %header = map { /\A([^:]+): (.*)\z/ } split /\n/, $head;
PERL

# ---- MIME::Lite ----

my $LITE = $READ . <<'PERL';
use MIME::Lite;
my $mail = MIME::Lite->new((map { $_ => $header{$_} } qw(From To Subject Date)), 'X-Mark:' => $header{'X-Mark'},
    Type => 'text/plain', Encoding => 'binary', Data => $body);
$mail->attr('content-type.charset' => 'iso-8859-1');
$mail->send('smtp', 'localhost', Port => $port, AuthUser => $user, AuthPass => $password, OPTIONS) or die 'not sent';
$mail->last_send_successful or die 'it says no';
binmode STDOUT;
print $mail->as_string;
PERL

# The header as it printed it, but for the one field that Postfix drops, and the body as it was given.
my $printed = sub {
    my ($header, $body, $out) = @_;
    my ($above) = $out =~ /\A(.*?\n)\n/s;
    return $above =~ s/^Content-Length: .*\n//mr . "\n$body";
};

sub lite { return $LITE =~ s/OPTIONS/$_[0]/r }

my @lite = (modules => ['MIME::Lite'], expected => $printed);
sends('MIME::Lite, which knows no STARTTLS', @lite, code => lite(''), words => \@starttls);
sends('MIME::Lite by PERL5OPT', @lite, code => lite('Debug => 1'), words => \@starttls, by => 'PERL5OPT',
    debug => qr/^MIME::Lite::SMTP\S*>>> AUTH SCRAM-SHA-256 /m);
sends('MIME::Lite with SSL', @lite, code => lite('SSL => 1'), words => \@ca, port => 'tls');

# ---- MailTools ----

my $MAILER = $READ . <<'PERL';
use Mail::Mailer;
my $mailer = Mail::Mailer->new('KIND', Server => 'localhost', Port => $port, From => $header{From}, OPTIONS);
$mailer->open(\%header) or die 'no mailer';
print {$mailer} $body or die 'not printed';
$mailer->close or die 'not sent';
PERL

# It writes its fields in any order, and one more.
my $any_order = sub {
    my ($arrived, $given, $own) = @_;
    my @fields = sort split /\n/, $arrived;
    my ($mailer) = grep { /^X-Mailer: / } @fields;
    like($mailer // '', $own || qr/\bMail::Mailer\[v.*Net::SMTP\[v3\.15\]/, 'its own field, with our version');
    return is_deeply([grep { !/^X-Mailer: / } @fields], [sort split /\n/, $given], 'the given fields');
};

sub mailer { my ($kind, $options) = @_; return $MAILER =~ s/KIND/$kind/r =~ s/OPTIONS/$options/r }

my @tools = (modules => ['Mail::Mailer'], judge => $any_order);
my $AUTH  = 'Auth => [$user, $password]';
sends('Mail::Mailer, smtp, with StartTLS', @tools, words => \@ca, code => mailer('smtp', "StartTLS => 1, $AUTH"));
sends('Mail::Mailer, smtp, with StartTLS that is there already', @tools, words => \@starttls,
    code => mailer('smtp', "StartTLS => 1, $AUTH, Debug => 1"), debug => qr/^Net::SMTP\S*<<< 220 /m);
sends('Mail::Mailer, smtps', @tools, words => [@ca, 'Net::SMTP::SSL'], port => 'tls', code => mailer('smtps', $AUTH));

my $MAIL_SEND = $READ . <<'PERL';
use Mail::Send;
my $mail = Mail::Send->new;
$mail->set($_ => $header{$_}) for keys %header;
my $handle = $mail->open('smtp', Server => 'localhost', Port => $port, From => $header{From},
    Auth => [$user, $password]);
print {$handle} "$_\n" for split /\n/, $body;
$handle->close or die 'not sent';
PERL
sends('Mail::Send', @tools, modules => ['Mail::Send'], words => \@starttls, code => $MAIL_SEND);

my $INTERNET = $READ . <<'PERL';
use Mail::Internet;
my $mail = Mail::Internet->new([map { "$_\n" } split /\n/, $text]);
my @sent = $mail->smtpsend(Host => HOST, Port => $port, MailFrom => $header{From}) or die 'not sent';
PERL

sub internet { return $INTERNET =~ s/HOST/$_[0]/r }

# Two fields are its own, and the order.
my $cleaned = sub {
    my ($arrived, $given) = @_;
    my @fields = grep { !/^(?:X-Mailer: Perl5 Mail::Internet|Sender: )/ } split /\n/, $arrived;
    return is_deeply([sort @fields], [sort split /\n/, $given], 'the given fields');
};
my $secret = $server->path('secret');
RealServers::write_file($secret, $server->PASSWORD . "\n", 0600);
my @internet = (modules => ['Mail::Internet'], judge => $cleaned);
sends('Mail::Internet, which knows no login', @internet, code => internet("'localhost'"),
    words => [@starttls, 'username=' . $server->USER, "password_file=$secret"]);
sends('Mail::Internet with an object of Net::SMTP', @internet, words => [], code => internet(<<'PERL'));
do {
    require Net::SMTP;
    my $smtp = Net::SMTP->new('localhost', Port => $port);
    $smtp->starttls(SSL_ca_file => $ca) && $smtp->auth($user, $password) or die $smtp->message;
    $smtp;
}
PERL

# ---- Mail::Box ----

my $BOX = $READ . <<'PERL';
use Mail::Message;
use Mail::Transport::SMTP;
my $mail = Mail::Message->read($text);
my $transport = Mail::Transport::SMTP->new(hostname => 'localhost', port => $port, username => $user,
    password => $password, timeout => 60);
my @result = $transport->trySend($mail, from => $header{From});
$result[0] or die "not sent: @result";
PERL
sends('Mail::Transport::SMTP', modules => ['Mail::Transport::SMTP', 'Mail::Message'], words => \@starttls,
    code => $BOX);
sends('Mail::Transport::SMTP, send', modules => ['Mail::Transport::SMTP', 'Mail::Message'], words => \@starttls,
    code => $BOX =~ s/^my \@result.*\n.*\n/\$transport->send(\$mail, from => \$header{From}) or die 'not sent';\n/mr);

# ---- git ----

my $git = RealServers::Programs::git_send_email();

# Date and Message-ID are its own, and so are two fields more.
my $by_git = sub {
    my ($arrived, $given) = @_;
    my $own = qr/^(?:Date|Message-I[Dd]|X-Mailer|MIME-Version|Content-\S+): /;
    like($arrived, qr/^X-Mailer: git-send-email /m, 'it comes from git');
    return is_deeply([grep { !/$own/ } sort split /\n/, $arrived], [grep { !/$own/ } sort split /\n/, $given],
        'the given fields');
};

sub git {
    my @options = @_;
    return command => sub {
        my ($port, $path, $user, $password, $ca) = @_;
        return ('git', 'send-email', '--smtp-server=localhost', "--smtp-server-port=$port", "--smtp-user=$user",
            "--smtp-pass=$password", "--smtp-ssl-cert-path=$ca", '--confirm=never', '--quiet', '--suppress-cc=all',
            '--smtp-domain=client.example.test', '--8bit-encoding=ISO-8859-1', '--transfer-encoding=8bit',
            '--from=' . $server->SENDER, '--to=' . $server->INBOX, '--envelope-sender=' . $server->SENDER,
            @options, $path);
    };
}

SKIP: {
    skip 'no git send-email for this perl', 1 if !defined $git;
    my @git = (judge => $by_git, modules => ['IO::Socket::SSL']);
    sends('git send-email, tls', @git, git('--smtp-encryption=tls'));
    sends('git send-email, ssl', @git, git('--smtp-encryption=ssl'), port => 'tls');
    sends("git send-email, $_", @git, git('--smtp-encryption=tls', "--smtp-auth=$_", '--smtp-debug=1'),
        modules => ['IO::Socket::SSL', 'Authen::SASL'], mechanism => $_, debug => qr/^Net::SMTP\S*>>> AUTH $_\b/m)
        for qw(PLAIN LOGIN CRAM-MD5);
}

# ---- our own mailer ----

my @ours = (modules => ['Mail::Mailer', 'Mail::Mailer::authc'], is_ours => 1,
    judge => sub { $any_order->(@_, qr/\bNet::SMTP::AuthC\[v/) });
sends('Mail::Mailer, authc, with StartTLS', @ours,
    code => mailer('authc', "StartTLS => 1, SSL_ca_file => \$ca, $AUTH"));
sends('Mail::Mailer, authc, with SSL', @ours, port => 'tls',
    code => mailer('authc', "SSL => 1, SSL_ca_file => \$ca, $AUTH"));
sends('Mail::Send, authc', @ours, code => $MAIL_SEND =~ s/'smtp'/'authc', SSL_ca_file => \$ca, StartTLS => 1/r);

RealServers::Programs::finish($server);
