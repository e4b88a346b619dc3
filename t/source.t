# What is known of a message before it is sent, by one reading of a string or by stat; and attachments in base64.
use strict;
use warnings;
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Source;
use Test::More;

sub source { return Net::SMTP::AuthC::Source->of($_[0]) }

subtest 'a string' => sub {
    my $source = source("Subject: x\nMessage-Id: <a\@b>\n\n" . 'x' x 1200 . "\r\ny\rz\0\xe4");
    is_deeply({map { $_ => $source->{$_} } grep { !/octets|failure/ } keys %$source}, {size => 1243,
        longest_line => 1200, bare_cr => 1, bare_lf => 3, eight_bit => 1, nul => 1, message_id => '<a@b>'},
        'all that one reading tells');
    $source = source("plain\r\n");
    is_deeply([@$source{qw(size eight_bit nul bare_cr bare_lf longest_line)}], [7, 0, 0, 0, 0, 5], 'nothing odd');
    ok(!exists $source->{message_id}, 'no Message-ID');
    is(source('')->{size}, 0, 'nothing');
};

subtest 'what of the string is the caller\'s' => sub {
    utf8::upgrade(my $upgraded = "\xe4\n");
    my $source = source($upgraded);
    is($source->{octets}, "\xe4\n", 'octets');
    ok(!utf8::is_utf8($source->{octets}) && utf8::is_utf8($upgraded),
        'the source has its own, the caller\'s is as before');
    my $text = "one\n";
    $source = source(\$text);
    $text = "two\n";
    is($source->{octets}, "one\n", 'what the caller does to his string later is his own affair');
    is(source(substr $text, 0, 2)->{octets}, 'tw', 'a part of a string');
    ok(!eval { source("\x{100}"); 1 } && $@ =~ /a character above 255/, 'a wide character');
    ok(!eval { source(undef); 1 } && $@ =~ /message is undefined/, 'undef');
    ok(!eval { source(\undef); 1 } && $@ =~ /message is undefined/, 'a reference to undef');
};

my $path = tempdir(CLEANUP => 1) . '/message';
open my $out, '>:raw', $path or die $!;
print {$out} "0123456789\n" x 10;
close $out or die $!;

sub hint_of {
    my ($layers, $prepare) = @_;

    open my $handle, "<$layers", $path or die $!;
    $prepare->($handle) if $prepare;
    return source($handle)->{size_hint};
}

subtest 'the octets of a plain file' => sub {
    is(hint_of(':raw'), 110, 'all');
    is(hint_of(''), 110, 'by the usual layers');
    is(hint_of(':raw', sub { readline $_[0] }), 99, 'from where it has been read to, whatever perl has read ahead');
    is(hint_of(':raw', sub { seek $_[0], 100, 0 }), 10, 'from where it was set to');
    is(hint_of(':raw', sub { seek $_[0], 110, 0 }), undef, 'none at the end');
    is(hint_of(':raw', sub { seek $_[0], 1000, 0 }), undef, 'none behind it');
    is(hint_of(':crlf'), undef, 'none where a layer changes octets');
    open my $memory, '<', \"text\n" or die $!;
    is(source($memory)->{size_hint}, undef, 'none for a string that is read like a file');
    pipe my $reader, my $writer or die $!;
    is(source($reader)->{size_hint}, undef, 'none for a pipe');
    open my $null, '<', '/dev/null' or die $!;
    is(source($null)->{size_hint}, undef, 'none for a device');
    open my $handle, '<:raw', $path or die $!;
    my $source = source(*$handle{IO});
    is($source->{size_hint}, 110, 'an IO object');
    is($source->{octets}->(), "0123456789\n" x 10, 'and nothing has been read for it');
    is(source(sub { })->{size_hint}, undef, 'none for code');
};

subtest 'a plain file is read to its end' => sub {
    my $text = join '', map { "line $_\n" } 1 .. 30_000;
    open my $handle, '+>:raw', $path or die $!;
    print {$handle} $text;
    seek $handle, 0, 0;
    my $first  = readline $handle;
    my $source = source($handle);
    is($source->{size_hint}, length($text) - 7, 'what is left');
    my ($all, $pieces) = ($first, 0);
    while (defined(my $piece = $source->{octets}->())) {
        $all .= $piece;
        $pieces++;
    }
    ok($all eq $text, 'all octets behind what was read before');
    cmp_ok($pieces, '<', 10, 'in large pieces');
    is(tell $handle, length $text, 'the handle stands at the end');
    ok(eof $handle, 'and knows it');
    is($source->{octets}->(), undef, 'still');
    seek $handle, 0, 0;
    is(scalar readline $handle, "line 1\n", 'the handle is as good as before');
};

# In pieces of that many octets.
sub in_pieces {
    my ($octets, $piece) = @_;

    my ($held, $text) = ('', '');
    for (my $at = 0; $at < length $octets; $at += $piece) {
        $text .= Net::SMTP::AuthC::_base64_lines($held, substr $octets, $at, $piece);
    }
    return $text . Net::SMTP::AuthC::_base64_lines($held, undef);
}

subtest 'attachments' => sub {
    my $octets = join '', map { chr($_ * $_ % 251) } 1 .. 2000;
    for my $n (0, 1, 2, 56, 57, 58, 113, 114, 115, 2000) {
        my $part     = substr $octets, 0, $n;
        my $expected = encode_base64($part, "\r\n");
        is(in_pieces($part, $_), $expected, "$n octets in pieces of $_") for 1, 19, 57, 100, 5000;
        is(Net::SMTP::AuthC::_base64_lines_size($n), length $expected, "$n octets: the size foretold");
    }
    is(Net::SMTP::AuthC::_base64_lines_size(57e12), 78e12, 'more than fits in 32 bits');
    ok(!eval { Net::SMTP::AuthC::_base64_lines_size($_); 1 }, "a size of $_") for -1, 1e300, 'nan';
    ok(!eval { Net::SMTP::AuthC::_base64_lines(my $held = 'x' x 57, 'y'); 1 }, 'more held than can be');
    ok(!eval { Net::SMTP::AuthC::_base64_lines('x', 'y'); 1 }, 'held must be a variable');
    ok(!eval { Net::SMTP::AuthC::_base64_lines(my $held = '', "\x{100}"); 1 }, 'a wide character');
    utf8::upgrade(my $upgraded = "\xe4");
    my $held = '';
    is(Net::SMTP::AuthC::_base64_lines($held, $upgraded) . $held, "\xe4", 'octets, however perl keeps them');
};
done_testing;
