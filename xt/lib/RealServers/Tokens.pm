# RealServers::Tokens: bearer tokens (JSON Web Tokens, RFC 7519) as an identity provider would sign them.
package RealServers::Tokens;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use File::Path qw(make_path);
use JSON::PP ();
use MIME::Base64 qw(encode_base64 encode_base64url);

use constant {
    ISSUER  => 'https://tokens.example.test/',
    KEY     => 'a key of the tests, known to the server too',
    SECONDS => 600,
};

# A token for the user. Options: seconds that it is still good for (may be negative), key, padding (octets more).
sub token {
    my ($user, %option) = @_;
    my $now    = time;
    my $until  = $now + ($option{seconds} // SECONDS);
    my %claims = (iss => ISSUER, sub => $user, iat => $now - 2 * SECONDS, exp => $until);
    $claims{padding} = 'x' x $option{padding} if $option{padding};
    my $json   = JSON::PP->new->canonical;
    my $signed = join '.', map { encode_base64url($json->encode($_)) } {alg => 'HS256', typ => 'JWT'}, \%claims;
    return join '.', $signed, encode_base64url(hmac_sha256($signed, $option{key} // KEY));
}

# The folder of keys from which Dovecot's dictionary reads.
sub write_key {
    my ($folder) = @_;
    make_path("$folder/default/HS256", {mode => 0755});
    RealServers::write_file("$folder/default/HS256/default", encode_base64(KEY, ''), 0644);
}

1;
