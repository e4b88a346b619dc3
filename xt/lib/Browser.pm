# Browser: headless Chromium for tests, driven over its debugging pipe: pages, JavaScript in them, screenshots.
package Browser;
use strict;
use warnings;
use sigtrap qw(die normal-signals);   # so that objects end their browsers then too
use Carp qw(croak);
use File::Temp ();
use IO::Select;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant SECONDS => 60;

# Its path, or undef where there is none.
sub program {
    my @names = qw(chromium-headless-shell chromium chromium-browser google-chrome);
    my ($path) = grep { -x } map { my $folder = $_; map { "$folder/$_" } @names } split /:/, "$ENV{PATH}:/usr/bin";
    return $path;
}

# Each has cookies of its own.
sub new {
    my ($class) = @_;
    my $self = bless {folder => File::Temp->newdir('smtpc-browser-XXXXXXXX', TMPDIR => 1), input => '', number => 0,
        owner => $$}, $class;
    pipe my $from_us, $self->{to} or croak "pipe: $!";
    pipe $self->{from}, my $to_us or croak "pipe: $!";
    defined($self->{pid} = fork) or croak "fork: $!";
    $self->_become($from_us, $to_us) if !$self->{pid};
    binmode $_ for @$self{qw(to from)};
    my $target = $self->_call('Target.createTarget', url => 'about:blank')->{targetId};
    $self->{session} = $self->_call('Target.attachToTarget', targetId => $target, flatten => \1)->{sessionId};
    $self->_call('Page.enable');
    return $self;
}

# Chromium reads descriptor 3 and writes 4.
sub _become {
    my ($self, $in, $out) = @_;
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', "$self->{folder}/log";
    my ($read, $write) = map { POSIX::dup(fileno $_) } $in, $out;
    ($read, $write) = map { $_ < 5 ? _above($_) : $_ } $read, $write;
    POSIX::dup2($read, 3);
    POSIX::dup2($write, 4);
    my @options = qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions
        --disable-background-networking --no-proxy-server --remote-debugging-pipe);
    { exec { program() } program(), @options, "--user-data-dir=$self->{folder}/profile", 'about:blank' }
    POSIX::_exit(127);
}

sub _above {
    my ($fd) = @_;
    my @low;
    push @low, $fd while ($fd = POSIX::dup($fd)) < 5;
    POSIX::close($_) for @low;
    return $fd;
}

sub _call {
    my ($self, $method, %parameters) = @_;
    my $id = ++$self->{number};
    my %call = (id => $id, method => $method, params => \%parameters,
        defined $self->{session} ? (sessionId => $self->{session}) : ());
    syswrite $self->{to}, JSON::PP->new->ascii->encode(\%call) . "\0";
    while (1) {
        my $answer = $self->_next;
        next if ($answer->{id} // 0) != $id;
        croak "$method: $answer->{error}{message}" if $answer->{error};
        return $answer->{result};
    }
}

sub _next {
    my ($self) = @_;
    my $end = time + SECONDS;
    while ((my $length = index $self->{input}, "\0") < 0) {
        IO::Select->new($self->{from})->can_read($end - time) or croak 'the browser does not answer';
        sysread($self->{from}, $self->{input}, 65536, length $self->{input}) or croak 'the browser ended: ' . $self->log;
    }
    $self->{input} =~ s/\A([^\0]*)\0//;
    return JSON::PP->new->utf8->decode($1);
}

sub log {
    my ($self) = @_;
    open my $file, '<', "$self->{folder}/log" or return '';
    return join '', <$file>;
}

# The value of an expression of JavaScript in the page.
sub js {
    my ($self, $expression) = @_;
    my $result = $self->_call('Runtime.evaluate', expression => $expression, returnByValue => \1, awaitPromise => \1);
    croak "$expression: $result->{exceptionDetails}{exception}{description}" if $result->{exceptionDetails};
    return $result->{result}{value};
}

sub open_page {
    my ($self, $url) = @_;
    my $result = $self->_call('Page.navigate', url => $url);
    croak "$url: $result->{errorText}" if $result->{errorText};
    return $self->wait_until(q{document.readyState == 'complete' && location.href != 'about:blank'});
}

# Until the expression is true; while a page goes and the next one comes there may be none to ask.
sub wait_until {
    my ($self, $expression) = @_;
    my $end = time + SECONDS;
    until (eval { $self->js($expression) }) {
        croak "never: $expression, at " . $self->js('location.href + "\n" + document.body.innerText') if time > $end;
        sleep 0.05;
    }
    return 1;
}

# Does what leaves the page, and waits for the next one to be whole.
sub go {
    my ($self, $action) = @_;
    $self->js('window.isOld = true');
    $self->js("setTimeout(() => { $action }, 0); 1");
    return $self->wait_until(q{!window.isOld && document.readyState == 'complete'});
}

sub fill {
    my ($self, %value) = @_;
    for my $name (sort keys %value) {
        my ($field, $text) = map { JSON::PP->new->ascii->allow_nonref->encode($_) } qq{[name="$name"]}, $value{$name};
        $self->js("document.querySelector($field).value = $text; 1");
    }
    return;
}

sub press  { my ($self, $selector) = @_; return $self->go(q{document.querySelector('} . ($selector // 'form button') . q{').click()}) }
sub back   { return $_[0]->go('history.back()') }
sub reload { my ($self) = @_; $self->js('window.isOld = true'); $self->_call('Page.reload'); return $self->wait_until(q{!window.isOld && document.readyState == 'complete'}) }
sub text   { return $_[0]->js('document.body.innerText') }
sub html   { return $_[0]->js('document.documentElement.outerHTML') }
sub url    { return $_[0]->js('location.href') }

# A PNG.
sub screenshot { return decode_base64($_[0]->_call('Page.captureScreenshot')->{data}) }

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$ || !$self->{pid};
    local ($@, $!, $?);
    delete $self->{session};
    eval { $self->_call('Browser.close'); $self->_next while 1 };    # until it and its children have let go of the pipe
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
