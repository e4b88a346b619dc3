#!perl -T
# Taint mode: all works; a tainted server, name or text is taken, as perl's own sockets take it.
use strict;
use warnings;
use Config;
BEGIN {
    if (!eval { local $SIG{__DIE__}; no warnings; ${^TAINT} }) { print "1..0 # SKIP perl without taint mode\n"; exit 0 }
    delete @ENV{qw(PATH IFS CDPATH ENV BASH_ENV TMPDIR)};
}
use lib 't/lib';
use Net::SMTP::AuthC;
use Scalar::Util qw(tainted);
use Test::More;
use TinyServer;

my $server = TinyServer->start(TinyServer->agree(EHLO => "250-me\r\n250-SIZE 0\r\n250 AUTH PLAIN\r\n",
    AUTH => "235 in\r\n"));
my $taint = substr $0, 0, 0;
ok(tainted($taint), 'there is something tainted');

my $smtp = Net::SMTP::AuthC->new("127.0.0.1$taint", Port => $server->port . $taint, Timeout => 10,
    insecure_cleartext_auth => 1);
ok($smtp, 'a tainted host and port') or diag $@;
ok($smtp->auth("user$taint", "secret$taint"), 'a tainted user and password');
ok($smtp->mail("a\@b.test$taint"), 'a tainted sender');
ok($smtp->to("c\@d.test$taint"), 'a tainted recipient');
ok($smtp->data("text$taint\n"), 'a tainted text');
like($server->heard, qr/^AUTH PLAIN AHVzZXIAc2VjcmV0\r\n.*^text\r\n\.\r\n/ms, 'sent as they are');
ok($smtp->_submit("a\@b.test$taint", $taint, ["c\@d.test$taint", $taint], "text$taint\n"), 'a submission');
ok($smtp->_submit("a\@b.test", '', ["c\@d.test", ''], do { my @text = ("code$taint\n"); sub { shift @text } }),
    'from code');
ok(!eval { Net::SMTP::AuthC::TLS->new(ca_file => "/nowhere$taint"); 1 } && $@ !~ /Insecure/, 'a tainted file name');
ok($smtp->quit, 'quit');
ok(Net::SMTP::AuthC->can('submit') && Net::SMTP::AuthC->can('supports'), 'files are loaded when they are needed');

done_testing();
