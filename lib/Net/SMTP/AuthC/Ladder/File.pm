# File: what is known of servers, kept in a file: lines of server, rung and time, replaced as a whole.
package Net::SMTP::AuthC::Ladder::File;

use 5.014;
use strict;
use warnings;

use Fcntl qw(O_CREAT O_EXCL O_WRONLY);

my $FIRST    = "net-smtp-authc ladder 1\n";
my $SIZE_MAX = 1_000_000;

# A hash of server => [rung, when]; empty where there is no such file, or one that is not ours.
sub read {
    my ($class, $path) = @_;

    open my $file, '<:raw', $path or return {};
    my $size = -f $file ? -s _ : $SIZE_MAX;
    my $text = $size && $size < $SIZE_MAX ? do { local $/; readline $file } : undef;
    return {} if !defined $text || substr($text, 0, length $FIRST, '') ne $FIRST;
    my %known = map { /\A(\S+) ([0-3]) ([0-9]{1,11})\z/ && $3 <= time ? ($1 => [$2, $3]) : return {} } split /\n/, $text;
    return \%known;
}

# What others have written meanwhile stays. A file that cannot be written is no reason not to send mail.
sub add {
    my ($class, $path, $new, $lifetime, $most) = @_;

    my %known = (%{ $class->read($path) }, %$new);
    my @good  = sort { $known{$b}[1] <=> $known{$a}[1] }
        grep { !/\s/ && time - $known{$_}[1] <= $lifetime } keys %known;
    splice @good, $most if @good > $most;
    local $@;
    return eval { _replace($path, join '', $FIRST, map { "$_ $known{$_}[0] $known{$_}[1]\n" } @good) };
}

sub _replace {
    my ($path, $text) = @_;

    my $other = "$path.$$";
    unlink $other;
    sysopen my $file, $other, O_CREAT | O_EXCL | O_WRONLY, 0600 or return 0;
    binmode $file;
    return 1 if print({$file} $text) && close($file) && rename $other, $path;
    unlink $other;
    return 0;
}

1;
