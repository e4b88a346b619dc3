# Objects that go, are copied, forged or left to the end of the program; and the descriptor, which is closed exactly once.
use strict;
use warnings;
use lib 't/lib';
use SystemTrust;
use Fcntl qw(F_GETFD FD_CLOEXEC);
use File::Temp ();
use Net::SMTP::AuthC;
use Subprocess qw(run_perl);
use Symbol ();
use Test::More;
use TinyServer;

my $server = TinyServer->start(TinyServer->agree);

sub connected { return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Timeout => 10, @_) || die $@ }

sub count_of_descriptors {
    opendir my $folder, '/proc/self/fd' or return;
    return scalar grep { !/\A\./ } readdir $folder;
}

subtest 'only real, living objects are taken' => sub {
    my $real = connected();
    my %forged = (
        'a scalar'   => bless(\(my $scalar = 0), 'Net::SMTP::AuthC'),
        'a glob'     => bless(Symbol::gensym(), 'Net::SMTP::AuthC'),
        'a hash'     => bless({}, 'Net::SMTP::AuthC'),
        'a code ref' => bless(sub { 1 }, 'Net::SMTP::AuthC'),
        'a copy of the glob' => bless(do { no strict 'refs'; *Elsewhere::copy = *$real; \*Elsewhere::copy },
            'Net::SMTP::AuthC'),
        'the class itself' => 'Net::SMTP::AuthC',
        'a TLS context'    => bless(Net::SMTP::AuthC::TLS->new(insecure_no_verify => 1), 'Net::SMTP::AuthC'),
        'a number' => \1,
    );
    for my $name (sort keys %forged) {
        for my $method (qw(_state _quit _error _noop _tls _outcomes _answers)) {
            no strict 'refs';
            ok(!eval { &{"Net::SMTP::AuthC::$method"}($forged{$name}); 1 }, "$name, $method");
            like($@, qr/\Anot a live Net::SMTP::AuthC object/, "$name, $method: by name");
        }
    }
    ok(!eval { Net::SMTP::AuthC::_noop(undef); 1 }, 'undef');
    ok(!eval { $real->_starttls($real, undef); 1 }, 'a connection is no TLS context');
    ok($real->noop, 'the real one works on');
    is(bless($real, 'Elsewhere'), $real, 'blessed into another package');
    ok(Net::SMTP::AuthC::_noop($real), 'it is still a connection');
    ok(Net::SMTP::AuthC->_new, 'an object without a connection goes silently');
    ok(!eval { Net::SMTP::AuthC->_new->_noop }, 'and can do nothing') && like($@, qr/\Anot connected/, 'by name');
};

subtest 'as a handle' => sub {
    my $smtp = connected();
    ok(fileno($smtp) > 2, 'fileno');
    is($smtp->fileno, fileno $smtp, 'as a method');
    ok($smtp->opened, 'opened');
    my $selected = select($smtp);
    select($selected);
    is(ref $selected || $selected, 'main::STDOUT', 'select');
    { no strict 'refs'; no warnings 'once'; *Elsewhere::alias = $smtp }
    is(fileno(*Elsewhere::alias), fileno $smtp, 'an alias is the same handle');
    my $flags = fcntl $smtp, F_GETFD, 0;
    ok($flags & FD_CLOEXEC, 'other programs do not get it');
    ok(close $smtp, 'close');
    ok(!$smtp->opened && !defined fileno(*Elsewhere::alias), 'closed, its alias too');
    is($smtp->_state, 'closed', 'the object knows');
    ok(!$smtp->noop && $smtp->error->kind eq 'closed', 'and can do nothing more');
    is($smtp->close, '', 'closing twice does no harm');
};

# Whoever gets the number next must not be written to, nor closed.
subtest 'the number of the descriptor is used again' => sub {
    for my $way (qw(close POSIX::close open-on-it socket-on-it glob-assignment undef-glob)) {
        my $smtp   = connected();
        my $number = fileno $smtp;
        my $file   = File::Temp->new;
        my ($mine, $other);
        if ($way eq 'close') { close $smtp }
        elsif ($way eq 'POSIX::close') { require POSIX; POSIX::close($number) }
        elsif ($way eq 'open-on-it') { open $smtp, '<', $0 or die $! }
        elsif ($way eq 'socket-on-it') { socketpair $smtp, $other, 1, 1, 0 or die $! }
        elsif ($way eq 'glob-assignment') { open my $log, '<', $0 or die $!; no strict 'refs'; *$smtp = *$log; $mine = $log }
        elsif ($way eq 'undef-glob') { undef *$smtp }
        if ($way =~ /close|undef/) { socketpair $mine, $other, 1, 1, 0 or die $! }
        my $kept = fileno($mine || $smtp);
        is($kept, $number, "$way: the same number") if $way =~ /close/;
        ok(!$smtp->noop, "$way: the connection is over");
        is($smtp->error->kind, 'closed', "$way: the error says so");
        ok(!$smtp->quit, "$way: quit does nothing") if $way !~ /on-it|assignment/;    # it closes what is there
        if ($other) {
            $other->blocking(0);
            is(sysread($other, my $octets, 100), undef, "$way: nothing was written to it");
        }
        next if !$mine;
        undef $smtp if $way ne 'POSIX::close';
        ok(defined fileno $mine, "$way: the other file is open");
        ok(stat $mine, "$way: and works") if $way ne 'POSIX::close';
    }
};

subtest 'descriptors are closed once, and all of them' => sub {
    my $before = count_of_descriptors() or plan skip_all => 'no /proc';
    for my $way (qw(drop quit close drop-in-data drop-alias)) {
        my $smtp = connected();
        is(count_of_descriptors(), $before + 1, "$way: one descriptor a connection");
        $smtp->quit if $way eq 'quit';
        $smtp->close if $way eq 'close';
        if ($way eq 'drop-in-data') { $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data; $smtp->datasend("x\n") }
        { no strict 'refs'; *Elsewhere::alias = *$smtp if $way eq 'drop-alias' }
        undef $smtp;
        undef *Elsewhere::alias;
        is(count_of_descriptors(), $before, "$way: closed");
    }
    is(count_of_descriptors(), $before, 'failed connections leave none') if !Net::SMTP::AuthC->new('127.0.0.1', Port => 1);
};

subtest 'an object that goes says nothing and changes nothing' => sub {
    my $server = TinyServer->start(TinyServer->agree);
    for my $stage (qw(idle mail data)) {
        my $smtp = Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, Hello => $stage) or die $@;
        $smtp->mail('a@b.test') if $stage ne 'idle';
        $smtp->to('c@d.test') && $smtp->data('') && $smtp->data if $stage eq 'data';
        my $heard = $server->heard;
        ($@, $!, $?) = ("kept\n", 42, 256);
        undef $smtp;
        is_deeply([$@, $! + 0, $?], ["kept\n", 42, 256], "$stage: \$\@ \$! \$? are as they were");
        select undef, undef, undef, 0.05;
        is($server->heard, $heard, "$stage: not a word");
    }
    $? = 0;
};

my $prelude = <<'E';
use strict; use warnings; use Net::SMTP::AuthC;
our $port = shift;
sub connected { Net::SMTP::AuthC->new('127.0.0.1', Port => $port, Timeout => 10, @_) || die $@ }
E

my %ending = (
    'alive in a lexical'         => 'my $smtp = connected();',
    'alive in a package global'  => 'our $smtp = connected();',
    'in a cycle'                 => 'my $x = { smtp => connected() }; $x->{self} = $x;',
    'in a closure cycle'         => 'my $smtp = connected(); my $code; $code = sub { $code->($smtp) };',
    'in its own hash'            => 'my $smtp = connected(); *$smtp->{self} = $smtp;',
    'in DATA'                    => 'our $smtp = connected(); $smtp->mail("a\@b.test"); $smtp->to("c\@d.test");
                                     $smtp->data; $smtp->datasend("x");',
    'as the selected handle'     => 'our $smtp = connected(); select $smtp;',
    'as an alias'                => 'my $smtp = connected(); *main::alias = *$smtp; *main::alias if 0;',
    'with a DESTROY that asks'   => 'package Sub; our @ISA = "Net::SMTP::AuthC"; sub DESTROY { $_[0]->quit }
                                     package main; our $smtp = Sub->new("127.0.0.1", Port => $port) or die $@;',
    'with exit in a callback'    => 'my $smtp = connected(Debug => 1); { no warnings;
                                     *Net::SMTP::AuthC::debug_print = sub { exit 0 } } $smtp->noop;',
    'with exit in a handler'     => '$SIG{ALRM} = sub { exit 0 }; my $smtp = connected(); kill ALRM => $$;
                                     $smtp->noop; $smtp->noop;',
    'with an END that uses it'   => 'our $smtp = connected(); END { $smtp->noop; $smtp->quit }',
    'with a failed connection'   => 'our $smtp = Net::SMTP::AuthC->new("127.0.0.1", Port => 1);',
    'with a TLS context'         => 'our $tls = Net::SMTP::AuthC::TLS->new(insecure_no_verify => 1);
                                     our $smtp = connected();',
);

subtest 'the end of the program' => sub {
    for my $name (sort keys %ending) {
        for my $level (0, 2) {
            local $ENV{PERL_DESTRUCT_LEVEL} = $level;
            my ($status, $out, $err) = run_perl("$prelude$ending{$name}\n", $server->port);
            $err = '' if $name =~ /callback/ && $err =~ /\A(?:.*(?:>>>|<<<).*\n)*\z/;
            is_deeply([$status, $out, $err], [0, '', ''], "$name, PERL_DESTRUCT_LEVEL=$level");
        }
    }
};

subtest 'descriptors 0 to 2 are closed before' => sub {
    my ($status, $out, $err) = run_perl($prelude . <<'E', $server->port);
open my $keep, '>&', \*STDOUT or die;
close STDIN; close STDOUT; close STDERR;
my $smtp = eval { connected() };
my $fd = $smtp ? fileno $smtp : "none: $@";
print {$keep} $fd > 2 ? "above\n" : "$fd\n";
print {$keep} $smtp && $smtp->noop && $smtp->quit ? "works\n" : "fails\n";
print {$keep} -e "/proc/self/fd/$_" ? "$_ taken\n" : '' for 0 .. 2;
E
    is($status, 0, 'status') or diag $err;
    is($out, "above\nworks\n", 'a higher one is taken, these stay free');
};

subtest 'a program that is started gets no descriptor of ours' => sub {
    -d '/proc/self/fd' or plan skip_all => 'no /proc';
    my ($status, $out, $err) = run_perl($prelude . <<'E', $server->port);
my $before = `ls /proc/self/fd | wc -l`;
my @smtp = map { connected() } 1 .. 3;
print `ls /proc/self/fd | wc -l` == $before ? "none\n" : "some\n";
E
    is($out, "none\n", 'none') or diag $err;
};

done_testing();
