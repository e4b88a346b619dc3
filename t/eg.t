# eg: every example runs, against the sandbox.
use 5.014;
use strict;
use warnings;
use File::Temp;
use Test::More;

use Net::SMTP::AuthC::Sandbox;

my $sandbox = Net::SMTP::AuthC::Sandbox->new(
    tls    => 'implicit', users => {demo => 'secret'},
    refuse => {'nobody@example.test' => '550 5.1.1 No such user'},
);
my $password = File::Temp->new;
print {$password} "secret\n";
close $password;
my @perl = ($^X, map { "-I$_" } @INC);

subtest 'eg/send_mail.pl sends one mail' => sub {
    my $command = join ' ', map { "'$_'" } @perl, 'eg/send_mail.pl', $sandbox->url, 'demo', 'a@example.test',
        'b@example.test', $sandbox->ca_file;
    like qx{$command <$password}, qr/\A2\.0\.0 /, 'it prints what the server said last';
    my ($message) = $sandbox->wait_for(count => 1);
    is_deeply [$message->to], ['b@example.test'], 'the mail is there';
};

subtest 'eg/newsletter.pl tells what became of each' => sub {
    $sandbox->clear;
    local $ENV{CA_FILE} = $sandbox->ca_file;
    my $url = $sandbox->url =~ s{//}{//demo:secret\@}r;
    my $command = join ' ', map { "'$_'" } @perl, 'eg/newsletter.pl', $url, 'a@example.test', 'b@example.test',
        'nobody@example.test', 'c@example.test';
    my @lines = qx{$command};
    like $lines[0], qr/\Asent +b\@example\.test 250 /;
    like $lines[1], qr/\Arefused +nobody\@example\.test 550 /;
    like $lines[2], qr/\Asent +c\@example\.test 250 /, 'the connection goes on after a refusal';
    is scalar(my @messages = $sandbox->wait_for(count => 2)), 2, 'two mails, in one session';
};

done_testing;
