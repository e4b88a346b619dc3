# eg/mod_perl under Apache, and eg/contact.psgi under plackup: what runs for many requests sends a mail for each.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use File::Temp;
use HTTP::Tiny;
use IO::Socket::INET;
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WebServer;

my $SECRET  = 'web secret';
my $top     = dirname(__FILE__) . '/..';
my $mailbox = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {web => $SECRET});

sub slurp { open my $file, '<', $_[0] or die "$_[0]: $!"; return join '', <$file> }

subtest 'mod_perl' => sub {
    my $why = WebServer->missing('perl');
    plan skip_all => $why if defined $why;
    my $web = WebServer->start(modules => ['perl'], set_up => sub {
        my ($server) = @_;
        $server->copy("$top/eg/mod_perl", '.');
        my $data = $server->own_folder('data');
        my %text = (password => "$SECRET\n", 'ca.pem' => slurp($mailbox->ca_file), config => <<"CONF");
server        @{[$mailbox->url]}
username      web
password_file $data/password
ca_file       $data/ca.pem
from          site\@example.test
to            owner\@example.test
CONF
        $server->give_away(WebServer::write_file("$data/$_", $text{$_})) for sort keys %text;
        return ("PerlSwitches -I$server->{folder}/lib -I$server->{folder}/mod_perl", 'PerlModule Feedback',
            '<Location /feedback>', 'SetHandler modperl', 'PerlResponseHandler Feedback', "PerlSetVar MailConfig $data/config",
            '</Location>');
    });
    my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 60);
    my $post = sub {
        my ($origin, %field) = @_;
        return $http->post_form($web->url('/feedback'), \%field, {headers => {$origin ? (Origin => $origin) : ()}});
    };
    is($mailbox->sessions, 0, 'that it is loaded calls nobody');
    for my $mark (1 .. 5) {
        my $answer = $post->($web->url, page => '/tea.html', mark => $mark);
        is("$answer->{status} $answer->{headers}{location}", '303 /tea.html', "mark $mark");
    }
    is_deeply([sort map { $_->header('Subject') } $mailbox->messages], [map { "$_ for /tea.html" } 1 .. 5], 'a mail each');
    is($http->get($web->url('/feedback'))->{status}, 405, 'GET');
    is($post->($_, page => '/tea.html', mark => 1)->{status}, 403, 'from ' . ($_ || 'nowhere'))
        for '', 'http://elsewhere.test', 'null';
    is($post->($web->url, @$_)->{status}, 400, "@$_")
        for [page => '/a', mark => 6], [mark => 1], [page => "/a\r\nBcc: x", mark => 1], [page => 'x' x 4000, mark => 1];
    is($post->($web->url, page => '//elsewhere.test/', mark => 1)->{headers}{location}, '/', 'nobody is led elsewhere');
    is($mailbox->messages, 6, 'and no mail else');
    unlike($web->errors, qr/feedback:|\Q$SECRET\E/, 'nothing went wrong') or diag $web->errors;
};

subtest 'plackup' => sub {
    my ($plackup) = grep { -x } map { "$_/plackup" } split /:/, $ENV{PATH};
    plan skip_all => 'no plackup' if !defined $plackup;
    $mailbox->clear;
    my $folder = File::Temp->newdir;
    WebServer::write_file("$folder/password", "$SECRET\n");
    my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    local @ENV{map { "CONTACT_$_" } qw(SERVER USER PASSWORD_FILE TO FROM LEDGER CA_FILE)} = ($mailbox->url, 'web',
        "$folder/password", 'owner@example.test', 'site@example.test', "$folder/ledger", $mailbox->ca_file);
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$folder/log";
        { exec $^X, (map { "-I$_" } @INC), $plackup, '-E', 'deployment', '--host', '127.0.0.1', '--port', $port, "$top/eg/contact.psgi" }
        POSIX::_exit(127);
    }
    my $http = HTTP::Tiny->new(timeout => 60);
    my $url  = "http://127.0.0.1:$port/";
    my $end  = time + 20;
    my $form;
    sleep 0.1 until ($form = $http->get($url))->{success} || time > $end;
    for my $round (1 .. 3) {
        my ($token) = $form->{content} =~ /name="token" value="(\w+)"/;
        my $post = sub { $http->post_form($url, {token => $token, mail => 'z@example.test', message => "round $round"},
            {headers => {Cookie => "contact=$token"}}) };
        like($post->()->{content}, qr/Thank you/, 'a form') or diag slurp("$folder/log");
        like($post->()->{content}, qr/Thank you/, 'and again');
        is($mailbox->messages, $round, 'a mail each');
        $form = $http->get($url);
    }
    kill TERM => $pid;
    waitpid $pid, 0;
};

done_testing;
