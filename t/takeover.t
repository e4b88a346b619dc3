# Net::SMTP::AuthC in Net::SMTP's place: programs as their authors wrote them, whatever is loaded when; and back.
# valgrind: no
use strict;
use warnings;
use Config;
use lib 't/lib';
use Face;
use File::Temp;
use Subprocess qw(run_perl);
use Test::More;

my $SECRET = 'a-very-secret-word';
my @replace = ('-MNet::SMTP::AuthC=-replace');

# A server for programs that know nothing of TLS, or only of TLS from the start.
sub clear    { return sandbox(@_) }
sub implicit { return sandbox(tls => 'implicit', users => {demo => $SECRET}, @_) }
sub starts   { return sandbox(tls => 'starttls', users => {demo => $SECRET}, @_) }

# Runs it with host, port, authorities and password as arguments; it must be content and complain of nothing.
sub runs {
    my ($name, $server, $switches, $code) = @_;
    my ($status, $out, $err) = run_perl($switches, $code, $server->host, $server->port, ca_file_of($server), $SECRET);
    is($status, 0, "$name: it ends well");
    is($err, '', "$name: without complaint");
    unlike($out . $err, qr/\Q$SECRET\E/, "$name: the password is shown nowhere");
    return $out;
}

sub ca_file_of { return $_[0]{option}{tls} eq 'none' ? '' : $_[0]->ca_file }

sub texts_of { return map { $_->data } $_[0]->messages }

# The way most of them look.
my $SCRIPT = <<'PERL';
use strict;
use warnings;
use Net::SMTP 3.07;
my ($host, $port, $ca, $password) = @ARGV;

my $smtp = Net::SMTP->new($host, Port => $port, Timeout => 60, Hello => 'client.example.test',
    $ca ? (SSL => 1, SSL_ca_file => $ca) : ()) or die "Cannot connect: $@";
if ($ca) { $smtp->auth('demo', $password) or die $smtp->message }
$smtp->mail('from@example.test') or die $smtp->message;
$smtp->to('one@example.test', 'two@example.test') or die $smtp->message;
$smtp->data() or die $smtp->message;
$smtp->datasend("Subject: Test\n");
$smtp->datasend("\n");
$smtp->datasend(".a line\n");
$smtp->dataend() or die $smtp->message;
$smtp->quit;
print ref $smtp, ' ', $smtp->isa('Net::SMTP') ? 1 : 0, ' ', ref($smtp)->isa('Net::SMTP::AuthC') ? 1 : 0, "\n";
PERL

subtest 'a script of old' => sub {
    my $text = "Subject: Test\r\n\r\n.a line\r\n";
    for my $server (clear(), implicit()) {
        is(runs('-M', $server, \@replace, $SCRIPT), "Net::SMTP 1 1\n", 'it is Net::SMTP, and ours');
        {
            local $ENV{PERL5OPT} = '-MNet::SMTP::AuthC=-replace';
            is(runs('PERL5OPT', $server, [], $SCRIPT), "Net::SMTP 1 1\n", 'the same');
        }
        my $first = $SCRIPT =~ s/^use Net::SMTP /use Net::SMTP::AuthC -replace;\nuse Net::SMTP /mr;
        is(runs('use before', $server, [], $first), "Net::SMTP 1 1\n", 'the same');
        SKIP: {
            skip 'no Net::SMTP', 1 if !has_net_smtp();
            my $last = $SCRIPT =~ s/^(use Net::SMTP .*)/$1\nuse Net::SMTP::AuthC -replace;/mr;
            is(runs('use behind', $server, [], $last), "Net::SMTP 1 1\n", 'the same');
            my $import = q{require Net::SMTP::AuthC; Net::SMTP::AuthC->import('-replace');};
            my $late = $SCRIPT =~ s/^(my .*ARGV;)/$1\n$import/mr;
            is(runs('import in the run', $server, [], $late), "Net::SMTP 1 1\n", 'the same');
        }
        my @texts = texts_of($server);
        is_deeply([grep { $_ ne $text } @texts], [], 'the text is as it was');
        is(scalar @texts, has_net_smtp() ? 5 : 3, 'each time');
    }
};

subtest 'without the word there is no effect' => sub {
    my $server = clear();
    is(runs('use alone', $server, ['-MNet::SMTP::AuthC'], <<'PERL'), "1 none none\n", 'nothing is taken');
use Net::SMTP::AuthC;
print Net::SMTP::AuthC->can('new') ? 1 : 0, ' ', Net::SMTP->can('new') ? 'some' : 'none', ' ',
    $INC{'Net/SMTP.pm'} // 'none', "\n";
PERL
    is(runs('a subclass', $server, [], <<'PERL'), "-replace none\n", 'may have words of its own');
package Mine;
use Net::SMTP::AuthC;
our @ISA = 'Net::SMTP::AuthC';
Mine->import('-replace', 'other');
print "-replace ", Net::SMTP->can('new') ? 'some' : 'none', "\n";
PERL
};

subtest 'what is wrong is named' => sub {
    my %wrong = (
        q{'replace'}                                     => qr/unknown word "replace" behind/,
        q{-Replace}                                      => qr/unknown word "-Replace"/,
        q{-replace, 'starttls'}                          => qr/unknown word "starttls"/,
        q{-replace => ['Net::POP3']}                     => qr/does not know the class "Net::POP3".*Net::SMTPS/,
        q{-replace, 'classes=Net::SMTPS+Net::FTP'}       => qr/does not know the class "Net::FTP"/,
        q{-replace => {start_tls => 'required'}}         => qr/unknown option "start_tls" of -replace/,
        q{-replace, 'SSL_nonsense=1'}                    => qr/unknown option "SSL_nonsense"/,
        q{-replace => {starttls => 'yes'}}               => qr/starttls: required, opportunistic or none/,
        q{-replace, 'Timeout=soon'}                      => qr/Timeout: a number of seconds/,
        qq{-replace, 'username=u', 'password=$SECRET'}   => qr/password: others .* a command line.*password_file/,
        q{-replace => {username => 'u'}}                 => qr/username without password/,
        q{-replace => {password => 'p'}}                 => qr/password without username/,
        q{-replace => sub { }}                           => qr/unknown word "CODE/,
    );
    for my $words (sort keys %wrong) {
        my ($status, $out, $err) = run_perl("use Net::SMTP::AuthC $words;\nprint 'not here';\n");
        ok($status && $out eq '', "$words: it ends");
        like($err, $wrong{$words}, 'and says why');
        like($err, qr/program\.pl line 1\b/, 'and where');
        unlike($err, qr/\Q$SECRET\E/, 'and shows no secret');
    }
    my (undef, undef, $err) = run_perl("no Net::SMTP::AuthC -replace => ['Net::SMTPS'];\n");
    like($err, qr/unknown word "ARRAY.*gives back everything/, 'no takes no list');
};

subtest 'versions, %INC, can' => sub {
    my $server = clear();
    is(runs('facts', $server, \@replace, <<'PERL'), "3.15 3.15 ok ok can cannot 1 1\n", 'as they should be');
use strict;
use warnings;
my $required = require Net::SMTP;
eval 'use Net::SMTP 3.07; 1' or die $@;
eval 'use Net::SMTP 99; 1' and die 'that is too much';
print join(' ', $Net::SMTP::VERSION, Net::SMTP->VERSION, -e $INC{'Net/SMTP.pm'} ? 'ok' : 'no file',
    $INC{'Net/SMTP.pm'} =~ /AuthC/ ? 'ok' : 'not ours', Net::SMTP->can('mail') ? 'can' : 'cannot',
    Net::SMTP->can('no_such_method') ? 'can' : 'cannot', UNIVERSAL::isa('Net::SMTP::AuthC', 'Net::SMTP') ? 1 : 1,
    Net::SMTP->isa('Net::SMTP::AuthC')), "\n";
PERL
    is(runs('a function', $server, \@replace, <<'PERL'), "1\n", 'can be called by its full name');
use Net::SMTP;
my ($host, $port) = @ARGV;
my $smtp = Net::SMTP::new('Net::SMTP', $host, Port => $port) or die $@;
print Net::SMTP::mail($smtp, 'a@b.test'), "\n";
PERL
    my ($status, $out, $err) = run_perl(\@replace, 'use Net::SMTP; Net::SMTP->no_such_method');
    like($err, qr/Can't locate object method "no_such_method" via package "Net::SMTP" at .*program\.pl line 1/,
        'a method that is none');
};

# As MIME::Lite does it, and as those do that put their own in between.
my $SUBCLASSES = <<'PERL';
use strict;
use warnings;
my ($host, $port, $ca, $password) = @ARGV;

{
    package Lite::SMTP;
    our @ISA = qw(Net::SMTP);
    sub print { my $smtp = shift; $smtp->datasend(@_) or die $smtp->message }
}
{
    package Extended;
    BEGIN { require Net::SMTP }
    use parent -norequire, 'Net::SMTP';
    our @said;
    sub new   { my $class = shift; my $self = $class->SUPER::new(@_) or return; *$self->{extended} = 1; return $self }
    sub hello { my $self = shift; push @said, 'hello'; return $self->SUPER::hello(@_) }
    sub auth  { my $self = shift; push @said, 'auth'; return $self->SUPER::auth(@_) }
    sub debug_text { my ($self, $out, $text) = @_; push @said, "debug $text"; return '' }
}

require Net::SMTP;
my $smtp = Lite::SMTP->new($host, Port => $port, Timeout => 60) or die "SMTP Failed to connect to mail server: $@";
$smtp->starttls(SSL_ca_file => $ca) or die $@;
$smtp->supports('AUTH', 500, ["Command unknown: 'AUTH'"]) or die;
$smtp->auth('demo', $password) or die $smtp->message;
$smtp->mail('a@b.test', {}) && $smtp->recipient('c@d.test') && $smtp->data or die $smtp->message;
$smtp->print("Subject: Lite\n\n");
$smtp->print("Text\n");
$smtp->dataend && $smtp->quit or die $smtp->message;

my $other = Extended->new($host, Port => $port) or die $@;
$other->starttls(SSL_ca_file => $ca) or die $@;
$other->auth('demo', $password) or die $other->message;
print join(' ', ref $smtp, ref $other, *$other->{extended}, @Extended::said), "\n";
print $_->isa('Net::SMTP') && UNIVERSAL::isa($_, 'Net::SMTP') && $_->isa('Net::SMTP::AuthC') ? 1 : 0, "\n"
    for $smtp, $other;
PERL

subtest 'classes that inherit from Net::SMTP' => sub {
    my $expected = "Lite::SMTP Extended 1 hello hello auth\n1\n1\n";
    my $server = starts();
    is(runs('replaced before', $server, \@replace, $SUBCLASSES), $expected, 'are ours, with their own methods');
    SKIP: {
        skip 'no Net::SMTP', 1 if !has_net_smtp();
        is(runs('replaced after', $server, [], $SUBCLASSES
            =~ s/^(require Net::SMTP;)/$1 require Net::SMTP::AuthC; Net::SMTP::AuthC->import('-replace');/mr),
            $expected, 'the same');
    }
    is_deeply([map { $_ . '' } grep { /Lite/ } texts_of($server)],
        [("Subject: Lite\r\n\r\nText\r\n") x (has_net_smtp() ? 2 : 1)], 'and their mail has come');
    my @mechanisms = map { $_->mechanism } $server->messages;
    is(scalar(grep { defined } @mechanisms), scalar @mechanisms, 'with a login');
};

# It never asks for TLS.
my $LITE = <<'PERL' =~ s/SWITCH/$SECRET/r;
use strict;
use warnings;
require Net::SMTP;
my ($host, $port, $ca, $password) = @ARGV;
@Lite::ISA = 'Net::SMTP';
my $smtp = Lite->new($host, Port => $port, Debug => 1, SendHello => 0);
print "new: $@" and exit if !$smtp;
print $smtp->tls ? 'TLS' : 'clear', "\n";
$smtp->hello('again.example.test') or die;
if (defined $smtp->supports('STARTTLS')) { print $smtp->starttls ? "starttls\n" : "no starttls\n" }
if (defined $smtp->supports('AUTH')) { print $smtp->auth('demo', $password) ? "auth\n" : "no auth\n" }
$smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data("text\n") && $smtp->quit or die $smtp->message;
print "sent\n";
PERL

# The same, with debugging on: what it prints there is no complaint.
sub runs_loudly {
    my ($server, $words) = @_;
    my ($status, $out, $err) = run_perl(["-MNet::SMTP::AuthC=-replace,$words"], $LITE, $server->host, $server->port,
        '', $SECRET);
    is($status, 0, "$words: it ends well") or diag $err;
    unlike($out . $err, qr/\Q$SECRET\E/, 'no password is shown');
    require MIME::Base64;
    unlike($err, qr/\Q@{[ MIME::Base64::encode_base64($SECRET, '') ]}\E/, 'not in base64 either');
    return $out;
}

sub said_in_clear { return grep { /\A(?:EHLO|HELO|STARTTLS|AUTH|MAIL)/ } said($_[0]) }

subtest 'STARTTLS for those who never ask' => sub {
    my $server = starts();
    my $ca = 'ca_file=' . $server->ca_file;
    is(runs_loudly($server, "starttls=required,$ca"), "TLS\nstarttls\nauth\nsent\n", 'required, and there');
    is(($server->messages)[0]->tls =~ /\ATLSv1/ ? 1 : 0, 1, 'the message went through TLS');
    my @said = map { /\A(\w+)/ } said_in_clear($server);
    is("@said", 'EHLO STARTTLS EHLO EHLO AUTH MAIL', 'what was said');
    is(runs_loudly($server, "starttls=opportunistic,$ca"), "TLS\nstarttls\nauth\nsent\n", 'opportunistic, and there');
    my $unknown = qr/\Anew: Lite: .*certificate/;
    like(runs_loudly($server, 'starttls=required'), $unknown, 'a certificate that nobody knows');
    like(runs_loudly($server, 'starttls=opportunistic'), $unknown, 'is no reason to go in clear');

    my $none = clear();
    like(runs_loudly($none, 'starttls=required'), qr/\Anew: Lite: STARTTLS: the server does not offer STARTTLS/,
        'required, and not there: new fails and says why');
    is_deeply([map { /\A(\w+)/ } said_in_clear($none)], ['EHLO'], 'and nothing was sent');
    is(runs_loudly($none, 'starttls=opportunistic'), "clear\nsent\n", 'opportunistic, and not there');
    my $old = clear(faults => [{stage => 'ehlo', reply => "502 5.5.1 What?\r\n"}]);
    like(runs_loudly($old, 'starttls=required'), qr/\Anew: Lite: STARTTLS: the server does not offer/, 'HELO only');
    my $liar = starts(faults => [{stage => 'starttls', reply => "454 4.7.0 Not now\r\n"}]);
    like(runs_loudly($liar, "starttls=required,$ca"), qr/\Anew: Lite: 454 4\.7\.0 Not now/, 'offered and refused');
};

subtest 'TLS from the start stays what it is' => sub {
    my $server = implicit();
    my $words = 'starttls=required,ca_file=' . $server->ca_file;
    my $script = $SCRIPT =~ s/, SSL_ca_file => \$ca//r;
    is(runs($words, $server, ["-MNet::SMTP::AuthC=-replace,$words"], $script), "Net::SMTP 1 1\n", 'SSL => 1');
    is(scalar(grep { /STARTTLS/ } said($server)), 0, 'no STARTTLS in it');
};

subtest 'a login for those who have none' => sub {
    my $file = File::Temp->new;
    print {$file} "$SECRET\n";
    close $file or die $!;
    my $server = starts();
    my $script = $SCRIPT =~ s/\(SSL => 1, SSL_ca_file => \$ca\)/()/r =~ s/if \(\$ca\).*//r;
    my $words = join ',', 'starttls=required', 'ca_file=' . $server->ca_file, 'username=demo', "password_file=$file";
    is(runs('a file', $server, ["-MNet::SMTP::AuthC=-replace,$words"], $script), "Net::SMTP 1 1\n", 'it sends');
    my $hash = "use Net::SMTP::AuthC -replace => {starttls => 'required', ca_file => \$ARGV[2], username => 'demo', "
        . "password => \$ARGV[3]};\n";
    is(runs('a hash', $server, [], $hash . $script), "Net::SMTP 1 1\n", 'the same');
    is(runs('and its own', $server, [], $hash . ($script =~ s/^(\$smtp->mail)/\$smtp->auth('me', 'x') or die; $1/mr)),
        "Net::SMTP 1 1\n", 'the login of the program is passed over');
    is_deeply([map { $_->user } $server->messages], [('demo') x 3], 'the user is ours');
    my ($status, undef, $err) = run_perl([], ($hash =~ s/ARGV\[3\]/ARGV[1]/r) . $script, $server->host, $server->port,
        $server->ca_file, $SECRET);
    like($err, qr/Cannot connect: Net::SMTP: 535 /, 'a wrong password: new fails with the reply');
    ($status, undef, $err) = run_perl(["-MNet::SMTP::AuthC=-replace,ca_file=" . $server->ca_file
        . ',starttls=required,username=demo,password_file=/nowhere/x'], $script, $server->host, $server->port, '');
    like($err, qr{password_file /nowhere/x: }, 'a file that is not there');
};

subtest 'several hosts, and a hello of one\'s own' => sub {
    my ($none, $server) = (clear(), starts());
    my $words = 'starttls=required,ca_file=' . $server->ca_file;
    is(runs('hosts', $server, ["-MNet::SMTP::AuthC=-replace,$words"], <<'PERL' =~ s/NONE/$none->port/re), "TLS TLS\n",
use Net::SMTP;
my ($host, $port) = @ARGV;
@Mine::ISA = 'Net::SMTP';
sub Mine::hello { my $self = shift; return $self->Net::SMTP::hello('mine.example.test') }
my @smtp = map { $_->new(["$host:NONE", "$host:$port"]) || die $@ } qw(Net::SMTP Mine);
print join(' ', map { $_->tls ? 'TLS' : 'clear' } @smtp), "\n";
PERL
        'the first that has TLS');
};

subtest 'what the program gives wins' => sub {
    my $server = implicit();
    my $code = <<'PERL';
my ($host, $port, $ca) = @ARGV;
use Net::SMTP::AuthC -replace => {SSL => 1, ca_file => '/nowhere', Timeout => 30, Hello => 'default.example.test'};
use Net::SMTP;
my $smtp = Net::SMTP->new($host, Port => $port) and die 'too good';
my @smtp = map { Net::SMTP->new($host, Port => $port, SSL_ca_file => $ca, @$_) || die $@ } [], [Timeout => 40],
    [Hello => 'mine.example.test'];
print join(' ', map { $_->timeout } @smtp), "\n";
$_->quit for @smtp;
PERL
    is(runs('defaults', $server, [], $code), "30 40 30\n", 'defaults where it gives nothing');
    $server->wait_for(sessions => 4);
    is_deeply([map { $_->helo } ($server->sessions)[-2, -1]], ['default.example.test', 'mine.example.test'], 'Hello');
    my $required = '-MNet::SMTP::AuthC=-replace,starttls=required';
    is(runs('said again', $server, [$required], <<'PERL'), "undef\n", 'it adds up');
use Net::SMTP::AuthC -replace;
my ($host) = @ARGV;
require Net::SMTP::AuthC::Sandbox;
my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', require_auth => 0);
print Net::SMTP->new($server->host, Port => $server->port) ? 'object' : 'undef', "\n";
PERL
};

my $BACK = <<'PERL';
use strict;
use warnings;
my ($host, $port, $ca) = @ARGV;
sub state_of { return join ' ', map { $_ // '-' } $Net::SMTP::VERSION, $INC{'Net/SMTP.pm'}, "@Net::SMTP::ISA",
    join('+', map { my $symbol = "Net::SMTP::$_"; no strict 'refs'; exists &$symbol ? ("$_=" . \&$symbol) : () }
        grep { !/::\z/ } sort keys %Net::SMTP::) }
PERL

subtest 'and back' => sub {
    my $server = clear();
    is(runs('never loaded', $server, [], $BACK . <<'PERL'), "same\nno mail\n", 'all is as it was');
require Net::SMTP::AuthC;
my $before = state_of();
Net::SMTP::AuthC->import('-replace', ['Net::SMTPS', 'Net::SMTP::TLS']);
Net::SMTP->can('mail') && Net::SMTPS->can('mail') or die;
Net::SMTP::AuthC->unimport('-replace');
print state_of() eq $before ? "same\n" : state_of() . "\n";
print Net::SMTP->can('mail') || Net::SMTPS->can('mail') ? "mail\n" : "no mail\n";
PERL
    is(runs('-M-', $server, ['-MNet::SMTP::AuthC=-replace', '-M-Net::SMTP::AuthC=-replace'],
        'print Net::SMTP->can("mail") ? 1 : 0, $INC{"Net/SMTP.pm"} ? 1 : 0, "\n"'), "00\n", 'from the command line');
    SKIP: {
        skip 'no Net::SMTP', 6 if !has_net_smtp();
        is(runs('loaded before', $server, [], $BACK . <<'PERL'), "same\n1\n", 'all is as it was');
require Net::SMTP;
require Net::SMTP::AuthC;
my $before = state_of();
Net::SMTP::AuthC->import('-replace') for 1, 2;
Net::SMTP::AuthC->unimport('-replace');
print state_of() eq $before ? "same\n" : state_of() . "\n";
my $smtp = Net::SMTP->new($host, Port => $port) or die $@;
$smtp->quit;
print $smtp->isa('Net::Cmd') && !$smtp->isa('Net::SMTP::AuthC') ? 1 : 0, "\n";
PERL
        is(runs('loaded behind', $server, [], $BACK . <<'PERL'), "1 1\n", 'the real one can be loaded');
use Net::SMTP::AuthC -replace;
no Net::SMTP::AuthC -replace;
use Net::SMTP;
my $smtp = Net::SMTP->new($host, Port => $port) or die $@;
$smtp->quit;
print $smtp->isa('Net::Cmd') ? 1 : 0, ' ', $INC{'Net/SMTP.pm'} =~ /AuthC/ ? 0 : 1, "\n";
PERL
    }
    is(runs('objects of ours', $server, [], $BACK . <<'PERL'), "1 1 closed\n", 'go on, or are closed');
require Net::SMTP::AuthC;
Net::SMTP::AuthC->import('-replace');
@Mine::ISA = 'Net::SMTP';
my ($smtp, $mine) = map { $_->new($host, Port => $port) || die $@ } qw(Net::SMTP Mine);
Net::SMTP::AuthC->unimport('-replace');
print join(' ', $smtp->mail('a@b.test'), $smtp->isa('Net::SMTP::AuthC'), defined fileno $mine ? 'open' : 'closed');
print "\n";
$smtp->quit;
PERL
};

subtest 'objects of the real class live on' => sub {
    plan skip_all => 'no Net::SMTP' if !has_net_smtp();
    my $server = clear();
    is(runs('real', $server, [], $BACK . <<'PERL'), "Net::SMTP 1 1 250 same Lite 1\n", 'with its own methods');
require Net::SMTP;
@Lite::ISA = 'Net::SMTP';
my ($smtp, $lite) = map { $_->new($host, Port => $port) || die $@ } qw(Net::SMTP Lite);
my $peer = $smtp->peerport;
require Net::SMTP::AuthC;
Net::SMTP::AuthC->import('-replace');
for ($smtp, $lite) {
    $_->mail('a@b.test') && $_->to('<c@d.test>') && $_->data && $_->datasend("text\n") && $_->dataend or die;
}
$lite->command('NOOP')->response == 2 or die;
print join(' ', ref $smtp, $smtp->isa('Net::Cmd') ? 1 : 0, $smtp->isa('Net::SMTP::AuthC') ? 0 : 1, $smtp->code,
    $smtp->peerport == $peer ? 'same' : 'other', ref $lite, $lite->quit ? 1 : 0), "\n";
my $new = Net::SMTP->new($host, Port => $port) or die $@;
$new->isa('Net::SMTP::AuthC') && $new->mail('a@b.test') && $smtp->quit or die;
PERL
    is(scalar(my @all = $server->messages), 2, 'both have sent');
};

subtest 'threads' => sub {
    plan skip_all => 'perl without threads' if !$Config{useithreads};
    my $server = clear();
    is(runs('threads', $server, \@replace, <<'PERL'), "1 1 1\n", 'each has its own');
use threads;
use Net::SMTP;
my ($host, $port) = @ARGV;
my $smtp = Net::SMTP->new($host, Port => $port) or die $@;
my @threads = map { threads->create(sub {
    my $mine = Net::SMTP->new($host, Port => $port) or return $@;
    return $mine->mail('a@b.test') && $mine->to('c@d.test') && $mine->data("x\n") && $mine->quit;
}) } 1, 2;
print join(' ', (map { $_->join } @threads), $smtp->mail('a@b.test')), "\n";
PERL
};

done_testing;
