# Secret: where a password or token comes from. Never from an option's value: everybody can read those in the list of
# processes.
package Net::SMTP::AuthC::Command::Secret;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Private;

my $WAYS = 'use --password-file, --password-command, --password-fd, --password-env, --password-credential, --netrc '
    . 'or a configuration file, or be asked for it';

my %ask_by = (
    'password-file'       => sub { _first_line($_[0], Net::SMTP::AuthC::Command::Private->read_secret($_[0])) },
    'password-command'    => \&_of_command,
    'password-fd'         => \&_of_descriptor,
    'password-env'        => \&_of_environment,
    'password-credential' => sub { _credential($_[0]) // _fail("--password-credential: there is no $_[0]") },
    'netrc'               => sub { _of_netrc($_[0], $_[1]) // _fail("$_[0]: nothing in it fits") },
    'ask'                 => sub { _asked($_[1]) },
);

sub _fail { return Net::SMTP::AuthC::Command::Exit->fail(config => $_[0]) }

# Before anything else looks at the arguments. A server's address with a password in it is the same thing.
sub refuse_in {
    my ($class, @arguments) = @_;

    for my $argument (@arguments) {
        last if $argument eq '--';
        my $where = $argument =~ /\A(--?(?:pass(?:word|wd|phrase|code)?|pw|pwd|secret|(?:oauth-?)?token|auth-?pass
            (?:word)?|key-?password))(?:=|\z)/xi ? $1
            : $argument =~ m{\A(?:--?[\w-]+=)?[a-z+]+://[^/?#@]*:[^/]*@}i ? 'a password in the server\'s address' : next;
        Net::SMTP::AuthC::Command::Exit->fail(usage => "$where: secrets are not taken from the command line, where "
            . "everybody on this machine can read them in the list of processes, and the shell keeps them; $WAYS");
    }
    return;
}

# $option: the options; $about: host, user, and name of the account, and the configuration's password and passwordeval
# as subs. Undef where there is none.
sub find {
    my ($class, $option, $about) = @_;

    my @given = grep { defined $option->{$_} } sort keys %ask_by;
    Net::SMTP::AuthC::Command::Exit->fail(usage => join(' and ', map { "--$_" } @given) . ': give one of them')
        if @given > 1;
    return $ask_by{ $given[0] }->($option->{ $given[0] }, $about) if @given;
    return if !defined $about->{user};
    for my $ask (@{ $about->{configured} || [] }, \&_of_system, \&_of_home) {
        my $secret = $ask->($about);
        return $secret if defined $secret;
    }
    return _can_ask() ? _asked($about) : undef;
}

sub ways { return $WAYS }

# ---- one by one ----

sub _first_line {
    my ($where, $text) = @_;

    my ($line) = split /\r?\n/, $text, 2;
    return length($line // '') ? $line : _fail("$where: there is no password in it");
}

sub _of_command {
    my ($command) = @_;

    require Net::SMTP::AuthC::Command::Run;
    return Net::SMTP::AuthC::Command::Run->first_line('--password-command', $command);
}

sub _of_descriptor {
    my ($number) = @_;

    _fail("--password-fd: $number is no descriptor") if $number !~ /\A[0-9]{1,4}\z/;
    open my $handle, '<&=', $number or _fail("--password-fd $number: $!");
    return _first_line("descriptor $number", Net::SMTP::AuthC::Command::Private->slurp($handle, "descriptor $number"));
}

# Programs that are started from here are not to have it.
sub _of_environment {
    my ($name) = @_;

    my $secret = delete $ENV{$name};
    return length($secret // '') ? $secret : _fail("--password-env: $name is not set");
}

# What systemd gives a service: a folder for it alone, so modes and owners there are its affair.
sub _credential {
    my ($name) = @_;

    my $folder = $ENV{CREDENTIALS_DIRECTORY} // '';
    return if $folder !~ m{\A/} || $name =~ m{/|\A\.} || !-f "$folder/$name";
    my $handle = Net::SMTP::AuthC::Command::Private->open("$folder/$name");
    return _first_line("credential $name", Net::SMTP::AuthC::Command::Private->slurp($handle, "credential $name"));
}

sub _of_system {
    my ($about) = @_;

    my @names = ((map { "smtpauthc.$_" } grep { defined } $about->{account}), 'smtpauthc');
    for my $name (@names) {
        my $secret = _credential($name);
        return $secret if defined $secret;
    }
    return;
}

sub _of_home {
    my ($about) = @_;

    my $path = ($ENV{HOME} // '') . '/.netrc';
    return $path =~ m{\A/.} && -f $path ? _of_netrc($path, $about) : undef;
}

sub _of_netrc {
    my ($path, $about) = @_;

    $path = ($ENV{HOME} // '') . '/.netrc' if $path eq '';
    require Net::SMTP::AuthC::Command::Netrc;
    my $text  = Net::SMTP::AuthC::Command::Private->read_secret($path);
    my $entry = Net::SMTP::AuthC::Command::Netrc->entry($text, @$about{qw(host user)}) or return;
    $about->{user} //= $entry->{login};
    return $entry->{password};
}

# ---- the terminal ----

sub _can_ask { return open(my $terminal, '+<', '/dev/tty') ? 1 : 0 }

sub _asked {
    my ($about) = @_;

    open my $terminal, '+<', '/dev/tty' or _fail("there is no terminal to ask for the password: $!");
    my $shown = join ' at ', grep { defined } @$about{qw(user host)};
    my $line  = _without_echo($terminal, 'Password for ' . $shown =~ s/[^\x20-\x7e]/?/gr . ': ');
    _fail('no password was typed') if !defined $line || $line =~ /\A\r?\n?\z/;
    return $line =~ s/\r?\n\z//r;
}

# The echo comes back whatever ends the waiting.
sub _without_echo {
    my ($terminal, $prompt) = @_;

    require POSIX;
    my $mode  = POSIX::Termios->new;
    $mode->getattr(fileno $terminal);
    my $before = $mode->getlflag;
    my $set = sub { $mode->setlflag($_[0]); $mode->setattr(fileno $terminal, POSIX::TCSAFLUSH()) };
    local @SIG{qw(INT TERM HUP QUIT)} = (sub { $set->($before); POSIX::_exit(130) }) x 4;
    $set->($before & ~POSIX::ECHO());
    syswrite $terminal, $prompt;
    my $line = readline $terminal;
    $set->($before);
    syswrite $terminal, "\n";
    return $line;
}

1;
