# WebServer: a private Apache on the loopback for tests, with the library that is tested and a folder of its own.
package WebServer;
use strict;
use warnings;
use sigtrap qw(die normal-signals);   # so that objects end their servers then too
use Carp qw(croak);
use Config;
use Cwd qw(abs_path);
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my $MODULES = '/usr/lib/apache2/modules';
my $USER    = 'www-data';

# The reason why it cannot be run here, or undef.
sub missing {
    my ($class, @modules) = @_;
    return 'no apache2' if !defined program();
    my ($lacks) = grep { !-e "$MODULES/mod_$_.so" } 'mpm_prefork', @modules;
    return "no mod_$lacks of apache2" if defined $lacks;
    return $> == 0 && !defined getpwnam $USER ? "no user $USER" : undef;
}

sub program { return (grep { -x } map { "$_/apache2" } split(/:/, $ENV{PATH}), '/usr/sbin')[0] }

# set_up: called with the server, copies files to its folder and returns lines of configuration.
sub start {
    my ($class, %option) = @_;
    my $self = bless {folder => File::Temp->newdir('smtpc-web-XXXXXXXX', TMPDIR => 1), owner => $$}, $class;
    chmod 0711, $self->{folder} or croak "$self->{folder}: $!";
    $self->_copy_library;
    $self->{port} = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    my @own = $option{set_up}->($self);
    my @modules = map { "LoadModule ${_}_module $MODULES/mod_$_.so" } qw(mpm_prefork authz_core env alias),
        @{ $option{modules} };
    write_file($self->path('apache.conf'), join "\n", @modules, <<"CONF", @own, '');
ServerRoot $self->{folder}
ServerName localhost
Listen 127.0.0.1:$self->{port}
PidFile $self->{folder}/pid
DefaultRuntimeDir $self->{folder}
Mutex file:$self->{folder}
ErrorLog $self->{folder}/errors
StartServers 4
@{[$> == 0 ? "User $USER\nGroup $USER" : '']}
SetEnv PERL5LIB $self->{folder}/lib
CONF
    $self->_run;
    return $self;
}

sub folder { return "$_[0]{folder}" }
sub path   { return "$_[0]{folder}/$_[1]" }
sub url    { return "http://localhost:$_[0]{port}" . ($_[1] // '') }

# What was built, where the server's user may read it.
sub _copy_library {
    my ($self) = @_;
    mkdir $self->path('lib') or croak $!;
    my ($pure)   = grep { -e "$_/Net/SMTP/AuthC.pm" } @INC;
    my ($shared) = grep { -e "$_/auto/Net/SMTP/AuthC/AuthC.$Config{dlext}" } @INC;
    $self->copy("$pure/Net", 'lib');
    $self->copy("$shared/auto", 'lib');
    return;
}

sub copy {
    my ($self, $from, $to) = @_;
    system('cp', '-R', abs_path($from), $self->path($to)) == 0 or croak "cp $from";
    system('chmod', '-R', 'u+w,a+rX', $self->path($to)) == 0 or croak 'chmod';
    return;
}

# A folder of the server's user.
sub own_folder {
    my ($self, $name) = @_;
    my $path = $self->path($name);
    mkdir $path, 0700 or croak "$path: $!";
    $self->give_away($path);
    return $path;
}

sub give_away {
    my ($self, $path) = @_;
    chown((getpwnam $USER)[2, 3], $path) or croak "$path: $!" if $> == 0;
    return;
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or croak "$path: $!";
    print {$file} $text;
    close $file or croak "$path: $!";
    return $path;
}

sub _run {
    my ($self) = @_;
    defined($self->{pid} = fork) or croak "fork: $!";
    if (!$self->{pid}) {
        open STDIN, '<', '/dev/null';
        POSIX::setsid();    # at its end Apache ends its whole group
        { exec { program() } 'apache2', '-f', $self->path('apache.conf'), '-DFOREGROUND' }
        POSIX::_exit(127);
    }
    my $end = time + 20;
    until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})) {
        croak 'apache2 does not start: ' . $self->errors if time > $end || waitpid($self->{pid}, POSIX::WNOHANG()) > 0;
        sleep 0.05;
    }
    return;
}

sub errors {
    my ($self) = @_;
    open my $file, '<', $self->path('errors') or return '';
    return join '', <$file>;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$ || !$self->{pid};
    local ($@, $!, $?);
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
