# What libnet's own tests of Net::SMTP want to know, asked of the name Net::SMTP once it is ours.
use strict;
use warnings;
use lib 't/lib';
use Face;
use Subprocess qw(run_perl);
use Test::More;

my @replace = ('-MNet::SMTP::AuthC=-replace');

# What the code prints with the arguments port and CA. It must end well and complain of nothing.
sub prints {
    my ($name, $server, $wanted, $code, %option) = @_;
    my ($status, $out, $err) = run_perl([@replace, @{ $option{switches} || [] }],
        "use strict; use warnings; my (\$port, \$ca) = \@ARGV;\n$code", $server->port,
        $server->{option}{tls} eq 'none' ? '' : $server->ca_file);
    is($status, 0, "$name: it ends well");
    is($err, '', "$name: without complaint");
    is($out, $wanted, $name);
    return;
}

my $OPEN = 'use Net::SMTP; my $smtp = Net::SMTP->new("localhost:$port", Debug => 0, SSL_ca_file => $ca) or die $@;';
my $VIA_NETCONFIG = <<'PERL';
use Net::Config;
BEGIN { $NetConfig{smtp_hosts} = ["localhost:$ARGV[0]"] }
use Net::SMTP;
my $smtp = Net::SMTP->new(Debug => 0) or die $@;
print $smtp->domain ? 1 : 0, $smtp->quit ? 1 : 0, "\n";
PERL

subtest 'a host from Net::Config, domain, quit' => sub {
    prints('all three', sandbox(), "11\n", $VIA_NETCONFIG);
};

# Libnet's own tests make servers of these classes.
subtest 'can_ssl, can_inet6' => sub {
    for my $case (['can_ssl', 'IO::Socket::SSL'], ['can_inet6', 'IO::Socket::IP']) {
        my ($method, $class) = @$case;
        my $named = eval "require $class; 1" ? $class : 'Net::SMTP::AuthC';
        prints($method, sandbox(), "$named 1\n",
            "use Net::SMTP; my \$c = Net::SMTP->$method; print qq{\$c }, \$c->can('new') ? 1 : 0, qq{\\n};");
    }
};

subtest 'modules of libnet load beside it' => sub {
    my @modules = grep { eval "require $_; 1" } qw(Net::Config Net::Domain Net::Cmd Net::Netrc Net::FTP Net::NNTP
        Net::POP3 Net::Time);
    my $require = join '', map { "require $_; " } @modules;
    my $quit = 'print $smtp->quit, qq{\n};';
    prints('before', sandbox(), "1\n", "$require $OPEN $quit");
    prints('behind', sandbox(), "1\n", "$OPEN $require $quit");
};

subtest 'TLS from the start and by STARTTLS, the certificate for another name than the host' => sub {
    for my $tls (qw(implicit starttls)) {
        my $server = sandbox(tls => $tls, certificate => 'wrong-name');
        for my $is_named (0, 1) {
            my $code = <<'PERL';
use Net::SMTP;
print Net::SMTP->can_ssl ? 1 : 0;
my $smtp = Net::SMTP->new("localhost:$port", SSL_ca_file => $ca, SSL => IMPLICIT, VERIFY)
    or do { print $@ ne '' ? "refused\n" : "no reason\n"; exit };
if (!IMPLICIT) { $smtp->starttls or do { print $@ ne '' ? "refused\n" : "no reason\n"; exit } }
print $smtp->get_cipher ? 1 : 0, $smtp->quit ? 1 : 0, "\n";
PERL
            my $is_implicit = $tls eq 'implicit' ? 1 : 0;
            my $known = name_in($server);
            $code =~ s/IMPLICIT/$is_implicit/g;
            $code =~ s/VERIFY/$is_named ? "SSL_verifycn_name => '$known'" : ''/e;
            prints("$tls, " . ($is_named ? 'named' : 'not named'), $server, $is_named ? "111\n" : "1refused\n",
                $code);
        }
    }
};

subtest 'defaults that the program has set by IO::Socket::SSL' => sub {
    plan skip_all => 'no IO::Socket::SSL' if !eval { require IO::Socket::SSL; 1 };
    my ($known, $none) = map { sandbox(tls => 'implicit', certificate => $_) } qw(good unknown-ca);
    my $connect = 'print Net::SMTP->new("localhost:$port", SSL => 1, GIVEN) ? 1 : 0, qq{\n};';
    my $code = "use Net::SMTP; use IO::Socket::SSL; IO::Socket::SSL::DEFAULTS; $connect";
    for my $case (
        ['set_client_defaults(SSL_ca_file => $ca)',     '', $known, 1],
        ['set_defaults(ca_file => $ca)',                '', $known, 1],
        ['context_init({SSL_ca_file => $ca})',          '', $known, 1],
        ['set_defaults()',                              '', $known, 0],
        ['set_server_defaults(SSL_ca_file => $ca)',     '', $known, 0],
        ['set_client_defaults(SSL_ca_file => $ca)',     '', $none,  0],
        ['set_client_defaults(verify_mode => 0)',       '', $none,  1],
        ['set_client_defaults(SSL_ca_file => "/none")', 'SSL_ca_file => $ca',   $known, 1],
        ['set_client_defaults(verify_mode => 0)',       'SSL_verify_mode => 1', $none,  0],
    ) {
        my ($defaults, $given, $server, $wanted) = @$case;
        prints("$defaults, $given", $server, "$wanted\n", $code =~ s/DEFAULTS/$defaults/r =~ s/GIVEN/$given/r);
    }
};

# A name that the certificate bears.
sub name_in {
    my ($server) = @_;
    my $smtp = client($server, SSL => $server->{option}{tls} eq 'implicit' ? 1 : 0, insecure_no_name_check => 1);
    $smtp->starttls(insecure_no_name_check => 1) if $server->{option}{tls} ne 'implicit';
    my %name = reverse $smtp->peer_certificate('subjectAltNames');
    $smtp->quit;
    my ($host) = grep { $name{$_} == 2 } sort keys %name;
    return $host;
}

subtest 'a server that answers STARTTLS and QUIT with other codes of success' => sub {
    my $server = sandbox(tls => 'starttls', faults => [{stage => 'starttls', reply => "250 starting\r\n"},
        {stage => 'quit', reply => "250 bye\r\n"}]);
    prints('it goes on', $server, "11\n", "$OPEN print \$smtp->starttls ? 1 : 0, \$smtp->quit ? 1 : 0, qq{\\n};");
};

subtest 'IPv6' => sub {
    my $server = eval { sandbox(listen_ipv6 => 1) } or plan skip_all => 'no IPv6 here';
    prints('[::1]:port', $server, "11\n", 'use Net::SMTP; print Net::SMTP->can_inet6 ? 1 : 0;'
        . 'my $smtp = Net::SMTP->new("[::1]:$port") or die $@; print $smtp->quit ? 1 : 0, qq{\n};');
};

# As libnet's, but for a CR alone, which is a line end here and nothing else.
my @TEXTS = (
    [[]                     => ''],
    [['a']                  => "a\r\n"],
    [["a\r"]                => "a\r\n"],
    [["a\rb"]               => "a\r\nb\r\n"],
    [["a\rb\n"]             => "a\r\nb\r\n"],
    [["a\rb\n\n"]           => "a\r\nb\r\n\r\n"],
    [["a\r", "\nb"]         => "a\r\nb\r\n"],
    [["a\r", "\nb\n"]       => "a\r\nb\r\n"],
    [["a\r", "\nb\r\n"]     => "a\r\nb\r\n"],
    [["a\r", "\nb\r\n\n"]   => "a\r\nb\r\n\r\n"],
    [["a\n.b\n"]            => "a\r\n..b\r\n"],
    [[".a\n.b\n"]           => "..a\r\n..b\r\n"],
    [[".a\n", ".b\n"]       => "..a\r\n..b\r\n"],
    [['.a', ".b\n"]         => "..a.b\r\n"],
    [["a\n."]               => "a\r\n..\r\n"],
    [["\xe9"]               => "\xe9\r\n"],
);

subtest 'datasend' => sub {
    my $server = sandbox();
    my $lists = join ', ', map { my ($texts) = @$_; '[' . join(', ', map { hex_of($_) } @$texts) . ']' } @TEXTS;
    prints('every text, in one connection', $server, '', $OPEN . <<"PERL" . <<'PERL');
my \@texts = ($lists);
PERL
for my $texts (@texts) {
    $smtp->mail('a@b.test') && $smtp->to('c@d.test') && $smtp->data or die $smtp->message;
    utf8::upgrade($_) for @$texts;
    for my $text (@$texts) { $smtp->datasend($text) or die $smtp->message }
    if (!@$texts) { $smtp->datasend or die $smtp->message }
    $smtp->dataend or die $smtp->message;
}
$smtp->quit;
PERL
    my @wires = map { $_->wire } $server->messages;
    is(unpack('H*', $wires[$_] // ''), unpack('H*', "$TEXTS[$_][1].\r\n"), 'text ' . join '', map { hex_of($_) }
        @{ $TEXTS[$_][0] }) for 0 .. $#TEXTS;
};

sub hex_of { return 'pack("H*", "' . unpack('H*', $_[0]) . '")' }

done_testing();
