# Token: proof that a form comes from this page: one half in a cookie, the other in the form, tied by the page's secret.
package SmtpTester::Token;

use 5.014;
use strict;
use warnings;

use Digest::SHA ();
use SmtpTester::State;

my $LIFE   = 3600;
my $COOKIE = 'smtp_tester';

# The cookie's half: the one that the browser has, or a new one.
sub half {
    my ($class, $env) = @_;

    return $1 if ($env->{HTTP_COOKIE} // '') =~ /(?:\A|;\s*)$COOKIE=([0-9a-f]{32})(?:;|\z)/;
    return unpack 'H*', SmtpTester::State::random(16);
}

sub cookie {
    my ($class, $env, $half) = @_;

    my $path = $class->path($env) || '/';
    return "$COOKIE=$half; Path=$path; HttpOnly; SameSite=Strict" . (_is_https($env) ? '; Secure' : '');
}

# Of this program, '' at the root. What is no plain path, such as "//other.example", is not repeated into a page.
sub path {
    my ($class, $env) = @_;

    return ($env->{SCRIPT_NAME} // '') =~ m{\A((?:/[A-Za-z0-9_.~-]+)+)/?\z} ? $1 : '';
}

sub _is_https { return ($_[0]{'psgi.url_scheme'} // '') eq 'https' || ($_[0]{HTTPS} // 'off') !~ /\A(?:off|0|)\z/i }

# The form's half, good for an hour, for this caller.
sub of {
    my ($class, $secret, $half, $caller, $time) = @_;

    $time //= time;
    return "$time." . Digest::SHA::hmac_sha256_hex("$half $caller $time", $secret);
}

sub is_good {
    my ($class, $token, $secret, $half, $caller, $now) = @_;

    my ($time) = ($token // '') =~ /\A([0-9]{1,12})\.[0-9a-f]{64}\z/ or return 0;
    my $age = ($now // time) - $time;
    return 0 if $age < 0 || $age > $LIFE;
    return _is_same($token, $class->of($secret, $half, $caller, $time));
}

# In a time that does not tell where they differ.
sub _is_same {
    my ($one, $other) = map { Digest::SHA::sha256($_) } @_;

    return ($one ^ $other) !~ /[^\0]/ ? 1 : 0;
}

1;
