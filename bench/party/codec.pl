# codec: the same work as codec.c by what perl programs use: codec.pl FILE
use strict;
use warnings;
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::Cmd;
use Symbol qw(gensym);
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);

my $TIMES = 20;
my $PIECE = 65536;
open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
read $file, my $octets, 2 << 20;
my $encoded = encode_base64($octets, '');

# The least that perl can do it with, which is not enough for every text.
sub substitutions {
    my ($text) = @_;

    $text =~ s/\n/\015\012/g;
    $text =~ s/^\./../mg;
    return $text;
}

# Net::Cmd's own, with all that it does but the writing.
{

    package Nowhere;
    our @ISA = ('Net::Cmd');
    sub _is_closed             { return 0 }
    sub debug                  { return 0 }
    sub _syswrite_with_timeout { return 1 }
}

my $nowhere = bless gensym(), 'Nowhere';

sub datasend {
    for (my $at = 0; $at < length $octets; $at += $PIECE) {
        $nowhere->datasend(substr $octets, $at, $PIECE);
    }
    return;
}

# What a program asks before MAIL, for SIZE and BODY.
sub scan {
    return (length($octets) + ($octets =~ tr/\n//), $octets =~ /[\x80-\xff]/ ? 1 : 0, $octets =~ tr/\0//);
}

sub measure {
    my ($name, $work, $n) = @_;

    $work->();
    my $began = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    $work->() for 1 .. $TIMES;
    printf "%s %.6f\n", $name, (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $began) / $TIMES / $n * 1e9;
    return;
}

measure(content       => \&datasend, length $octets);
measure(substitutions => sub { substitutions($octets) }, length $octets);
measure(scan          => \&scan, length $octets);
measure(lines         => sub { encode_base64($octets, "\r\n") }, length $octets);
measure(encode        => sub { encode_base64($octets, '') }, length $octets);
measure(decode        => sub { decode_base64($encoded) }, length $encoded);
