# The demonstration: mail in every way to a sandbox on the loopback, both sides of each talk, and what came of it.
use 5.014;
use strict;
use warnings;
use utf8;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Net::SMTP::AuthC::Transcript;

binmode STDOUT, ':raw';   # the transcript is octets
$| = 1;

my %login  = (username => 'shop', password => 'correct horse');
my $colour = !length($ENV{NO_COLOR} // '');
my $view   = $colour ? 'entry_as_ansi' : 'entry_as_text';
my ($sent, @rows);

for my $tls (qw(implicit starttls)) {
    my $words = $tls eq 'implicit' ? 'TLS from the first octet' : 'STARTTLS';
    scene("$_ over $words", server => {tls => $tls}, client => {mechanism => $_}) for qw(PLAIN LOGIN CRAM-MD5);
}
my @scram = (tls => 'implicit', mechanisms => [qw(SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN)]);
scene('SCRAM-SHA-256-PLUS: the login is bound to this TLS', server => {@scram});
scene('The same, -PLUS taken out on the way: noticed', fails => ['auth'],
    server => {@scram, faults => [{stage => 'ehlo', without => qr/-PLUS\z/}]});
scene('A token instead of a password: OAUTHBEARER', client => {password => undef, oauth_token => 'token of the shop'},
    server => {tls => 'implicit', mechanisms => ['OAUTHBEARER'], oauth_tokens => {shop => 'token of the shop'}});
scene('CRAM-MD5 in clear: the password stays at home', server => {tls => 'none'},
    client => {mechanism => 'CRAM-MD5'});
scene('PLAIN in clear: refused before anything is sent', server => {tls => 'none'}, client => {mechanism => 'PLAIN'},
    fails => ['auth']);
scene('A damaged CRAM-MD5 challenge, answered as it came', server => {tls => 'implicit', damaged_challenge => 1},
    client => {mechanism => 'CRAM-MD5'});
scene('The same, refused by the server: the next mechanism', client => {mechanism => [qw(CRAM-MD5 LOGIN)]},
    server => {tls => 'implicit', damaged_challenge => 1,
        faults => [{stage => 'auth', nth => 1, reply => "535 5.7.8 Authentication failed\r\n"}]});
scene('A wrong password', server => {tls => 'implicit'}, client => {password => 'wrong horse'},
    fails => ['auth', 535]);
scene('A certificate that nobody vouches for', server => {tls => 'implicit', certificate => 'unknown-ca'},
    fails => ['tls']);

table();
mail_as_it_arrived();
exit(grep { !$_->[2] } @rows) ? 1 : 0;

# One server, one attempt to send, one row of the table.
sub scene {
    my ($title, %scene) = @_;
    headline($title);
    my $sandbox = Net::SMTP::AuthC::Sandbox->new(users => {@login{qw(username password)}}, %{$scene{server}});
    my $receipt = eval { attempt($sandbox, $scene{server}{tls}, %{$scene{client} || {}}) };
    my $error   = $@;
    my @arrived = $receipt ? $sandbox->wait_for(count => 1) : $sandbox->messages;
    $sent ||= $arrived[0];
    my ($words, $good) = $receipt ? delivered($receipt, $arrived[0]) : refused($error, @arrived);
    $good &&= $receipt ? !$scene{fails} : $scene{fails} && is_expected($error, @{$scene{fails}});
    say octets("=> $words");
    push @rows, [$title, $words, $good];
}

sub attempt {
    my ($sandbox, $tls, %options) = @_;
    return Net::SMTP::AuthC->send_mail(
        server      => $sandbox->url . ($tls eq 'none' ? '?tls=none' : ''),
        %login,
        SSL_ca_file => $sandbox->ca_file,
        from        => 'Büro <shop@example.test>',
        to          => ['customer@example.test'],
        subject     => 'Order 1001: size Größe 40',
        text        => "Thank you.\n\n.A line that begins with a dot, and one that is only a dot:\n.\nYour shop\n",
        transcript  => sub { print Net::SMTP::AuthC::Transcript->$view($_[0]) },
        %options,
    );
}

sub delivered {
    my ($receipt, $message) = @_;
    return ('the server took it, but it is not there', 0) if !$message;
    my $line = $message->tls || 'no TLS';
    return (sprintf('sent: %s, %s, %d octets', $message->mechanism, $line, $message->size), $receipt->all_sent);
}

sub refused {
    my ($error, @arrived) = @_;
    return ('an error, and yet there is mail', 0) if @arrived;
    return ("$error" =~ s/ at \S+ line \d+\.\n\z//r, 1);
}

sub is_expected {
    my ($error, $kind, $code) = @_;
    return 0 if !eval { $error->isa('Net::SMTP::AuthC::Error') };
    return $error->kind eq $kind && (!defined $code || $error->code == $code);
}

sub headline {
    my ($title) = @_;
    say octets($colour ? "\n\e[1m== $title\e[0m" : "\n== $title");
}

sub table {
    headline('What happened');
    for my $row (@rows) {
        my ($title, $words, $good) = @$row;
        $words = substr($words, 0, 97) . '...' if length $words > 100;
        say octets(sprintf '  %-4s %-52s %s', $good ? 'ok' : 'BAD', $title, $words);
    }
}

sub mail_as_it_arrived {
    headline('The first mail as it arrived');
    return say 'none' if !$sent;
    say '  MAIL FROM: ', $sent->from, '   RCPT TO: ', join ', ', $sent->to;
    say '  | ', $_ for split /\r\n/, $sent->data;
}

sub octets {
    my ($text) = @_;
    utf8::encode($text);
    return $text;
}
