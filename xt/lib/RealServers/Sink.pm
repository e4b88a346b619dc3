# RealServers::Sink: where a submission service hands its mail on to: takes everything and writes it into a folder.
package RealServers::Sink;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::INET;
use Time::HiRes ();

# A process of its own, one of the server's, that listens on the port.
sub start {
    my ($server, $port, $folder) = @_;
    my $library = abs_path(dirname(__FILE__) . '/..');
    $server->spawn($server->path('sink.out'), $^X, "-I$library", '-MRealServers::Sink', '-e',
        'RealServers::Sink::listen_for_ever(@ARGV)', $port, $folder);
}

sub listen_for_ever {
    my ($port, $folder) = @_;
    local $SIG{CHLD} = 'IGNORE';
    my $listener = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
        or die "port $port: $@";
    while (1) {
        my $peer = $listener->accept or next;
        next if fork // die "fork: $!";
        serve($peer, $folder);
        exit;
    }
}

sub serve {
    my ($peer, $folder) = @_;
    $peer->print("220 sink\r\n");
    while (defined(my $line = <$peer>)) {
        if ($line =~ /\AEHLO/i)    { $peer->print("250-sink\r\n250 8BITMIME\r\n") }
        elsif ($line =~ /\ADATA/i) { take($peer, $folder) }
        elsif ($line =~ /\AQUIT/i) { $peer->print("221 bye\r\n"); return }
        else                       { $peer->print("250 ok\r\n") }
    }
}

# As a Maildir has it: lines end in LF, and a file is whole when it is there.
sub take {
    my ($peer, $folder) = @_;
    $peer->print("354 go on\r\n");
    my $name = join '.', Time::HiRes::time(), $$;
    open my $file, '>:raw', "$folder/$name" or die "$folder/$name: $!";
    while (defined(my $line = <$peer>)) {
        last if $line eq ".\r\n";
        print {$file} $line =~ s/\A\.//r =~ s/\r\n\z/\n/r;
    }
    close $file or die $!;
    rename "$folder/$name", "$folder/new/$name" or die $!;
    $peer->print("250 taken\r\n");
}

1;
