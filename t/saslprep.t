# Net::SMTP::AuthC::Saslprep: the examples of RFC 4013, every table's first and last character, directions, refusals.
# valgrind: no
use strict;
use warnings;
use Test::More;

use Net::SMTP::AuthC::Saslprep;

sub prepare { return Net::SMTP::AuthC::Saslprep::prepare(@_) }

# "U+0041 U+0301", for names of tests.
sub points { return join ' ', map { sprintf 'U+%04X', ord } split //, $_[0] }

sub is_prepared {
    my ($given, $expected) = @_;
    is_deeply([prepare($given)], [$expected, undef], points($given) . ' -> ' . points($expected));
}

sub is_refused {
    my ($given, $reason, $name) = @_;
    my ($prepared, $why) = prepare($given);
    is($prepared, undef, 'refused: ' . ($name // points($given)));
    is($why, $reason, 'and why');
}

subtest 'ASCII loads nothing' => sub {
    my $ascii = join '', map { chr } 0x20 .. 0x7E;
    is_prepared($_, $_) for $ascii, ' ', 'I X', "\x7E";
    utf8::upgrade($ascii);
    is_prepared($ascii, $ascii);
    my @libraries = map { "-I$_" } @INC;
    open my $perl, '-|', $^X, @libraries, '-MNet::SMTP::AuthC::Saslprep', '-e', <<'END' or die "perl: $!";
        my ($good) = Net::SMTP::AuthC::Saslprep::prepare('user name');
        my ($none, $why) = Net::SMTP::AuthC::Saslprep::prepare("us\ter");
        print "$good: $why: ", grep { /Unicode|utf8/ } keys %INC;
END
    is(join('', <$perl>), 'user name: U+0009 at character 3 is a control character: ', 'nothing of Unicode');
    ok(close $perl, 'it ran');
};

subtest 'RFC 4013, section 3' => sub {
    is_prepared("I\x{AD}X", 'IX');
    is_prepared('user', 'user');
    is_prepared('USER', 'USER');
    is_prepared("\x{AA}", 'a');
    is_prepared("\x{2168}", 'IX');
    is_refused("\x07", 'U+0007 at character 1 is a control character');
    is_refused("\x{627}1", 'the last character of a text with right-to-left letters must be such a letter');
};

subtest 'spaces (C.1.2)' => sub {
    is_prepared("a$_" . 'b', 'a b') for map { chr hex } qw(A0 1680 2000 200B 202F 205F 3000);
};

subtest 'mapped to nothing (B.1)' => sub {
    is_prepared("a$_" . 'b', 'ab')
        for map { chr hex } qw(AD 34F 1806 180B 180D 200C 200D 2060 FE00 FE0F FEFF);
    is_refused("\x{AD}\x{FEFF}", 'nothing is left of it: it holds only characters that do not count');
    is_refused('', 'it is empty', 'nothing at all');
    is_refused(undef, 'it is empty', 'undef');
};

subtest 'NFKC' => sub {
    is_prepared("e\x{301}", "\x{E9}");
    is_prepared("\x{E9}", "\x{E9}");
    is_prepared("\x{212B}", "\x{C5}");
    is_prepared("\x{FF50}\x{FF57}", 'pw');
    is_prepared("\x{340}\x{341}", "\x{300}\x{301}");
    my $octet = "\xE9";
    utf8::downgrade($octet);
    is_prepared($octet, "\x{E9}");
};

subtest 'prohibited (C.2.1 to C.9)' => sub {
    no warnings 'utf8';
    my @last_two = map { my $plane = $_; map { sprintf '%X', 0x10000 * $plane + $_ } 0xFFFE, 0xFFFF } 0 .. 16;
    my %table = (
        'a control character' => [qw(0 1F 7F 80 9F 6DD 70F 180E 2028 2029 2061 2063 206A 206F FFF9 FFFC 1D173 1D17A)],
        'for private use'     => [qw(E000 F8FF F0000 FFFFD 100000 10FFFD)],
        'a noncharacter'      => [qw(FDD0 FDEF), @last_two],
        'a surrogate'         => [qw(D800 DFFF)],
        'the replacement character'            => [qw(FFFD)],
        'a description of an ideograph'        => [qw(2FF0 2FFB)],
        'a control of the writing direction'   => [qw(200E 200F 202A 202E)],
        'a tag character'     => [qw(E0001 E0020 E007F)],
        'beyond Unicode'      => [qw(110000)],
    );
    for my $what (sort keys %table) {
        is_refused('pw' . chr(hex) . 'pw', sprintf('U+%04X at character 3 is %s', hex, $what), "$what, $_")
            for @{ $table{$what} };
    }
    my @beside = qw(20 7E A1 6DC 6DE 70E 710 180F 2027 2064 F900 FDCF FDF0 FFF8 1D172 1D17B 1FFFD 2FEF 2FFC 202F E0000
        E0002 E0080 EFFFD);
    for my $point (@beside) {
        my ($prepared, $why) = prepare('p' . chr hex $point);
        ok(defined $prepared || $why !~ /U\+/, "U+$point beside a table is in none");
    }
    is_refused("a\x{E000}b\x{7}", 'U+E000 at character 2 is for private use', 'the first of two');
    is_refused("a\x{7}b\x{E000}", 'U+0007 at character 2 is a control character', 'the first of two others');
    is_refused("\x{AD}\x{AD}x\x{7}", 'U+0007 at character 4 is a control character', 'counted as it was given');
};

subtest 'directions (section 6)' => sub {
    my ($alef, $beth) = ("\x{627}", "\x{5D1}");
    is_prepared($_, $_) for $alef, $alef . '1' . $alef, "$alef $beth", "$beth-$alef", "\x{5D0}\x{5D1}";
    is_refused($alef . 'x' . $alef,
        'the left-to-right letter at character 2 stands in a text with right-to-left letters', 'both directions');
    is_refused('1' . $alef, 'the first character of a text with right-to-left letters must be such a letter',
        'a digit first');
    is_refused($alef . '!', 'the last character of a text with right-to-left letters must be such a letter',
        'a mark of punctuation last');
};

subtest 'unassigned code points are let through, as in queries' => sub {
    is_prepared("x\x{378}", "x\x{378}");
    is_prepared("x\x{E0FFF}", "x\x{E0FFF}");
};

# Whatever comes out is prepared already, and no reason tells a letter of the text.
subtest 'random texts' => sub {
    no warnings 'utf8';
    my $seed = srand;
    my @places = ([0x20, 0x7E], [0xA0, 0x24F], [0x300, 0x36F], [0x5D0, 0x6FF], [0x900, 0xDFF], [0x1100, 0x11FF],
        [0x1E00, 0x206F], [0x2100, 0x2BFF], [0x3000, 0x33FF], [0xAC00, 0xD7A3], [0xF900, 0xFFEF], [0x1D400, 0x1D7FF],
        [0, 0x10FFFF]);
    my ($prepared, @changed, @tells) = (0);
    for (1 .. 3000) {
        my @some = @places[map { int rand @places } 1 .. 2];
        my $text = join '', map { chr($_->[0] + int rand 1 + $_->[1] - $_->[0]) }
            map { $some[rand @some] } 1 .. 1 + int rand 8;
        my ($once, $why) = prepare($text);
        if (!defined $once) {
            push @tells, points($text) . ": $why" if $why =~ /\n|[^\x20-\x7E]/ || 100 < length $why;
            next;
        }
        my ($twice) = prepare($once);
        $prepared++;
        push @changed, points($text) if !defined $twice || $twice ne $once;
    }
    is_deeply(\@changed, [], 'what is prepared stays as it is') or diag "srand $seed";
    is_deeply(\@tells, [], 'reasons are one short line of ASCII') or diag "srand $seed";
    cmp_ok($prepared, '>', 300, 'and enough of them were prepared') or diag "srand $seed";
};

done_testing;
