# A SASL object for tests, of the form of Authen::SASL's, whose mechanisms are subs; what it was asked is kept.
package ToySasl;
use strict;
use warnings;
use MIME::Base64 ();
use RawLogin;

# mechanism: the list of names, as Authen::SASL has it. knows: {name => row}; order: which is preferred. A row has
# start (text or sub, '' by default), step (sub that gets the challenge), success (value or sub, 1 by default), error,
# ssf and need_step. reports: the name that the client says it has taken; reports_list: the whole list instead, as
# Cyrus' does.
sub new {
    my ($class, %self) = @_;
    return bless { asked => [], pass => 'secret', %self }, $class;
}

sub mechanism {
    my ($self, @new) = @_;
    $self->{mechanism} = $new[0] if @new;
    return $self->{mechanism};
}

sub callback { return $_[0]{ $_[1] } }
sub asked { return @{ $_[0]{asked} } }

sub client_new {
    my ($self, @arguments) = @_;
    push @{ $self->{asked} }, [@arguments];
    my %wanted = map { uc $_ => 1 } split ' ', $self->{mechanism} || '';
    my ($name) = grep { $wanted{ uc $_ } } @{ $self->{order} || [sort keys %{ $self->{knows} }] };
    die "No SASL mechanism found\n" if !defined $name;
    my %row = (name => $self->{reports} || $name, start => '', success => 1, %{ $self->{knows}{$name} });
    $row{name} = $self->{mechanism} if $self->{reports_list};
    return bless { %row, parent => $self, property => {} }, 'ToySasl::Client';
}

# The usual mechanisms, for demo with the password secret, or the octets given.
sub usual {
    my ($class, $names, %more) = @_;
    my $user = defined $more{user} ? $more{user} : 'demo';
    my $password = defined $more{pass} ? $more{pass} : 'secret';
    my @said;
    my %knows = (
        'PLAIN' => { start => "\0$user\0$password" },
        'LOGIN' => { start => sub { @said = ($user, $password); '' }, step => sub { shift @said }, success => 0 },
        'CRAM-MD5' => { step => sub { "$user " . RawLogin::hmac_md5_hex($password, $_[1]) }, success => 0 },
        'DIGEST-MD5' => { step => sub { _digest_md5($user, $password, @_) }, success => sub { $_[0]{is_done} } },
    );
    return $class->new(mechanism => $names, knows => \%knows, order => [qw(DIGEST-MD5 CRAM-MD5 PLAIN LOGIN)], %more);
}

sub _digest_md5 {
    my ($user, $password, $client, $challenge) = @_;
    if ($client->{proof}) {
        $client->{is_done} = $challenge eq "rspauth=$client->{proof}";
        return $client->{is_done} ? '' : $client->fail('the server does not know the password');
    }
    my ($realm, $nonce) = map { $challenge =~ /$_="([^"]*)"/ } qw(realm nonce);
    my %is = (user => $user, realm => $realm, password => $password, nonce => $nonce, cnonce => 'c10eb3cafe',
        uri => 'smtp/' . $client->{parent}{asked}[-1][1]);
    (my $response, $client->{proof}) = RawLogin::digest_md5(%is);
    return qq(username="$user",realm="$realm",nonce="$nonce",cnonce="$is{cnonce}",nc=00000001,qop=auth,)
        . qq(digest-uri="$is{uri}",response=$response);
}

package ToySasl::Client;

sub mechanism { return $_[0]{name} }
sub client_start { return $_[0]->_give('start') }
sub client_step { return $_[0]->_give(step => $_[1]) }
sub is_success { return !defined $_[0]{error} && $_[0]->_give('success') }
sub need_step { return $_[0]{need_step} }
sub error { return ref $_[0]{error} eq 'CODE' ? $_[0]{error}->() : $_[0]{error} }

sub fail {
    my ($self, $why) = @_;
    $self->{error} = $why;
    return;
}

sub property {
    my ($self, $name, @new) = @_;
    return $self->{property}{$name} = $new[0] if @new;
    return $name eq 'ssf' ? ref $self->{ssf} ? $self->{ssf}->() : $self->{ssf} : $self->{property}{$name};
}

sub _give {
    my ($self, $what, @more) = @_;
    my $thing = $self->{$what};
    return ref $thing eq 'CODE' ? scalar $thing->($self, @more) : $thing;
}

1;
