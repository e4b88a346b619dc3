#!/usr/bin/perl
# tester: a page that tries an SMTP login and shows the dialogue: as CGI, by plackup, or tester.pl --listen 127.0.0.1:8080
use 5.014;
use strict;
use warnings;

BEGIN {
    require Cwd;
    require File::Basename;
    unshift @INC, File::Basename::dirname(Cwd::abs_path(__FILE__)) . '/lib';
}
use SmtpTester;

# What the operator decides; whoever uses the page decides none of it.
my %setting = (

    # The names by which the page is called, as in "tools.example.com". Without any, it answers callers on this machine
    # only, who call it localhost.
    hosts => $ENV{SMTP_TESTER_HOSTS},

    # Networks whose servers may be tested although they are private, and others that may not although they are public,
    # such as your own: "10.1.0.0/16 ::1/128".
    allow  => $ENV{SMTP_TESTER_ALLOW},
    refuse => $ENV{SMTP_TESTER_REFUSE},
    ports  => $ENV{SMTP_TESTER_PORTS} // '25 465 587 2525',

    # Where a test mail goes to, and whom it is from. Without a recipient the page sends no mail.
    recipient => $ENV{SMTP_TESTER_RECIPIENT},
    sender    => $ENV{SMTP_TESTER_SENDER},

    # A file of authorities in PEM, in place of the system's.
    ca_file => $ENV{SMTP_TESTER_CA_FILE},

    # A folder of the page's own, for its secret and its count of tries. The web server's user must own it.
    folder => $ENV{SMTP_TESTER_FOLDER},

    # So many tests a minute for one caller and for all, and so many seconds for each.
    tries     => $ENV{SMTP_TESTER_TRIES} // 10,
    all_tries => $ENV{SMTP_TESTER_ALL_TRIES} // 60,
    seconds   => $ENV{SMTP_TESTER_SECONDS} // 30,
);

my $app = SmtpTester->app(%setting);

# plackup and its kin load this file and run what it returns.
return $app if caller;
require SmtpTester::Serve;
SmtpTester::Serve->run($app, @ARGV);
