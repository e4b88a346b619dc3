# SmtpTester: a request in, a response out (PSGI): who may ask, what is asked, and that nothing is done before it may be.
package SmtpTester;

use 5.014;
use strict;
use warnings;

use File::Basename ();
use SmtpTester::Form;
use SmtpTester::Names;
use SmtpTester::Network;
use SmtpTester::Page;
use SmtpTester::State;
use SmtpTester::Token;
use Time::HiRes ();

my $BODY_MAX     = 16 * 1024;
my $DNS_SECONDS  = 5;
my $MOST_ADDRESSES = 3;

my $FOLDER = File::Basename::dirname(File::Basename::dirname(__FILE__));
my %file = ('/tester.css' => 'text/css', '/tester.js' => 'text/javascript');

# Nothing in a page comes from another place or from within it, and nobody puts it into a frame.
my @HEADERS = (
    'Cache-Control'           => 'no-store',
    'Content-Security-Policy' => q{default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; }
        . q{base-uri 'none'; frame-ancestors 'none'},
    'X-Content-Type-Options'  => 'nosniff',
    'Referrer-Policy'         => 'same-origin',
);

# A PSGI application. The settings are those of tester.pl, and resolve: a sub from a host name to addresses as octets.
sub app {
    my ($class, %setting) = @_;

    my $self = bless {
        %setting,
        names   => {map { lc $_ => 1 } split ' ', $setting{hosts} // ''},
        ports   => [split ' ', $setting{ports}],
        network => SmtpTester::Network->new(allow => $setting{allow}, refuse => $setting{refuse}),
        state   => SmtpTester::State->new(map { $_ => $setting{$_} } qw(folder tries all_tries)),
        resolve => $setting{resolve} || sub { SmtpTester::Names->addresses(@_) },
    }, $class;
    return sub { $self->_answer($_[0]) };
}

# What dies here is a mistake of this program or of its installation. The log gets the first line, never a request.
sub _answer {
    my ($self, $env) = @_;

    my $answer = eval { $self->_respond($env) };
    if (!$answer) {
        my ($why) = split /\n/, Net::SMTP::AuthC::Error::visible("$@");
        $env->{'psgi.errors'}->print("tester: $why\n") if $env->{'psgi.errors'};
        $answer = _plain(500, 'The page is out of order; its log says why.');
    }
    $answer->[2] = [] if $env->{REQUEST_METHOD} eq 'HEAD';
    return $answer;
}

sub _respond {
    my ($self, $env) = @_;

    return _plain(403, 'This page is not for you, or not by this name.') if !$self->_is_welcome($env);
    my ($method, $path) = ($env->{REQUEST_METHOD}, $env->{PATH_INFO} // '');
    my $is_file = $file{$path};
    return _plain(404, 'There is no such page.') if !$is_file && $path !~ m{\A/?\z};
    return $is_file ? _file($path) : $self->_page($env, SmtpTester::Form->empty) if $method =~ /\A(?:GET|HEAD)\z/;
    return $self->_post($env) if $method eq 'POST' && !$is_file;
    return _plain(405, 'Not by this method.', Allow => $is_file ? 'GET, HEAD' : 'GET, HEAD, POST');
}

# ---- who ----

# A page that answers to any name could be reached by scripts of others, whose names were pointed here.
sub _is_welcome {
    my ($self, $env) = @_;

    my $name = lc(($env->{HTTP_HOST} // '') =~ s/:[0-9]+\z//r);
    return $self->{names}{$name} if %{ $self->{names} };
    return $name =~ /\A(?:localhost|127\.0\.0\.1|\[::1\])\z/ && ($env->{REMOTE_ADDR} // '') =~ /\A(?:127\.[0-9.]+|::1)\z/;
}

# Of IPv6 the network, where each host has as many addresses as it likes.
sub _caller {
    my ($env) = @_;

    my $octets = SmtpTester::Network::octets($env->{REMOTE_ADDR} // '') // return 'unknown';
    return unpack 'H*', length $octets == 16 ? substr $octets, 0, 8 : $octets;
}

# ---- the test ----

sub _post {
    my ($self, $env) = @_;

    my ($body, $status) = _body($env);
    return _plain($status, 'The form cannot be read.') if !defined $body;
    my $form = SmtpTester::Form->read($body, @{ $self->{ports} });
    return $self->_complain($env, $form, 403, 'This form is too old, or not from this page. Please send it once more.')
        if !$self->_is_own_form($env, $form);
    return $self->_complain($env, $form, 400, $form->{mistake}) if defined $form->{mistake};
    my $wait = $self->{state}->seconds_to_wait(_caller($env));
    return $self->_complain($env, $form, 429, "Too many tests. The next is welcome in $wait seconds.", 'Retry-After' => $wait)
        if $wait;
    my $began = Time::HiRes::time();
    my ($addresses, $why) = $self->_addresses($form);
    return $self->_complain($env, $form, 400, $why) if !$addresses;
    return $self->_test($env, $form, $addresses, $self->{seconds} - (Time::HiRes::time() - $began));
}

# The body, or undef and a status.
sub _body {
    my ($env) = @_;

    return (undef, 415) if ($env->{CONTENT_TYPE} // '') !~ m{\Aapplication/x-www-form-urlencoded(?:\s*;|\z)}i;
    my $length = $env->{CONTENT_LENGTH} // '';
    return (undef, 411) if $length !~ /\A[0-9]{1,9}\z/;
    return (undef, 413) if $length > $BODY_MAX;
    my $body = '';
    while (length $body < $length) {
        $env->{'psgi.input'}->read($body, $length - length $body, length $body) or return (undef, 400);
    }
    return $body;
}

sub _is_own_form {
    my ($self, $env, $form) = @_;

    my ($origin) = ($env->{HTTP_ORIGIN} // '') =~ m{\A(?:https?://)?(.*)\z}s;
    return 0 if length $origin && lc $origin ne lc $env->{HTTP_HOST};
    return SmtpTester::Token->is_good($form->{token}, $self->{state}->secret, SmtpTester::Token->half($env), _caller($env));
}

# What is connected to is what was judged here. One bad address is enough to refuse them all.
sub _addresses {
    my ($self, $form) = @_;

    my @found = $form->{address} // $self->{resolve}->($form->{host}, $DNS_SECONDS);
    return (undef, 'host: it has no address, or its name servers do not answer') if !@found;
    my ($why) = grep { defined } map { $self->{network}->why_not($_) } @found;
    return (undef, "host: its address is one that this page does not connect to ($why)") if defined $why;
    $#found = $MOST_ADDRESSES - 1 if @found > $MOST_ADDRESSES;
    return [map { SmtpTester::Network::literal($_) } @found];
}

sub _test {
    my ($self, $env, $form, $addresses, $seconds) = @_;

    require SmtpTester::Attempt;
    require SmtpTester::Result;
    my $attempt = SmtpTester::Attempt->new($form, $addresses, (map { $_ => $self->{$_} } qw(ca_file recipient sender)),
        seconds => $seconds > 1 ? int $seconds : 1);
    my $result = SmtpTester::Result->of($attempt->run);
    my $json = _json({map { $_ => $result->{$_} } grep { $_ ne 'text' } keys %$result});
    return _response(200, 'application/json', $json) if $form->{as} eq 'json';
    return _response(200, 'text/plain; charset=utf-8', $result->{text}) if $form->{as} eq 'text';
    return $self->_page($env, $form, 200, result => {%$result, json => $json});
}

sub _json {
    require JSON::PP;
    return JSON::PP->new->ascii->canonical->pretty->encode($_[0]);
}

# ---- answers ----

sub _complain {
    my ($self, $env, $form, $status, $why, @headers) = @_;

    return _response($status, 'application/json', _json({error => $why}), @headers) if $form->{as} eq 'json';
    return _plain($status, $why, @headers) if $form->{as} eq 'text';
    return $self->_page($env, $form, $status, complaint => $why, headers => \@headers);
}

sub _page {
    my ($self, $env, $form, $status, %more) = @_;

    my $half = SmtpTester::Token->half($env);
    my $page = SmtpTester::Page->of(
        base => SmtpTester::Token->path($env), form => $form, ports => $self->{ports}, recipient => $self->{recipient},
        token => SmtpTester::Token->of($self->{state}->secret, $half, _caller($env)), %more,
    );
    return _response($status // 200, 'text/html; charset=utf-8', $page,
        'Set-Cookie' => SmtpTester::Token->cookie($env, $half), @{ $more{headers} || [] });
}

sub _plain {
    my ($status, $words, @headers) = @_;

    return _response($status, 'text/plain; charset=utf-8', "$words\n", @headers);
}

sub _file {
    my ($path) = @_;

    open my $handle, '<:raw', $FOLDER . $path or die "$FOLDER$path: $!\n";
    local $/;
    return _response(200, "$file{$path}; charset=utf-8", scalar readline $handle);
}

sub _response {
    my ($status, $type, $text, @more) = @_;

    utf8::encode($text);
    return [$status, ['Content-Type' => $type, 'Content-Length' => length $text, @HEADERS, @more], [$text]];
}

1;
