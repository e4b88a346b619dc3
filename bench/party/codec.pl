# codec: the same work as codec.c by what perl programs use: codec.pl FILE
use strict;
use warnings;
use MIME::Base64 qw(encode_base64 decode_base64);
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);

my $TIMES = 20;
open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
read $file, my $octets, 2 << 20;
my $encoded = encode_base64($octets, '');

# As Net::Cmd's datasend does it.
sub content {
    my ($text) = @_;

    $text =~ s/\n/\015\012/g;
    $text =~ s/^\./../mg;
    return $text;
}

sub measure {
    my ($name, $work, $n) = @_;

    $work->();
    my $began = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    $work->() for 1 .. $TIMES;
    printf "%s %.6f\n", $name, (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $began) / $TIMES / $n * 1e9;
    return;
}

measure(content => sub { content($octets) }, length $octets);
measure(encode  => sub { encode_base64($octets, '') }, length $octets);
measure(decode  => sub { decode_base64($encoded) }, length $encoded);
