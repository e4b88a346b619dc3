# What Email::Sender's stock SMTP transports make of servers that refuse and fail, over the takeover.
use strict;
use warnings;
use lib 't/lib';
use Face;
use Subprocess qw(run_perl);
use Test::More;

my ($missing) = grep { my $file = s{::}{/}gr . '.pm'; !grep { !ref && -e "$_/$file" } @INC }
    qw(Email::Sender::Transport::SMTP Email::Simple);
plan skip_all => "no $missing" if defined $missing;

my $SECRET = 'a-very-secret-word';
my ($GOOD, $OTHER, $GONE, $LATER) = map { "$_\@example.test" } qw(good other gone later);
my %refuse = ($GONE => '550 5.1.1 No such user', $LATER => '450 4.2.1 Come back later',
    'moved@example.test' => '553 5.1.6 Moved away');
my @ALL_BAD = ($GONE, 'moved@example.test');

# Prints what came of a mail for the addresses, a line each for the answer and the failures within it.
my $PROGRAM = <<'PERL';
use strict;
use warnings;
use Email::Simple;
use KIND;
my ($port, $ca, $password, @to) = @ARGV;
my $transport = KIND->new(host => 'localhost', port => $port, timeout => 30, OPTIONS);
my $mail = Email::Simple->new("Subject: a mail\n\n.text\n");
for my $time (1 .. TIMES) {
    my $answer = eval { $transport->send($mail, {from => 'from@example.test', to => \@to}) } || $@;
    show($_) for ref $answer ? $answer : die($answer), inner($answer);
}
sub inner {
    my ($answer) = @_;
    return $answer->failure, $answer->failure->failures if $answer->isa('Email::Sender::Success::Partial');
    return $answer->isa('Email::Sender::Failure::Multi') ? $answer->failures : ();
}
sub show {
    my ($answer) = @_;
    my ($class) = grep { $answer->isa("Email::Sender::$_") } qw(Failure::Multi Failure::Permanent Failure::Temporary
        Failure Success::Partial Success);
    my @kinds = map { $answer->isa("Email::Sender::Failure::$_") ? $_ : () } qw(Permanent Temporary);
    print join('|', $class, "@kinds", $class =~ /\AFailure/ ? ($answer->code // 'none', join ' ', $answer->recipients)
        : ('', ''), $answer->message =~ s/\n/ /gr), "\n";
}
PERL
my $KIND = 'Email::Sender::Transport::SMTP';

# Runs it against a server and wants these lines, each a list of class, kinds, code, recipients and a pattern for the
# message; and so many mails at the server.
sub comes_to {
    my ($name, $server, $option, $to, $count, @wanted) = @_;
    my ($kind, $times) = (delete $option->{kind} || $KIND, delete $option->{times} || 1);
    my $options = join ', ', map { "$_ => $option->{$_}" } grep { !/\Acomplaint\z/ } sort keys %$option;
    my $code = $PROGRAM =~ s/KIND/$kind/gr =~ s/OPTIONS/$options/r =~ s/TIMES/$times/r;
    my ($status, $out, $err) = run_perl(['-MNet::SMTP::AuthC=-replace'], $code, ref $server ? $server->port : $server,
        ref $server && $server->{option}{tls} ne 'none' ? $server->ca_file : '', $SECRET, @$to);
    subtest $name => sub {
        is($status, 0, 'it ends well');
        $option->{complaint} ? like($err, $option->{complaint}, 'it says why') : is($err, '', 'it says nothing');
        unlike($out . $err, qr/\Q$SECRET\E/, 'the password is shown nowhere');
        my @lines = split /\n/, $out;
        is(scalar @lines, scalar @wanted, 'as many answers') or diag($out);
        _is_line($lines[$_], @{ $wanted[$_] }) for 0 .. $#wanted;
        is(scalar(ref $server ? (my @mails = $server->messages) : ()), $count, "mails at the server: $count")
            if ref $server;
    };
    return;
}

sub _is_line {
    my ($line, $class, $kinds, $code, $recipients, $message) = @_;
    my @fields = split /\|/, $line // '', 5;
    is_deeply([@fields[0 .. 3]], [$class, $kinds, $code, $recipients], "$class $code");
    like($fields[4], $message, 'its words');
    return;
}

sub clear  { return sandbox(refuse => \%refuse, @_) }
sub faulty { return clear(faults => [@_]) }

my @gone  = ('Failure::Permanent', 'Permanent', 550, $GONE, qr/\A5\.1\.1 No such user/);
my @moved = ('Failure::Permanent', 'Permanent', 553, 'moved@example.test', qr/\A5\.1\.6 Moved away/);
my @later = ('Failure::Temporary', 'Temporary', 450, $LATER, qr/\A4\.2\.1 Come back later/);
my @sent  = ('Success', '', '', '', qr/\A2\.0\.0 /);

sub closed_port {
    require IO::Socket::INET;
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die "no port: $@";
    return $socket->sockport;
}

# ---- before any mail ----

comes_to('nobody listens', closed_port(), {}, [$GOOD], 0,
    ['Failure', '', 'none', $GOOD, qr/\Aunable to establish SMTP connection to \(localhost\) port \d+/]);
comes_to('a greeting that refuses', clear(greeting => '554 5.3.2 Not today'), {}, [$GOOD], 0,
    ['Failure', '', 'none', $GOOD, qr/\Aunable to establish SMTP connection/]);
comes_to('a certificate of somebody unknown', sandbox(tls => 'starttls', certificate => 'unknown-ca'),
    {ssl => '"starttls"', ssl_options => '{SSL_ca_file => $ca}'}, [$GOOD], 0,
    ['Failure', '', 'none', $GOOD, qr/\Acan't STARTTLS: /]);
comes_to('a wrong password', sandbox(tls => 'implicit', users => {demo => 'another'}),
    {ssl => 1, ssl_options => '{SSL_ca_file => $ca}', sasl_username => '"demo"', sasl_password => '$password'},
    [$GOOD], 0, ['Failure::Permanent', 'Permanent', 535, $GOOD, qr/\Afailed AUTH: 5\.7\.8 /]);
comes_to('a login that must wait', sandbox(tls => 'implicit', users => {demo => $SECRET},
    faults => [{stage => 'login', reply => "454 4.7.0 Later\r\n"}]),
    {ssl => 1, ssl_options => '{SSL_ca_file => $ca}', sasl_username => '"demo"', sasl_password => '$password'},
    [$GOOD], 0, ['Failure::Temporary', 'Temporary', 454, $GOOD, qr/\Afailed AUTH: 4\.7\.0 Later/]);
{
    my $server = clear();
    comes_to('nobody to send to', $server, {}, [''], 0,
        ['Failure', '', 'none', '', qr/\Ano valid addresses in recipient list/]);
    is(scalar(my @sessions = $server->sessions), 0, 'no connection is made for that');
}

# ---- the envelope ----

comes_to('a sender refused', faulty({stage => 'mail', reply => "550 5.1.8 Not you\r\n"}), {}, [$GOOD], 0,
    ['Failure::Permanent', 'Permanent', 550, $GOOD,
        qr/\Afrom\@example\.test failed after MAIL FROM: 5\.1\.8 Not you/]);
comes_to('a sender that must wait', faulty({stage => 'mail', reply => "451 4.3.0 Busy\r\n"}), {}, [$GOOD], 0,
    ['Failure::Temporary', 'Temporary', 451, $GOOD, qr/ after MAIL FROM: 4\.3\.0 Busy/]);
comes_to('one recipient, refused',  clear(), {}, [$GONE],         0, \@gone);
comes_to('one recipient, for later', clear(), {}, [$LATER],       0, \@later);
comes_to('one of two refused',      clear(), {}, [$GONE, $GOOD],  0, \@gone);
comes_to('all refused',             clear(), {}, \@ALL_BAD,       0,
    ['Failure::Multi', 'Permanent', 'none', "@ALL_BAD", qr/\Aall recipients were rejected during RCPT/],
    \@gone, \@moved);
comes_to('refused in two ways',     clear(), {}, [$GONE, $LATER, $GOOD], 0,
    ['Failure::Multi', '', 'none', "$GONE $LATER", qr/\Asome recipients were rejected during RCPT/], \@gone, \@later);

my %partial = (allow_partial_success => 1);
my $some = qr/\Asome recipients were rejected during RCPT/;
{
    my $server = clear();
    comes_to('partial success', $server, {%partial}, [$GONE, $GOOD, $LATER, $OTHER], 1,
        ['Success::Partial', '', '', '', qr/\A2\.0\.0 /],
        ['Failure::Multi', '', 'none', "$GONE $LATER", $some], \@gone, \@later);
    my ($message) = $server->messages;
    is_deeply([$message->to], [$GOOD, $OTHER], 'it goes to the others');
    is($message->data, "Subject: a mail\r\n\r\n.text\r\n", 'as it was');
}
comes_to('no success at all, partial or not', clear(), {%partial}, \@ALL_BAD, 0,
    ['Failure::Multi', 'Permanent', 'none', "@ALL_BAD", qr/\Aall recipients/], \@gone, \@moved);
comes_to('whole success', clear(), {%partial}, [$GOOD, $OTHER], 1, \@sent);

# ---- the text ----

comes_to('DATA refused', faulty({stage => 'data', reply => "554 5.5.1 No\r\n"}), {}, [$GOOD], 0,
    ['Failure::Permanent', 'Permanent', 554, $GOOD, qr/\Aerror at DATA start: 5\.5\.1 No/]);
comes_to('the text refused', faulty({stage => 'end', reply => "554 5.6.0 Spam\r\n"}), {}, [$GOOD], 0,
    ['Failure::Permanent', 'Permanent', 554, $GOOD, qr/\Aerror at after DATA: 5\.6\.0 Spam/]);
comes_to('the text for later', faulty({stage => 'end', reply => "452 4.3.1 Full\r\n"}), {}, [$GOOD], 0,
    ['Failure::Temporary', 'Temporary', 452, $GOOD, qr/\Aerror at after DATA: 4\.3\.1 Full/]);
comes_to('a server that dies before it answers', faulty({stage => 'end', close => 1}), {}, [$GOOD], 1,
    ['Failure::Temporary', 'Temporary', 421, $GOOD, qr/\Aerror at after DATA: .*Connection closed/]);
comes_to('a server that closes down', faulty({stage => 'rcpt', reply => "421 4.3.2 Closing\r\n", close => 1}), {},
    [$GOOD], 0, ['Failure::Temporary', 'Temporary', 421, $GOOD, qr/\A4\.3\.2 Closing/]);

# ---- the one that stays connected ----

{
    my @persistent = (kind => "${KIND}::Persistent", times => 3);
    my $server = clear();
    comes_to('Persistent', $server, {@persistent}, [$GOOD], 3, (\@sent) x 3);
    is(scalar(my @sessions = $server->sessions), 1, 'over one connection');
    $server = faulty({stage => 'rset', nth => 1, reply => "421 4.4.2 Idle\r\n", close => 1});
    comes_to('Persistent, hung up on', $server,
        {@persistent, complaint => qr/error resetting cached SMTP connection/}, [$GOOD], 3, (\@sent) x 3);
    is(scalar(@sessions = $server->sessions), 2, 'over a new connection');
    $server = clear();
    comes_to('Persistent, after a refusal', $server, {@persistent, times => 2}, [$GONE], 0, (\@gone) x 2);
    is(scalar(@sessions = $server->sessions), 1, 'over the same connection');
}

done_testing();
