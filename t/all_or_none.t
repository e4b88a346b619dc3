# submit with all_or_none: one recipient refused and nobody gets it, with PIPELINING and without, in as few flights as
# can be. And: what the server has taken is sent, whatever it says or does behind that.
# valgrind: no
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $MESSAGE = "Subject: x\n\nOne.\n";
my %refuse = ('temp@x.test' => '450 4.2.1 Busy', 'perm@x.test' => '550 5.1.1 No such user');

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', refuse => \%refuse, @_) }
sub client  { my ($server, @more) = @_; return Net::SMTP::AuthC->connect($server->url . '?tls=none', @more) }

sub submitted {
    my ($smtp, $to, @more) = @_;
    my $receipt = eval { $smtp->submit($MESSAGE, from => 'a@x.test', to => [split ' ', $to], @more) };
    return $receipt || $@;
}

sub outcomes { return join ' ', map { $_->outcome } $_[0]->recipients }

for my $keywords (['PIPELINING', 'ENHANCEDSTATUSCODES'], ['ENHANCEDSTATUSCODES']) {
    subtest "with @$keywords" => sub {
        my $server = sandbox(keywords => $keywords);
        my $smtp   = client($server);
        my %is = (
            'good@x.test perm@x.test'             => ['refused', 'not-sent refused'],
            'temp@x.test good@x.test'             => ['deferred', 'deferred not-sent'],
            'temp@x.test good@x.test perm@x.test' => ['refused', 'deferred not-sent refused'],
            'temp@x.test perm@x.test'             => ['deferred', 'deferred refused'],
            'perm@x.test'                         => ['refused', 'refused'],
        );
        for my $to (sort keys %is) {
            my $error = submitted($smtp, $to, all_or_none => 1);
            is_deeply([$error->kind, outcomes($error->receipt)], $is{$to}, $to);
            is($error->step, 'RCPT', '... the step');
        }
        is(scalar(my @none = $server->messages), 0, 'nobody got anything');
        like(submitted($smtp, 'good@x.test perm@x.test', all_or_none => 1)->text,
            qr/\A1 of the 2 recipients not accepted, so nothing was sent; the first of them, perm\@x\.test: 550 No/,
            'in words');
        ok(submitted($smtp, 'good@x.test other@x.test', all_or_none => 1)->all_sent, 'all of them');
        ok(submitted($smtp, 'good@x.test', all_or_none => 1)->all_sent, 'one');
        is(outcomes(submitted($smtp, 'good@x.test perm@x.test')), 'sent refused', 'without it the others get theirs');
        is(outcomes(submitted($smtp, 'good@x.test perm@x.test', all_or_none => 0)), 'sent refused', 'nor with 0');
        is(scalar(my @sessions = $server->sessions), 1, 'the connection lives on');
    };
}

subtest 'many recipients' => sub {
    my $server = sandbox();
    my $many = join ' ', map { "r$_\@x.test" } 1 .. 250;
    ok(submitted(client($server), $many, all_or_none => 1)->all_sent, 'more than a flight');
    my $error = submitted(client($server), "$many perm\@x.test", all_or_none => 1);
    is($error->receipt->not_sent, 250, 'the last one refused');
    like($error->text, qr/\A1 of the 251/, 'counted');
};

subtest 'refused before RCPT, and a lost connection' => sub {
    my $server = sandbox(faults => [{stage => 'mail', nth => 1, reply => "550 5.7.1 Not you\r\n"},
        {stage => 'rcpt', nth => 4, reply => "421 4.3.2 Going\r\n", close => 1}]);
    my $smtp = client($server, reconnect => 0);
    my $error = submitted($smtp, 'good@x.test other@x.test', all_or_none => 1);
    is_deeply([$error->step, $error->code, outcomes($error->receipt)], ['MAIL', 550, 'refused refused'], 'MAIL');
    $error = submitted($smtp, 'good@x.test other@x.test third@x.test', all_or_none => 1);
    is_deeply([$error->step, $error->code, $error->may_have_been_sent], ['RCPT', 421, 0], 'RCPT');
    is(scalar(my @none = $server->messages), 0, 'nothing was sent');
};

for my $behind ({append => "421 4.4.2 Good bye\r\n"}, {append => "421 4.4.2 Good bye\r\n", close => 'after'},
    {append => "250 2.0.0 And\r\n"}, {append => "\x16\x03\x01"}, {close => 'after'}, {reset => 'after'}) {
    subtest 'behind the last reply: ' . join(' ', map { $behind->{$_} =~ s/[^ -~]//gr } sort keys %$behind) => sub {
        my $server  = sandbox(faults => [{stage => 'end', %$behind}]);
        my $smtp    = client($server, reconnect => 0);
        my $receipt = submitted($smtp, 'good@x.test perm@x.test');
        isa_ok($receipt, 'Net::SMTP::AuthC::Receipt') or return diag($receipt);
        is(outcomes($receipt), 'sent refused', 'what was taken is sent');
        like($receipt->text, qr/\A2\.0\.0 Ok/, 'by these words');
        is($receipt->code, 250, 'and this code');
        my $second = submitted($smtp, 'good@x.test');
        isa_ok($second, 'Net::SMTP::AuthC::Error');
        is(outcomes($second->receipt), 'not-sent', 'the next message is another matter');
    };
}

done_testing();
