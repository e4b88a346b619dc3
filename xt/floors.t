# The tower stands: who includes whom, what each object exports, how long the files are, how they begin.
use strict;
use warnings;
use Config;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;

use constant {LONG => 300, TOO_LONG => 400};

my $top = abs_path(dirname(__FILE__) . '/..');
chdir $top or die "$top: $!";

# The floors that a floor may include besides itself.
my %below = (
    base  => [],
    codec => [qw(base)],
    net   => [qw(base)],
    sasl  => [qw(base codec)],
    smtp  => [qw(base codec sasl)],
    drive => [qw(base codec sasl smtp net)],
);
# Foreign headers, and the only files that may include them.
my @rooms = (
    [qr/\A(?:perl|EXTERN|XSUB|ppport)\.h\z/, qr/\ASMTPAuth\.xs\z/],
    [qr{\Aopenssl/},                         qr{\Ac_src/(?:codec/digest\.c|net/tls\w*\.c)\z}],
    [qr{\Asys/socket\.h\z},                  qr{\Ac_src/net/}],
);

my @files    = sort(glob('c_src/*/*.c'), glob('c_src/*/*.h'));
my @glue     = grep { -e } 'SMTPAuth.xs', sort glob 'xs/*';
my %includes = map { $_ => [includes_of($_)] } @files, @glue;

cmp_ok(scalar @files, '>', 10, 'the core is there');
is_deeply([grep { !$below{floor_of($_)} } @files],      [], 'every folder is a floor');
is_deeply([map { wrong_floor($_) } @files],             [], 'includes go to the same floor or a lower one');
is_deeply([map { wrong_room($_) } sort keys %includes], [], 'perl, OpenSSL and sockets stay in their rooms');
is_deeply([map { unknown_include($_) } @files],         [], 'own headers are named from c_src');
is_deeply([cycles()],                                   [], 'no header includes itself by a detour');
is_deeply([grep { !begins_with_sentence($_) } @files, grep { /\.h\z/ } @glue],  [], 'the first line says in one sentence what the file is');
check_length($_) for @files, @glue;
check_names();
done_testing();

sub floor_of { return basename(dirname($_[0])) }

sub lines_of {
    my ($path) = @_;
    open my $handle, '<', $path or die "$path: $!";
    return <$handle>;
}

# ["name", is it one in quotes]
sub includes_of {
    return map { /\A\s*#\s*include\s*([<"])([^>"]+)[>"]/ ? [$2, $1 eq '"'] : () } lines_of($_[0]);
}

sub wrong_floor {
    my ($file)  = @_;
    my $floor   = floor_of($file);
    my %allowed = map { $_ => 1 } $floor, @{$below{$floor} || []};
    return map { "$file includes $_->[0]" } grep { $_->[1] && !$allowed{dirname($_->[0])} } @{$includes{$file}};
}

sub wrong_room {
    my ($file) = @_;
    my @wrong;
    for my $name (map { $_->[0] } @{$includes{$file}}) {
        push @wrong, map { "$file includes $name" } grep { $name =~ $_->[0] && $file !~ $_->[1] } @rooms;
    }
    return @wrong;
}

sub unknown_include {
    my ($file) = @_;
    return map { "$file includes \"$_->[0]\"" } grep { $_->[1] && !-f "c_src/$_->[0]" } @{$includes{$file}};
}

# Headers that can be reached from themselves, and floors that include each other.
sub cycles {
    my (%arrows, @found);
    for my $file (@files) {
        for my $to (map { $_->[1] ? "c_src/$_->[0]" : () } @{$includes{$file}}) {
            $arrows{$file}{$to} = 1 if $file =~ /\.h\z/;
            $arrows{floor_of($file)}{floor_of($to)} = 1 if floor_of($file) ne floor_of($to);
        }
    }
    for my $start (sort keys %arrows) {
        my (%seen, @next);
        @next = keys %{$arrows{$start}};
        while (defined(my $at = shift @next)) {
            push @next, keys %{$arrows{$at} || {}} if !$seen{$at}++;
        }
        push @found, $start if $seen{$start};
    }
    return @found;
}

# "/* subject: what it is. It may go on. */", or the first line of such a comment.
sub begins_with_sentence {
    my ($file)    = @_;
    my ($first)   = lines_of($file);
    my ($subject) = basename($file) =~ /\A(\w+)\./;
    return $first =~ m{\A/\* \Q$subject\E: \S.*\S(?:\.| \*/)?$} ? 1 : 0;
}

sub check_length {
    my ($file) = @_;
    my $count = () = lines_of($file);
    diag("$file has $count lines: are two subjects in it?") if $count > LONG;
    cmp_ok($count, '<=', TOO_LONG, "$file has at most " . TOO_LONG . ' lines');
}

# Every name that an object gives to the linker begins with smtpc_.
sub check_names {
    my $folder = tempdir(CLEANUP => 1);
    delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
    SKIP: {
        skip 'no nm', 1 if system('nm --version >/dev/null 2>&1') != 0;
        my @sources = glob 'c_src/*/*.c';
        my @objects = map { s/\.c\z/.o/r } map { s/\Ac_src\///r } @sources;
        my $words = `make -j2 -C c_src BUILD='$folder' WARN= OPT=-O0 @{[map { "'$folder/$_'" } @objects]} 2>&1`;
        is($?, 0, 'the objects are built') or diag($words);
        my @wrong;
        for my $object (@objects) {
            my @names = map { /\A\S*\s+[A-TV-Z]\s+_?(\S+)/ ? $1 : () } `nm -g '$folder/$object' 2>/dev/null`;
            push @wrong, map { "$object exports $_" } grep { !/\Asmtpc_/ } @names;
        }
        is_deeply(\@wrong, [], 'every name with external linkage begins with smtpc_');
    }
}
