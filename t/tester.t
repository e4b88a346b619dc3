# The tester page's parts that need no server: addresses, forms, tokens, limits, answers, and what a result may show.
# valgrind: no
use 5.014;
use strict;
use warnings;
use lib 'eg/tester/lib';
use File::Temp;
use MIME::Base64 qw(encode_base64);
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Transcript;
use SmtpTester;
use SmtpTester::Attempt;
use SmtpTester::Result;
use Test::More;

sub octets { return SmtpTester::Network::octets($_[0]) }

subtest 'addresses of the public Internet only' => sub {
    my $network = SmtpTester::Network->new;
    for my $public (qw(8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0
        192.167.255.255 223.255.255.255 2606:4700::1111 2a00:1450::1 2001:200::1 2001:4860::1)) {
        is $network->why_not(octets($public)), undef, $public;
    }
    for my $other (qw(0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255
        198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
        :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1
        2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1
        ff02::1)) {
        ok defined $network->why_not(octets($other)), "not $other";
    }
};

subtest 'networks of the operator' => sub {
    my $network = SmtpTester::Network->new(allow => '127.0.0.0/8 10.1.0.0/16', refuse => '127.9.0.0/16 8.8.8.0/24');
    is $network->why_not(octets($_)), undef, $_ for qw(127.0.0.1 10.1.255.255 8.8.4.4);
    ok defined $network->why_not(octets($_)), "not $_" for qw(127.9.0.1 8.8.8.8 10.2.0.1 ::ffff:127.0.0.1 ::1);
    for my $wrong ('10.0.0.0', '10/8', '10.0.0.0/33', '::/129', 'x/8') {
        ok !eval { SmtpTester::Network->new(allow => $wrong) }, "$wrong is no network";
    }
    ok SmtpTester::Network::is_own(octets('127.0.0.1')), q{this machine's own address is known};
    ok !SmtpTester::Network::is_own(octets('8.8.8.8')), q{and another's};
};

sub encoded { return $_[0] =~ s/([^A-Za-z0-9.-])/sprintf '%%%02X', ord $1/ger }
sub body { my %field = @_; return join '&', map { "$_=" . encoded($field{$_}) } sort keys %field }

sub form {
    my (%field) = @_;
    return SmtpTester::Form->read(body(port => 587, host => 'mail.example.com', %field), 25, 465, 587, 2525);
}

subtest 'forms' => sub {
    my %good = (
        'mail.example.com' => 'mail.example.com', 'Mail.Example.COM.' => 'mail.example.com', '8.8.8.8' => '8.8.8.8',
        '[2606:4700::1111]' => '2606:4700::1111', '2606:4700:0::1111' => '2606:4700::1111', "b\xc3\xbccher.example" =>
        'xn--bcher-kva.example', 'localhost' => 'localhost', '_x.example' => '_x.example',
    );
    for my $host (sort keys %good) {
        my $form = form(host => $host);
        is $form->{mistake}, undef, "$host is taken";
        is $form->{host}, $good{$host}, 'as it should be';
    }
    for my $host ('', '0x7f.1', '2130706433', '0x7f000001', '127.1', '0177.0.0.1', '017700000001', 'a.127.0.0.0x1', '1.2.3.4.5',
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", 'fe80::1%lo', '[fe80::1%25lo]', '[::1', '::1]', 'a b', 'a/b', 'a@b',
        'u:p@h', 'a?tls=none', 'a#b', 'a..b', '-a.example', "a\r\nEHLO x", "a\0b", 'http://a', '<script>', 'a' x 300) {
        ok defined form(host => $host)->{mistake}, 'no host: ' . Net::SMTP::AuthC::Error::visible($host);
    }
    my %address = (host => '[::ffff:127.0.0.1]');
    ok defined SmtpTester::Network->new->why_not(form(%address)->{address}), 'an IPv4 address inside IPv6 is read, and refused';
    for my $name (qw(host port security mechanism user mail as token)) {
        like form($name => "x\r\nQUIT\r\n")->{mistake}, qr/\A$name: has a control character/, "CR and LF in $name";
    }
    ok defined form(%$_)->{mistake}, join ' ', %$_ for {port => 22}, {port => '587 '  . 'x'}, {security => 'x'}, {mechanism => 'NTLM'},
        {as => 'x'}, {user => 'u'}, {password => 'p'}, {user => 'u', password => "p\r\nQUIT"}, {other => 1}, {mistake => 1},
        {address => 1}, {user => 'u' x 5000, password => 'p'}, {user => "\xff", password => 'p'};
    ok defined SmtpTester::Form->read('host=a&host=b&port=587', 587)->{mistake}, 'a field twice';
    is form(port => 465)->server, 'smtps://mail.example.com:465', 'security by port';
    is form(host => '2606:4700::1111')->server, 'smtp://[2606:4700::1111]:587', 'IPv6';
    is form(security => 'none')->server, 'smtp://mail.example.com:587?tls=none', 'in clear';
};

my $folder = File::Temp->newdir;
chmod 0700, $folder;

subtest 'tokens' => sub {
    my ($secret, $half) = ('s' x 32, 'a' x 32);
    my $token = SmtpTester::Token->of($secret, $half, 'caller', 1000);
    my $is_good = sub { return SmtpTester::Token->is_good(@_) };
    ok $is_good->($token, $secret, $half, 'caller', 1000), 'good at once';
    ok $is_good->($token, $secret, $half, 'caller', 4600), 'and for an hour';
    ok !$is_good->($token, $secret, $half, 'caller', $_), "not at $_" for 999, 4601;
    ok !$is_good->($token, $secret, $half, 'another', 1000), 'not for another caller';
    ok !$is_good->($token, $secret, 'b' x 32, 'caller', 1000), 'not with another cookie';
    ok !$is_good->($token, 'x' x 32, $half, 'caller', 1000), 'not of another installation';
    ok !$is_good->($_, $secret, $half, 'caller', 1001), 'not ' . ($_ // 'undef')
        for undef, '', '1001.', $token . '0', $token =~ s/\A1000/1001/r;
    isnt(SmtpTester::Token->half({HTTP_COOKIE => 'smtp_tester=x'}), 'x', 'a cookie of another form is not repeated');
    is(SmtpTester::Token->half({HTTP_COOKIE => "a=b; smtp_tester=$half"}), $half, 'that of ours is kept');
    is(SmtpTester::Token->path({SCRIPT_NAME => $_}), '', "path $_") for '', '//evil.example', '/a"><b', '/a b';
    is(SmtpTester::Token->path({SCRIPT_NAME => '/cgi-bin/tester.pl'}), '/cgi-bin/tester.pl', 'a path');
};

subtest 'limits and secret' => sub {
    my $state = sub { return SmtpTester::State->new(folder => "$folder/state", tries => 3, all_tries => 5) };
    is_deeply [map { $state->()->seconds_to_wait('a', 1000 + $_) } 0 .. 3], [0, 0, 0, 57], 'three a minute for one';
    is_deeply [map { $state->()->seconds_to_wait($_, 1010) } qw(b c d)], [0, 0, 50], 'five for all';
    is $state->()->seconds_to_wait('a', 1060), 0, 'and again when the first is a minute ago';
    my $secret = $state->()->secret;
    is length $secret, 32, 'a secret';
    is $state->()->secret, $secret, 'stays';
    is((stat "$folder/state/secret")[2] & 07777, 0600, 'for nobody else');
    chmod 0755, "$folder/state";
    ok !eval { $state->()->secret; 1 }, 'a folder that others can read is none';
    symlink "$folder/state", "$folder/link";
    ok !eval { SmtpTester::State->new(folder => "$folder/link", tries => 1, all_tries => 1)->secret; 1 }, 'nor is a link';
};

# ---- requests that come to nothing ----

my @asked;
my $app = SmtpTester->app(folder => "$folder/app", tries => 1000, all_tries => 1000, seconds => 5, ports => '25 465 587 2525',
    resolve => sub { push @asked, $_[0]; return map { octets($_) } $_[0] eq 'two.example' ? qw(8.8.8.8 10.0.0.1)
        : $_[0] eq 'bad.example' ? '169.254.169.254' : () });

sub request {
    my (%env) = @_;
    my $body = delete $env{body} // '';
    open my $input, '<', \$body;
    my $answer = $app->({REQUEST_METHOD => 'GET', PATH_INFO => '/', SCRIPT_NAME => '', HTTP_HOST => 'localhost:8080',
        REMOTE_ADDR => '127.0.0.1', CONTENT_TYPE => 'application/x-www-form-urlencoded', CONTENT_LENGTH => length $body,
        'psgi.input' => $input, %env});
    my %header = @{ $answer->[1] };
    return ($answer->[0], join('', @{ $answer->[2] }), \%header);
}

my (undef, $page, $header) = request();
my ($token) = $page =~ /name="token" value="([^"]+)"/;
my ($cookie) = $header->{'Set-Cookie'} =~ /\A([^;]+)/;
sub post {
    my ($field, %env) = @_;
    return request(REQUEST_METHOD => 'POST', HTTP_COOKIE => $cookie, body => body(token => $token, port => 587, %$field), %env);
}

subtest 'the page' => sub {
    is $header->{'Cache-Control'}, 'no-store', 'not stored';
    like $header->{'Content-Security-Policy'}, qr/default-src 'none'/, 'a policy for content';
    unlike $header->{'Content-Security-Policy'}, qr/unsafe/, 'without holes';
    unlike $page, qr/ style=|<style|\son\w+=|<script(?! src)/, 'no style and no script within the page';
    like $header->{'Set-Cookie'}, qr/; HttpOnly; SameSite=Strict/, 'a cookie for this page alone';
    unlike $page, qr/name="mail"/, 'no mail without a recipient of the operator';
};

subtest 'who and how' => sub {
    my $status = sub { return (request(@_))[0] };
    is $status->(HTTP_HOST => $_), 403, "by the name $_" for 'rebound.example', 'localhost.example', '';
    is $status->(REMOTE_ADDR => $_), 403, "from $_" for '192.0.2.1', '', '127.0.0.1.example';
    is $status->(REQUEST_METHOD => $_), 405, $_ for qw(PUT DELETE OPTIONS TRACE);
    is $status->(PATH_INFO => $_), 404, $_ for qw(/x /../tester.pl /lib/SmtpTester.pm);
    is $status->(PATH_INFO => "/tester.$_"), 200, "tester.$_" for qw(css js);
    is $status->(PATH_INFO => '/tester.js', REQUEST_METHOD => 'POST'), 405, 'POST to a file';
    my ($good, $text) = request(QUERY_STRING => 'host=secret.example&password=hunter2');
    unlike $text, qr/secret\.example|hunter2/, 'nothing is taken from a URL';
    is +(post({host => 'bad.example'}, CONTENT_LENGTH => 100_000))[0], 413, 'too long';
    is +(post({host => 'bad.example'}, CONTENT_LENGTH => $_))[0], 411, "length '$_'" for '', '-1', 'x';
    is +(post({host => 'bad.example'}, CONTENT_LENGTH => 1000))[0], 400, 'cut short';
    is +(post({host => 'bad.example'}, CONTENT_TYPE => $_))[0], 415, "type '$_'" for '', 'text/plain', 'multipart/form-data';
    is +(post({host => 'bad.example', token => $_}))[0], 403, "token '$_'" for '', 'x', $token =~ s/(.)\z/$1 eq '0' ? '1' : '0'/er;
    is +(post({host => 'bad.example'}, HTTP_COOKIE => ''))[0], 403, 'no cookie';
    is +(post({host => 'bad.example'}, HTTP_ORIGIN => $_))[0], 403, "from $_" for 'null', 'http://evil.example';
    is_deeply \@asked, [], 'nothing was looked up for any of them';
};

subtest 'addresses from names' => sub {
    my %says = ('bad.example' => qr/does not connect to.*metadata/, 'two.example' => qr/does not connect to.*private/,
        'none.example' => qr/no address/, '127.0.0.1' => qr/loopback/, '[::ffff:127.0.0.1]' => qr/inside IPv6/,
        '[64:ff9b::7f00:1]' => qr/NAT64/, '[2002:7f00:1::]' => qr/6to4/);
    for my $host (sort keys %says) {
        my ($status, $text) = post({host => $host}, HTTP_ORIGIN => 'http://localhost:8080');
        is $status, 400, $host;
        like $text, $says{$host}, 'says why';
    }
    my ($status, $text, $head) = post({host => 'bad.example', user => '"><b>u', password => 'hunter2', as => 'page'});
    unlike $text, qr/hunter2/, 'the password is not in the form that comes back';
    like $text, qr/value="&quot;&gt;&lt;b&gt;u"/, 'what was typed is escaped';
    ($status, $text, $head) = post({host => 'bad.example', as => 'json'});
    like "$head->{'Content-Type'} $text", qr/\Aapplication\/json \{\s+"error"/, 'as JSON';
};

subtest 'too many' => sub {
    @asked = ();
    $app = SmtpTester->app(folder => "$folder/app", tries => 1, all_tries => 1000, seconds => 5, ports => 587,
        resolve => sub { push @asked, $_[0]; return });
    SmtpTester::State->new(folder => "$folder/app", tries => 9, all_tries => 1000)->seconds_to_wait('7f000001');
    my ($status, undef, $head) = post({host => 'bad.example'});
    is $status, 429, 'refused';
    like $head->{'Retry-After'}, qr/\A[1-9][0-9]?\z/, 'until when';
    is_deeply \@asked, [], 'and nothing was looked up';
};

# ---- what a server says ----

{
    package ToyAttempt;
    our @ISA = 'SmtpTester::Attempt';
    sub new { my ($class, %self) = @_; return bless {addresses => ['192.0.2.1'], %self}, $class }
}

subtest 'what a server says' => sub {
    my $transcript = Net::SMTP::AuthC::Transcript->new;
    my $said = encode_base64("\0u\0hunter2", '');
    $transcript->add(direction => 'server', text => "220 <script>alert(1)</script> \e[31m \xff\r\n", ms => 5);
    $transcript->add(direction => 'client', text => "AUTH LOGIN\r\n", ms => 7);
    $transcript->add(direction => 'server', text => "334 VXNlcm5hbWU6\r\n", ms => 9);
    $transcript->add(direction => 'client', text => "***\r\n", secret => 1, ms => 9);
    $transcript->add(direction => 'server', text => '334 ' . encode_base64('not hunter2?', '') . "\r\n", ms => 10);
    $transcript->add(direction => 'server', text => "535 hunter2 HUNTER2 $said\r\n", ms => 12);
    my $error = Net::SMTP::AuthC::Error->new(kind => 'auth', step => 'AUTH', code => 535, text => '535 no hunter2 <b>');
    my $result = SmtpTester::Result->of(ToyAttempt->new(form => form(user => 'u', password => 'hunter2'), error => $error,
        transcript => $transcript));
    my $json = SmtpTester::_json($result);
    my $page = SmtpTester::Page->of(base => '', form => form(user => 'u', password => 'hunter2'), token => 't', ports => [587],
        result => {%$result, json => $json});
    my $hidden = encode_base64('not hunter2?', '');
    unlike $_, qr/hunter2|\Q$said\E|\Q$hidden\E/i, 'the secret is not shown, though the server says it' for $json, $page, $result->{text};
    like $page, qr/decoded: &quot;Username:&quot;/, 'a prompt is decoded';
    like $page, qr/220 &lt;script&gt;alert\(1\)&lt;\/script&gt; \\x1B\[31m \\xFF/, 'markup and control characters are text';
    unlike $page, qr/<script>|<b>/, 'and nothing else';
    is_deeply [map { "$_->{name} $_->{ms}" } @{ $result->{stages} }], ['connection 5', 'login 7'], 'stages with their time';
    like $result->{perl}, qr/connect\('smtp:\/\/mail\.example\.com:587',\n    username => 'u',\n    password => \$password,\n\);/, 'Perl';
    ok @{ $result->{remedy} }, 'what to do';
};

done_testing;
