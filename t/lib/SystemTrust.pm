# A store of authorities for tests that use the system's: on a bare machine there is none. It knows one, and trusts nobody
# that a test meets.
package SystemTrust;
use strict;
use warnings;
use File::Temp;
use Net::SMTP::AuthC;

our $file = File::Temp->new(SUFFIX => '.pem');
print {$file} +(Net::SMTP::AuthC::Sandbox::TLS::make_certificate(
    common_name => 'An authority of nobody', valid_seconds => 86_400, is_ca => 1))[0];
close $file or die $!;
$ENV{SSL_CERT_FILE} = $file->filename;
delete $ENV{SSL_CERT_DIR};

1;
