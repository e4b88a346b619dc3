# A forked child has a copy of the object: it says nothing on the wire, whatever it does, and the parent goes on.
use strict;
use warnings;
use lib 't/lib';
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use Test::More;

# Runs the code in a child; what it returned, and its status.
sub in_child {
    my ($code, $end) = @_;
    pipe my $from, my $to or die $!;
    defined(my $pid = fork) or die $!;
    if (!$pid) {
        my $said = eval { $code->() } // "died: $@";
        syswrite $to, $said;
        POSIX::_exit(0) if $end eq '_exit';
        Test::More->builder->no_ending(1);
        exit 0;
    }
    close $to;
    my $said = do { local $/; <$from> };
    waitpid $pid, 0;
    return ($said, $?);
}

my %tls = (none => [], starttls => []);
for my $tls (sort keys %tls) {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => $tls, require_tls => 0);
    my $connected = sub {
        my $smtp = Net::SMTP::AuthC->new('localhost', Port => $server->port, Timeout => 10,
            SSL_ca_file => $tls eq 'none' ? undef : $server->ca_file) || die $@;
        $tls eq 'none' || $smtp->starttls || die $@;
        return $smtp;
    };
    my $lines = sub { return join '', map { $_->as_text } $server->sessions };

    my %deed = (
        'nothing'           => sub { '' },
        'methods'           => sub {
            my $smtp = shift;
            my @calls = (['noop'], ['reset'], ['quit'], ['_quit'], ['_end'], ['hello'],
                map { [$_, 'x@y.test'] } qw(mail recipient verify _content));
            join "|", map { my ($method, @with) = @$_;
                eval { $smtp->$method(@with); 1 } ? "$method worked" : $@ } @calls;
        },
        'asking'            => sub { my $smtp = shift; join '|', $smtp->_state, $smtp->code, fileno($smtp) },
        'undef'             => sub { undef $_[0]; '' },
        'close'             => sub { close $_[0] ? '' : $! },
        'the method close'  => sub { $_[0]->close ? '' : $! },
        '_abandon'          => sub { $_[0]->_abandon('x'); '' },
        'its own connection' => sub { my $own = $connected->(); $own->noop && $own->quit ? '' : 'failed' },
        'a child of its own' => sub { my $smtp = shift; (in_child(sub { undef $smtp; '' }, 'exit'))[0] },
    );
    for my $deed (sort keys %deed) {
        for my $end (qw(exit _exit)) {
            subtest "$tls, $deed, $end" => sub {
                my $smtp = $connected->();
                $smtp->mail('a@b.test');
                my $before = $lines->();
                my ($said, $status) = in_child(sub { $deed{$deed}->($smtp) }, $end);
                is($status, 0, 'the child ends well');
                if ($deed eq 'methods') {
                    unlike($said, qr/worked/, 'no method works in the child');
                    my $count = () = $said =~ /this connection belongs to process $$: a forked child must make its own/g;
                    is($count, 10, 'each dies by name') or diag $said;
                }
                is($said, '', 'what it did went well') if $deed !~ /methods|asking/;
                is($lines->(), $before, 'it said nothing') if $deed !~ /own connection/;
                ok($smtp->to('c@d.test') && $smtp->data("text\n"), 'the parent goes on');
                ok($smtp->quit, 'and says good-bye itself');
            };
        }
    }
    is(scalar(grep { ($_->ended // '') ne 'quit' } $server->wait_for(sessions => scalar $server->sessions)), 0,
        "$tls: every session ended with a QUIT");
}

subtest 'in the middle of a message' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
    my $smtp = Net::SMTP::AuthC->new('localhost', Port => $server->port) || die $@;
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data; $smtp->datasend("Subject: x\n\none\n");
    my ($said) = in_child(sub { eval { $smtp->datasend("child\n") }; eval { $smtp->dataend }; undef $smtp; 'x' }, 'exit');
    is($said, 'x', 'the child lives');
    ok($smtp->datasend("two\n") && $smtp->dataend && $smtp->quit, 'the parent goes on');
    is(join('|', map { $_->body } $server->messages), "one\r\ntwo\r\n", 'the message is the parent\'s alone');
};

subtest 'an object made before, connected after' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
    my $smtp = Net::SMTP::AuthC->_new;
    my ($said) = in_child(sub { $smtp->_connect(0, host => '127.0.0.1', service => $server->port) && $smtp->_quit ? 'good' : 'bad' },
        '_exit');
    is($said, 'good', 'is the child\'s own');
    ok($smtp->_connect(0, host => '127.0.0.1', service => $server->port), 'and the parent has one too');
};

done_testing();
