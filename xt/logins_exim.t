# Every mechanism of Exim that exim.t leaves out: SCRAM and DIGEST-MD5 by Cyrus SASL, and a client's certificate.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Exim;
use RealServers::Logins;
use Test::More;

my $server   = RealServers::Logins::server('RealServers::Exim');
my @password = RealServers::Logins::password($server);
my @external = (mechanism => 'EXTERNAL', certificate_file => $server->path('client.pem'),
    key_file => $server->path('client-key.pem'));
my $address  = $server->USER . '@example.test';

for my $port (qw(tls starttls)) {
    SKIP: {
        skip 'no Cyrus SASL with SCRAM and sasldb', 1 if !$server->has_cyrus;
        for my $mechanism (qw(SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512)) {
            RealServers::Logins::logs_in($server, $port, $mechanism, @password, mechanism => $mechanism);
            RealServers::Logins::refused($server, $port, "$mechanism with a wrong password", @password,
                password => 'wrong', mechanism => $mechanism);
        }
        RealServers::Logins::logs_in($server, $port, 'ANONYMOUS', username => 'guest@example.test',
            mechanism => 'ANONYMOUS', as => 'anonymous');
        RealServers::Logins::logs_in_by_object($server, $port, 'DIGEST-MD5');
    }
    RealServers::Logins::logs_in($server, $port, 'EXTERNAL', @external, as => $address);
    RealServers::Logins::logs_in($server, $port, 'EXTERNAL', @external, as => $address, authzid => $address,
        name => "$port, EXTERNAL with an authzid");
    RealServers::Logins::refused($server, $port, 'EXTERNAL as somebody else', @external,
        authzid => 'bob@example.test');
    RealServers::Logins::refused($server, $port, 'EXTERNAL without a certificate', mechanism => 'EXTERNAL');
}
RealServers::Logins::finish($server);
done_testing();
