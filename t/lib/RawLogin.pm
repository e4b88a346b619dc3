# The client's side of SASL mechanisms in plain Perl, by the RFCs alone, for tests of the server's side.
package RawLogin;
use strict;
use warnings;
use Digest::MD5 qw(md5 md5_hex);
use Digest::SHA;
use MIME::Base64 qw(encode_base64 decode_base64);

# hash: 1, 256 or 512. user and password are octets, prepared. flag: n, y or p=NAME. binding: its octets.
sub scram {
    my ($class, %want) = @_;
    my $self = bless { hash => 256, user => 'demo', password => 'secret', flag => 'n', binding => '',
        nonce => 'c0ffeec0ffeec0ffeec0ffee', %want }, $class;
    my ($user, $identity) = map { my $text = $_; $text =~ s/([,=])/sprintf '=%02X', ord $1/ge; $text }
        $self->{user}, defined $self->{identity} ? $self->{identity} : '';
    $self->{header} = "$self->{flag}," . (length $identity ? "a=$identity" : '') . ',';
    $self->{bare} = "n=$user,r=$self->{nonce}";
    return $self;
}

sub first { return $_[0]{header} . $_[0]{bare} }

# The client's final message; from then on signature tells what the server's must be.
sub final {
    my ($self, $server_first) = @_;
    my ($nonce, $salt, $count) = map { $server_first =~ /(?:\A|,)$_=([^,]*)/ ? $1 : '' } qw(r s i);
    my $final = 'c=' . encode_base64($self->{header} . $self->{binding}, '') . ",r=$nonce";
    my $salted = $self->_pbkdf2(decode_base64($salt), $count);
    my $key = $self->_hmac($salted, 'Client Key');
    my $message = join ',', $self->{bare}, $server_first, $final;
    my $stored = $self->_digest($key);
    $self->{signature} = encode_base64($self->_hmac($self->_hmac($salted, 'Server Key'), $message), '');
    return "$final,p=" . encode_base64($key ^ $self->_hmac($stored, $message), '');
}

sub signature { return $_[0]{signature} }

sub _digest { return Digest::SHA->new($_[0]{hash})->add($_[1])->digest }

# RFC 2104
sub _hmac {
    my ($self, $key, $octets) = @_;
    my $block = $self->{hash} == 512 ? 128 : 64;
    $key = $self->_digest($key) if length $key > $block;
    $key .= "\0" x ($block - length $key);
    return $self->_digest(($key ^ "\x5c" x $block) . $self->_digest(($key ^ "\x36" x $block) . $octets));
}

sub _pbkdf2 {
    my ($self, $salt, $count) = @_;
    my $hmac = Digest::SHA->can("hmac_sha$self->{hash}");
    my $all = my $one = $hmac->("$salt\0\0\0\1", $self->{password});
    for (2 .. $count || 1) { $all ^= $one = $hmac->($one, $self->{password}) }
    return $all;
}

# DIGEST-MD5 with values as RFC 2831 section 2.1.2.1 hashes them: the response, and the server's.
sub digest_md5 {
    my (%is) = @_;
    my $start = md5("$is{user}:$is{realm}:$is{password}") . ":$is{nonce}:$is{cnonce}";
    $start .= ":$is{authzid}" if defined $is{authzid};
    return map { md5_hex(join ':', md5_hex($start), $is{nonce}, '00000001', $is{cnonce}, 'auth',
        md5_hex("$_:$is{uri}")) } 'AUTHENTICATE', '';
}

sub hmac_md5_hex {
    my ($key, $octets) = @_;
    $key .= "\0" x (64 - length $key);
    return md5_hex(($key ^ "\x5c" x 64) . md5(($key ^ "\x36" x 64) . $octets));
}

# A whole login over a RawClient. Answers: octets, a sub that makes them of the last challenge, or a reference to a
# line that goes out as it is; an undefined initial response is none. Returns the replies, challenges decoded.
sub talk {
    my ($client, $mechanism, $initial, @answers) = @_;
    my $line = "AUTH $mechanism";
    $line .= ' ' . (length $initial ? encode_base64($initial, '') : '=') if defined $initial;
    my @replies = _decoded($client->say($line));
    while (@answers && $replies[-1] =~ /\A334/) {
        my $answer = shift @answers;
        $answer = $answer->(substr $replies[-1], 4) if ref $answer eq 'CODE';
        push @replies, _decoded($client->say(ref $answer ? $$answer : encode_base64($answer, '')));
    }
    return @replies;
}

sub _decoded {
    my ($reply) = @_;
    $reply =~ s/\r\n\z//;
    return $reply =~ m{\A334 ([A-Za-z0-9+/]+=*)\z} ? '334 ' . decode_base64($1) : $reply;
}

# SCRAM as talk: AUTH, the proof, and an empty line behind the signature.
sub talk_scram {
    my ($client, %want) = @_;
    my $scram = __PACKAGE__->scram(%want);
    my $name = $want{mechanism} || "SCRAM-SHA-$scram->{hash}" . ($scram->{flag} =~ /\Ap/ ? '-PLUS' : '');
    return ($scram, talk($client, $name, $scram->first, sub { $scram->final($_[0]) }, ''));
}

# A mechanism of the sandbox without a connection: answers as for talk, the first is the initial response. Returns its
# challenges, and at the end "user NAME", "refused" or the reply.
sub alone {
    my ($name, $answers, %self) = @_;
    my @asked;
    my $exchange = Net::SMTP::AuthC::Sandbox::Mechanisms->new(name => 'mx', scram_iterations => 50,
        scram_signature => '334', users => { demo => 'secret' }, binding => sub { undef },
        initial => encode_base64(shift @$answers, ''), %self, talk => sub {
            push @asked, decode_base64(substr $_[0], 4);
            my $answer = shift @$answers;
            return encode_base64(ref $answer ? $answer->($asked[-1]) : $answer, '');
        });
    my ($user, $identity) = eval { $exchange->run($name) };
    return (@asked, ref $@ ? $@->{reply} : $@ ? $@ : defined $user ? "user $user" : 'refused');
}

1;
