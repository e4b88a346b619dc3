# Net::SMTP::AuthC::Diagnosis: every fact, every row of what replies mean, and that no hint tells what it must not.
# valgrind: no
use strict;
use warnings;
use utf8;
use Test::More;

use Net::SMTP::AuthC::Diagnosis;

my $class = 'Net::SMTP::AuthC::Diagnosis';

sub facts { return $class->facts($_[0]) }

# The facts of a text that are not the usual ones.
sub odd {
    my ($text) = @_;
    my %fact = %{ facts($text) };
    my %usual = (octets => $fact{octets}, characters => $fact{octets}, utf8 => 1, non_ascii => 0, begins => '',
        ends => '', base64 => 0, token => '', percent => 0, at => 0);
    is_deeply([sort keys %fact], [sort keys %usual], 'these facts and no others');
    return {map { $fact{$_} ne $usual{$_} ? ($_ => $fact{$_}) : () } keys %usual};
}

sub octets_of { my ($text) = @_; utf8::encode($text); return $text }

subtest 'facts' => sub {
    is_deeply(odd('Tr0ub4dor&3'), {}, 'a password');
    is_deeply(odd(''), {}, 'an empty text');
    is(facts(undef), undef, 'undef');
    is(facts('secret')->{octets}, 6, 'its length');
    is_deeply(odd('joe@example.com'), {at => 1}, 'an address');
    my %edge = (
        ' x' => {begins => 'a blank'}, 'x ' => {ends => 'a blank'}, "\tx" => {begins => 'a tab'},
        "x \r\n" => {ends => 'a line end'}, "x\n" => {ends => 'a line end'}, "\fx" => {begins => 'white space'},
        "\x{A0}x" => {begins => 'a no-break space'}, "x\x{202F}" => {ends => 'a no-break space'},
        "\x{FEFF}x" => {begins => 'a byte order mark'}, "x\x{200B}" => {ends => 'a character of no width'},
        "x\x{3000}" => {ends => 'white space'}, "x\x0B" => {ends => 'white space'}, 'x y' => {},
        " x\t" => {begins => 'a blank', ends => 'a tab'}, ' ' => {begins => 'a blank', ends => 'a blank'},
    );
    for my $text (sort keys %edge) {
        my $fact = odd(octets_of($text));
        delete @$fact{qw(non_ascii characters)};
        is_deeply($fact, $edge{$text}, 'edges: ' . join ' ', map { sprintf 'U+%04X', ord } split //, $text);
    }
    is_deeply(odd(octets_of('gänse☃')), {non_ascii => 1, characters => 6}, 'octets of UTF-8');
    is_deeply(odd('gänse☃'), {non_ascii => 1, characters => 6}, 'characters, which go out as UTF-8');
    my $latin = "g\xE4nse\xA0";
    is_deeply(odd($latin), {non_ascii => 1, utf8 => 0, ends => 'a no-break space'}, 'octets that are no UTF-8');
    utf8::upgrade($latin);
    is_deeply(odd($latin), {non_ascii => 1, utf8 => 0, ends => 'a no-break space'}, 'however perl keeps them');
};

subtest 'encoded already' => sub {
    my %base64 = (
        'c2VjcmV0IHdvcmQ=' => 1, 'dGFuc3RhYWZ0YW5zdGFhZg==' => 1, 'Z8OkbnNlZmV0dA==' => 1, 'c2VjcmV0d29yZAo=' => 1,
        'AHRpbQB0YW5zdGFhZnRhbnN0YWFm' => 1, 'dGVzdAB0ZXN0ADEyMzQ=' => 1,
        'c2Vj' => 0, 'password' => 0, 'correcthorse' => 0, 'c2VjcmV0IHdvcmQ' => 0, 'c2VjcmV0=IHdvcmQ' => 0,
        'AAAAAAAAAAAA' => 0, 'c2VjcmV0IHdvcmQ= ' => 0, 'YQBhAGEAYQBh' => 0,
    );
    is(facts($_)->{base64}, $base64{$_}, $_) for sort keys %base64;
    my %percent = ('a%40b' => 1, 'p%2Fq%25' => 1, '100%' => 0, '5%zz%41' => 0, 'plain' => 0);
    is(facts($_)->{percent}, $percent{$_}, $_) for sort keys %percent;
};

subtest 'tokens' => sub {
    my $signed = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ.c2lnbmF0dXJl';
    my %token = (
        $signed => 'signed', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ.' => 'signed', 'ya29.a0Af_x' => 'google',
        'a' x 40 => 'long', 'Ab-_9' x 8 => 'long', 'a' x 39 => '', 'a' x 39 . '!' => '', 'joe.of.example' => '',
        'SG.' . 'a' x 22 . '.' . 'b' x 43 => '', "$signed " => '',
        'correct horse battery staple and many more words' => '',
    );
    is(facts($_)->{token}, $token{$_}, $_) for sort keys %token;
};

# What a server says, and the row that must be meant. Texts as servers of that kind send them, shortened.
my $tenant = 'Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.';
my @cases = (
    ['google: app password', 534, '5.7.9', 'Application-specific password required. For more information, go to '
        . 'https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp'],
    ['google: browser', 534, '5.7.14', '<https://accounts.google.com/signin/continue> Please log in with your web '
        . 'browser and then try again. https://support.google.com/mail/?p=WebLoginRequired x - gsmtp'],
    ['google: token', 535, '5.7.8', 'Username and Password not accepted. https://support.google.com/mail/?p='
        . 'BadCredentials x - gsmtp', 'smtp.gmail.com:465', 'XOAUTH2'],
    ['google', 535, '5.7.8', 'Username and Password not accepted. https://support.google.com/mail/?p='
        . 'BadCredentials x', 'smtp.gmail.com:465', 'PLAIN'],
    ['microsoft: organisation', 535, '5.7.139', $tenant, 'smtp.office365.com:587', 'LOGIN'],
    ['microsoft: organisation', 535, undef, "5.7.139 $tenant"],
    ['microsoft: organisation', 535, undef, "535 5.7.139 $tenant"],
    ['microsoft: mailbox', 535, '5.7.139', 'Authentication unsuccessful, SmtpClientAuthentication is disabled for '
        . 'the Mailbox.'],
    ['microsoft: no passwords', 535, '5.7.139', 'Authentication unsuccessful, basic authentication is disabled. [X]'],
    ['microsoft: security defaults', 535, '5.7.139', q{Authentication unsuccessful, user is locked by your }
        . q{organization's security defaults policy.}],
    ['microsoft: policy', 535, '5.7.139', 'Authentication unsuccessful, the request did not meet the criteria to be '
        . 'authenticated successfully.'],
    ['microsoft: token', 535, '5.7.3', 'Authentication unsuccessful [X]', 'smtp.office365.com:587', 'XOAUTH2'],
    ['microsoft: token data', 501, '5.5.124', 'Invalid XOAUTH2 auth data'],
    ['microsoft', 535, '5.7.139', 'Authentication unsuccessful, the user credentials were incorrect.'],
    ['microsoft', 535, '5.7.3', 'Authentication unsuccessful', 'smtp.office365.com:587', 'LOGIN'],
    ['yahoo: text', 535, '5.7.0', '(#AUTH005) Too many bad auth attempts.'],
    ['authorization code', 535, undef, 'Login Fail. Please enter your authorization code to login.'],
    ['connections', 432, '4.3.2', 'Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending'],
    ['connections', 421, '4.7.0', 'Too many concurrent connections from you'],
    ['locked', 535, '5.7.0', 'Too many failed login attempts'],
    ['locked', 421, '4.7.0', 'Too many authentication failures'],
    ['locked', 535, undef, 'Your account has been temporarily blocked'],
    ['expired', 535, '5.7.8', 'Error: the password has expired'],
    ['mechanism off', 535, '5.7.8', 'Error: authentication failed: Invalid authentication mechanism'],
    ['mechanism off', 504, '5.7.4', 'Unrecognized authentication type'],
    (map { ['yahoo', 535, '5.7.8', 'failed', $_] } qw(smtp.mail.yahoo.com:465 smtp.aol.com smtps://u@yahoo.com/)),
    (map { ['chinese', 535, undef, 'Error: authentication failed', "smtp.$_:465"] } qw(163.com 126.com qq.com)),
    (map { ['zoho', 535, undef, 'Authentication Failed', $_] } qw(smtp.zoho.com:465 smtppro.zoho.eu)),
    ['icloud', 535, '5.7.8', 'Error: authentication failed', 'smtp.mail.me.com:587'],
    (map { ['gmx', 535, undef, 'Authentication credentials invalid', $_] }
        qw(mail.gmx.net smtp.web.de smtp.mail.com)),
    ['sendgrid', 535, undef, 'Authentication failed: Bad username / password', 'smtp.sendgrid.net:587'],
    ['ses', 535, undef, 'Authentication Credentials Invalid', 'email-smtp.eu-west-1.amazonaws.com:587'],
    ['mailgun', 535, '5.7.0', 'Mailgun is not loving your login or password', 'smtp.eu.mailgun.org:587'],
    ['fastmail', 535, '5.7.8', 'Incorrect username or password.', 'smtp.fastmail.com:465'],
    ['proton', 535, '5.7.8', 'Error: authentication failed', 'smtp.protonmail.ch:587'],
    ['transition', 432, '4.7.12', 'A password transition is needed'],
    ['temporary', 454, '4.7.0', 'Temporary authentication failure'],
    ['temporary', 421, undef, 'Service not available'],
    ['wants TLS', 530, '5.7.0', 'Must issue a STARTTLS command first'],
    ['wants TLS', 538, undef, 'Encryption required'],
    ['wants TLS too', 535, '5.7.11', 'Encryption required for requested authentication mechanism'],
    ['weak', 534, '5.7.9', 'Authentication mechanism is too weak'],
    ['unknown mechanism', 504, '5.5.4', 'not implemented'],
    ['too long', 500, '5.5.6', 'Authentication exchange line is too long'],
    ['no logins', 502, '5.5.1', 'Command not implemented'],
    ['token', 535, '5.7.8', 'Authentication failed', 'mail.example.net', 'OAUTHBEARER'],
    ['credentials', 535, '5.7.8', 'Authentication failed', 'mail.example.net', 'SCRAM-SHA-256'],
    ['credentials', 535, undef, undef],
    ['credentials', 535, undef, 'failed', 'notgmail.com.example.net'],
    ['credentials', 535, undef, 'failed', 'yahoo.com.example.net'],
    [undef, 235, '2.7.0', 'Authentication successful'], [undef, 334, undef, ''], [undef, undef, undef, undef],
    [undef, 550, '5.1.1', 'No such user'], [undef, 503, '5.5.1', 'Already authenticated'], [undef, 0, undef, 'x'],
);

sub about {
    my ($case) = @_;
    my %about;
    @about{qw(code enhanced text server mechanism)} = @$case[1 .. 5];
    return %about;
}

subtest 'what replies mean' => sub {
    my %is_seen;
    for my $case (@cases) {
        my %about = about($case);
        my $hint = $class->hint(%about);
        my $name = join ' ', map { $_ // '-' } @about{qw(code enhanced server mechanism)}, $about{text};
        my ($row) = grep { defined $case->[0] && $_->{name} eq $case->[0] } $class->_rows;
        is($hint, $row ? $row->{words} : '', ($case->[0] // 'nothing') . ": $name");
        $is_seen{ $case->[0] // '' }++;
    }
    is_deeply([grep { !$is_seen{$_} } map { $_->{name} } $class->_rows], [], 'every row was met');
    is(scalar(grep { $_->{words} =~ /[^\x20-\x7E]|\.\z|\A\s/ || 40 > length $_->{words} } $class->_rows), 0,
        'words are ASCII, and of some use');
};

subtest 'facts in hints' => sub {
    my $hint = sub {
        my ($user, $secret, %about) = @_;
        return $class->hint(code => 535, mechanism => 'PLAIN', user => facts($user), secret => facts($secret),
            %about);
    };
    my $lengths = qr/the user name has 13 characters, the password has /;
    like($hint->('joe@mail.test', 'secret'), qr/\Acheck user name and password; [^;]*; ${lengths}6 characters\z/,
        'nothing odd: what to do, and the lengths');
    my %says = (
        ' secret'  => 'the password begins with a blank (is that meant?)',
        "secret \r\n" => 'the password ends with a line end (is that meant?)',
        " secret\t" => 'the password begins with a blank and ends with a tab (is that meant?)',
        'c2VjcmV0IHdvcmQ=' => 'the password looks base64-encoded already',
        'sec%2Fret' => 'the password looks percent-encoded',
        "g\xE4nse"  => 'the password is not UTF-8',
        octets_of('gänse☃') => 'the password is not all ASCII and went out as UTF-8',
        'ya29.a0AfH6' => 'the password looks like an access token (a token is given as oauth_token)',
        'a1' x 20   => 'the password looks like an access token or an API key (a token is given as oauth_token)',
    );
    for my $secret (sort keys %says) {
        like($hint->('joe@mail.test', $secret), qr/(?:\A|; )\Q$says{$secret}\E/, $says{$secret});
        unlike($hint->('joe@mail.test', $secret), qr/user name (?!has 13|and password)/, 'and nothing of the user');
    }
    like($hint->('joe@mail.test', octets_of('gänse☃')), qr/the password has 6 characters \(9 octets\)\z/,
        'octets too');
    like($hint->('joe@mail.test', 'x'), qr/the password has 1 character\z/, 'one character');
    like($hint->("joe\xA0", 'x'), qr/the user name ends with a no-break space/, 'a user name');
    like($hint->('joe', 'x'), qr/the user name has no @ /, 'a user name that is no address');
    unlike($hint->('apikey', 'x', server => 'smtp.sendgrid.net'), qr/ no @ /, 'which is right for some');
    unlike($hint->('u@x', 'a1' x 30, server => 'smtp.mailgun.org'), qr/token/, 'as are passwords like tokens');
    like($hint->('u@x', 'secret', mechanism => 'XOAUTH2'), qr/the token does not look like one; /, 'no token');
    unlike($hint->('u@x', 'ya29.a0AfH6', mechanism => 'XOAUTH2'), qr/look/, 'a token');
    unlike($hint->('u@x', 'EwB/+' x 30, mechanism => 'XOAUTH2'), qr/look/, 'a token of another kind');
    like($hint->('u@x', 'secret', mechanism => 'XOAUTH2'), qr/the token has 6 characters\z/, 'is called a token');
    is($class->hint(code => 535, user => undef, secret => undef), $class->hint(code => 535), 'facts may be missing');
    for my $code (421, 432, 454, 504, 530, 534, 538, 550, 235) {
        unlike($hint->(' joe', ' secret', code => $code), qr/joe|secret|begins|characters/, "$code is no verdict");
    }
};

# Secrets are seen as they are, without their edges, and as what a server might say back.
subtest 'nothing is told' => sub {
    my $seed = srand;
    my @alphabets = (['A' .. 'Z', 0 .. 9], ['!', '#', '$', '&', '*', '<', '>', '[', ']', '^', '~', 0 .. 9, 'Q', 'Z'],
        [map { chr } 0xC0 .. 0x24F], [map { chr } 0x4E00 .. 0x4E80], ['a' .. 'z', 'A' .. 'Z', 0 .. 9, '+', '/', '%']);
    my @edges = ('', '', ' ', "\t", "\xA0", "\r\n", '=', '.', 'ya29.', 'eyJhbGciOi');
    my (@told, $hints);
    for my $round (1 .. 1500) {
        my ($user, $secret) = map {
            my $alphabet = $alphabets[rand @alphabets];
            my $length = 4 + int rand($round % 5 ? 12 : 60);
            $length = 8 if $alphabet == $alphabets[-1] && $length < 8;
            $edges[rand @edges] . join('', map { $alphabet->[rand @$alphabet] } 1 .. $length) . $edges[rand @edges];
        } 1, 2;
        my $case = $cases[rand @cases];
        my %about = about($case);
        $about{text} = ($about{text} // '') . " <$user> $secret" if $round % 3 == 0;
        my $hint = $class->hint(%about, user => facts($user), secret => facts(octets_of($secret)));
        $hints++ if $hint ne '';
        for my $one (map { ($_, s/\A\s+|\s+\z//gr) } $user, $secret, octets_of($user), octets_of($secret)) {
            push @told, $hint if length $one >= 4 && index($hint, $one) >= 0;
        }
        push @told, "not ASCII: $case->[0]" if $hint =~ /[^\x20-\x7E]/;
    }
    is_deeply(\@told, [], 'no user name and no secret in a hint') or diag "srand $seed";
    cmp_ok($hints, '>', 1000, 'and there were hints');
    my %is_word = map { $_ => 1 } '', 'signed', 'google', 'long', 'a blank', 'a tab', 'a line end',
        'a no-break space', 'a byte order mark', 'a character of no width', 'white space';
    my @kept = map { values %{ facts(join '', map { chr rand 256 } 1 .. 1 + rand 50) } } 1 .. 300;
    is_deeply([grep { !/\A[0-9]+\z/ && !$is_word{$_} } @kept], [], 'facts are numbers and words of a list');
};

done_testing;
