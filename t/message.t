# Net::SMTP::AuthC::Message: what goes in comes out at the other end, and nothing else does.
use strict;
use warnings;
use utf8;
use Test::More;

use Encode ();
use MIME::Base64 ();
use MIME::QuotedPrint ();
use Net::SMTP::AuthC::Message;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $class = 'Net::SMTP::AuthC::Message';
my %least = (from => 'Shop <orders@shop.example>', to => 'j@example.net', text => "Hello\n");

sub message_of { return $class->new(%least, @_) }

sub refusal {
    my (@given) = @_;

    return eval { message_of(@given); 1 } ? 'accepted' : "$@";
}

# Fields as [name, value] and the body, read by nothing of ours.
sub taken_apart {
    my ($octets) = @_;

    my ($head, $body) = split /\r\n\r\n/, $octets, 2;
    my @fields = map { /\A([^:]+): ?(.*)\z/s ? ["$1", $2 =~ s/\r\n([ \t])/$1/gr =~ s/\A //r] : ['?', $_] } split /\r\n(?![ \t])/, $head;
    return (\@fields, $body);
}

sub field_of {
    my ($message, $name) = @_;

    my ($fields) = taken_apart($message->as_string);
    return join '|', map { $_->[1] } grep { lc $_->[0] eq lc $name } @$fields;
}

sub text_of {
    my ($message) = @_;

    my (undef, $body) = taken_apart($message->as_string);
    my $encoding = field_of($message, 'Content-Transfer-Encoding');
    $body = MIME::Base64::decode($body) if $encoding eq 'base64';
    $body = MIME::QuotedPrint::decode($body) =~ s/\r?\n/\r\n/gr if $encoding eq 'quoted-printable';
    return Encode::decode('UTF-8', $body, Encode::FB_CROAK());
}

# The shape every message must have.
sub shape_of {
    my ($octets) = @_;

    return 'octets outside ASCII' if $octets =~ /[^\x00-\x7f]/;
    return 'a bare CR or LF' if $octets =~ /(?<!\r)\n|\r(?!\n)/;
    return 'no CRLF at the end' if $octets !~ /\r\n\z/;
    return 'a line too long' if $octets =~ /^[^\r\n]{999}/m;
    my ($head, $body) = split /\r\n\r\n/, $octets, 2;
    return 'a NUL' if $octets =~ /\0/;
    return 'a fragile line' if $body =~ /[ \t]\r$|^From |^\.\r$/m;
    return 'a line of quoted-printable over 76' if $head =~ /quoted-printable/ && $body =~ /^[^\r\n]{77}/m;
    return 'ok';
}

subtest 'the least' => sub {
    my $message = message_of(subject => 'Order 1001', date => 0, message_id => '<1.2@shop.example>');
    local $ENV{TZ} = 'UTC';
    my $expected = join "\r\n", 'From: Shop <orders@shop.example>', 'To: j@example.net', 'Subject: Order 1001', 'Message-ID: <1.2@shop.example>',
        'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 7bit', '', "Hello\r\n";
    is($message->as_string =~ s/\ADate: [^\r]+\r\n//r, $expected, 'octets');
    is($message->as_string, $message->as_string, 'twice the same');
    is($message->message_id, '<1.2@shop.example>', 'message_id');
    is($message->envelope_from, 'orders@shop.example', 'envelope_from');
    is_deeply([$message->envelope_to], ['j@example.net'], 'envelope_to');
    is($message->needs_smtputf8, 0, 'needs_smtputf8');
    ok(!utf8::is_utf8($message->as_string) || $message->as_string !~ /[^\x00-\xff]/, 'octets');
};

subtest 'envelope' => sub {
    my $message = message_of(
        from => 'A <a@x>, b@x', to => ['c@x', 'D <d@x>, c@x'], cc => 'e@x, d@x, C@x', bcc => ['f@x', 'a@x'], reply_to => 'r@x, s@x',
        message_id => '1@y',
    );
    is($message->envelope_from, 'a@x', 'the first of from');
    is_deeply([$message->envelope_to], [qw(c@x d@x e@x C@x f@x a@x)], 'each once, case kept');
    is(scalar($message->envelope_to), 6, 'their number');
    is(field_of($message, 'Sender'), 'A <a@x>', 'several authors need a sender');
    is(field_of($message, 'From'), 'A <a@x>, b@x', 'From');
    is(field_of($message, 'To'), 'c@x, D <d@x>, c@x', 'To');
    is(field_of($message, 'Cc'), 'e@x, d@x, C@x', 'Cc');
    is(field_of($message, 'Reply-To'), 'r@x, s@x', 'Reply-To');
    unlike($message->as_string, qr/bcc|f\@x/i, 'no Bcc');
    my $blind = $class->new(from => 'a@x', bcc => 'hidden@x', text => '');
    is(field_of($blind, 'To'), 'undisclosed-recipients:;', 'only bcc');
    unlike($blind->as_string, qr/hidden/, 'and it stays hidden');
    is(field_of($class->new(from => 'a@x', cc => 'c@x', text => ''), 'To'), '', 'cc is enough');
};

subtest 'addresses outside ASCII' => sub {
    is(message_of(to => 'Jürgen <j@x>')->needs_smtputf8, 0, 'a name needs nothing');
    is(message_of($_ => 'jörg@x')->needs_smtputf8, 1, $_) for qw(from to cc bcc reply_to);
    is(message_of(to => 'j@köln.example')->needs_smtputf8, 0, 'a domain needs nothing');
    is(field_of(message_of(to => 'J <j@köln.example>'), 'To'), 'J <j@xn--kln-sna.example>', 'for it has an ASCII form');
    is_deeply([message_of(to => 'j@köln.example')->envelope_to], ['j@köln.example'], 'which is not for the envelope');
    is(message_of(headers => ['Errors-To' => 'ö@x'])->needs_smtputf8, 1, 'a field of the caller');
    my $message = message_of(from => 'ö@köln.example');
    is(field_of($message, 'From'), Encode::encode('UTF-8', 'ö@köln.example'), 'in UTF-8');
    like($message->message_id, qr/\A<[!-~]+\@smtputf8\.invalid>\z/, 'the Message-ID stays ASCII');
    like(message_of(from => 'o@köln.example')->message_id, qr/\A<[!-~]+\@xn--kln-sna\.example>\z/, 'with the domain where it can');
    is($message->envelope_from, 'ö@köln.example', 'the envelope is characters');
};

subtest 'Date' => sub {
    for my $case (
        ['UTC0', 1_700_000_000 => 'Tue, 14 Nov 2023 22:13:20 +0000'], ['EST5', 1_700_000_000 => 'Tue, 14 Nov 2023 17:13:20 -0500'],
        ['XST-5:30', 1_700_000_000 => 'Wed, 15 Nov 2023 03:43:20 +0530'], ['XST3:30', 1_700_000_000 => 'Tue, 14 Nov 2023 18:43:20 -0330'],
        ['XST-14', 1_704_060_000 => 'Mon, 1 Jan 2024 12:00:00 +1400'], ['XST12', 1_704_067_200 => 'Sun, 31 Dec 2023 12:00:00 -1200'],
        ['XST-1', 0 => 'Thu, 1 Jan 1970 01:00:00 +0100'],
    ) {
        my ($zone, $time, $expected) = @$case;
        my $code = 'print +(Net::SMTP::AuthC::Message->new(from => q(a@b), to => q(a@b), text => q(), date => shift)->as_string =~ /Date: (.*)\r/)';
        local $ENV{TZ} = $zone;
        open my $perl, '-|', $^X, (map { "-I$_" } @INC), '-MNet::SMTP::AuthC::Message', '-e', $code, $time or die "fork: $!";
        is(scalar <$perl>, $expected, "$zone $time");
    }
    my $before = time;
    my $made = field_of(message_of(), 'Date');
    like($made, qr/\A(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} [+-][0-9]{4}\z/, 'now');
    is(field_of(message_of(date => 'Mon, 23 Nov 2026 20:41:17 +0100'), 'Date'), 'Mon, 23 Nov 2026 20:41:17 +0100', 'given');
    like(refusal(date => $_), qr/\Adate is no date \(such as "Mon, 23/, "no date: $_") for 'tomorrow', '', '-1x', "0\r\nBcc: x", '2026-11-23';
};

subtest 'Message-ID' => sub {
    my %seen;
    $seen{ message_of()->message_id }++ for 1 .. 500;
    is(keys %seen, 500, 'unique');
    like((keys %seen)[0], qr/\A<[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]{24}\@shop\.example>\z/, 'form');
    is(message_of(message_id => '1.2@x')->message_id, '<1.2@x>', 'brackets are added');
    is(field_of(message_of(message_id => '<1.2@x>'), 'Message-ID'), '<1.2@x>', 'given');
    for my $bad ('1', '@', 'a@b@c', '<a@b', 'a b@c', "a\@b\r\nBcc: x", 'ü@x', '<a@b> <c@d>', '', 'x' x 999 . '@x') {
        like(refusal(message_id => $bad), qr/\Amessage_id is no message id /, 'refused: ' . substr $bad, 0, 9);
    }
    for my $source ('/nonexistent', '/dev/null') {
        local $Net::SMTP::AuthC::Message::RANDOM_SOURCE = $source;
        my @ids = map { message_of()->message_id =~ /\A<[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+\.([0-9a-f]{24})\@/ } 1, 2;
        is(@ids, 2, "form without random octets from $source");
        isnt($ids[0], $ids[1], 'unique all the same');
    }
};

subtest 'the caller\'s fields' => sub {
    my $message = message_of(
        subject => 'made', reply_to => 'r@x',
        headers => [
            'X-One' => 'a', 'x-one' => 'b', DATE => 'Mon, 23 Nov 2026 20:41:17 +0100', 'message-id' => '<own@x>', Subject => 'öwn',
            From => 'Jürgen <other@x>', To => 'friends: a@b, c@d;', 'Content-Type' => 'text/html', 'MIME-Version' => '1.0 (me)',
        ],
    );
    is(field_of($message, 'x-one'), 'a|b', 'several of a kind, in order');
    is(field_of($message, 'Date'), 'Mon, 23 Nov 2026 20:41:17 +0100', 'Date');
    is(field_of($message, 'Message-ID'), '<own@x>', 'Message-ID');
    is($message->message_id, '<own@x>', 'message_id');
    is(field_of($message, 'Subject'), '=?UTF-8?Q?=C3=B6wn?=', 'Subject');
    is(field_of($message, 'From'), '=?UTF-8?Q?J=C3=BCrgen?= <other@x>', 'From');
    is(field_of($message, 'To'), 'friends: a@b, c@d;', 'a group stays');
    is(field_of($message, 'Content-Type'), 'text/html; charset=utf-8', 'Content-Type');
    is(field_of($message, 'MIME-Version'), '1.0 (me)', 'MIME-Version');
    is(field_of($message, 'Reply-To'), 'r@x', 'Reply-To is still made');
    is($message->envelope_from, 'orders@shop.example', 'the envelope does not change');
    is_deeply([$message->envelope_to], ['j@example.net'], 'nor here');

    for my $name (qw(Date From Sender Reply-To To Cc Message-ID In-Reply-To References Subject MIME-Version Content-Type)) {
        my $value = $name eq 'Date' ? 'Mon, 23 Nov 2026 20:41:17 +0100' : $name eq 'Content-Type' ? 'text/plain' : $name =~ /Reference|ID|In-/ ? '<a@b>' : 'a@b';
        my $one = $class->new(%least, subject => 's', cc => 'c@d', reply_to => 'r@x', headers => [$name => $value]);
        unlike(field_of($one, $name), qr/\|/, "one $name");
        like(refusal(headers => [$name => $value, lc $name => $value]), qr/\Aheaders: \L$name\E is given twice /, "never two $name");
    }
};

subtest 'answers' => sub {
    my $answer = message_of(in_reply_to => '<1@x>');
    is(field_of($answer, $_), '<1@x>', $_) for qw(In-Reply-To References);
    $answer = message_of(in_reply_to => '2@x', references => ['<1@x>', '2@x']);
    is(field_of($answer, 'In-Reply-To'), '<2@x>', 'brackets are added');
    is(field_of($answer, 'References'), '<1@x> <2@x>', 'References as given');
    is(field_of(message_of(references => '<1@x> <2@x>'), 'In-Reply-To'), '', 'no answer without in_reply_to');
    is(field_of(message_of(in_reply_to => '1@x', headers => ['In-Reply-To' => '<3@x>', References => '<4@x>']), $_->[0]), $_->[1],
        "$_->[0] of headers is the one") for ['In-Reply-To' => '<3@x>'], [References => '<4@x>'];
    like(refusal(in_reply_to => $_), qr/\Ain_reply_to is no message id /, "refused: $_") for 'x', 'a@b,c@d';
    like(refusal(references => ['1@x', "2\@x\r\nBcc: a\@b"]), qr/\Areferences: a line break at character 4 /, 'injection');
    like(refusal(references => ['1@x', undef]), qr/\Areferences is undefined /, 'undef in a list');
    is(field_of(message_of(in_reply_to => [map { $_ . '@' . 'x' x 40 } 1 .. 9]), 'References') =~ tr/@//, 9, 'a long list is folded');
};

subtest 'sender' => sub {
    my $message = message_of(sender => 'Desk <desk@shop.example>');
    is(field_of($message, 'Sender'), 'Desk <desk@shop.example>', 'Sender');
    is($message->envelope_from, 'desk@shop.example', 'hears of failures');
    is(field_of(message_of(from => 'a@x, b@x', sender => 'b@x'), 'Sender'), 'b@x', 'not the first of from');
    like(refusal(sender => 'a@x, b@x'), qr/\Asender is one mailbox /, 'two');
    like(refusal(sender => "a\@x\nBcc: b\@x"), qr/\Asender: a line break at character 4 /, 'injection');
    is(message_of(sender => 'ü@x')->needs_smtputf8, 1, 'outside ASCII');
};

subtest 'TLS-Required' => sub {
    is(field_of(message_of(tls_required => 'no'), 'TLS-Required'), 'No', 'RFC 8689');
    is(field_of(message_of(), 'TLS-Required'), '', 'never by itself');
    like(refusal(tls_required => $_), qr/\Atls_required: only 'no' /, "not $_") for 'yes', 1, '', "no\r\nBcc: x";
    like(refusal(headers => ['TLS-Required' => 'No', 'tls-required' => 'No']), qr/given twice/, 'once');
    is(field_of(message_of(tls_required => 'no', headers => ['TLS-Required' => 'No']), 'TLS-Required'), 'No', 'once by both');
};

subtest 'size and pieces' => sub {
    my $message = message_of(text => "one\n\ntwo", subject => 'ü');
    is($message->size, length $message->as_string, 'size');
    is($message->is_streamed, 0, 'nothing that is encoded while it is sent');
    is($message->is_eight_bit, 0, 'seven bits');
    is(message_of(to => 'ö@x')->is_eight_bit, 1, 'eight with SMTPUTF8');
    for (1, 2) {
        my $next = $message->pieces;
        is($next->(), $message->as_string, 'in one piece');
        is($next->(), undef, 'the end');
    }
};

subtest 'bad fields' => sub {
    like(refusal(headers => $_), qr/\Aheaders must be \[Name => value/, 'form') for ['X'], {X => 1}, 'X: y';
    like(refusal(headers => [$_ => 'a@b']), qr/\Aheaders: no $_ in a message, .*use the argument bcc/, $_) for qw(Bcc BCC Resent-Bcc);
    like(refusal(headers => ["X\r\nBcc" => 'x']), qr/\Afield name ".*": character 2 may not/, 'name');
    like(refusal(headers => ['X-A' => $_]), qr/\AX-A: a line break at character 2 /, 'value') for "a\r\nBcc: x", "a\nb", "a\r";
    like(refusal(headers => ['X-A' => undef]), qr/\AX-A is undefined /, 'undef');
    like(refusal(headers => [To => 'nobody']), qr/\ATo: no address at character 1 /, 'address');
    like(refusal(headers => [To => '']), qr/\Aheaders: To has no address /, 'empty To');
    like(refusal(headers => ['Message-ID' => 'x']), qr/\AMessage-ID is no message id /, 'Message-ID');
    like(refusal(headers => [Date => 'x']), qr/\ADate is no date /, 'Date');
    like(refusal(headers => ['Content-Type' => 'text/plain; charset=iso-8859-1']), qr/\Aheaders: the text is sent in utf-8, not in iso-8859-1 /, 'charset');
    like(refusal(text => 'ü', headers => ['Content-Type' => 'text/plain; charset="us-ascii"']), qr/not in us-ascii/, 'us-ascii');
    is(refusal(headers => ['Content-Type' => 'text/plain; charset="us-ascii"']), 'accepted', 'us-ascii for ASCII');
};

subtest 'bad arguments' => sub {
    like(refusal(form => 'x'), qr/\Aunknown argument "form" \(known are attach, bcc, cc, .*\) at \Q$0\E line \d+\.\n\z/, 'unknown');
    like(refusal(from => undef), qr/\Afrom is needed /, 'no from');
    like(refusal(from => ''), qr/\Afrom has no address /, 'empty from');
    like(refusal(to => $_), qr/\Ano recipient \(give at least one/, 'no recipient') for undef, '', [], 'nobody:;';
    like(refusal(text => undef), qr/\Atext is needed /, 'no text');
    like(refusal(text => ['x']), qr/\Atext must be text, not a reference /, 'a reference');
    like(refusal(subject => ['x']), qr/\ASubject must be text, not a reference /, 'a reference');
    like(refusal($_ => "a\@b\r\nBcc: x\@y"), qr/\A$_: a line break at character 4 /, "injection by $_") for qw(from to cc bcc reply_to);
    like(refusal(subject => "x\nBcc: y\@z"), qr/\ASubject: a line break at character 2 /, 'injection by subject');
    no warnings;
    like(refusal(text => 'ab' . chr 0xD800), qr/\Atext: no character of Unicode at character 3 /, 'a surrogate');
    is(refusal($_ => undef), 'accepted', "$_ may be undef")
        for qw(cc bcc reply_to subject headers date message_id sender in_reply_to references tls_required html attach inline);
};

my %fragile = (
    'plain' => "one\ntwo\n", 'no line end' => 'one', 'empty' => '', 'only a line end' => "\n", 'blank lines' => "\n\n\nx\n\n",
    'trailing blanks' => "a \nb\t\n \n\t\n", 'signature' => "x\n-- \nme\n", 'From' => "From me\nFrom \n>From you\n", 'dots' => ".\n..\n.a\nx\n.\n",
    'dot at the end' => "x\n.", 'umlauts' => "Viele Grüße aus Köln am schönen Rhein\n", 'Japanese' => "日本語\n" x 50, 'equals' => "a=b\n=20\n=\nü", 'controls' => "\0\e[0m\x7f\x0b\x0c",
    'line of 998' => 'x' x 998, 'line of 999' => 'x' x 999, 'long line' => 'x' x 5000, 'long umlauts' => 'ü' x 2000, 'long mixed' => 'abcdefgü' x 500,
    'long blanks' => ' ' x 300 . "\n" . ' ' x 300 . "\n", 'From behind a cut' => 'x' x 73 . 'From me' . 'x' x 66 . 'ü', 'full From line' => 'From ' . 'x' x 68 . "ü\nFrom " . 'x' x 200,
    'dot behind a cut' => 'x' x 73 . ".\n" . 'x' x 72 . ".\nü", 'equals at a cut' => join("\n", map { 'x' x $_ . '=' x 10 } 60 .. 80), 'emoji' => '📧' x 300,
    'CRLF, CR, LF' => "a\r\nb\rc\n\r\n\r\r\n", 'NEL and LS' => "a\x{85}b\x{2028}c\n", 'latin-1 string' => "\xE9\n", 'blank before CR' => "a \rb",
);

subtest 'texts survive' => sub {
    for my $name (sort keys %fragile) {
        my $message = message_of(text => $fragile{$name});
        my $expected = $fragile{$name} =~ s/\r\n|\r|\n/\r\n/gr;
        $expected .= "\r\n" if $expected =~ /[^\n]\z/;
        is(text_of($message), $expected, "$name as " . field_of($message, 'Content-Transfer-Encoding'));
        is(shape_of($message->as_string), 'ok', '... shape');
    }
};

subtest 'the encoding' => sub {
    my %expected = (
        'plain' => '7bit', 'line of 998' => '7bit', 'line of 999' => 'quoted-printable', 'trailing blanks' => 'quoted-printable',
        'From' => 'quoted-printable', 'dots' => 'quoted-printable', 'umlauts' => 'quoted-printable', 'Japanese' => 'base64', 'empty' => '7bit',
    );
    is(field_of(message_of(text => $fragile{$_}), 'Content-Transfer-Encoding'), $expected{$_}, $_) for sort keys %expected;
};

subtest 'random texts survive' => sub {
    srand 42;
    my @pool = ("\n", "\n", ' ', "\t", '.', "\nFrom ", "\n.\n", '=', 'ü', '日', map({ 'a' x $_ } 1, 20, 60, 71 .. 77), "\0", "\r\n");
    my ($bad_text, $bad_shape) = (0, 0);
    for (1 .. 1000) {
        my $text = join '', map { $pool[rand @pool] } 1 .. rand 40;
        my $message = message_of(text => $text);
        my $expected = $text =~ s/\r\n|\r|\n/\r\n/gr;
        $expected .= "\r\n" if $expected =~ /[^\n]\z/;
        $bad_text++, $bad_text == 1 && diag(explain([$text, $message->as_string])) if text_of($message) ne $expected;
        $bad_shape++, diag shape_of($message->as_string), $message->as_string if shape_of($message->as_string) ne 'ok';
    }
    is($bad_text, 0, 'text');
    is($bad_shape, 0, 'shape');
};

subtest 'content that is encoded already' => sub {
    my @multipart = ('Content-Type' => 'multipart/mixed; boundary=x');
    my $message = message_of(text => "--x\n\nFrom me \n--x--\n", headers => \@multipart);
    my (undef, $body) = taken_apart($message->as_string);
    is($body, "--x\r\n\r\nFrom me \r\n--x--\r\n", 'multipart goes out as it is');
    is(field_of($message, 'Content-Transfer-Encoding'), '7bit', 'as 7bit');
    is(field_of($message, 'Content-Type'), 'multipart/mixed; boundary=x', 'type untouched');
    like(refusal(text => 'ü', headers => \@multipart), qr/\Atext: 7bit content holds what is not 7bit /, 'and must be 7bit');
    like(refusal(text => 'x' x 999, headers => \@multipart), qr/\Atext: a line of 7bit content is longer than 998 octets /, 'with short lines');
    my $own = message_of(text => "R3LDvMOfZQ==\n", headers => ['Content-Transfer-Encoding' => 'base64']);
    is(text_of($own), 'Grüße', 'base64 of the caller');
    is(field_of($own, 'Content-Transfer-Encoding'), 'base64', 'once');
    my $eight = message_of(text => "ü\n", headers => ['Content-Transfer-Encoding' => '8bit']);
    is(text_of($eight), "ü\r\n", '8bit of the caller');
    like(refusal(headers => ['Content-Transfer-Encoding' => 'x-uu']), qr/\Aheaders: Content-Transfer-Encoding must be /, 'unknown');
};

my %full = (
    from => 'Jürgen Müller <jm@shop.example>', to => ['"Doe, J." <j@example.net>', '日本 <jp@example.net>'], cc => 'c@example.net',
    subject => 'Ihre Bestellung 1001 aus Köln: 日本語の件名, ' . 'schön ' x 30 . 'Ende',
);

sub check_parser {
    my ($read) = @_;

    for my $name (sort keys %fragile) {
        my $message = message_of(%full, text => $fragile{$name});
        my ($from, $to, $subject, $text) = $read->($message->as_string);
        is($subject, $full{subject}, "$name: subject");
        is($from =~ tr/"//dr, 'Jürgen Müller <jm@shop.example>', 'from');
        like($to, qr/Doe, J\..*j\@example\.net.*日本.*jp\@example\.net/, 'to');
        my $expected = $fragile{$name} =~ s/\r\n|\r|\n/\n/gr;
        $expected .= "\n" if $expected =~ /[^\n]\z/;
        is($text =~ s/\r\n/\n/gr, $expected, 'text');
    }
    return;
}

subtest 'Email::MIME reads the same' => sub {
    plan skip_all => 'no Email::MIME' if !eval { require Email::MIME };
    check_parser(sub {
        my $mail = Email::MIME->new($_[0]);
        return (map({ $mail->header_str($_) } qw(From To Subject)), $mail->body_str);
    });
};

subtest 'MIME::Parser reads the same' => sub {
    plan skip_all => 'no MIME::Parser' if !eval { require MIME::Parser; require MIME::WordDecoder };
    check_parser(sub {
        my $parser = MIME::Parser->new;
        $parser->output_to_core(1);
        $parser->tmp_to_core(1);
        my $entity = $parser->parse_data($_[0]);
        my @fields = map { Encode::decode('MIME-Header', $entity->head->get($_) =~ s/\n(?=[ \t])//gr =~ s/\n\z//r) } qw(From To Subject);
        return (@fields, Encode::decode('UTF-8', $entity->bodyhandle->as_string));
    });
};

subtest 'objects that are strings' => sub {
    { package Said; use overload '""' => sub { ${ $_[0] } }, fallback => 1; sub as { my $text = $_[1]; return bless \$text } }
    my $message = $class->new(
        from => Said->as('a@x'), to => [Said->as('b@x')], subject => Said->as('s'), text => Said->as("t\n"), headers => ['X-A' => Said->as('h')],
    );
    is(join(' ', $message->envelope_from, $message->envelope_to, field_of($message, 'Subject'), field_of($message, 'X-A')), 'a@x b@x s h', 'fields');
    is(text_of($message), "t\r\n", 'text');
    like(refusal(subject => Said->as("a\nBcc: x")), qr/\ASubject: a line break at character 2 /, 'checked as strings');
};

subtest 'loads little' => sub {
    my $code = 'Net::SMTP::AuthC::Message->new(from => q(a@b), to => q(a@b), text => q(x)); print join q( ), sort keys %INC';
    open my $perl, '-|', $^X, (map { "-I$_" } @INC), '-MNet::SMTP::AuthC::Message', '-e', $code or die "fork: $!";
    my $loaded = <$perl>;
    unlike($loaded, qr/\b$_\.pm/, "no $_") for qw(Encode POSIX Carp Base64 QuotedPrint Local);
    unlike($loaded, qr{AuthC\.pm|Message/|Header/}, 'stands alone');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');

done_testing;
