# State: what the page keeps in its folder: a secret, and when it was last used, by whom.
package SmtpTester::State;

use 5.014;
use strict;
use warnings;

use Fcntl qw(:flock O_RDWR O_CREAT O_NOFOLLOW);

my $WINDOW = 60;

# folder, tries, all_tries
sub new {
    my ($class, %setting) = @_;

    require File::Spec;
    my $folder = $setting{folder} // File::Spec->catdir(File::Spec->tmpdir, "smtp-tester-$>");
    return bless {folder => $folder, limit => {one => $setting{tries}, all => $setting{all_tries}}}, $class;
}

# 32 octets that nobody else knows, the same for all processes of this installation.
sub secret {
    my ($self) = @_;

    return $self->{secret} //= do {
        my $file = $self->_locked('secret');
        my $kept = _content($file);
        $kept = _write($file, random(32)) if length $kept != 32;
        $kept;
    };
}

sub random {
    my ($count) = @_;

    open my $source, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read($source, my $octets, $count) == $count or die "/dev/urandom: too short\n";
    return $octets;
}

# Counts a try of this caller: 0 when he may go on, else the seconds until he may. Only what was allowed is counted.
sub seconds_to_wait {
    my ($self, $caller, $now) = @_;

    $now //= time;
    my $file = $self->_locked('tries');
    my @tries = grep { $_->[0] > $now - $WINDOW && $_->[0] <= $now } map { [split / /] } split /\n/, _content($file);
    my @own = grep { $_->[1] eq $caller } @tries;
    my ($full) = ((@own >= $self->{limit}{one} ? $own[0] : ()), (@tries >= $self->{limit}{all} ? $tries[0] : ()));
    return $full->[0] + $WINDOW - $now if $full;
    _write($file, join '', map { "@$_\n" } @tries, [$now, $caller]);
    return 0;
}

# A file of the folder, for this process alone until the handle is closed.
sub _locked {
    my ($self, $name) = @_;

    my $folder = $self->{folder};
    mkdir $folder, 0700;
    my (undef, undef, $mode, undef, $owner) = lstat $folder;
    die "$folder: must be a folder of the user $>, for him alone\n" if !-d _ || $owner != $> || $mode & 077;
    sysopen my $file, "$folder/$name", O_RDWR | O_CREAT | O_NOFOLLOW, 0600 or die "$folder/$name: $!\n";
    binmode $file;
    flock $file, LOCK_EX or die "$folder/$name: $!\n";
    return $file;
}

sub _content {
    my ($file) = @_;

    local $/;
    return readline($file) // '';
}

sub _write {
    my ($file, $octets) = @_;

    seek $file, 0, 0;
    truncate $file, 0;
    print {$file} $octets;
    close $file or die "the page's folder: $!\n";
    return $octets;
}

1;
