# Octets: what an attachment holds, from a file, a string or a handle: their number beforehand, and they themselves as
# often as they are asked for.
package Net::SMTP::AuthC::Message::Octets;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $PIECE = 57 * 1024;    # what comes to whole lines of base64

my %way = (
    file   => [\&_of_file,   \&_file_reader],
    data   => [\&_of_data,   \&_data_reader],
    handle => [\&_of_handle, \&_handle_reader],
);

# One of file, data and handle is in what is given; argument is what an error calls it.
sub new {
    my ($class, $argument, $given) = @_;

    my @from = grep { defined $given->{$_} } sort keys %way;
    my $self = bless {argument => $argument, from => $from[0]}, $class;
    $self->_refuse(': one of file, data and handle is needed') if @from != 1;
    $way{ $from[0] }[0]->($self, $given->{ $from[0] });
    return $self;
}

sub size { return $_[0]{size} }

# A code ref that returns piece after piece, and undef at the end. It dies when there are fewer octets than there
# were, or more.
sub reader {
    my ($self) = @_;

    my ($next, $done) = ($way{ $self->{from} }[1]->($self), 0);
    return sub {
        my $piece = $next->($done);
        $done += length $piece;
        $self->_die_changed if length $piece < $PIECE ? $done != $self->{size} : $done > $self->{size};
        return length $piece ? $piece : undef;
    };
}

# Dies when it is known already that the reader would.
sub check {
    my ($self) = @_;

    $self->_open_file if $self->{from} eq 'file';
    $self->_die(': the handle was closed') if $self->{handle} && !defined fileno $self->{handle};
    return;
}

sub _refuse { return Net::SMTP::AuthC::Error->usage("$_[0]{argument}$_[1]", $_[2]) }

sub _die { die "$_[0]{argument}$_[1]\n" }

sub _die_changed { return $_[0]->_die(": there are no longer the $_[0]{size} octets of when the message was made") }

# ---- strings ----

sub _of_data {
    my ($self, $data) = @_;

    my $octets = ref $data eq 'SCALAR' ? $$data : $data;
    $self->_refuse(' data must be octets, or a reference to them')
        if !defined $octets || ref $octets && !overload::Method($octets, '""');
    $octets = "$octets";
    $self->_refuse(' data: a character above 255', q{encode it first, e.g. Encode::encode('UTF-8', ...)})
        if utf8::is_utf8($octets) && !utf8::downgrade($octets, 1);
    @$self{qw(octets size)} = ($octets, length $octets);
    return;
}

sub _data_reader {
    my ($self) = @_;

    return sub { return substr $self->{octets}, $_[0], $PIECE };
}

# ---- files ----

# What says that it is empty may be a pipe, or a file that the system makes up.
sub _of_file {
    my ($self, $file) = @_;

    $self->{file} = "$file";
    open my $opened, '<:raw', $self->{file} or $self->_refuse(": $self->{file} cannot be opened: $!");
    $self->{size} = -s $opened;
    $self->_keep_copy($opened) if !-f $opened || !$self->{size};
    return;
}

sub _open_file {
    my ($self) = @_;

    open my $opened, '<:raw', $self->{file} or $self->_die(": $self->{file} cannot be opened: $!");
    $self->_die_changed if -s $opened != $self->{size};
    return $opened;
}

sub _file_reader {
    my ($self) = @_;

    my $opened;
    return sub {
        $opened //= $self->_open_file;
        my $piece = '';
        while (length $piece < $PIECE) {
            my $n = sysread $opened, $piece, $PIECE - length $piece, length $piece;
            $self->_die(": $self->{file} cannot be read: $!") if !defined $n;
            last if !$n;
        }
        return $piece;
    };
}

# ---- handles ----

# From where it stands to its end. One of which that cannot be known, or asked twice, is copied.
sub _of_handle {
    my ($self, $handle) = @_;

    require Scalar::Util;
    my $is_handle = ref $handle || ref \$handle eq 'GLOB';
    $self->_refuse(': the handle is not open') if !$is_handle || !defined Scalar::Util::openhandle($handle);
    my @layers = tied *$handle ? 'tied' : PerlIO::get_layers($handle);
    $self->_refuse(': the handle decodes what it reads, so the octets are lost',
        q{open it with '<:raw', or call binmode}) if grep { /\A(?:utf8|encoding)/ } @layers;
    return $self->_keep_copy($handle) if grep({ !/\A(?:unix|perlio|stdio)\z/ } @layers) || !-f $handle || !-s _;
    $self->_keep_handle($handle, tell $handle);
    return;
}

sub _keep_handle {
    my ($self, $handle, $start) = @_;

    @$self{qw(from handle start)} = ('handle', $handle, $start);
    seek $handle, 0, 2;
    $self->{size} = tell($handle) - $start;
    seek $handle, $start, 0;
    $self->{size} = 0 if $self->{size} < 0;
    return;
}

sub _keep_copy {
    my ($self, $handle) = @_;

    open my $copy, '+>', undef or $self->_refuse(": no temporary file: $!");
    binmode $copy;
    while (length(my $piece = _read($handle) // $self->_refuse(": cannot be read: $!"))) {
        $self->_refuse(': a character above 255', 'it must give octets')
            if utf8::is_utf8($piece) && !utf8::downgrade($piece, 1);
        print {$copy} $piece or $self->_refuse(": the temporary file cannot be written: $!");
    }
    $self->_refuse(": the temporary file cannot be written: $!") if !seek $copy, 0, 0;
    return $self->_keep_handle($copy, 0);
}

# '' at the end, undef when that failed.
sub _read {
    my ($handle) = @_;

    my $tied = tied *$handle;
    local $/ = \$PIECE;
    return readline($handle) // '' if $tied && !$tied->can('READ');
    my $piece;
    return defined read($handle, $piece, $PIECE) ? $piece : undef;
}

# Others may read it, too, so each piece is looked for anew.
sub _handle_reader {
    my ($self) = @_;

    return sub {
        my ($done) = @_;
        my ($handle, $piece) = $self->{handle};
        return $piece if seek($handle, $self->{start} + $done, 0) && defined read $handle, $piece, $PIECE;
        return $self->_die(": the handle cannot be read: $!");
    };
}

1;
