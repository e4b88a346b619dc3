# Every page of POD is well-formed, and every public method is described where Pod::Coverage can look.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find qw(find);
use Pod::Checker ();
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');
chdir $top or die "$top: $!";

my @pages;
find({no_chdir => 1, wanted => sub { push @pages, $_ if /\.(?:pm|pod)\z/ }}, 'lib');
push @pages, grep { -f } glob('bin/*'), glob('eg/*');

check_page($_)     for sort @pages;
check_coverage($_) for grep { is_public($_) } sort @pages;
done_testing();

# What users call; every other module is an inner room and owes no page.
sub is_public { return $_[0] =~ m{\Alib/Net/SMTP/AuthC(?:/(?:Error|Ledger|Message|Receipt|Sandbox|Transcript))?\.pm\z} }

sub check_page {
    my ($page)  = @_;
    my $checker = Pod::Checker->new(-warnings => 1);
    open my $words, '>', \my $text or die $!;
    $checker->parse_from_file($page, $words);
    my $errors = $checker->num_errors;
    return pass("$page: no POD, and none owed") if $errors < 0 && !is_public($page);
    is($errors, 0, "$page: POD without errors") or diag($text // 'no POD at all');
    my @warnings = grep { /WARNING/ && !/empty section/ } split /\n/, $text // '';   # methods that share a text
    is_deeply(\@warnings, [], "$page: POD without warnings");
}

sub check_coverage {
    my ($page) = @_;
    SKIP: {
        skip 'no Pod::Coverage', 1 if !eval { require Pod::Coverage; 1 };
        my ($package) = $page =~ m{\Alib/(.+)\.pm\z} or return;
        $package =~ s{/}{::}g;
        my @libraries = map { "-I$top/$_" } qw(blib/lib blib/arch lib);
        my @report = qx{$^X @libraries -MPod::Coverage -e '
            my \$coverage = Pod::Coverage->new(package => q($package));
            my \$part = \$coverage->coverage;
            print defined \$part ? "\$part\\n" : "? " . \$coverage->why_unrated . "\\n";
            print map { "\$_\\n" } \$coverage->uncovered if defined \$part' 2>&1};
        chomp @report;
        my $part = shift(@report) // '? it did not run';
        return pass("$package: no method to describe") if $part =~ /no public symbols/;
        return fail("$package: $part") if $part !~ /\A[0-9.]+\z/;
        is("@report", '', "$package: every public method is described");
    }
}
