# SaslObject: a login whose mechanism an object of the program speaks (Authen::SASL or its like), for both faces.
package Net::SMTP::AuthC::SaslObject;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::SaslClient;

# What a client says before any challenge even where it is empty; others have nothing to say then.
my %begins_with_nothing = map { $_ => 1 } qw(EXTERNAL ANONYMOUS);

# An object that does not say what it has taken gets one name after the other, these last.
my %reveals = map { $_ => 1 } qw(PLAIN LOGIN XOAUTH2 OAUTHBEARER);

my $LAYER = 'a security layer of SASL, and TLS is what there is for that';

sub is_one { return ref $_[1] && eval { $_[1]->can('client_new') && $_[1]->can('mechanism') } ? 1 : 0 }

# The host's name is part of what some mechanisms say, and of Kerberos' names.
sub new {
    my ($class, $object, $host) = @_;

    Net::SMTP::AuthC::Error->usage('sasl: an object with client_new and mechanism, as Authen::SASL makes it')
        if !$class->is_one($object);
    return bless {object => $object, host => $host, left => [], notes => []}, $class;
}

# Logs a connection in: true, or false with the reason in failure.
sub run {
    my ($self, $smtp) = @_;

    $self->_choose($smtp);
    while (@{ $self->{left} }) {
        my $client = $self->_start or next;
        return $self->_is_proved($smtp, $client) if $self->_talk($smtp, $client);
        return !1 if !$self->_may_go_on($smtp);
    }
    my $failure = $self->{failure};
    $self->_fail($self->_nothing_fits) if !$failure || !$failure->{code} && @{ $self->{notes} } > 1;
    return !1;
}

# Why the login failed, by the fields of an error.
sub failure { return $_[0]{failure} }
sub hint    { return %{ $_[0]{failure} } }

sub _fail {
    my ($self, $text, %more) = @_;

    $self->{failure} = {kind => 'auth', step => 'AUTH', text => $text, temporary => 0, code => undef,
        enhanced => undef, %more};
    return !1;
}

# ---- the choice ----

# What the object names and the server offers. Where the object names nothing, what is offered: of that, what asks for
# no secret was never meant while there is another.
sub _choose {
    my ($self, $smtp) = @_;

    my @offered = _names($smtp->supports('AUTH'));
    my @wanted = _names(eval { $self->{object}->mechanism });
    my %is_offered = map { $_ => 1 } @offered;
    my @left = grep { $is_offered{$_} } @wanted ? @wanted : grep { $_ ne 'ANONYMOUS' } @offered;
    @left = grep { $_ ne 'EXTERNAL' } @left if !@wanted && @left > 1;
    @$self{qw(offered wanted left)} = (\@offered, \@wanted, \@left);
    return;
}

sub _names {
    my ($list) = @_;

    my %seen;
    return grep { !$seen{$_}++ } map { uc } ($list // '') =~ /([A-Za-z0-9_-]+)/g;
}

# The object chooses, and begins. Nothing when it cannot: that mechanism is out then.
sub _start {
    my ($self) = @_;

    my @names = $self->{one_by_one} ? $self->{left}[0] : @{ $self->{left} };
    my $client = Net::SMTP::AuthC::SaslClient->new($self->{object}, $self->{host}, @names);
    my $initial = $client->start;
    my $mechanism = $client->mechanism;
    return $self->_go_one_by_one if !defined $mechanism && @names > 1;
    my $name = $mechanism // $names[0];
    $self->{left} = [grep { $_ ne $name } @{ $self->{left} }];
    if (!defined $mechanism || !defined $initial) {
        push @{ $self->{notes} }, "$name: " . ($client->complaint // 'the object cannot begin');
        return;
    }
    undef $initial if !length $initial && !$begins_with_nothing{$mechanism};
    @$self{qw(mechanism initial)} = ($mechanism, $initial);
    return $client;
}

sub _go_one_by_one {
    my ($self) = @_;

    $self->{one_by_one} = 1;
    @{ $self->{left} } = sort { ($reveals{$a} || 0) <=> ($reveals{$b} || 0) } @{ $self->{left} };
    return;
}

# ---- the dialogue ----

# Whether the server said yes.
sub _talk {
    my ($self, $smtp, $client) = @_;

    my ($mechanism, $initial) = @$self{qw(mechanism initial)};
    delete $self->{cancelled};
    return 1 if $smtp->_auth_by_caller($mechanism, $initial, sub { $self->_respond($client, $_[0]) });
    my %error = %{ $smtp->_error || {kind => 'closed', text => 'not connected'} };
    delete @error{'errno', grep { !$error{$_} } qw(step code enhanced may_have_been_sent)};
    $error{text} = $self->_words_for(\%error, $client);
    push @{ $self->{notes} }, $error{text} if !$error{code};
    return $self->_fail('', %error);
}

# The core's, with what the object knows better.
sub _words_for {
    my ($self, $error, $client) = @_;

    return $error->{text} if $error->{kind} ne 'auth';
    my $words = $error->{code} ? $client->complaint : $self->{cancelled};
    return $error->{text} if !defined $words;
    return $error->{code} ? "$error->{text} ($self->{mechanism}: $words)" : "$self->{mechanism}: $words";
}

# Called in the middle of the dialogue: undef cancels it.
sub _respond {
    my ($self, $client, $challenge) = @_;

    my $response = $client->step($challenge);
    my $complaint = $client->complaint;
    $self->{cancelled} = $client->has_layer ? "the object wants $LAYER"
        : length($response // '') ? undef    # an error of OAuth's is to be answered too
        : $complaint // (defined $response ? undef : 'the object gave no answer');
    return defined $self->{cancelled} ? undef : $response;
}

# Another mechanism costs nothing where this one was not said, or where the server did not want it; after a wrong
# password servers count.
sub _may_go_on {
    my ($self, $smtp) = @_;

    my ($kind, $code) = @{ $self->{failure} }{qw(kind code)};
    return 0 if $kind ne 'auth' || $smtp->_state ne 'idle' || $self->{cancelled};
    return !$code || $code =~ /\A(?:50[14]|534)\z/ || $self->{mechanism} eq 'EXTERNAL' && $code =~ /\A5/;
}

# ---- the end ----

# True when the object agrees that it is done, and with whom it should be; otherwise the connection is closed.
sub _is_proved {
    my ($self, $smtp, $client) = @_;

    my $has_layer = $client->has_layer;
    return 1 if !$has_layer && $client->is_success;
    my $why = $has_layer ? "the object has agreed on $LAYER"
        : $client->complaint // 'the server said yes before the object was done with it';
    $self->_fail("$self->{mechanism}: $why");
    $smtp->_abandon($self->{failure}{text});
    return !1;
}

sub _nothing_fits {
    my ($self) = @_;

    my ($offered, $wanted) = map { join ' ', @{ $self->{$_} } } qw(offered wanted);
    my $text = 'no mechanism fits: the server offers ' . (length $offered ? $offered : 'no AUTH') . ', the object '
        . (length $wanted ? "has $wanted" : 'names none');
    return join '; ', $text, @{ $self->{notes} };
}

1;
