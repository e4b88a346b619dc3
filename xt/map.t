# map: the map in CONTRIBUTING.md is that of the tree.
use 5.014;
use strict;
use warnings;
use FindBin;
use Test::More tests => 1;

my $said = qx{"$^X" "$FindBin::Bin/../dev/map" --check 2>&1};
is $said, '', 'perl dev/map would change nothing';
