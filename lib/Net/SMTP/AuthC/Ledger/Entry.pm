# Entry: the file of one key: locked while its mail is under way, a line for each step, the last whole line counts.
package Net::SMTP::AuthC::Ledger::Entry;

use 5.014;
use strict;
use warnings;

use Digest::SHA ();
use Fcntl qw(:DEFAULT :flock);
use IO::Handle ();
use JSON::PP ();

use Net::SMTP::AuthC::Error;

my $LONGEST_NAP = 0.1;
my $NO_FOLLOW   = eval { O_NOFOLLOW() } // 0;
my $json        = JSON::PP->new->canonical->ascii;

sub new {
    my ($class, $folder, $key) = @_;

    utf8::encode(my $octets = $key);
    my ($name) = Digest::SHA::sha256_hex($octets) =~ /\A([0-9a-f]{64})\z/;
    return bless {folder => $folder, path => "$folder/$name", key => $key, facts => {}}, $class;
}

sub of_file {
    my ($class, $path) = @_;

    my $self = bless {path => $path, facts => {}}, $class;
    return $self->peek ? $self : ();
}

sub _die {
    my ($self, $what) = @_;

    return Net::SMTP::AuthC::Error->throw(kind => 'system', temporary => 0, text => "ledger: $self->{path}: $what");
}

# begun, ending (the end of the message is about to leave), sent, failed, unknown; undef for an empty file.
sub state   { return $_[0]{facts}{state} // '' }
sub fact    { return $_[0]{facts}{ $_[1] } }
sub as_hash { return { %{ $_[0]{facts} } } }
sub changed { return $_[0]{changed} }

# ---- the lock, which the system drops when its holder dies ----

# False when another process kept it for all these seconds.
sub lock {
    my ($self, $seconds) = @_;

    my $end = Net::SMTP::AuthC::_now() + $seconds;
    my $nap = 0.005;
    while (1) {
        my $file = $self->_open(O_RDWR | O_CREAT | O_APPEND);
        if ($self->_try_lock($file)) {
            next if !$self->_is_the_file($file);
            @$self{qw(file is_locked)} = ($file, 1);
            $self->_read;
            return 1;
        }
        return 0 if Net::SMTP::AuthC::_now() >= $end;
        select undef, undef, undef, $nap;
        $nap = $nap * 1.5 < $LONGEST_NAP ? $nap * 1.5 : $LONGEST_NAP;
    }
}

sub _open {
    my ($self, $how) = @_;

    sysopen my $file, $self->{path}, $how | $NO_FOLLOW, 0600 or $self->_die("$!");
    binmode $file;
    return $file;
}

sub _try_lock {
    my ($self, $file) = @_;

    return 1 if flock $file, LOCK_EX | LOCK_NB;
    return 0 if $!{EWOULDBLOCK} || $!{EINTR};
    return $self->_die("cannot be locked: $!");
}

# A file that was removed while we waited for its lock is no entry any more.
sub _is_the_file {
    my ($self, $file) = @_;

    my @here  = stat $file;
    my @there = lstat $self->{path};
    return @there && $here[0] == $there[0] && $here[1] == $there[1];
}

# ---- reading ----

# Without the lock: what is there at the moment. False when there is nothing.
sub peek {
    my ($self) = @_;

    sysopen my $file, $self->{path}, O_RDONLY | $NO_FOLLOW or return 0;
    binmode $file;
    $self->{file} = $file;
    $self->_read;
    delete $self->{file};
    return 1;
}

# A line that is not whole was never finished, so that what it was to announce has not happened.
sub _read {
    my ($self) = @_;

    my ($file, $text) = ($self->{file}, '');
    seek $file, 0, 0;
    1 while sysread $file, $text, 65536, length $text;
    $self->{changed} = (stat $file)[9];
    my $whole = 1 + rindex $text, "\n";
    truncate $file, $whole or $self->_die("$!") if $self->{is_locked} && $whole != length $text;
    $self->{facts} = {};
    $self->_learn($_) for split /\n/, substr $text, 0, $whole;
    return;
}

# What cannot be read is not ours, and nobody knows what it stood for.
sub _learn {
    my ($self, $line) = @_;

    my $noted = eval { $json->decode($line) };
    $noted = {state => 'unknown', error => 'the ledger cannot be read'} if ref $noted ne 'HASH';
    my $facts = $self->{facts};
    %$facts = () if ($noted->{state} // '') eq 'begun';
    @$facts{keys %$noted} = values %$noted;
    return;
}

# ---- writing ----

# On the disk when it returns, but for "begun", of which nothing hangs.
sub note {
    my ($self, $state, %facts) = @_;

    my %noted = (state => $state, time => time, %facts, $state eq 'begun' ? (key => $self->{key}) : ());
    my $line  = $json->encode({ map { $_ => $noted{$_} } grep { defined $noted{$_} } keys %noted }) . "\n";
    $self->_write($line);
    $self->_learn($line);
    return if $state eq 'begun';
    $self->{file}->sync or $self->_die("cannot be written to the disk: $!");
    $self->_sync_folder if $state eq 'ending';
    return;
}

sub _write {
    my ($self, $line) = @_;

    my $n = syswrite $self->{file}, $line;
    return if defined $n && $n == length $line;
    my $why = defined $n ? 'no space left' : "$!";
    truncate $self->{file}, (-s $self->{file}) - $n if $n;
    return $self->_die("cannot be written: $why");
}

# So that the file's name is there too after the power fails. Where folders cannot be opened, the system sees to it.
sub _sync_folder {
    my ($self) = @_;

    sysopen my $folder, $self->{folder}, O_RDONLY or return;
    $folder->sync;
    return;
}

# False when there is no such file, or it is in use, or is not to go: what it holds may have changed since it was read.
sub remove {
    my ($self, $may) = @_;

    return 0 if !-e $self->{path};
    my $file = $self->_open(O_RDWR);
    return 0 if !$self->_try_lock($file) || !$self->_is_the_file($file);
    @$self{qw(file is_locked)} = ($file, 1);
    $self->_read;
    my $gone = !$may || $may->($self) ? unlink $self->{path} : 0;
    delete @$self{qw(file is_locked)};
    return $gone;
}

1;
