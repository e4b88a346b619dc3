# RealServers: what each real mail server of the tests needs: a private folder, ports, certificates, mail, an end.
package RealServers;
use strict;
use warnings;
use sigtrap qw(die normal-signals);   # so that objects end their servers then too
use Carp qw(croak);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    USER      => 'alice',
    PASSWORD  => 'secret',
    INBOX     => 'inbox@example.test',      # the only recipient that a server takes
    STRANGER  => 'stranger@example.test',   # refused at RCPT
    SENDER    => 'sender@example.test',
    START_SECONDS => 20,
    STOP_SECONDS  => 10,
};

# The reason why this server cannot be run here, or undef. For the classes below: programs() and find().
sub missing {
    my ($class) = @_;
    return 'needs root (' . join(', ', $class->programs) . ' change their user)' if $> != 0;
    for my $name ($class->programs, 'openssl') {
        return "no $name in " . join(':', search_path()) if !defined $class->find($name);
    }
    return undef;
}

# Starts the server and waits until it greets on both ports. Dies with the server's own words when it does not.
sub start {
    my ($class) = @_;
    my $folder = tempdir('smtpc-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0711, $folder or croak "$folder: $!";   # the servers' own users must be able to pass through
    my $self = bless {folder => $folder, owner => $$, pids => [], taken => {}}, $class;
    @{$self->{port}}{qw(tls starttls)} = free_ports(2);
    $self->make_certificates;
    $self->set_up;
    $self->run;
    $self->await_greeting;
    return $self;
}

sub folder  { return $_[0]{folder} }
sub path    { return "$_[0]{folder}/$_[1]" }
sub ca_file { return $_[0]->path('ca.pem') }

# port('tls') speaks TLS at once, port('starttls') after STARTTLS.
sub port { return $_[0]{port}{$_[1]} // croak "no port for $_[1]" }

# The octets of every message that has arrived, as the server wrote them (line ends LF).
sub deliveries {
    my ($self) = @_;
    return map { slurp($_) } sort glob $self->path('mail/inbox/new/*');
}

# The message that holds the mark, from the mark on (in front stands what the server added); undef after the seconds.
sub await {
    my ($self, $mark, $seconds) = @_;
    my $end = time + $seconds;
    while (1) {
        for my $file (grep { !$self->{taken}{$_} } sort glob $self->path('mail/inbox/new/*')) {
            my $octets = slurp($file);
            my $at     = $octets =~ /^\Q$mark\E/m ? $-[0] : next;
            $self->{taken}{$file} = 1;
            return substr $octets, $at;
        }
        return undef if time > $end;
        sleep 0.05;
    }
}

sub count { return scalar(() = glob $_[0]->path('mail/inbox/new/*')) }

# What the server wrote into its logs, for a test that failed.
sub log {
    my ($self) = @_;
    return join '', map { "== $_\n" . slurp($_) } grep { -f && -s } $self->logs;
}

sub stop {
    my ($self) = @_;
    return if $self->{owner} != $$;
    my @pids = ($self->server_pids, splice @{$self->{pids}});
    kill TERM => @pids;
    my $end = time + STOP_SECONDS;
    for my $pid (@pids) {
        while (is_alive($pid)) {
            kill KILL => $pid if time > $end;
            sleep 0.05;
        }
    }
}

sub DESTROY {
    my ($self) = @_;
    local ($@, $!, $?);
    $self->stop;
}

# For the classes below.

# Numbers of ports that were free a moment ago, all different.
sub free_ports {
    my ($count) = @_;
    my @sockets = map {
        IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or croak "no port: $@"
    } 1 .. $count;
    return map { $_->sockport } @sockets;
}

sub search_path { return (split(/:/, $ENV{PATH} // ''), qw(/usr/sbin /usr/local/sbin /usr/lib/dovecot)) }

sub find {
    my ($class, $name) = @_;
    for my $folder (search_path()) {
        return "$folder/$name" if -x "$folder/$name" && -f _;
    }
    return undef;
}

# Keeps the pid of a process to be stopped; what it says goes to the file.
sub spawn {
    my ($self, $file, @command) = @_;
    my $pid = fork // croak "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', $file;
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    push @{$self->{pids}}, $pid;
    return $pid;
}

sub run_command {
    my ($self, @command) = @_;
    my $words = join ' ', map { "'$_'" } @command;
    my $said  = $self->path('command.out');   # no pipe: a daemon would hold it open
    croak "$words: " . slurp($said) . $self->log if system("$words >'$said' 2>&1 </dev/null") != 0;
}

# A CA and a certificate for localhost and 127.0.0.1 that it signed: ca.pem, cert.pem, key.pem.
sub make_certificates {
    my ($self) = @_;
    my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes);
    write_file($self->path('names'), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    $self->run_command(qw(openssl req -x509), @key, qw(-days 2 -subj), '/CN=RealServers CA',
        '-keyout', $self->path('ca-key.pem'), '-out', $self->path('ca.pem'));
    $self->run_command(qw(openssl req -new), @key, qw(-subj /CN=localhost),
        '-keyout', $self->path('key.pem'), '-out', $self->path('request.pem'));
    $self->run_command(qw(openssl x509 -req -days 2 -CAcreateserial), '-in', $self->path('request.pem'),
        '-CA', $self->path('ca.pem'), '-CAkey', $self->path('ca-key.pem'), '-extfile', $self->path('names'),
        '-out', $self->path('cert.pem'));
}

sub await_greeting {
    my ($self) = @_;
    my $end = time + START_SECONDS;
    while (time < $end) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->port('starttls'));
        return if $socket && IO::Select->new($socket)->can_read($end - time) && (<$socket> // '') =~ /\A220/;
        sleep 0.1;
    }
    croak ref($self) . " does not greet\n" . $self->log;
}

sub is_alive {
    my ($pid) = @_;
    waitpid $pid, 1;   # WNOHANG; a child of ours must not stay a zombie
    return kill 0 => $pid;
}

sub slurp {
    my ($path) = @_;
    open my $handle, '<:raw', $path or return '';
    local $/;
    return scalar <$handle> // '';
}

sub write_file {
    my ($path, $text, $mode) = @_;
    open my $handle, '>:raw', $path or croak "$path: $!";
    print {$handle} $text;
    close $handle or croak "$path: $!";
    chmod $mode, $path if defined $mode;
}

sub make_folder {
    my ($path, $user, $mode) = @_;
    mkdir $path or croak "$path: $!";
    chmod $mode, $path if defined $mode;
    return if !defined $user;
    my (undef, undef, $uid, $gid) = getpwnam $user or croak "no user $user";
    chown $uid, $gid, $path or croak "$path: $!";
}

1;
