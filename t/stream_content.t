# What arrives when messages of all sizes follow each other: each is whole, its own, and there once, by every manner, from
# strings, handles and code.
use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $SLOW = $ENV{NET_SMTP_AUTHC_SLOW} || 1;

# Around a piece (65536), a chunk (262144), and the two chunks that may be unanswered.
my @SIZES = (3, 600_000, 70, 262_144, 524_288, 1_048_576, 65_536, 524_290, 262_143, 5, 900_000);
my %MANNERS = ('groups of DATA' => [], BDAT => [chunking => 1], 'one flight' => [one_flight => 1],
    'a window of 2' => [window => 2], 'a window of 8' => [window => 8]);

# Lines that tell which message they are of, and where in it they are; that many octets on the wire.
sub message {
    my ($n, $octets) = @_;
    my $lines = '';
    my $i = 0;
    $lines .= sprintf "%04d %08d %s\r\n", $n, $i++, '.' x 48 while length $lines < $octets;
    return substr($lines, 0, $octets - 2) =~ s/[\r\n]/-/gr =~ s/-\z/+/r . "\n" if $octets < 64;
    $lines = substr $lines, 0, $octets - 2;
    $lines =~ s/[\r\n]+\z/+/;
    $lines .= '+' while length $lines < $octets - 2;
    return ($lines =~ s/\r\n/\n/gr) . "\n";
}

sub on_wire { return $_[0] =~ s/\n/\r\n/gr }

# A handle, or code, that gives the octets of the string, which lives as long.
sub as_handle { my ($octets) = @_; open my $handle, '<', \$octets or die; return $handle }
sub as_code {
    my ($octets) = @_;
    return sub { return length $octets ? substr $octets, 0, 100_000, '' : undef };
}
my %SOURCES = ('strings' => sub { $_[0] }, 'handles' => \&as_handle, 'code' => \&as_code);

my @messages = map { message($_, $SIZES[$_]) } 0 .. $#SIZES;
my @expected = map { sha1_hex(on_wire($_)) } @messages;
is(join(' ', map { length on_wire($_) } @messages), "@SIZES", 'the sizes that are meant');

for my $manner (sort keys %MANNERS) {
    for my $kind (sort keys %SOURCES) {
        my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', size_limit => 1e7);
        my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 10 * $SLOW);
        my $told = '';
        my $n = 0;
        $smtp->submit_all(sub { $n < @messages ? {message => $SOURCES{$kind}->($messages[$n++])} : () },
            from => 'a@x.test', to => 'b@x.test', on_receipt => sub { $told .= $_[0]->all_sent ? '.' : '!' },
            @{ $MANNERS{$manner} });
        is($told, '.' x @messages, "$manner, from $kind: each is told of as sent");
        is_deeply([map { sha1_hex($_->data) } $server->messages], \@expected, '... and is what was given')
            or diag join ' ', map { length $_->data } $server->messages;
    }
}

# A receipt does not wait until the content of the next message, which may be long in coming, was given.
subtest 'a receipt in the middle of the next content' => sub {
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', size_limit => 1e8);
    my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 10 * $SLOW);
    my ($told, $told_before_end) = (0, 0);
    my $pieces = 0;
    my $long = sub {
        return "line\n" x 20_000 if !$told && $pieces++ < 900;
        $told_before_end ||= $told;
        return;
    };
    $smtp->submit_all([{message => "first\n"}, {message => $long}], from => 'a@x.test', to => 'b@x.test',
        on_receipt => sub { $told++ }, window => 4, chunking => 1);
    is($told, 2, 'both were told of');
    is($told_before_end, 1, '... the first while the second went');
};

done_testing;
