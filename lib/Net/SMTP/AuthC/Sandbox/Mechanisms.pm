# The server's side of every SASL mechanism the sandbox knows: one row each, and the exchange they talk through.
package Net::SMTP::AuthC::Sandbox::Mechanisms;
use strict;
use warnings;
use Digest::MD5 qw(md5 md5_hex);
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::SMTP::AuthC::Sandbox::Mechanisms::DigestMD5;
use Net::SMTP::AuthC::Sandbox::Mechanisms::OAuth;
use Net::SMTP::AuthC::Sandbox::Mechanisms::Scram;
use Time::HiRes qw(time);

use constant LINE_LIMIT => 12288 + 2;    # RFC 4954 section 4

# The CRAM-MD5 challenge of a server that once put LF, Z and octet 2 behind its host name.
use constant DAMAGED => "<23891.1015983493\@pioneer.host-serve.net\nZ\x02>";

my $digest = 'Net::SMTP::AuthC::Sandbox::Mechanisms::DigestMD5';
my $oauth  = 'Net::SMTP::AuthC::Sandbox::Mechanisms::OAuth';
my $scram  = 'Net::SMTP::AuthC::Sandbox::Mechanisms::Scram';

# initial: whether an initial response may follow AUTH. run: talks through the exchange, returns the user or dies
# with {reply => ...}; an undefined user means wrong credentials. binds: needs a channel binding.
my %mechanism = (
    'PLAIN'              => { initial => 1, run => \&_plain },
    'LOGIN'              => { initial => 1, run => \&_login },
    'CRAM-MD5'           => { initial => 0, run => \&_cram_md5 },
    'DIGEST-MD5'         => { initial => 0, run => $digest->can('run') },
    'SCRAM-SHA-1'        => { initial => 1, run => $scram->can('run'), hash => 1 },
    'SCRAM-SHA-1-PLUS'   => { initial => 1, run => $scram->can('run'), hash => 1, binds => 1 },
    'SCRAM-SHA-256'      => { initial => 1, run => $scram->can('run'), hash => 256 },
    'SCRAM-SHA-256-PLUS' => { initial => 1, run => $scram->can('run'), hash => 256, binds => 1 },
    'SCRAM-SHA-512'      => { initial => 1, run => $scram->can('run'), hash => 512 },
    'SCRAM-SHA-512-PLUS' => { initial => 1, run => $scram->can('run'), hash => 512, binds => 1 },
    'OAUTHBEARER'        => { initial => 1, run => $oauth->can('oauthbearer') },
    'XOAUTH2'            => { initial => 1, run => $oauth->can('xoauth2') },
    'EXTERNAL'           => { initial => 1, run => \&_external },
    'ANONYMOUS'          => { initial => 1, run => \&_anonymous },
);

sub names { return sort keys %mechanism }

sub binds { return $mechanism{ uc $_[0] } && $mechanism{ uc $_[0] }{binds} }

# talk: takes a line, sends it as it is, returns what the client answered. remark: takes a note. users, oauth_tokens:
# {name octets => secret octets}. binding: gives the octets of a channel binding by name. offers_plus: whether some
# mechanism offered has one. certificate: the subject of the client's. fault: what a fault at the stage login has set.
# folder, and the options by their names.
sub new {
    my ($class, %self) = @_;
    return bless { users => {}, oauth_tokens => {}, fault => {}, remark => sub { }, %self }, $class;
}

# Returns (user, authorization identity); (undef) for wrong credentials; dies with {reply => ...} otherwise.
sub run {
    my ($self, $name) = @_;
    my $row = $mechanism{$name};
    my $initial = $self->{initial};
    die { reply => '501 5.7.0 No initial response with this mechanism' } if defined $initial && !$row->{initial};
    $self->{initial} = $initial eq '=' ? '' : $self->_decoded($initial) if defined $initial;
    my $endless = $self->{fault}{challenge};
    while (defined $endless) { $self->ask_plainly(encode_base64($endless, '')) }
    return $row->{run}->($self, $row);
}

# The reply to a login that succeeded.
sub success {
    my ($self) = @_;
    return defined $self->{proof} ? "$self->{scram_signature} $self->{proof}" : '235 2.7.0 Authentication successful';
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

# Letters and digits that nobody has seen before: enough for a server that guards nothing.
my $nonces = 0;
sub nonce { return md5_hex(join ' ', $$, time, rand, ++$nonces) }

sub _decoded {
    my ($self, $text) = @_;
    my $octets = decode($text);
    die { reply => '501 5.5.2 Cannot decode this base64' } unless defined $octets;
    return $octets;
}

# Sends a challenge, returns the response, both as octets.
sub ask {
    my ($self, $challenge) = @_;
    return $self->_decoded($self->ask_plainly(encode_base64($challenge, '')));
}

sub ask_plainly {
    my ($self, $text) = @_;
    my $line = $self->{talk}->("334 $text");
    die { reply => '500 5.5.6 Authentication exchange line is too long' } unless defined $line;
    die { reply => '501 5.7.0 Authentication cancelled' } if $line eq '*';
    return $line;
}

# A last challenge, to which the client has nothing to say.
sub tell {
    my ($self, $challenge) = @_;
    my $answer = $self->ask($challenge);
    die { reply => '501 5.7.0 There was nothing left to say' } if length $answer;
    return;
}

# The initial response, or the answer to this challenge when there was none.
sub first {
    my ($self, $challenge) = @_;
    return defined $self->{initial} ? $self->{initial} : $self->ask($challenge);
}

sub remark { return $_[0]{remark}->($_[1]) }

sub _is_password {
    my ($self, $user, $password) = @_;
    return defined $self->{users}{$user} && $self->{users}{$user} eq $password;
}

# RFC 4616: [authzid] NUL authcid NUL passwd
sub _plain {
    my ($self) = @_;
    return $self->_legacy_plain if $self->{legacy_plain};
    my ($identity, $user, $password, @more) = split /\0/, $self->first(''), -1;
    return undef if @more || !defined $password || !length $user || !length $password;
    return $self->_is_password($user, $password) ? ($user, $identity) : undef;
}

# The dialogue of servers that prompt in clear text and take clear text.
sub _legacy_plain {
    my ($self) = @_;
    die { reply => '501 5.7.0 No initial response here' } if defined $self->{initial};
    my $user = $self->ask_plainly('Username:');
    my $password = $self->ask_plainly('Password:');
    return $self->_is_password($user, $password) ? $user : undef;
}

sub _login {
    my ($self) = @_;
    my $user = $self->first('Username:');
    my $password = $self->ask('Password:');
    return $self->_is_password($user, $password) ? $user : undef;
}

# RFC 2195: user SP hex(HMAC-MD5(password, challenge)); a user name may hold spaces
sub _cram_md5 {
    my ($self) = @_;
    my $challenge = $self->{damaged_challenge} ? DAMAGED : sprintf '<%d.%.6f@%s>', $$, time, $self->{name};
    my ($user, $digest) = $self->ask($challenge) =~ /\A(.*) ([0-9a-f]{32})\z/s or return undef;
    my $password = $self->{users}{$user};
    return defined $password && hmac_md5_hex($password, $challenge) eq $digest ? $user : undef;
}

# RFC 4422 appendix A: the certificate says who it is, an identity may say it once more.
sub _external {
    my ($self) = @_;
    my $identity = $self->first('');
    my $subject = $self->{certificate};
    return undef unless defined $subject && length $subject;
    my $user = $subject =~ /(?:\A|,)CN=((?:\\.|[^\\,+])+)/s ? $1 : $subject;
    $user =~ s/\\([0-9A-Fa-f]{2}|.)/length $1 > 1 ? chr hex $1 : $1/ges;    # RFC 4514 section 2.4
    return length $identity && $identity ne $user ? undef : ($user, $identity);
}

# RFC 4505: a trace of who it is, an address or up to 255 characters without an @
sub _anonymous {
    my ($self) = @_;
    my $trace = my $text = $self->first('');
    return undef unless utf8::decode($text) && $text !~ /[\x00-\x1f\x7f]/;
    return $text =~ /@/ || length $text <= 255 ? ('anonymous', $trace) : undef;
}

1;
