# Sink: the running server: where it listens, how far away it pretends to be, what it has counted.
package Bench::Sink;

use strict;
use warnings;

use IPC::Open2 qw(open2);

sub new {
    my ($class, $tools) = @_;

    my $program = $tools->program('sink', ['bench/sink/*.c'], qw(-lssl -lcrypto -lpthread));
    my $self = bless {said => {}}, $class;
    $self->{pid} = open2($self->{from}, $self->{to}, $program, @$tools{qw(certificate key)});
    @$self{qw(clear_port tls_port)} = split ' ', $self->_heard;
    return $self;
}

sub _heard {
    my ($self) = @_;

    my $line = readline $self->{from};
    return defined $line ? $line : die "the sink has ended\n";
}

sub _ask {
    my ($self, $question) = @_;

    syswrite $self->{to}, "$question\n";
    return $self->_heard;
}

sub port { my ($self, $tls) = @_; return $tls eq 'implicit' ? $self->{tls_port} : $self->{clear_port} }

# For what comes from now on: delay (milliseconds of a round trip), offer (words of EHLO's reply), version ("1.2": TLS
# no newer), expect (SHA-256 in hex of every message, or nothing).
sub set {
    my ($self, %want) = @_;

    for my $name (sort keys %want) {
        next if ($self->{said}{$name} // '') eq $want{$name};
        $self->_ask(($name eq 'version' ? 'tls' : $name) . " $want{$name}");
        $self->{said}{$name} = $want{$name};
    }
    return;
}

# Since the last question, when all connections are closed: connections resumed logins messages recipients wrong
# flights receives octets stream (microseconds from the first MAIL to the last message's end).
sub counts { return {split ' ', $_[0]->_ask('count')} }

# It ends when its input does.
sub DESTROY {
    my ($self) = @_;

    close $self->{to};
    local $?;
    waitpid $self->{pid}, 0;
    return;
}

1;
