# The faults of Net::SMTP in commands that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use BothClasses;
use Face;
use Test::More;

bug 13 => 'nothing is injected', sub {
    my ($class) = @_;
    local $SIG{__WARN__} = sub { };
    my $server = sandbox(keywords => ['DSN', 'ETRN', 'SIZE']);
    my $smtp = client($server, class => $class);
    my @true;
    for my $bad ("a\@b.test\rDATA", "a\@b.test\r\nDATA", "a\@b.test\nDATA", 'a@b> SIZE=1 X=<z', "a\@b\0c") {
        push @true, grep { $smtp->$_($bad) } qw(mail to);
        push @true, grep { $smtp->$_($bad) } qw(verify expand help hello etrn) if $bad !~ />/;
    }
    push @true, 'an option of mail' if $smtp->mail('a@b', ENVID => 'x SIZE=1');
    push @true, 'an option of to' if $smtp->to('a@b', {ORcpt => "rfc822;a NOTIFY=NEVER"});
    expect 'what was true', join(' ', @true), '';
    my (undef, @said) = said($server, $smtp);
    expect 'what was said', join(' | ', @said), '';
};

bug 13 => 'but blanks and line ends around an address are no part of it', sub {
    my ($class) = @_;
    my $server = sandbox();
    for my $exact (0, 1) {
        my $smtp = client($server, class => $class, ExactAddresses => $exact);
        my @addresses = ("<a\@b.test>\n", " <a\@b.test>\r\n", $exact ? () : ("a\@b.test\n", "\ta\@b.test \r\n"));
        my @true = grep { $smtp->mail($_) && $smtp->reset } @addresses;
        expect "ExactAddresses => $exact: taken", scalar @true, scalar @addresses;
        my @said = grep { /\AMAIL/ && $_ ne 'MAIL FROM:<a@b.test>' } said($server, $smtp);
        expect "ExactAddresses => $exact: said otherwise", "@said", '';
    }
};

bug 23 => 'to([...]) and mail(address, {...})', sub {
    my ($class) = @_;
    local $SIG{__WARN__} = sub { };
    my $server = sandbox();
    my $smtp = client($server, class => $class);
    expect 'mail', outcome(sub { $smtp->mail('a@b.test', {Size => 10}) }), 1;
    expect 'to', outcome(sub { $smtp->to(['c@d.test', 'e@f.test']) }), 1;
    my (undef, @said) = said($server, $smtp);
    expect 'what was said', join(' | ', @said),
        'MAIL FROM:<a@b.test> SIZE=10 | RCPT TO:<c@d.test> | RCPT TO:<e@f.test>';
};

bug 24 => 'what became of each recipient is kept', sub {
    my ($class) = @_;
    my $server = sandbox(refuse => {'bad@x.test' => '550 5.1.1 no such user',
        'full@x.test' => '452 4.2.2 mailbox full'});
    my $smtp = client($server, class => $class);
    $smtp->mail('a@b.test');
    my @good = $smtp->to('bad@x.test', 'good@x.test', 'full@x.test', {SkipBad => 1});
    expect 'SkipBad', "@good", 'good@x.test';
    expect 'data', $smtp->data("x\n"), 1;
    expect 'all three', outcome(sub { join ' | ', map { "@$_[0, 1, 2]" } $smtp->_outcomes }),
        'bad@x.test refused 550 | good@x.test sent 250 | full@x.test deferred 452';
};

bug 27 => 'quit tells of QUIT, and warnings name their method', sub {
    my ($class) = @_;
    my $server = sandbox(faults => [{stage => 'quit', silent => 1}]);
    my $smtp = client($server, class => $class, Timeout => $SLOW);
    expect 'quit without an answer', $smtp->quit, '';
    expect 'message', $smtp->message, "[$class] Timeout";
    my $other = sandbox();
    $smtp = client($other, class => $class);
    expect 'quit with one', $smtp->quit, 1;
    $smtp = client($other, class => $class);
    my ($warning) = warnings_of(sub { $smtp->mail('a@b.test', Wrong => 1) });
    expect 'of mail', $warning, qr/\A\Q$class\E::mail: .*Wrong/;
    ($warning) = warnings_of(sub { $smtp->to('a@b.test', {Wrong => 1}) });
    expect 'of to', $warning, qr/\A\Q$class\E::recipient: .*Wrong/;
};

done_testing;
