# The faults of Net::SMTP under TLS that must not be here, by their numbers in the compatibility notes.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use BothClasses;
use Face;
use File::Temp;
use TinyServer;
use Test::More;
use Time::HiRes qw(time);

sub over_tls { return sandbox(tls => 'implicit', @_) }

bug 1 => 'a silent server under TLS is a timeout', sub {
    my ($class) = @_;
    my $server = over_tls(faults => [{stage => 'rset', silent => 1}]);
    my $smtp = client($server, class => $class, SSL => 1, Timeout => $SLOW);
    my $began = time;
    expect 'reset', $smtp->reset, '';
    expect 'it ended in time', truth(time - $began < 5 * $SLOW), 'true';
    expect 'message', $smtp->message, "[$class] Timeout";
};

bug 2 => 'no reply keeps its CR, under TLS neither', sub {
    my ($class) = @_;
    my $server = over_tls(keywords => ['SIZE', 'X-A b']);
    my $smtp = client($server, class => $class, SSL => 1);
    expect 'CRs in banner', $smtp->banner =~ tr/\r//, 0;
    expect 'CRs in message', $smtp->message =~ tr/\r//, 0;
    expect 'CRs in the capabilities', join('', %{ *$smtp->{net_smtp_esmtp} }) =~ tr/\r//, 0;
    expect 'supports, a keyword without parameter', $smtp->supports('SIZE'), '';
    expect 'supports, one with', $smtp->supports('X-A'), 'b';
};

bug 3 => 'TLS does not change the class', sub {
    my ($class) = @_;
    my $hellos = 0;
    my $mine = subclass_of($class, hello => sub { $hellos++; return $class->can('hello')->(@_) });
    my $server = over_tls();
    expect 'with SSL => 1 it is', ref client($server, class => $mine, SSL => 1), $mine;
    my $starts = sandbox(tls => 'starttls');
    my $smtp = client($starts, class => $mine);
    $smtp->starttls;
    expect 'after starttls it is', ref $smtp, $mine;
    expect 'how often its hello was called', $hellos, 3;
};

# Answers the handshake with an alert, goes on in clear, and keeps what it then hears.
sub server_that_breaks_off_tls {
    my ($heard) = @_;
    return TinyServer->start(sub {
        my ($socket, $read) = @_;
        print {$socket} "220 tiny.test\r\n";
        print {$socket} "250-tiny.test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n" if $read->();
        print {$socket} "220 begin\r\n" if $read->();
        sysread $socket, my $client_hello, 65536;
        syswrite $socket, "\x15\x03\x03\x00\x02\x02\x28";
        while (sysread $socket, my $octets, 65536) {
            open my $file, '>>:raw', $heard or return;
            print {$file} $octets;
            close $file;
            syswrite $socket, "235 thank you\r\n" if $octets =~ /AUTH/;
        }
    });
}

bug 22 => 'after a starttls that failed no secret is said', sub {
    my ($class) = @_;
    my $heard = File::Temp->new;
    my $tiny = server_that_breaks_off_tls("$heard");
    my $server = sandbox(tls => 'starttls', auth_without_tls => 1, users => {demo => 'secret'},
        faults => [{stage => 'tls', close => 1}]);
    for my $case (['the handshake is broken off', '127.0.0.1', $tiny->port],
        ['the connection ends', $server->host, $server->port],
    ) {
        my ($name, $host, $port) = @$case;
        my $smtp = $class->new($host, Port => $port, Timeout => 2 * $SLOW) or die "new: $@";
        expect "$name: starttls", scalar $smtp->starttls, undef;
        expect "$name: code is the go-ahead", truth($smtp->code == 220), 'false';
        expect "$name: auth", truth($smtp->auth('demo', 'secret')), 'false';
        close $smtp;
    }
    $tiny->stop;
    expect 'AUTH in clear', truth(join('', <$heard>) =~ /AUTH/), 'false';
    expect 'AUTH to the other', scalar(grep { /AUTH/ } said($server)), 0;
};

done_testing;
