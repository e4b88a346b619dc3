# Names: a class of somebody else's, in the symbol table, taken for one of ours, and given back as it was.
package Net::SMTP::AuthC::Takeover::Names;

use 5.014;
use strict;
use warnings;

use Carp ();
use mro ();
use Scalar::Util ();

our @CARP_NOT = ('Net::SMTP::AuthC::Takeover::Classic');

# A name that is taken keeps its symbol table, so that whoever has its name or its globs compiled in finds us. In it
# stand dispatchers: objects that the other class made before live on with that class's own methods, which a package
# aside keeps for them; everything else is the business of our class, called the adapter.

my %taken;    # what was there before, by name
my @made;     # the objects of ours that were made under such a name; weak references

my %is_no_method = map { $_ => 1 } qw(import unimport AUTOLOAD DESTROY CLONE CLONE_SKIP BEGIN END can VERSION
    __ANON__);

sub is_taken { return $taken{ $_[1] } ? 1 : '' }

# By name: the adapter, whose own methods are put in, as are those of the classes in also; what the name inherits
# from; the version that it says.
sub take {
    my ($class, $name, %with) = @_;

    return if $taken{$name};
    my $mine = $taken{$name} = {name => $name, adapter => $with{adapter}, file => _file_of($name)};
    _set_aside($mine);
    _put_in($mine, map { _code_of($_) } $with{adapter}, @{ $with{also} || [] });
    no strict 'refs';
    @{"${name}::ISA"} = @{ $with{isa} || [] };
    ${"${name}::VERSION"} = $with{version} if !_is_newer($mine->{version}, $with{version});
    $INC{ $mine->{file} } = $INC{ _file_of($with{adapter}) };
    return;
}

sub _is_newer { return ($_[0] // '') =~ /\A[0-9]+(?:\.[0-9]+)?\z/ && $_[0] > $_[1] }

sub _file_of { return $_[0] =~ s{::}{/}gr . '.pm' }

# Name and code of every sub in a package, those that are only declared included.
sub _code_of {
    my ($package) = @_;

    no strict 'refs';
    return map { ($_ => \&{"${package}::$_"}) } grep { !/::\z/ && exists &{"${package}::$_"} } keys %{"${package}::"};
}

sub _set_aside {
    my ($mine) = @_;

    my $name  = $mine->{name};
    my $aside = $mine->{aside} = __PACKAGE__ . '::Aside::' . $name =~ s/::/_/gr;
    my %code  = _code_of($name);
    $mine->{code} = \%code;
    $mine->{inc}  = $INC{ $mine->{file} };
    no strict 'refs';
    no warnings qw(redefine prototype);
    $mine->{isa}     = [@{"${name}::ISA"}];
    $mine->{version} = ${"${name}::VERSION"};
    *{"${aside}::$_"} = $code{$_} for keys %code;
    @{"${aside}::ISA"} = @{ $mine->{isa} };
    *{"${aside}::isa"} = sub { return UNIVERSAL::isa($_[0], $_[1]) || UNIVERSAL::isa($aside, $_[1]) };
    return;
}

# What has a dispatcher keeps its glob; what the other class has besides goes, lest it be found for our objects. Its
# inner subs keep their own code in what is compiled already.
sub _put_in {
    my ($mine, %method) = @_;

    my $name = $mine->{name};
    delete @method{keys %is_no_method};
    $method{$_} = 1 for grep { !/\A_/ && !$is_no_method{$_} && _our_code($mine, $_) } keys %{ $mine->{code} };
    no strict 'refs';
    no warnings qw(redefine prototype);
    delete ${"${name}::"}{$_} for grep { !$method{$_} && !$is_no_method{$_} } keys %{ $mine->{code} };
    *{"${name}::$_"} = _dispatcher($mine, $_) for keys %method;
    *{"${name}::AUTOLOAD"} = _autoload($mine);
    *{"${name}::DESTROY"} = sub { return };    # not dispatched: perl may be at its end
    $mine->{ours} = [keys %method, qw(AUTOLOAD DESTROY)];
    return;
}

sub _dispatcher {
    my ($mine, $method) = @_;

    return sub { goto &{ _method($mine, $method, $_[0]) } };
}

# For what a file of ours defines only when it is loaded, and for the other class's inherited methods.
sub _autoload {
    my ($mine) = @_;

    return sub {
        my ($method) = our $AUTOLOAD =~ /([^:]+)\z/;
        goto &{ _method($mine, $method, $_[0]) };
    };
}

sub _method {
    my ($mine, $method, $invocant) = @_;

    my $is_ours = $method eq 'new' || is_ours($invocant);
    my $code = $is_ours ? _our_code($mine, $method) : $mine->{aside}->can($method);
    return $code if $code;
    refuse_insider(ref $invocant, $mine->{name}) if !$is_ours && !%{ $mine->{code} };
    return Carp::croak(qq{Can't locate object method "$method" via package "} . (ref $invocant || $invocant // '')
        . '"');
}

# Not by can: our class may itself inherit from the name.
sub _our_code {
    my ($mine, $method) = @_;

    no strict 'refs';
    my ($class) = grep { exists &{"${_}::$method"} } grep { /\ANet::SMTP::AuthC(?:::|\z)/ }
        @{ mro::get_linear_isa($mine->{adapter}) };
    return $class && \&{"${class}::$method"};
}

sub is_ours {
    my ($invocant) = @_;

    return 1 if !ref $invocant || UNIVERSAL::isa($invocant, 'Net::SMTP::AuthC');
    return UNIVERSAL::isa($invocant, 'GLOB') && exists *$invocant->{net_smtp_authc_taken};
}

# A subclass can be carried by us; a class that makes a socket and calls our methods on that cannot.
sub refuse_insider {
    my ($class, $name) = @_;

    return Carp::croak("$class is built on the inside of $name, which Net::SMTP::AuthC has replaced: have it "
        . "replaced too (-replace => ['$class']), if it is one of those that can be, or load it before");
}

# ---- the objects ----

# Marks an object as ours, whatever class it is of, and remembers it. No CLONE_SKIP goes with these classes: perl
# cannot clone a weak reference to what it skips. The C part knows a copy in another thread, and refuses it.
sub note {
    my ($class, $object) = @_;

    *$object->{net_smtp_authc_taken} = 1;
    @made = grep { defined } @made;
    push @made, $object;
    Scalar::Util::weaken($_) for @made;
    return $object;
}

# ---- and back ----

# Objects of the name go on as the adapter's. Those of a program's own subclass are closed: the other class's methods
# would be theirs, and would say in clear what belongs inside TLS.
sub give_back {
    my ($class, $name) = @_;

    my $mine = delete $taken{$name} or return;
    for my $object (grep { defined && UNIVERSAL::isa($_, $name) && ref($_) !~ /\ANet::SMTP::AuthC::/ } @made) {
        ref $object eq $name ? bless $object, $mine->{adapter} : CORE::close $object;
    }
    @made = () if !%taken;
    _take_out($mine);
    no strict 'refs';
    @{"${name}::ISA"} = @{ $mine->{isa} };
    ${"${name}::VERSION"} = $mine->{version};
    delete $INC{ $mine->{file} };
    $INC{ $mine->{file} } = $mine->{inc} if defined $mine->{inc};
    return;
}

sub _take_out {
    my ($mine) = @_;

    my ($name, $code) = @$mine{qw(name code)};
    no strict 'refs';
    no warnings qw(redefine prototype);
    delete ${"${name}::"}{$_} for grep { !$code->{$_} } @{ $mine->{ours} };
    *{"${name}::$_"} = $code->{$_} for keys %$code;
    return;
}

1;
