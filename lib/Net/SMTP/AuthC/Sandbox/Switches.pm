# Faults that are switched while a sandbox runs: one for each of a few stages, in a file that its processes read.
package Net::SMTP::AuthC::Sandbox::Switches;
use strict;
use warnings;

our @STAGES = qw(greeting ehlo auth mail rcpt data end);
our @KINDS  = qw(refuse delay close reset silent);

my %text = (4 => 'Try again later', 5 => 'Not here');

sub new {
    my ($class, $folder) = @_;
    return bless { path => "$folder/switches" }, $class;
}

# What is wrong with a switch, in words.
sub complaint {
    my ($switch) = @_;
    my ($stage, $kind, $code, $seconds, $chance) =
        map { defined $_ ? $_ : '' } @$switch{qw(stage kind code seconds chance)};
    return 'unknown stage' unless grep { $_ eq $stage } @STAGES;
    return "unknown fault at $stage" unless grep { $_ eq $kind } @KINDS;
    return "the code at $stage is a number from 400 to 599" unless $code =~ /\A[45][0-5][0-9]\z/;
    return "the seconds at $stage are a number up to 600"
        unless $seconds =~ /\A[0-9]{1,3}(?:\.[0-9]{1,3})?\z/ && $seconds <= 600;
    return "the chance at $stage is a number from 0 to 100" unless $chance =~ /\A[0-9]{1,3}\z/ && $chance <= 100;
    return;
}

# In the order of the stages.
sub read {
    my ($self) = @_;
    open my $handle, '<', $self->{path} or return;
    my @switches;
    while (my $line = <$handle>) {
        my %switch;
        @switch{qw(stage kind code seconds chance)} = split ' ', $line;
        push @switches, \%switch;
    }
    return @switches;
}

# Replaces all; a reader sees the old ones or the new ones.
sub write {
    my ($self, @switches) = @_;
    my %line = map { $_->{stage} => join(' ', @$_{qw(stage kind code seconds chance)}) . "\n" } @switches;
    my $new = "$self->{path}.$$";
    open my $handle, '>', $new or die "cannot write $new: $!\n";
    print {$handle} grep { defined } @line{@STAGES};
    close $handle or die "cannot write $new: $!\n";
    rename $new, $self->{path} or die "cannot write $self->{path}: $!\n";
    return;
}

# As Net::SMTP::AuthC::Sandbox::Faults has them.
sub faults {
    my ($self) = @_;
    return map { { stage => $_->{stage}, chance => $_->{chance}, _action($_) } } $self->read;
}

sub _action {
    my ($switch) = @_;
    my ($kind, $code) = @$switch{qw(kind code)};
    return (delay => $switch->{seconds}) if $kind eq 'delay';
    return ($kind => 1) if $kind ne 'refuse';
    my $class = substr $code, 0, 1;
    my %more  = $switch->{stage} eq 'greeting' || $code == 421 ? (close => 1) : ();
    return (reply => "$code $class.3.0 $text{$class}\r\n", %more);
}

1;
