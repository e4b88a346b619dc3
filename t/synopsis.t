# Every SYNOPSIS is Perl that compiles, with the names that a reader has in his own script.
# valgrind: no
use 5.014;
use strict;
use warnings;
use File::Find;
use Net::SMTP::AuthC;
use Test::More;

my @pages;
find({no_chdir => 1, wanted => sub { push @pages, $_ if /\.(?:pm|pod)\z/ }}, 'lib');

for my $page (sort @pages) {
    my $code = synopsis($page) // next;
    if (my ($missing) = grep { !eval "require $_; 1" } $code =~ /^\s*use ([A-Z][\w:]+)/mg) {
        note("$page: $missing is not here");
        next;
    }
    local $SIG{__WARN__} = sub { };
    ok(eval "package Reader; no strict; sub { $code\n}", $page) or diag($@);
}
done_testing();

# The code of the section, without the lines that are a shell's.
sub synopsis {
    my ($page) = @_;
    my ($code, $here) = ('', 0);
    open my $in, '<', $page or die "$page: $!";
    local $/ = '';
    while (my $paragraph = <$in>) {
        $here = $paragraph =~ /\A=head1 SYNOPSIS/ if $paragraph =~ /\A=head1/;
        next if !$here || $paragraph !~ /\A[ \t]/ || $paragraph =~ /\A\s+\w+:\n/;    # or YAML
        $code .= $paragraph =~ s/^\s*(?:(?:perl|smtpauthc|curl|sh|export) |[A-Z]\w+=).*//gmr;
    }
    return length $code ? $code : undef;
}
