# Every mechanism of Postfix with Dovecot and with Cyrus SASL: passwords, tokens, objects of Authen::SASL, nobody.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Logins;
use RealServers::Postfix;
use Test::More;

my $server   = RealServers::Logins::server('RealServers::Postfix');
my @password = RealServers::Logins::password($server);
my @odd      = (username => $server->ODD_USER, password => $server->ODD_PASSWORD);
my @user     = (username => $server->USER);

# As Dovecot says it in OAUTHBEARER and in XOAUTH2.
my $REFUSED_TOKEN = qr/\{"status":"(?:invalid_token|401)"/;

for my $port (qw(tls starttls)) {
    passwords($port, qw(PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256));
    tokens($port, $_) for qw(OAUTHBEARER XOAUTH2);
    anonymous($port);
    choice($port, 'SCRAM-SHA-256', @password);
    choice($port, 'OAUTHBEARER', @user, oauth_token => token());
    RealServers::Logins::logs_in_by_object($server, $port, 'DIGEST-MD5');
}
bad_tokens('starttls', $_) for qw(OAUTHBEARER XOAUTH2);
RealServers::Logins::logs_in_by_object($server, 'starttls', $_) for qw(CRAM-MD5 PLAIN LOGIN);

SKIP: {
    skip 'no Cyrus SASL with SCRAM and sasldb', 1 if !$server->has_cyrus;
    passwords('cyrus', qw(PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512));
    anonymous('cyrus');
    choice('cyrus', 'SCRAM-SHA-512', @password);
    RealServers::Logins::logs_in_by_object($server, 'cyrus', 'DIGEST-MD5');
}
RealServers::Logins::finish($server);
done_testing();

sub passwords {
    my ($port, @mechanisms) = @_;
    for my $mechanism (@mechanisms) {
        my @by = (mechanism => $mechanism);
        RealServers::Logins::logs_in($server, $port, $mechanism, @password, @by);
        RealServers::Logins::logs_in($server, $port, $mechanism, @odd, @by, as => $server->ODD_USER,
            name => "$port, $mechanism, odd names");
        my $error = RealServers::Logins::refused($server, $port, "$mechanism with a wrong password", @user,
            password => 'wrong', @by);
        is($error->code, 535, 'with code 535') if ref $error;
    }
}

sub tokens {
    my ($port, $mechanism) = @_;
    my @by = (@user, mechanism => $mechanism);
    RealServers::Logins::logs_in($server, $port, $mechanism, @by, oauth_token => token());
    RealServers::Logins::logs_in($server, $port, $mechanism, @by, oauth_token => token(padding => 3000),
        name => "$port, $mechanism, a token longer than a command");
    renewed($port, $mechanism, @by);
}

sub token { return RealServers::Tokens::token($server->USER, @_) }

sub bad_tokens {
    my ($port, $mechanism) = @_;
    my @by  = (@user, mechanism => $mechanism);
    my %bad = ('an expired token' => token(seconds => -60), 'a token of another key' => token(key => 'x' x 32),
        'no token at all' => 'nonsense');
    for my $name (sort keys %bad) {
        my $error = RealServers::Logins::refused($server, $port, "$mechanism with $name", @by,
            oauth_token => $bad{$name});
        is($error->code, 535, 'with code 535') if ref $error;
        like("$error", $REFUSED_TOKEN, 'with what the server said of it in the challenge');
    }
}

# The code is asked once more after a refusal, and told what the server said.
sub renewed {
    my ($port, $mechanism, @by) = @_;
    my @asked;
    my $code = sub { push @asked, {@_}; return token(seconds => @asked == 1 ? -60 : 600) };
    RealServers::Logins::logs_in($server, $port, $mechanism, @by, oauth_token => $code,
        name => "$port, $mechanism, a token that is renewed");
    is(scalar @asked, 2, 'asked twice');
    ok($asked[1]{renew}, 'the second time for a new one');
    like($asked[1]{error}, $REFUSED_TOKEN, 'with what the server said of the first');
}

sub anonymous {
    my ($port) = @_;
    my @anonymous = (username => 'guest@example.test', mechanism => 'ANONYMOUS');
    my $smtp = eval { RealServers::Logins::connection($server, $port, @anonymous) };
    is($smtp && $smtp->mechanism, 'ANONYMOUS', "$port, ANONYMOUS") or return diag($@);
    ok(!eval { $smtp->submit('Subject: x', from => $server->SENDER, to => $server->INBOX) },
        'Postfix takes the login, and yet no mail from nobody');
    like($@, qr/\ARCPT .*554/, 'and says so');
}

# With no mechanism named, the strongest.
sub choice {
    my ($port, $expected, @login) = @_;
    RealServers::Logins::logs_in($server, $port, $expected, @login, name => "$port, $expected is chosen");
}
