# Net::SMTP::AuthC::Address: mailbox lists in, mailboxes out, everything else refused by argument and position.
use strict;
use warnings;
use utf8;
use Test::More;

use Net::SMTP::AuthC::Address;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $class = 'Net::SMTP::AuthC::Address';

sub parsed {
    my ($given) = @_;

    return [map { [$_->{name}, $_->{address}] } @{ $class->parse($given, 'to') }];
}

sub refusal {
    my ($given) = @_;

    return eval { $class->parse($given, 'to'); 1 } ? 'accepted' : "$@";
}

subtest 'what people write' => sub {
    my @cases = (
        ['a@b', ['', 'a@b']],
        ['<a@b>', ['', 'a@b']],
        ['  a@b  ', ['', 'a@b']],
        ['Shop <orders@shop.example>', ['Shop', 'orders@shop.example']],
        ['Shop<a@b>', ['Shop', 'a@b']],
        ['J. R. Doe <j@x>', ['J. R. Doe', 'j@x']],
        ['"Doe, J." <j@x>', ['Doe, J.', 'j@x']],
        ['"a \\"b\\" \\\\" <j@x>', ['a "b" \\', 'j@x']],
        ['"Joe" Q. "Public" <j@x>', ['Joe Q. Public', 'j@x']],
        ['Jürgen Groß <j@x>', ['Jürgen Groß', 'j@x']],
        ['a@b, c@d', ['', 'a@b'], ['', 'c@d']],
        ['a@b,c@d,', ['', 'a@b'], ['', 'c@d']],
        [', ,a@b,, c@d', ['', 'a@b'], ['', 'c@d']],
        ['a@b (comment)', ['', 'a@b']],
        ['(one (two) \\) three) a@b (x), Joe (y) <c@d> (z)', ['', 'a@b'], ['Joe', 'c@d']],
        ['group: a@b;', ['', 'a@b']],
        ['my group: a@b, Joe <c@d>; , e@f', ['', 'a@b'], ['Joe', 'c@d'], ['', 'e@f']],
        ['g: a@b;, h: c@d;', ['', 'a@b'], ['', 'c@d']],
        ['undisclosed-recipients:;'],
        [''],
        ['  '],
        ['"john doe"@x', ['', '"john doe"@x']],
        ['"a@b"@x', ['', '"a@b"@x']],
        ['a+tag=x/y@sub-domain.example.com', ['', 'a+tag=x/y@sub-domain.example.com']],
        [q{o'hara@x}, ['', q{o'hara@x}]],
        ['root@[192.0.2.1]', ['', 'root@[192.0.2.1]']],
        ['root@[IPv6:2001:db8::1]', ['', 'root@[IPv6:2001:db8::1]']],
        ['jörg@köln.example', ['', 'jörg@köln.example']],
        ['用户@例子.广告', ['', '用户@例子.广告']],
        ['john..doe@x, .a@x, b.@x', ['', '"john..doe"@x'], ['', '".a"@x'], ['', '"b."@x']],
    );
    for my $case (@cases) {
        my ($text, @expected) = @$case;
        is_deeply(parsed($text), \@expected, "<<$text>>");
    }
    is_deeply(parsed(join ', ', map { $_->[0] } grep { @$_ > 1 } @cases), [map { @$_[1 .. $#$_] } @cases], 'all in one list');
};

subtest 'lists and hashes' => sub {
    is_deeply(parsed(['a@b', 'X <c@d>, e@f']), [['', 'a@b'], ['X', 'c@d'], ['', 'e@f']], 'array ref');
    is_deeply(parsed([{name => 'a, "b" <x@y>', address => 'c@d'}]), [['a, "b" <x@y>', 'c@d']], 'hash: any name');
    is_deeply(parsed([{address => 'c@d'}]), [['', 'c@d']], 'hash without a name');
    is_deeply(parsed({name => 'N', address => 'c@d'}), [['N', 'c@d']], 'a hash alone');
    is_deeply(parsed([]), [], 'empty');
};

subtest 'refused by argument and position' => sub {
    my %refused = (
        'Doe, J. <j@x>'     => 'to: no address at character 1 ',
        'a@b, foo'          => 'to: no address at character 6 ',
        'foo bar'           => 'to: no address at character 1 ',
        'a@b c@d'           => 'to: unexpected "c" at character 5 ',
        'a@b; c@d'          => 'to: unexpected ";" at character 4 ',
        'a@b <c@d>'         => 'to: unexpected "<" at character 5 ',
        'a@b@c'             => 'to: unexpected "@" at character 4 ',
        'a@b..c'            => 'to: unexpected "." at character 4 ',
        'a@b.'              => 'to: unexpected "." at character 4 ',
        'a@'                => 'to: no domain at character 3 ',
        'a@.b'              => 'to: no domain at character 3 ',
        'a@[1.2.3.4'        => 'to: no domain at character 3 ',
        '@b'                => 'to: no address at character 1 ',
        '<>'                => 'to: no address at character 2 ',
        '<a@b'              => 'to: a ">" is missing at character 5 ',
        '<a@b>c'            => 'to: unexpected "c" at character 6 ',
        '<@relay:a@b>'      => 'to: no address at character 2 ',
        '"open <a@b>'       => 'to: no address at character 1 ',
        'a@b (open'         => 'to: a comment that does not end at character 5 ',
        'a@b )'             => 'to: unexpected ")" at character 5 ',
        'g: a@b'            => 'to: the ";" that ends the group is missing at character 7 ',
        'g: h: a@b;;'       => 'to: no address at character 4 ',
        'a b@c'             => 'to: no address at character 1 ',
        'a @b'              => 'to: no address at character 1 ',
        'a@b> SIZE=1 X=<z'  => 'to: unexpected ">" at character 4 ',
        'a@exa mple'        => 'to: unexpected "m" at character 7 ',
        "a\@b\x{A0}"        => 'to: an unseen character at character 4 ',
        "\x{200B}a\@b"      => 'to: an unseen character at character 1 ',
        'x' x 400 . '@b'    => 'to: an address longer than 320 characters at character 1 ',
    );
    for my $text (sort keys %refused) {
        like(refusal($text), qr/\A\Q$refused{$text}\E/, "<<$text>>");
        like(refusal(['a@b', $text]), qr/\A\Q@{[ $refused{$text} =~ s{\Ato}{to[1]}r ]}\E/, '... in a list');
    }
    like(refusal('x'), qr/ at \Q$0\E line \d+\.\n\z/, 'with the place of the caller');
    like(refusal(undef), qr/\Ato is undefined /, 'undef');
    like(refusal(['a@b', undef]), qr/\Ato\[1\] is undefined /, 'undef in a list');
    like(refusal([['a@b']]), qr/\Ato\[0\] must be text, not a reference /, 'a reference');
    like(refusal([{name => 'x'}]), qr/\Ato\[0\] address is undefined /, 'a hash without address');
    like(refusal([{address => 'a@b, c@d'}]), qr/\Ato\[0\] address: unexpected "," at character 4 /, 'two in a hash');
    like(refusal([{address => ' a@b'}]), qr/\Ato\[0\] address: no address at character 1 /, 'blanks in a hash');
};

subtest 'control characters nowhere' => sub {
    for my $code (0 .. 31, 127 .. 159) {
        my $c = chr $code;
        my $what = $code == 10 || $code == 13 ? 'a line break' : 'a control character';
        my %places = ("a${c}\@b" => 2, "a\@b$c" => 4, "\"x$c\" <a\@b>" => 3, "a\@b (x$c)" => 7, "\"\\$c\"\@b" => 3, "${c}a\@b" => 1);
        my @wrong = grep { refusal($_) !~ /\Ato: $what at character $places{$_} / } sort keys %places;
        is_deeply(\@wrong, [], sprintf 'U+%04X', $code);
        like(refusal([{name => "x$c", address => 'a@b'}]), qr/\Ato\[0\] name: $what at character 2 /, '... in a name');
    }
    no warnings;
    like(refusal('a' . chr(0xD800) . '@b'), qr/\Ato: no character of Unicode at character 2 /, 'a surrogate');
    like(refusal('a' . chr(0x110000) . '@b'), qr/\Ato: no character of Unicode at character 2 /, 'above Unicode');
};

subtest 'format' => sub {
    my @cases = (
        ['', 'a@b' => 'a@b'],
        [undef, 'a@b' => 'a@b'],
        ['Shop', 'a@b' => 'Shop <a@b>'],
        ['Joe Q Public', 'a@b' => 'Joe Q Public <a@b>'],
        ['Doe, J.', 'a@b' => '"Doe, J." <a@b>'],
        ['J. Doe', 'a@b' => '"J. Doe" <a@b>'],
        ['two  blanks', 'a@b' => '"two  blanks" <a@b>'],
        ['a "b" \\', 'a@b' => '"a \\"b\\" \\\\" <a@b>'],
        ['x <c@d>', 'a@b' => '"x <c@d>" <a@b>'],
        ['Jürgen', 'a@b' => '=?UTF-8?Q?J=C3=BCrgen?= <a@b>'],
        ['日本', 'a@b' => '=?UTF-8?B?5pel5pys?= <a@b>'],
        ['=?UTF-8?Q?x?=', 'a@b' => '=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?= <a@b>'],
        ['Jörg', 'jörg@köln.example' => '=?UTF-8?Q?J=C3=B6rg?= <jörg@köln.example>'],
    );
    is($class->format($_->[0], $_->[1]), $_->[2], $_->[2]) for @cases;
    for my $bad (["x\r\nBcc: y", 'a@b'], ["x\0", 'a@b'], ['x', "a\@b\r\nBcc: y"], ['x', 'a@b>, <c@d'], ['x', 'a'], ['x', undef], [[], 'a@b']) {
        ok(!eval { $class->format(@$bad); 1 }, 'refused: ' . join ' ', map { $_ // 'undef' } @$bad);
    }
};

subtest 'what is formatted is parsed to the same' => sub {
    srand 4711;
    my @pool = (map({ chr } 0x20 .. 0x7e), qw(ü € 日), ' ', '"', '\\', ',');
    my $wrong = 0;
    for (1 .. 2000) {
        my $name = join '', map { $pool[rand 95] } 1 .. 1 + rand 20;
        next if $name =~ /=\?/;
        my ($back) = @{ $class->parse($class->format($name, 'a@b'), 'to') };
        $wrong++, diag "<<$name>> became <<$back->{name}>>" if $back->{name} ne $name || $back->{address} ne 'a@b';
    }
    is($wrong, 0, 'ASCII names');
};

subtest 'long and hostile lists in linear time' => sub {
    my $start = time;
    is(@{ $class->parse(join(', ', ('a@b') x 20_000), 'to') }, 20_000, 'many');
    for my $text ('(' x 200_000, '"' x 200_000, 'a ' x 100_000, '<' x 200_000, 'a.' x 100_000, '\\' x 200_000, '"' . '\\"' x 100_000, ',' x 200_000 . 'x') {
        isnt(refusal($text), 'accepted', substr $text, 0, 5);
    }
    cmp_ok(time - $start, '<', 20, 'in time');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
