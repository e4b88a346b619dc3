# Builds the C core without Perl, with the compiler that perl was built with, and runs the core's own tests.
use strict;
use warnings;
use Config;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;

use constant SECONDS_EACH => 300;

my $top    = abs_path(dirname(__FILE__) . '/..');
my $folder = tempdir(CLEANUP => 1);
local $ENV{SMTPC_TEST_TOP} = $top;
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};   # those of a "make test" around us

my $make = gnu_make();
plan skip_all => 'no GNU make'                                  if !defined $make;
plan skip_all => "no compiler: $Config{cc} could not be run"    if system("$Config{cc} --version >/dev/null 2>&1") != 0;

my @tests = map { basename($_, '.c') } glob "$top/t/core/test_*.c";
my $words = build();
is($?, 0, 'the core and its tests are built') or diag($words), done_testing(), exit;
cmp_ok(scalar @tests, '>', 0, 'there are tests');
subtest $_ => \&run_test, $_ for @tests;
done_testing();

sub gnu_make {
    for my $name ($ENV{MAKE} // (), $Config{gmake} || (), $Config{make}, 'gmake', 'make') {
        my $words = `$name --version 2>&1`;
        return $name if defined $words && $words =~ /\AGNU Make/;
    }
    return undef;
}

# Warnings are an error for those who work on the core (dev/test --all), not for those who install it.
sub build {
    my @where = $ENV{OPENSSL_PREFIX} ? () : map { pkg_config(@$_) } ['SSL_INC', '--cflags'], ['SSL_LIB', '--libs'];
    my $words = join ' ', map { "'$_'" } '-j2', '-C', "$top/c_src", "CC=$Config{cc}", "BUILD=$folder", 'WARN=', @where;
    return scalar `$make $words all 2>&1`;
}

sub pkg_config {
    my ($name, $what) = @_;
    my $words = `pkg-config $what openssl 2>/dev/null`;
    return () if $? != 0 || !defined $words;
    chomp $words;
    return "$name=$words";
}

# Says a test's TAP again, line by line, and adds its exit status and its plan.
sub run_test {
    my ($name) = @_;
    my ($count, $plan) = (0, undef);
    my $pid = open my $from, '-|', "$folder/t/$name" or return fail("$name starts: $!");
    local $SIG{ALRM} = sub { kill KILL => $pid; diag("$name: killed after " . SECONDS_EACH . ' seconds') };
    alarm SECONDS_EACH;
    while (my $line = <$from>) {
        chomp $line;
        if    ($line =~ /\A(not )?ok \d+ - (.*)/s)      { $count++; ok(!$1, "$name: $2") }
        elsif ($line =~ /\A1\.\.(\d+)/)                 { $plan = $1 }
        elsif ($line =~ s/\A# ?//)                      { diag($line) }
    }
    close $from;
    my $status = $?;
    alarm 0;
    is($status, 0, 'exit status');
    is($count, $plan, 'as many tests as planned');
}
