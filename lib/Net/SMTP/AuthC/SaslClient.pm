# SaslClient: one client of a program's SASL object (Authen::SASL and its like): what it says, and what it thinks.
package Net::SMTP::AuthC::SaslClient;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $WORDS_MAX = 200;

# Here no server proves anything, and Authen::SASL's own do not note that they are done: only an error is a no.
my %proves_nothing = map { $_ => 1 } qw(LOGIN CRAM-MD5 EXTERNAL ANONYMOUS XOAUTH2 OAUTHBEARER);

# The object is lent the list for a moment: its own is for the next connection too. (As a string that never was
# anything else: the Cyrus modules pass over what Perl holds in another way.)
sub new {
    my ($class, $object, $host, @names) = @_;

    my $self = bless {object => $object, names => \@names, said => []}, $class;
    my $own = _try($object, 'mechanism');
    _try($object, mechanism => "@names");
    my $client = $self->_ask($object, client_new => 'smtp', $host, 0);
    _try($object, mechanism => defined $own ? "$own" : undef);
    $self->{client} = $client if ref $client;
    $self->_forbid_layer;
    return $self;
}

# TLS is there for that. The Perl modules over the Cyrus library do not know the name, but hand on the library's own
# number (101) and structure: strengths from 0 to 0, a buffer, no flags, no other properties.
sub _forbid_layer {
    my ($self) = @_;

    $self->_of(property => $self->_is_cyrus ? (101, pack 'I4 J2', 0, 0, 0xFFFF, 0, 0, 0) : (maxssf => 0));
    return;
}

sub _is_cyrus {
    my ($self) = @_;

    return $self->{client} && grep { UNIVERSAL::isa($self->{client}, "Authen::SASL::$_") } qw(XS Cyrus);
}

# A method of the object's in scalar context, and what it died of.
sub _try {
    my ($object, $method, @arguments) = @_;

    local ($@, $SIG{__DIE__});
    my $result;
    return $result if eval { $result = $object->$method(@arguments); 1 };
    my $died = ref $@ || length $@ ? $@ : 'it died';
    return wantarray ? (undef, $died) : undef;
}

# The same for what matters: what it died of is its complaint.
sub _ask {
    my ($self, $object, $method, @arguments) = @_;

    (my $result, $self->{died}) = _try($object, $method, @arguments);
    return $result;
}

sub _can { return $_[0]{client} && eval { $_[0]{client}->can($_[1]) } }

sub _of {
    my ($self, $method, @arguments) = @_;

    return $self->_can($method) ? scalar _try($self->{client}, $method, @arguments) : undef;
}

# The name that it has taken of those it was given; undef when it does not say.
sub mechanism {
    my ($self) = @_;

    my $taken = uc($self->_of('mechanism') // '');
    my ($name) = grep { $_ eq $taken } @{ $self->{names} };
    return $name;
}

# ---- what it says: octets, or undef where it will not speak or must not ----

sub start { return $_[0]->_say('client_start') }
sub step  { return $_[0]->_say(client_step => $_[1]) }

sub _say {
    my ($self, $method, @arguments) = @_;

    return undef if !$self->{client};
    my $said = $self->_ask($self->{client}, $method, @arguments);
    $said = '' if !defined $said && !defined $self->{died} && $self->_means_nothing_by_undef;
    return undef if !defined $said;
    if (!utf8::downgrade($said = "$said", 1)) {
        $self->{died} = 'a character above 255; give it user and password as octets, e.g. by Encode::encode';
        return undef;
    }
    push @{ $self->{said} }, $said, grep { length > 3 } split /[\0\x01]/, $said;
    return $said;
}

# Authen::SASL's GSSAPI and the Cyrus modules have undef for an empty response. Cyrus' code is below 0 for an error.
sub _is_content { return $_[0]->_is_cyrus && ($_[0]->_of('code') // -1) >= 0 }

sub _means_nothing_by_undef {
    my ($self) = @_;

    return $self->_is_content if $self->_is_cyrus;
    return ($self->mechanism // '') =~ /\AGSS/ && !defined $self->_of('error');
}

# ---- what it thinks ----

# 1 when the login is done and the server is who it should be.
sub is_success {
    my ($self) = @_;

    return ($self->_of('code') // -1) == 0 if $self->_is_cyrus;
    my $needs_step = $self->_of('need_step');
    return 1 if !$needs_step && $self->_of('is_success');
    return 0 if defined $self->complaint;
    # Authen::SASL's GSSAPI never says it is done; it knows how strong its layer is once the server has proved itself
    return defined $self->_of(property => 'ssf') if $self->mechanism eq 'GSSAPI';
    return $proves_nothing{ $self->mechanism };
}

# Cyrus' modules give an address for the strength, but without a layer their encode changes nothing.
sub has_layer {
    my ($self) = @_;

    return ($self->_of(property => 'ssf') || 0) > 0 if !$self->_is_cyrus;
    return $self->is_success && ($self->_of(encode => 'x') // '') ne 'x';
}

# What it says is the matter, as one line without what it has been told in secret; undef when nothing is.
sub complaint {
    my ($self) = @_;

    my @said = defined $self->{died} ? $self->{died} : $self->_errors;
    my $words = join ': ', grep { length } map { $self->_words($_) } grep { defined } @said;
    return length $words ? $words : undef;
}

# Cyrus has words for success too, and forgets an error once it has told it.
sub _errors {
    my ($self) = @_;

    return if !$self->_can('error') || $self->_is_content;
    local ($@, $SIG{__DIE__});
    return @{ $self->{errors} ||= [eval { $self->{client}->error }] } if $self->_is_cyrus;
    return eval { $self->{client}->error };
}

# The first line, without the place of a die. What an OAuth server says comes as a hash.
sub _words {
    my ($self, $said) = @_;

    local ($@, $SIG{__DIE__});
    my $words = eval {
        ref $said eq 'HASH' ? join ', ', map { "$_ " . ($said->{$_} // '') } sort keys %$said : "$said";
    } // 'it died';
    $words = $self->_without_secrets($words);
    $words =~ s/\A\s+|\s*[\r\n].*\z//gs;
    $words =~ s/ at \S+ line [0-9]+(?:, <.*> \w+ [0-9]+)?\.?\z//;
    substr($words, $WORDS_MAX) = '...' if length $words > $WORDS_MAX;
    return Net::SMTP::AuthC::Error::visible($words);
}

sub _without_secrets {
    my ($self, $words) = @_;

    my $password = eval { $self->{object}->callback('pass') };
    my @secrets = grep { defined && !ref && length } @{ $self->{said} }, $password;
    $words =~ s/\Q$_\E/***/g for sort { length $b <=> length $a } @secrets;
    return $words;
}

1;
