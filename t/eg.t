# eg: every example runs, against the sandbox.
# valgrind: no
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
    $sandbox->clear;
    my $list = file_with("# the list\nd\@example.test\n\ne\@example.test # new\n");
    is scalar(() = qx{@perl eg/newsletter.pl '$url' a\@example.test <$list}), 2, 'or from a list';
    is $?, 0, 'which is told by the status, too';
    is_deeply [map { $_->to } $sandbox->wait_for(count => 2)], [qw(d@example.test e@example.test)], 'each has a mail';
};

subtest 'eg/report.pl reports once a day' => sub {
    $sandbox->clear;
    local @ENV{qw(CA_FILE REPORT_FULL LC_ALL)} = ($sandbox->ca_file, 0, 'C');
    my $folder  = File::Temp->newdir;
    my $command = "@perl eg/report.pl @{[$sandbox->url]} demo a\@example.test b\@example.test $folder/sent <$password";
    is qx{$command 2>&1}, '', 'nothing for cron to tell';
    is qx{$command 2>&1}, '', 'nor in the next hour';
    my @messages = $sandbox->wait_for(count => 1);
    is scalar @messages, 1, 'one mail';
    like $messages[0]->body, qr{^Filesystem.*% /}s, 'with what df says';
    local $ENV{REPORT_FULL} = 101;
    is qx{@perl eg/report.pl smtps://localhost:1 u a\@example.test b\@example.test $folder/none <$password 2>&1}, '',
        'none when all is well';
};

subtest 'eg/daemon.pl empties a folder' => sub {
    $sandbox->clear;
    local @ENV{qw(CA_FILE ONCE)} = ($sandbox->ca_file, 1);
    my $spool = File::Temp->newdir;
    my $url   = $sandbox->url =~ s{//}{//demo:secret\@}r;
    my $run   = sub { return qx{@perl eg/daemon.pl '$url' $spool 2 2>&1} };
    is $run->(), '', 'nothing to do';
    my %to = (map({ $_ => "c$_\@example.test" } 1 .. 5), bad => 'nobody@example.test', killed => 'x@example.test');
    spool_in("$spool/" . ($_ eq 'killed' ? 'work' : 'new') . "/$_", $to{$_}) for sort keys %to;
    like $run->(), qr/\Abad: RCPT with .*550 5\.1\.1 No such user.*\n\z/, 'it tells what did not go';
    is_deeply [map { s{.*/(.*/.*)}{$1}r } sort glob "$spool/*/*"],
        ['failed/bad', map({ "sent/$_" } 1 .. 5), 'unknown/killed'], 'where each file went';
    is_deeply [sort map { $_->to } $sandbox->messages], [map { $to{$_} } 1 .. 5], 'the mails are there';
    is scalar(grep { $_->user } $sandbox->sessions), 2, 'over two connections';
};

subtest 'eg/contact.psgi: a form becomes a mail' => sub {
    $sandbox->clear;
    my $folder = File::Temp->newdir;
    local @ENV{map { "CONTACT_$_" } qw(SERVER USER PASSWORD_FILE TO FROM LEDGER CA_FILE)} = ($sandbox->url, 'demo',
        "$password", 'owner@example.test', 'Site <site@example.test>', "$folder/ledger", $sandbox->ca_file);
    my $app = do './eg/contact.psgi' or die $@ || $!;
    my ($status, $fields, $body) = request($app);
    is $status, 200, 'the form';
    my ($token)  = $body =~ /name="token" value="([0-9a-f]{32})"/;
    my ($cookie) = {@$fields}->{'Set-Cookie'} =~ /\A(contact=$token); HttpOnly; SameSite=Strict\z/;
    my $form = "token=$token&mail=z%40example.test&message=Hello+%3Cb%3E+%E2%98%BA";
    for ([$form => ''], [$form => 'contact=' . 'a' x 32], ["mail=z%40example.test&message=x" => $cookie],
        ["token=$token&mail=&message=x" => $cookie], ["token=$token&mail=%22%3E%3Cscript%3E&message=%3C/textarea%3E" => $cookie]) {
        my ($status, undef, $body) = request($app, @$_);
        is $status, 200, 'a form that is not complete';
        unlike $body, qr{<script|<b>|Thank you|</textarea>.*</textarea>}s, 'is shown again, and harms nobody';
    }
    is +(request($app, 'x' x 30_000, $cookie))[0], 400, 'a long one is not even read';
    is scalar($sandbox->messages), 0, 'no mail so far';
    like +(request($app, $form, $cookie))[2], qr/Thank you/, 'a good one';
    like +(request($app, $form, $cookie))[2], qr/Thank you/, 'once more';
    my ($message, @more) = $sandbox->wait_for(count => 1);
    is scalar @more, 0, 'is one mail';
    is $message->header('Reply-To'), 'z@example.test', 'to be answered to the visitor';
    is $message->from, 'site@example.test', 'from the site';
    $sandbox->clear;
    local $ENV{CONTACT_SERVER} = 'smtps://localhost:1';
    local $ENV{CONTACT_LEDGER} = "$folder/other";
    like +(request($app, $form, $cookie))[2], qr/Sorry.*Hello &lt;b&gt;/s, 'a server that is down: the form again, filled in';
};

done_testing;

# Of an application of PSGI: status, fields, body. A GET, or the POST of a form.
sub request {
    my ($app, $form, $cookie) = @_;
    open my $input, '<', \($form // '') or die $!;
    open my $errors, '>', \my $said or die $!;
    my $answer = $app->({REQUEST_METHOD => defined $form ? 'POST' : 'GET', CONTENT_LENGTH => length($form // ''),
        CONTENT_TYPE => 'application/x-www-form-urlencoded', HTTP_COOKIE => $cookie,
        'psgi.input' => $input, 'psgi.errors' => $errors});
    return (@$answer[0, 1], join '', @{ $answer->[2] });
}

sub file_with {
    my ($text) = @_;
    my $file = File::Temp->new;
    print {$file} $text;
    close $file or die $!;
    return $file;
}

sub spool_in {
    my ($path, $to) = @_;
    open my $file, '>', $path or die "$path: $!";
    print {$file} "a\@example.test $to\nSubject: x\n\ntext\n";
    close $file or die $!;
}
