# The messages and sessions of a sandbox as its inbox shows them: parsed when first looked at, found by words.
package Net::SMTP::AuthC::Sandbox::Inbox::Store;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Inbox::Mail;
use Net::SMTP::AuthC::Sandbox::Inbox::Search;
use Net::SMTP::AuthC::Sandbox::Records;
use Net::SMTP::AuthC::Sandbox::Switches;

# folder, and began, when the sandbox did
sub new {
    my ($class, %self) = @_;
    my $records = Net::SMTP::AuthC::Sandbox::Records->new(folder => $self{folder}, is_shared => 1, is_guest => 1);
    return bless { %self, records => $records }, $class;
}

# Another one when anything has happened.
sub state { return -s "$_[0]{folder}/journal" || 0 }

sub began    { return $_[0]{began} }
sub sessions { return $_[0]{records}->sessions }
sub switches { return Net::SMTP::AuthC::Sandbox::Switches->new($_[0]{folder}) }

# Those that were taken, and those that were not, too; the newest first.
sub mails { return _mails($_[0]{records}->messages) }

sub all_mails {
    my ($self) = @_;
    return _mails(sort { $a->time <=> $b->time } $self->{records}->messages, $self->{records}->refused);
}

sub _mails { return reverse map { Net::SMTP::AuthC::Sandbox::Inbox::Mail->new($_) } @_ }

# By its id, or "latest".
sub mail {
    my ($self, $id) = @_;
    my ($mail) = $id eq 'latest' ? $self->mails : grep { $_->id eq $id } $self->all_mails;
    return $mail || die { status => 404, text => 'there is no such message' };
}

sub session {
    my ($self, $number) = @_;
    my ($session) = grep { $_->number == $number } $self->sessions;
    return $session || die { status => 404, text => 'there is no such session' };
}

# Those of the mails that a query finds.
sub found {
    my ($self, $query, @mails) = @_;
    my $search = Net::SMTP::AuthC::Sandbox::Inbox::Search->new($query);
    return grep { $search->finds($_) } @mails;
}

sub clear { return $_[0]{records}->clear }

sub forget {
    my ($self, @ids) = @_;
    return $self->{records}->forget(\@ids);
}

1;
