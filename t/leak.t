# What is done a thousand times leaves nothing behind: no memory, no descriptors.
use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;
use Time::HiRes qw(ualarm);
use TinyServer;

-r '/proc/self/statm' or plan skip_all => 'no /proc';

my %yes = (EHLO => "250-me\r\n250 AUTH CRAM-MD5 LOGIN PLAIN\r\n", AUTH => "235 in\r\n");
my $good   = TinyServer->start(TinyServer->agree(%yes));
my $bad    = TinyServer->start(TinyServer->agree(%yes, greeting => "554 no\r\n"));
my $wrong  = TinyServer->start(TinyServer->agree(%yes, AUTH => "535 5.7.8 wrong\r\n"));
my $mute   = TinyServer->start(TinyServer->agree(%yes, NOOP => sub { sleep 5; '' }));
my $secure = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', certificate => 'self-signed');
my $closed = do { my $one = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1'); $one->sockport };

sub connected {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->new('127.0.0.1', Port => $server->port, insecure_cleartext_auth => 1, @more);
}

my $smtp;
my @pair  = ('c@d.test', '');
my $large = 'x' x 100_000;
my %deed  = (
    'new and quit'         => [500, sub { connected($good)->quit }],
    'new and forget'       => [500, sub { connected($good) }],
    'new and close'        => [500, sub { my $one = connected($good); close $one }],
    'an alias'             => [300, sub { no warnings 'once'; *Elsewhere::alias = connected($good) }],
    'the object alone'     => [3000, sub { Net::SMTP::AuthC->_new }],
    'a refused greeting'   => [500, sub { connected($bad) and die }],
    'a refused connection' => [500, sub { Net::SMTP::AuthC->new('127.0.0.1', Port => $closed) and die }],
    'an unusable option'   => [1000, sub { eval { Net::SMTP::AuthC->_new->_connect(0, host => '', service => 25) } }],
    'an option that dies'  => [1000, sub { eval { Net::SMTP::AuthC->_new->_connect(0, host => "a\0", service => 1) } }],
    'a failed handshake'   => [60, sub { Net::SMTP::AuthC->new('127.0.0.1', Port => $secure->port, SSL => 1) and die }],
    'a handshake'          => [60, sub {
        Net::SMTP::AuthC->new('127.0.0.1', Port => $secure->port, SSL => 1, SSL_verify_mode => 0)->quit or die;
    }],
    'TLS demands'            => [100, sub { Net::SMTP::AuthC::TLS->new(insecure_no_verify => 1) }],
    'TLS demands that fail'  => [200, sub { eval { Net::SMTP::AuthC::TLS->new(ca_file => '/nowhere') } and die }],
    'a failed login'         => [300, sub { connected($wrong)->auth('user', 'wrong', 'PLAIN') and die }],
    'a password that dies'   => [300, sub { eval { connected($good)->auth('u', sub { die "x\n" }, 'PLAIN'); 1 } and die }],
    'a password from code'   => [300, sub { connected($good)->auth('u', sub { 'p' }, 'PLAIN') or die }],
    'a message that dies'    => [300, sub {
        my @pieces = ($large, "x\n");
        eval { connected($good)->_submit('a@b.test', '', [@pair], sub { shift @pieces || die "x\n" }); 1 } and die;
    }],
    'a wide character'       => [300, sub {
        eval { connected($good)->_submit('a@b.test', '', [@pair], sub { "\x{100}" }); 1 } and die;
    }],
    'a sink that dies'       => [300, sub {
        no warnings 'redefine';
        local *Net::SMTP::AuthC::debug_print = sub { die "x\n" };
        eval { connected($good, Debug => 1); 1 };
    }],
    'a handler that dies'    => [100, sub {
        local $SIG{ALRM} = sub { die "x\n" };
        my $one = connected($mute) or die;
        eval { ualarm 2000; $one->noop; 1 } and die;
    }],
    'a message'              => [500, sub { $smtp->_submit('a@b.test', '', [(@pair) x 20], "text\n") or die }],
    'a large one'            => [100, sub { $smtp->_submit('a@b.test', '', [@pair], $large) or die }],
    'one from code'          => [200, sub {
        my @pieces = ("x\n") x 20;
        $smtp->_submit('a@b.test', '', [@pair], sub { shift @pieces }) or die;
    }],
    'commands'               => [500, sub { $smtp->noop; $smtp->verify('x'); $smtp->mail('a@b.test'); $smtp->reset }],
    'refused arguments'      => [1000, sub { $smtp->mail("a\nb"); $smtp->error }],
    'words'                  => [500, sub { $smtp->command('VRFY', 'x')->response == 2 or die; $smtp->command('NOOP');
        $smtp->command('NOOP')->response; $smtp->getline; $smtp->response }],
    'refused words'          => [500, sub { $smtp->command("a\rb")->response; $smtp->command('STARTTLS')->response }],
    'words unheard'          => [200, sub { my $one = connected($good); $one->command('NOOP') }],
    'words that die'         => [500, sub { eval { Net::SMTP::AuthC::_bdat($smtp, "\x{100}", 1) } and die }],
    'a login by words'       => [300, sub { connected($good)->command('AUTH PLAIN AHUAcA==')->response == 2 or die }],
    'chunks'                 => [200, sub {
        $smtp->mail('a@b.test') && $smtp->to('c@d.test');
        $smtp->_bdat('', 0) && $smtp->_bdat('', 1) or die;
    }],
    'both ends'              => [500, sub { $smtp->peerhost; $smtp->sockport; $smtp->peername; $smtp->socktype }],
    'questions'              => [2000, sub { $smtp->_error; $smtp->_reply; $smtp->_capabilities; $smtp->_tls; $smtp->_state;
        $smtp->_outcomes; $smtp->_answers; $smtp->_own_name; $smtp->_mechanism; Net::SMTP::AuthC::_scan($large) }],
    'what is none'           => [2000, sub { eval { Net::SMTP::AuthC::_noop({}) }; eval { Net::SMTP::AuthC::_noop(undef) } }],
);

sub pages {
    open my $file, '<', '/proc/self/statm' or die $!;
    return (split ' ', <$file>)[1];
}

sub descriptors {
    opendir my $folder, '/proc/self/fd' or die $!;
    return scalar grep { !/\A\./ } readdir $folder;
}

# valgrind counts for itself, and slowly: a few rounds are enough for it, and its pages are not ours.
my $is_watched = $ENV{NET_SMTP_AUTHC_SLOW};

for my $name (sort keys %deed) {
    my ($times, $code) = @{ $deed{$name} };
    $smtp = connected($good);
    $times = 5 if $is_watched;
    for (1 .. ($is_watched ? 1 : $times / 5 + 20)) { $code->() }
    my ($pages, $descriptors) = (pages(), descriptors());
    for (1 .. $times) { $code->() }
    my $grown = (pages() - $pages) * 4096 / $times;
    $is_watched || cmp_ok($grown, '<', 400, "$name: memory") || diag "$grown octets each time";
    is(descriptors(), $descriptors, "$name: descriptors");
}

done_testing();
