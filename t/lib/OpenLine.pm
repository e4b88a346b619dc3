# A server on an open line that lures secrets out of clients and keeps every octet of theirs; how it behaves stands in
# the name that the client gives with EHLO.
package OpenLine;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use MIME::Base64 qw(encode_base64);
use TinyServer;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(leaks);

my @EVERYTHING = qw(SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1
    PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM XOAUTH2 OAUTHBEARER EXTERNAL ANONYMOUS);

# To AUTH and to what comes behind it. 'lure' asks and asks; what it says is each mechanism's own question, too.
my %asks = (
    'CRAM-MD5'   => '<1.2@open.test>',
    'DIGEST-MD5' => 'realm="open.test",nonce="abc",qop="auth",charset=utf-8,algorithm=md5-sess',
    'LOGIN'      => 'Username:', 'XOAUTH2' => '', 'OAUTHBEARER' => '', 'PLAIN' => '',
);
my %refusal = (refuse => "535 5.7.8 wrong\r\n", other => "504 5.5.4 take another\r\n",
    tls => "538 5.7.11 TLS first\r\n");

# none: not offered. no: offered and refused.
my %starttls = (
    no       => "502 5.5.1 not here\r\n",
    later    => "454 4.7.0 not now\r\n",
    injected => "220 go\r\n250-open.test\r\n250 AUTH PLAIN\r\n",
    garbled  => "220 go\r\n",
    odd      => "hello\r\n",
);

sub auths    { return sort 'lure', keys %refusal }
sub starttls { return sort keys %starttls }
sub names    { return @EVERYTHING }

sub start {
    my ($class) = @_;
    my $folder = File::Temp->newdir;
    my $self = bless { folder => $folder, count => 0 }, $class;
    $self->{server} = TinyServer->start(sub { _talk($folder, $_[0]) });
    return $self;
}

sub port { return $_[0]{server}->port }

# A name for EHLO that says what the server shall do.
sub name_for {
    my ($self, $auth, $starttls) = @_;
    return join '.', $auth, $starttls, 'n' . ++$self->{count}, 'test';
}

# Every octet that the client of that name said, when its connection is over.
sub heard {
    my ($self, $name) = @_;
    my $end = time + 20 * ($ENV{NET_SMTP_AUTHC_SLOW} || 1);
    while (time < $end) {
        if (open my $file, '<:raw', "$self->{folder}/$name") {
            local $/;
            return scalar(<$file>) // '';
        }
        sleep 0.005;
    }
    die "no client by the name of $name has come and gone\n";
}

# ---- the server ----

sub _talk {
    my ($folder, $socket) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my %self = (socket => $socket, all => '', line => '', name => 'nameless', rounds => 0, in_auth => '');
    _say(\%self, "220 open.test ESMTP\r\n");
    while (sysread $socket, my $octets, 65_536) {
        $self{all}  .= $octets;
        $self{line} .= $octets;
        _answer(\%self, $1) while $self{line} =~ s/\A(.*)\r?\n//;
    }
    open my $file, '>:raw', "$folder/$self{name}.part" or die $!;
    print {$file} $self{all} and close $file or die $!;
    rename "$folder/$self{name}.part", "$folder/$self{name}" or die $!;
    return;
}

sub _say { my ($self, $reply) = @_; return syswrite $self->{socket}, $reply }

sub _answer {
    my ($self, $line) = @_;
    my $verb = uc(($line =~ /\A([A-Za-z]+)/)[0] // '');
    $self->{name} = $1 if $verb eq 'EHLO' && $line =~ /\AEHLO ([a-z0-9.]+)/;
    my ($auth, $starttls) = split /\./, $self->{name};
    return _say($self, _offer($starttls)) if $verb eq 'EHLO';
    return _say($self, $starttls{$starttls} // "502 no\r\n") if $verb eq 'STARTTLS';
    return _say($self, "221 bye\r\n") if $verb eq 'QUIT';
    return _say($self, "250 ok\r\n") if !$self->{in_auth} && $verb ne 'AUTH';
    return _say($self, _next($self, $auth, $line));
}

sub _offer {
    my ($starttls) = @_;
    return "250-open.test\r\n" . ($starttls{ $starttls // '' } ? "250-STARTTLS\r\n" : '') . "250-8BITMIME\r\n"
        . "250-AUTH=PLAIN LOGIN\r\n250 AUTH @EVERYTHING\r\n";
}

sub _next {
    my ($self, $auth, $line) = @_;
    if ($line =~ /\AAUTH (\S+)/i) {
        $self->{in_auth} = uc $1;
        return $refusal{$auth} if $refusal{$auth} && $self->{in_auth} ne 'CRAM-MD5';
        $self->{rounds} = 0;
    }
    my $ask = $asks{ $self->{in_auth} };
    $ask = $self->{in_auth} eq 'LOGIN' ? 'Password:' : '' if $self->{rounds}++;
    return '334 ' . encode_base64($ask // 'Password:', '') . "\r\n" if $line ne '*' && $self->{rounds} < 5
        && $auth eq 'lure' || $self->{rounds} == 1 && $line ne '*';
    $self->{in_auth} = '';
    return $line eq '*' ? "501 5.7.0 as you like\r\n" : $refusal{$auth} // "535 5.7.8 wrong\r\n";
}

# ---- what must not be heard ----

# The forms in which a secret's octets might be found: as they are, in hex, and in base64 wherever they begin in it.
sub _forms {
    my ($secret) = @_;
    my %form = (raw => $secret, hex => unpack('H*', $secret), HEX => uc unpack('H*', $secret));
    for my $offset (0 .. 2) {
        my $text = encode_base64("\0" x $offset . $secret, '');
        substr $text, 0, $offset + 1, '' if $offset;
        $form{"base64 at $offset"} = substr $text, 0, length($text) - 4;
    }
    return %form;
}

# Where any eight characters of any form of the secret stand in the octets.
sub leaks {
    my ($octets, $secret) = @_;
    my %form = _forms($secret);
    my @found;
    for my $name (sort keys %form) {
        my @windows = map { substr $form{$name}, $_, 8 } 0 .. length($form{$name}) - 8;
        my ($seen) = grep { index($octets, $_) >= 0 } @windows;
        push @found, "$name ($seen)" if defined $seen;
    }
    return @found;
}

1;
