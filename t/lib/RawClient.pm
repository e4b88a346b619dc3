# A client for tests that sends exactly the octets it is given and reads whole replies, five seconds at most.
package RawClient;
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time);

sub connect {
    my ($class, $port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "cannot connect: $!";
    return bless { socket => $socket, buffer => '' }, $class;
}

# Connected, greeted, EHLO said.
sub ready {
    my ($class, $port) = @_;
    my $self = $class->connect($port);
    $self->reply;
    $self->say('EHLO client.example.test');
    return $self;
}

sub socket { return $_[0]{socket} }

sub send {
    my ($self, $octets) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $octets) {
        my $count = syswrite $self->{socket}, $octets;
        return 0 unless defined $count;
        substr $octets, 0, $count, '';
    }
    return 1;
}

# One command, its whole reply.
sub say {
    my ($self, $line) = @_;
    $self->send("$line\r\n");
    return $self->reply;
}

# The next reply, '' when the connection ended before it.
sub reply {
    my ($self) = @_;
    while (1) {
        return $1 if $self->{buffer} =~ s/\A((?:[0-9]{3}-[^\n]*\n)*[0-9]{3}(?: [^\n]*)?\n)//;
        return '' unless $self->_more;
    }
}

# Everything up to the end of the connection, or of the time.
sub rest {
    my ($self, $seconds) = @_;
    1 while $self->_more($seconds);
    return substr $self->{buffer}, 0, length $self->{buffer}, '';
}

# The reason why reading ended: 'end', 'timeout' or the text of errno.
sub why { return $_[0]{why} }

sub _more {
    my ($self, $seconds) = @_;
    my $bits = '';
    vec($bits, fileno $self->{socket}, 1) = 1;
    my $ready = select $bits, undef, undef, defined $seconds ? $seconds : 5;
    $self->{why} = 'timeout';
    return 0 unless $ready > 0;
    my $count = sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer};
    $self->{why} = defined $count ? 'end' : "$!";
    return $count;
}

# Rows of t/vectors/$name.tsv as hashes by column name.
sub vectors {
    my ($name) = @_;
    open my $handle, '<:raw', "t/vectors/$name.tsv" or die "t/vectors/$name.tsv: $!";
    my (@columns, @rows);
    while (my $line = <$handle>) {
        $line =~ s/\n\z//;
        @columns = split /\t/, $1 if $line =~ /\A# columns: (.*)/;
        next if $line =~ /\A#/ || $line eq '';
        my @fields = split /\t/, $line, -1;
        push @rows, { map { $columns[$_] => $fields[$_] } 0 .. $#columns };
    }
    return @rows;
}

# "" means no octets, - means none given.
sub octets {
    my ($hex) = @_;
    return undef if $hex eq '-';
    return $hex eq '""' ? '' : pack 'H*', $hex;
}

1;
