# CR, LF and NUL in every argument of every method: nothing of it is sent, and the error names the argument.
# valgrind: no
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', users => {demo => 'secret'}, require_auth => 0,
    keywords => ['SIZE 10000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ETRN', 'XVERP', 'CHECKPOINT',
        'ENHANCEDSTATUSCODES']);
my $url    = $server->url . '?tls=none';
my %octets = (CR => "a\rINJECTED", LF => "a\nINJECTED", CRLF => "a\@b.test>\r\nINJECTED\r\n", NUL => "a\0INJECTED");
my %login  = (username => 'demo', password => 'secret', insecure_cleartext_auth => 1);
my %mail   = (from => 'a@x.test', to => 'b@x.test');

# ---- the sending face ----

my %connect = (
    username => 'username', password => 'password', mechanism => 'mechanism', hello => 'hello',
    local_address => 'local', local_port => 'local|port', timeout => 'timeout', deadline => 'deadline',
        family => 'family',
);
for my $kind (sort keys %octets) {
    for my $name (sort keys %connect) {
        # a CR within a password is no line end of a command, since it leaves as base64
        next if $name =~ /\A(?:username|password)\z/ && $kind ne 'NUL';
        refused(qr/$connect{$name}/, "connect: $kind in $name",
            sub { Net::SMTP::AuthC->connect($url, %login, $name => $octets{$kind}) });
    }
    refused(qr/server/, "connect: $kind in server", sub { Net::SMTP::AuthC->connect("smtp://$octets{$kind}") });
    refused(qr/server/, "connect: $kind behind server", sub { Net::SMTP::AuthC->connect("$url$octets{$kind}") });
    refused(qr/password/, "connect: $kind at the end of a password",
        sub { Net::SMTP::AuthC->connect($url, %login, password => 'secret' . {CR => "\r", LF => "\n", CRLF => "\r\n",
            NUL => "\0"}->{$kind}) });

    my $smtp = Net::SMTP::AuthC->connect($url);
    my %submit = (from => $octets{$kind}, to => $octets{$kind}, size => "1$octets{$kind}",
        body => "8bit$octets{$kind}",
        auth => $octets{$kind});
    for my $name (sort keys %submit) {
        next if $name eq 'auth';
        refused(qr/\b$name\b/, "submit: $kind in $name", sub { $smtp->submit("x\n", %mail,
            $name => $submit{$name}) });
    }
    for my $name (qw(from to)) {
        for my $form ("$octets{$kind}\@x.test", "a\@x.test$octets{$kind}", "A <$octets{$kind}\@x.test>",
            "\"$octets{$kind}\"\@x.test") {
            refused(qr/\b$name\b/, "submit: $kind in $name", sub { $smtp->submit("x\n", %mail, $name => $form) });
        }
    }
    refused(qr/dsn/, "submit: $kind in dsn $_", sub { $smtp->submit("x\n", %mail, dsn => {$_ => $octets{$kind}}) })
        for qw(ret envid);
    refused(qr/notify/, "submit: $kind in notify",
        sub { $smtp->submit("x\n", %mail, to => [['b@x.test', {notify => $octets{$kind}}]]) });
    ok($smtp->submit("x\n", %mail), "the connection has not suffered from $kind");

    my %message = (from => 'from', to => 'to', cc => 'cc', bcc => 'bcc', reply_to => 'reply_to', subject => 'subject',
        date => 'date', message_id => 'message_id');
    for my $name (sort keys %message) {
        refused(qr/\b$message{$name}/i, "send_mail: $kind in $name",
            sub { Net::SMTP::AuthC->send_mail(server => $url, %mail, text => 'x', $name => $octets{$kind}) });
    }
    refused(qr/X-A|headers/, "send_mail: $kind in a header",
        sub { Net::SMTP::AuthC->send_mail(server => $url, %mail, text => 'x',
            headers => ['X-A' => $octets{$kind}]) });
    refused(qr/header|field/, "send_mail: $kind in the name of a header",
        sub { Net::SMTP::AuthC->send_mail(server => $url, %mail, text => 'x', headers => [$octets{$kind} => 'x']) });
}

# ---- the face of Net::SMTP ----

for my $kind (sort keys %octets) {
    my $bad = $octets{$kind};
    ok(!Net::SMTP::AuthC->new($server->host, Port => $server->port, Hello => $bad), "new: $kind in Hello");
    my $smtp = Net::SMTP::AuthC->new($server->host, Port => $server->port, insecure_cleartext_auth => 1);
    local $SIG{__WARN__} = sub { };
    my %call = (
        hello => sub { $smtp->hello($bad) }, auth => sub { $smtp->auth("u\0$bad", 'x') },
        mail => sub { $smtp->mail($bad) }, verify => sub { $smtp->verify($bad) },
            expand => sub { $smtp->expand($bad) },
        help => sub { $smtp->help($bad) }, etrn => sub { $smtp->etrn($bad) },
        (map { my $name = $_; ("mail $name" => sub { $smtp->mail('a@x.test', $name => $bad) }) }
            qw(Size AUTH Transaction ENVID)),
        (map { my $name = $_; ($name => sub { $smtp->mail('a@x.test') and $smtp->$name($bad) }) }
            qw(recipient to cc bcc)),
        ORcpt => sub { $smtp->mail('a@x.test') and $smtp->to('b@x.test', {ORcpt => $bad}) },
        Notify => sub { $smtp->mail('a@x.test') and $smtp->to('b@x.test', {Notify => $bad}) },
    );
    for my $name (sort keys %call) {
        my $result = eval { $call{$name}->() };
        ok(!$result, "$name: $kind is refused") or diag(explain($result));
        isnt(scalar($smtp->message), '', "$name: $kind: and it says why");
        $smtp->reset;
    }
    ok($smtp->noop, "the connection has not suffered from $kind");
}

# ---- what the server heard of it ----

my @said = map { $_->client_lines } $server->sessions;
cmp_ok(scalar @said, '>', 20, 'the server heard something');
is_deeply([grep { /^INJECTED|[\x00-\x1f]/ } @said], [], 'but no line that was not ours to say');
is(scalar(grep { $_->data =~ /INJECTED/ } $server->messages), 0, 'and nothing of it arrived');
done_testing;

# The call dies with an error of the caller, in one line, which names the argument and points here.
sub refused {
    my ($wanted, $name, $call) = @_;
    my $good = eval { $call->(); 1 };
    my $error = $@;
    return ok(0, $name) if $good;
    my $kind = ref $error ? $error->kind : 'no object';
    ok($kind eq 'usage' && $error =~ $wanted && $error =~ /\A[\x20-\x7e]+ at \Q$0\E line [0-9]+\.\n\z/, $name)
        or diag("$kind: $error");
}
