# Runs the command smtpauthc as a process, as users and programs do: status, output, error output.
package CommandRun;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();

our @EXPORT_OK = qw(smtpauthc run_as write_file account);

# A home of its own, so that nothing of the user's is read.
our $HOME = File::Temp->newdir('authc-home-XXXXXXXX', TMPDIR => 1);

# smtpauthc({stdin => text, env => {...}}, @arguments), the options may be left out.
sub smtpauthc { return run_as('bin/smtpauthc', @_) }

sub run_as {
    my ($program, @arguments) = @_;
    my %how = ref $arguments[0] ? %{ shift @arguments } : ();
    my $folder = File::Temp->newdir('authc-run-XXXXXXXX', TMPDIR => 1);
    write_file("$folder/in", defined $how{stdin} ? $how{stdin} : '');
    defined(my $pid = fork) or die "fork: $!";
    _become($program, $folder, $how{env} || {}, @arguments) if !$pid;
    local $?;
    waitpid $pid, 0;
    return ($? & 127 ? "signal $?" : $? >> 8, map { _read("$folder/$_") } qw(out err));
}

sub _become {
    my ($program, $folder, $env, @arguments) = @_;
    require POSIX;
    open STDIN, '<', "$folder/in" and open STDOUT, '>', "$folder/out" and open STDERR, '>', "$folder/err";
    POSIX::setsid();    # no terminal to ask at
    delete @ENV{qw(CREDENTIALS_DIRECTORY XDG_CONFIG_HOME NO_COLOR)};
    local @ENV{'HOME', keys %$env} = ("$HOME", values %$env);
    { exec { $^X } $^X, (map { "-I$_" } grep { !ref } @INC), $program, @arguments }
    POSIX::_exit(127);
}

# The text of a configuration with one account, for a sandbox.
sub account {
    my ($server, %set) = @_;
    my %all = (host => 'localhost', port => $server->port, from => 'me@x.test', timeout => 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1),
        %set);
    return join '', "account default\n", map { defined $all{$_} ? "$_ $all{$_}\n" : () } sort keys %all;
}

sub write_file {
    my ($path, $text, $mode) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    chmod $mode, $path if defined $mode;
    print {$file} $text;
    close $file or die "$path: $!";
    return $path;
}

sub _read {
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/;
    return scalar(<$file>) // '';
}

1;
