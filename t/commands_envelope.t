# The Net::SMTP face: mail and recipient with every option, addresses, and what they return.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Face;
use Test::More;

my @keywords = ('SIZE', '8BITMIME', 'DSN', 'CHECKPOINT', 'XVERP', 'SMTPUTF8', 'AUTH PLAIN');

# What MAIL and RCPT look like on the wire; the server refuses what it does not know, which is no matter here.
sub said_by {
    my ($code, %option) = @_;
    my $server = sandbox(keywords => $option{keywords} || \@keywords, users => {a => 'b'}, faults => [
        {stage => 'mail', reply => "250 ok\r\n"}, {stage => 'rcpt', reply => "250 ok\r\n"}]);
    my $smtp = client($server, %{ $option{new} || {} });
    $code->($smtp);
    return grep { !/\A(?:EHLO|HELO) / } said($server, $smtp);
}

subtest 'mail: each option as it stands on the wire' => sub {
    for my $case (
        [[] => ''], [[Size => 100] => ' SIZE=100'], [[Size => 0] => ' SIZE=0'],
        [[Return => 'FULL'] => ' RET=FULL'], [[Return => 'full'] => ' RET=FULL'], [[Return => 'x'] => ' RET=HDRS'],
        [[Bits => 8] => ' BODY=8BITMIME'], [[Bits => '8'] => ' BODY=8BITMIME'], [[Bits => 7] => ' BODY=7BIT'],
        [[Transaction => 't@x.test'] => ' TRANSID=<t@x.test>'], [[Envelope => 'x y+z='] => ' ENVID=x+20y+2Bz+3D'],
        [[Envelope => "\x{e9}\x{7f}"] => ' ENVID=+E9+7F'], [[Envelope => "\x{263a}"] => ' ENVID=+E2+98+BA'],
        [[ENVID => 'as+20given'] => ' ENVID=as+20given'], [[AUTH => ''] => ' AUTH=<>'],
        [[AUTH => 'a@b'] => ' AUTH=a@b'],
        [[XVERP => 1] => ' XVERP'], [[SMTPUTF8 => 1] => ' SMTPUTF8'], [[SMTPUTF8 => 0] => ''],
        [[map { $_ => undef } qw(Size Return Bits Transaction Envelope ENVID AUTH XVERP)] => ''],
        [[AUTH => '', Envelope => 'e', Bits => 8, Return => 'FULL', Size => 9] =>
            ' SIZE=9 RET=FULL BODY=8BITMIME ENVID=e AUTH=<>'],
        [[{Size => 3}] => ' SIZE=3'],
    ) {
        my ($options, $want) = @$case;
        my @said = said_by(sub { is($_[0]->mail('a@b.test', @$options), 1, 'accepted') });
        is_deeply(\@said, ["MAIL FROM:<a\@b.test>$want"], "MAIL ...$want");
    }
};

subtest 'mail: what cannot be had is dropped with a warning' => sub {
    my ($line, @warnings);
    my @said = said_by(sub {
        my ($smtp) = @_;
        @warnings = warnings_of(sub { $smtp->mail('a@b.test', Size => 1, Bits => 8, Wrong => 1) }); $line = __LINE__;
    }, keywords => ['SIZE']);
    is_deeply(\@said, ['MAIL FROM:<a@b.test> SIZE=1'], 'what is offered was said');
    is(scalar @warnings, 2, 'two warnings');
    like($warnings[0], qr/mail.*Bits.*8BITMIME.* line $line\.$/, 'an option that is not offered, with our line');
    like($warnings[1], qr/mail: .*"Wrong".* line $line\.$/, 'an option that does not exist');
    my $old = sandbox(faults => [{stage => 'ehlo', reply => "502 no\r\n"}]);
    my $smtp = client($old);
    @warnings = warnings_of(sub { is($smtp->mail('a@b.test', Size => 1, Bits => 8, ENVID => 'e'), 1, 'after HELO') });
    is(scalar @warnings, 1, 'one warning for all');
    is((said($old, $smtp))[-1], 'MAIL FROM:<a@b.test>', 'what was said');
    @warnings = warnings_of(sub { said_by(sub { $_[0]->mail('a@b.test', Bits => 'binary') }) });
    like("@warnings", qr/does not offer BINARYMIME and CHUNKING/, 'binary is not supported');
};

subtest 'addresses as they are found in programs' => sub {
    for my $case (['a@b.test' => 'a@b.test'], ['  a@b.test ' => 'a@b.test'], ['<a@b.test>' => 'a@b.test'],
        ['Anna <a@b.test> (at work)' => 'a@b.test'], ['' => ''], [undef, ''], ['<>' => ''],
        ['"x y"@b.test' => '"x y"@b.test'], [Stringy->new('a@b.test') => 'a@b.test'],
    ) {
        my ($given, $want) = @$case;
        my $shown = defined $given ? "'$given'" : 'undef';
        is_deeply([said_by(sub { $_[0]->mail($given) })], ["MAIL FROM:<$want>"], "mail($shown)");
        is_deeply([said_by(sub { $_[0]->to($given) })], ["RCPT TO:<$want>"], "to($shown)") if length $want;
    }
    is_deeply([said_by(sub { $_[0]->mail(' a@b.test') }, new => {ExactAddresses => 1})], [],
        'ExactAddresses: no trimming');
};

subtest 'nothing that could be a second command or parameter leaves' => sub {
    for my $bad ("a\@b.test\r\nDATA", "a\n\@b.test", "a\rb\@c.test", "a\0b\@c.test", "<a\@b.test\r\n>", 'a b@c.test',
        'a@b> SIZE=1 X=<z', "a\x{263a}\@b.test", "\x{e9}\@b.test"
    ) {
        my $shown = $bad =~ s/([^ -~])/sprintf '\x{%x}', ord $1/ger;
        is_deeply([said_by(sub {
            my ($smtp) = @_;
            ok(!$smtp->$_($bad), "$_ '$shown'") for qw(mail to);
            is($smtp->code, 501, 'code');
            is($smtp->error->kind, 'usage', 'error');
            like($smtp->message, qr/recipient.* at octet \d+ of \d+/, 'message');
        })], [], "nothing was said of '$shown'");
    }
    for my $option (qw(Size Transaction ENVID AUTH)) {
        is_deeply([said_by(sub {
            my ($smtp) = @_;
            ok(!$smtp->mail('a@b.test', $option => $_), "$option") for "1 X=1", "1\r\nRSET", "1\0", "1\t";
            is($smtp->code, 501, "$option: code");
        })], [], "$option: nothing was said");
    }
    for my $option ({Notify => ['NEVER', 'x y']}, {Notify => "NEVER\r\nRSET"}, {ORcpt => 'rfc822;a b'},
        {ORcpt => "a\0"}
    ) {
        my ($name) = keys %$option;
        is_deeply([said_by(sub { is($_[0]->to('a@b.test', $option), 0, $name) })], [], 'nothing was said');
    }
    is_deeply([said_by(sub { $_[0]->mail("\x{e9}\@b.test", SMTPUTF8 => 1) })],
        ["MAIL FROM:<\xe9\@b.test> SMTPUTF8"], 'octets above 127 with SMTPUTF8');
    is_deeply([said_by(sub { $_[0]->mail("\x{263a}\@b.test", SMTPUTF8 => 1) })],
        ["MAIL FROM:<\xe2\x98\xba\@b.test> SMTPUTF8"], 'characters with SMTPUTF8');
};

subtest 'recipient, to, cc, bcc' => sub {
    my $server = sandbox(refuse => {'bad@x.test' => '550 5.1.1 no', 'worse@x.test' => '450 4.2.1 later'});
    my $smtp = client($server);
    my ($good, $bad, $worse) = ('good@x.test', 'bad@x.test', 'worse@x.test');
    $smtp->mail('a@b.test');
    is($smtp->$_($good), 1, $_) for qw(recipient to cc bcc);
    is($smtp->to($good, "<$good>"), 1, 'two');
    is($smtp->to([$good, $good]), 1, 'a list');
    is($smtp->to([$good], $good, {SkipBad => 0}), 1, 'both, with options');
    is($smtp->to, 1, 'none');
    is($smtp->to($good, $bad, $good), 0, 'stops at the first that is refused');
    is_deeply([$smtp->code, $smtp->message], [550, "5.1.1 no\n"], 'its reply');
    is_deeply([$smtp->to($bad)], [0], '0 in list context too');
    my @lines = said($server, $smtp);
    is($lines[-2], "RCPT TO:<$bad>", 'the one behind it was not said');

    $smtp = client($server);
    $smtp->mail('a@b.test');
    is_deeply([$smtp->to($bad, "G <$good>", $worse, " $good", {SkipBad => 1})], ["G <$good>", " $good"],
        'SkipBad: those that were accepted, as given');
    is(scalar $smtp->to($bad, $good, $good, {SkipBad => 1}), 2, 'SkipBad: their number');
    is_deeply([$smtp->to($bad, {SkipBad => 1})], [], 'SkipBad: nobody');
    is(scalar $smtp->to($bad, {SkipBad => 1}), 0, 'SkipBad: 0');
    my %option = (SkipBad => 1);
    $smtp->to($good, \%option);
    is_deeply(\%option, {SkipBad => 1}, 'the options are as they were');
    $smtp->data("x\n");
    my ($message) = $server->wait_for(count => 1);
    is(scalar(my @to = $message->to), 5, 'the server has those that were accepted');
};

subtest 'recipient: Notify, ORcpt' => sub {
    for my $case ([{Notify => ['SUCCESS', 'failure']} => ' NOTIFY=SUCCESS,FAILURE'],
        [{Notify => 'never'} => ' NOTIFY=NEVER'],
        [{ORcpt => 'rfc822;c@d'} => ' ORCPT=rfc822;c@d'], [{ORcpt => undef, Notify => undef} => ''],
        [{ORcpt => 'rfc822;c@d', Notify => ['DELAY'], SkipBad => 1} => ' NOTIFY=DELAY ORCPT=rfc822;c@d'],
    ) {
        my ($option, $want) = @$case;
        is_deeply([said_by(sub { $_[0]->to('c@d', $option) })], ["RCPT TO:<c\@d>$want"], "RCPT ...$want");
    }
    my @warnings;
    is_deeply([said_by(sub {
        my ($smtp) = @_;
        @warnings = warnings_of(sub { $smtp->to('c@d', {Notify => ['NEVER'], Wrong => 1}) });
    }, keywords => ['SIZE'])], ['RCPT TO:<c@d>'], 'without DSN');
    is(scalar(@warnings), 2, 'two warnings');
    like($warnings[0], qr/recipient.*Notify.*DSN.*\Q$0\E/, 'not offered');
    like($warnings[1], qr/recipient.*"Wrong".*\Q$0\E/, 'unknown');
};

subtest 'refusals' => sub {
    my $server = sandbox(faults => [{stage => 'mail', nth => 1, reply => "451 later\r\n"}]);
    my $smtp = client($server);
    is($smtp->mail('a@b.test'), !1, 'mail: no');
    is(join('|', $smtp->code, $smtp->message, $smtp->error->kind), "451|later\n|deferred", 'why');
    is($smtp->mail('a@b.test'), 1, 'mail: yes');
    is($smtp->error, undef, 'nothing is left of it');
};

done_testing;

package Stringy;
use overload '""' => sub { $_[0][0] }, fallback => 1;
sub new { my ($class, $text) = @_; return bless [$text], $class }
