# The recipes compile as they stand, and name no option and no method that does not exist.
# valgrind: no
use 5.014;
use strict;
use warnings;
use Net::SMTP::AuthC;
use Test::More;

my $book = 'lib/Net/SMTP/AuthC/Cookbook.pod';
my $names = 'my ($secret, $receipt, $smtp); ' . join ' ', map { "sub $_;" } qw(secret_from token_from next_address letter_for
    forget strike_off ask_a_human try_later);

open my $in, '<', $book or die "$book: $!";
my ($section, @recipes) = ('');
{
    local $/ = '';
    while (my $paragraph = <$in>) {
        $section = $1 if $paragraph =~ /\A=head2 (.*)/;
        push @recipes, [$section, $paragraph] if $paragraph =~ /\A    /;
    }
}

# What a recipe calls is only looked at: each call dies where it would begin to talk.
my @called;
{
    no warnings 'redefine';
    Net::SMTP::AuthC->can('connect') && eval { Net::SMTP::AuthC->connect('') };
    *Net::SMTP::AuthC::_connect_to = sub { push @called, "connect to $_[1]{name}"; die "enough\n" };
}

for my $recipe (@recipes) {
    my ($name, $code) = @$recipe;
    my $sub = eval "no strict 'refs'; use strict; no warnings 'redefine', 'shadow'; $names sub { $code }";
    ok($sub, "$name: compiles") or diag($@), next;
    next if $code =~ /submit_all|recipients/;
    no warnings qw(redefine once);
    local *main::secret_from = sub { 'secret' };
    local *main::token_from  = sub { 'token' };
    @called = ();
    eval "$names \$secret = 'x'; no warnings 'shadow'; $code; 1";
    my $error = $@;
    $error = '' if $error =~ /invoice|1001\.pdf|ledger/;    # what this machine has not
    ok(@called || !length $error, "$name: its options are known") or diag($error);
}
cmp_ok(scalar @recipes, '>', 10, 'there are recipes');
done_testing();
