# A session as the program that made the sandbox sees it: what was said on both sides, and how it ended.
package Net::SMTP::AuthC::Sandbox::Dialogue;
use strict;
use warnings;

my %mark = (client => 'C: ', server => 'S: ', note => '-- ');

for my $name (qw(number peer helo tls resumed user identity mechanism client_certificate ended time)) {
    no strict 'refs';
    *$name = sub { return $_[0]{$name} };
}

sub new {
    my ($class, $number) = @_;
    return bless { number => $number, tls => '', said => [] }, $class;
}

# Takes up one event of the journal.
sub hear {
    my ($self, $event) = @_;
    my ($type) = $event->{type};
    push @{ $self->{said} }, [ @$event{qw(who text)} ] if $type eq 'line';
    @$self{qw(peer time)} = @$event{qw(peer time)} if $type eq 'open';
    $self->{ended} = $event->{ended} if $type eq 'close';
    return unless $type eq 'set';
    for my $name (grep { $_ ne 'type' && $_ ne 'session' } keys %$event) {
        $self->{$name} = $event->{$name};
        utf8::decode($self->{$name}) if defined $event->{$name} && $name =~ /\A(?:user|identity)\z/;
    }
    return;
}

sub begin_anew { $_[0]{said} = []; return }

# Unless it has ended already.
sub end {
    my ($self, $why) = @_;
    $self->{ended} = $why unless defined $self->{ended};
    return;
}

# For people: "C: NOOP", "S: 250 2.0.0 Ok", "-- early talker: ..."; octets that do not print are shown as \xNN.
sub lines {
    my ($self) = @_;
    return map { $mark{ $_->[0] } . _printable($_->[1]) } @{ $self->{said} };
}

sub as_text { return join '', map { "$_\n" } $_[0]->lines }

# Verbatim, without line ends.
sub client_lines { return $_[0]->_said('client') }
sub server_lines { return $_[0]->_said('server') }
sub notes        { return $_[0]->_said('note') }

sub _said {
    my ($self, $who) = @_;
    return map { $_->[1] } grep { $_->[0] eq $who } @{ $self->{said} };
}

sub _printable {
    my ($text) = @_;
    $text =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    return $text;
}

1;
