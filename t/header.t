# Net::SMTP::AuthC::Header: octets that fold, decode to the text, and never become another field.
use strict;
use warnings;
use utf8;
use Test::More;

use Encode ();
use Net::SMTP::AuthC::Header;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $class = 'Net::SMTP::AuthC::Header';

sub refusal {
    my ($method, @given) = @_;

    return eval { $class->$method(@given); 1 } ? 'accepted' : "$@";
}

# The shape every field must have, whatever is in it.
sub shape_of {
    my ($field) = @_;

    return 'octets above 255' if $field =~ /[^\x00-\xff]/;
    return 'no CRLF at the end' if $field !~ s/\r\n\z//;
    my @lines = split /\r\n/, $field, -1;
    return 'a bare CR or LF' if grep { /[\r\n]/ } @lines;
    return 'a line that begins no continuation' if grep { !/\A[ \t]/ } @lines[1 .. $#lines];
    return 'a blank line' if grep { /\A[ \t]*\z/ } @lines;
    return 'a line too long' if grep { length > 998 } @lines;
    return 'a line with encoded words over 76' if grep { /=\?UTF-8\?/ && length > 76 && /[ \t].*[ \t]/ } @lines;
    return 'an encoded word over 75' if grep { length > 75 } $field =~ /(=\?UTF-8\?[QB]\?[^?]*\?=)/g;
    return 'ok';
}

sub text_of {
    my ($field) = @_;

    my $value = $field =~ s/\A[^:]+: ?//r =~ s/\r\n(?=[ \t])//gr =~ s/\r\n\z//r =~ s/\A //r;
    return Encode::decode('MIME-Header', $value);
}

subtest 'plain' => sub {
    is($class->unstructured(Subject => 'Order 1001'), "Subject: Order 1001\r\n", 'as it is');
    is($class->unstructured(Subject => ''), "Subject: \r\n", 'empty');
    is($class->unstructured(Subject => "  a \t b \t"), "Subject: a \t b\r\n", 'blanks at both ends go, those within stay');
    is($class->unstructured('X-A' => 0), "X-A: 0\r\n", 'zero');
    my $url = 'https://shop.example/' . 'x' x 200;
    is($class->unstructured('List-Unsubscribe' => "<$url>"), "List-Unsubscribe: <$url>\r\n", 'a long word is left whole');
};

subtest 'folded' => sub {
    my $text = join ' ', map { "word$_" } 1 .. 40;
    my $field = $class->unstructured(Subject => $text);
    is(shape_of($field), 'ok', 'shape');
    is((grep { length > 78 } split /\r\n/, $field), 0, 'no line over 78');
    is(text_of($field), $text, 'unfolded it is the same');
    is($class->structured(References => join ' ', map { "<$_" . 'x' x 60 . '@shop.example>' } 1 .. 3),
        join("\r\n ", 'References:', map { "<$_" . 'x' x 60 . '@shop.example>' } 1 .. 3) . "\r\n", 'one reference a line');
    is($class->mailboxes(To => map { "someone$_\@example.net" } 1 .. 4), 'To: someone1@example.net, someone2@example.net, someone3@example.net,'
        . "\r\n someone4\@example.net\r\n", 'mailboxes');
};

subtest 'encoded words' => sub {
    is($class->unstructured(Subject => 'Grüße'), "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n", 'B where little is ASCII');
    is($class->unstructured(Subject => 'Größenangabe'), "Subject: =?UTF-8?Q?Gr=C3=B6=C3=9Fenangabe?=\r\n", 'Q where much is');
    is($class->unstructured(Subject => 'Order (für you) now'), "Subject: Order =?UTF-8?Q?=28f=C3=BCr?= you) now\r\n", 'only the words that need it');
    is($class->unstructured(Subject => 'für a und ü'), "Subject: =?UTF-8?Q?f=C3=BCr_a_und_=C3=BC?=\r\n", 'and what is between');
    is(text_of($class->unstructured(Subject => '=?UTF-8?Q?x?=')), '=?UTF-8?Q?x?=', 'what looks encoded is text');
    for my $text ('日本語の件名' x 40, 'ü' x 300, '📧' x 100, 'a' x 3000, 'ü' . ' ' x 500 . 'ü', ' ' x 5 . 'a' . ' ' x 200 . 'b', "a\tü\tb", "\x{85}x") {
        for my $name ('Subject', 'X-' . 'Long' x 15) {
            my $field = $class->unstructured($name => $text);
            is(shape_of($field), 'ok', 'shape of ' . substr $text, 0, 5);
            is(text_of($field), $text =~ s/\A +//r, 'text');
        }
    }
    for my $word (map { /(=\?UTF-8\?[QB]\?[^?]*\?=)/g } $class->unstructured(Subject => 'ü€📧' x 50)) {
        ok(utf8::is_utf8(my $text = Encode::decode('MIME-Header', $word)), 'a word alone decodes');
        unlike($text, qr/\x{FFFD}/, 'no character is cut in two');
    }
};

subtest 'random texts come back' => sub {
    srand 815;
    my @pool = (map({ chr } 0x20 .. 0x7e), (' ') x 20, split //, 'äöüßéñ€日本語📧');
    my ($bad_shape, $bad_text) = (0, 0);
    for (1 .. 1500) {
        my $text = join('', map { $pool[rand @pool] } 1 .. 1 + rand 200) =~ s/\A +| +\z//gr;
        my $field = $class->unstructured(Subject => $text);
        $bad_shape++, diag "$field: " . shape_of($field) if shape_of($field) ne 'ok';
        $bad_text++, diag "<<$text>>\n<<" . text_of($field) . '>>' if text_of($field) ne $text;
    }
    is($bad_shape, 0, 'shape');
    is($bad_text, 0, 'text');
};

subtest 'injection is refused by name' => sub {
    my %what = ("\r" => 'a line break', "\n" => 'a line break', "\0" => 'a NUL', "\e" => 'a control character', "\x7f" => 'a control character');
    for my $method (qw(unstructured structured mailboxes)) {
        for my $c (sort keys %what) {
            like(refusal($method, Subject => "ab${c}Bcc: x"), qr/\ASubject: $what{$c} at character 3 /, "$method: $what{$c}");
            like(refusal($method, Subject => "\x{20AC}$c"), qr/\ASubject: $what{$c} at character 2 /, '... behind a wide one');
        }
        like(refusal($method, Subject => "a\r\n folded"), qr/\ASubject: a line break at character 2 /, 'folded by the caller');
        like(refusal($method, Subject => undef), qr/\ASubject is undefined /, 'undef');
        like(refusal($method, Subject => []), qr/\ASubject must be text, not a reference /, 'a reference');
        no warnings;
        like(refusal($method, Subject => 'a' . chr 0xDC00), qr/\ASubject: no character of Unicode at character 2 /, 'a surrogate');
        like(refusal($method, Subject => 'a' . chr 0x110000), qr/\ASubject: no character of Unicode at character 2 /, 'above Unicode');
    }
    like(refusal(structured => References => '<ü@x>'), qr/\AReferences: a character outside ASCII at character 2 /, 'structured is ASCII');
    like(refusal(structured => References => 'x' x 1000), qr/\AReferences: a word too long for a line /, 'and can be folded');
};

subtest 'field names' => sub {
    for my $code (0 .. 32, ord ':', 127 .. 160, 0x20AC) {
        my $name = 'X' . chr $code;
        like(refusal(unstructured => $name, 'x'), qr/\Afield name ".*": character 2 may not be in a field name /, sprintf 'U+%04X', $code);
    }
    my $all = join '', map { chr } grep { $_ != ord ':' } 33 .. 126;
    is($class->check_name($_), $_, $_) for substr($all, 0, 50), substr($all, 50), 'X-A_b.c';
    like(refusal(unstructured => '', 'x'), qr/\Aa field name is undefined or empty /, 'empty');
    like(refusal(unstructured => undef, 'x'), qr/\Aa field name is undefined or empty /, 'undef');
    like(refusal(unstructured => 'X' x 77, 'x'), qr/\Afield name is longer than 76 /, 'long');
};

subtest 'addresses outside ASCII' => sub {
    is($class->mailboxes(To => 'jörg@köln.example'), Encode::encode('UTF-8', "To: jörg\@köln.example\r\n"), 'in UTF-8');
};

subtest 'in linear time' => sub {
    my $start = time;
    is(shape_of($class->unstructured(Subject => $_)), 'ok', substr $_, 0, 4) for 'a ' x 100_000 . 'a', 'ü ' x 50_000, ' ' x 200_000 . 'x', 'x' . ' ' x 200_000 . 'x';
    cmp_ok(time - $start, '<', 20, 'in time');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
