# The test server's SCRAM: right and wrong proofs, channel bindings, and every message that a fault makes of its own.
use strict;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(encode_base64 decode_base64);
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use RawLogin;
use Test::More;

my @HASHES = (1, 256, 512);
my $REFUSED = '535 5.7.8 Authentication credentials invalid';
my $WELCOME = '235 2.7.0 Authentication successful';

sub sandbox {
    my (%option) = @_;
    return Net::SMTP::AuthC::Sandbox->new(tls => 'none', users => { demo => 'secret' }, scram_iterations => 50,
        mechanisms => [ map { "SCRAM-SHA-$_" } @HASHES ], %option);
}

# A sandbox whose logins have these faults, and a client of it.
sub with_fault {
    my ($fault, %option) = @_;
    my $server = sandbox(faults => [ { stage => 'login', %$fault } ], %option);
    return ($server, RawClient->ready($server->port));
}

# The codes of replies.
sub codes { return join ' ', map { substr $_, 0, 3 } @_ }

subtest 'the client of these tests, by the vectors' => sub {
    for my $row (RawClient::vectors('scram')) {
        my ($hash) = $row->{mechanism} =~ /SHA-([0-9]+)/;
        my ($header, $nonce) = $row->{client_first} =~ /\A([^,]*),.*,r=(.*)/;
        my ($identity) = $row->{client_first} =~ /,a=([^,]*),/;
        if (defined $identity) { $identity =~ s/=2C/,/g; $identity =~ s/=3D/=/g }
        my $binding = $row->{cb_data_hex} eq '-' ? '' : pack 'H*', $row->{cb_data_hex};
        my $scram = RawLogin->scram(hash => $hash, flag => $header, nonce => $nonce, binding => $binding,
            identity => $identity, user => RawClient::octets($row->{user_hex}),
            password => RawClient::octets($row->{password_prepared_hex}));
        is($scram->first, $row->{client_first}, "$row->{id}: first");
        is($scram->final($row->{server_first}), $row->{client_final}, "$row->{id}: final");
        is('v=' . $scram->signature, $row->{server_final}, "$row->{id}: signature");
    }
};

subtest 'SCRAM: right and wrong' => sub {
    my $server = sandbox(scram_iterations => 4096);
    for my $hash (@HASHES) {
        my $client = RawClient->ready($server->port);
        my ($scram, @said) = RawLogin::talk_scram($client, hash => $hash, password => 'Secret');
        like($said[0], qr{\A334 r=\Q$scram->{nonce}\E[^,]{18,},s=[A-Za-z0-9+/]{22}==,i=4096\z},
            "SHA-$hash: challenge");
        is_deeply([@said[ 1, 2 ]], [ '334 e=invalid-proof', $REFUSED ], 'a wrong password');
        ($scram, my @other) = RawLogin::talk_scram($client, hash => $hash, user => 'nobody');
        is_deeply([@other[ 1, 2 ]], [ '334 e=invalid-proof', $REFUSED ], 'an unknown user looks the same');
        ($scram, @other) = RawLogin::talk_scram($client, hash => $hash, user => 'nobody', password => '');
        is($other[2], $REFUSED, 'without a password too');
        ($scram, my @right) = RawLogin::talk_scram($client, hash => $hash, identity => 'x,y');
        is_deeply([@right[ 1, 2 ]], [ '334 v=' . $scram->signature, $WELCOME ], 'the right password');
        is(($right[0] =~ /(s=.*)/)[0], ($said[0] =~ /(s=.*)/)[0], 'the salt of a user is always the same');
        my $session = ($server->sessions)[-1];
        is(join('|', map { $session->$_ } qw(user identity mechanism)), "demo|x,y|SCRAM-SHA-$hash", 'who, and how');
    }
    is(scalar(my @before = glob "$server->{folder}/salted-*"), 2 * @HASHES, 'worked out once each');
    RawLogin::talk_scram(RawClient->ready($server->port), hash => 512);
    is(scalar(my @after = glob "$server->{folder}/salted-*"), @before, 'what was worked out is kept for all');
};

subtest 'SCRAM: messages out of form' => sub {
    my $client = RawClient->ready((my $server = sandbox())->port);
    my %wrong = ('' => 'invalid-encoding', 'n,,n=demo' => 'invalid-encoding', 'x,,n=demo,r=x' => 'invalid-encoding',
        'n,n=demo,r=x' => 'invalid-encoding', 'n,,n=de=mo,r=x' => 'invalid-encoding',
        'n,,n=,r=x' => 'invalid-encoding', 'n,,r=x,n=demo' => 'invalid-encoding',
        "n,,n=demo,r=x\x01" => 'invalid-encoding', 'n,,m=x,n=demo,r=x' => 'extensions-not-supported',
        'p=tls-unique,,n=demo,r=x' => 'channel-binding-not-supported');
    for my $first (sort keys %wrong) {
        my @said = RawLogin::talk($client, 'SCRAM-SHA-1', $first, '');
        is_deeply(\@said, [ "334 e=$wrong{$first}", $REFUSED ], "first: $first");
    }
    my %change = (qr/\Ac=biws/ => [ 'c=eSws', 'channel-bindings-dont-match' ], qr/,r=c/ => [ ',r=d', 'other-error' ],
        qr/p=.*/ => [ 'p=!', 'invalid-encoding' ], qr/,p=.*/ => [ '', 'invalid-encoding' ],
        qr/p=.*/s => [ 'p=AAAA', 'invalid-proof' ]);
    for my $pattern (sort keys %change) {
        my ($text, $error) = @{ $change{$pattern} };
        my $scram = RawLogin->scram(hash => 1);
        my $change = sub { my $final = $scram->final($_[0]); $final =~ s/$pattern/$text/; $final };
        is_deeply([(RawLogin::talk($client, 'SCRAM-SHA-1', $scram->first, $change, ''))[ 1, 2 ]],
            [ "334 e=$error", $REFUSED ], "final with '$text'");
    }
    my $scram = RawLogin->scram(hash => 1);
    my @said = RawLogin::talk($client, 'SCRAM-SHA-1', undef, $scram->first, sub { $scram->final($_[0]) }, \'*');
    is(codes(@said), '334 334 334 501', 'cancelled though the password was right');
    @said = RawLogin::talk($client, 'SCRAM-SHA-1', $scram->first, sub { $scram->final($_[0]) }, 'more');
    is(codes(@said), '334 334 501', 'something behind the signature');
    like((RawLogin::talk_scram($client, hash => 1))[-1], qr/\A235/, 'and after all that a login');
};

# What the vectors say, against the server: its nonce, salt and count are theirs.
sub vector_faults {
    my ($row) = @_;
    my ($nonce, $salt, $count) = $row->{server_first} =~ /\A(r=[^,]*),(s=[^,]*),(i=.*)/;
    return { scram_first => [ $nonce, $salt, $count ] };
}

subtest 'SCRAM with the vectors' => sub {
    for my $row (RawClient::vectors('scram')) {
        my %users = map { utf8::decode($_); $_ } map { RawClient::octets($row->{$_}) } qw(user_hex password_hex);
        my @answers = map { decode_base64($row->{$_}) } qw(client_first_b64 client_final_b64);
        my $wrong = $answers[1];
        $wrong =~ s/,p=(.)/',p=' . ($1 eq 'A' ? 'B' : 'A')/e;
        if ($row->{cb_type} eq '-') {
            my ($server, $client) = with_fault(vector_faults($row), users => \%users);
            my @said = RawLogin::talk($client, $row->{mechanism}, $answers[0], $wrong, '');
            is_deeply(\@said, [ "334 $row->{server_first}", '334 e=invalid-proof', $REFUSED ],
                "$row->{id}: wrong proof");
            @said = RawLogin::talk($client, $row->{mechanism}, @answers, '');
            is_deeply(\@said, [ "334 $row->{server_first}", "334 $row->{server_final}", $WELCOME ],
                "$row->{id}: right");
            next;
        }
        my %self = (fault => vector_faults($row), users => { user => 'pencil' },
            binding => sub { $_[0] eq $row->{cb_type} ? RawClient::octets($row->{cb_data_hex}) : undef });
        is_deeply([RawLogin::alone($row->{mechanism}, [ @answers, '' ], %self)],
            [ @$row{qw(server_first server_final)}, 'user user' ], "$row->{id}: right");
        is((RawLogin::alone($row->{mechanism}, [ $answers[0], $wrong, '' ], %self))[-1], 'refused',
            "$row->{id}: wrong proof");
    }
};

subtest 'SCRAM with a channel binding' => sub {
    my %self = (binding => sub { $_[0] =~ /exporter|mine/ ? 'octets' : undef }, offers_plus => 1);
    my $try = sub {
        my ($name, %want) = @_;
        my $scram = RawLogin->scram(%want);
        my @said = RawLogin::alone($name, [ $scram->first, sub { $scram->final($_[0]) }, '' ], %self);
        return $said[-1] eq 'refused' ? $said[-2] : $said[-1];
    };
    my ($plus, $without) = ('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256');
    is($try->($plus, flag => 'p=tls-exporter', binding => 'octets'), 'user demo', 'right');
    is($try->($plus, flag => 'p=tls-exporter', binding => 'octet5'), 'e=channel-bindings-dont-match', 'other octets');
    is($try->($plus, flag => 'p=tls-exporter'), 'e=channel-bindings-dont-match', 'none');
    is($try->($plus, flag => 'p=tls-unique', binding => 'octets'), 'e=unsupported-channel-binding-type', 'not here');
    is($try->($plus, flag => 'p=mine', binding => 'octets'), 'e=unsupported-channel-binding-type', 'an unknown name');
    is($try->($plus, flag => 'n'), 'e=other-error', 'a mechanism that binds, without');
    is($try->($plus, flag => 'y'), 'e=server-does-support-channel-binding', 'flag y with it');
    is($try->($without, flag => 'y'), 'e=server-does-support-channel-binding', 'flag y while it is offered');
    is($try->($without, flag => 'n'), 'user demo', 'flag n');
    is($try->($without, flag => 'p=tls-exporter', binding => 'octets'), 'e=channel-binding-not-supported', 'flag p');
};

subtest 'SCRAM: the signature inside the 235' => sub {
    for my $where ('235', '235 2.7.0') {
        my $client = RawClient->ready((my $server = sandbox(scram_signature => $where))->port);
        my ($scram, @said) = RawLogin::talk_scram($client, hash => 256, password => 'no');
        is_deeply([@said[ 1, 2 ]], [ '334 e=invalid-proof', $REFUSED ], 'an error comes by itself');
        ($scram, @said) = RawLogin::talk_scram($client, hash => 256);
        is($said[1], "$where " . encode_base64('v=' . $scram->signature, ''), "the signature behind $where");
        is(codes($client->say('MAIL FROM:<a@b.test>')), '250', 'logged in');
    }
};

subtest 'SCRAM: faults in the first message' => sub {
    my $own = 'c0ffeec0ffeec0ffeec0ffee';
    my $rest = qr{s=[A-Za-z0-9+/]{22}==,i=50};
    my %want = ('nonce-not-ours' => qr{r=X0ffeec0ffeec0ffeec0ffee\w+,$rest}, 'nonce-not-extended' => qr/r=$own,$rest/,
        'no-salt' => qr/r=$own\w+,i=50/, 'no-count' => qr{r=$own\w+,s=[^,]*},
        'other-order' => qr/s=[^,]*,r=$own\w+,i=50/, 'i=1' => qr/r=$own\w+,s=[^,]*,i=1/,
        'i=2147483648' => qr/.*,i=2147483648/, 'i=0' => qr/.*,i=0/,
        'i=04096' => qr/.*,i=04096/, 's=' => qr/r=$own\w+,s=,i=50/, 's=no!' => qr/r=$own\w+,s=no!,i=50/,
        'm=1' => qr/m=1,r=$own\w+,$rest/, 'x=1' => qr/r=$own\w+,$rest,x=1/, 'e=weird thing' => qr/e=weird thing/,
        'r=any' => qr/r=any,$rest/);
    for my $what (sort keys %want) {
        my ($server, $client) = with_fault({ scram_first => $what });
        my @said = RawLogin::talk($client, 'SCRAM-SHA-256', RawLogin->scram->first, \'*');
        like($said[0], qr/\A334 $want{$what}\z/, $what);
        like($said[1], qr/\A501/, 'then the client goes');
    }
    for my $what (qw(i=1 i=04096 x=1 nonce-not-ours nonce-not-extended m=1 other-order)) {
        my ($server, $client) = with_fault({ scram_first => $what });
        my ($scram, @said) = RawLogin::talk_scram($client, hash => 256);
        is_deeply([@said[ 1, 2 ]], [ '334 v=' . $scram->signature, $WELCOME ], "$what: who does not mind is let in");
    }
    my ($server, $client) = with_fault({ scram_first => 'e=other-error' });
    is_deeply([RawLogin::talk($client, 'SCRAM-SHA-1', 'n,,n=demo,r=x', '')], [ '334 e=other-error', $REFUSED ],
        'an error');
    ($server, $client) = with_fault({ scram_first => 'success' });
    is_deeply([RawLogin::talk($client, 'SCRAM-SHA-1', 'n,,n=demo,r=x')], [$WELCOME], 'success at once');
    is(codes($client->say('MAIL FROM:<a@b.test>')), '250', 'and it counts');
};

subtest 'SCRAM: faults in the last message' => sub {
    my $try = sub {
        my ($fault, %want) = @_;
        my ($server, $client) = with_fault({ scram_last => $fault });
        my ($scram, @said) = RawLogin::talk_scram($client, hash => 256, %want);
        return ($scram->signature, @said[ 1 .. $#said ]);
    };
    my ($right, @said) = $try->('wrong');
    isnt($said[0], "334 v=$right", 'a wrong signature');
    like($said[0], qr{\A334 v=[A-Za-z0-9+/]{43}=\z}, 'of the right length');
    is($said[1], $WELCOME, 'and then success');
    ($right, @said) = $try->('none');
    is_deeply(\@said, [$WELCOME], 'success without the signature');
    ($right, @said) = $try->('none', password => 'no');
    is_deeply(\@said, [$REFUSED], 'a refusal without the reason');
    for my $text ('v=', 'v=AAAA', 'v=!', 'x=1') {
        ($right, @said) = $try->($text);
        is_deeply(\@said, [ "334 $text", $WELCOME ], "$text, and success");
    }
    ($right, @said) = $try->('');
    is_deeply(\@said, [ '334 ', $WELCOME ], 'an empty one');
    ($right, @said) = $try->('e=no-resources');
    is_deeply(\@said, [ '334 e=no-resources', $REFUSED ], 'an error though the proof was right');
    my ($server, $client) = with_fault({ scram_last => 'wrong' }, scram_signature => '235');
    (my $scram, @said) = RawLogin::talk_scram($client, hash => 1);
    like($said[1], qr/\A235 dj/, 'wrong inside the 235');
    isnt($said[1], '235 ' . encode_base64('v=' . $scram->signature, ''), 'too');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
