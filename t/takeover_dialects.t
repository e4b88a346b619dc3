# Net::SMTP::AuthC in the place of Net::SMTPS, Net::SMTP::SSL, Net::SMTP::TLS and Net::SMTP_auth: their forms of
# arguments, what they say when something fails, and what cannot be done.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Face;
use File::Path qw(mkpath);
use File::Temp;
use Subprocess qw(run_perl);
use Test::More;

my $SECRET = 'a-very-secret-word';
my @users  = (users => {demo => $SECRET});
my $implicit = sandbox(tls => 'implicit', @users, mechanisms => [qw(PLAIN LOGIN CRAM-MD5 DIGEST-MD5)]);
my $starts   = sandbox(tls => 'starttls', @users, refuse => {'nobody@example.test' => '550 5.1.1 No such user'});
my $clear    = sandbox();
my $simple   = sandbox(@users, mechanisms => [qw(PLAIN CRAM-MD5)]);

# Runs it with host, port, authorities and password, and $class in the place of the real one. Both outputs, one text.
sub run_as {
    my ($class, $server, $code, @words) = @_;
    my $ca = $server->{option}{tls} eq 'none' ? '' : $server->ca_file;
    my $switch = join ',', "-MNet::SMTP::AuthC=-replace,classes=$class", ($ca ? "ca_file=$ca" : ()), @words;
    my ($status, $out, $err) = run_perl([$switch], "use strict;\nuse warnings;\nuse $class;\n"
        . 'my ($host, $port, $ca, $password) = @ARGV;' . "\n$code", $server->host, $server->port, $ca, $SECRET);
    unlike($out . $err, qr/\Q$SECRET\E/, 'the password is shown nowhere');
    return $out . $err;
}

# What most of them do after the login.
my $SEND = <<'PERL';
$smtp->mail('a@example.test');
$smtp->to('b@example.test');
$smtp->data;
$smtp->datasend("Subject: Dialect\n", "\n", "Text\n");
$smtp->dataend;
$smtp->quit;
print "sent as ", ref $smtp, "\n";
PERL

sub last_of { return ($_[0]->messages)[-1] }

subtest 'Net::SMTPS' => sub {
    my $new = q{my $smtp = Net::SMTPS->new($host, Port => $port, doSSL => WISH) or die "new: $@";};
    my $ssl = $new =~ s/WISH/'ssl'/r;
    is(run_as('Net::SMTPS', $implicit, "$ssl \$smtp->auth('demo', \$password, 'LOGIN') or die; $SEND"),
        "sent as Net::SMTPS\n", 'ssl');
    is(last_of($implicit)->mechanism, 'LOGIN', 'with the mechanism that was named');
    is(run_as('Net::SMTPS', $starts, ($new =~ s/WISH/'starttls'/r) . <<"PERL"), "sent as Net::SMTPS\n", 'starttls');
\$smtp->starttls or die 'a second time';
\$smtp->auth('demo', \$password, 'NONESUCH CRAM-MD5') or die \$smtp->message;
$SEND
PERL
    is(last_of($starts)->mechanism, 'CRAM-MD5', 'the mechanism of several that is on offer');
    is(run_as('Net::SMTPS', $implicit, "$ssl \$smtp->auth('demo', \$password, 'NONESUCH') or die; $SEND"),
        "sent as Net::SMTPS\n", 'none of them is on offer: as if none was named');
    is(run_as('Net::SMTPS', $implicit, "$ssl \$smtp->auth('demo', \$password) or die; $SEND"),
        "sent as Net::SMTPS\n", 'auth as in Net::SMTP');
    like(run_as('Net::SMTPS', $clear, $new =~ s/WISH/'starttls'/r),
        qr/\Anew: Net::SMTPS: STARTTLS: the server does not offer STARTTLS/, 'starttls where it is not offered');
    is(run_as('Net::SMTPS', $clear, ($new =~ s/WISH/undef/r) . $SEND), "sent as Net::SMTPS\n", 'neither');
    like(run_as('Net::SMTPS', $clear, $new =~ s/WISH/'tsl'/r),
        qr/\ANet::SMTPS: doSSL => 'ssl', 'starttls', or undef for neither at .*program\.pl line 5/, 'another doSSL');
    is(run_as('Net::SMTPS', $implicit, q{my $smtp = Net::SMTPS->new(Host => "$host:$port", doSSL => 'SSL') or die $@;
        print $smtp->isa('Net::SMTP') && UNIVERSAL::isa($smtp, 'Net::SMTP') ? 1 : 0, "\n"}), "1\n", 'Host, isa');
};

subtest 'Net::SMTP::SSL' => sub {
    my $new = q{my $smtp = Net::SMTP::SSL->new($host, Port => $port, Timeout => 60) or die "new: $@";};
    is(run_as('Net::SMTP::SSL', $implicit, "$new \$smtp->auth('demo', \$password) or die; $SEND"),
        "sent as Net::SMTP::SSL\n", 'TLS from the start');
    like(last_of($implicit)->tls, qr/TLS/, 'it came through TLS');
    like(run_as('Net::SMTP::SSL', $clear, $new), qr/\Anew: Net::SMTP::SSL: TLS handshake: /, 'and nothing else');
};

my $TLS_NEW = <<'PERL';
my $smtp = new Net::SMTP::TLS($host, Hello => 'some.host.example', Port => $port, User => 'demo',
    Password => $password, Timeout => 60);
PERL

subtest 'Net::SMTP::TLS' => sub {
    my $class = 'Net::SMTP::TLS';
    is(run_as($class, $starts, $TLS_NEW . $SEND), "sent as $class\n", 'STARTTLS, login and mail');
    is(last_of($starts)->user, 'demo', 'the user');
    is(last_of($starts)->helo, 'some.host.example', 'Hello');
    is(run_as("${class}::ButMaintained", $starts, ($TLS_NEW =~ s/TLS\(/TLS::ButMaintained(/r) . $SEND),
        "sent as ${class}::ButMaintained\n", 'and its successor');
    is(run_as($class, $clear, ($TLS_NEW =~ s/User.*\n.*Timeout/NoTLS => 1, Timeout/r) . $SEND), "sent as $class\n",
        'NoTLS');
    is(run_as($class, $simple, ($TLS_NEW =~ s/User/NoTLS => 1, User/r) . $SEND), "sent as $class\n",
        'NoTLS and a login, by a mechanism that does not show the password');
    is(run_as($class, $implicit, <<"PERL", 'SSL=1'), "sent as $class\n", 'SSL => 1 in the takeover');
$TLS_NEW $SEND
PERL
};

subtest 'Net::SMTP::TLS croaks' => sub {
    my $class = 'Net::SMTP::TLS';
    my $here = qr/ at \S*program\.pl line [0-9]+\.$/m;
    like(run_as($class, $starts, $TLS_NEW =~ s/\$password/'wrong'/r), qr/\AAuth failed: 535 .*$here/, 'no login');
    like(run_as($class, $clear, $TLS_NEW), qr/\ACouldn't start TLS: .*not offer STARTTLS.*$here/s, 'no STARTTLS');
    like(run_as($class, $clear, $TLS_NEW, 'starttls=opportunistic'), qr/\ACouldn't start TLS/,
        'a laxer policy of the takeover changes nothing');
    like(run_as($class, $clear, ($TLS_NEW =~ s/User/NoTLS => 1, User/r), 'starttls=required'),
        qr/\ACouldn't start TLS/, 'a stricter one does');
    my $plain = sandbox(@users, mechanisms => ['PLAIN']);
    like(run_as($class, $plain, $TLS_NEW =~ s/User/NoTLS => 1, User/r), qr/\AAuth failed: /,
        'a login that would show the password');
    is(scalar(grep { /AUTH/ } said($plain)), 0, 'has not been tried');
    like(run_as($class, $clear, 'my $smtp = Net::SMTP::TLS->new($host, Port => 1)'), qr/\AConnect failed: .*$here/,
        'nobody listens');
    like(run_as($class, $clear, 'Net::SMTP::TLS->new(Port => 25)'), qr/\Ausage: Net::SMTP::TLS->new\(HOST, .*$here/,
        'no host');
    my %wrong = (
        q{$smtp->to('nobody@example.test')}             => qr/\ACouldn't send TO <nobody\@example\.test>: 550 5/,
        q{$smtp->cc('b@c.test', 'nobody@example.test')} => qr/\ACouldn't send TO <nobody\@example\.test>: 550 /,
        q{$smtp->datasend('too early')}                 => qr/\ACouldn't send data: 503 /,
        q{$smtp->data}                                  => qr/\AData failed: [45]/,
        q{$smtp->mail('second@example.test')}           => qr/\ACouldn't set FROM: [45]/,
        q{$smtp->close; $smtp->quit}                    => qr/\AAn error occurred disconnecting/,
    );
    for my $code (sort keys %wrong) {
        like(run_as($class, $starts, "$TLS_NEW \$smtp->mail('a\@example.test'); $code;"), qr/$wrong{$code}.*$here/,
            $code);
    }
};

subtest 'Net::SMTP_auth' => sub {
    my $class = 'Net::SMTP_auth';
    my $new = q{my $smtp = Net::SMTP_auth->new($host, Port => $port, $ca ? (SSL => 1) : ()) or die "new: $@";};
    is(run_as($class, $implicit, "$new \$smtp->auth('login', 'demo', \$password) or die; $SEND"), "sent as $class\n",
        'mechanism, user, password');
    is(last_of($implicit)->mechanism, 'LOGIN', 'the mechanism');
    is(run_as($class, $simple, $new . q{print join('|', $smtp->auth_types), ' ', scalar $smtp->auth_types, "\n"}),
        "PLAIN|CRAM-MD5 PLAIN CRAM-MD5\n", 'auth_types');
    is(run_as($class, $clear, $new . q{print scalar(my @types = $smtp->auth_types), "\n"}), "0\n", 'no auth_types');
    like(run_as($class, $simple, $new . q{$smtp->auth('demo', $password)}),
        qr/\Ausage: \$smtp->auth\(MECHANISM, USER, PASSWORD\) at .*program\.pl line 5\.$/, 'two arguments');
    is(run_as($class, $simple, $new . q{print $smtp->auth('CRAM-MD5', 'demo', 'no') ? 1 : 0, ' ', $smtp->code, "\n"}),
        "0 535\n", 'refused');
    like(run_as($class, $simple, $new . q{print $smtp->auth('PLAIN', 'demo', $password) ? 1 : 0, ' ', $smtp->error}),
        qr/\A0 .*TLS/, 'PLAIN in clear is not done, and the error says why');
    like(run_as($class, $simple, $new . q{print $smtp->auth('NONESUCH', 'demo', $password) ? 1 : 0, ' ',
        $smtp->error}), qr/\A0 .*NONESUCH/, 'a mechanism that does not exist is named');
};

subtest 'mechanisms of Authen::SASL' => sub {
    my $has_sasl = eval { require Authen::SASL; require Authen::SASL::Perl::DIGEST_MD5; 1 };
    my $new = q{my $smtp = Net::SMTP_auth->new($host, Port => $port, SSL => 1) or die "new: $@";};
    my $text = run_as('Net::SMTP_auth', $implicit, $new . <<'PERL');
print $smtp->auth('DIGEST-MD5', 'demo', $password) ? 'in' : 'error: ' . $smtp->error;
PERL
    $has_sasl ? is($text, 'in', 'DIGEST-MD5') : like($text, qr/\Aerror: .*DIGEST-MD5/, 'DIGEST-MD5 is not there');
};

subtest 'what they say they are' => sub {
    my %version = ('Net::SMTPS' => '0.10', 'Net::SMTP::SSL' => '1.04', 'Net::SMTP::TLS' => '0.12',
        'Net::SMTP_auth' => '0.08');
    for my $class (sort keys %version) {
        is(run_as($class, $clear, "print join ' ', $class->VERSION, (require Net::SMTP) ? 1 : 0, "
            . "$class->isa('Net::SMTP'), -e \$INC{'@{[ $class =~ s{::}{/}gr ]}.pm'} ? 'file' : 'none';"),
            "$version{$class} 1 1 file", $class);
    }
};

# Modules that look like the real ones, from the outside.
my $folder = File::Temp->newdir;
mkpath("$folder/Net/SMTP");
sub module {
    my ($file, $text) = @_;
    open my $handle, '>', "$folder/$file" or die "$file: $!";
    print {$handle} $text;
    close $handle or die "$file: $!";
    return;
}
module('Net/SMTPS.pm', <<'PERL');
package Net::SMTPS;
use strict;
use warnings;
our $VERSION = '0.07';
use Net::SMTP;
use IO::Socket::INET;
our @ISA = ('IO::Socket::INET', 'Net::SMTP');
sub new {
    my ($class, $host, %arg) = @_;
    my $self = $class->SUPER::new(PeerAddr => $host, PeerPort => $arg{Port}) or return;
    $self->hello('x');
    return $self;
}
sub auth { return 'auth of the real one' }
1;
PERL
module('Net/SMTP/SSL.pm', <<'PERL');
package Net::SMTP::SSL;
use strict;
use warnings;
our $VERSION = '1.04';
use Net::SMTP;
use IO::Socket::INET;
our @ISA = ('IO::Socket::INET');
no strict 'refs';
*{"Net::SMTP::SSL::$_"} = \&{"Net::SMTP::$_"} for grep { defined &{"Net::SMTP::$_"} } keys %Net::SMTP::;
1;
PERL
module('Net/SMTP/TLS.pm', <<'PERL');
package Net::SMTP::TLS;
use strict;
use warnings;
our $VERSION = '0.12';
sub new { return bless {real => 1}, shift }
sub _addr { return "<$_[0]>" }
sub mail { return 'mail of the real one from ' . _addr($_[1]) }
1;
PERL

subtest 'a real one that is not named' => sub {
    my $inside = 'is built on the inside of Net::SMTP, which Net::SMTP::AuthC has replaced';
    for my $class (qw(Net::SMTPS Net::SMTP::SSL)) {
        my (undef, undef, $err) = run_perl(["-I$folder", '-MNet::SMTP::AuthC=-replace'],
            "use $class;\n$class->new(\@ARGV);\n", '127.0.0.1', Port => $clear->port);
        like($err, qr/\A\Q$class $inside\E: have it replaced too \(-replace => \['$class'\]\)/, "$class says so");
    }
    my ($status, $out, $err) = run_perl(["-I$folder", '-MNet::SMTP::AuthC=-replace'],
        'use Net::SMTP::TLS; print Net::SMTP::TLS->new->mail("a")');
    is($out . $err, 'mail of the real one from <a>', 'one that stands by itself does not mind');
};

subtest 'a real one that is loaded before' => sub {
    plan skip_all => 'no Net::SMTP' if !has_net_smtp();
    my ($status, $out, $err) = run_perl(["-I$folder"], <<'PERL', '127.0.0.1', $clear->port);
use strict;
use warnings;
use Net::SMTPS;
use Net::SMTP::TLS;
my ($host, $port) = @ARGV;
my $real = Net::SMTP::TLS->new;
require Net::SMTP::AuthC;
Net::SMTP::AuthC->import('-replace', ['Net::SMTPS', 'Net::SMTP::TLS']);
print join(' ', $real->mail('a'), Net::SMTPS->VERSION, Net::SMTP::TLS->VERSION), "\n";
my $smtp = Net::SMTPS->new($host, Port => $port) or die $@;
print $smtp->isa('Net::SMTP::AuthC') && !$smtp->isa('IO::Socket') ? "ours\n" : "theirs\n";
print $smtp->mail('a@b.test'), "\n";
Net::SMTP::AuthC->unimport('-replace');
print join(' ', $smtp->quit, Net::SMTPS->VERSION, $INC{'Net/SMTPS.pm'} =~ /AuthC/ ? 'ours' : 'theirs',
    @Net::SMTPS::ISA, Net::SMTPS->auth), "\n";
PERL
    is($err, '', 'no complaint');
    is($out, "mail of the real one from <a> 0.10 0.12\nours\n1\n"
        . "1 0.07 theirs IO::Socket::INET Net::SMTP auth of the real one\n", 'is replaced, and comes back');
};

done_testing;
