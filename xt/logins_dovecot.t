# Logins tied to their TLS connection (SCRAM-...-PLUS) at Dovecot 2.4, and what becomes of them with somebody between.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Between;
use RealServers::Dovecot;
use RealServers::Logins;
use Test::More;

# In TLS 1.2 Dovecot gives tls-exporter without the empty context of RFC 9266, which is another value there.
my %BINDINGS = ('TLSv1.3' => ['tls-exporter'], 'TLSv1.2' => ['tls-unique']);
my @PLUS     = qw(SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS);

for my $version (reverse sort keys %BINDINGS) {
    my $server   = RealServers::Logins::server('RealServers::Dovecot', maximum_version => $version);
    my @password = RealServers::Logins::password($server);
    subtest $version => sub {
        for my $port (qw(tls starttls)) {
            bound($server, $version, $port, $_, @password) for @PLUS;
            unbound($server, $port, @password);
        }
        certificate($server);
        with_somebody_between($server, $version, @password);
    };
    RealServers::Logins::finish($server);
}
done_testing();

# By each binding that this version of TLS has, and by the one that is chosen.
sub bound {
    my ($server, $version, $port, $mechanism, @password) = @_;
    for my $binding (undef, @{$BINDINGS{$version}}) {
        my @by    = (mechanism => $mechanism, defined $binding ? (channel_binding => $binding) : ());
        my $facts = RealServers::Logins::logs_in($server, $port, $mechanism, @password, @by,
            name => "$port, $mechanism, " . ($binding // 'a binding that is chosen'));
        is($facts->{version}, $version, "over $version");
    }
    my $error = RealServers::Logins::refused($server, $port, "$mechanism with a wrong password", @password,
        password => 'wrong', mechanism => $mechanism);
    is($error->code, 535, 'with code 535') if ref $error;
}

# The strongest is chosen; who asks for the plain mechanism gets it, though both could bind.
sub unbound {
    my ($server, $port, @password) = @_;
    RealServers::Logins::logs_in($server, $port, 'SCRAM-SHA-256-PLUS', @password, name => "$port, PLUS is chosen");
    RealServers::Logins::logs_in($server, $port, $_, @password, mechanism => $_) for qw(SCRAM-SHA-1 SCRAM-SHA-256);
    RealServers::Logins::logs_in($server, $port, 'SCRAM-SHA-256', @password, channel_binding => 'none',
        name => "$port, without a binding the mechanism without");
    RealServers::Logins::logs_in($server, $port, 'SCRAM-SHA-256-PLUS', username => $server->ODD_USER,
        password => $server->ODD_PASSWORD, as => $server->ODD_USER, name => "$port, PLUS, odd names");
}

sub certificate {
    my ($server) = @_;
    my @external = (mechanism => 'EXTERNAL', certificate_file => $server->path('client.pem'),
        key_file => $server->path('client-key.pem'));
    RealServers::Logins::logs_in($server, $_, 'EXTERNAL', @external) for qw(tls starttls);
    RealServers::Logins::refused($server, 'starttls', 'EXTERNAL without a certificate', mechanism => 'EXTERNAL');
}

# Chain and name are right, so that nothing but the binding can tell.
sub with_somebody_between {
    my ($server, $version, @password) = @_;
    my $strip   = 's/ SCRAM-SHA-[0-9]*-PLUS//g';
    my $tls     = $version eq 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
    my $through = sub {
        my ($edit, @option) = @_;
        my $port  = RealServers::Between::lead($server, edit => $edit, tls => $tls);
        my @where = ("smtps://localhost:$port", SSL_ca_file => $server->ca_file);
        my $smtp  = eval { Net::SMTP::AuthC->connect(@where, @password, @option) };
        my $error = $@;
        return $smtp ? $smtp->mechanism : eval { $error->code } // "$error";
    };
    is($through->('', channel_binding => 'none'), 'SCRAM-SHA-256', 'somebody between is not seen without a binding');
    is($through->('', mechanism => $_), 535, "$_ is refused with somebody between") for @PLUS;
    is($through->($strip, mechanism => 'SCRAM-SHA-256'), 535, 'and so is the one without, when PLUS is kept from us');
}
