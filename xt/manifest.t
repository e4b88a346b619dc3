# MANIFEST names what the tree holds, and the tree holds what MANIFEST names.
use strict;
use warnings;
use Cwd qw(abs_path);
use ExtUtils::Manifest qw(fullcheck);
use File::Basename qw(dirname);
use Test::More;

chdir abs_path(dirname(__FILE__) . '/..') or die $!;
{ no warnings 'once'; $ExtUtils::Manifest::Quiet = 1 }

ok(-f 'MANIFEST', 'there is a MANIFEST') or done_testing(), exit;
my ($missing, $extra) = fullcheck();
is_deeply($missing, [], 'nothing in MANIFEST is missing');
is_deeply($extra,   [], 'nothing is there that neither MANIFEST nor MANIFEST.SKIP names');
done_testing();
