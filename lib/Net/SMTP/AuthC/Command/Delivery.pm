# Delivery: one message to one server: connects, submits, tells what became of it, and what to end with.
package Net::SMTP::AuthC::Command::Delivery;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Report;
use Time::HiRes ();

# target, terminal, message: a sub of a watcher that returns what submit takes and options for it; from, to; dsn, notify,
# needs_dsn, all_or_none, deadline; size for progress; show: a sub for the dialogue, or undef.
sub new {
    my ($class, %job) = @_;

    return bless {%job}, $class;
}

# Returns the name of what to end with, and a report.
sub run {
    my ($self) = @_;

    my ($receipt, $died);
    my $good = eval { $receipt = $self->_sent; 1 };
    $died = $@ if !$good;
    $self->{terminal}->end;
    die $died if !$good && !Net::SMTP::AuthC::Command::Exit->is_error($died);
    my $name = $good ? Net::SMTP::AuthC::Command::Exit->of_receipt($receipt)
        : Net::SMTP::AuthC::Command::Exit->of($died, $self->{blame} || 'usage');
    return ($name, Net::SMTP::AuthC::Command::Report->new(name => $name, receipt => $receipt, error => $died));
}

sub _sent {
    my ($self) = @_;

    my ($target, $terminal) = @$self{qw(target terminal)};
    my %option = $target->connect_options;
    $self->{blame} = $target->blame;
    my $end = $self->{deadline} && Time::HiRes::time() + $self->{deadline};
    $terminal->begin('connecting to ' . $target->shown);
    my $smtp = Net::SMTP::AuthC->connect($target->server, %option, transcript => $self->{show},
        deadline => $self->{deadline});
    $self->{blame} = 'data';
    $terminal->begin('sending', $self->{size});
    my ($message, %about) = $self->{message}->(sub { $terminal->has_done($_[0]) });
    my $receipt = $smtp->submit($message, %about, $self->_envelope($smtp),
        deadline => $end && _later($end));
    $smtp->_say_farewell if $smtp->_state ne 'closed';
    return $receipt;
}

sub _later {
    my ($end) = @_;

    my $left = $end - Time::HiRes::time();
    return $left > 0.001 ? $left : 0.001;
}

# Who has not said that he must have delivery reports goes without, where the server has none.
sub _envelope {
    my ($self, $smtp) = @_;

    my ($dsn, $notify) = @$self{qw(dsn notify)};
    ($dsn, $notify) = () if !$self->{needs_dsn} && !$smtp->has('DSN');
    my @to = map { defined $notify ? [$_, {notify => $notify}] : $_ } @{ $self->{to} };
    return (from => $self->{from}, to => \@to, ($dsn ? (dsn => $dsn) : ()),
        ($self->{all_or_none} ? (all_or_none => 1) : ()));
}

1;
