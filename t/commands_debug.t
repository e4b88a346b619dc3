# The Net::SMTP face: debug: what it prints, where it can be caught, and that no secret is in it.
use strict;
use warnings;
use lib 't/lib';
use Face;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $class = 'Net::SMTP::AuthC';

subtest 'what is printed' => sub {
    my $server = sandbox(name => 'mx.example.test', keywords => ['SIZE']);
    my $object;
    my $text = stderr_of(sub {
        my $smtp = client($server, Debug => 1);
        $object = "$smtp";
        $smtp->mail('a@b.test');
        $smtp->to('c@d.test');
        $smtp->data("one\n.two\nthree");
        $smtp->quit;
    });
    is($text, join('', "$class>>> $class(" . $class->VERSION . ")\n", map { "$object$_\n" }
        '<<< 220 mx.example.test ESMTP sandbox', ">>> EHLO $OWN_NAME\r", '<<< 250-mx.example.test',
        '<<< 250 SIZE', ">>> MAIL FROM:<a\@b.test>\r", '<<< 250 Ok', ">>> RCPT TO:<c\@d.test>\r", '<<< 250 Ok',
        ">>> DATA\r", '<<< 354 End data with <CR><LF>.<CR><LF>', '>>> one', '>>> .two', '>>> three', '>>> .',
        '<<< 250 Ok: kept as 1.1',
        ">>> QUIT\r", '<<< 221 Bye'), 'line by line')
        or diag $text;
};

subtest 'levels' => sub {
    my $server = sandbox();
    my $smtp = client($server);
    is($smtp->debug, 0, 'none at first');
    my $text = stderr_of(sub {
        is($smtp->debug(2), 0, 'the old level');
        is($smtp->debug(1), 2, 'the new one');
        $smtp->noop;
        $smtp->debug(0);
        $smtp->noop;
    });
    is(() = $text =~ /NOOP/g, 1, 'one NOOP was shown');
    is($class->debug(3), 0, 'for the class');
    is(stderr_of(sub { client($server)->debug == 3 or die }) =~ /EHLO/, 1, 'new objects have it');
    is($smtp->debug(undef), 0, 'undef');
    is($smtp->debug, 3, "is the class's level");
    is($class->debug(0), 3, 'and back');
    is(stderr_of(sub { $smtp->debug(0); $smtp->noop; client($server)->noop }), '', 'silence');
};

# Every form in which a password could be seen.
sub holds_secret {
    my ($text, $user, @secrets) = @_;
    my @forms = map { (
        $_, encode_base64($_, ''), encode_base64("\0$user\0$_", ''), encode_base64("$user\0$user\0$_", ''),
        unpack('H*', $_), join('', map { sprintf '%%%02X', ord } split //),
    ) } @secrets;
    return grep { my $form = $_ =~ s/=+\z//r; index(lc $text, lc $form) >= 0 } @forms;
}

subtest 'secrets' => sub {
    for my $mechanism (qw(PLAIN LOGIN CRAM-MD5)) {
        for my $password ('s3cr3t-w0rd', 'wrong-p4ssw0rd', 'l0ng' x 200) {
            my $server = sandbox(users => {demo => 's3cr3t-w0rd'}, mechanisms => [$mechanism]);
            my ($smtp, $good);
            my $text = stderr_of(sub {
                $smtp = client($server, Debug => 1, insecure_cleartext_auth => 1);
                $good = $smtp->auth('demo', $password);
            });
            is(!!$good, $password eq 's3cr3t-w0rd', "$mechanism with " . substr $password, 0, 15);
            is_deeply([holds_secret($text, 'demo', $password)], [], 'no form of the password is shown');
            like($text, qr/>>> AUTH $mechanism/, 'but the mechanism');
            like($text, qr/\*\*\*/, 'and that something was hidden');
            my $all = join ' ', $smtp->message, $smtp->error || '', map { $_ // '' } %{ $smtp->error || {} };
            is_deeply([holds_secret($all, 'demo', $password)], [], 'nor is it in message or error');
        }
    }
    my $server = sandbox(users => {demo => 'secret-of-old'}, mechanisms => ['PLAIN'], legacy_plain => 1);
    my $text = stderr_of(sub {
        client($server, Debug => 1, insecure_cleartext_auth => 1)->auth('demo', 'secret-of-old');
    });
    is_deeply([holds_secret($text, 'demo', 'secret-of-old')], [], 'the clear text of the legacy dialogue');
};

subtest 'debug_text and debug_print can be overridden' => sub {
    my $server = sandbox();
    my $text = stderr_of(sub { client($server, class => 'Louder', Debug => 1)->noop });
    like($text, qr/^Louder>>> Louder\(7\)\nLouder>>>   \Q$class\E\([0-9.]+\)\n/, 'the class and its ancestor');
    like($text, qr/^Louder=GLOB\(0x[0-9a-f]+\)>>> \[1 noop\]$/m, 'debug_text gets direction and text');
    like($text, qr/^Louder=GLOB\(0x[0-9a-f]+\)<<< \[0 250 2\.0\.0 ok\]$/m, 'of replies too');
    client($server, class => 'Catcher', Debug => 1)->noop;
    is_deeply([@Catcher::caught[-2, -1]], [[1, "NOOP\r\n"], [0, "250 2.0.0 Ok\n"]], 'debug_print gets every line');
};

subtest 'what the server says cannot steer the terminal' => sub {
    my $server = sandbox(faults => [{stage => 'noop', reply => "250 a\e[2Jb\x07\xff\r\n"}]);
    my $smtp = client($server);
    my $text = stderr_of(sub { local ($,, $\) = ('-', '+'); $smtp->debug(1); $smtp->noop });
    like($text, qr/<<< 250 a\\x1b\[2Jb\\x07\\xff\n\z/, 'shown as \xNN, whatever $, and $\ are');
};

done_testing;

package Louder;
our (@ISA, $VERSION);
BEGIN { @ISA = 'Net::SMTP::AuthC'; $VERSION = 7 }
sub debug_text { my ($self, $out, $text) = @_; return ref $self ? "[$out " . lc($text =~ s/\s+\z//r) . "]\n" : $text }

package Catcher;
our (@ISA, @caught);
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub debug_print { push @caught, [@_[1, 2]]; return }
