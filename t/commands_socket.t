# The object as a socket and as a class: addresses, handle methods, isa, and what is refused.
use strict;
use warnings;
use lib 't/lib';
use Both;
use Face;
use Socket qw(:DEFAULT IPPROTO_TCP);
use Test::More;

my $class  = 'Net::SMTP::AuthC';
my $server = sandbox(tls => 'starttls');

subtest 'both ends' => sub {
    my $smtp = $class->new('127.0.0.1', Port => $server->port);
    is($smtp->peerhost, '127.0.0.1', 'peerhost');
    is($smtp->peerport, $server->port, 'peerport');
    is($smtp->peeraddr, inet_aton('127.0.0.1'), 'peeraddr');
    is($smtp->peername, getpeername $smtp, 'peername');
    is($smtp->sockhost, '127.0.0.1', 'sockhost');
    cmp_ok($smtp->sockport, '>', 0, 'sockport');
    is($smtp->sockaddr, inet_aton('127.0.0.1'), 'sockaddr');
    is($smtp->sockname, getsockname $smtp, 'sockname');
    is_deeply([$smtp->peerhost_service(1)], ['127.0.0.1', $server->port], 'peerhost_service');
    ok(length $smtp->sockhostname && length $smtp->sockservice, 'sockhostname, sockservice');
    is_deeply([$smtp->sockdomain, $smtp->socktype, $smtp->protocol], [AF_INET, SOCK_STREAM, IPPROTO_TCP], 'what it is');
    ok($smtp->setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1), 'setsockopt');
    ok($smtp->sockopt(SO_KEEPALIVE), 'sockopt');
    ok($smtp->sockopt(SO_KEEPALIVE, 0) && !$smtp->sockopt(SO_KEEPALIVE), 'sockopt with a value');
    ok(unpack('i', $smtp->getsockopt(SOL_SOCKET, SO_TYPE)), 'getsockopt');
    my @same = map { [$_, $smtp->$_] } qw(peerhost peerport sockhost sockport);
    ok($smtp->starttls(SSL_ca_file => $server->ca_file), 'starttls');
    is_deeply([map { [$_, $smtp->$_] } qw(peerhost peerport sockhost sockport)], \@same, 'the same after STARTTLS');
    $smtp->quit;
    is_deeply([map { scalar $smtp->$_ } qw(peerhost peerport peeraddr peername sockhost sockport sockdomain socktype)],
        [(undef) x 8], 'nothing of that is known once it is closed');
};

subtest 'IPv6' => sub {
    my $six = eval { sandbox(listen_ipv6 => 1) } or plan skip_all => 'no IPv6 here';
    my $smtp = $class->new('::1', Port => $six->port);
    is($smtp->peerhost, '::1', 'peerhost');
    is($smtp->peerport, $six->port, 'peerport');
    is($smtp->sockdomain, AF_INET6, 'sockdomain');
    is($class->can_inet6, $class, 'can_inet6');
    is($class->can_ssl, $class, 'can_ssl');
};

subtest 'as a handle' => sub {
    my $smtp = $class->new('127.0.0.1', Port => $server->port);
    is($smtp->fileno, fileno $smtp, 'fileno');
    ok( $smtp->opened && $smtp->connected, 'opened, connected');
    is($smtp->$_, 1, $_) for qw(blocking autoflush binmode);
    is($smtp->pending, 0, 'pending');
    is($smtp->eof, '', 'eof');
    ok(!$smtp->_is_closed, '_is_closed');
    ok(($smtp->stat)[1], 'stat');
    for my $row (['print', sub { $_[0]->print("a\n", "b\n") }], ['printf', sub { $_[0]->printf("%s%s\n", 'a', "\nb") }],
        ['say', sub { $_[0]->say("a\n", 'b') }], ['syswrite', sub { ($_[0]->syswrite("xa\nb\nx", 4, 1) // 0) == 4 }],
        ['write', sub { $_[0]->write("a\nb\n") }], ['tied_fh', sub { my $h = $_[0]->tied_fh; print {$h} "a\nb\n" }]) {
        my ($name, $code) = @$row;
        is($code->($smtp) || 0, 0, "$name outside of a message says nothing");
        $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
        ok($code->($smtp), "$name in a message");
        ok($smtp->dataend, 'dataend');
        is(($server->messages)[-1]->data, "a\r\nb\r\n", 'is its text');
    }
    $smtp->mail('a@b.test'); $smtp->to('c@d.test'); $smtp->data;
    my $handle = $smtp->tied_fh;
    print {$handle} "x\n";
    ok(close $handle, 'close of tied_fh ends the message');
    ok(close $smtp, 'close of the object');
    is_deeply([$smtp->eof, $smtp->_is_closed, $smtp->opened, $smtp->fileno], [1, 1, '', undef], 'closed');
    is_deeply([warnings_of(sub { $smtp->$_ for qw(peerhost sockport peername socktype fileno opened) })], [], 'no warning');
};

subtest 'what is refused' => sub {
    my $smtp = $class->new('127.0.0.1', Port => $server->port);
    for my $method (qw(stop_SSL start_SSL read sysread getc ungetc getlines recv fdopen bind listen accept
        _syswrite_with_timeout)) {
        my @warnings = warnings_of(sub { ok(!$smtp->$method(my $buffer = '', 1), $method) });
        like("@warnings", qr/\Q$method\E: .* at \Q$0\E line/, 'is refused by name');
    }
    ok(!eval { $class->socketpair; 1 }, 'and dies as a class method');
    ok($smtp->noop, 'the connection is as it was');
};

subtest 'isa' => sub {
    my $script = 'use Net::SMTP::AuthC; my $s = Net::SMTP::AuthC->_new;
        print join(" ", $s->isa("Net::SMTP"), UNIVERSAL::isa($s, "Net::SMTP"), Net::SMTP::AuthC->isa("Net::SMTP"),
            exists $INC{"Net/SMTP.pm"} ? "loaded" : "not loaded"), "\n"';
    open my $pipe, '-|', $^X, (map { "-I$_" } @INC), '-we', $script or die $!;
    is(join('', <$pipe>), "1 1 1 not loaded\n", 'Net::SMTP, and it is not loaded');
};

# Where Net::SMTP is loaded we inherit from it: nothing of it, nor of its ancestors, may be found in us.
SKIP: {
    skip 'no Net::SMTP here', 1 if !has_net_smtp();
    my %ours = map { $_ => 1 } qw(import unimport BEGIN ISA AUTOLOAD DESTROY can isa VERSION DOES);
    # Functions of Exporter and IO::Handle that do not touch the handle are let through.
    my $are_names = qr/\A(?:toascii|toebcdic|TIEHANDLE|READ|READLINE|PRINT|CLOSE|_print_isa|[A-Z_0-9]+|.*::|[a-z]+_in6?|inet_\w+|(?:PF|AF)_DECnet
        |export\w*|as_heavy|require_version|(?:input|output|format)_\w+|formline|constant|setv?buf|_open_mode_string
        |_\w+|(?:split|join)_addr)\z/x;
    my @theirs;
    for my $package (@{ mro::get_linear_isa('Net::SMTP') }) {
        no strict 'refs';
        for my $name (grep { defined &{"${package}::$_"} && !$ours{$_} && $_ !~ $are_names } keys %{"${package}::"}) {
            my $cv = \&{"${package}::$name"};
            require B;
            next if B::svref_2object($cv)->GV->STASH->NAME ne $package;    # imported there
            push @theirs, "${package}::$name" if $class->can($name) == $cv;
        }
    }
    is_deeply([sort @theirs], [], 'no method of Net::SMTP and its ancestors is inherited') or diag "@theirs";
}

my $plain = sandbox();
same_on_both($plain, map { my $method = $_; [$method, sub { $_[0]->$method }] } qw(peerhost sockhost sockdomain socktype
    opened host autoflush blocking protocol));
same_on_both($plain, ['a closed one', sub { $_[0]->close; $_[0]->reset }]);

done_testing;
