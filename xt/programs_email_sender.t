# Email::Sender through a real Postfix: its SMTP transports and those of Email::Stuffer over the takeover, and ours.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Postfix;
use RealServers::Programs;
use Test::More;

my $missing = RealServers::Programs::missing_module(qw(Email::Sender::Transport::SMTP Email::Simple));
plan skip_all => "no $missing" if defined $missing;
my $server   = RealServers::Logins::server('RealServers::Postfix');
my @starttls = ('starttls=required', 'ca_file=' . $server->ca_file);

sub sends { return RealServers::Programs::sends($server, @_) }

my $READ = <<'PERL';
use strict;
use warnings;
my ($port, $path, $user, $password, $ca) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $text = do { local $/; <$file> };
my ($from, $to) = map { $text =~ /^$_: (\S+)/m } qw(From To);
PERL

my $SEND = $READ . <<'PERL';
use Email::Simple;
use Email::Sender::Simple;
use CLASS;
my $transport = CLASS->new(host => 'localhost', port => $port, sasl_username => $user, sasl_password => $password,
    OPTIONS);
for (1 .. TIMES) {
    my $mail = Email::Simple->new($text);
    my $success = Email::Sender::Simple->send($mail, {from => $from, to => [$to], transport => $transport});
    $success->isa('Email::Sender::Success') && $success->message =~ /queued/ or die "no success: $success";
}
$transport->disconnect if $transport->can('disconnect');
PERL

my $STOCK = 'Email::Sender::Transport::SMTP';
my $CA    = 'ssl_options => {SSL_ca_file => $ca}';

sub transport {
    my ($class, $options, $times) = @_;
    $times ||= 1;
    return (modules => [$class], code => $SEND =~ s/CLASS/$class/gr =~ s/OPTIONS/$options/r =~ s/TIMES/$times/r);
}

# ---- the stock transport, over the takeover ----

sends('starttls',                  transport($STOCK, "ssl => 'starttls', $CA"));
sends('starttls, CRLF',            transport($STOCK, "ssl => 'starttls', $CA"), crlf => 1);
sends('starttls, by PERL5OPT',     transport($STOCK, "ssl => 'starttls', $CA, debug => 1"), by => 'PERL5OPT',
    debug => qr/^Net::SMTP\S*>>> MAIL FROM:/m);
sends('starttls by -replace',      transport($STOCK, ''), words => \@starttls);
sends('starttls by both',          transport($STOCK, "ssl => 'starttls', $CA"), words => \@starttls);
# It asks whether supports('STARTTLS') is true, and that is '', with libnet too: so it never does by itself.
sends('maybestarttls', transport($STOCK, "ssl => 'maybestarttls', $CA"), words => \@starttls);
sends('ssl',                       transport($STOCK, "ssl => 'ssl', helo => 'client.example.test', $CA"),
    port => 'tls');
sends('Persistent, three mails',   transport("${STOCK}::Persistent", "ssl => 'starttls', $CA", 3), mails => 3);
is(connections_of_three(), 1, 'over one connection');

# 1 where the last program had one connection for its three mails, else what Postfix logged at the end of its last.
sub connections_of_three {
    my ($last) = $server->log =~ /.*(disconnect from [^\n]*)/s;
    return $last =~ /\bauth=1 mail=3 rcpt=3 data=3\b/ ? 1 : $last;
}

my $STUFFER = $READ . <<'PERL';
use Email::Stuffer;
use Email::Sender::Transport::SMTP;
my ($head, $body) = split /\n\n/, $text, 2;
my $stuffer = Email::Stuffer->new({transport => Email::Sender::Transport::SMTP->new({host => 'localhost',
    port => $port, ssl => 'starttls', ssl_options => {SSL_ca_file => $ca}, sasl_username => $user,
    sasl_password => $password})});
$stuffer->header($1 => $2) while $head =~ /^([^:\n]+): (.*)$/gm;
$stuffer->text_body($body =~ s/[^\x00-\x7f]//gr)->attach_file($0);
my $success = $stuffer->send or die 'not sent';
print $stuffer->as_string =~ s/\r\n/\n/gr;
PERL
sends('Email::Stuffer', modules => ['Email::Stuffer'], code => $STUFFER, expected => sub { return $_[2] });

my $BY_ENVIRONMENT = $READ . <<'PERL';
use Email::Sender::Simple qw(sendmail);
use Email::Simple;
my %setting = (host => 'localhost', port => $port, sasl_username => $user, sasl_password => $password);
$ENV{EMAIL_SENDER_TRANSPORT} = 'SMTP';
$ENV{"EMAIL_SENDER_TRANSPORT_$_"} = $setting{$_} for keys %setting;
sendmail(Email::Simple->new($text));
PERL
sends('a transport that the environment names', modules => [$STOCK], words => \@starttls, code => $BY_ENVIRONMENT);

# ---- ours ----

SKIP: {
    my $ours = 'Email::Sender::Transport::AuthC';
    skip "no $ours", 1 if defined RealServers::Programs::missing_module($ours);
    my @ours = (is_ours => 1);
    sends('our transport, starttls', transport($ours, "ssl => 'starttls', $CA"), @ours);
    sends('our transport, CRLF', transport($ours, "ssl => 'starttls', $CA"), @ours, crlf => 1);
    sends('our transport, ssl', transport($ours, "ssl => 'ssl', $CA"), @ours, port => 'tls');
    sends('our transport, PLAIN', transport($ours, "ssl => 'starttls', mechanism => 'PLAIN', debug => 1, $CA"), @ours,
        mechanism => 'PLAIN', debug => qr/AUTH PLAIN/);
    sends('our transport, persistent', transport($ours, "ssl => 'starttls', persistent => 1, $CA", 3), @ours,
        mails => 3);
    is(connections_of_three(), 1, 'over one connection');
}

RealServers::Programs::finish($server);
