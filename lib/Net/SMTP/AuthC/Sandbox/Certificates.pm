# The certificates of a sandbox, good ones and those a client must refuse, each made when first wanted.
package Net::SMTP::AuthC::Sandbox::Certificates;
use strict;
use warnings;

use constant { DAY => 86400, GOOD_NAMES => 'DNS:localhost,IP:127.0.0.1,IP:::1' };

# issuer: which of the two authorities signs; none: it signs itself
my %kind = (
    'good'        => { names => GOOD_NAMES, issuer => 'known' },
    'expired'     => { names => GOOD_NAMES, issuer => 'known', valid_seconds => -DAY },
    'wrong-name'  => { names => 'DNS:elsewhere.example.test', common_name => 'elsewhere.example.test',
                       issuer => 'known' },
    'self-signed' => { names => GOOD_NAMES },
    'unknown-ca'  => { names => GOOD_NAMES, issuer => 'unknown' },
    'cn-only'     => { issuer => 'known' },
);
my %made;

# The name of one of the above, or [chain in PEM, key in PEM].
sub knows { return ref $_[0] eq 'ARRAY' ? @{ $_[0] } == 2 : exists $kind{ $_[0] } }

# Every function below returns (certificate PEM, key PEM).
sub authority {
    my ($name) = @_;
    return @{ $made{"authority $name"} ||= [ _make(common_name => "Sandbox CA ($name)", is_ca => 1) ] };
}

sub server {
    my ($name) = @_;
    return @$name if ref $name;
    return @{ $made{$name} ||= [ _sign(%{ $kind{$name} }) ] };
}

sub client {
    my ($name) = @_;
    return @{ $made{"client $name"} ||= [ _sign(common_name => $name, names => "DNS:$name", issuer => 'known') ] };
}

sub _sign {
    my (%want) = @_;
    my $issuer = delete $want{issuer};
    $want{issuer} = [ authority($issuer) ] if defined $issuer;
    return _make(common_name => 'localhost', is_ca => 0, %want);
}

sub _make {
    my (%want) = @_;
    return Net::SMTP::AuthC::Sandbox::TLS::make_certificate(
        names => undef, valid_seconds => 7 * DAY, issuer => undef, %want);
}

1;
