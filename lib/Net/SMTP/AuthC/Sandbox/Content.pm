# Takes message content off the wire into a file: after DATA up to CRLF.CRLF and nothing else, after BDAT by count.
package Net::SMTP::AuthC::Sandbox::Content;
use strict;
use warnings;

# limit: more octets than that are read and forgotten.
sub new {
    my ($class, $path, $limit) = @_;
    open my $handle, '>:raw', $path or die "cannot write $path: $!";
    return bless { handle => $handle, path => $path, limit => $limit, size => 0 }, $class;
}

sub path { return $_[0]{path} }
sub size { return $_[0]{size} }

# More than the limit, or more than the disk takes.
sub too_big {
    my ($self) = @_;
    return $self->{failed} || $self->{limit} && $self->{size} > $self->{limit};
}

sub finish {
    my ($self) = @_;
    $self->{failed} = 1 unless close $self->{handle};
    return;
}

sub drop {
    my ($self) = @_;
    close $self->{handle};
    unlink $self->{path};
    return;
}

# The end is CRLF.CRLF, whose first CRLF may be that of the DATA line. $watch->($octets so far) runs before each read
# and tells how many octets that may take.
sub read_data {
    my ($self, $stream, $watch) = @_;
    my $seen = "\r\n";
    while (1) {
        my $octets = $stream->read($watch->($self->{size}));
        my $at = index $seen . $octets, "\r\n.\r\n";
        if ($at >= 0) {
            my $used = $at + 5 - length $seen;
            $stream->unread(substr $octets, $used);
            return $self->_save(substr $octets, 0, $used);
        }
        $self->_save($octets);
        $seen = substr $seen . $octets, -4;
    }
}

sub read_chunk {
    my ($self, $stream, $count, $watch) = @_;
    while ($count > 0) {
        my $room = $watch->($self->{size});
        my $octets = $stream->read($count < $room ? $count : $room);
        $count -= length $octets;
        $self->_save($octets);
    }
    return;
}

sub _save {
    my ($self, $octets) = @_;
    $self->{size} += length $octets;
    return if $self->too_big;
    print { $self->{handle} } $octets or $self->{failed} = 1;
    return;
}

1;
