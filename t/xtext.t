# xtext: every row of the table that can be encoded.
# valgrind: no
use 5.014;
use strict;
use warnings;
use Test::More;

use Net::SMTP::AuthC::Options;

open my $table, '<', 't/vectors/xtext.tsv' or die "t/vectors/xtext.tsv: $!";
while (my $row = <$table>) {
    chomp $row;
    my ($id, $hex, $xtext, $verdict, $note) = split /\t/, $row;
    next if $row =~ /\A#/ || $verdict ne 'ok';
    my ($octets, $want) = map { $_ eq '""' ? '' : $_ } $hex, $xtext;
    $want =~ s/\\\\/\\/g;
    is(Net::SMTP::AuthC::Options->xtext(pack 'H*', $octets), $want, "$id: $note");
}
done_testing();
