# eg/tester under its own server, plackup and Apache: logins good and bad, a real Postfix, attackers, and headless Chromium.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use Browser;
use File::Temp;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use RealServers::Postfix;
use Test::More;
use Time::HiRes qw(sleep time);
use WebServer;

my $SECRET = 'hunter two';
my $top    = dirname(__FILE__) . '/..';
my $BANNER = q{220 <script>window.owned = 1</script><img src=x onerror="window.owned = 1"> "'&amp; ESMTP};
my @sandbox_options = (users => {demo => $SECRET}, mechanisms => [qw(LOGIN PLAIN CRAM-MD5)]);

my $server = Net::SMTP::AuthC::Sandbox->new(@sandbox_options, greeting => $BANNER);
my $other  = Net::SMTP::AuthC::Sandbox->new(@sandbox_options, tls => 'implicit', certificate => 'expired');
my $liar   = Net::SMTP::AuthC::Sandbox->new(@sandbox_options, faults => [
    {stage => 'auth', reply => "535 5.7.8 no, $SECRET\r\n250 EHLO forged\r\n"},
]);
my $slow = Net::SMTP::AuthC::Sandbox->new(@sandbox_options, faults => [{stage => 'ehlo', drip => 0.3}]);
my @ports = map { $_->port } $server, $other, $liar, $slow;

# ---- the page, in its three ways ----

sub slurp { open my $file, '<', $_[0] or die "$_[0]: $!"; return join '', <$file> }

my %usual = (ALLOW => '127.0.0.0/8 ::1/128', PORTS => "25 @ports", CA_FILE => $server->ca_file, TRIES => 1000,
    ALL_TRIES => 1000);
my @started;

sub started {
    my ($setting, @command) = @_;
    my $folder = File::Temp->newdir;
    local @ENV{map { "SMTP_TESTER_$_" } keys %$setting, 'FOLDER'} = (values %$setting, "$folder/state");
    local $ENV{SMTP_TESTER_HOSTS};
    delete $ENV{SMTP_TESTER_HOSTS};
    pipe my $from, my $to or die "pipe: $!";
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        open STDOUT, '>&', $to;
        open STDERR, '>', "$folder.log";
        { exec $^X, (map { "-I$_" } @INC), @command }
        POSIX::_exit(127);
    }
    close $to;
    push @started, {pid => $pid, folder => $folder};
    return $from;
}

sub by_itself {
    my (%more) = @_;
    my $from = started({%usual, %more}, "$top/eg/tester/tester.pl", '--listen', '127.0.0.1:0');
    return readline($from) =~ s/\s+\z//r;
}

sub log_of_all { return join '', map { -e "$_->{folder}.log" ? slurp("$_->{folder}.log") : () } @started }

END {
    local $?;
    for my $one (@started) { kill TERM => $one->{pid}; waitpid $one->{pid}, 0; unlink "$one->{folder}.log" }
}

my $http = HTTP::Tiny->new(timeout => 60, max_redirect => 0);

# A form as the page has it, filled in and sent.
sub visit {
    my ($url, %field) = @_;
    my $page = $http->get($url);
    my ($token)  = $page->{content} =~ /name="token" value="([^"]+)"/ or die "$url: $page->{content}";
    my ($cookie) = $page->{headers}{'set-cookie'} =~ /\A([^;]+)/;
    return $http->post_form($url, {token => $token, host => 'localhost', port => $server->port, %field},
        {headers => {Cookie => $cookie}});
}

sub login { my ($url, %field) = @_; return visit($url, user => 'demo', password => $SECRET, %field) }

sub check {
    my ($url) = @_;
    my $answer = login($url);
    is($answer->{status}, 200, 'a login') or diag $answer->{content};
    like($answer->{content}, qr/The login is good, by PLAIN\./, 'good');
    like($answer->{content}, qr/<td>220 &lt;script&gt;window\.owned = 1&lt;\/script&gt;&lt;img/, 'a banner is text');
    like($answer->{content}, qr/TLSv1\.3.*verified for localhost/s, 'facts of TLS');
    is($answer->{headers}{'cache-control'}, 'no-store', 'not stored');
    my $data = JSON::PP::decode_json(login($url, mechanism => 'LOGIN', as => 'json')->{content});
    is_deeply([@$data{qw(outcome mechanism)}, map { $_->{name} } @{ $data->{stages} }],
        [qw(good LOGIN connection EHLO STARTTLS), 'EHLO inside TLS', 'login', 'QUIT'], 'as JSON');
    is_deeply([map { $_->{text} } grep { $_->{who} eq 'remark' } @{ $data->{stages}[4]{lines} }],
        ['decoded: "Username:"', 'decoded: "Password:"'], 'prompts are decoded');
    my $bad = login($url, password => 'wrong one', as => 'text');
    like($bad->{content}, qr/^result: .*535 5\.7\.8.*^remedy: .*password has 9 characters/ms, 'a bad login, as text');
    like($bad->{content}, qr/^C: AUTH PLAIN \*\*\*$/m, 'without the password');
    unlike($_->{content}, qr/\Q$SECRET\E|wrong one/, 'no secret in an answer') for $answer, $bad;
    unlike(JSON::PP->new->encode($data), qr/\Q$SECRET\E/, 'nor in JSON');
}

my $page = by_itself();
subtest 'its own server' => sub { check($page) };

subtest 'plackup' => sub {
    my ($plackup) = grep { -x } map { "$_/plackup" } split /:/, $ENV{PATH};
    plan skip_all => 'no plackup' if !defined $plackup;
    my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    started(\%usual, $plackup, '-E', 'deployment', '--host', '127.0.0.1', '--port', $port, '-a', "$top/eg/tester/tester.pl");
    my $end = time + 20;
    sleep 0.1 until $http->get("http://127.0.0.1:$port/")->{success} || time > $end;
    check("http://127.0.0.1:$port/");
};

subtest 'Apache' => sub {
    my $why = WebServer->missing('cgi');
    plan skip_all => $why if defined $why;
    my $web = WebServer->start(modules => ['cgi'], set_up => sub {
        my ($apache) = @_;
        $apache->copy("$top/eg/tester", '.');
        my %set = (%usual, FOLDER => $apache->own_folder('state'), CA_FILE => $apache->path('ca.pem'));
        chmod 0644, WebServer::write_file($set{CA_FILE}, slurp($server->ca_file));
        return ((map { qq{SetEnv SMTP_TESTER_$_ "$set{$_}"} } sort keys %set),
            "ScriptAlias /tester $apache->{folder}/tester/tester.pl");
    });
    check($web->url('/tester'));
    is($http->get($web->url('/tester/tester.css'))->{headers}{'content-type'}, 'text/css; charset=utf-8', 'its files');
    unlike($web->errors, qr/tester:|\Q$SECRET\E/, 'nothing in the log') or diag $web->errors;
};

# ---- servers that are not as they should be ----

subtest 'certificates' => sub {
    my $data = JSON::PP::decode_json(login($page, port => $other->port, security => 'tls', as => 'json')->{content});
    is($data->{outcome}, 'failed', 'one that has expired is refused');
    like($data->{error}{text}, qr/expired/, 'with the reason');
    is($data->{tls}{subject}, 'CN=localhost', 'and its facts are shown');
    is($data->{tls}{verified}, 0, 'as not verified');
    is_deeply([grep { /\AAUTH/ } map { $_->client_lines } $other->sessions], [], 'nobody logged in there');
};

subtest 'a server that lies' => sub {
    my $answer = login($page, port => $liar->port, as => 'text');
    like($answer->{content}, qr/^S: 535 5\.7\.8 no, \*\*\*$/m, 'what says the password back is masked');
    unlike($answer->{content}, qr/\Q$SECRET\E|^C: .*forged/m, 'and forges nothing');
};

subtest 'a server that is slow' => sub {
    my $hasty = by_itself(SECONDS => 2);
    my $began = time;
    my $answer = login($hasty, port => $slow->port, as => 'text');
    like($answer->{content}, qr/^result: .*(?:longer than this page waits|timeout|deadline)/mi, 'is given up');
    cmp_ok(time - $began, '<', 20, 'in good time');
};

subtest 'clear text' => sub {
    $server->clear;
    my $answer = login($page, security => 'none', mechanism => 'PLAIN', as => 'text');
    like($answer->{content}, qr/^result: .*AUTH/m, 'no password goes out in clear');
    is_deeply([grep { /\AAUTH/ } map { $_->client_lines } $server->sessions], [], 'not even a try');
};

# ---- attackers ----

subtest 'attacks' => sub {
    my $closed = by_itself(ALLOW => '');
    my @sessions = $server->sessions;
    like(visit($closed, host => $_)->{content}, qr/does not connect to|no IP address|no host name/, "$_ is refused")
        for qw(localhost 127.0.0.1 [::1] [::ffff:127.0.0.1] 0x7f.1 2130706433 127.1 fe80::1%lo [64:ff9b::7f00:1]), 'localhost.';
    is(scalar(my @now = $server->sessions), scalar @sessions, 'and nobody was called');
    my ($host, $port) = $page =~ m{//([^:/]+):(\d+)};
    my $raw = sub {
        my ($octets) = @_;
        my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 20) or die "$page: $!";
        print {$socket} $octets;
        return join '', <$socket>;
    };
    like($raw->("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), qr/\AHTTP\/1\.1 403 /, 'by another name');
    like($raw->("GET /?a\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n"), qr/\AHTTP\/1\.1 400 /, 'control characters');
    like($raw->("GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: localhost\r\n\r\n"), qr/\AHTTP\/1\.1 404 /, 'an odd path');
    like($raw->("GET / HTTP/1.1\r\nX: " . 'x' x 40_000), qr/\AHTTP\/1\.1 400 /, 'an endless head');
    like($raw->("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        . "Content-Length: 999999\r\n\r\n"), qr/\AHTTP\/1\.1 413 /, 'a long form');
    my $injected = visit($page, host => "localhost\r\nRSET", user => "demo\r\nQUIT", password => 'x');
    is($injected->{status}, 400, 'line ends in fields');
    my $few = by_itself(TRIES => 2);
    is_deeply([map { visit($few)->{status} } 1 .. 3], [200, 200, 429], 'too many');
    unlike(log_of_all(), qr/\Q$SECRET\E|wrong one|tester:/, 'nothing in the logs') or diag log_of_all();
};

# ---- a real server ----

my $postfix;
subtest 'Postfix' => sub {
    my $why = RealServers::Postfix->missing;
    plan skip_all => $why if defined $why;
    $postfix = RealServers::Postfix->start;
    my @ways = qw(starttls tls);
    my $real = by_itself(PORTS => join(' ', map { $postfix->port($_) } @ways), CA_FILE => $postfix->ca_file,
        RECIPIENT => $postfix->INBOX, SENDER => $postfix->SENDER);
    for my $security (@ways) {
        my %login = (host => 'localhost', port => $postfix->port($security), security => $security, as => 'json',
            user => $postfix->USER, password => $postfix->PASSWORD);
        my $data = JSON::PP::decode_json(visit($real, %login)->{content});
        is("$data->{outcome} $data->{mechanism}", 'good SCRAM-SHA-256', "a login, $security") or diag explain $data;
        $data = JSON::PP::decode_json(visit($real, %login, password => 'wrong')->{content});
        is("$data->{outcome} $data->{error}{code}", 'failed 535', 'a bad one');
    }
    my $data = JSON::PP::decode_json(visit($real, host => 'localhost', port => $postfix->port('tls'), security => 'tls', as => 'json',
        user => $postfix->USER, password => $postfix->PASSWORD, mail => 1)->{content});
    like($data->{headline}, qr/The test mail was taken/, 'a mail, where the operator has said to whom');
    like($postfix->await('Subject: SMTP login tester', 20), qr/sent by the page that tests logins/, 'arrives');
};

# ---- a browser ----

# SMTP_TESTER_PICTURES names a folder for pictures of the page; without it there are none.
sub picture {
    my ($browser, $name) = @_;
    my $folder = $ENV{SMTP_TESTER_PICTURES} // return;
    open my $file, '>:raw', "$folder/$name.png" or die "$folder/$name.png: $!";
    print {$file} $browser->screenshot;
    return;
}

sub fonts {
    return join ' | ', map { $_[0]->js("(s => s.fontFamily + s.fontWeight + s.fontStyle)(getComputedStyle(document.querySelector('tr.$_ td')))") }
        qw(server client remark);
}

subtest 'Chromium' => sub {
    plan skip_all => 'no Chromium' if !defined Browser->program;
    my $browser = Browser->new;
    $browser->open_page($page);
    picture($browser, 'form');
    is($browser->js(q{[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length).length}), 0,
        'every field has its label');
    $browser->fill(host => 'localhost', port => $server->port, mechanism => 'LOGIN', user => 'demo', password => $SECRET);
    $browser->press('button[value=page]');
    like($browser->text, qr/The login is good, by LOGIN\./, 'a login');
    picture($browser, 'good');
    ok(!$browser->js('window.owned'), 'markup in a banner does nothing');
    like($browser->text, qr/220 <script>window\.owned = 1<\/script><img/, 'it is shown as it was said');
    is(scalar(keys %{ {map { $_ => 1 } split / \| /, fonts($browser)} }), 3, 'three fonts') or diag fonts($browser);
    is($browser->js(q{document.querySelectorAll('button[type=button]').length}), 3, 'three buttons to copy');
    $browser->js(q{document.querySelector('details:last-of-type button, details[open] button').click()});
    like($browser->js('getSelection().toString()'), qr/Net::SMTP::AuthC->connect/, 'the text is selected');
    is($browser->js(q{document.querySelector('[name=password]').value}), '', 'the password is gone');
    unlike($browser->html, qr/\Q$SECRET\E/, 'from all of the page');
    unlike($browser->url, qr/\?/, 'and nothing is in the address');
    $browser->fill(host => 'localhost', port => $other->port, security => 'tls', user => 'demo', password => $SECRET);
    $browser->press('button[value=page]');
    like($browser->text, qr/expired/, 'a certificate that has expired');
    picture($browser, 'bad');
    $browser->fill(host => '169.254.169.254', port => 25, user => '');
    $browser->press('button[value=page]');
    like($browser->js(q{document.querySelector('[role=alert]').innerText}), qr/does not connect/, 'a complaint is an alert');
    if ($postfix) {
        my $real = by_itself(PORTS => $postfix->port('starttls'), CA_FILE => $postfix->ca_file);
        $browser->open_page($real);
        $browser->fill(host => 'localhost', port => $postfix->port('starttls'), user => $postfix->USER, password => $postfix->PASSWORD);
        $browser->press('button[value=page]');
        like($browser->text, qr/The login is good, by SCRAM-SHA-256\./, 'Postfix');
        picture($browser, 'postfix');
    }
};

done_testing;
