# No secret crosses an open line: every octet that clients say is kept, and searched for it in every form.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Net::SMTP::AuthC;
use OpenLine qw(leaks);
use Test::More;
use ToySasl;

my $PASSWORD = 'Tr0ub4dor&3-correct-horse';
my $TOKEN    = 'ya29.AHES6ZTwXkHhQ_vF9KpDq3o0LmWvE';
my $TIMEOUT  = 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);

my $line = OpenLine->start;
my @mechanisms = (undef, grep { !/\A(?:DIGEST-MD5|NTLM)\z/ } OpenLine->names);

# The error of a call; never a secret in it.
sub error_of {
    my ($code) = @_;
    my $error = eval { $code->(); 1 } ? 'no error' : $@;
    return $error;
}

sub is_silent {
    my ($name, $text, @more) = @_;
    my $heard = $line->heard($name);
    for my $secret ($PASSWORD, $TOKEN) {
        my @leaks = map { leaks($_, $secret) } $heard, @more;
        return ok(0, "$text: the wire and what is told are silent") || diag "@leaks\n$heard" if @leaks;
    }
    return ok(1, "$text: the wire and what is told are silent");
}

sub connecting {
    my ($query, $name, @option) = @_;
    return error_of(sub {
        Net::SMTP::AuthC->connect('smtp://127.0.0.1:' . $line->port . $query, hello => $name, timeout => $TIMEOUT,
            transcript => 1, username => 'demo', @option);
    });
}

# Whatever the error carries, as text.
sub told {
    my ($error) = @_;
    return "$error" if !ref $error;
    my $transcript = $error->transcript;
    return join "\n", map { $_ // '' } "$error", $error->text, $error->hint, $transcript && $transcript->as_text;
}

subtest 'what finds them' => sub {
    is(scalar(leaks("AUTH PLAIN AGRlbW8AYm9ndXM=\r\n", $PASSWORD)), 0, 'nothing where nothing is');
    for my $before ('', 'x', 'xx', "\0demo\0", "user=demo\1auth=Bearer ") {
        isnt(scalar(leaks('AUTH X ' . encode_base64("$before$PASSWORD\1\1", ''), $PASSWORD)), 0,
            'in base64 behind ' . length($before) . ' octets');
    }
    isnt(scalar(leaks("x${PASSWORD}x", $PASSWORD)), 0, 'as it is');
    isnt(scalar(leaks(unpack('H*', "x$PASSWORD"), $PASSWORD)), 0, 'in hex');
    isnt(scalar(leaks(substr($PASSWORD, 3, 9), $PASSWORD)), 0, 'a part of it');
};

subtest 'with insecure_cleartext_auth they are there to be found' => sub {
    my @rows = (['PLAIN', password => $PASSWORD], ['LOGIN', password => $PASSWORD],
        ['XOAUTH2', oauth_token => $TOKEN], ['OAUTHBEARER', oauth_token => $TOKEN]);
    for my $row (@rows) {
        my ($mechanism, @secret) = @$row;
        my $name = $line->name_for('lure', 'none');
        my $error = connecting('?tls=none', $name, mechanism => $mechanism, @secret, insecure_cleartext_auth => 1);
        isnt(scalar(leaks($line->heard($name), $secret[1])), 0, $mechanism) or diag $error;
        is(scalar(leaks(told($error), $secret[1])), 0, 'but not in what is told') or diag told($error);
    }
};

# What each mechanism comes to there: these do not show the secret and may speak.
my $MAY_SPEAK = qr/\A(?:CRAM-MD5|SCRAM-SHA-(?:1|256|512))\z/;

sub judge {
    my ($text, $name, $error, $mechanism) = @_;
    is(ref $error && $error->kind, 'auth', "$text: an error of the login") or diag $error;
    is_silent($name, $text, told($error));
    my @said = grep { /\AAUTH/ } split /\r\n/, $line->heard($name);
    if ($mechanism && $mechanism !~ $MAY_SPEAK) {
        is_deeply(\@said, [], "$text: AUTH is not even begun");
        like($error, $mechanism =~ /PLUS/ ? qr/no channel binding/ : qr/TLS/, "$text: the error says what to do");
    }
    else {
        isnt(scalar(@said), 0, "$text: it is tried");
        is_deeply([grep { !/\AAUTH (?:CRAM-MD5|SCRAM-SHA-(?:1|256|512)(?: |\z))/ } @said], [],
            "$text: only what keeps it");
    }
    return;
}

subtest 'a password' => sub {
    for my $query ('?tls=none', '?tls=opportunistic') {
        for my $mechanism (grep { !$_ || !/\A(?:EXTERNAL|ANONYMOUS|X?OAUTH)/ } @mechanisms) {
            for my $auth (OpenLine->auths) {
                my $name = $line->name_for($auth, 'none');
                my @named = $mechanism ? (mechanism => $mechanism) : ();
                my $error = connecting($query, $name, password => $PASSWORD, @named);
                judge("$query $auth " . ($mechanism // 'any'), $name, $error, $mechanism);
            }
        }
    }
};

subtest 'a token' => sub {
    for my $query ('?tls=none', '?tls=opportunistic') {
        for my $mechanism (undef, qw(XOAUTH2 OAUTHBEARER), [qw(OAUTHBEARER XOAUTH2)]) {
            my $text = "$query " . (ref $mechanism ? "@$mechanism" : $mechanism // 'any');
            my @option = (oauth_token => sub { $TOKEN }, $mechanism ? (mechanism => $mechanism) : ());
            my $name = $line->name_for('lure', 'none');
            my $error = connecting($query, $name, @option);
            judge($text, $name, $error, 'a token');
            like($error, qr/insecure_cleartext_auth/, 'and what else');
        }
    }
};

subtest 'mechanisms for another secret, or for none' => sub {
    for my $mechanism (qw(XOAUTH2 OAUTHBEARER EXTERNAL ANONYMOUS), [qw(EXTERNAL PLAIN)], [qw(CRAM-MD5 PLAIN LOGIN)]) {
        my $text = ref $mechanism ? "@$mechanism" : $mechanism;
        for my $auth (OpenLine->auths) {
            my $name = $line->name_for($auth, 'none');
            my $error = connecting('?tls=none', $name, password => $PASSWORD, mechanism => $mechanism);
            is(ref $error && $error->kind, 'auth', "$text, $auth: refused") or diag $error;
            is_silent($name, "$text, $auth", told($error));
        }
    }
};

subtest 'a server that offers only what shows the secret' => sub {
    for my $offer (['PLAIN LOGIN', password => $PASSWORD], ['XOAUTH2 OAUTHBEARER', oauth_token => $TOKEN]) {
        my ($names, @secret) = @$offer;
        my @heard;
        my $server = TinyServer->start(TinyServer->agree(EHLO => "250-me\r\n250 AUTH $names\r\n"));
        my $error = error_of(sub { Net::SMTP::AuthC->connect('smtp://127.0.0.1:' . $server->port . '?tls=none',
            username => 'demo', @secret, timeout => $TIMEOUT) });
        like($error, qr/forbidden without TLS \(or insecure_cleartext_auth\): /,
            "$names: the error names the ways out");
        is($error->kind, 'auth', 'its kind');
        unlike($server->heard, qr/AUTH/, 'AUTH is not begun');
    }
};

subtest 'STARTTLS that fails, was taken out, or was tampered with' => sub {
    my @secrets = ([password => $PASSWORD], [oauth_token => $TOKEN], [password => $PASSWORD, mechanism => 'PLAIN'],
        [password => $PASSWORD, mechanism => 'CRAM-MD5'], [password => $PASSWORD, mechanism => 'SCRAM-SHA-256']);
    for my $starttls ('none', OpenLine->starttls) {
        for my $query ('', '?tls=opportunistic') {
            next if $starttls eq 'none' && $query;    # that is an open line, and above
            for my $secret (@secrets) {
                my $text = "$starttls $query @$secret[0, 2 .. $#$secret]";
                my $name = $line->name_for('lure', $starttls);
                my $error = connecting($query, $name, @$secret);
                like(ref $error && $error->kind, qr/\A(?:tls|protocol|refused|deferred|closed)\z/, "$text: an error")
                    or diag $error;
                unlike($line->heard($name), qr/^AUTH/m, 'AUTH is not begun');
                is_silent($name, $text, told($error));
            }
        }
    }
    my $error = connecting('', $line->name_for('lure', 'none'), password => $PASSWORD);
    like($error, qr/does not offer STARTTLS .*smtps:.*\?tls=none/, 'stripped: what to do');
    $error = connecting('', $line->name_for('lure', 'injected'), password => $PASSWORD);
    like($error, qr/plaintext after STARTTLS/i, 'injected: what it was');
};

# ---- the Net::SMTP face ----

sub old_client {
    my ($name, @option) = @_;
    return Net::SMTP::AuthC->new('127.0.0.1', Port => $line->port, Hello => $name, Timeout => $TIMEOUT, @option)
        || die "no client: $@";
}

sub hang_up {
    my ($smtp) = @_;
    my $told = join "\n", map { $_ // '' } $smtp->message, $smtp->error;
    close $smtp if defined fileno $smtp;
    return $told;
}

subtest 'auth' => sub {
    for my $auth (OpenLine->auths) {
        for my $mechanism (@mechanisms) {
            my $name = $line->name_for($auth, 'none');
            my $smtp = old_client($name);
            my $text = "$auth " . ($mechanism // 'any');
            ok(!$smtp->auth('demo', $PASSWORD, $mechanism // ()), "$text: false");
            like($smtp->error, qr/TLS/, "$text: the error says what to do")
                if $mechanism && $mechanism =~ /\A(?:PLAIN|LOGIN)\z/;
            is_silent($name, $text, hang_up($smtp));
        }
        for my $mechanism (undef, qw(XOAUTH2 OAUTHBEARER)) {
            my $name = $line->name_for($auth, 'none');
            my $smtp = old_client($name);
            my @named = $mechanism ? (mechanism => $mechanism) : ();
            ok(!$smtp->auth('demo', undef, oauth_token => $TOKEN, @named), 'a token: false');
            like($smtp->error, qr/TLS/, 'the error says what to do');
            is_silent($name, "$auth token " . ($mechanism // 'any'), hang_up($smtp));
        }
    }
};

subtest 'auth with an object' => sub {
    for my $names ('PLAIN', 'LOGIN', 'PLAIN LOGIN', 'CRAM-MD5 PLAIN LOGIN', 'DIGEST-MD5 PLAIN') {
        for my $auth (OpenLine->auths) {
            my $name = $line->name_for($auth, 'none');
            my $smtp = old_client($name);
            ok(!$smtp->auth(ToySasl->usual($names, pass => $PASSWORD)), "$names, $auth: false");
            is_silent($name, "$names, $auth", hang_up($smtp));
        }
    }
};

subtest 'auth after a starttls that failed, by a script that does not look' => sub {
    for my $starttls ('none', OpenLine->starttls) {
        for my $mechanism (undef, 'PLAIN', 'CRAM-MD5') {
            my $name = $line->name_for('lure', $starttls);
            my $smtp = old_client($name);
            my $text = "$starttls, " . ($mechanism // 'any');
            ok(!$smtp->starttls, "$text: starttls is false");
            ok(!$smtp->auth('demo', $PASSWORD, $mechanism // ()), "$text: and so is auth");
            my $told = hang_up($smtp);
            unlike($line->heard($name), qr/^AUTH/m, "$text: AUTH is not begun");
            is_silent($name, $text, $told);
        }
    }
};

subtest 'debugging and transcripts' => sub {
    my $name = $line->name_for('lure', 'none');
    my $seen = '';
    open my $old, '>&', \*STDERR or die $!;
    close STDERR;
    open STDERR, '>', \$seen or die $!;
    my $error = connecting('?tls=none', $name, password => $PASSWORD, insecure_cleartext_auth => 1, debug => 1,
        mechanism => 'PLAIN');
    close STDERR;
    open STDERR, '>&', $old or die $!;
    like($seen, qr/AUTH PLAIN \*\*\*/, 'show that there was one');
    is(scalar(leaks($seen . told($error), $PASSWORD)), 0, 'and not which');
};

done_testing;
