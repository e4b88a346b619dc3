# Tools: the programs of bench's own, compiled into a folder that goes with the process, and files to send.
package Bench::Tools;

use strict;
use warnings;

use Config;
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox ();
use Net::SMTP::AuthC::Sandbox::Certificates ();

my $FLAGS = '-std=c99 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -O2';
my $LINE  = "The quick brown fox jumps over the lazy dog, and the dog does not even look up.\n";

sub new {
    my ($class, $top) = @_;

    my $self = bless {top => $top, folder => tempdir('smtp-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1)}, $class;
    $self->_install;
    $self->_certificates;
    return $self;
}

# As "make install" lays it out: in blib the shared object is found the long way.
sub _install {
    my ($self) = @_;

    my $blib = "$self->{top}/blib";
    mkdir $self->path('installed');
    system('cp', '-R', "$blib/lib/.", "$blib/arch/.", $self->path('installed')) == 0 or die "no copy of $blib\n";
    return;
}

sub top    { return $_[0]{top} }
sub path   { my ($self, $name) = @_; return "$self->{folder}/$name" }
sub bench  { my ($self, $name) = @_; return "$self->{top}/bench/$name" }
sub script { my ($self, $name) = @_; return ($self->perl, $self->bench("party/$name")) }

sub perl {
    my ($self) = @_;

    return ($^X, '-I' . $self->path('installed'));
}

# The program of that name, compiled from bench's sources and those of the project that are named.
sub program {
    my ($self, $name, $sources, @libraries) = @_;

    my $program = $self->path($name);
    return $program if -x $program;
    my $command = join ' ', $Config{cc}, $FLAGS, "-I$self->{top}/c_src",
        (map { glob "$self->{top}/$_" } @$sources), '-o', $program, @libraries;
    system($command) == 0 or die "this failed: $command\n";
    return $program;
}

sub write_file {
    my ($self, $name, $text) = @_;

    my $path = $self->path($name);
    open my $file, '>:raw', $path or die "$path: $!\n";
    chmod 0600, $path;
    print {$file} $text;
    close $file or die "$path: $!\n";
    return $path;
}

# A message of about so many octets: typical text with LF, a line with a dot now and then.
sub message {
    my ($self, $octets) = @_;

    my $path = $self->path("message-$octets");
    return $path if -f $path;
    my $block = join '', map { $_ % 50 ? $LINE : ".a line with a dot\n" } 1 .. 100;
    my $times = int($octets / length $block);
    my $rest  = substr $block, 0, $octets % length $block;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} "From: a\@example.com\nTo: b\@example.com\nSubject: bench\nMessage-ID: <1\@bench.example>\n\n";
    print {$file} $block for 1 .. $times;
    print {$file} $rest, "\n";
    close $file or die "$path: $!\n";
    return $path;
}

# The file as it must arrive: CRLF at every line's end.
sub _arrived {
    my ($self, $path) = @_;

    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return $self->{arrived}{$path} ||= do {
        my $text = readline($file) =~ s/\n/\r\n/gr;
        {octets => length $text, digest => sha256_hex($text)};
    };
}

sub octets { return $_[0]->_arrived($_[1])->{octets} }
sub digest { return $_[0]->_arrived($_[1])->{digest} }

sub _certificates {
    my ($self) = @_;

    my ($authority)         = Net::SMTP::AuthC::Sandbox::Certificates::authority('known');
    my ($certificate, $key) = Net::SMTP::AuthC::Sandbox::Certificates::server('good');
    $self->{ca}          = $self->write_file('ca.pem',   $authority);
    $self->{certificate} = $self->write_file('cert.pem', $certificate);
    $self->{key}         = $self->write_file('key.pem',  $key);
    return;
}

# The authority's certificate alone, in a folder under its hash as systems have them, or behind all that the system
# trusts, where that is one file.
sub ca { return $_[0]{ca} }

sub ca_in_folder {
    my ($self) = @_;

    my $folder = $self->path('authorities');
    return $folder if -d $folder;
    my ($hash) = `openssl x509 -noout -hash -in $self->{ca} 2>/dev/null` =~ /^(\w+)$/m or return $self->{ca};
    mkdir $folder;
    return link($self->{ca}, "$folder/$hash.0") ? $folder : $self->{ca};
}

sub ca_in_bundle {
    my ($self) = @_;

    my ($bundle) = grep { -f } map { "/etc/$_" }
        qw(ssl/certs/ca-certificates.crt pki/tls/certs/ca-bundle.crt ssl/cert.pem);
    return if !$bundle;
    open my $file, '<:raw', $bundle or return;
    local $/;
    my $all = <$file>;
    open my $own, '<:raw', $self->{ca} or die "$self->{ca}: $!\n";
    return $self->write_file('bundle.pem', $all . <$own>);
}

1;
