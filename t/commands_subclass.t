# Subclasses: whatever Net::SMTP would call is called, also after STARTTLS, and objects keep their class.
use strict;
use warnings;
use lib 't/lib';
use Face;
use Test::More;

our @called;    # by the classes at the end of this file

# A whole mail on a connection of the class, with what its methods noted.
sub a_mail {
    my ($class, %server) = @_;
    my $server = sandbox(tls => 'starttls', name => 'mx.test', keywords => ['SIZE 1000'], users => {u => 'p'}, %server);
    @called = ();
    my $smtp = client($server, class => $class, Hello => 'client.test');
    isa_ok($smtp, $class);
    ok($smtp->starttls, "$class: starttls");
    is(ref $smtp, $class, "$class: the object keeps its class");
    ok($smtp->auth('u', 'p'), "$class: auth") or diag $smtp->message;
    ok($smtp->mail('a@b.test', Size => 3), "$class: mail");
    ok($smtp->to('c@d.test'), "$class: to");
    ok($smtp->data("x\n.y\n"), "$class: data");
    is($smtp->code, 250, "$class: code");
    ok($smtp->mail('a@b.test') && $smtp->reset, "$class: mail, reset");
    ok(!$smtp->to('c@d.test'), "$class: a refusal");
    is($smtp->code, 503, "$class: its code");
    is($smtp->error->step, 'RCPT', "$class: and error");
    ok($smtp->quit, "$class: quit");
    is_deeply([map { $_->data } $server->messages], ["x\r\n.y\r\n"], "$class: the message");
    return said($server);
}

my @plain = a_mail('Net::SMTP::AuthC');

subtest 'command' => sub {
    is_deeply([a_mail('OwnCommand')], \@plain, 'the octets are the same');
    is_deeply([map { lc } @called], ['ehlo client.test', 'ehlo client.test', 'mail from:<a@b.test> size=3', 'rcpt to:<c@d.test>',
        'data', 'mail from:<a@b.test>', 'rset', 'rcpt to:<c@d.test>', 'quit'], 'each command went through it');
    my $smtp = client(sandbox(), class => 'OwnCommand');
    @called = ();
    ok(!$smtp->mail('a@b> SIZE=1 X=<z'), 'what is no address');
    ok(!$smtp->mail("a\r\@b"), 'nor that');
    is_deeply(\@called, [], 'is refused before');
};

subtest 'response' => sub {
    is_deeply([a_mail('OwnResponse')], \@plain, 'the octets are the same');
    is("@called", '220 250 250 250 250 354 250 250 250 503 221', 'each reply went through it, the greeting too');
    ok(!OwnResponse->new('127.0.0.1', Port => sandbox(faults => [{stage => 'greeting', reply => "554 no\r\n"}])->port),
        'a refused greeting');
    like($@, qr/\AOwnResponse: 554 no\n/, 'is told as always');
    local $OwnResponse::says_no = 1;
    my $server = sandbox();
    ok(!client($server, class => 'OwnResponse', SendHello => 0)->noop, 'its judgement counts');
};

subtest 'getline' => sub {
    is_deeply([a_mail('OwnGetline')], \@plain, 'the octets are the same');
    is($called[0], "220 mx.test ESMTP sandbox\n", 'it gets the greeting');
    is(scalar(grep { /\A250[ -]mx\.test/ } @called), 2, 'and the replies to EHLO');
    is($called[-1], "221 Bye\n", 'and the last');
    my $server = sandbox();
    my $smtp = client($server, class => 'OwnGetline');
    local $OwnGetline::instead = "250 instead\n";
    ok($smtp->noop, 'what it returns');
    is(($smtp->message)[0], "instead\n", 'is what counts');
    $OwnGetline::instead = "nonsense\n";
    ok(!$smtp->noop, 'nonsense');
    is_deeply([$smtp->code, $smtp->message], [421], 'is an error');
};

subtest '_EHLO, _HELO, hello' => sub {
    is_deeply([a_mail('OwnHello')], \@plain, 'the octets are the same');
    is("@called", 'hello _EHLO hello _EHLO', 'before and in TLS');
    @called = ();
    my $old = sandbox(faults => [{stage => 'ehlo', reply => "502 no\r\n"}]);
    my $smtp = client($old, class => 'OwnHello', Hello => 'client.test');
    is("@called", 'hello _EHLO _HELO', 'and HELO where there is no EHLO');
    is($smtp->supports('SIZE'), undef, 'nothing is offered');
    my $server = sandbox(keywords => ['SIZE 7', 'ETRN']);
    $smtp = client($server, class => 'OtherHello', Hello => 'client.test');
    is($smtp->supports('SIZE'), 7, 'a class that asks in its own way finds what is offered');
    is($smtp->has('ETRN'), 1, 'all of it');
};

subtest 'debug_text as Foswiki has it, debug_print' => sub {
    my $server = sandbox(tls => 'starttls', users => {u => 'secret-word'}, mechanisms => ['PLAIN']);
    my $text = stderr_of(sub {
        my $smtp = client($server, class => 'DebugText', Debug => 1);
        $smtp->starttls;
        $smtp->auth('u', 'secret-word') or die;
        $smtp->noop;
    });
    like($text, qr/^DebugText=GLOB\(0x[0-9a-f]+\)>>> \[text\] NOOP/m, 'after STARTTLS');
    unlike($text, qr/secret-word|AHUAc2VjcmV0LXdvcmQ/, 'secrets are masked before it sees them');
};

subtest 'auth, starttls, new' => sub {
    @called = ();
    my $server = sandbox(tls => 'starttls', users => {u => 'p'});
    my $smtp = OwnOthers->new($server->host, Port => $server->port, SSL_ca_file => $server->ca_file);
    ok($smtp->starttls && $smtp->auth('u', 'p'), 'they work');
    is("@called", 'new starttls auth', 'and are called');
    isa_ok($smtp->new($server->host, Port => $server->port), 'OwnOthers', 'new on an object');
};

subtest 'datasend, print, DEF_REPLY_CODE, set_status' => sub {
    my $server = sandbox();
    my $smtp = client($server, class => 'OwnData');
    @called = ();
    $smtp->mail('a@b.test'); $smtp->to('c@d.test');
    ok($smtp->data("one\n"), 'data');
    $smtp->mail('a@b.test'); $smtp->to('c@d.test');
    my $handle = $smtp->datafh;
    print {$handle} "two\n";
    ok(close $handle, 'datafh');
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
    ok($smtp->print("three\n", "four\n"), 'print');
    ok($smtp->dataend, 'dataend');
    is("@called", 'datasend datasend print datasend', 'what was called');
    is_deeply([map { $_->data } $server->messages], ["ONE\r\n", "TWO\r\n", "THREE\r\nFOUR\r\n"], 'what came of it');
    is(OwnData->_new->code, 599, 'DEF_REPLY_CODE is the code before any reply');
    close $smtp;
    $smtp->noop;
    is_deeply([$smtp->code, $smtp->message], [599, '[OwnData] Connection closed'], 'and without one');
};

subtest 'a class that knows another dialect' => sub {
    my $server = sandbox(keywords => ['X-DEMO']);
    my $smtp = client($server, class => 'OwnVerb');
    is($smtp->verify_twice('a'), '12', 'commands of its own, by command and response');
    is((said($server, $smtp))[-1], 'VRFY a', 'on the wire');
};

done_testing;

package OwnCommand;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub command { my $self = shift; push @main::called, "@_"; return $self->SUPER::command(@_) }

package OwnResponse;
our (@ISA, $says_no);
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub response {
    my ($self) = @_;
    my $class = $self->SUPER::response;
    push @main::called, $self->code;
    return $says_no && $self->message !~ /ESMTP/ ? 5 : $class;
}

package OwnGetline;
our (@ISA, $instead);
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub getline {
    my ($self) = @_;
    my $line = $self->SUPER::getline;
    push @main::called, $line;
    return $instead // $line;
}

package OwnHello;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub hello { push @main::called, 'hello'; my $self = shift; return $self->SUPER::hello(@_) }
sub _EHLO { push @main::called, '_EHLO'; my $self = shift; return $self->SUPER::_EHLO(@_) }
sub _HELO { push @main::called, '_HELO'; my $self = shift; return $self->SUPER::_HELO(@_) }

package OtherHello;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub _EHLO {
    my ($self, $name) = @_;
    my $good = $self->command('EHLO', $name)->response == Net::SMTP::AuthC::CMD_OK();
    return $good;
}

package DebugText;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub debug_text { my ($self, $out, $text) = @_; return "[text] $text" }

package OwnOthers;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub new { push @main::called, 'new'; my $class = shift; return $class->SUPER::new(@_) }
sub starttls { push @main::called, 'starttls'; my $self = shift; return $self->SUPER::starttls(@_) }
sub auth { push @main::called, 'auth'; my $self = shift; return $self->SUPER::auth(@_) }

package OwnData;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub datasend { push @main::called, 'datasend'; my $self = shift; return $self->SUPER::datasend(map { uc } @_) }
sub print { push @main::called, 'print'; my $self = shift; return $self->SUPER::print(@_) }
sub DEF_REPLY_CODE { return 599 }

package OwnVerb;
our @ISA;
BEGIN { @ISA = 'Net::SMTP::AuthC' }
sub verify_twice {
    my ($self, $who) = @_;
    return join '', grep { $self->command('VRFY', $who)->response == $self->CMD_OK } 1, 2;
}
