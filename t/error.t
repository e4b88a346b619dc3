# Net::SMTP::AuthC::Error: one line, the caller's place, no secret.
use strict;
use warnings;
use Test::More;

use Net::SMTP::AuthC::Error;

my $class = 'Net::SMTP::AuthC::Error';

sub caught(&) {
    my ($code) = @_;

    my $done = eval { $code->(); 1 };
    return $done ? undef : $@;
}

my %login = (kind => 'auth', step => 'AUTH', code => 535, enhanced => '5.7.8', text => 'Authentication failed');

subtest 'the line' => sub {
    my $error = caught { $class->throw(%login, hint => 'check user name and password') }; my $line = __LINE__;
    isa_ok($error, $class);
    is("$error", "AUTH: 535 5.7.8 Authentication failed (check user name and password) at $0 line $line.\n", 'whole');
    is($error->as_string, "$error", 'as_string');
    is($error->message, 'AUTH: 535 5.7.8 Authentication failed (check user name and password)', 'message has no place');
    like($class->new(%login, server => 'smtp.example.com:587'), qr/\AAUTH with smtp\.example\.com:587: 535 /, 'server');
    like($class->new(%login), qr/\(check user name and password; many providers want an app password/, 'usual hint');
    unlike($class->new(%login, hint => ''), qr/\(/, 'no hint');
    unlike($class->new(kind => 'auth', text => 'AUTH is not offered'), qr/password/, 'no hint that does not fit');
};

subtest 'codes are not told twice' => sub {
    my @texts = ('5.7.8 Authentication failed', '535 5.7.8 Authentication failed', '535-5.7.8 Authentication failed');
    like($class->new(%login, text => $_), qr/\AAUTH: 535 5\.7\.8 Authentication failed \(/, $_) for @texts;
    like($class->new(%login, text => undef), qr/\AAUTH: 535 5\.7\.8 \(/, 'no text');
    like($class->new(kind => 'timeout', step => 'EHLO'), qr/\AEHLO: timeout error \(/, 'no text and no code');
    is($class->new(%login, text => '535 5.7.8 x')->text, '535 5.7.8 x', 'the accessor keeps the text');
};

subtest 'one printable line whatever the server said' => sub {
    for my $text ("a\r\nb", "\e[2Jgone\a", "\xE9\xFF", "\x{263A}", "x\0y", "\n", "a\\x41b", ' ' x 100_000, "y\n" x 50_000) {
        my $line = '' . $class->new(%login, text => $text);
        like($line, qr/\A[\x20-\x7e]{20,1000}\n\z/, 'printable and short');
    }
    like($class->new(%login, text => "ok\e[2J\xFF\x{263A}"), qr/ok\\x1B\[2J\\xFF\\x\{263A\}/, 'shown');
    like($class->new(%login, text => "one\r\n  two\n"), qr/ one two \(/, 'lines are joined');
    is(Net::SMTP::AuthC::Error::visible('DOM\user \x41 \xg'), 'DOM\user \x5Cx41 \xg', 'an escape of the server is told from ours');
    is("$class"->new(%login, file => "a\nb", line => 3)->as_string =~ tr/\n//, 1, 'a file name with a line end');
};

subtest 'values' => sub {
    my $error = $class->new(%login);
    ok($error, 'true');
    ok($error eq "$error", 'eq');
    like($error, qr/535/, 'matches');
    is($error->$_, $login{$_}, $_) for sort keys %login;
    is($error->temporary, 0, 'a wrong password is final');
    is($error->may_have_been_sent, 0, 'nothing sent');
    is($error->transcript, undef, 'no transcript');
    my @objects = (transcript => [1], receipt => [2]);
    is_deeply([map { $class->new(%login, @objects)->$_ } qw(transcript receipt)], [[1], [2]], 'objects');
};

subtest 'temporary' => sub {
    my %expected = (
        usage => 0, connect => 1, tls => 0, protocol => 0, auth => 0, refused => 0,
        deferred => 1, timeout => 1, closed => 1, interrupted => 1, system => 1,
    );
    is($class->new(kind => $_)->temporary, $expected{$_}, $_) for sort keys %expected;
    is($class->new(kind => 'auth', code => 454)->temporary, 1, 'auth 454');
    is($class->new(kind => 'closed', code => 554)->temporary, 0, 'closed 554');
    is($class->new(kind => 'auth', temporary => 'yes')->temporary, 1, 'given');
    my $lost = $class->new(kind => 'timeout', may_have_been_sent => 1, text => 'no reply');
    is($lost->temporary, 0, 'what may be out is not tried again');
    like($lost, qr/\(the message may have been sent: look before sending it again\)/, 'and says so');
    unlike($lost, qr/try again/, 'and nothing else');
    like($class->new(kind => 'timeout', may_have_been_sent => 1, hint => 'one'), qr/\(one; the message may/, 'beside a hint');
};

subtest 'the place is the caller outside' => sub {
    {
        package Net::SMTP::AuthC::Inner;
        sub fail { return $class->throw(kind => 'usage', text => 'x') }
        package Net::SMTP::AuthC;
        sub outer { return Net::SMTP::AuthC::Inner::fail() }
        package Net::SMTP::AuthCmore;
        sub outer { return Net::SMTP::AuthC::outer() }
    }
    my $error = caught { Net::SMTP::AuthC::outer('s3cret') }; my $line = __LINE__;
    is($error->line, $line, 'line');
    is($error->file, __FILE__, 'file');
    isnt((caught { Net::SMTP::AuthCmore::outer() })->line, __LINE__, 'a name that only begins alike is outside');
    my $again = caught { $error->throw };
    is($again, $error, 'thrown again it keeps its place');
    is($again->line, $line, 'line');
};

subtest 'no secret' => sub {
    my $error = caught { $class->new(%login, password => 's3cret') };
    like($error, qr/unknown field "password" of an error/, 'no such field');
    unlike($error, qr/s3cret/, 'its value is not told');
    for my $server ('user:s3cret@smtp.example.com', 'smtps://us%40er:s3c@ret:s3cret@smtp.example.com') {
        my $clean = $class->new(%login, server => $server);
        unlike(join("\0", map { $_ // '' } %$clean), qr/s3c/, 'user and password of an address are dropped');
        like($clean, qr/smtp\.example\.com: 535/, 'the host stays');
    }
    is($class->new(%login, server => 'SMTPS://u:p@h')->server, 'SMTPS://h', 'scheme stays');
};

subtest 'bad use' => sub {
    like(caught { $class->new(text => 'x') }, qr/unknown kind "" of an error/, 'no kind');
    like(caught { $class->new(kind => 'bad') }, qr/unknown kind "bad" of an error/, 'unknown kind');
    my $error = caught { $class->usage('no recipient', 'give one') }; my $line = __LINE__;
    is("$error", "no recipient (give one) at $0 line $line.\n", 'usage');
    is($error->kind, 'usage', 'kind');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
