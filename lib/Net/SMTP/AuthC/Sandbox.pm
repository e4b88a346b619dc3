# An SMTP submission server for tests: it takes mail on the loopback, keeps it, and misbehaves when told to.
package Net::SMTP::AuthC::Sandbox;
use strict;
use warnings;
use Carp ();
use File::Temp ();
use Net::SMTP::AuthC::Sandbox::Certificates;
use Net::SMTP::AuthC::Sandbox::Listener;
use Net::SMTP::AuthC::Sandbox::Options;
use Net::SMTP::AuthC::Sandbox::Records;
use Scalar::Util ();
use Time::HiRes qw(time);

our $VERSION = '0.01';

my %running;    # address of the object => weak reference to it

sub new {
    my ($class, @given) = @_;
    Carp::croak('the options of a sandbox are pairs') if @given % 2;
    my $option = eval { Net::SMTP::AuthC::Sandbox::Options::complete(@given) };
    Carp::croak(ref $@ ? $@->{complaint} : $@) unless $option;
    my $folder = File::Temp->newdir('smtp-sandbox-XXXXXXXX', TMPDIR => 1);
    my $self = bless { option => $option, folder => $folder }, $class;
    $self->{records} = Net::SMTP::AuthC::Sandbox::Records->new(folder => $folder, is_shared => $option->{inbox});
    my $make_tls = $option->{tls} eq 'none' ? undef : $self->_prepare_tls;
    $self->{listener} = eval {
        Net::SMTP::AuthC::Sandbox::Listener->start(option => $option, folder => "$folder", make_tls => $make_tls,
            path => $self->path);
    } or Carp::croak("the sandbox cannot start: $@");
    Scalar::Util::weaken($running{ 0 + $self } = $self);
    return $self;
}

sub host { return 'localhost' }
sub port { return $_[0]{listener}->port }

sub url {
    my ($self) = @_;
    return "lmtp+unix://" . $self->path if $self->{option}{lmtp} && defined $self->path;
    my $scheme = $self->{option}{lmtp} ? 'lmtp' : $self->{option}{tls} eq 'implicit' ? 'smtps' : 'smtp';
    return "$scheme://localhost:" . $self->port;
}

# Of the unix socket.
sub path {
    my ($self) = @_;
    my $path = $self->{option}{path};
    return defined $path && $path eq '1' ? "$self->{folder}/socket" : $path;
}

# Of the web inbox.
sub inbox_url {
    my ($self) = @_;
    my $port = $self->{listener}->inbox_port;
    return defined $port ? "http://127.0.0.1:$port/" : undef;
}

sub ca_file {
    my ($self) = @_;
    return $self->_file('ca.pem', sub { (Net::SMTP::AuthC::Sandbox::Certificates::authority('known'))[0] });
}

# Paths of a client's certificate and its key, for the option client_ca => 1.
sub client_certificate {
    my ($self, $name) = @_;
    _load_tls();
    $name = 'client.example.test' unless defined $name;
    my @pem = Net::SMTP::AuthC::Sandbox::Certificates::client($name);
    return map { my $at = $_; $self->_file("$name-$at.pem", sub { $pem[$at] }) } 0, 1;
}

sub messages         { return $_[0]->_records->messages }
sub refused_messages { return $_[0]->_records->refused }
sub sessions         { return $_[0]->_records->sessions }

# Forgets what came so far; sessions that still run begin anew.
sub clear {
    my ($self) = @_;
    $self->_records->clear;
    return;
}

# wait_for(count => n), wait_for(sessions => n), wait_for(sub { ... }), each with timeout => seconds.
sub wait_for {
    my ($self, @what) = @_;
    unshift @what, 'count' if @what % 2;
    my %what = (timeout => 5, @what);
    my $holds = $self->_condition(%what);
    my $deadline = time + $what{timeout};
    my @result;
    until (@result = $holds->()) {
        return if time >= $deadline;
        select undef, undef, undef, 0.01;
    }
    return wantarray ? @result : $result[0];
}

sub stop {
    my ($self) = @_;
    my $listener = $self->{listener} or return;
    return if $listener->{owner} != $$;
    $listener->stop;
    delete $running{ 0 + $self };
    return;
}

# A clone in another thread would stop the server when it goes.
sub CLONE_SKIP { return 1 }

sub DESTROY {
    my ($self) = @_;
    local ($@, $!, $?);
    $self->stop;
    return;
}

END {
    local ($@, $!, $?);
    for my $sandbox (grep { defined } values %running) { $sandbox->stop }
}

# A sub that gives something once the condition holds and nothing before.
sub _condition {
    my ($self, %what) = @_;
    my ($want) = grep { defined } @what{qw(until count)};
    return $self->_condition_on_sessions($what{sessions}) if defined $what{sessions};
    Carp::croak('wait_for needs a count or a sub') unless defined $want;
    return sub { my $value = $want->($self); $value ? $value : () } if ref $want;
    return sub { my @messages = $self->messages; @messages < $want ? () : @messages ? @messages : 1 };
}

sub _condition_on_sessions {
    my ($self, $want) = @_;
    return sub {
        my @ended = grep { defined $_->ended } $self->sessions;
        return @ended >= $want ? @ended : ();
    };
}

sub _records {
    my ($self) = @_;
    $self->{records}->end_sessions unless $self->{listener}{pid};
    return $self->{records};
}

sub _file {
    my ($self, $name, $make) = @_;
    _load_tls();
    my $path = "$self->{folder}/$name";
    return $path if -e $path;
    open my $handle, '>', $path or Carp::croak("cannot write $path: $!");
    print {$handle} $make->() and close $handle or Carp::croak("cannot write $path: $!");
    return $path;
}

sub _load_tls {
    return if defined &Net::SMTP::AuthC::Sandbox::TLS::make_certificate;
    require Net::SMTP::AuthC;
    return;
}

# Certificates are made before the fork, so that every session shows the same one, and clients can resume.
sub _prepare_tls {
    my ($self) = @_;
    _load_tls();
    my ($certificate, $key) = Net::SMTP::AuthC::Sandbox::Certificates::server($self->{option}{certificate});
    my $client_ca = $self->{option}{client_ca};
    my $own = defined $client_ca && $client_ca eq '1';
    ($client_ca) = Net::SMTP::AuthC::Sandbox::Certificates::authority('known') if $own;
    $self->ca_file;
    my $context = Net::SMTP::AuthC::Sandbox::TLS->context($certificate, $key, $client_ca);
    return sub { Net::SMTP::AuthC::Sandbox::TLS->new($_[0], $context) };
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Sandbox - an SMTP server for your tests that keeps the mail and misbehaves when told to

=head1 SYNOPSIS

    use strict;
    use warnings;
    use Test::More;
    use Net::SMTP;
    use Net::SMTP::AuthC::Sandbox;

    my $server = Net::SMTP::AuthC::Sandbox->new(
        tls    => 'none',
        users  => { demo => 'secret' },
        refuse => { 'nobody@example.test' => '550 5.1.1 No such user' },
        require_auth => 0,
    );

    # the program under test; here it is four lines of Net::SMTP
    my $smtp = Net::SMTP->new($server->host, Port => $server->port) or die $@;
    $smtp->mail('shop@example.test');
    $smtp->recipient('anna@example.test', 'nobody@example.test', { SkipBad => 1 });
    $smtp->data("Subject: Your order\n\nThank you.\n");
    $smtp->quit;

    my ($message) = $server->wait_for(count => 1);
    is($message->from, 'shop@example.test', 'the sender');
    is_deeply([$message->to], ['anna@example.test'], 'the recipients that were taken');
    is($message->header('Subject'), 'Your order', 'a header field');
    like($message->body, qr/Thank you/, 'the text');

    # what was said, line by line
    note $_->as_text for $server->sessions;

    done_testing;

=head1 DESCRIPTION

A program that sends mail is hard to test: the mail must not go out, yet somebody has to take it, ask for the
password, speak TLS, and, on the days that matter, say C<451 try again later> or hang up in the middle of a sentence.
This is that somebody.

C<new> opens a port on the loopback that nobody else has, C<port> tells which, and from then on a complete submission
server answers there: EHLO, STARTTLS, AUTH, MAIL and RCPT with their parameters, DATA, BDAT, pipelining, and every
refusal that the RFCs ask for. Nothing ever leaves it. Every message is kept as it came, octet by octet, and every
session with what both sides said.

It is strict. C<MAIL FROM: E<lt>a@bE<gt>> with a space behind the colon, a parameter that was not offered, a command
that ends in a bare LF: all are refused, with a text that says why. What a server cannot refuse but a careful client
would not do, such as talking before the greeting, is noted in the session.

The server lives in processes of its own, so your program may block, crash or be killed: when it is gone, so are the
processes, the port and the files. It needs C<fork>, so it does not run on Windows.

=head2 Pointing programs at it

    curl --ssl-reqd --cacert FILE --user demo:secret --mail-from a@example.test --mail-rcpt b@example.test \
         --upload-file mail.txt smtp://localhost:PORT
    swaks --server localhost:PORT --tls --auth PLAIN --auth-user demo --auth-password secret --to b@example.test

C<FILE> is C<< $server->ca_file >>, C<PORT> is C<< $server->port >>. In Perl:

    Net::SMTP->new($server->host, Port => $server->port, SSL_ca_file => $server->ca_file);
    Net::SMTP::AuthC->connect($server->url, SSL_ca_file => $server->ca_file,
        username => 'demo', password => 'secret');

To play with it by hand, let it stand, and look at its mail in a browser:

    smtpauthc sandbox

=head1 METHODS

=head2 new(%options)

Starts a server, or dies with the reason. All L</OPTIONS> may be left out.

    my $server = Net::SMTP::AuthC::Sandbox->new(users => { demo => 'secret' });

=head2 host, port, url

Where it listens: C<localhost>, the number of the port, and C<smtp://localhost:PORT> or C<smtps://localhost:PORT>;
with C<lmtp> C<lmtp://localhost:PORT>, or C<lmtp+unix://PATH> where there is a path.

=head2 inbox_url

The address of the web inbox, C<http://127.0.0.1:PORT/>; C<undef> without the option C<inbox>.

=head2 path

That of the unix socket, see the option C<path>; C<undef> without one.

=head2 ca_file

The path of a file with the certificate of the authority that signed the server's. It is the I<good> authority
whatever the option C<certificate> says, so a client that trusts it must refuse the bad ones.

=head2 messages

The messages that the server took responsibility for, in the order of their arrival; their number in scalar context.
A message is there before the client reads the reply to it, so there is nothing to wait for when the client waited.
Each is an object, see L</MESSAGES>.

=head2 refused_messages

Those whose content came but was refused at its end, by a fault or the size limit.

=head2 sessions

The connections so far, see L</SESSIONS>.

=head2 wait_for(count => $n | sessions => $n | sub { ... }, timeout => $seconds)

Waits until there are so many messages, so many sessions that have ended, or until the sub, called with the server,
returns something true; five seconds at most unless told otherwise. Returns the messages, the sessions, or what the
sub gave (in scalar context the first), and nothing when the time ran out.

    my @messages  = $server->wait_for(count => 2);
    my ($session) = $server->wait_for(sessions => 1, timeout => 1);
    my $done      = $server->wait_for(sub { grep { $_->from eq 'a@example.test' } $_[0]->messages });

=head2 clear

Forgets the messages and the ended sessions so far. Message objects that you still hold stay as they are.

=head2 stop

Ends the server and its connections. Happens by itself when the object goes, or your program ends in whatever way. In
a forked child of your program it does nothing. What was recorded can still be asked for.

=head2 client_certificate($name)

Makes a certificate for a client that the option C<< client_ca => 1 >> accepts; returns the paths of the certificate
and its key.

=head1 OPTIONS

=over

=item users => { name => password, ... }

Who may log in. Names and passwords are character strings, on the wire they are UTF-8. Without users there is no
AUTH, unless C<mechanisms> says so.

=item oauth_tokens => { name => token, ... }

The same for OAUTHBEARER and XOAUTH2. A message of OAUTHBEARER without a name logs in whose token it is.

=item tls => 'starttls' | 'implicit' | 'none'

C<starttls> is the default: plain text first, and AUTH only behind STARTTLS. C<implicit> is TLS from the first octet,
as on port 465.

=item certificate => 'good' | 'expired' | 'wrong-name' | 'self-signed' | 'unknown-ca' | 'cn-only'

What the server shows. C<good> is for C<localhost>, C<127.0.0.1> and C<::1>. C<wrong-name> is for
C<elsewhere.example.test>, C<unknown-ca> signed by an authority that is not in C<ca_file>, C<cn-only> has no
subjectAltName, only C<CN=localhost>. Or one of your own: C<[$chain, $key]>, the texts of both in PEM.

=item mechanisms => [qw(PLAIN LOGIN CRAM-MD5)]

Which SASL mechanisms are offered, in this order. These three when there are users, none otherwise. There are more,
by name: see L</MECHANISMS>.

=item scram_iterations => 4096

The iteration count of SCRAM.

=item scram_signature => '334' | '235' | '235 2.7.0'

Where SCRAM's last word stands, by which the server proves that it knows the password: in a C<334> of its own, as
RFC 4954 has it, or in base64 instead of the text of the C<235>, directly or behind the enhanced code.

=item require_auth => 0 | 1

Whether MAIL needs AUTH before it (C<530 5.7.0>); 1 when there are users or tokens.

=item require_tls => 0 | 1

Whether AUTH, MAIL and all behind them need STARTTLS before (C<530 5.7.0>).

=item auth_without_tls => 0 | 1

Whether AUTH is offered and taken on an open line; only with C<< tls => 'none' >> by default.

=item keywords => [ 'SIZE 10000000', '8BITMIME', ... ]

The lines of the EHLO reply behind the first, as told. STARTTLS and AUTH join by themselves where they make sense,
unless a line of yours names them. Parameters of MAIL and RCPT are taken when the keyword that allows them is among
these lines, refused with 555 otherwise; replies carry enhanced codes only with ENHANCEDSTATUSCODES. By default
PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES, SMTPUTF8, DSN, CHUNKING and BINARYMIME.

=item extensions => [ 'DELIVERBY 60', ... ]

More such lines behind those of C<keywords>. The numbers in some of them are kept:

    DELIVERBY 60                                 BY with R: at least so many seconds
    FUTURERELEASE 86400 2030-01-31T00:00:00Z     HOLDFOR and HOLDUNTIL: at most
    MT-PRIORITY MIXER                            MT-PRIORITY: -9 to 9
    REQUIRETLS                                   announced and taken inside TLS only
    LIMITS MAILMAX=100 RCPTMAX=50                see max_messages and max_recipients

=item max_messages => $n, max_recipients => $n, max_domains => $n

How many MAIL a session may have, the next one ends it with C<421>; how many RCPT a transaction, and to how many
domains a session, more are answered with C<452 4.5.3>. By default what LIMITS announces, if it does; without LIMITS
the client has to find out.

=item lmtp => 1

Speaks LMTP (RFC 2033): LHLO, and behind the end of a message one reply for each recipient that was taken.

=item path => '/tmp/my.socket' | 1

Listens on a unix socket as well, at this path, or at one of its own. It goes when the server goes.

=item ehlo_raw => $octets

The whole reply to EHLO, verbatim, with all its mistakes:

    ehlo_raw => "250-mail.example.test\r\n250-AUTH=LOGIN\r\n250-PIPELINING 250 8BITMIME\r\n",

=item greeting => $text

The greeting, with or without its own code: C<'welcome'> or C<'554 5.3.2 Not today'>.

=item name => 'sandbox.example.test'

What the server calls itself.

=item refuse => { 'nobody@example.test' => '550 5.1.1 No such user', ... }

Replies to RCPT by address. One that begins with 2, such as C<251 2.1.5 Will forward>, takes the recipient.

=item size_limit => $octets

A bigger message is refused with C<552 5.3.4>, at MAIL when SIZE tells, at its end otherwise. 0: no limit. By default
the number in the SIZE keyword, 10485760 when there are no keywords given.

=item client_ca => 1 | $pem

Asks clients for a certificate: one made by C<client_certificate>, or signed by the authority whose certificate in
PEM is given.

=item legacy_plain => 1

C<AUTH PLAIN> as some old servers did it: prompts C<334 Username:> and C<334 Password:> in clear text, answers in
clear text.

=item damaged_challenge => 1

CRAM-MD5 with the challenge of a server that put LF, C<Z> and octet 2 behind its host name. The digest counts over
these octets as they are.

=item keep_input_behind_starttls => 1

What the client sent behind STARTTLS in plain text is not dropped but taken as said inside TLS: the mistake that let
attackers inject commands (CVE-2011-0411).

=item listen_ipv6 => 1

Listens on C<::1> too, on the same port.

=item inbox => 1 | $port

Serves a web inbox, see L</INBOX>, at a port that is free, or at this one.

=item timeout => 300

Seconds without a word from the client after which the server hangs up.

=item faults => [ { stage => ..., ... }, ... ]

See the next section.

=back

=head1 MECHANISMS

=over

=item PLAIN, LOGIN, CRAM-MD5

RFC 4616, the draft, RFC 2195.

=item SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, and each with -PLUS

RFC 5802, RFC 7677. Users have a salt of their own, the same in all sessions. A refusal tells its reason in a last
C<334>, such as C<e=invalid-proof>, before the C<535>. Those with -PLUS are offered and taken where there is a channel
to bind to: inside TLS, by C<tls-exporter>, C<tls-unique> or C<tls-server-end-point>, as far as the connection has
them. While one is offered, a client that believes it is not (flag C<y>) is refused.

    mechanisms => [qw(SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN)],

=item OAUTHBEARER, XOAUTH2

RFC 7628 and the protocol of Google, with the tokens of the option C<oauth_tokens>. A refusal says why as JSON in a
C<334>, takes the answer that means nothing, and ends with C<535>. The session notes host and port of OAUTHBEARER, and
an answer that is not what it should be.

=item EXTERNAL

RFC 4422: the user is the common name in the client's certificate, see C<client_ca>, or the whole subject when it has
none. An identity that is given must be the same.

=item ANONYMOUS

RFC 4505: everybody is the user C<anonymous>; C<identity> is the trace.

=item DIGEST-MD5

RFC 2831, with C<qop=auth> alone: for clients that still have it.

=back

=head1 FAULTS

    faults => [
        { stage => 'mail', nth => 1, reply => "451 4.3.0 Try again\r\n" },
        { stage => 'end',  nth => 2, close => 1 },
    ],

Each fault says where it strikes and what then happens. All faults that fit one place apply, in the order of the
list.

=head2 Where

=over

=item stage

C<connect> (the connection has just been accepted), C<tls> (before the handshake), C<greeting>, C<ehlo>, C<helo>,
C<starttls>, C<login> (AUTH, before its mechanism says a word), C<auth-challenge> (each 334), C<auth> (the reply that
ends it), C<mail>, C<rcpt>, C<data> (the reply before the content), C<content> (while the content comes), C<end> (the
reply to the final dot, or to the last BDAT), C<bdat>, C<rset>, C<noop>, C<quit>, C<vrfy>, C<expn>, C<help>, C<etrn>,
and C<unknown> for commands that do not exist. LHLO is C<ehlo>, too.

=item nth => $n, nth => [ $n, ... ]

Only at this occurrence, or these, counted over all connections: what fails in the first one may work in the second.

    { stage => 'greeting', nth => 1, reply => "421 4.3.2 Come back later\r\n", close => 1 }

=item session => $n

Only in this connection, 1 for the first; C<nth> then counts within it.

=item chance => $percent

Only so often, by lot.

    { stage => 'rcpt', chance => 10, reply => "451 4.7.1 Greylisted\r\n" }

=item match => qr/.../

Only if the argument of the command matches.

    { stage => 'rcpt', match => qr/\@slow\.example/, delay => 2 }

At C<login>, C<auth-challenge> and C<auth> that is the argument of AUTH, which begins with the mechanism.

    { stage => 'login', match => qr/\ASCRAM-/, reply => "504 5.5.4 Unknown mechanism\r\n" }

At C<end> LMTP has a reply for each recipient, and it is the recipient's address.

    { stage => 'end', match => qr/\Afull\@/, reply => "452 4.2.2 Mailbox full\r\n" }

=item round => $n

At C<auth-challenge>: only the 334 of this number in a login.

    { stage => 'auth-challenge', round => 2, reply => "334 this is no base64\r\n" }

=item after => $octets

At C<content>: once so much of it has come.

    { stage => 'content', after => 100_000, close => 1 }

=back

=head2 What

=over

=item reply => $octets

These instead of the reply, verbatim. A reply that refuses is a refusal for the server too: after a 451 to MAIL there
is no transaction.

    { stage => 'data', reply => "354-go\r\n451 or not\r\n" }

=item delay => $seconds

A pause before the reply.

    { stage => 'end', delay => 3 }

=item drip => $seconds

The reply octet by octet, with this pause behind each: within any timeout that each octet restarts.

    { stage => 'ehlo', drip => 0.5 }

=item cut_after => $octets

So much of the reply, then the end of the connection.

    { stage => 'auth', cut_after => 3 }

=item close => 1, close => 'after'

Hangs up instead of a reply; with C<'after'>, or together with C<reply> or other octets, behind it.

    { stage => 'end', close => 1 }      # was the mail taken? it was

=item reset => 1, reset => 'after'

The same, as a reset of the connection ("Connection reset by peer").

    { stage => 'content', reset => 1 }

=item append => $octets

These directly behind the reply, in the same write.

    { stage => 'starttls', append => "250 2.0.0 said before TLS began\r\n" }

=item garbage => $octets

These in front of the reply.

    { stage => 'greeting', garbage => "\x16\x03\x01" }

=item multi => $lines

The reply said in so many lines.

    { stage => 'rcpt', multi => 1000 }

=item without => qr/.../

The reply without the words that match, such as mechanisms of the offer that somebody on the way has taken out. The
server still has them.

    { stage => 'ehlo', without => qr/-PLUS\z/ }

=item silent => 1

Never another word, though the connection stays and takes what comes. With C<cut_after>, after so many octets. At
C<content> the server stops reading.

    { stage => 'quit', silent => 1 }

=item endless => $octets

Behind the reply these, again and again, until the client has had enough.

    { stage => 'noop', endless => "250-more\r\n" }

=back

=head2 What within a login

These are for the stage C<login>. C<reply> there is the answer to AUTH itself, whatever the mechanism; a C<235> said
that way is a lie.

=over

=item refuse => $reply

Takes the right credentials for wrong ones, in the way of the mechanism, and ends with this instead of the C<535>.

    { stage => 'login', nth => [ 1, 2 ], refuse => '535 5.7.8 Token expired' }

=item challenge => $octets

The mechanism never ends: this challenge instead of its own, and again after every answer, until the client cancels.

    { stage => 'login', challenge => '{"status":"401"}' }

=item oauth_error => $octets, oauth_error => 'none'

What OAUTHBEARER and XOAUTH2 say about a refusal, instead of JSON; with C<'none'> the C<535> comes at once.

    { stage => 'login', oauth_error => 'this is no JSON' }

=item scram_first => $what, scram_first => [ $what, ... ]

SCRAM's first message is other than it should be:

    'nonce-not-ours'      the nonce does not begin with the client's
    'nonce-not-extended'  the nonce is the client's and nothing more
    'no-salt'             without s=
    'no-count'            without i=
    'other-order'         the salt in front of the nonce
    'i=1'                 this iteration count: 'i=0', 'i=04096', 'i=2147483648'
    's='                  this salt, also one that is no base64: 's=no!'
    'r=...'               this nonce
    'm=1'                 an extension that is mandatory, in front
    'x=1'                 any other attribute, at the end
    'e=other-error'       an error instead, and then 535
    'success'             235 at once, without any proof

A client that does not mind can log in all the same: the server goes on with the nonce, the salt and the count that it
has said, as far as there is a salt, and a count up to 1000000.

    { stage => 'login', scram_first => 'i=1' }
    { stage => 'login', scram_first => [ 'm=1', 'nonce-not-ours' ] }

=item scram_last => $what

SCRAM's last message is other than it should be:

    'wrong'               a signature that is not the right one
    'none'                not said: 235 or 535 directly behind the proof
    'v=AAAA'              this signature; '' for an empty message
    'e=other-error'       this error, and then 535, though the proof was right

    { stage => 'login', scram_last => 'wrong' }

=back

=head1 MESSAGES

=over

=item from, to, refused_to

The sender, C<''> for the empty one, the list of recipients that were taken, and of those that LMTP took at RCPT and
refused at the end. Character strings.

=item mail_parameters, rcpt_parameters

A hash C<< { SIZE => 120, BODY => '8BITMIME' } >>, and a list of such hashes, one for each recipient. A parameter
without a value has the value C<undef>.

=item data, wire

The content after and before dot-unstuffing, as octets. C<wire> ends with the final dot; what came by BDAT is in both
as it was.

=item header($name), body

The text of a header field, unfolded but not decoded, in list context of all fields with that name; and what stands
behind the first empty line.

=item user, identity, mechanism

Who logged in and how; C<identity> is the authorization identity, if the mechanism has one. C<undef> without AUTH.

=item tls, helo, via, size, time, accepted

The TLS version such as C<TLSv1.3>, C<''> without; the name in EHLO; C<DATA> or C<BDAT>; octets on the wire; when;
and whether it was taken.

=item session, id

The number of the session, and C<SESSION.MESSAGE>, which the reply to the client names too.

=item bare_lf, bare_cr, longest_line, undeclared_8bit

How many LF without CR and CR without LF there were, the length of the longest line, and how many octets above 127
came without C<BODY=8BITMIME>: what a careful client keeps at 0, 0, 998 and 0.

    is($message->bare_lf, 0, 'line ends are CRLF');

=back

=head1 SESSIONS

=over

=item as_text, lines

The dialogue for people: C<C:> the client, C<S:> the server, C<--> a note; octets that do not print as C<\xNN>.
Passwords are in it, so use passwords made for tests.

=item client_lines, server_lines, notes

Each part by itself, verbatim, without line ends.

    ok(!grep({ /early talker/ } map { $_->notes } $server->sessions), 'nobody spoke out of turn');

=item ended

How it ended: C<quit>, C<closed by the client>, C<reset by the client>, C<closed by the sandbox>, C<reset by the
sandbox>, C<timeout>, C<sandbox stopped>, or C<TLS handshake failed: ...>. C<undef> while it runs.

=item number, peer, helo, tls, resumed, user, identity, mechanism, client_certificate, time

Facts by name. C<client_certificate> is the subject of the certificate that the client showed. C<resumed> says whether
its TLS session began in an earlier connection. C<peer> is an address, or C<unix socket>.

=back

=head1 INBOX

    my $server = Net::SMTP::AuthC::Sandbox->new(inbox => 1);
    print 'look at ', $server->inbox_url, "\n";

With the option C<inbox> there are pages for a browser, on C<127.0.0.1> only: the messages, the newest first, each
with its text, its HTML, its attachments, its header fields and its source; the sessions, word by word; a search; a
button that forgets all; and switches for faults. They work without JavaScript; with it the lists follow what happens.

=head2 Search

Words, or several in double quotes, each of which has to be in the subject, an address, the text or the name of an
attachment. C<from:>, C<to:>, C<cc:>, C<bcc:>, C<reply-to:>, C<addressed:>, C<subject:>, C<message-id:> and C<user:>
look in one place only, C<has:attachment>, C<before:2030-01-31> and C<after:2030-01-31> are conditions, and C<-> or
C<!> in front turns any of them round.

=head2 Faults

At the greeting, EHLO, AUTH, MAIL, RCPT, DATA and the end of the message the server can be told to refuse with a code
from 400 to 599, to wait, to hang up, to reset the connection or to say nothing more, always or by lot. It does so
from the next command on, in running sessions, too. The faults of the option C<faults> come first.

=head2 For programs

    use HTTP::Tiny;
    use JSON::PP;

    my $answer = HTTP::Tiny->new->get($server->inbox_url . 'api/v1/search?query=subject:order');
    my $found  = decode_json($answer->{content});
    print "$_->{ID} $_->{From}{Address} $_->{Subject}\n" for @{ $found->{messages} };

Routes and names are those of Mailpit's API, so its clients can be used:

    GET     /api/v1/info
    GET     /api/v1/messages?start=0&limit=50
    DELETE  /api/v1/messages                        {"IDs": ["1.1", ...]} in the body; without, all
    GET     /api/v1/search?query=...                start and limit, too
    DELETE  /api/v1/search?query=...
    GET     /api/v1/message/ID                      ID or "latest"
    GET     /api/v1/message/ID/headers
    GET     /api/v1/message/ID/raw
    GET     /api/v1/message/ID/part/PARTID
    GET     /api/v1/chaos
    PUT     /api/v1/chaos                           {"Sender": {"ErrorCode": 451, "Probability": 50}, ...}

There are no tags, and nothing is ever marked as read. C<Bcc> holds those of the envelope, too, whom no field names.
C<GET /session/NUMBER/text> gives the dialogue of a session as text.

What is forgotten there is forgotten by C<messages>, C<refused_messages> and C<sessions>, and the other way round.

=head2 Whom it serves

Every user and program of this machine can read it, as every one of them can talk to the server itself: no password
that is used elsewhere belongs into a sandbox. Pages of other sites cannot read it or change anything: requests that
name another host than C<127.0.0.1>, C<localhost> or C<[::1]> are refused, and so is what comes from another origin.

Mails are taken for hostile. All of their texts are shown as text; HTML is shown in a frame without scripts, forms and
an origin, that loads nothing from anywhere: images of the mail's own are the only ones to be seen. Attachments are
for saving.

=head1 NOTES

The listener is a child process of your program: a loop over C<wait> that runs until there are no children left would
wait for it. Use C<waitpid> with the pids of your own.

Descriptors, signal handlers, END blocks and objects of your program are of no effect in the server's processes.

=head1 DIAGNOSTICS

=over

=item unknown option '...', unknown stage '...' in faults, unknown key '...' in the fault at '...'

A typing error; the message names your line.

=item max_messages is a number from 1

C<max_recipients> and C<max_domains>, too.

=item chance is a number from 0 to 100, in the fault at '...'

It is a percentage.

=item inbox is 0, 1, or a port

1 stands for any port that is free.

=item the fault at '...' does nothing

It says where but not what.

=item ... is for the stage '...', not '...'

A key such as C<round> or C<scram_first> makes sense at one stage only.

=item unknown scram_first '...', unknown scram_last '...'

Neither a word of L</What within a login> nor a letter with C<=> behind it.

=item the sandbox cannot start: ...

No free port, no process to be had, C<listen_ipv6> on a machine without IPv6, or a C<path> that is there already.

=item the inbox failed: ...

The same as the next.

=item the sandbox failed: ...

A warning from one of the server's processes: a mistake of this module. Please report it.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP>

=cut
