# Net::SMTP::AuthC::Transcript: three fonts, and nothing a server says gets out of them.
use strict;
use warnings;
use Test::More;

use Net::SMTP::AuthC::Transcript;

my $class = 'Net::SMTP::AuthC::Transcript';

sub transcript_of {
    my (@pairs) = @_;

    my $transcript = $class->new;
    $transcript->add(direction => shift @pairs, text => shift @pairs) while @pairs;
    return $transcript;
}

sub refusal {
    my ($code) = @_;

    return eval { $code->(); 1 } ? 'accepted' : "$@";
}

my @article = (
    note => 'connected', server => "250-pioneer.host-serve.net\r\n250 AUTH LOGIN\r\n", client => "AUTH LOGIN\r\n",
    server => "334 VXNlcm5hbWU6\r\n", client => "***\r\n",
);

my @hostile = (
    '</pre><script>alert(1)</script>', q{" onmouseover="x' &amp; &}, "\e[2J\e]0;title\a", "\x9B31m", "\xC2\x9B31m", "bell\a\b\x7f",
    "ok\nC: QUIT", "ok\rC: QUIT", "nul\0", "\xFF\xFE\xC3", 'back\\slash \\x1B \\', join('', map { chr } 0 .. 255),
);

subtest 'text' => sub {
    is(transcript_of(@article)->as_text, <<'END', 'the article in plain text');
*: connected
S: 250-pioneer.host-serve.net
S: 250 AUTH LOGIN
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: ***
END
    is(transcript_of(server => '')->as_text, "S: \n", 'an empty line');
    is(transcript_of(server => "\r\n")->as_text, "S: \n", 'a line end alone');
    is(transcript_of(server => "a\r\n\r\n")->as_text, "S: a\nS: \n", 'an empty line behind');
    is($class->new->as_text, '', 'nothing');
    is($class->entry_as_text({direction => 'note', text => 'x'}), "*: x\n", 'one entry');
};

subtest 'nothing raw reaches a terminal' => sub {
    for my $said (@hostile) {
        my $transcript = transcript_of(server => $said);
        like($transcript->as_text, qr/\A(?:S: [\x20-\x7e]*\n)+\z/, 'text is printable and the server\'s');
        like($transcript->as_ansi, qr/\A(?:\e\[32mS: [\x20-\x7e]*\e\[0m\n)+\z/, 'ansi holds our sequences only');
        like($transcript->as_html(page => 1), qr/\A[\x20-\x7e\n]*\z/, 'html is ASCII');
        like($transcript->as_json, qr/\A[\x20-\x7e\n]*\z/, 'json is ASCII');
    }
    is(transcript_of(server => "\e[2J\xE9\t\\x1B")->as_text, "S: \\x1B[2J\\xE9\\x09\\x5Cx1B\n", 'shown as \xNN');
    is(transcript_of(server => "ok\nC: QUIT")->as_text, "S: ok\\x0AC: QUIT\n", 'no forged line');
};

subtest 'ansi' => sub {
    my $ansi = transcript_of(@article)->as_ansi;
    my %start = map { /\A(\e\[[0-9;]+m)(.):/ ? ($2 => $1) : () } split /\n/, $ansi;
    is(keys %start, 3, 'three directions');
    my %different = reverse %start;
    is(keys %different, 3, 'three fonts');
    is(() = $ansi =~ /\e\[0m\n/g, 6, 'each line is reset');
    is($class->entry_as_ansi({direction => 'note', text => 'x'}), "\e[33m*: x\e[0m\n", 'one entry');
};

subtest 'html' => sub {
    my $html = transcript_of(@article)->as_html;
    like($html, qr{\A<pre [^<>]+>(?:<span class="smtp-(?:server|client|note)" style="[^"<>]+">[^<>]*</span>\n)+</pre>\n\z}, 'a fragment');
    is(scalar(() = $html =~ /class="smtp-$_->[0]"/g), $_->[1], $_->[0]) for [server => 3], [client => 2], [note => 1];
    for my $said (@hostile) {
        my $page = transcript_of(server => $said, client => $said, note => $said)->as_html(page => 1);
        my @tags = $page =~ /<([^>]*)>/g;
        my @strange = grep { !m{\A/?(?:!DOCTYPE html|html lang="en"|html|head|meta [^<>&]+|title|body|pre|pre class="[a-z-]+" style="[^"]+"|span|span class="smtp-[a-z]+" style="[^"]+")\z} } @tags;
        is_deeply(\@strange, [], 'no markup but ours');
        unlike($page =~ s/&(?:amp|lt|gt|quot|#39);//gr, qr/&/, 'every ampersand escaped');
    }
    like(transcript_of(server => q{<a> "b" & 'c'})->as_html, qr/S: &lt;a&gt; &quot;b&quot; &amp; &#39;c&#39;</, 'all five escaped');
    my $timed = $class->new->add(direction => 'server', text => '220 hi', ms => 12.5);
    like($timed->as_html, qr/ title="12\.5 ms">S: 220 hi</, 'the time');
    like($timed->as_html(page => 1), qr/\A<!DOCTYPE html>\n.*<\/html>\n\z/s, 'a page');
};

subtest 'json' => sub {
    plan skip_all => 'no JSON::PP' if !eval { require JSON::PP };
    my $decode = sub { JSON::PP->new->ascii->decode($_[0]->as_json) };
    is_deeply($decode->($class->new), [], 'nothing');
    my $transcript = transcript_of(@article);
    $transcript->add(direction => 'client', text => 'AUTH PLAIN ***', secret => 1, ms => 3);
    my $read = $decode->($transcript);
    is(@$read, 6, 'entries');
    is($read->[1]{text}, $article[3], 'text with its line ends');
    is($read->[5]{ms}, 3, 'ms');
    is($read->[0]{ms}, undef, 'no ms');
    ok($read->[5]{secret} && !$read->[0]{secret}, 'secret');
    my %told = (
        "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x93\xA7" => "\xFC \x{20AC} \x{1F4E7}",
        "\xFF\xC3" => '\xFF\xC3', "\xED\xA0\x80" => '\xED\xA0\x80', "\xC0\x80" => '\xC0\x80', "\xF4\x90\x80\x80" => '\xF4\x90\x80\x80',
        '\xFF' => '\x5CxFF', '\xg "q"' => '\xg "q"', "\t\e\0" => "\t\e\0",
    );
    is($decode->(transcript_of(server => $_))->[0]{text}, $told{$_}, 'text ' . unpack 'H*', $_) for sort keys %told;
    ok(eval { $decode->(transcript_of(server => $_)); 1 }, 'hostile text is JSON') for @hostile;
};

subtest 'nothing is redacted or uncovered here' => sub {
    my $transcript = $class->new;
    $transcript->add(direction => 'client', text => "AUTH PLAIN AGEAYg==\r\n", secret => $_) for 0, 1;
    $transcript->add(direction => 'client', text => 'AUTH PLAIN ***', secret => 1);
    my @texts = map { $_->{text} } $transcript->entries;
    is_deeply(\@texts, [("AUTH PLAIN AGEAYg==\r\n") x 2, 'AUTH PLAIN ***'], 'entries are as they came');
    is_deeply([map { $_->{secret} } $transcript->entries], [0, 1, 1], 'the mark too');
    for my $as (qw(as_text as_ansi as_html as_json)) {
        my $shown = $transcript->$as;
        is(() = $shown =~ /AUTH PLAIN AGEAYg==/g, 2, "$as shows them as they came");
        is(() = $shown =~ /AUTH PLAIN \*\*\*/g, 1, "$as shows the stars");
    }
};

subtest 'entries are copies' => sub {
    my $transcript = transcript_of(server => 'a');
    ($transcript->entries)[0]{text} = 'b';
    is($transcript->as_text, "S: a\n", 'a change outside stays outside');
    is(transcript_of(note => "\x{263A}")->as_text, "*: \\xE2\\x98\\xBA\n", 'characters become octets');
};

subtest 'bounded' => sub {
    my $small = $class->new(max => 4);
    $small->add(direction => 'note', text => $_) for 1 .. 4;
    is($small->as_text, "*: 1\n*: 2\n*: 3\n*: 4\n", 'four fit');
    $small->add(direction => 'note', text => $_) for 5 .. 9;
    is($small->as_text, "*: 1\n*: 2\n*: 5 entries left out\n*: 8\n*: 9\n", 'the middle goes');

    my $many = $class->new;
    $many->add(direction => 'server', text => $_) for 1 .. 10_100;
    my @kept = $many->entries;
    is(@kept, 10_001, 'ten thousand and a note');
    is_deeply([map { $_->{text} } @kept[0, 5000, -1]], [1, '100 entries left out', 10_100], 'both ends stay');

    my $big = $class->new(max_octets => 10_000);
    $big->add(direction => 'server', text => 'x' x 900) for 1 .. 1000;
    cmp_ok(length $big->as_text, '<', 11_000, 'octets are bounded');
    like($big->as_text, qr/entries left out/, 'and it says so');
    $big->add(direction => 'server', text => 'y' x 1_000_000);
    cmp_ok(length $big->as_text, '<', 11_000, 'one huge entry too');
    like($big->as_text, qr/y \[cut\]\n\z/, 'and it says so');
};

subtest 'bad use' => sub {
    like(refusal(sub { $class->new(maximum => 1) }), qr/\Atranscript: unknown argument "maximum" at \Q$0\E line/, 'argument');
    like(refusal(sub { $class->new(max => $_) }), qr/max must be a whole number from 2 on/, "max $_") for 0, 1, -1, 'x', 2.5;
    like(refusal(sub { $class->new->add(direction => 'up', text => '') }), qr/unknown direction "up"/, 'direction');
    like(refusal(sub { $class->new->add(text => '') }), qr/unknown direction ""/, 'no direction');
    like(refusal(sub { $class->new->add(direction => 'note', password => 's3cret') }), qr/unknown field "password"/, 'field');
    like(refusal(sub { $class->new->add(direction => 'note', ms => '1"><b>') }), qr/ms must be a number/, 'ms');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
