#!/usr/bin/perl
# The article's script, that spoke to the server over a bare socket, with the methods of Net::SMTP instead.
#
#     perl eg/article.pl smtp.example.com 465 username me@example.com you@example.net [ca.pem] <file-with-the-password
use strict;
use warnings;
use Net::SMTP::AuthC;

my ($server, $port, $user, $from, $to, $ca_file) = @ARGV;
die "usage: $0 server port user from to [ca.pem] <password\n" if !defined $to;
chomp(my $password = <STDIN>);

my $smtp = Net::SMTP::AuthC->new($server, Port => $port, SSL => 1, SSL_ca_file => $ca_file, Timeout => 30)
    or die "Failed to make a connection! $@";
print $smtp->banner;

print "TX: AUTH\n";
$smtp->auth($user, $password) or die 'AUTH: ', $smtp->message;
print $smtp->message;

print "TX: MAIL FROM: $from\n";
$smtp->mail($from) or die 'MAIL: ', $smtp->message;
print $smtp->message;

print "TX: RCPT TO: $to\n";
$smtp->to($to) or die 'RCPT: ', $smtp->message;
print $smtp->message;

my $body = '';
$body .= "To: $to\n";
$body .= "From: $from\n";
$body .= "Subject: A Test Message\n";
$body .= "\n";
$body .= "Hey this is a test message\n";

print "TX: DATA\n$body";
$smtp->data($body) or die 'DATA: ', $smtp->message;
print $smtp->message;

print "TX: QUIT\n";
$smtp->quit;
