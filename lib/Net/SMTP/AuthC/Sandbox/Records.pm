# What is known of a sandbox's messages and sessions, read from its journal; and how all its readers forget them.
package Net::SMTP::AuthC::Sandbox::Records;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Dialogue;
use Net::SMTP::AuthC::Sandbox::Journal;
use Net::SMTP::AuthC::Sandbox::Message;

# folder; is_shared: others read the journal, too; is_guest: the files of the messages are somebody else's
sub new {
    my ($class, %self) = @_;
    my $journal = Net::SMTP::AuthC::Sandbox::Journal->new($self{folder});
    return bless { %self, journal => $journal, messages => [], refused => [], sessions => {} }, $class;
}

# Those that were taken, or were refused at their end, in the order of their arrival.
sub messages { my ($self) = @_; $self->_look; return @{ $self->{messages} } }
sub refused  { my ($self) = @_; $self->_look; return @{ $self->{refused} } }

sub sessions {
    my ($self) = @_;
    $self->_look;
    return map { $self->{sessions}{$_} } sort { $a <=> $b } keys %{ $self->{sessions} };
}

# Everything so far: sessions that still run begin anew.
sub clear {
    my ($self) = @_;
    my @messages = ($self->messages, $self->refused);
    return $self->forget([ map { $_->id } @messages ], [ map { $_->number } $self->sessions ]);
}

# Messages by their ids, sessions by their numbers. Others hear of it from the journal.
sub forget {
    my ($self, $ids, $sessions) = @_;
    my %event = (type => 'forget', ids => $ids, sessions => $sessions || []);
    return $self->_forget(\%event) unless $self->{is_shared};
    $self->{journal}->note(%event);
    $self->{journal}->flush;
    $self->_look;
    return;
}

# For when no session goes on any more, whatever the journal says.
sub end_sessions {
    my ($self) = @_;
    $_->end('sandbox stopped') for $self->sessions;
    return;
}

sub _look {
    my ($self) = @_;
    for my $event ($self->{journal}->news) {
        $event->{type} eq 'forget' ? $self->_forget($event) : $self->_hear($event);
    }
    return;
}

sub _hear {
    my ($self, $event) = @_;
    my $number = $event->{session};
    my $dialogue = $self->{sessions}{$number} ||= Net::SMTP::AuthC::Sandbox::Dialogue->new($number);
    $dialogue->hear($event);
    return unless $event->{type} eq 'message';
    my $message = Net::SMTP::AuthC::Sandbox::Message->new($event, @$self{qw(folder is_guest)});
    push @{ $self->{ $message->accepted ? 'messages' : 'refused' } }, $message;
    return;
}

sub _forget {
    my ($self, $event) = @_;
    my %gone = map { $_ => 1 } @{ $event->{ids} };
    for my $list (@$self{qw(messages refused)}) { $list = [ grep { !$gone{ $_->id } } @$list ] }
    for my $number (@{ $event->{sessions} }) {
        my $dialogue = $self->{sessions}{$number} or next;
        defined $dialogue->ended ? delete $self->{sessions}{$number} : $dialogue->begin_anew;
    }
    return;
}

1;
