# auth($sasl_object) and connect(..., sasl => $object): choice, dialogue and verdict of a login by an object.
use strict;
use warnings;
use lib 't/lib';
use Face;
use MIME::Base64 qw(encode_base64);
use TinyServer;
use ToySasl;
use Test::More;

my %users = (demo => 'secret');

sub b64 { return encode_base64($_[0], '') }
sub server_with { return sandbox(tls => 'implicit', users => \%users, @_) }
sub secure { return client($_[0], SSL => 1, @_[1 .. $#_]) }
sub auth_lines { return grep { !/\A(?:EHLO|NOOP|QUIT)/ } said(@_) }

# On an open line: offers these mechanisms, and answers what is not EHLO, NOOP or QUIT with one reply after the other.
sub scripted {
    my ($offer, @replies) = @_;
    return TinyServer->start(sub {
        my ($socket, $read) = @_;
        my @left = @replies;
        print {$socket} "220 toy.test ESMTP\r\n";
        while (defined(my $line = $read->())) {
            my $reply = $line =~ /\AEHLO/ ? "250-toy.test\r\n250 AUTH $offer" : $line =~ /\ANOOP/ ? '250 ok'
                : $line =~ /\AQUIT/ ? '221 bye' : shift @left;
            print {$socket} defined $reply ? "$reply\r\n" : "500 what?\r\n";
        }
    });
}

sub plain_client {
    my ($server) = @_;
    return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 20) || die "no client: $@";
}

sub heard { return [grep { !/\A(?:EHLO|QUIT)/ } map { s/\r\n\z//r } split /^/m, $_[0]->heard] }

# A server that says this to X-TOY, a client of it, and an object with a row for X-TOY.
sub toy {
    my ($replies, %row) = @_;
    my $server = scripted('X-TOY', @$replies);
    my $object = ToySasl->new(mechanism => 'X-TOY', knows => { 'X-TOY' => \%row }, pass => 'sesame');
    return ($server, plain_client($server), $object);
}

sub error_like {
    my ($smtp, $expected, $name) = @_;
    is($smtp->error && $smtp->error->kind, 'auth', "$name: kind");
    like($smtp->error ? $smtp->error->text : '', $expected, "$name: text");
    return;
}

subtest 'mechanisms against a server' => sub {
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5)) {
        my $server = server_with(mechanisms => [$mechanism]);
        my $smtp = secure($server);
        is($smtp->auth(ToySasl->usual($mechanism)), 1, $mechanism);
        is(join(' ', $smtp->code, $smtp->mechanism), "235 $mechanism", 'code and mechanism');
        is($smtp->error, undef, 'no error');
        is($smtp->auth(ToySasl->usual($mechanism)), !1, 'a second login');
        like($smtp->message, qr/logged in already/, 'is refused');
        $smtp = secure($server);
        is($smtp->auth(ToySasl->usual($mechanism, pass => 'wrong')), !1, 'a wrong password');
        is(join(' ', $smtp->code, $smtp->error->kind, $smtp->error->code), '535 auth 535', 'code and error');
        is($smtp->auth(ToySasl->usual($mechanism)), 1, 'another try');
        $smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n");
        is(($server->messages)[-1]->user, 'demo', 'the login is the one of the message');
    }
};

subtest 'what goes over the wire' => sub {
    my $server = server_with(mechanisms => [qw(PLAIN LOGIN)]);
    my $smtp = secure($server);
    $smtp->auth(ToySasl->usual('PLAIN'));
    is_deeply([auth_lines($server, $smtp)], ['AUTH PLAIN ' . b64("\0demo\0secret")], 'an initial response');
    $smtp = secure($server);
    $smtp->auth(ToySasl->usual('LOGIN'));
    is_deeply([auth_lines($server, $smtp)], ['AUTH LOGIN', b64('demo'), b64('secret')], 'none');
    my $object = ToySasl->new(mechanism => 'EXTERNAL', knows => { EXTERNAL => {} });
    my $other = scripted('EXTERNAL', '235 ok');
    is(plain_client($other)->auth($object), 1, 'EXTERNAL');
    is_deeply(heard($other), ['AUTH EXTERNAL ='], 'begins with an empty one');
};

subtest 'what the object is asked' => sub {
    my $server = server_with();
    for my $host ('127.0.0.1', '127.0.0.1:' . $server->port) {
        my $object = ToySasl->usual('PLAIN');
        my $client = Net::SMTP::AuthC->new($host, Port => $server->port, SSL => 1, SSL_ca_file => $server->ca_file);
        is($client->auth($object), 1, "host $host");
        is_deeply([$object->asked], [['smtp', '127.0.0.1', 0]], 'service, host without port, and no demands');
    }
    my $maximum;
    my $object = ToySasl->new(mechanism => 'X-TOY',
        knows => { 'X-TOY' => { start => sub { $maximum = $_[0]->property('maxssf'); 'x' } } });
    is(plain_client(scripted('X-TOY', '235 ok'))->auth($object), 1, 'a login');
    is($maximum, 0, 'before it begins it knows that no security layer is wanted');
};

subtest 'the choice' => sub {
    my $wide = server_with(mechanisms => [qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5)]);
    my $narrow = server_with(mechanisms => [qw(LOGIN PLAIN)]);
    for my $case (['DIGEST-MD5 CRAM-MD5', 'DIGEST-MD5'], ['CRAM-MD5 PLAIN', 'CRAM-MD5'], [undef, 'DIGEST-MD5'],
        ['', 'DIGEST-MD5'], ['plain', 'PLAIN'], ["X-NONE\tLOGIN,PLAIN", 'PLAIN']
    ) {
        my ($names, $expected) = @$case;
        my $object = ToySasl->usual($names);
        my $smtp = secure($wide);
        is($smtp->auth($object), 1, 'asked for ' . ($names // 'nothing'));
        is($smtp->mechanism, $expected, 'the object chooses of what is offered');
        is($object->mechanism, $names, 'its list is what it was');
    }
    my $object = ToySasl->usual(undef);
    is(secure($wide)->auth($object), 1, 'one server');
    my $smtp = secure($narrow);
    is($smtp->auth($object), 1, 'the same object at another server');
    is($smtp->mechanism, 'PLAIN', 'with fewer mechanisms');
    $smtp = secure($wide);
    *$smtp->{net_smtp_esmtp}{AUTH} = 'LOGIN';
    is($smtp->auth(ToySasl->usual(undef)), 1, 'a program that writes mechanisms into the capabilities');
    is($smtp->mechanism, 'LOGIN', 'is heard');
};

subtest 'when one of them cannot begin' => sub {
    my $server = server_with(mechanisms => [qw(PLAIN CRAM-MD5 LOGIN)]);
    my %other = %{ ToySasl->usual('')->{knows} };
    for my $case (['gives nothing' => sub { return }], [complains => sub { $_[0]->fail('no ticket') }],
        [dies => sub { die 'no ticket' }], ['has wide characters' => sub { "\x{263a}" }]
    ) {
        my ($name, $start) = @$case;
        my $object = ToySasl->usual('PLAIN CRAM-MD5', knows => { %other, 'CRAM-MD5' => { start => $start } });
        my $smtp = secure($server);
        is($smtp->auth($object), 1, "client_start $name: the next");
        is($smtp->mechanism, 'PLAIN', 'is taken');
        is($object->mechanism, 'PLAIN CRAM-MD5', 'the list is what it was');
        $object = ToySasl->usual('CRAM-MD5', knows => { 'CRAM-MD5' => { start => $start } });
        $smtp = secure($server);
        is($smtp->auth($object), !1, 'there is none');
        error_like($smtp, qr/offers \S+ \S+ \S+, the object has CRAM-MD5; CRAM-MD5: (?:no ticket|the obj|a char)/,
            'none');
        is_deeply([auth_lines($server, $smtp)], [], 'nothing was said');
    }
    my $vague = ToySasl->usual('PLAIN LOGIN CRAM-MD5', reports_list => 1);
    my $smtp = secure($server);
    is($smtp->auth($vague), 1, 'an object that names its list as the mechanism, as the Cyrus library does');
    is($smtp->mechanism, 'CRAM-MD5', 'gets one after the other, those that tell the password last');
    my $liar = ToySasl->usual('PLAIN', reports => "PLAIN\r\nNOOP");
    $smtp = secure($server);
    is($smtp->auth($liar), !1, 'a mechanism that was not asked for');
    is_deeply([auth_lines($server, $smtp)], [], 'is not said');
};

subtest 'nothing fits' => sub {
    my $server = server_with(mechanisms => [qw(PLAIN LOGIN)]);
    my $smtp = secure($server);
    is($smtp->auth(ToySasl->usual('GSSAPI NTLM')), !1, 'auth');
    is($smtp->code, 504, 'code');
    error_like($smtp, qr/the server offers (?:PLAIN LOGIN|LOGIN PLAIN), the object has GSSAPI NTLM\z/, 'error');
    is($smtp->noop, 1, 'the connection goes on');
    $smtp = secure($server);
    is($smtp->auth(ToySasl->new(knows => {})), !1, 'an object without mechanisms');
    error_like($smtp, qr/the object names none; \w+: No SASL mechanism found/, 'error');
    $smtp = secure(sandbox(tls => 'implicit', keywords => ['SIZE']));
    is_deeply([$smtp->auth(ToySasl->usual('PLAIN'))], [], 'AUTH is not offered');
    is($smtp->code, 500, 'code');
};

subtest 'what was never meant' => sub {
    my %log = (ANONYMOUS => { start => 'demo' }, EXTERNAL => { start => 'demo' });
    my $server = scripted('EXTERNAL ANONYMOUS LOGIN', '235 ok');
    my $smtp = plain_client($server);
    is($smtp->auth(ToySasl->new(knows => \%log)), !1, 'EXTERNAL and ANONYMOUS do not stand in for a password');
    is_deeply(heard($server), [], 'nothing was said');
    is($smtp->auth(ToySasl->new(mechanism => 'ANONYMOUS', knows => \%log)), 1, 'but where they are named');
    $server = scripted('EXTERNAL', '235 ok');
    is(plain_client($server)->auth(ToySasl->new(knows => \%log)), 1, 'or EXTERNAL is all there is');
};

subtest 'an open line' => sub {
    my $server = sandbox(users => \%users, mechanisms => [qw(PLAIN LOGIN CRAM-MD5)]);
    my $smtp = client($server);
    my $hasty = ToySasl->usual('PLAIN CRAM-MD5', order => [qw(PLAIN CRAM-MD5)]);
    is($smtp->auth($hasty), 1, 'the object would take PLAIN');
    is($smtp->mechanism, 'CRAM-MD5', 'the line does not');
    for my $name (qw(PLAIN LOGIN XOAUTH2 OAUTHBEARER)) {
        for my $form ($name, lc $name) {
            my $open = scripted($form, '235 ok');
            $smtp = plain_client($open);
            my $object = ToySasl->new(mechanism => $form, knows => { $form => { start => 'a secret' } });
            is($smtp->auth($object), !1, $form);
            error_like($smtp, qr/\A$name is forbidden without TLS/, $form);
            is_deeply(heard($open), [], 'nothing was said');
        }
    }
    $smtp = client($server, insecure_cleartext_auth => 1);
    is($smtp->auth(ToySasl->usual('PLAIN')), 1, 'insecure_cleartext_auth');
};

subtest 'after a refusal' => sub {
    my %knows = map { $_ => { start => 'x' } } qw(X-ONE X-TWO EXTERNAL);
    for my $case (['X-ONE X-TWO', 504, 2], ['X-ONE X-TWO', 501, 2], ['X-ONE X-TWO', 534, 2],
        ['X-ONE X-TWO', 535, 1], ['X-ONE X-TWO', 454, 1], ['EXTERNAL X-TWO', 535, 2], ['EXTERNAL X-TWO', 454, 1]
    ) {
        my ($names, $code, $count) = @$case;
        my $server = scripted($names, "$code no", '235 ok');
        my $smtp = plain_client($server);
        is($smtp->auth(ToySasl->new(mechanism => $names, knows => \%knows)), $count == 2, "$names: $code");
        is(scalar @{ heard($server) }, $count, 'so many were tried');
        is($smtp->error && $smtp->error->code, $count == 2 ? undef : $code, 'code of the error');
    }
    my $server = scripted('X-ONE X-TWO', '504 not me', '535 wrong');
    my $smtp = plain_client($server);
    is($smtp->auth(ToySasl->new(knows => \%knows)), !1, 'both refused');
    is(join(' ', $smtp->code, $smtp->error->code, $smtp->error->text), '535 535 wrong', 'the last word counts');
};

subtest 'the object gives up in the middle' => sub {
    for my $case (['nothing' => sub { return }, qr/\AX-TOY: the object gave no answer\z/],
        ['an error' => sub { $_[0]->fail('the server lies') }, qr/\AX-TOY: the server lies\z/],
        ['an error beside an empty answer' => sub { $_[0]->fail('bad stage'); '' }, qr/\AX-TOY: bad stage\z/],
        ['it dies' => sub { die 'out of luck' }, qr/\AX-TOY: out of luck\z/],
        ['it dies in many lines' => sub { die "out of luck\nin full:\n\0" }, qr/\AX-TOY: out of luck\z/],
        ['it dies with its secret' => sub { die "bad password sesame (again: sesame)\n" },
            qr/\AX-TOY: bad password \*\*\* \(again: \*\*\*\)\z/],
        ['it dies with what it said' => sub { die "after hello I am lost\n" }, qr/\AX-TOY: after \*\*\* I am lost\z/],
        ['it dies with an object' => sub { die bless {}, 'Odd' }, qr/\AX-TOY: Odd=/],
        ['it dies without end' => sub { die 'x' x 100_000 }, qr/\AX-TOY: x{200}\.\.\.\z/],
        ['wide characters' => sub { "\x{263a}" }, qr/\AX-TOY: a character above 255; give it user and password/],
        ['a layer' => sub { $_[0]{ssf} = 1; 'yes' }, qr/\AX-TOY: the object wants a security layer/],
    ) {
        my ($name, $step, $expected) = @$case;
        my ($server, $smtp, $object) = toy(['334 ' . b64('go'), '501 cancelled'], start => 'hello', step => $step);
        local $SIG{__DIE__} = sub { fail('a handler of the program was called') };
        is($smtp->auth($object), !1, $name);
        is_deeply(heard($server), ['AUTH X-TOY ' . b64('hello'), '*'], 'cancelled, once');
        error_like($smtp, $expected, $name);
        is($smtp->code, 504, 'code');
        unlike(join(' ', $smtp->message, $smtp->error), qr/sesame/, 'no secret');
        is($smtp->noop, 1, 'the connection goes on');
    }
};

subtest 'after the object gave up' => sub {
    my %knows = ('X-ONE' => { start => 'x', step => sub { return } }, 'X-TWO' => { start => 'x' });
    my $server = scripted('X-ONE X-TWO', '334 ', '501 cancelled', '235 ok');
    is(plain_client($server)->auth(ToySasl->new(knows => \%knows)), !1, 'no other mechanism');
    is_deeply(heard($server), ['AUTH X-ONE eA==', '*'], 'is tried');
};

subtest 'what OAuth servers say' => sub {
    my ($server, $smtp, $object) = toy(['334 ' . b64('{"status":"401"}'), '535 5.7.8 no'], start => 'token',
        step => sub { $_[0]->fail({ status => 401, scope => 'mail' }); "\1" });
    is($smtp->auth($object), !1, 'refused');
    is_deeply(heard($server), ['AUTH X-TOY ' . b64('token'), 'AQ=='], 'an answer that comes with an error is given');
    error_like($smtp, qr/no \(X-TOY: scope mail, status 401\)\z/, 'both');
    is($smtp->code, 535, 'code');
};

subtest 'the server says yes, the object does not' => sub {
    my $digest = ToySasl->usual('DIGEST-MD5');
    my $at_once = scripted('DIGEST-MD5', '235 ok');
    my $challenge = '334 ' . b64('realm="r",nonce="n",qop="auth",algorithm=md5-sess');
    my $without_proof = scripted('DIGEST-MD5', $challenge, '235 ok');
    my $wrong_proof = scripted('DIGEST-MD5', $challenge, '334 ' . b64('rspauth=' . '0' x 32), '235 ok');
    for my $case (['235 at once' => $at_once], ['235 without proof' => $without_proof]) {
        my ($name, $server) = @$case;
        my $smtp = plain_client($server);
        is($smtp->auth($digest), !1, $name);
        error_like($smtp, qr/\ADIGEST-MD5: the server said yes before the object was done with it/, $name);
        is($smtp->noop, !1, 'the connection is closed');
        is($smtp->code, 421, 'for good');
    }
    my $smtp = plain_client($wrong_proof);
    is($smtp->auth($digest), !1, 'a wrong proof');
    is($smtp->noop, !1, '235 to a cancelled login ends the connection');
    for my $case ([success => 0, qr/before the object was done/], [need_step => 1, qr/before the object was done/],
        [error => 'no', qr/\AX-TOY: no\z/], [success => sub { die 'me too' }, qr/before the object was done/],
        [ssf => 56, qr/\AX-TOY: the object has agreed on a security layer/],
    ) {
        my ($field, $value, $expected) = @$case;
        my ($server, $smtp, $object) = toy(['235 ok'], start => 'x', $field => $value);
        is($smtp->auth($object), !1, $field);
        error_like($smtp, $expected, $field);
        is($smtp->mail('a@b.test'), !1, 'no mail goes out');
        is_deeply(heard($server), ['AUTH X-TOY eA=='], 'nothing else was said');
    }
};

subtest 'mechanisms in which nothing is proved' => sub {
    for my $case ([{}, 1], [{ error => 'no' }, !1]) {
        my ($more, $expected) = @$case;
        my $server = scripted('CRAM-MD5', '334 ' . b64('<1@x>'), '235 ok');
        my %row = (step => sub { 'demo 0' }, success => 0, %$more);
        my $object = ToySasl->new(mechanism => 'CRAM-MD5', knows => { 'CRAM-MD5' => \%row });
        my $smtp = plain_client($server);
        my $name = $more->{error} // 'no error';
        is($smtp->auth($object), $expected, "an object that never says it is done: $name");
    }
};

subtest 'GSSAPI as Authen::SASL has it' => sub {
    for my $case ([undef, !1], [0, 1], [56, !1]) {
        my ($strength, $expected) = @$case;
        my $object = ToySasl->new(mechanism => 'GSSAPI',
            knows => { GSSAPI => { start => 'ticket', success => 0, ssf => $strength } });
        my $server = scripted('GSSAPI', '235 ok');
        my $smtp = plain_client($server);
        is($smtp->auth($object), $expected, 'a layer of strength ' . ($strength // 'nobody knows'));
    }
};

subtest 'challenges' => sub {
    my @seen;
    my %row = (step => sub { push @seen, $_[1]; 'answer' });
    my ($server, $smtp, $object) = toy(['334 TOY supported', '334 ' . b64("a\0\xff\n"), '334', '235 ok'], %row);
    is($smtp->auth($object), 1, 'with words where there was nothing to say yet');
    is_deeply(\@seen, ['', "a\0\xff\n", ''], 'the object gets octets');
    @seen = ();
    ($server, $smtp, $object) = toy(['334 go on', '334 this is no base64', '501 cancelled'], %row);
    is($smtp->auth($object), !1, 'words later on');
    error_like($smtp, qr/\AX-TOY: the challenge is not base64/, 'words');
    is(scalar @seen, 1, 'are not for the object');
    ($server, $smtp, $object) = toy([('334 ' . b64('more')) x 100], start => 'x', %row);
    @seen = ();
    is($smtp->auth($object), !1, 'without end');
    cmp_ok(scalar @seen, '<=', 10, 'the object is asked a few times');
    ($server, $smtp, $object) = toy(['421 going down'], start => 'x');
    is($smtp->auth($object), !1, 'the server goes');
    is($smtp->error->code, 421, 'its code');
};

subtest 'long responses' => sub {
    my $long = "\0\xff" x 500;
    my ($server, $smtp, $object) = toy(['334 ', '235 ok'], start => $long, step => sub { die 'never asked' });
    is($smtp->auth($object), 1, 'a long initial response');
    is_deeply(heard($server), ['AUTH X-TOY', b64($long)], 'answers the first challenge');
    ($server, $smtp, $object) = toy(['235 ok'], start => 'x' x 2_000_000);
    is($smtp->auth($object), !1, 'one without end');
    is_deeply(heard($server), [], 'is not said');
    is($smtp->noop, 1, 'the connection goes on');
    ($server, $smtp, $object) = toy(['334 ', '501 cancelled'], step => sub { 'x' x 2_000_000 });
    is($smtp->auth($object), !1, 'a response without end');
    is_deeply(heard($server), ['AUTH X-TOY', '*'], 'is not said');
    error_like($smtp, qr/too long/, 'a response without end');
};

subtest 'an object that reaches out' => sub {
    my ($server, $smtp, $object);
    ($server, $smtp, $object) = toy(['334 ', '501 no'], step => sub { $smtp->noop; 'x' });
    is($smtp->auth($object), !1, 'it uses the connection');
    error_like($smtp, qr/in the middle of another call/, 'that');
    ($server, $smtp, $object) = toy(['334 ', '235 ok'], step => sub { undef $object; 'x' });
    is($smtp->auth($object), 1, 'it frees itself');
    ($server, $smtp, $object) = toy(['334 ', '235 ok'], step => sub { undef $smtp; 'x' });
    is($smtp->auth($object), 1, 'it frees the connection');
    is($smtp, undef, 'which is gone then');
    my $left = 0;
    ($server, $smtp, $object) = toy(['334 ', '501 no'], step => sub { no warnings 'exiting'; last });
    for (1) { is($smtp->auth($object), !1, 'it leaves by last'); $left = 1 }
    is($left, 1, 'and does not get far');
};

subtest 'not an object' => sub {
    my $server = server_with();
    for my $thing ({}, [], sub { 'demo' }, bless({}, 'Odd')) {
        my $smtp = secure($server);
        is($smtp->auth($thing, 'secret'), !1, ref $thing);
        like($smtp->message, qr/user/, 'is no user name');
    }
};

# ---- the sending face ----

sub sending {
    my ($server, @more) = @_;
    my @usual = (ca_file => $server->ca_file, timeout => 20);
    return eval { Net::SMTP::AuthC->connect('smtps://127.0.0.1:' . $server->port, @usual, @more) };
}

subtest 'connect and send_mail' => sub {
    my $server = server_with(mechanisms => [qw(PLAIN DIGEST-MD5)]);
    my $object = ToySasl->usual('DIGEST-MD5');
    my $smtp = sending($server, sasl => $object);
    is($smtp && $smtp->mechanism, 'DIGEST-MD5', 'connect') or diag $@;
    is_deeply([$object->asked], [['smtp', '127.0.0.1', 0]], 'the host without scheme and port');
    my $receipt = $smtp->submit("Subject: x\n\nx\n", from => 'a@b.test', to => 'c@d.test');
    is($receipt->mechanism, 'DIGEST-MD5', 'the receipt knows it');
    my $gone = 0;
    my $last = bless ToySasl->usual('PLAIN'), 'Counted';
    { no warnings 'once'; @Counted::ISA = 'ToySasl'; *Counted::DESTROY = sub { $gone++ } }
    $smtp = sending($server, sasl => $last);
    undef $last;
    is($gone, 1, 'the connection does not keep the object');
    Net::SMTP::AuthC->send_mail(server => 'smtps://127.0.0.1:' . $server->port, ca_file => $server->ca_file,
        sasl => ToySasl->usual('PLAIN'), from => 'a@b.test', to => 'c@d.test', subject => 'x', text => "x\n");
    is(($server->messages)[-1]->user, 'demo', 'send_mail');
};

subtest 'errors of connect' => sub {
    my $server = server_with(mechanisms => ['CRAM-MD5']);
    sending($server, sasl => ToySasl->usual('CRAM-MD5', pass => 'wrong'));
    is(join('|', ref $@, $@->kind, $@->code, $@->step), 'Net::SMTP::AuthC::Error|auth|535|AUTH', 'refused');
    sending($server, sasl => ToySasl->usual('GSSAPI'));
    is($@->kind, 'auth', 'nothing fits');
    is($@->code, undef, 'no code');
    like($@, qr/\AAUTH with 127\.0\.0\.1:\d+: no mechanism fits: /, 'where');
    like($@, qr/the server offers CRAM-MD5, the object has GSSAPI/, 'why');
    my %row = (step => sub { die 'lost' });
    sending($server, sasl => ToySasl->new(mechanism => 'CRAM-MD5', knows => { 'CRAM-MD5' => \%row }));
    is($@->text, 'CRAM-MD5: lost', 'it dies');
    sending(sandbox(tls => 'implicit', keywords => ['SIZE']), sasl => ToySasl->usual('PLAIN'));
    like($@->text, qr/the server offers no AUTH/, 'no AUTH');
};

subtest 'options of connect' => sub {
    my $server = server_with();
    my $object = ToySasl->usual('PLAIN');
    for my $name (qw(password oauth_token username mechanism authzid)) {
        sending($server, sasl => $object, $name => 'x');
        is($@ && $@->kind, 'usage', "sasl and $name");
        like($@, qr/sasl and $name/, 'that is said');
    }
    for my $thing ('demo', {}, bless({}, 'Odd')) {
        sending($server, sasl => $thing);
        like($@, qr/sasl: an object with client_new/, ref $thing || 'a string');
    }
    eval { Net::SMTP::AuthC->connect('smtps://demo:secret@127.0.0.1:' . $server->port, sasl => $object) };
    like($@, qr/sasl and password/, 'a user in the address');
};

done_testing;
