# noops: as many NOOPs as BENCH_COUNT says, in clear: noops.pl CLASS
use strict;
use warnings;

my ($class) = @ARGV;
eval "require $class; 1" or die $@;
my $smtp = $class->new('localhost', Port => $ENV{BENCH_PORT}) or die $@;
$smtp->command('NOOP')->response == 2 or die $smtp->message for 1 .. ($class eq 'Net::SMTP' ? $ENV{BENCH_COUNT} : 0);
$smtp->noop or die $smtp->message for 1 .. ($class eq 'Net::SMTP' ? 0 : $ENV{BENCH_COUNT});
$smtp->quit;
