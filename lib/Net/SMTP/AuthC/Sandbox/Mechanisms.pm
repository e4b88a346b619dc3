# The server's side of every SASL mechanism the sandbox knows: one row each, and the exchange they talk through.
package Net::SMTP::AuthC::Sandbox::Mechanisms;
use strict;
use warnings;
use Digest::MD5 qw(md5 md5_hex);
use MIME::Base64 qw(encode_base64 decode_base64);
use Time::HiRes qw(time);

use constant LINE_LIMIT => 12288 + 2;    # RFC 4954 section 4

# The CRAM-MD5 challenge of a server that once put LF, Z and octet 2 behind its host name.
use constant DAMAGED => "<23891.1015983493\@pioneer.host-serve.net\nZ\x02>";

# initial: whether an initial response may follow AUTH. run: talks through the exchange, returns the user or dies
# with {reply => ...}; an undefined user means wrong credentials.
my %mechanism = (
    'PLAIN'    => { initial => 1, run => \&_plain },
    'LOGIN'    => { initial => 1, run => \&_login },
    'CRAM-MD5' => { initial => 0, run => \&_cram_md5 },
);

sub names { return sort keys %mechanism }

# $talk->($line) sends a line as a 334 and returns what the client answered. users: {name octets => password octets}.
sub new {
    my ($class, %self) = @_;
    return bless {%self}, $class;
}

# Returns (user, authorization identity); (undef) for wrong credentials; dies with {reply => ...} otherwise.
sub run {
    my ($self, $name) = @_;
    my $row = $mechanism{$name};
    my $initial = $self->{initial};
    die { reply => '501 5.7.0 No initial response with this mechanism' } if defined $initial && !$row->{initial};
    $self->{initial} = $initial eq '=' ? '' : $self->_decoded($initial) if defined $initial;
    return $row->{run}->($self);
}

# Strict base64 (RFC 4648 section 4, RFC 4954 section 4); undef for anything else.
sub decode {
    my ($text) = @_;
    return undef unless $text =~ m{\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z};
    my $octets = decode_base64($text);
    return encode_base64($octets, '') eq $text ? $octets : undef;
}

sub hmac_md5_hex {
    my ($key, $octets) = @_;
    $key = md5($key) if length $key > 64;
    $key .= "\0" x (64 - length $key);
    return md5_hex(($key ^ ("\x5c" x 64)) . md5(($key ^ ("\x36" x 64)) . $octets));
}

sub _decoded {
    my ($self, $text) = @_;
    my $octets = decode($text);
    die { reply => '501 5.5.2 Cannot decode this base64' } unless defined $octets;
    return $octets;
}

# Sends a challenge, returns the response, both as octets.
sub _ask {
    my ($self, $challenge) = @_;
    return $self->_decoded($self->_ask_plainly(encode_base64($challenge, '')));
}

sub _ask_plainly {
    my ($self, $text) = @_;
    my $line = $self->{talk}->("334 $text");
    die { reply => '500 5.5.6 Authentication exchange line is too long' } unless defined $line;
    die { reply => '501 5.7.0 Authentication cancelled' } if $line eq '*';
    return $line;
}

sub _first {
    my ($self, $challenge) = @_;
    return defined $self->{initial} ? $self->{initial} : $self->_ask($challenge);
}

sub _is_password {
    my ($self, $user, $password) = @_;
    return defined $self->{users}{$user} && $self->{users}{$user} eq $password;
}

# RFC 4616: [authzid] NUL authcid NUL passwd
sub _plain {
    my ($self) = @_;
    return $self->_legacy_plain if $self->{legacy_plain};
    my ($identity, $user, $password, @more) = split /\0/, $self->_first(''), -1;
    return undef if @more || !defined $password || !length $user || !length $password;
    return $self->_is_password($user, $password) ? ($user, $identity) : undef;
}

# The dialogue of servers that prompt in clear text and take clear text.
sub _legacy_plain {
    my ($self) = @_;
    die { reply => '501 5.7.0 No initial response here' } if defined $self->{initial};
    my $user = $self->_ask_plainly('Username:');
    my $password = $self->_ask_plainly('Password:');
    return $self->_is_password($user, $password) ? $user : undef;
}

sub _login {
    my ($self) = @_;
    my $user = $self->_first('Username:');
    my $password = $self->_ask('Password:');
    return $self->_is_password($user, $password) ? $user : undef;
}

# RFC 2195: user SP hex(HMAC-MD5(password, challenge)); a user name may hold spaces
sub _cram_md5 {
    my ($self) = @_;
    my $challenge = $self->{damaged_challenge} ? DAMAGED : sprintf '<%d.%.6f@%s>', $$, time, $self->{name};
    my ($user, $digest) = $self->_ask($challenge) =~ /\A(.*) ([0-9a-f]{32})\z/s or return undef;
    my $password = $self->{users}{$user};
    return defined $password && hmac_md5_hex($password, $challenge) eq $digest ? $user : undef;
}

1;
