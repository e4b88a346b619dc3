# What happened in a sandbox, written by its processes, read by the program that made it: one file, frames of events.
package Net::SMTP::AuthC::Sandbox::Journal;
use strict;
use warnings;
use Fcntl qw(:flock O_WRONLY O_APPEND O_CREAT O_RDONLY O_RDWR SEEK_SET);
use Storable ();

sub new {
    my ($class, $folder) = @_;
    return bless { folder => $folder, path => "$folder/journal", events => [], offset => 0 }, $class;
}

# Keeps an event until the next flush.
sub note {
    my ($self, %event) = @_;
    push @{ $self->{events} }, \%event;
    return;
}

# The file is opened by each process itself: a lock taken through an inherited handle would exclude nobody.
sub flush {
    my ($self) = @_;
    my $events = $self->{events};
    return unless @$events;
    $self->{events} = [];
    my $frame = pack 'N/a*', Storable::nfreeze($events);
    my $handle = $self->{handle} ||= _open($self->{path}, O_WRONLY | O_APPEND | O_CREAT) or return;
    flock $handle, LOCK_EX;
    syswrite $handle, $frame;
    flock $handle, LOCK_UN;
    return;
}

# The events that came since the last call.
sub news {
    my ($self) = @_;
    return unless (-s $self->{path} || 0) > $self->{offset};
    my $handle = _open($self->{path}, O_RDONLY) or return;
    sysseek $handle, $self->{offset}, SEEK_SET;
    my $octets = '';
    1 while sysread $handle, $octets, 1 << 20, length $octets;
    return $self->_events($octets);
}

# A frame whose end is not written yet waits for the next call.
sub _events {
    my ($self, $octets) = @_;
    my @events;
    my $at = 0;
    while (length($octets) - $at >= 4) {
        my $length = unpack 'N', substr $octets, $at, 4;
        last if length($octets) - $at - 4 < $length;
        push @events, @{ Storable::thaw(substr $octets, $at + 4, $length) };
        $at += 4 + $length;
    }
    $self->{offset} += $at;
    return @events;
}

# Counts an occurrence over all processes of the sandbox: 1 for the first.
sub count {
    my ($self, $index) = @_;
    my $handle = _open("$self->{folder}/counters", O_RDWR | O_CREAT) or return 0;
    flock $handle, LOCK_EX;
    sysseek $handle, $index * 4, SEEK_SET;
    my $got = sysread $handle, my $octets, 4;
    my $count = 1 + ($got ? unpack 'N', $octets : 0);
    sysseek $handle, $index * 4, SEEK_SET;
    syswrite $handle, pack 'N', $count;
    return $count;
}

sub _open {
    my ($path, $mode) = @_;
    sysopen my $handle, $path, $mode, 0600 or return;
    return $handle;
}

1;
