# Host names outside ASCII: Punycode by its samples, names as registries have them, refusals, the way to a server.
# valgrind: no
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Face;
use File::Temp;
use TinyServer;
use Test::More;

use Net::SMTP::AuthC::HostName;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $class = 'Net::SMTP::AuthC::HostName';

sub error_of { my ($call) = @_; return eval { $call->(); 1 } ? 'no error' : $@ }

# Letter of the sample, its code points, its Punycode; the capital digit of the Russian one says nothing to a decoder
# and is a small one here.
subtest 'RFC 3492, section 7.1' => sub {
    my @samples = (
        ['A', '0644 064A 0647 0645 0627 0628 062A 0643 0644 0645 0648 0634 0639 0631 0628 064A 061F',
            'egbpdaj6bu4bxfgehfvwxn'],
        ['B', '4ED6 4EEC 4E3A 4EC0 4E48 4E0D 8BF4 4E2D 6587', 'ihqwcrb4cv8a8dqg056pqjye'],
        ['C', '4ED6 5011 7232 4EC0 9EBD 4E0D 8AAA 4E2D 6587', 'ihqwctvzc91f659drss3x8bo0yb'],
        ['D', '0050 0072 006F 010D 0070 0072 006F 0073 0074 011B 006E 0065 006D 006C 0075 0076 00ED 010D 0065 0073 '
            . '006B 0079', 'Proprostnemluvesky-uyb24dma41a'],
        ['E', '05DC 05DE 05D4 05D4 05DD 05E4 05E9 05D5 05D8 05DC 05D0 05DE 05D3 05D1 05E8 05D9 05DD 05E2 05D1 05E8 '
            . '05D9 05EA', '4dbcagdahymbxekheh6e0a7fei0b'],
        ['F', '092F 0939 0932 094B 0917 0939 093F 0928 094D 0926 0940 0915 094D 092F 094B 0902 0928 0939 0940 0902 '
            . '092C 094B 0932 0938 0915 0924 0947 0939 0948 0902', 'i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd'],
        ['G', '306A 305C 307F 3093 306A 65E5 672C 8A9E 3092 8A71 3057 3066 304F 308C 306A 3044 306E 304B',
            'n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa'],
        ['H', 'C138 ACC4 C758 BAA8 B4E0 C0AC B78C B4E4 C774 D55C AD6D C5B4 B97C C774 D574 D55C B2E4 BA74 C5BC B9C8 '
            . 'B098 C88B C744 AE4C', '989aomsvi5e83db1d2a355cv1e0vak1dwrv93d5xbh15a0dt30a5jpsd879ccm6fea98c'],
        ['I', '043F 043E 0447 0435 043C 0443 0436 0435 043E 043D 0438 043D 0435 0433 043E 0432 043E 0440 044F 0442 '
            . '043F 043E 0440 0443 0441 0441 043A 0438', 'b1abfaaepdrnnbgefbadotcwatmq2g4l'],
        ['J', '0050 006F 0072 0071 0075 00E9 006E 006F 0070 0075 0065 0064 0065 006E 0073 0069 006D 0070 006C 0065 '
            . '006D 0065 006E 0074 0065 0068 0061 0062 006C 0061 0072 0065 006E 0045 0073 0070 0061 00F1 006F 006C',
            'PorqunopuedensimplementehablarenEspaol-fmd56a'],
        ['K', '0054 1EA1 0069 0073 0061 006F 0068 1ECD 006B 0068 00F4 006E 0067 0074 0068 1EC3 0063 0068 1EC9 006E '
            . '00F3 0069 0074 0069 1EBF 006E 0067 0056 0069 1EC7 0074',
            'TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g'],
        ['L', '0033 5E74 0042 7D44 91D1 516B 5148 751F', '3B-ww4c5e180e575a65lsy2b'],
        ['M', '5B89 5BA4 5948 7F8E 6075 002D 0077 0069 0074 0068 002D 0053 0055 0050 0045 0052 002D 004D 004F 004E '
            . '004B 0045 0059 0053', '-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n'],
        ['N', '0048 0065 006C 006C 006F 002D 0041 006E 006F 0074 0068 0065 0072 002D 0057 0061 0079 002D 305D 308C '
            . '305E 308C 306E 5834 6240', 'Hello-Another-Way--fc4qua05auwb3674vfr0b'],
        ['O', '3072 3068 3064 5C4B 6839 306E 4E0B 0032', '2-u9tlzr9756bt3uc0v'],
        ['P', '004D 0061 006A 0069 3067 004B 006F 0069 3059 308B 0035 79D2 524D', 'MajiKoi5-783gue6qz075azm5e'],
        ['Q', '30D1 30D5 30A3 30FC 0064 0065 30EB 30F3 30D0', 'de-jg4avhby1noc0d'],
        ['R', '305D 306E 30B9 30D4 30FC 30C9 3067', 'd9juau41awczczp'],
        ['S', '002D 003E 0020 0024 0031 002E 0030 0030 0020 003C 002D', '-> $1.00 <--'],
    );
    for my $sample (@samples) {
        my ($name, $points, $code) = @$sample;
        is(Net::SMTP::AuthC::HostName::punycode(join '', map { chr hex } split ' ', $points), $code, $name);
    }
    is(Net::SMTP::AuthC::HostName::punycode("\x{10FFFF}\x80"), 'a97093t', 'the first and the last code point');
};

subtest 'ASCII stays as it is' => sub {
    is($class->to_ascii($_), $_, "<<$_>>") for 'mail.example.com', 'MAIL.Example.com.', 'xn--bcher-kva.example',
        '192.0.2.1', '2001:db8::1', 'fe80::1%eth0', 'a_b', '-x-', 'no name at all', '';
};

subtest 'names' => sub {
    my %ascii = (
        'bücher.example' => 'xn--bcher-kva.example', 'BÜCHER.Example' => 'xn--bcher-kva.example',
        "bu\x{308}cher.example" => 'xn--bcher-kva.example', 'bücher.example.' => 'xn--bcher-kva.example.',
        'faß.de' => 'xn--fa-hia.de', 'FAẞ.de' => 'xn--fa-hia.de', 'königsgäßchen.de' => 'xn--knigsgchen-b4a3dun.de',
        'münchen.de' => 'xn--mnchen-3ya.de', 'βόλος.com' => 'xn--nxasmm1c.com', 'ΒΌΛΟΣ.com' => 'xn--nxasmq6b.com',
        'παράδειγμα.δοκιμή' => 'xn--hxajbheg2az3al.xn--jxalpdlp', 'президент.рф' => 'xn--d1abbgf6aiiy.xn--p1ai',
        'ПРЕЗИДЕНТ.РФ' => 'xn--d1abbgf6aiiy.xn--p1ai', 'пример.испытание' => 'xn--e1afmkfd.xn--80akhbyknj4f',
        '例子.测试' => 'xn--fsqu00a.xn--0zwm56d', '例え。テスト' => 'xn--r8jz45g.xn--zckzah',
        '点看｡中国' => 'xn--3pxu8k.xn--fiqs8s', '예．테스트' => 'xn--2j5b.xn--9t4b11yi5a',
        'उदाहरण.परीक्षा' => 'xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g', 'துளசி.com' => 'xn--hlct9b8bh.com',
        "\x{646}\x{627}\x{645}\x{647}\x{200C}\x{627}\x{6CC}.com" => 'xn--mgba3gch31f060k.com',
        "\x{DC1}\x{DCA}\x{200D}\x{DBB}\x{DD3}.com" => 'xn--10cl1a0b660p.com', 'ıstanbul.com' => 'xn--stanbul-qfb.com',
        'col·lecció.cat' => 'xn--collecci-ioa91d.cat', 'ｌｏｃａｌｈｏｓｔ' => 'localhost', 'ＭＡＩＬ．example' => 'mail.example',
        "b\xFC\xAD\x{200B}cher.example" => 'xn--bcher-kva.example', '①②.example' => '12.example',
        '_smtp.bücher.example' => '_smtp.xn--bcher-kva.example', 'xn--fa-hia.bücher.example' =>
            'xn--fa-hia.xn--bcher-kva.example', '１２７．０．０．１' => '127.0.0.1', "\x{3C2}\x{3F2}" => 'xn--3xac',
    );
    is(eval { $class->to_ascii($_) } // $@, $ascii{$_}, $_) for sort keys %ascii;
    my $octets = "b\xFCcher.example";
    utf8::downgrade($octets);
    is($class->to_ascii($octets), 'xn--bcher-kva.example', 'however perl keeps the characters');
};

# Where perl knows folding by name (5.16), it is what a detour makes of it here.
subtest 'small letters' => sub {
    my $fold = eval 'sub { CORE::fc($_[0]) }' or plan skip_all => 'this perl has no fc';
    my @wrong;
    for my $letter (grep { /\p{L}/ } map { chr } 0x80 .. 0xD7FF, 0xF900 .. 0xFDCF, 0x10400 .. 0x104FF) {
        next if $letter =~ /[\x{DF}\x{1E9E}\x{3C2}]/;
        utf8::upgrade($letter);
        my $folded = Net::SMTP::AuthC::HostName::_folded($letter);
        push @wrong, sprintf 'U+%04X', ord $letter if $folded ne $fold->($letter);
    }
    is_deeply(\@wrong, [], 'as fc has them, but for sharp s and final sigma');
};

subtest 'refused, and why' => sub {
    my $long = 'ü' x 64;
    my %refused = (
        'i❤.example' => 'U+2764 is a symbol', 'a™b❤' => 'U+2764', 'ü!.example' => 'U+0021 is punctuation',
        'ü b' => 'U+0020 is white space', "ü\xA0b" => 'U+0020 is white space',
        "ü\x07" => 'U+0007 is a control character',
        'ü/x' => 'U+002F is punctuation', 'ü@x' => 'U+0040', 'ü:25' => 'U+003A', '½ü' => 'U+2044',
        'ü_x' => 'U+005F', "ü\n" => 'U+000A is a control character',
        "ü\x{378}" => 'U+0378 is unassigned', "ü\x{E000}" => 'U+E000 is for private use',
        "ü\x{202E}x" => 'U+202E is an unseen character', "a\x{3164}b" => 'U+1160 is an unseen character',
        "ü\x{640}" => 'U+0640 is a letter or mark that host names do not use', "\x{1100}\x{1161}\x{1100}" => 'U+1100',
        "ü\x{1D165}" => 'U+1D165', "ü\x{2024}x" => 'U+002E is punctuation', "\x{2488}ü" => 'U+002E',
        "a\x{200D}ü" => 'U+200D is an unseen character where it does not belong',
        "a\x{200C}ü" => 'U+200C is an unseen character where it does not belong',
        'a·ü' => 'U+00B7', 'ü・x' => 'U+30FB', "\x{375}x" => 'U+0375', "x\x{5F3}" => 'U+05F3',
        "\x{661}\x{6F1}" => 'U+0661',
        "\x{308}u.example" => 'begins with a combining mark', 'ü-.example' => 'begins or ends with "-"',
        '-ü.example' => 'begins or ends with "-"', 'üb--x.example' => '"--" at its third place',
        'xn--ü.example' => '"--" at its third place', 'ab--c.ü' => '"--" at its third place',
        'ü..example' => 'a label is empty', '.ü' => 'a label is empty', '。' => 'a label is empty',
        "\xAD.ü" => 'a label is empty', "ü\x{D800}" => 'U+D800 is no character', "ü\x{110000}" => 'U+110000 is no',
        $long => 'more than 63', ('ü' x 20 . '.') x 10 . 'example' => 'more than 253',
    );
    no warnings 'utf8';
    for my $name (sort keys %refused) {
        my $error = error_of(sub { $class->to_ascii($name) });
        is(ref $error && $error->kind, 'usage', join ' ', map { sprintf 'U+%04X', ord } split //, substr $name, 0, 9);
        like($error, qr/\A[\x20-\x7e]*\Q$refused{$name}\E[\x20-\x7e]*\.\n\z/, 'and why');
    }
    is(length $class->to_ascii(('ü' x 20 . '.') x 8 . 'example'), 8 * 27 + 7, 'a long one is none too long');
};

subtest 'octets of UTF-8 are no characters' => sub {
    for my $name (qw(bücher.example forêt.example 例え.テスト)) {
        utf8::encode(my $octets = $name);
        like(error_of(sub { $class->to_ascii($octets) }), qr/octets of UTF-8 \(decode it first/, $name);
    }
};

subtest 'where names are given' => sub {
    require Net::SMTP::AuthC::ServerAddress;
    my $place = Net::SMTP::AuthC::ServerAddress->parse('smtp://ü:p@bücher.example:25');
    is_deeply([@$place{qw(host port username)}], ['xn--bcher-kva.example', 25, 'ü'], 'a server address');
    like(error_of(sub { Net::SMTP::AuthC::ServerAddress->parse('smtps://i❤.example') }),
        qr/\Aserver: ".*": U\+2764 is a symbol/, 'a server address that is refused');
    require Net::SMTP::AuthC::Options;
    my $options = 'Net::SMTP::AuthC::Options';
    is_deeply([$options->host_and_port($_->[0], 25)], $_->[1], "host_and_port: $_->[0]") for
        ['bücher.example', ['xn--bcher-kva.example', 25]], ['bücher.example:587', ['xn--bcher-kva.example', 587]],
        ['mail.example', ['mail.example', 25]], ['[::1]:465', ['::1', 465]];
    require Net::SMTP::AuthC::TlsOptions;
    my $tls = 'Net::SMTP::AuthC::TlsOptions';
    for my $name (qw(SSL_verifycn_name tls_name SSL_hostname)) {
        is(($tls->of({$name => 'bücher.example'}, 'mail.example'))[1], 'xn--bcher-kva.example', $name);
    }
    is(($tls->of({}, 'bücher.example'))[1], 'xn--bcher-kva.example', 'the host itself');
    is($options->ascii_host(undef), undef, 'undef');
};

# ---- the whole way ----

subtest 'localhost in letters of full width' => sub {
    my $server = sandbox(tls => 'implicit');
    my $url = 'smtps://ｌｏｃａｌｈｏｓｔ:' . $server->port;
    my $smtp = Net::SMTP::AuthC->connect($url, ca_file => $server->ca_file);
    is($smtp->tls->{verified}, 1, 'connect: the certificate is verified');
    is($smtp->tls->{name}, 'localhost', 'for the name in ASCII');
    ok($smtp->submit("text\n", from => 'a@b.test', to => 'c@d.test')->all_sent, 'a mail');
    $smtp->quit;
    my $old = Net::SMTP::AuthC->new('ｌｏｃａｌｈｏｓｔ', Port => $server->port, SSL => 1, Timeout => 30,
        SSL_ca_file => $server->ca_file);
    ok($old, 'new') or diag $@;
    is($old && $old->tls->{name}, 'localhost', 'its name');
    is($old && $old->host, 'ｌｏｃａｌｈｏｓｔ', 'host is what was given');
    my $plain = sandbox(tls => 'starttls');
    my $starts = Net::SMTP::AuthC->new('ｌｏｃａｌｈｏｓｔ:' . $plain->port, Timeout => 30, SSL_ca_file => $plain->ca_file);
    ok($starts && $starts->starttls, 'starttls') or diag $@;
    is($starts && $starts->tls->{name}, 'localhost', 'its name too');
};

subtest 'a name that is none' => sub {
    ok(!Net::SMTP::AuthC->new('i❤.example', Timeout => 5), 'new returns false');
    like($@, qr/U\+2764 is a symbol/, 'and $@ says why');
    like(error_of(sub { Net::SMTP::AuthC->connect('smtps://localhost:1', tls_name => 'i❤.example') }),
        qr/\Atls_name: .*U\+2764 is a symbol/, 'tls_name');
};

# A certificate as authorities issue it: with the A-label.
subtest 'the name in the certificate' => sub {
    no warnings 'redefine';
    local *Net::SMTP::AuthC::Sandbox::Certificates::server = sub {
        return Net::SMTP::AuthC::Sandbox::TLS::make_certificate(
            common_name => 'x', names => 'DNS:xn--bcher-kva.example', is_ca => 0, valid_seconds => 86_400,
            issuer => [Net::SMTP::AuthC::Sandbox::Certificates::authority('known')]);
    };
    my $server = sandbox(tls => 'implicit');
    my @trust = (ca_file => $server->ca_file);
    my $smtp = eval { Net::SMTP::AuthC->connect($server->url, @trust, tls_name => 'BÜCHER.example') } or diag $@;
    is($smtp && $smtp->tls->{name}, 'xn--bcher-kva.example', 'is the A-label');
    like(error_of(sub { Net::SMTP::AuthC->connect($server->url, @trust, tls_name => 'büchen.example') }),
        qr/certificate|name/i, 'another name is refused');
};

# RFC 6066, section 3: the list of names, one of them, its kind, its length, itself.
subtest 'the name in the ClientHello' => sub {
    my $kept = File::Temp->new;
    my $server = TinyServer->start(sub {
        my ($socket) = @_;
        my $hello = '';
        while (length $hello < 5 || length $hello < 5 + unpack 'x3 n', $hello) {
            sysread $socket, $hello, 65_536, length $hello or last;
        }
        syswrite $kept, $hello;
    });
    like(error_of(sub {
        Net::SMTP::AuthC->connect('smtps://localhost:' . $server->port, tls_name => 'bücher.example', timeout => 30);
    }), qr/\ATLS handshake/, 'a server that only listens');
    open my $file, '<:raw', $kept->filename or die $!;
    my $hello = join '', <$file>;
    my $name = 'xn--bcher-kva.example';
    ok(index($hello, pack 'n C n/a*', 3 + length $name, 0, $name) > 0, 'the A-label is what SNI says');
};

done_testing;
