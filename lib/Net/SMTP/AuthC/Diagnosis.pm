# Diagnosis: why a login was refused and what to do, from the reply and from facts about user name and secret.
package Net::SMTP::AuthC::Diagnosis;

use 5.014;
use strict;
use warnings;

# ---- facts: what can be told of a text without telling the text ----

my $TOKEN_MECHANISM = qr/\A(?:XOAUTH2|OAUTHBEARER)\z/i;

# What may stand unseen at an edge; the first that fits.
my @UNSEEN = (
    ['a blank'                => qr/\x20/],
    ['a tab'                  => qr/\t/],
    ['a line end'             => qr/[\r\n\x{85}\x{2028}\x{2029}]/],
    ['a no-break space'       => qr/[\x{A0}\x{2007}\x{202F}]/],
    ['a byte order mark'      => qr/\x{FEFF}/],
    ['a character of no width' => qr/[\x{AD}\x{200B}-\x{200F}\x{2060}]/],
    ['white space'            => qr/[\s\x0B]/],
);

# A hash that holds numbers and words of this file only. $given is octets, or characters that will go out as UTF-8.
sub facts {
    my ($class, $given) = @_;

    return undef if !defined $given;
    my $octets = "$given";
    utf8::encode($octets) if !utf8::downgrade($octets, 1);
    my $text = $octets;
    my $is_utf8 = utf8::decode($text) ? 1 : 0;
    return {
        octets     => length $octets,
        characters => length $text,
        utf8       => $is_utf8,
        non_ascii  => $octets =~ /[^\x00-\x7F]/ ? 1 : 0,
        begins     => _unseen(substr $text, 0, 1),
        ends       => _unseen(length $text ? substr $text, -1 : ''),
        base64     => _is_base64($octets),
        token      => _kind_of_token($octets),
        percent    => $octets =~ /%[0-9A-Fa-f]{2}/ && $octets !~ /%(?![0-9A-Fa-f]{2})/ ? 1 : 0,
        at         => $octets =~ /\@/ ? 1 : 0,
    };
}

# No groups in patterns over a secret: perl would keep a copy for them.
sub _unseen {
    my ($character) = @_;

    my ($found) = grep { $character =~ $_->[1] } @UNSEEN;
    return $found ? $found->[0] : '';
}

# Long enough to be no accident, and what comes out is text, or the three parts of PLAIN.
sub _is_base64 {
    my ($octets) = @_;

    return 0 if length $octets < 8 || length($octets) % 4 || $octets !~ m{\A[A-Za-z0-9+/]+={0,2}\z};
    require MIME::Base64;
    my $inside = MIME::Base64::decode_base64($octets);
    return 0 if !utf8::decode($inside);
    $inside =~ s/\A[^\0]*\0(?=[^\0]+\0[^\0]+\z)//;
    $inside =~ s/(?<=[^\0])\0(?=[^\0]+\z)//;
    return $inside =~ /\A[\x20-\x7E\p{L}]+(?:\r?\n)?\z/ ? 1 : 0;
}

sub _kind_of_token {
    my ($octets) = @_;

    return 'signed' if $octets =~ /\Ae[wy][A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}\z/;
    return 'google' if $octets =~ /\Aya29\./;
    return $octets =~ /\A[A-Za-z0-9_-]{40,}\z/ ? 'long' : '';
}

# ---- what replies mean: the first row whose patterns all fit ----

sub _hosts {
    my $names = join '|', map { quotemeta } @_;
    return qr{(?:\A|[./\@])(?:$names)\.?(?:[:/?]|\z)}i;
}

my $GOOGLE = qr/gsmtp|support\.google\.com/i;
my $YAHOO  = 'Yahoo and AOL take an app password here, made among the security settings of the account, and not the '
    . 'password of the account; after some failures they refuse everything for a while, so do not try on at once';
my $CHINESE = 'this provider takes an authorization code here, which its web pages give once SMTP is switched on for '
    . 'the mailbox, and not the password of the account';
my $LOCKED = qr/too[ ]many[ ].{0,30}(?:auth|log-?in|attempt|failure)
    |account[ ](?:is[ ]|has[ ]been[ ])?(?:temporarily[ ])?(?:locked|blocked)/xi;
my $WAIT = 'too many failed logins, or a lock on the account: wait before the next try, for each one makes it longer';

# judged => 1: the reply is about user name and secret, so that facts about them help.
my @ROWS = (
    # Google
    {name => 'google: app password', code => qr/534/,
        text => qr/application-specific password|InvalidSecondFactor/i, judged => 1,
        words => 'the account has two-step verification, so Google wants an app password (16 letters, made among '
            . 'the security settings of the account) or an OAuth token'},
    {name => 'google: browser', code => qr/53[45]/,
        text => qr/WebLoginRequired|log ?in (?:with|via) your (?:web )?browser/i,
        words => 'Google wants to see the owner of the account first: log in with a browser, confirm that it was '
            . 'you, and try again; app passwords and OAuth tokens are seldom stopped so'},
    {name => 'google: token', code => qr/535/, text => $GOOGLE, mechanism => $TOKEN_MECHANISM, judged => 1,
        words => 'Google refused the token: it has expired, is for another account than the user name says, or was '
            . 'made without the scope https://mail.google.com/'},
    {name => 'google', code => qr/53[45]/, text => $GOOGLE, judged => 1,
        words => 'Google takes an app password here (two-step verification must be on to make one) or an OAuth '
            . 'token, not the password of the account; the user name is the whole mail address'},

    # Microsoft
    {name => 'microsoft: organisation', enhanced => qr/5\.7\.139/, text => qr/disabled for the tenant/i,
        words => 'SMTP logins are switched off for the whole organisation: an administrator can allow '
            . 'authenticated SMTP for this mailbox alone; another password changes nothing'},
    {name => 'microsoft: mailbox', enhanced => qr/5\.7\.139/, text => qr/disabled for the mailbox/i,
        words => 'SMTP logins are switched off for this mailbox: an administrator must allow it authenticated '
            . 'SMTP; another password changes nothing'},
    {name => 'microsoft: no passwords', enhanced => qr/5\.7\.139/, text => qr/basic authentication is disabled/i,
        words => 'Microsoft takes no password for this mailbox any more, app passwords included: log in with an '
            . 'OAuth token (scope https://outlook.office.com/SMTP.Send)'},
    {name => 'microsoft: security defaults', enhanced => qr/5\.7\.139/, text => qr/security defaults/i,
        words => q{the organisation's security defaults forbid logins with a password: use an OAuth token, or have }
            . 'an administrator change them'},
    {name => 'microsoft: policy', enhanced => qr/5\.7\.139/, text => qr/did not meet the criteria/i,
        words => 'a rule of the organisation stands in the way (conditional access, several factors, or '
            . 'authenticated SMTP not allowed for the mailbox): its log of sign-ins tells which'},
    {name => 'microsoft: token', code => qr/535/, enhanced => qr/5\.7\.(?:3|139)\z/, mechanism => $TOKEN_MECHANISM,
        judged => 1,
        words => 'Exchange refused the token: it has expired, lacks the scope https://outlook.office.com/SMTP.Send '
            . '(SMTP.SendAsApp for an application), is not for the mailbox in the user name, or that mailbox is '
            . 'not allowed authenticated SMTP'},
    {name => 'microsoft: token data', code => qr/501/, enhanced => qr/5\.5\.124/,
        words => 'Exchange could not use the token: see that it was made for SMTP (scope '
            . 'https://outlook.office.com/SMTP.Send) and for the mailbox in the user name'},
    {name => 'microsoft', code => qr/535/, enhanced => qr/5\.7\.(?:3|139)\z/, judged => 1,
        words => 'for Exchange the user name is the name to sign in with, not an alias (DOMAIN\user on premises), '
            . 'and the mailbox must be allowed authenticated SMTP; accounts with several factors need an OAuth '
            . 'token'},

    # what the text says, whoever says it
    {name => 'yahoo: text', code => qr/535/, text => qr/#AUTH\d+\)/, judged => 1,
        words => $YAHOO},
    {name => 'authorization code', code => qr/535/, text => qr/authorization code/i, judged => 1,
        words => $CHINESE},
    {name => 'connections', code => qr/4../,
        text => qr/concurrent connections|too many (?:concurrent )?connections/i,
        words => 'the account has too many connections open at once: end some, or send more mails over each'},
    {name => 'locked', code => qr/[45]../, text => $LOCKED,
        words => $WAIT},
    {name => 'expired', code => qr/5../, text => qr/(?:password|account) (?:has |is )?expired/i,
        words => 'the password or the account has run out: set a new password with the provider'},
    {name => 'mechanism off', code => qr/5../,
        text => qr/(?:invalid|unsupported|unknown|unrecognized) (?:authentication |SASL )?(?:mechanism|type)/i,
        words => 'this mechanism is not switched on at the server: name another, such as PLAIN or LOGIN'},

    # providers, by the name of the server
    {name => 'yahoo', code => qr/535/, server => _hosts(qw(yahoo.com aol.com ymail.com)), judged => 1,
        words => $YAHOO},
    {name => 'chinese', code => qr/535/, server => _hosts(qw(qq.com foxmail.com 163.com 126.com yeah.net)),
        judged => 1,
        words => $CHINESE},
    {name => 'zoho', code => qr/535/, server => qr/(?:\A|[.\/\@])zoho(?:cloud)?\.[a-z.]+/i, judged => 1,
        words => 'Zoho wants the server of the region where the account was made (smtp.zoho.com, .eu, .in and so '
            . 'on; smtppro for a domain of your own), the whole mail address, and an app password where two '
            . 'factors are on'},
    {name => 'icloud', code => qr/53[45]/, server => _hosts(qw(mail.me.com mail.icloud.com)), judged => 1,
        words => 'iCloud takes an app-specific password only, made in the Apple account; the user name is the '
            . 'address at icloud.com, not an alias and not one of a domain of your own'},
    {name => 'gmx', code => qr/535/, server => _hosts(qw(gmx.net gmx.com gmx.de gmx.at gmx.ch web.de mail.com)),
        judged => 1,
        words => 'programs may log in at GMX, WEB.DE and mail.com only after access by POP3 and IMAP was switched '
            . 'on in the settings of the mailbox; with two factors they want an app password'},
    {name => 'sendgrid', code => qr/535/, server => _hosts('sendgrid.net'), judged => 1,
        words => 'for SendGrid the user name is the word apikey as it stands, and the password an API key that may '
            . 'send mail'},
    {name => 'ses', code => qr/535/, server => qr/email-smtp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com/i, judged => 1,
        words => 'Amazon SES takes SMTP credentials, made on its own page, and not the access keys of AWS; they '
            . 'hold for one region, which the name of the server must name'},
    {name => 'mailgun', code => qr/535/, server => _hosts('mailgun.org'), judged => 1,
        words => 'for Mailgun the user name is the whole SMTP login, such as postmaster@ your sending domain, with '
            . 'the password of that login and not an API key; domains in Europe use smtp.eu.mailgun.org'},
    {name => 'fastmail', code => qr/535/, server => _hosts(qw(fastmail.com messagingengine.com)), judged => 1,
        words => 'Fastmail takes an app password that may use SMTP, not the password of the account; the user name '
            . 'is the whole address to log in with'},
    {name => 'proton', code => qr/535/, server => _hosts(qw(protonmail.ch proton.me)), judged => 1,
        words => 'Proton takes an SMTP token here, made in the settings for one address, and not the password of '
            . 'the account'},

    # RFC 4954, section 6
    {name => 'transition', code => qr/432/,
        words => 'the server must first learn the password for this mechanism: log in once with the mechanism '
            . 'PLAIN under TLS, after that this one works'},
    {name => 'temporary', code => qr/4../,
        words => 'the server could not judge the login now: the same user name and password may be right, try '
            . 'again later'},
    {name => 'wants TLS', code => qr/53[08]/,
        words => 'the server takes logins under TLS only: use smtps://, or smtp:// without ?tls=none (SSL => 1 or '
            . 'starttls in the Net::SMTP face)'},
    {name => 'wants TLS too', code => qr/5../, enhanced => qr/5\.7\.11\z/,
        words => 'the server takes this mechanism under TLS only'},
    {name => 'weak', code => qr/534/,
        words => 'the server wants a stronger mechanism for this user: name another, or none so that the strongest '
            . 'is taken'},
    {name => 'unknown mechanism', code => qr/504/,
        words => 'the server does not know this mechanism, or not for this user: name another, or none so that one '
            . 'is taken from its list'},
    {name => 'too long', code => qr/50[01]/, enhanced => qr/5\.5\.6\z/,
        words => 'the login is longer than a line that this server takes: a shorter token or another mechanism may '
            . 'pass'},
    {name => 'no logins', code => qr/50[02]/,
        words => 'this server takes no logins on this port: submission is on port 465 (smtps://) or 587 (smtp://)'},
    {name => 'token', code => qr/535/, mechanism => $TOKEN_MECHANISM, judged => 1,
        words => 'the token may have expired, be for another user, or lack the scope for sending: ask for a new one'},
    {name => 'credentials', code => qr/535/, judged => 1,
        words => 'check user name and password; many providers want an app password or an OAuth token here'},
);

# Sentences with "; " between them, as the errors of this library have them, or ''. Never a part of what the user, the
# secret or the server said.
sub hint {
    my ($class, %about) = @_;

    $about{enhanced} //= $1
        if ($about{text} // '') =~ /\A(?:[45][0-9]{2}[ -])?([45]\.[0-9]{1,3}\.[0-9]{1,3})\b/;
    my $row = _row(\%about) or return '';
    return $row->{words} if !$row->{judged};
    return join '; ', _oddities(\%about, $row), $row->{words}, _lengths(\%about);
}

sub _rows { return @ROWS }

sub _row {
    my ($about) = @_;

    for my $row (@ROWS) {
        my @patterns = grep { $row->{$_} } qw(code enhanced text server mechanism);
        return $row if !grep { ($about->{$_} // '') !~ $row->{$_} } @patterns;
    }
    return;
}

# ---- the facts as sentences ----

sub _oddities {
    my ($about, $row) = @_;

    my ($user, $secret) = @$about{qw(user secret)};
    my $name     = _name_of_secret($about);
    my $is_usual = $row->{name} eq 'credentials';
    return (
        $user   ? _looks('user name', $user) : (),
        $secret ? _looks($name, $secret) : (),
        $secret ? _looks_like_token($name, $secret, $is_usual) : (),
        $user && $is_usual && !$user->{at} ? 'the user name has no @ (many providers want the whole address)' : (),
    );
}

sub _name_of_secret { return ($_[0]{mechanism} // '') =~ $TOKEN_MECHANISM ? 'token' : 'password' }

sub _looks {
    my ($name, $fact) = @_;

    my @edges = map { $fact->{$_} ? "$_ with $fact->{$_}" : () } qw(begins ends);
    return (
        @edges           ? "the $name " . join(' and ', @edges) . ' (is that meant?)' : (),
        $fact->{base64}  ? "the $name looks base64-encoded already, and was encoded once more" : (),
        $fact->{percent} ? "the $name looks percent-encoded, which is right only in a server address" : (),
        !$fact->{utf8}   ? "the $name is not UTF-8, which servers expect"
            : $fact->{non_ascii} ? "the $name is not all ASCII and went out as UTF-8, which not every server expects"
            : (),
    );
}

# Some providers have keys for passwords that look like tokens; those are told of by name.
sub _looks_like_token {
    my ($name, $fact, $is_usual) = @_;

    return !$fact->{token} && $fact->{octets} < 40 ? 'the token does not look like one' : () if $name eq 'token';
    return if !$fact->{token} || $fact->{token} eq 'long' && !$is_usual;
    return 'the password looks like an access token' . ($fact->{token} eq 'long' ? ' or an API key' : '')
        . ' (a token is given as oauth_token)';
}

sub _lengths {
    my ($about) = @_;

    my @fact = (['user name' => $about->{user}], [_name_of_secret($about) => $about->{secret}]);
    my @length = map { "the $_->[0] has " . _characters($_->[1]) } grep { $_->[1] } @fact;
    return @length ? join ', ', @length : ();
}

sub _characters {
    my ($fact) = @_;

    my $characters = $fact->{characters} == 1 ? '1 character' : "$fact->{characters} characters";
    return $fact->{octets} == $fact->{characters} ? $characters : "$characters ($fact->{octets} octets)";
}

1;
