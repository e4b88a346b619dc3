# Threads: a connection stays with the thread that made it; the others have none, and threads have their own.
use strict;
use warnings;
use Config;
BEGIN {
    if (!$Config{useithreads}) { print "1..0 # SKIP perl without threads\n"; exit 0 }
}
use threads;
use lib 't/lib';
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
my $secure = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit');
my @plain  = ('localhost', Port => $server->port, Timeout => 20);
my @secure = ('localhost', Port => $secure->port, SSL => 1, SSL_ca_file => $secure->ca_file, Timeout => 20);

sub send_one {
    my ($smtp, $text) = @_;
    return $smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data($text);
}

subtest 'a copy in another thread is none' => sub {
    for my $kind (\@plain, \@secure) {
        my $smtp = Net::SMTP::AuthC->new(@$kind) or die $@;
        my %said = threads->create({ context => 'list' }, sub {
            map { my $method = $_; ($method => eval { $smtp->$method; 1 } ? 'worked' : $@) }
                qw(noop quit mail _state _error);
        })->join;
        like($said{$_}, qr/unblessed reference|not a live|on an undefined value/, $_) for sort keys %said;
        ok($smtp->noop && send_one($smtp, "text\n") && $smtp->quit, 'the maker goes on');
    }
};

{
    package Careless;
    our @ISA = 'Net::SMTP::AuthC';
    sub CLONE_SKIP { return 0 }
}

subtest 'a class that lets itself be cloned' => sub {
    my $smtp = Careless->new(@plain) or die $@;
    my %said = threads->create({ context => 'list' }, sub {
        map { my $method = $_; ($method => eval { $smtp->$method; 1 } ? 'worked' : $@) } qw(noop _quit _state);
    })->join;
    like($said{$_}, qr/\Anot a live Net::SMTP::AuthC object \(a copy in another thread/, $_) for sort keys %said;
    ok($smtp->noop && $smtp->quit, 'the maker goes on');
    my $tls = Net::SMTP::AuthC::TLS->new(insecure_no_verify => 1);
    my $other = threads->create(sub {
        eval { Net::SMTP::AuthC->_new->_connect(0, host => 'localhost', service => 1, tls => $tls); 1 } ? '' : $@;
    })->join;
    like($other, qr/\Anot a live Net::SMTP::AuthC::TLS object/, 'a TLS context in another thread');
};

subtest 'connections of threads' => sub {
    for my $kind (\@plain, \@secure) {
        my @threads = map {
            my $number = $_;
            threads->create(sub {
                my $good = 0;
                for my $round (1 .. 5) {
                    my $smtp = Net::SMTP::AuthC->new(@$kind) or return "no connection: $@";
                    $good += send_one($smtp, "thread $number round $round\n") ? 1 : 0;
                    $smtp->quit if $round % 2;
                }
                return $good;
            });
        } 1 .. 4;
        is(join(' ', map { $_->join } @threads), '5 5 5 5', 'four threads, five messages each');
    }
    is(scalar $server->messages + scalar $secure->messages, 42, 'all of them came');
};

subtest 'a thread ends while its object lives' => sub {
    for my $kind (\@plain, \@secure) {
        is(threads->create(sub { our $global = Net::SMTP::AuthC->new(@$kind); $global->noop })->join, 1, 'joined');
        threads->create(sub { our $global = Net::SMTP::AuthC->new(@$kind); $global->noop })->detach;
    }
    select undef, undef, undef, 0.3;
    my $cross = threads->create(sub { return Net::SMTP::AuthC->new(@plain) })->join;
    ok(!eval { $cross->noop }, 'an object that a thread returns is none here');
};

done_testing();
