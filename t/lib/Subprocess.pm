# Runs Perl code in a perl of its own: what it printed, what it complained of, and its status.
package Subprocess;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();

our @EXPORT_OK = qw(run_perl);

# run_perl($code, @arguments), options of perl first as [...]. Returns (status of waitpid, standard output, error output).
sub run_perl {
    my @switches = ref $_[0] ? @{ shift() } : ();
    my ($code, @arguments) = @_;
    my $folder = File::Temp->newdir('authc-test-XXXXXXXX', TMPDIR => 1);
    _write("$folder/program.pl", $code);
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$folder/out" and open STDERR, '>', "$folder/err" and open STDIN, '<', '/dev/null';
        require POSIX;
        { exec { $^X } $^X, @switches, (map { "-I$_" } grep { !ref } @INC), "$folder/program.pl", @arguments }
        POSIX::_exit(127);
    }
    local $?;
    waitpid $pid, 0;
    return ($?, _read("$folder/out"), _read("$folder/err"));
}

sub _write {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

sub _read {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/;
    return scalar(<$file>) // '';
}

1;
