# face: the same script for Net::SMTP and our face of its names: face.pl CLASS [nodelay]
use strict;
use warnings;

my ($class, $nodelay) = @ARGV;
my %job = map { /\ABENCH_(.+)/ ? (lc $1 => $ENV{$_}) : () } keys %ENV;
my $is_ours = $class ne 'Net::SMTP';
my @to  = map { "b$_\@example.com" } 1 .. $job{recipients};
my @tls = ((-d $job{ca} ? 'SSL_ca_path' : 'SSL_ca_file') => $job{ca}, $is_ours ? (resumption => $job{resume}) : ());

eval "require $class; 1" or die $@;
open my $file, '<:raw', $job{file} or die "$job{file}: $!\n";
my $text = -s $file < 4e6 ? do { local $/; <$file> } : undef;

for (1 .. $job{sessions}) {
    my $smtp = logged_in();
    for (1 .. $job{count}) {
        $smtp->mail('a@example.com') && $smtp->to(@to) or die $smtp->message;
        defined $text ? $smtp->data($text) || die $smtp->message : send_pieces($smtp);
    }
    $smtp->quit;
}

sub logged_in {
    my $smtp = $class->new('localhost', Port => $job{port}, $job{tls} eq 'implicit' ? (SSL => 1, @tls) : (),
        $job{tls} eq 'none' && $is_ours ? (insecure_cleartext_auth => 1) : ()) or die $@;
    if ($nodelay) {
        require Socket;
        setsockopt $smtp, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1 or die $!;
    }
    $smtp->starttls(@tls) or die $@ if $job{tls} eq 'starttls';
    if (!$is_ours) {    # which loads it anyway, and may find its XS kind, which needs Cyrus's plugins
        require Authen::SASL;
        Authen::SASL->import('Perl');
    }
    $smtp->auth('user', 'secret') or die $smtp->message;
    return $smtp;
}

sub send_pieces {
    my ($smtp) = @_;

    seek $file, 0, 0;
    $smtp->data or die $smtp->message;
    while (read $file, my $piece, 65536) {
        $smtp->datasend($piece) or die $smtp->message;
    }
    return $smtp->dataend || die $smtp->message;
}
