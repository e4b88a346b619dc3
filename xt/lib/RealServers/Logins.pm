# RealServers::Logins: a login by one mechanism at a real server, proved by a mail that arrives and the server's log.
package RealServers::Logins;
use strict;
use warnings;
use Net::SMTP::AuthC;
use RealServers;
use RealServers::Suite;
use Test::More;
use Time::HiRes qw(sleep time);

use constant LOG_SECONDS => 10;

# Starts the server, or skips the whole file with the reason.
sub server {
    my ($class, %option) = @_;
    my $reason = $class->missing;
    plan skip_all => $reason if defined $reason;
    return $class->start(%option);
}

sub finish {
    my ($server) = @_;
    Test::More->builder->is_passing or diag($server->log);
    $server->stop;
}

# By name for STARTTLS, by address for TLS at once: the certificate bears both. The options are connect's.
sub connection {
    my ($server, $port, %option) = @_;
    my $where = $port eq 'tls' ? 'smtps://127.0.0.1:' : 'smtp://localhost:';
    return Net::SMTP::AuthC->connect($where . $server->port($port), SSL_ca_file => $server->ca_file, %option);
}

# What connect needs for a login with the password.
sub password {
    my ($server) = @_;
    return (username => $server->USER, password => $server->PASSWORD);
}

# The login must succeed with that mechanism, the server's log must say who came by which, and a mail must arrive.
# as: the user whom the log names. Returns the facts of the TLS connection.
sub logs_in {
    my ($server, $port, $mechanism, %option) = @_;
    my $as   = delete $option{as}   // $server->USER;
    my $name = delete $option{name} // "$port, $mechanism";
    my $facts;
    subtest $name => sub {
        my $smtp = eval { connection($server, $port, %option) };
        ok($smtp, 'connects and logs in') or return diag($@);
        is($smtp->mechanism, $mechanism, "by $mechanism");
        RealServers::Suite::arrives($server, $smtp, 'a mail', "Hello.\r\n");
        $facts = $smtp->tls;
        ok($smtp->quit, 'quit');
        log_says($server, $server->login_line($mechanism, $as));
    };
    return $facts;
}

# The login must be refused by the server. Returns the error.
sub refused {
    my ($server, $port, $name, %option) = @_;
    my $error;
    subtest "$port, $name: refused" => sub {
        my $before = $server->count;
        ok(!eval { connection($server, $port, %option); 1 }, 'no login') or return;
        $error = $@;
        return fail("an error object: $error") if !eval { $error->isa('Net::SMTP::AuthC::Error') };
        is($error->kind, 'auth', 'the error is one of the login') or diag($error);
        is($server->count, $before, 'no mail came of it');
    };
    return $error;
}

# A line of the log that was not there yet when this was asked for before.
sub log_says {
    my ($server, $line) = @_;
    my $seen = ++$server->{logins}{$line};
    my $end  = time + LOG_SECONDS;
    sleep 0.05 while (() = $server->log =~ /$line/g) < $seen && time < $end;
    cmp_ok(scalar(() = $server->log =~ /$line/g), '>=', $seen, "the server's log has $line");
}

# The way of Net::SMTP with an object of Authen::SASL, which brings mechanisms that are not ours: by its own Perl, and
# by the Cyrus library where the modules for that are installed.
sub logs_in_by_object {
    my ($server, $port, $mechanism) = @_;
    for my $plugin (qw(Authen::SASL::Perl Authen::SASL::Cyrus Authen::SASL::XS)) {
        SKIP: {
            skip "no $plugin", 1 if !eval "require Authen::SASL; require $plugin; 1";
            local @Authen::SASL::Plugins = ($plugin);
            subtest "$port, $mechanism by $plugin" => sub { object_logs_in($server, $port, $mechanism) };
        }
    }
}

sub object_logs_in {
    my ($server, $port, $mechanism) = @_;
    my $smtp = after_tls($server, $port) or return;
    ok(!$smtp->auth(sasl_object($server, $mechanism, 'wrong')), 'a wrong password is refused');
    is($smtp->code, 535, 'with code 535') or diag($smtp->error);
    ok($smtp->auth(sasl_object($server, $mechanism, $server->PASSWORD)), 'auth') or return diag($smtp->error);
    is($smtp->mechanism, $mechanism, "by $mechanism");
    my ($mark, $message) = RealServers::Suite::message($server, "by an object\n");
    ok($smtp->mail($server->SENDER) && $smtp->to($server->INBOX) && $smtp->data($message), 'a mail')
        or return diag($smtp->error);
    $smtp->quit;
    RealServers::Suite::same_octets($server->await($mark, RealServers::Suite::ARRIVAL_SECONDS),
        RealServers::Suite::as_delivered($message), 'it arrives');
    log_says($server, $server->login_line($mechanism, $server->USER));
}

sub after_tls {
    my ($server, $port) = @_;
    my $smtp = Net::SMTP::AuthC->new('localhost', Port => $server->port($port), SSL => $port eq 'tls' ? 1 : 0,
        Timeout => 30, SSL_ca_file => $server->ca_file);
    ok($smtp, 'new') or return diag($@);
    return $smtp if $port eq 'tls' || $smtp->starttls(SSL_ca_file => $server->ca_file);
    fail('starttls: ' . $smtp->error);
    return undef;
}

sub sasl_object {
    my ($server, $mechanism, $password) = @_;
    my %callback = (user => $server->USER, pass => $password);
    $callback{auth} = $server->USER if $Authen::SASL::Plugins[0] ne 'Authen::SASL::Perl';   # Cyrus' own name for it
    return Authen::SASL->new(mechanism => $mechanism, callback => \%callback);
}

1;
