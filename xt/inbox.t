# The sandbox's inbox in headless Chromium: what people see and press, and that hostile mails and pages do nothing there.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib', dirname(__FILE__) . '/../t/lib';
use Browser;
use HTTP::Tiny;
use IO::Socket::INET;
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use RawClient;
use Test::More;

plan skip_all => 'no chromium' if !defined Browser->program;

my $server  = Net::SMTP::AuthC::Sandbox->new(tls => 'none', inbox => 1);
my $url     = $server->inbox_url;
my $browser = Browser->new;

# A site that is not ours: it answers every request with one page, and counts them.
my $page = '';
my ($site, $site_pid, $asked) = start_site();

sub start_site {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20) or die "listen: $!";
    pipe my $from, my $to or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    return ('http://127.0.0.1:' . $socket->sockport, $pid, $from) if $pid;
    while (my $client = $socket->accept) {
        my $line = <$client> // next;
        syswrite $to, $line;
        my ($form) = $line =~ m{ /form\?(\S+) };
        my $body = $form ? qq{<form method="post" action="${url}$form"><input name="token" value="0"></form>}
            . '<script>document.forms[0].submit()</script>' : 'a page of the other site';
        print {$client} "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: ", length $body, "\r\n\r\n$body";
    }
    POSIX::_exit(0);
}

END {
    local $?;
    kill KILL => $site_pid if $site_pid;
    waitpid $site_pid, 0 if $site_pid;
}

# What the site was asked for since the last call.
sub asked {
    my $bits = '';
    vec($bits, fileno $asked, 1) = 1;
    return '' unless select my $ready = $bits, undef, undef, 0;
    sysread $asked, my $lines, 65536;
    return $lines;
}

sub mail_in {
    my ($text) = @_;
    my $client = RawClient->ready($server->port);
    $client->say($_) for 'MAIL FROM:<shop@example.test>', 'RCPT TO:<anna@example.test>', 'DATA';
    $text =~ s/\n/\r\n/g;
    $client->say("$text\r\n.");
    return $client->say('QUIT');
}

# Without scripts there are no timers, either.
sub press {
    my ($selector) = @_;
    $browser->js('window.isOld = true');
    $browser->js("document.querySelector('$selector').click(); 1");
    return $browser->wait_until(q{!window.isOld && document.readyState == 'complete'});
}

# Only where somebody wants to look at them.
sub picture {
    my ($name) = @_;
    my $folder = $ENV{NET_SMTP_AUTHC_SCREENSHOTS} or return;
    open my $file, '>:raw', "$folder/inbox-$name.png" or die "$folder: $!";
    print {$file} $browser->screenshot;
    return close $file;
}

my $hostile = <<"HTML";
<base href="$site/"><meta http-equiv="refresh" content="0;url=$site/meta"><link rel="preconnect" href="$site">
<link rel="stylesheet" href="$site/link"><link rel="dns-prefetch" href="$site"><link rel="prefetch" href="$site/prefetch">
<style>\@import "$site/import"; body { background: url($site/background) } \@font-face { font-family: x; src: url($site/font) }
p { font-family: x }</style><p style="background: url($site/style)">Hello</p><img id="own" src="cid:dot">
<img src="$site/img" srcset="$site/srcset 2x" onerror="document.title = 'run'"><iframe src="$site/iframe"></iframe>
<iframe srcdoc="<script>top.location = '$site/top'</script>"></iframe><object data="$site/object"></object>
<embed src="$site/embed"><video src="$site/video" poster="$site/poster" autoplay></video><audio src="$site/audio"></audio>
<svg><image href="$site/svg"/><use href="$site/use#x"/></svg><form action="$site/form"><input autofocus
onfocus="document.forms[0].submit()"><button id="send">Go</button></form><script src="$site/script"></script>
<script>document.title = 'run'; fetch("$site/fetch"); new Image().src = "$site/image"; top.location = "$site/top"</script>
<a id="link" href="$site/click" target="_top">Click</a><body onload="document.title = 'run'">
HTML
my $dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

sub hostile_mail {
    return <<"MAIL";
From: "</title><script>document.title = 'run'</script>" <a\@example.test>
Subject: </title><script>document.title = 'run'</script><img src=x onerror="document.title='run'">
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

$hostile
--b
Content-Type: image/png; name="<img src=x onerror=document.title='run'>.png"
Content-ID: <dot>
Content-Transfer-Encoding: base64

$dot
--b--
MAIL
}

subtest 'the list follows' => sub {
    $browser->open_page($url);
    like($browser->text, qr/0 messages.*Nothing here yet/s, 'empty');
    mail_in("From: Shop <a\@example.test>\nSubject: Order 1001\n\nThank you.");
    ok($browser->wait_until(q{document.body.innerText.includes('Order 1001')}), 'a mail comes, nothing is pressed');
    is($browser->js('document.title'), '1 message', '... the title, too');
    $browser->press('tbody a');
    like($browser->text, qr/Order 1001.*Thank you\./s, 'the message');
    is($browser->url, "${url}message/1.1", '... at its address');
    picture('message');
    $browser->press('a[href="/session/1"]');
    like($browser->text, qr/C: MAIL FROM:<shop\@example\.test>/, 'its session');
};

subtest 'a hostile mail' => sub {
    mail_in(hostile_mail());
    $browser->open_page($url);
    unlike($browser->js('document.title'), qr/\Arun/, 'nothing runs in the list');
    $browser->open_page("${url}message/2.1");
    like($browser->js('document.title'), qr{\A</title><script>}, 'nothing runs on its page');
    picture('hostile');
    is($browser->js('document.querySelector("iframe").contentDocument === null'), 1, 'its HTML is of another origin');
    is($browser->js('document.images.length'), 0, 'no image but in the frame');
    sleep 1;
    is(asked(), '', 'nobody was asked for anything');
    $browser->open_page("${url}message/2.1/html");
    sleep 1;
    is($browser->url, "${url}message/2.1/html", 'by itself it leads nowhere');
    is($browser->js('document.title'), '', '... nothing runs');
    is($browser->js('document.querySelector("#own").naturalWidth'), 1, '... its own image is there');
    is($browser->js('self.origin'), 'null', '... and it has no origin');
    is(asked(), '', '... nobody was asked');
    $browser->js('document.querySelector("#send").click(); 1');
    sleep 1;
    is(asked(), '', '... and no form is sent');
};

subtest 'another site' => sub {
    my $before = $server->messages;
    for my $path (qw(clear faults)) {
        $browser->open_page("$site/form?$path");
        $browser->wait_until("location.href == '$url$path'");
        like($browser->text, qr/refused: another site/, "posts to $path in vain");
    }
    is(scalar($server->messages), $before, 'all is there');
    $browser->open_page("$site/");
    my $fetch = sub { $browser->js("fetch('${url}api/v1/$_[0]', $_[1]).then(answer => answer.type, () => 'failed')") };
    is($fetch->('messages', '{}'), 'failed', 'cannot read');
    is($fetch->('messages', '{method: "DELETE"}'), 'failed', 'cannot delete');
    is($fetch->('messages', '{mode: "no-cors"}'), 'failed', 'cannot even have what it cannot read');
    is($browser->js("new Promise(done => { const image = new Image(); image.onload = () => done(1);"
        . " image.onerror = () => done(0); image.src = '${url}api/v1/message/2.1/part/2' })"), 0, 'nor an image');
    is(scalar($server->messages), $before, 'all is still there');
    like(asked(), qr{\AGET /form}, 'it was asked for its own pages');
};

subtest 'without JavaScript' => sub {
    $browser->_call('Emulation.setScriptExecutionDisabled', value => \1);
    $browser->open_page($url);
    $browser->fill(query => 'order');
    press('header button');
    like($browser->text, qr/1 message with "order"/, 'search');
    $browser->open_page("${url}faults");
    $browser->fill('mail.kind' => 'refuse', 'mail.code' => 452);
    picture('faults');
    press('main form button');
    is($browser->js(q{document.querySelector('[name="mail.kind"]').value}), 'refuse', 'faults are set');
    my $client = RawClient->ready($server->port);
    like($client->say('MAIL FROM:<a@example.test>'), qr/\A452/, '... and strike');
    $client->say('QUIT');
    press('main form:nth-of-type(2) button');
    is($browser->js(q{document.querySelector('[name="mail.kind"]').value}), '', '... and are off');
    $browser->open_page($url);
    picture('list');
    press('main form button');
    like($browser->text, qr/0 messages/, 'all is forgotten');
    is(scalar($server->messages), 0, '... here, too');
};

undef $browser;
done_testing;
