# The server's side of SCRAM (RFC 5802, RFC 7677), with and without channel binding, and what faults make of it.
package Net::SMTP::AuthC::Sandbox::Mechanisms::Scram;
use strict;
use warnings;
use Digest::MD5 qw(md5);
use Digest::SHA qw(sha1 sha256 sha256_hex sha512 hmac_sha1 hmac_sha256 hmac_sha512);
use MIME::Base64 qw(encode_base64);

use constant DEAREST => 1_000_000;    # a bigger iteration count can be told to a client, but is not worked through

my %hash = (1 => [ \&sha1, \&hmac_sha1 ], 256 => [ \&sha256, \&hmac_sha256 ], 512 => [ \&sha512, \&hmac_sha512 ]);
my %binding = map { $_ => 1 } qw(tls-exporter tls-unique tls-server-end-point);
my %salted;    # of this process; the folder of the sandbox holds those of all

# What a fault can make of the server's first message by name: a list of [letter, text], changed in place.
my %twist = (
    'nonce-not-ours'     => sub { my ($list) = @_; $list->[0][1] =~ s/\A(.)/$1 eq 'X' ? 'Y' : 'X'/e },
    'nonce-not-extended' => sub { my ($list, $client) = @_; $list->[0][1] = $client },
    'no-salt'            => sub { my ($list) = @_; @$list = grep { $_->[0] ne 's' } @$list },
    'no-count'           => sub { my ($list) = @_; @$list = grep { $_->[0] ne 'i' } @$list },
    'other-order'        => sub { my ($list) = @_; @$list[ 0, 1 ] = @$list[ 1, 0 ] },
    'success'            => sub { },
);

# Whether a fault may say this: a name, or an attribute by its letter.
sub knows_first { return !grep { ref || !$twist{$_} && !/\A[A-Za-z]=/ } _list($_[0]) }
sub knows_last  { return $_[0] =~ /\A(?:none|wrong|[A-Za-z]=.*|)\z/s }

# Called by a row of Mechanisms; hash and binds are its own.
sub run {
    my ($exchange, $row) = @_;
    my ($digest, $hmac) = @{ $hash{ $row->{hash} } };
    my $self = bless { exchange => $exchange, %$row, digest => $digest, hmac => $hmac }, __PACKAGE__;
    my @twists = _list($exchange->{fault}{scram_first});
    my $error = $self->_hear_first($exchange->first(''));
    return @$self{qw(user identity)} if grep { $_ eq 'success' } @twists;
    ($error) = map { /\Ae=(.*)/s ? $1 : () } @twists, defined $error ? "e=$error" : ();
    return $self->_fail($error) if defined $error;
    $error = $self->_hear_final($exchange->ask($self->_say_first(@twists)));
    return $self->_say_final($error);
}

sub _list { return map { ref eq 'ARRAY' ? @$_ : defined $_ ? $_ : () } $_[0] }

sub _fail {
    my ($self, $error) = @_;
    $self->{exchange}->ask("e=$error");
    return undef;
}

# The client's first message. Undef, or the value of an e= (RFC 5802 section 7).
sub _hear_first {
    my ($self, $message) = @_;
    my $name = qr/(?:[^,=]|=2C|=3D)+/;
    my ($header, $flag, $identity, $bare) = $message =~ /\A((n|y|p=[A-Za-z0-9.-]+),(?:a=($name))?,)(.*)\z/s
        or return 'invalid-encoding';
    return 'extensions-not-supported' if $bare =~ /\Am=/;
    my ($user, $nonce) = $bare =~ /\An=($name),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*\z/
        or return 'invalid-encoding';
    for (grep { defined } $user, $identity) { s/=2C/,/g; s/=3D/=/g }
    @$self{qw(header bare user identity client_nonce)} = ($header, $bare, $user, $identity, $nonce);
    return $self->_wrong_binding($flag);
}

# RFC 5802 section 6
sub _wrong_binding {
    my ($self, $flag) = @_;
    my $exchange = $self->{exchange};
    my ($name) = $flag =~ /\Ap=(.*)/;
    return 'server-does-support-channel-binding' if $flag eq 'y' && ($self->{binds} || $exchange->{offers_plus});
    return defined $name ? 'channel-binding-not-supported' : undef unless $self->{binds};
    return 'other-error' unless defined $name;
    $self->{binding} = $exchange->{binding}->($name) if $binding{$name};
    return defined $self->{binding} ? undef : 'unsupported-channel-binding-type';
}

sub _say_first {
    my ($self, @twists) = @_;
    my $exchange = $self->{exchange};
    my $salt = md5(join "\0", $self->{hash}, $self->{user}, defined $exchange->{folder} ? $exchange->{folder} : '');
    my @list = ([ r => $self->{client_nonce} . Net::SMTP::AuthC::Sandbox::Mechanisms::nonce() ],
        [ s => encode_base64($salt, '') ], [ i => $exchange->{scram_iterations} ]);
    for (@twists) { _twist(\@list, $_, $self->{client_nonce}) }
    my %sent = map { @$_ } @list;
    $self->{nonce} = $sent{r};
    my $sent_salt = Net::SMTP::AuthC::Sandbox::Mechanisms::decode(defined $sent{s} ? $sent{s} : '!');
    $self->{salt} = defined $sent_salt ? $sent_salt : $salt;
    my $fits = defined $sent{i} && $sent{i} =~ /\A[0-9]{1,7}\z/ && $sent{i} > 0 && $sent{i} <= DEAREST;
    $self->{count} = $fits ? $sent{i} : $exchange->{scram_iterations};
    return $self->{server_first} = join ',', map { "$_->[0]=$_->[1]" } @list;
}

# A name does what its row says; an attribute replaces its own, or joins: m= in front, others at the end.
sub _twist {
    my ($list, $what, $client_nonce) = @_;
    return $twist{$what}->($list, $client_nonce) if $twist{$what};
    my ($letter, $text) = $what =~ /\A(.)=(.*)\z/s;
    for (grep { $_->[0] eq $letter } @$list) { return $_->[1] = $text }
    return $letter eq 'm' ? unshift @$list, [ $letter, $text ] : push @$list, [ $letter, $text ];
}

# The client's final message. Undef, or the value of an e=.
sub _hear_final {
    my ($self, $message) = @_;
    my ($bare, $bound, $nonce, $proof) = $message =~ /\A(c=([^,]+),r=([^,]+)(?:,[A-Za-z]=[^,]+)*),p=([^,]+)\z/
        or return 'invalid-encoding';
    ($bound, $proof) = map { Net::SMTP::AuthC::Sandbox::Mechanisms::decode($_) } $bound, $proof;
    return 'invalid-encoding' unless defined $bound && defined $proof;
    my $binding = defined $self->{binding} ? $self->{binding} : '';
    return 'channel-bindings-dont-match' if $bound ne $self->{header} . $binding;
    return 'other-error' if $nonce ne $self->{nonce};
    return $self->_is_proof($proof, join ',', $self->{bare}, $self->{server_first}, $bare) ? undef : 'invalid-proof';
}

# Whether the client knows the password; keeps the signature by which the server shows that it does too.
sub _is_proof {
    my ($self, $proof, $message) = @_;
    my ($digest, $hmac) = @$self{qw(digest hmac)};
    my $password = $self->_password;
    my $salted = $self->_salted(defined $password ? $password : '');
    my $client_key = $hmac->('Client Key', $salted);
    $self->{signature} = $hmac->($message, $hmac->('Server Key', $salted));
    return defined $password && $proof eq ($client_key ^ $hmac->($message, $digest->($client_key)));
}

# Clients prepare name and password before they hash them, so both are found by what preparation makes of them.
sub _password {
    my ($self) = @_;
    my $users = $self->{exchange}{users};
    my ($name) = grep { _prepared($_) eq _prepared($self->{user}) } sort keys %$users;
    return undef unless defined $name;
    $self->{user} = $name;
    return _prepared($users->{$name});
}

# SASLprep (RFC 4013) without its refusals.
sub _prepared {
    my ($octets) = @_;
    return $octets unless $octets =~ /[\x80-\xff]/ && utf8::decode(my $text = $octets);
    require Unicode::Normalize;
    $text =~ s/[\x{ad}\x{34f}\x{1806}\x{180b}-\x{180d}\x{200b}-\x{200d}\x{2060}\x{fe00}-\x{fe0f}\x{feff}]//g;
    $text =~ s/[\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]/ /g;
    $text = Unicode::Normalize::NFKC($text);
    utf8::encode($text);
    return $text;
}

# PBKDF2, worked out once for each password, salt and count in all sessions of a sandbox.
sub _salted {
    my ($self, $password) = @_;
    my ($salt, $count, $folder) = (@$self{qw(salt count)}, $self->{exchange}{folder});
    my $key = sha256_hex(join "\0", $self->{hash}, $password, $count + 0, $salt);
    my $path = defined $folder ? "$folder/salted-$key" : undef;
    return $salted{$key} if defined($salted{$key} ||= defined $path ? _read($path) : undef);
    my $sum = my $block = $self->{hmac}->("$salt\0\0\0\1", $password);
    for (2 .. $count) { $sum ^= $block = $self->{hmac}->($block, $password) }
    _write($path, $sum) if defined $path;
    return $salted{$key} = $sum;
}

sub _read {
    my ($path) = @_;
    open my $handle, '<:raw', $path or return undef;
    local $/;
    return scalar <$handle>;
}

# Renamed into place: another session must not read a part of it.
sub _write {
    my ($path, $octets) = @_;
    open my $handle, '>:raw', "$path.$$" or return;
    return print({$handle} $octets) && close($handle) && rename "$path.$$", $path;
}

# The server's final message, in a 334 or inside the 235; a fault can say something else, or nothing.
sub _say_final {
    my ($self, $error) = @_;
    my ($exchange, $say) = ($self->{exchange}, $self->{exchange}{fault}{scram_last});
    my $signature = $self->{signature};
    $signature =~ s/(.)\z/chr(ord($1) ^ 1)/se if defined $say && $say eq 'wrong' && defined $signature;
    my $last = defined $error ? "e=$error" : 'v=' . encode_base64($signature, '');
    $last = $say if defined $say && $say !~ /\A(?:none|wrong)\z/;
    my $good = !defined $error && $last !~ /\Ae=/;
    my @result = $good ? @$self{qw(user identity)} : undef;
    return @result if defined $say && $say eq 'none';
    return $self->_fail($1) if $last =~ /\Ae=(.*)/s;
    return undef unless $good;
    $self->_say_inside($last) or $exchange->tell($last);
    return @result;
}

sub _say_inside {
    my ($self, $last) = @_;
    my $exchange = $self->{exchange};
    return 0 if $exchange->{scram_signature} eq '334';
    $exchange->{proof} = encode_base64($last, '');
    return 1;
}

1;
