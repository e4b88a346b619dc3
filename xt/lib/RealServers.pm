# RealServers: what each real mail server of the tests needs: a private folder, ports, certificates, mail, an end.
package RealServers;
use strict;
use warnings;
use sigtrap qw(die normal-signals);   # so that objects end their servers then too
use Carp qw(croak);
use File::Spec ();
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    USER      => 'alice',
    PASSWORD  => 'secret',
    ODD_USER  => "b=o,b \xc3\xbc",             # what SCRAM must escape, a blank, and UTF-8
    ODD_PASSWORD => "gr\xc3\xbc\xc3\x9fe, =2C",
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

# Starts the server and waits until it greets. Dies with the server's own words when it does not. The options are the
# class's own.
sub start {
    my ($class, %option) = @_;
    my $folder = tempdir('smtpc-XXXXXXXX', DIR => $class->parent_folder, CLEANUP => 1);
    chmod 0711, $folder or croak "$folder: $!";   # the servers' own users must be able to pass through
    my $self  = bless {folder => $folder, option => \%option, owner => $$, pids => [], taken => {}}, $class;
    my @names = (qw(tls starttls), $class->more_ports);
    @{$self->{port}}{@names} = free_ports(scalar @names);
    $self->make_certificates;
    $self->set_up;
    $self->run;
    $self->await_greeting;
    return $self;
}

sub folder  { return $_[0]{folder} }
sub path    { return "$_[0]{folder}/$_[1]" }
sub ca_file { return $_[0]->path('ca.pem') }

# port('tls') speaks TLS at once, port('starttls') after STARTTLS; some classes have more.
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

sub parent_folder { return File::Spec->tmpdir }
sub more_ports    { return }

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

# A CA: ca.pem. Signed by it: cert.pem, key.pem for localhost and 127.0.0.1; client.pem, client-key.pem for the user.
sub make_certificates {
    my ($self) = @_;
    $self->run_command(qw(openssl req -x509), new_key(), qw(-days 2 -subj), '/CN=RealServers CA',
        '-keyout', $self->path('ca-key.pem'), '-out', $self->path('ca.pem'));
    $self->sign('localhost', 'key.pem', 'cert.pem', 'DNS:localhost,IP:127.0.0.1');
    $self->sign(USER, 'client-key.pem', 'client.pem', 'email:' . USER . '@example.test');
}

sub new_key { return qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes) }

sub sign {
    my ($self, $common_name, $key, $certificate, $names) = @_;
    write_file($self->path('names'), "subjectAltName=$names\nbasicConstraints=CA:FALSE\n");
    $self->run_command(qw(openssl req -new), new_key(), '-subj', "/CN=$common_name",
        '-keyout', $self->path($key), '-out', $self->path('request.pem'));
    $self->run_command(qw(openssl x509 -req -days 2 -CAcreateserial), '-in', $self->path('request.pem'),
        '-CA', $self->path('ca.pem'), '-CAkey', $self->path('ca-key.pem'), '-extfile', $self->path('names'),
        '-out', $self->path($certificate));
}

# The CA's register with cert.pem in it, as the openssl command reads it; returns its path.
sub register {
    my ($self, $is_revoked) = @_;
    my $serial = `openssl x509 -noout -serial -in '${\$self->path('cert.pem')}'` =~ /=(\w+)/ ? $1 : croak 'no serial';
    my @state  = $is_revoked ? ('R', '491231235959Z', '200101000000Z') : ('V', '491231235959Z', '');
    write_file($self->path('register'), join("\t", @state, $serial, 'unknown', '/CN=localhost') . "\n");
    write_file($self->path('register.attr'), "unique_subject = no\n");
    return $self->path('register');
}

# The accounts as Dovecot reads them: name:password, a line each.
sub password_file { return join '', map { "$_->[0]:{PLAIN}$_->[1]\n" } accounts() }
sub accounts      { return ([USER, PASSWORD], [ODD_USER, ODD_PASSWORD]) }

# Whether Cyrus SASL can check logins here: its programs, and SCRAM among its mechanisms.
sub has_cyrus {
    my ($class) = @_;
    return 0 if !defined $class->find('saslpasswd2');
    return scalar grep { -e "$_/libscram.so" } glob '/usr/lib/sasl2 /usr/lib/*/sasl2';
}

sub sasl_folder { return 'sasl' }

# Cyrus SASL's configuration for the program, with the accounts, whose passwords lie there in clear so that every
# mechanism can be had.
sub make_sasldb {
    my ($self, $program, $uid, $gid) = @_;
    my $folder   = $self->path($self->sasl_folder);
    my $database = "$folder/sasldb2";
    make_folder($folder);
    write_file("$folder/$program.conf", <<"CONF", 0644);
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $database
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 ANONYMOUS
CONF
    for my $account (accounts()) {
        write_file($self->path('password'), $account->[1]);
        $self->run_command('sh', '-c', '"$1" -p -c -f "$2" -u localhost "$3" <"$4"', 'sh', $self->find('saslpasswd2'),
            $database, $account->[0], $self->path('password'));
    }
    chown $uid, $gid, $database or croak "$database: $!";
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
