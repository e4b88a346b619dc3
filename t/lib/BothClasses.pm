# For the tests of Net::SMTP's faults: what is good must hold here; what Net::SMTP itself does is told in notes.
package BothClasses;
use strict;
use warnings;
use Exporter 'import';
use Face ();
use POSIX ();
use Test::More;

our @EXPORT = qw($SLOW bug expect outcome truth ready subclass_of);

our $SLOW = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $OURS = 'Net::SMTP::AuthC';
my $LIMIT = 4;    # seconds for Net::SMTP: it may hang

# Authen::SASL's own mechanisms, not those of a library that may be installed beside it.
eval { require Authen::SASL; @Authen::SASL::Plugins = ('Authen::SASL::Perl') };

my $told;         # where the child with Net::SMTP tells what it finds; undef in the test itself

# A number, what is good, and a sub that is called with a class and says expect(...) of what it finds; modules without
# which there is nothing to see.
sub bug {
    my ($number, $good, $probe, @needs) = @_;
    return subtest "B$number: $good" => sub {
        my ($missing) = grep { !eval "require $_; 1" } @needs;
        plan skip_all => "$missing is not installed" if $missing;
        my $beside = _start($probe);
        $probe->($OURS);
        note "Net::SMTP $_" for _end($beside);
    };
}

# What something is called, what it is, and what it should be, a regex or a scalar.
sub expect ($$$) {
    my ($name, $got, $good) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return _tell($name, $got, $good) if $told;
    return ref $good eq 'Regexp' ? like($got, $good, $name) : is($got, $good, $name);
}

# The result of a call that may die.
sub outcome {
    my ($code) = @_;
    my $result = eval { $code->() };
    return $@ ? "dies: $@" : $result;
}

sub truth { return $_[0] ? 'true' : 'false' }

# A client that is about to say DATA.
sub ready {
    my ($server, %option) = @_;
    my $smtp = Face::client($server, %option);
    $smtp->mail('a@b.test') && $smtp->to('c@d.test') or die $smtp->message;
    return $smtp;
}

# The name of a class of its own below the one given.
sub subclass_of {
    my ($class, %method) = @_;
    my $name = "Mine::$class";
    no strict 'refs';
    @{"${name}::ISA"} = $class;
    *{"${name}::$_"} = $method{$_} for keys %method;
    return $name;
}

# ---- Net::SMTP, in a process of its own ----

sub _start {
    my ($probe) = @_;
    return if $ENV{NET_SMTP_AUTHC_SLOW} || !Face::has_net_smtp();
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    return {pid => $pid, read => $read} if $pid;
    open STDERR, '>', '/dev/null';
    open STDOUT, '>', '/dev/null';
    $write->autoflush(1);
    $told = $write;
    $SIG{ALRM} = 'DEFAULT';
    eval { $probe->('Net::SMTP'); 1 } or print {$told} _line("dies: $@");
    print {$told} "end\n";
    POSIX::_exit(0);
}

sub _tell {
    my ($name, $got, $good) = @_;
    my $is_good = ref $good eq 'Regexp' ? ($got // '') =~ $good
        : defined $got && defined $good ? $got eq $good : !defined $got && !defined $good;
    print {$told} $is_good ? "same\n" : _line("$name: " . _shown($got) . ' instead of ' . _shown($good));
    return;
}

sub _line { return 'differs ' . $_[0] =~ s/[^ -~]+\z//r =~ s/[^ -~]+/ /gr . "\n" }

sub _shown {
    my ($value) = @_;
    return !defined $value ? 'undef' : ref $value ? 'what is like ' . $value
        : length $value > 200 ? q{'} . substr($value, 0, 200) . q{ ...'} : "'$value'";
}

# What it came to, one text for each thing that differs.
sub _end {
    my ($child) = @_;
    return 'is not looked at here' if !$child;
    my ($pid, $read) = @$child{qw(pid read)};
    my $text = '';
    my $until = time + $LIMIT;
    while ((my $left = $until - time) > 0) {
        vec(my $bits = '', fileno $read, 1) = 1;
        next if !select $bits, undef, undef, $left;
        last if !sysread $read, $text, 65536, length $text;
    }
    kill KILL => $pid;
    waitpid $pid, 0;
    my @differs = map { /\Adiffers (.*)/ ? $1 : () } split /\n/, $text;
    push @differs, "hangs (stopped after $LIMIT s)" if $text !~ /^end$/m;
    return map { Net::SMTP->VERSION . ": $_" } @differs ? @differs : 'the same';
}

1;
