# The Net::SMTP face: auth: its forms, its results, what may cross an open line, and what is never shown.
use strict;
use warnings;
use lib 't/lib';
use Face;
use MIME::Base64 qw(encode_base64);
use Test::More;

my %users = (demo => 'secret', "d\x{e9}j\x{e0}" => "v\x{fc} \x{263a}");

sub b64 { return encode_base64(join("\0", @_), '') }

# Over TLS, where every mechanism may be used.
sub server_with { return sandbox(tls => 'implicit', users => \%users, @_) }
sub secure { return client($_[0], SSL => 1, @_[1 .. $#_]) }
sub auth_lines { return grep { !/\A(?:EHLO|QUIT)/ } said(@_) }

subtest 'every mechanism, in every form of asking for it' => sub {
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
        my $server = server_with(mechanisms => [$mechanism]);
        my $smtp = secure($server);
        is($smtp->auth('demo', 'secret'), 1, "$mechanism: the only one that is offered");
        is($smtp->code, 235, 'its code');
        is($smtp->mechanism, $mechanism, 'mechanism');
        is($smtp->auth('demo', 'secret'), !1, 'a second login is refused');
        like($smtp->message, qr/logged in already/, 'and that is said');
        my $all = server_with();
        for my $form ([$mechanism], [mechanism => $mechanism], [mechanism => ['NONE', $mechanism]],
            ["NONE $mechanism"], [lc $mechanism], [$mechanism, more => 'is passed over']
        ) {
            $smtp = secure($all);
            is($smtp->auth('demo', 'secret', @$form), 1, 'asked for by name');
            is($smtp->mechanism, $mechanism, "is $mechanism");
        }
    }
};

subtest 'what goes over the wire' => sub {
    my $server = server_with(mechanisms => ['PLAIN']);
    my $smtp = secure($server);
    $smtp->auth('demo', 'secret');
    is_deeply([auth_lines($server, $smtp)], ['AUTH PLAIN ' . b64('', 'demo', 'secret')],
        'PLAIN, without authorization identity');
    $server = server_with(mechanisms => ['LOGIN']);
    $smtp = secure($server);
    $smtp->auth('demo', 'secret');
    is_deeply([auth_lines($server, $smtp)], ['AUTH LOGIN', b64('demo'), b64('secret')], 'LOGIN');
    $server = server_with(mechanisms => ['CRAM-MD5'], damaged_challenge => 1);
    $smtp = secure($server);
    is($smtp->auth('demo', 'secret'), 1, 'the damaged challenge of the article');
    $server = server_with(mechanisms => ['PLAIN'], legacy_plain => 1);
    $smtp = secure($server);
    is($smtp->auth('demo', 'secret'), 1, 'PLAIN as the article tells it');
    is_deeply([(auth_lines($server, $smtp))[-2, -1]], ['demo', 'secret'], 'in clear text');
};

subtest 'user and password' => sub {
    my $server = server_with();
    my ($user) = grep { /d.j/ } keys %users;
    my $password = $users{$user};
    is(secure($server)->auth($user, $password), 1, 'characters above 127');
    is(secure($server)->auth($user, sub { $password }), 1, 'from a code ref');
    utf8::upgrade($user);
    is(secure($server)->auth($user, $password), 1, 'however Perl holds them');
    utf8::encode($_) for $user, $password;
    is(secure($server)->auth($user, $password), 1, 'octets that are UTF-8 already');
    is(secure($server)->auth('demo', sub { 'secret' }), 1, 'a code ref');
    for my $case ([demo => undef, qr/username without password/], ['', 'secret', qr/user/], [undef, 'secret', qr/user/],
        ["demo \r\n", 'secret', qr/user.*(?:CR|line end)/i],
        ["demo\0", 'secret', qr/user.*NUL/], ['demo', "se\0cret", qr/password.*NUL/],
        [demo => sub { undef }, qr/password: the code ref gave nothing/],
    ) {
        my ($name, $password, $why) = @$case;
        my $smtp = secure($server);
        is($smtp->auth($name, $password), !1, 'refused');
        like($smtp->message, $why, 'with the reason');
        isnt($smtp->error, undef, 'an error');
        is_deeply([auth_lines($server, $smtp)], [], 'nothing was said');
    }
    my $smtp = secure($server);
    $smtp->auth('demo', undef);
    is($smtp->auth('demo', 'secret'), 1, 'after an undefined password one may try again');
};

subtest 'refusals' => sub {
    my $server = server_with(mechanisms => ['PLAIN']);
    my $smtp = secure($server);
    is($smtp->auth('demo', 'wrong'), !1, 'a wrong password');
    is(join('|', $smtp->code, $smtp->status, $smtp->ok), '535|5|', 'its code');
    is($smtp->error->kind, 'auth', 'its kind');
    is($smtp->auth('demo', 'secret'), 1, 'another try');
    my $none = sandbox(tls => 'implicit', keywords => ['SIZE']);
    $smtp = secure($none);
    is_deeply([$smtp->auth('demo', 'secret')], [], 'no AUTH on offer: an empty list');
    is(scalar($smtp->auth('demo', 'secret')), undef, 'undef');
    is(join('|', $smtp->code, $smtp->message), q{500|Command unknown: 'AUTH'}, 'why');
    is($smtp->error->kind, 'auth', 'its kind');
    my $odd = server_with(keywords => ['AUTH GSSAPI NTLM']);
    $smtp = secure($odd);
    is($smtp->auth('demo', 'secret'), !1, 'no mechanism that we have');
    is($smtp->code, 504, 'its code');
    like($smtp->message, qr/offers GSSAPI NTLM/, 'what there was');
    is($smtp->noop, 1, 'the connection goes on');
    my $cut = server_with(faults => [{stage => 'auth', close => 1}]);
    $smtp = secure($cut);
    is($smtp->auth('demo', 'secret'), !1, 'the server hangs up');
    is($smtp->code, 421, 'its code');
};

subtest 'an open line' => sub {
    my $server = sandbox(users => \%users, mechanisms => [qw(PLAIN LOGIN CRAM-MD5)]);
    my $smtp = client($server);
    is($smtp->auth('demo', 'secret'), 1, 'auth');
    is($smtp->mechanism, 'CRAM-MD5', 'by what reveals nothing');
    for my $wanted (qw(PLAIN LOGIN)) {
        $smtp = client($server);
        is($smtp->auth('demo', 'secret', $wanted), !1, "$wanted by name");
        like($smtp->message, qr/forbidden without TLS/, 'is not allowed');
        is_deeply([auth_lines($server, $smtp)], [], 'and nothing was said');
        $smtp = client($server, insecure_cleartext_auth => 1);
        is($smtp->auth('demo', 'secret', $wanted), 1, 'insecure_cleartext_auth');
    }
    my $refusing = sandbox(users => \%users, faults => [{stage => 'auth', reply => "535 no\r\n"}]);
    $smtp = client($refusing);
    is($smtp->auth('demo', 'secret'), !1, 'CRAM-MD5 is refused');
    my @lines = auth_lines($refusing, $smtp);
    is($lines[0], 'AUTH CRAM-MD5', 'it was tried');
    is(scalar(@lines), 2, 'and nothing else');
};

subtest 'a program that writes the mechanisms into the capabilities' => sub {
    my $server = server_with();
    my $smtp = secure($server);
    *$smtp->{net_smtp_esmtp}{AUTH} = 'LOGIN';
    is($smtp->auth('demo', 'secret'), 1, 'auth');
    is($smtp->mechanism, 'LOGIN', 'took what was written there');
};

subtest 'the login is the one of the message' => sub {
    my $server = server_with();
    my $smtp = secure($server);
    $smtp->auth('demo', 'secret') && $smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("x\n");
    my ($message) = $server->messages;
    is($message->user, 'demo', 'user');
    is($message->identity || '', '', 'no other identity');
};

done_testing;
