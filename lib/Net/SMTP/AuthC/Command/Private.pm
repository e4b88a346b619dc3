# Private: reads files that may hold secrets, and refuses those that others can read or change.
package Net::SMTP::AuthC::Command::Private;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;

my $MOST = 1024 * 1024;

# What others may do with an open file: 'change', 'read', or ''. Root's files may be read by a group that root chose.
sub open_to {
    my ($class, $handle) = @_;

    my ($mode, $owner) = (stat $handle)[2, 4];
    return 'change' if $class->is_foreign($handle) || $mode & 0020;
    return $mode & ($owner == 0 && $> != 0 ? 0004 : 0044) ? 'read' : '';
}

# Somebody else's, or everybody's to write into.
sub is_foreign {
    my ($class, $handle) = @_;

    my ($mode, $owner) = (stat $handle)[2, 4];
    return $owner != $> && $owner != 0 || $mode & 0002 ? 1 : 0;
}

# The whole text of a file that nobody else can read.
sub read_secret {
    my ($class, $path) = @_;

    my $handle = $class->open($path);
    my $open   = $class->open_to($handle);
    _fail("$path: others can $open it; chmod 600 keeps them out") if $open;
    return $class->slurp($handle, $path);
}

sub open {
    my ($class, $path) = @_;

    CORE::open(my $handle, '<:raw', $path) or _fail("$path: $!");
    _fail("$path: that is a folder") if -d $handle;
    return $handle;
}

sub slurp {
    my ($class, $handle, $path) = @_;

    my $text = '';
    while (1) {
        my $n = read $handle, $text, 65536, length $text;
        _fail("$path: $!") if !defined $n;
        last if !$n;
        _fail("$path: more than $MOST octets") if length $text > $MOST;
    }
    return $text;
}

sub _fail { return Net::SMTP::AuthC::Command::Exit->fail(config => $_[0]) }

1;
