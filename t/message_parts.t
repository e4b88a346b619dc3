# Net::SMTP::AuthC::Message: HTML, attachments and images come out whole, by readers that are not ours, sized beforehand.
# valgrind: no
use strict;
use warnings;
use utf8;
use Encode ();
use File::Temp qw(tempdir);
use MIME::Base64 ();
use MIME::QuotedPrint ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;
use Test::More;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $folder = tempdir(CLEANUP => 1);
my $files  = 0;
my %least  = (from => 'Shop <orders@shop.example>', to => 'j@example.net');

sub message_of { return Net::SMTP::AuthC::Message->new(%least, @_) }

sub refusal {
    my (@given) = @_;
    return eval { message_of(@given); 1 } ? 'accepted' : "$@";
}

sub file_with {
    my ($octets, $name) = @_;
    my $path = "$folder/" . ($name // 'file' . ++$files);
    open my $file, '>:raw', $path or die "$path: $!";
    print {$file} $octets;
    close $file or die "$path: $!";
    return $path;
}

# ---- a reader of messages that knows nothing of ours ----

sub read_part {
    my ($octets) = @_;
    my ($head, $body) = $octets =~ /\A(.*?\r\n)\r\n(.*)\z/s or die 'no empty line';
    my %part = (head => $head, map { /\A([^:]+): ?(.*)\z/s ? (lc $1 => $2 =~ s/\A //r) : () }
        split /\r\n/, $head =~ s/\r\n([ \t])/$1/gr);
    ($part{type}) = $part{'content-type'} =~ m{\A([a-z0-9/+.-]+)};
    if ($part{type} =~ m{\Amultipart/}) {
        my ($boundary) = $part{'content-type'} =~ /; boundary="([^"]+)"/ or die 'no boundary';
        my ($before, @parts) = split /(?:\A|\r\n)--\Q$boundary\E(?=--\r\n|\r\n)/, $body;
        my $after = pop @parts;
        die "not the end: $after" if $after ne "--\r\n" || length $before;
        $part{parts} = [map { read_part(s/\A\r\n//r) } @parts];
        return \%part;
    }
    my $encoding = $part{'content-transfer-encoding'};
    $part{octets} = $encoding eq 'base64' ? MIME::Base64::decode($body)
        : $encoding eq 'quoted-printable' ? MIME::QuotedPrint::decode($body) =~ s/\r?\n/\r\n/gr : $body;
    $part{body} = $body;
    return \%part;
}

sub tree_of {
    my ($part) = @_;
    return $part->{type} =~ s{\A(?:text|multipart)/}{}r . ($part->{parts} ? '(' . join(' ', map { tree_of($_) } @{ $part->{parts} }) . ')' : '');
}

sub leaves {
    my ($part) = @_;
    return $part->{parts} ? map { leaves($_) } @{ $part->{parts} } : $part;
}

sub parts_of { return leaves(read_part($_[0]->as_string)) }

sub fault_of {
    my ($octets) = @_;
    return 'an octet outside ASCII' if $octets =~ /[^\x00-\x7f]/;
    return 'a bare CR or LF' if $octets =~ /(?<!\r)\n|\r(?!\n)/;
    return 'no CRLF at the end' if $octets !~ /\r\n\z/;
    return 'a line too long' if $octets =~ /^[^\r\n]{999}/m;
    return 'a line of base64 over 76' if grep { $_->{'content-transfer-encoding'} eq 'base64' && $_->{body} =~ /^[^\r\n]{77}/m } leaves(read_part($octets));
    return 'none';
}

# ---- shape ----

my $png  = {data => "\x89PNG\r\n\x1a\n", type => 'image/png'};
my $file = file_with('a,b', 'table.csv');

subtest 'the tree' => sub {
    my @alike = (text => 't', html => '<img src="cid:a">');
    for my $case (
        [[text => 't'] => 'plain'], [[html => 'h'] => 'html'], [[text => 't', attach => []] => 'plain'], [[html => 'h', inline => {}] => 'html'],
        [[@alike] => 'alternative(plain html)'], [[@alike, inline => {a => $png}] => 'alternative(plain related(html image/png))'],
        [[@alike[2, 3], inline => {a => $png}] => 'related(html image/png)'], [[text => 't', attach => $file] => 'mixed(plain csv)'],
        [[attach => [$file, $file]] => 'mixed(csv csv)'], [[html => 'h', attach => {file => $file}] => 'mixed(html csv)'],
        [[@alike, attach => [$file]] => 'mixed(alternative(plain html) csv)'],
        [[@alike, inline => {a => $png}, attach => [$file]] => 'mixed(alternative(plain related(html image/png)) csv)'],
    ) {
        my $octets = message_of(@{ $case->[0] })->as_string;
        is(tree_of(read_part($octets)), $case->[1], $case->[1]);
        is(fault_of($octets), 'none', 'no fault');
    }
};

subtest 'text and HTML' => sub {
    for my $text ("Grüße ☃\n", '', "From me \n.\n--\nme", 'x' x 2000, "日本語\n" x 30) {
        my ($plain, $html) = parts_of(message_of(text => $text, html => "<p>$text"));
        my $expected = $text =~ s/\n/\r\n/gr =~ s/(?<=[^\n])\z/\r\n/r;
        is(Encode::decode('UTF-8', $plain->{octets}), $expected, 'text');
        is(Encode::decode('UTF-8', $html->{octets}), "<p>$expected" =~ s/(?<=[^\n])\z/\r\n/r, 'HTML');
        is($html->{'content-type'}, 'text/html; charset=utf-8', 'type');
    }
    my $message = message_of(html => 'h', subject => 'ü', headers => ['X-A' => 'b'], message_id => '1@x');
    like($message->as_string, qr/^MIME-Version: 1\.0\r\nX-A: b\r\nContent-Type: text\/html/m, 'the fields of a mail');
    is($message->message_id, '<1@x>', 'message_id');
};

# ---- what is attached ----

{ package Tied; sub TIEHANDLE { my ($class, @lines) = @_; return bless \@lines, $class } sub READLINE { return shift @{ $_[0] } } }
{ package Path; use overload '""' => sub { $_[0][0] }, fallback => 1 }

sub reads_of {
    my ($octets) = @_;
    my $path = file_with("before$octets");
    open my $handle, '<:raw', $path or die $!;
    read $handle, my $before, 6;
    open my $memory, '<', \$octets or die $!;
    my $whole = file_with($octets, 'name.bin');
    open my $pipe, '-|', $^X, '-e', 'binmode $_ for *STDIN, *STDOUT; open STDIN, "<:raw", shift; local $/; print <STDIN>', $whole or die $!;
    binmode $pipe;
    my $tied = do { no warnings 'once'; \*Tied::HANDLE };
    tie *$tied, 'Tied', $octets =~ /(.{1,50000})/gs;
    return (
        file => $whole, object => bless([$whole], 'Path'), data => {data => $octets, name => 'd'}, reference => {data => \$octets, name => 'd'},
        wide => {data => Encode::decode('latin-1', $octets), name => 'd'}, handle => {handle => $handle, name => 'h'},
        memory => {handle => $memory, name => 'h'}, pipe => {handle => $pipe, name => 'h'}, tied => {handle => $tied, name => 'h'},
    );
}

subtest 'octets of every length from everywhere' => sub {
    for my $length (0, 1, 2, 3, 56, 57, 58, 114, 58367 .. 58369, 116_736, 200_001) {
        my $octets = pack 'C*', map { $_ * 7 % 256 } 1 .. $length;
        my %from = reads_of($octets);
        my $message = message_of(text => '', attach => [@from{sort keys %from}]);
        my (undef, @parts) = parts_of($message);
        is(join(' ', grep { $parts[$_]{octets} ne $octets } 0 .. $#parts), '', "$length octets from " . join ' ', sort keys %from);
        is(@parts, 9, 'all of them');
        is($message->size, length $message->as_string, 'size');
        is(fault_of($message->as_string), 'none', 'no fault');
    }
};

subtest 'other handles' => sub {
    local *GLOB;
    open GLOB, '<:raw', $file or die $!;
    my $temporary = File::Temp->new;
    print {$temporary} 'in a buffer';
    seek $temporary, 0, 0;
    my @parts = parts_of(message_of(attach => [{handle => *GLOB, name => 'x'}, {handle => $temporary, name => 'x'}, $temporary]));
    is(join('|', map { $_->{octets} } @parts), 'a,b|in a buffer|in a buffer', 'a glob, an object, its name');
    is(tell $temporary, 11, 'read to its end');
};

subtest 'asked again' => sub {
    open my $handle, '<:raw', file_with('x' x 200_000) or die $!;
    my $message = message_of(text => 't', attach => [{handle => $handle, name => 'a'}, $file]);
    my @readers = ($message->pieces, $message->pieces);
    my @octets  = ('', '');
    for (my $left = 2; $left;) {
        $left = grep { my $piece = $readers[$_]->(); $octets[$_] .= $piece // ''; defined $piece } 0, 1;
    }
    is($octets[0], $octets[1], 'by two at the same time');
    is($octets[0], $message->as_string, 'and once more');
    is($message->is_streamed, 1, 'is_streamed');
    is($message->is_eight_bit, 0, 'is_eight_bit');
    cmp_ok((sort { $b <=> $a } map { length } pieces_of($message))[0], '<', 100_000, 'in small pieces');
};

sub pieces_of {
    my ($message) = @_;
    my ($next, @pieces) = ($message->pieces);
    while (defined(my $piece = $next->())) { push @pieces, $piece }
    return @pieces;
}

subtest 'what changes meanwhile' => sub {
    my $said = qr/\Aattach\[0\]: there are no longer the 100000 octets of when the message was made/;
    for my $case ([less => 99_999], [nothing => 0], [more => 100_001]) {
        my ($name, $length) = @$case;
        my $path = file_with('x' x 100_000);
        my $message = message_of(text => 't', attach => $path);
        my $next = $message->pieces;
        $next->();
        $next->();
        truncate $path, $length or die $!;
        ok(!eval { 1 while defined $next->(); 1 }, "$name while it is sent");
        like($@, $said, 'is told') or diag $@;
        ok(!eval { $next->(); 1 }, 'and never forgotten');
        ok(!eval { $message->pieces; 1 }, "$name before");
        my $error = $@;
        like($error, $said, 'is told before anything is sent');
        is(eval { $error->kind }, 'system', 'its kind');
    }
    my $path = file_with('x');
    my $message = message_of(attach => $path);
    unlink $path;
    like(eval { $message->as_string } // $@, qr/\Aattach\[0\]: \Q$path\E cannot be opened: /, 'a file that is gone');
    open my $handle, '<:raw', $file or die $!;
    $message = message_of(attach => {handle => $handle, name => 'x'});
    close $handle;
    like(eval { $message->as_string } // $@, qr/\Aattach\[0\]: the handle was closed/, 'a handle that was closed');
    open $handle, '+>:raw', file_with('') or die $!;
    print {$handle} 'x' x 1000;
    $message = message_of(attach => {handle => do { seek $handle, 0, 0; $handle }, name => 'x'});
    truncate $handle, 999 or die $!;
    like(eval { $message->as_string } // $@, qr/\Aattach\[0\]: there are no longer the 1000 octets/, 'a file behind a handle');
};

# ---- names and types ----

# By RFC 2231, and as older programs do.
sub names_of {
    my ($part) = @_;
    my ($fields) = map { s/\r\n(?=[ \t])//gr } $part->{head};
    my ($disposition) = $fields =~ /^Content-Disposition: (.*)\r$/m;
    my %piece = $disposition =~ /; filename\*(\d*)\*?=([^;]+)/g;
    my ($new) = $disposition =~ /; filename="((?:[^"\\]|\\.)*)"/;
    if (%piece) {
        my $all = join '', map { $piece{$_} } sort { ($a || 0) <=> ($b || 0) } keys %piece;
        $new = $all =~ s/\AUTF-8''//r =~ s/%([0-9A-F]{2})/chr hex $1/ger;
        $new = Encode::decode('UTF-8', $new, Encode::FB_CROAK());
    }
    my ($old) = $fields =~ /; name="((?:[^"\\]|\\.)*)"/;
    $old = Encode::decode('MIME-Header', $old) if defined $old && $old =~ /=\?UTF-8\?/;
    return map { defined && !%piece ? s/\\(.)/$1/gr : $_ } $new, $old;
}

subtest 'names' => sub {
    for my $name ('a.pdf', 'two words.txt', 'Rechnung für Köln.pdf', '日本語' x 20 . '.txt', 'quo"te\\s.txt', 'semi;colon=x.txt', "d'or 100%.txt", 'x' x 200 . '.doc',
        'ü' x 255, 'x', '📧.eml', '=?UTF-8?Q?x?=', ' blank ', 'a' x 59 . 'ü' . 'b' x 59, 'word ' x 50, "tab\there") {
        my ($part) = parts_of(message_of(attach => {data => 'x', name => $name}));
        my ($new, $old) = names_of($part);
        is($new, $name, 'RFC 2231: ' . substr $name, 0, 20);
        is($old, $name, '... and older');
        is($part->{head} =~ s/^ name="[ -~]*"\r$//mr =~ /^([^\r]{79,})/m ? $1 : '', '', 'lines as they should be');
    }
    my ($none) = parts_of(message_of(attach => {data => 'x', name => ''}));
    unlike($none->{head}, qr/name/, 'none');
    is($none->{'content-type'}, 'application/octet-stream', 'and no type');
    my ($utf8) = parts_of(message_of(attach => file_with('x', Encode::encode('UTF-8', 'Öl.pdf'))));
    is((names_of($utf8))[0], 'Öl.pdf', 'of a file in UTF-8');
    my ($latin) = parts_of(message_of(attach => file_with('x', "\xD6l.pdf")));
    is((names_of($latin))[0], 'Öl.pdf', 'of a file in Latin-1');
    my ($own) = parts_of(message_of(attach => {file => $file, name => 'other.pdf'}));
    is(join(' ', (names_of($own))[0], $own->{type}), 'other.pdf application/pdf', 'another name for a file');
    my ($typed) = parts_of(message_of(attach => {data => 'x', name => 'a.txt', type => 'text/x; name=own'}));
    is($typed->{'content-type'}, 'text/x; name=own', 'a name in the type stays');
};

subtest 'types' => sub {
    my %type = (
        'a.pdf' => 'application/pdf', 'A.PDF' => 'application/pdf', 'a.jpeg' => 'image/jpeg', 'a.csv' => 'text/csv', 'a.tar.gz' => 'application/gzip',
        'a.docx' => 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'a' => 'application/octet-stream', 'pdf' => 'application/octet-stream',
        'a.eml' => 'application/octet-stream', 'a.unknown' => 'application/octet-stream', 'a.p7s' => 'application/pkcs7-signature',
    );
    is((parts_of(message_of(attach => {data => 'x', name => $_})))[0]{type}, $type{$_}, $_) for sort keys %type;
    my ($part) = parts_of(message_of(attach => {data => 'x', name => 'a.pdf', type => 'text/csv; charset=iso-8859-1; header=present', disposition => 'Inline', cid => 'x@y'}));
    is($part->{'content-type'}, 'text/csv; charset=iso-8859-1; header=present; name="a.pdf"', 'given');
    is($part->{'content-disposition'}, 'inline; filename="a.pdf"', 'disposition');
    is($part->{'content-id'}, '<x@y>', 'cid');
};

subtest 'images' => sub {
    my $html = q{<img src="cid:logo"><img src='CID:logo2'>url(cid:logo) cid:logo.png cid:logo.};
    my $message = message_of(html => $html, inline => {logo => $png, logo2 => file_with('x', 'two.gif'), 'logo.png' => {%$png, name => 'l.png'}});
    my ($shown, @images) = parts_of($message);
    is(join(' ', map { $_->{type} } @images), 'image/png image/png image/gif', 'in the order of their names');
    my @ids = map { $_->{'content-id'} =~ /\A<([^<>]+)>\z/ } @images;
    my ($logo, $png_id, $two) = @ids;
    is($shown->{octets}, qq{<img src="cid:$logo"><img src='CID:$two'>url(cid:$logo) cid:$png_id cid:$logo.\r\n}, 'each by its name');
    like($_, qr/\A(?:logo|logo2|logo\.png)\.[0-9a-f]{24}\@shop\.example\z/, 'a Content-ID with a domain') for @ids;
    isnt((parts_of(message_of(html => 'cid:logo', inline => {logo => $png})))[1]{'content-id'}, $images[0]{'content-id'}, 'never twice the same');
    is($images[0]{'content-disposition'}, 'inline', 'shown, not attached');
    like((parts_of(message_of(html => 'cid:a@b.c', inline => {'a@b.c' => $png})))[1]{'content-id'}, qr/\A<a\@b\.c>\z/, 'with a domain as it is');
    like((parts_of(message_of(from => 'a@[127.0.0.1]', html => 'cid:a', inline => {a => $png})))[1]{'content-id'}, qr/\@inline\.invalid>\z/, 'a domain that HTML can say');
    my ($text, $attached) = parts_of(message_of(html => 'cid:chart', attach => {%$png, name => 'c.png', cid => 'chart'}));
    is("<$text->{octets}>" =~ s/cid:|\r\n//gr, $attached->{'content-id'}, 'attached and shown');
};

# ---- what is refused ----

subtest 'refused' => sub {
    open my $closed, '<', $file or die $!;
    close $closed;
    my @attach = (
        [undef] => qr/ is undefined /, ["$folder/none"] => qr/: \Q$folder\E\/none cannot be opened: /, [$folder] => qr/: cannot be read: /,
        [[]] => qr/ must be a file's name, or \{file/, [{}] => qr/: one of file, data and handle is needed /, [{data => 'x', file => 'y'}] => qr/: one of file, data and handle /,
        [{data => 'x'}] => qr/: name is needed /, [{data => 'x', names => 'y'}] => qr/: unknown option "names" \(known are file, data/, [{data => [], name => 'x'}] => qr/ data must be octets/,
        [{data => 'x', name => "a\r\nBcc: b\@c"}] => qr/ name: a line break at character 2 /, [{data => 'x', name => "a\0"}] => qr/ name: a NUL at character 2 /,
        [{data => 'x', name => 'x' x 256}] => qr/ name: longer than 255 /, [{data => "\x{263A}", name => 'x'}] => qr/ data: a character above 255 \(encode it first/,
        map({ [{handle => $_, name => 'x'}] => qr/: the handle is not open / } 'x', 'STDIN', {}, \'x'), [{handle => $closed, name => 'x'}] => qr/: the handle is not open /,
        map({ [{data => 'x', name => 'x', type => $_}] => qr/ type is no media type / } 'x', 'a/b/c', 'a/b x', '', 'text/plain' . ' ' x 300, 'a/ü', 'a/b; name=ü'),
        [{data => 'x', name => 'x', type => "a/b\r\nBcc: c\@d"}] => qr/ type: a line break at character 4 /,
        map({ [{data => 'x', name => 'x', type => $_}] => qr/ type: \Q$_\E may not be in base64 / } 'multipart/mixed', 'message/rfc822', 'Message/Partial'),
        [{data => 'x', name => 'x', disposition => 'shown'}] => qr/ disposition must be attachment or inline /,
        map({ [{data => 'x', name => 'x', cid => $_}] => qr/ cid: letters, digits/ } '', '<a>', 'a b', "a\n", 'a@', 'a..b', "a\r\nBcc: x"),
    );
    while (my ($given, $said) = splice @attach, 0, 2) {
        like(refusal(text => 't', attach => [$file, $given->[0]]), qr/\Aattach\[1\]$said/, "$said");
    }
    open my $wide, '<:encoding(UTF-8)', $file or die $!;
    like(refusal(attach => {handle => $wide, name => 'x'}), qr/\Aattach\[0\]: the handle decodes what it reads/, 'a handle that decodes');
    like(refusal(), qr/\Atext is needed /, 'nothing');
    like(refusal($_->[0], $_->[1]), qr/\Atext, html or attach is needed /, "empty $_->[0]") for [attach => []], [inline => {}];
    like(refusal(text => 't', inline => {a => $png}), qr/\Ainline needs html /, 'images in no HTML');
    like(refusal(html => 'h', inline => [$png]), qr/\Ainline must be \{name => file/, 'a list of images');
    like(refusal(html => 'h', inline => {logo => $png}), qr/\Ainline\{logo\}: html has no cid:logo /, 'an image that nothing shows');
    like(refusal(html => 'cid:a', inline => {a => {data => 'x'}}), qr/\Ainline\{a\}: type is needed /, 'an image of no type');
    like(refusal(html => 'cid:a', inline => {a => $png}, attach => {%$png, name => 'x', cid => 'a'}), qr/: the cid "a" is there already /, 'one name for two');
    like(refusal(html => 'cid:a', inline => {"a\r\nBcc: x" => $png}), qr/\Ainline\{a.*\} cid: letters/, 'injection by a name');
    like(refusal(html => ['x']), qr/\Ahtml must be text, not a reference /, 'no text');
    like(refusal(html => do { no warnings; 'ab' . chr 0xD800 }), qr/\Ahtml: no character of Unicode at character 3 /, 'a surrogate');
    like(refusal(text => 't', html => 'h', headers => [$_ => '7bit']), qr/\Aheaders: $_ has no place beside html/, $_) for qw(Content-Type Content-Transfer-Encoding);
    like(refusal(attach => "$folder/none"), qr/ at \Q$0\E line \d+\.\n\z/, 'with the place of the caller');
};

# ---- what must hold for all ----

subtest 'no boundary is in the content' => sub {
    local $Net::SMTP::AuthC::Message::RANDOM_SOURCE = '/dev/zero';
    my $zeros = '0' x 24;
    my $text  = join "\n", map { ("--=_$_.$zeros.0", "--=_$_.$zeros.1--", "$zeros.2") } 1 .. 3;
    my $message = message_of(text => $text, html => $text, attach => {data => $text, name => 'x'});
    like($message->as_string, qr/boundary="=_1\.$zeros\.3"/, 'one that is not there');
    my ($plain, $html, $data) = parts_of($message);
    is($_->{octets}, $text =~ s/\n/\r\n/gr . "\r\n", 'all of it') for $plain, $html;
    is($data->{octets}, $text, 'and attached');
};

subtest 'size, whatever is in it' => sub {
    srand 7;
    my ($wrong, $faults) = (0, '');
    for (1 .. 150) {
        my @attach = map { {data => chr(rand 256) x rand(rand > 0.8 ? 130_000 : 300), name => join '', map { (qw(a ü 日 "), ' ')[rand 5] } 0 .. rand 90} } 1 .. rand 4;
        my $message = message_of(
            (rand > 0.5 ? (html => 'ü<b> cid:i' x rand 200) x (rand > 0.2) : ()), (rand > 0.3 ? (text => "x\n.\nü " x rand 100) : ()), subject => 'ä ' x rand 60,
            @attach || rand > 0.5 ? (attach => [@attach, {data => 'last', name => 'l'}]) : (text => ''),
        );
        my $octets = join '', pieces_of($message);
        $wrong++ if $message->size != length $octets || $octets ne $message->as_string;
        $faults ||= fault_of($octets) =~ s/none//r;
    }
    is($wrong, 0, 'exact');
    is($faults, '', 'no fault');
};

subtest 'loaded when needed' => sub {
    my $code = 'Net::SMTP::AuthC::Message->new(from => q(a@b), to => q(a@b), text => q(x), @ARGV); print join q( ), sort keys %INC';
    for my $case ([[] => 0], [[subject => 'x'] => 0], [[html => 'h'] => 1]) {
        open my $perl, '-|', $^X, (map { "-I$_" } @INC), '-MNet::SMTP::AuthC::Message', '-e', $code, @{ $case->[0] } or die "fork: $!";
        is(scalar(<$perl> =~ m{Message/Parts}), $case->[1] || '', "@{ $case->[0] }");
    }
};

done_testing;
