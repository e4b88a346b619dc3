# The server's side of DIGEST-MD5 (RFC 2831): a first login with the quality auth, nothing more.
package Net::SMTP::AuthC::Sandbox::Mechanisms::DigestMD5;
use strict;
use warnings;
use Digest::MD5 qw(md5 md5_hex);

# Called by a row of Mechanisms.
sub run {
    my ($exchange) = @_;
    my %want = (realm => $exchange->{name}, nonce => Net::SMTP::AuthC::Sandbox::Mechanisms::nonce());
    my $challenge = qq(realm="$want{realm}",nonce="$want{nonce}",qop="auth",charset=utf-8,algorithm=md5-sess);
    my %said = directives($exchange->ask($challenge));
    return undef unless _is_in_order(\%said, \%want);
    my $user = $said{username};
    utf8::encode($user) unless _is_utf8(\%said);
    my $password = $exchange->{users}{$user};
    return undef unless defined $password && lc $said{response} eq digest(\%said, $password, 'AUTHENTICATE');
    $exchange->tell('rspauth=' . digest(\%said, $password, ''));
    return ($user, $said{authzid});
}

sub _is_utf8 { return lc $_[0]{charset} eq 'utf-8' }

# name => value; nothing when it is no list of directives, or one comes twice.
sub directives {
    my ($text) = @_;
    my $token = qr/[^\x00-\x20()<>\@,;:\\"\/\[\]?={}\x7f]+/;
    my %said = (charset => 'iso-8859-1', qop => 'auth', realm => '');
    my %seen;
    while ($text =~ /\G[\s,]*($token)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|($token))\s*(?=,|\z)/gcs) {
        my ($name, $value) = (lc $1, defined $2 ? $2 : $3);
        $value =~ s/\\(.)/$1/gs if defined $2;
        return if $seen{$name}++;
        $said{$name} = $value;
    }
    return $text =~ /\G[\s,]*\z/gc ? %said : ();
}

sub _is_in_order {
    my ($said, $want) = @_;
    return 0 if grep { !defined $said->{$_} } qw(username nonce cnonce nc digest-uri response);
    return 0 if $said->{realm} ne '' && $said->{realm} ne $want->{realm};
    return $said->{nonce} eq $want->{nonce} && $said->{nc} eq '00000001' && $said->{qop} eq 'auth'
        && $said->{'digest-uri'} =~ m{\Asmtp/.}i;
}

# The response to a challenge with the directives said, or with '' for AUTHENTICATE what proves the server. What fits
# ISO 8859-1 is hashed in it, whatever the charset on the wire (RFC 2831 section 2.1.2.1).
sub digest {
    my ($said, $password, $what) = @_;
    my @names = @$said{qw(username realm)};
    @names = map { _narrowed($_) } @names if _is_utf8($said);
    my $secret = md5(join ':', @names, _narrowed($password));
    my $first = join ':', $secret, @$said{qw(nonce cnonce)}, defined $said->{authzid} ? $said->{authzid} : ();
    return md5_hex(join ':', md5_hex($first), @$said{qw(nonce nc cnonce qop)},
        md5_hex("$what:$said->{'digest-uri'}"));
}

sub _narrowed {
    my ($octets) = @_;
    my $text = $octets;
    return utf8::decode($text) && utf8::downgrade($text, 1) ? $text : $octets;
}

1;
