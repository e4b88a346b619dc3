# bench/: everything in it is built and runs once, small, by the parties that need no foreign software.
# valgrind: no
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $top = dirname(dirname(abs_path(__FILE__)));

my $output = `$^X $top/bench/run.pl --tiny 2>&1`;
is($?, 0, 'bench/run.pl --tiny') or diag $output;
unlike($output, qr/is left out|uninitialized|redefined/, 'every subject ended, and perl has no complaint');
my %rows;
my $title = '';
for (split /\n/, $output) {
    $title = $1 if /^## (.+)/;
    $rows{$title}++ if /^\|/;
}
my @without = grep { ($rows{$_} || 0) < 3 } $output =~ /^## (.+)/mg;
is("@without", '', 'a table under each headline, with a row');
cmp_ok(scalar keys %rows, '>=', 15, 'and there are many');

done_testing;
