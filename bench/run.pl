# run: speed and memory beside others', as ratios: perl bench/run.pl [--rounds N] [--tiny] [SUBJECT ...]
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

my @all = qw(loading script stream large sessions recipients distance memory steps codec);
my ($rounds, $tiny) = (5, 0);
GetOptions('rounds=i' => \$rounds, tiny => \$tiny) && $rounds > 0 && !grep { !-f "$folder/subject/$_.pl" } @ARGV
    or die "perl bench/run.pl [--rounds N] [--tiny] [SUBJECT ...]; subjects: @all\n";

$| = 1;
my $bench = Bench->new(top => dirname($folder), rounds => $rounds, tiny => $tiny);
my @failed;
$bench->introduce;
for my $name (@ARGV ? @ARGV : @all) {
    my $subject = do "$folder/subject/$name.pl" or die $@ || "$name: $!\n";
    $bench->begin($name);
    next if eval { $subject->($bench); 1 };
    print "\nThe rest of \"$name\" is left out: $@";
    push @failed, $name;
}
$bench->goals->print if !$tiny;    # of such small numbers nothing is to be learned
exit(@failed || $bench->is_lacking ? 1 : 0);
