# run: speed and memory beside others', as ratios from runs in turn: perl bench/run.pl [--rounds N] [SUBJECT ...]
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Getopt::Long qw(GetOptions);

my $folder;
BEGIN {
    $folder = dirname(abs_path(__FILE__));
    die "Build first: perl Makefile.PL && make\n" if !-d "$folder/../blib/arch";
}
use lib "$folder/lib", map { dirname($folder) . "/blib/$_" } qw(lib arch);
use Bench;

my @all = qw(loading script distance stream recipients memory steps codec);
my $rounds = 5;
GetOptions('rounds=i' => \$rounds) && $rounds > 0 && !grep { !-f "$folder/subject/$_.pl" } @ARGV
    or die "perl bench/run.pl [--rounds N] [SUBJECT ...]; subjects: @all\n";

$| = 1;
my $bench = Bench->new(top => dirname($folder), rounds => $rounds);
my @failed;
$bench->introduce;
for my $name (@ARGV ? @ARGV : @all) {
    my $subject = do "$folder/subject/$name.pl" or die $@ || "$name: $!\n";
    next if eval { $subject->($bench); 1 };
    print "\nThe rest of \"$name\" is left out: $@";
    push @failed, $name;
}
exit(@failed ? 1 : 0);
