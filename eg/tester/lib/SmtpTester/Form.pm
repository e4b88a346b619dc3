# Form: what somebody has filled in: read strictly, and what is wrong with it said by name.
package SmtpTester::Form;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::HostName;
use SmtpTester::Network;

our @SECURITIES = (
    [auto     => 'usual for the port'],
    [tls      => 'TLS from the start (usual for 465)'],
    [starttls => 'STARTTLS (usual for the others)'],
    [none     => 'none, and no password that could be read'],
);
our @MECHANISMS = ('', qw(SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1
    PLAIN LOGIN CRAM-MD5 OAUTHBEARER XOAUTH2));
our @FORMS  = qw(page json text);
my @FIELDS  = qw(host port security mechanism user password mail as token);
my $LONGEST = 4096;

# A form from the octets of a body. One with a mistake has it in $form->{mistake}, and is good for nothing but to be
# shown again.
sub read {
    my ($class, $body, @ports) = @_;

    my $self = bless {map { $_ => '' } @FIELDS}, $class;
    $self->{mistake} = $self->_fill($body) // $self->_wrong_field(@ports) // $self->_wrong_login;
    return $self;
}

sub empty { return bless {(map { $_ => '' } @FIELDS), port => 587, security => 'auto', as => 'page'}, $_[0] }

# application/x-www-form-urlencoded, of UTF-8; each field once.
sub _fill {
    my ($self, $body) = @_;

    my %seen;
    for my $pair (split /&/, $body) {
        my ($name, $value) = map { _decoded($_) } split /=/, $pair, 2;
        return 'the form is not UTF-8' if !defined $name || !defined $value;
        return 'the form has a field that it should not have' if !exists $self->{$name} || $seen{$name}++;
        return "$name: too long" if length $value > $LONGEST;
        $self->{$name} = $value;
    }
    return undef;
}

sub _decoded {
    my ($text) = @_;

    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return utf8::decode($text) ? $text : undef;
}

sub _wrong_field {
    my ($self, @ports) = @_;

    for my $name (grep { $_ ne 'password' } @FIELDS) {
        return "$name: has a control character" if $self->{$name} =~ /[\x00-\x1f\x7f-\x9f\x{2028}\x{2029}]/;
        $self->{$name} =~ s/\A\s+|\s+\z//g;
    }
    $self->{$_->[0]} = $_->[1] for grep { $self->{$_->[0]} eq '' } ['security', 'auto'], ['as', 'page'];
    return 'port: one of ' . join ', ', @ports if !grep { $self->{port} eq $_ } @ports;
    return 'security: unknown'  if !grep { $self->{security} eq $_->[0] } @SECURITIES;
    return 'mechanism: unknown' if !grep { $self->{mechanism} eq $_ } @MECHANISMS;
    return 'answer: unknown'    if !grep { $self->{as} eq $_ } @FORMS;
    return $self->_wrong_host;
}

# A name of DNS or an address in its usual spelling. What ends like a number would be read as an address by some
# resolvers: "2130706433", "0x7f.1", "127.1".
sub _wrong_host {
    my ($self) = @_;

    my $host = $self->{host} =~ s/\A\[(.*)\]\z/$1/sr;
    return 'host: is needed' if $host eq '';
    if ($host =~ /:|\A[0-9.]+\z/) {
        my $octets = $host =~ /[^0-9A-Fa-f.:]/ ? undef : SmtpTester::Network::octets($host);
        $self->{address} = $octets // return 'host: no IP address in its usual spelling';
        $self->{host} = SmtpTester::Network::literal($octets);
        return undef;
    }
    $host = eval { Net::SMTP::AuthC::HostName->to_ascii($host, 'host') } // return 'host: no host name';
    my $label = qr/[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?/;
    return 'host: no host name' if length $host > 253 || $host !~ /\A$label(?:\.$label)*\.?\z/;
    return 'host: ends like a number, which is no host name' if $host =~ /(?:\A|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?\z/;
    $self->{host} = lc $host =~ s/\.\z//r;
    return undef;
}

sub _wrong_login {
    my ($self) = @_;

    return 'password: has a line end or a NUL' if $self->{password} =~ /[\r\n\0]/;
    return 'password: is needed with a user'   if $self->{user} ne '' && $self->{password} eq '';
    return 'user: is needed with a password'   if $self->{user} eq '' && $self->{password} ne '';
    return undef;
}

# ---- what follows from it ----

sub is_token { return $_[0]{mechanism} =~ /\A(?:OAUTHBEARER|XOAUTH2)\z/ }

# As a server's address, of the host or of one of its addresses.
sub server {
    my ($self, $place) = @_;

    $place //= $self->{host};
    my $security = $self->{security} eq 'auto' ? $self->{port} == 465 ? 'tls' : 'starttls' : $self->{security};
    my $host     = $place =~ /:/ ? "[$place]" : $place;
    return ($security eq 'tls' ? 'smtps' : 'smtp') . "://$host:$self->{port}" . ($security eq 'none' ? '?tls=none' : '');
}

1;
