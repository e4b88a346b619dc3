# Run: runs a command of the user's for the first line of its output; the mail on standard input is not for it.
package Net::SMTP::AuthC::Command::Run;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;

# $what is how errors call it. The error output stays where it is, so that a program can say what it wants.
sub first_line {
    my ($class, $what, $command) = @_;

    my $text = $class->_output($what, $command);
    my ($line) = split /\r?\n/, $text, 2;
    _fail("$what: the command gave nothing") if !length($line // '');
    return $line;
}

sub _fail { return Net::SMTP::AuthC::Command::Exit->fail(config => $_[0]) }

sub _output {
    my ($class, $what, $command) = @_;

    my $pid = open(my $output, '-|') // _fail("$what: cannot fork: $!");
    _become($command) if !$pid;
    my $text = do { local $/; <$output> };
    return $text // '' if close $output;
    _fail("$what: $!") if $!;
    _fail("$what: the command ended with " . ($? & 127 ? 'signal ' . ($? & 127) : 'status ' . ($? >> 8)));
    return;
}

sub _become {
    my ($command) = @_;

    require POSIX;
    $SIG{PIPE} = 'DEFAULT';
    open STDIN, '<', '/dev/null';
    { no warnings 'exec'; exec {'/bin/sh'} 'sh', '-c', $command }
    POSIX::_exit(127);
    return;
}

1;
