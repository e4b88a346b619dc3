# AuthC: the class: loads the C core, and each of its two faces when a method of it is first called.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

our $VERSION = '0.01';

require XSLoader;
XSLoader::load('Net::SMTP::AuthC', $VERSION);

# In name only, for programs that ask: whatever Net::SMTP and its ancestors have is ours, or refused by name.
our @ISA = ('Net::SMTP');

# File by file what stands in it; AUTOLOAD fetches it. One text a file, for perl reads that faster than lists.
my %methods_of = (
    Commands => q{
        new hello starttls auth mail recipient to cc bcc data datasend dataend datafh reset
        supports banner domain host etrn verify expand help noop code message ok status set_status
        debug debug_print debug_text timeout error mechanism tls _traced has DEF_REPLY_CODE
        _set_status_timeout _set_status_closed
    },
    Wire => q{
        CMD_PENDING CMD_INFO CMD_OK CMD_MORE CMD_REJECT CMD_ERROR command response getline ungetline parse_response
        read_until_dot _present_reply _keeps_reply _says_not
    },
    Verbs => q{
        send send_or_mail send_and_mail unsupported _hears_greeting _hello_by_words _ends_by_words
        _EHLO _HELO _MAIL _RCPT _SEND _SOML _SAML _VRFY _EXPN _HELP _ETRN _AUTH _RSET _NOOP _QUIT _STARTTLS _DATA _BDAT
        _TURN
    },
    Chunks => q{bdat bdatlast rawdatasend _announces_chunk},
    Socket => q{
        can_inet6 peername sockname peerhost sockhost peerport sockport peeraddr sockaddr sockdomain socktype protocol
        setsockopt getsockopt sockopt shutdown blocking autoflush flush sync binmode untaint pending eof atmark
        clearerr stat print printf say syswrite write tied_fh _is_closed
        stop_SSL start_SSL connect_SSL accept_SSL read sysread getc ungetc getlines gets recv truncate fdopen
        new_from_fd socket socketpair bind listen accept configure setup register_domain _syswrite_with_timeout
        as_inet format_write fcntl ioctl printflush sockatmark peerhost_service sockhost_service peerhostname
        sockhostname peerservice sockservice
    },
    Quit       => q{quit _say_farewell},
    Status     => q{_heard _speaks_by_words},
    Submission => q{connect submit transcript},
    SendMail   => q{send_mail},
    Stream     => q{submit_all},
    Failure    => q{_usage _usage_of_core _about _fail _lacks_starttls _tell_where _words_of _was_taken _give_up},
    Recording  => q{_attach_transcript},
    TlsFacts   => q{
        can_ssl get_cipher get_sslversion get_session_reused errstr
        peer_certificate dump_peer_certificate get_fingerprint get_fingerprint_bin
    },
);

# Each is declared, as "sub name;" does it: can() knows it then, and none of Net::SMTP's is taken for it.
for my $method (map { split } values %methods_of) {
    no strict 'refs';
    my $declared = exists $Net::SMTP::AuthC::{$method} ? \&$method : ($Net::SMTP::AuthC::{$method} = -1);
}

sub AUTOLOAD {
    my ($method) = our $AUTOLOAD =~ /([^:]+)\z/;

    my ($found) = grep { $methods_of{$_} =~ /(?<!\S)\Q$method\E(?!\S)/ } keys %methods_of;
    my $file = $found && "Net/SMTP/AuthC/$found.pm";
    if (!$file || $INC{$file}) {
        require Carp;
        Carp::croak(qq{No method "$method" in } . (ref $_[0] || $_[0] // __PACKAGE__));
    }
    do { local $@; require $file };    # the caller may be about to look at his
    goto &{ __PACKAGE__->can($method) };
}

# -replace, and nothing without it.
sub import   { return _takeover(begin => @_) }
sub unimport { return _takeover(end => @_) }

sub _takeover {
    my ($what, $class, @words) = @_;

    return if !@words || $class ne __PACKAGE__;
    require Net::SMTP::AuthC::Takeover;
    return Net::SMTP::AuthC::Takeover->$what(@words);
}

# The object is a glob with the connection's descriptor, so that these work on it as on any handle.
sub fileno    { return CORE::fileno($_[0]) }
sub opened    { return defined CORE::fileno($_[0]) ? 1 : '' }
sub close     { return defined CORE::fileno($_[0]) ? CORE::close($_[0]) : '' }
sub connected { return $_[0]->_state ne 'closed' ? getpeername $_[0] : undef }

# Dropping an object closes its socket and says nothing; the C part goes with the glob.
sub DESTROY { return }

# A connection belongs to the thread that made it.
sub CLONE_SKIP { return 1 }

1;

__END__

=encoding utf-8

=head1 NAME

Net::SMTP::AuthC - send authenticated mail over verified TLS, with an exact answer for every recipient

=head1 SYNOPSIS

A shop, a cron job, a CGI script: one call.

    use Net::SMTP::AuthC;

    my $receipt = Net::SMTP::AuthC->send_mail(
        server   => 'smtps://smtp.example.com',
        username => 'shop', password => $secret,
        from     => 'Shop <orders@shop.example>',
        to       => ['customer@example.net'],
        subject  => 'Order 1001',
        text     => "Thank you.\n",
    );
    print $receipt->text, "\n";

A daemon: one connection, many messages.

    my $smtp = Net::SMTP::AuthC->connect('smtps://smtp.example.com',
        username => 'u', password => 'p');
    my $r = $smtp->submit($message, from => $sender, to => \@recipients);
    warn join(' ', $_->address, $_->code, $_->text), "\n" for $r->refused;
    $smtp->quit;

A script that was written for Net::SMTP: change one word.

    my $old = Net::SMTP::AuthC->new('smtp.example.com', Port => 465, SSL => 1) or die $@;
    $old->auth('user', 'password') or die $old->error;
    $old->mail('me@example.com') && $old->to('you@example.net') && $old->data($text)
        or die $old->error;
    $old->quit;

=head1 DESCRIPTION

A mail submission client whose protocol lives in a C core: sockets, TLS by OpenSSL, base64, the digests and the SASL
mechanisms from SCRAM with channel binding to the LOGIN of old servers (L</LOGGING IN>). At run time it needs Perl's core modules and OpenSSL's libraries, nothing else.

There are two faces of one object. The B<sending face> (C<send_mail>, C<connect>, C<submit>) does a whole submission in
one call and throws L<Net::SMTP::AuthC::Error> when it fails. The B<Net::SMTP face> (C<new>, C<mail>, C<to>, C<data> ...)
has the names, arguments and results of L<Net::SMTP>.

What holds for both:

=over

=item *

TLS is verified, chain and name, unless you switch that off by name. TLS 1.2 is the least.

=item *

A password or token never crosses an open line: PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER are refused without TLS, on
loopback too, unless you pass C<insecure_cleartext_auth>. SCRAM and CRAM-MD5 are allowed there: they do not show it.

=item *

"Sent" is said only after a whole 2yz reply to the end of the message. When the connection breaks between the last octet
and that reply the outcome is C<unknown>, and nothing is repeated by itself.

=item *

No call lasts longer than its time limit, whatever the server does; memory is bounded, whatever it sends.

=item *

Nothing with a carriage return, line feed or NUL gets into a command; message text is brought to CRLF before its dots
are doubled, so no line end in it can end the message.

=item *

Loading the module does nothing but load it. An object that is dropped without C<quit> closes its socket and says
nothing; so does a forked child's copy.

=back

=head1 THE SENDING FACE

=head2 send_mail

    my $receipt = Net::SMTP::AuthC->send_mail(server => $url, from => ..., to => ..., subject => ..., text => ...);

Builds a mail, connects, logs in, submits, quits. Takes C<server>, the options of L</connect> and those of L</submit> that
concern its parameters, and these for the message: C<from>, C<sender>, C<to>, C<cc>, C<bcc>, C<reply_to>, C<subject>,
C<text>, C<html>, C<attach>, C<inline>, C<in_reply_to>, C<references>, C<tls_required>, C<headers>, C<date>,
C<message_id> (see L<Net::SMTP::AuthC::Message>). Text is Perl characters; headers and body are encoded as the standards
say; Date and Message-ID are made; Bcc is never in the message. Returns a L<Net::SMTP::AuthC::Receipt>.

    attach => ['invoice.pdf', {data => $octets, name => 'list.csv'}, {handle => $fh, name => 'x'}]
    html   => '<img src="cid:logo">', inline => {logo => 'logo.png'}

Attachments are encoded while they are sent: memory does not grow with them, and SIZE is exact. QUIT is said together with
the end of the message where the server allows it. With C<< early => 1 >> the envelope, too, is said together with the
login, before its answer, when that is PLAIN or EXTERNAL: one round trip less, for servers that do not take it for talking
out of turn. Content never goes before the login has succeeded.

C<< once => 'order-1001', ledger => '/folder' >> sends one mail for one key, however often it is called
(L<Net::SMTP::AuthC::Ledger>): sent before, the first mail's receipt comes back, with C<repeated>; may it be out, an error
with C<may_have_been_sent>. Under CGI (GATEWAY_INTERFACE is set) C<deadline> is 30 unless given, and a call while a file is
still being loaded by C<require>, C<use> or C<do> is refused, for a library must not send by being loaded;
C<< allow_at_load => 1 >> sends all the same.

=head2 connect

    my $smtp = Net::SMTP::AuthC->connect('smtps://smtp.example.com', username => 'u', password => 'p');

The first argument is the server:

    smtps://host[:465]              TLS from the start
    smtp://host[:587]               STARTTLS, and no mail without it
    smtp://host?tls=opportunistic   STARTTLS where it is offered
    smtp://host?tls=none            in clear
    smtps://user:password@host      %40 stands for an @ in a user name
    lmtp://host:port                LMTP (RFC 2033): a reply for each recipient; ?tls=required as above
    smtp+unix:///path, lmtp+unix:///path    a unix socket, which takes secrets without TLS

A reference to a list of servers tries them in order: who cannot be reached, greets with 4yz or 5yz, or fails at TLS is
passed over, and so is one that puts a login off (4yz); a refused password is not. The error at the end names them all.

Options are checked; one that is not known dies naming itself.

=over

=item username, password, oauth_token, mechanism, authzid, sasl

Who logs in and how: see L</LOGGING IN>.

=item timeout, end_timeout, deadline

Seconds for each step (120), for the reply to the end of a message (600, or C<timeout> if you give that), and for
everything together (none).

=item ca_file, pins, certificate_file, session_file and their kin

Whom to trust, what to demand, and what to show: see L</TLS>.

=item insecure_cleartext_auth

Lets passwords and tokens cross an open line.

=item transcript

1 keeps what was said (C<< $smtp->transcript >>, a L<Net::SMTP::AuthC::Transcript>); a handle gets it as text, a code
ref gets each entry, while it happens. Secrets are masked where they are said, before any of these sees them.

=item proxy

    proxy => 'socks5://user:password@host:1080'

C<socks5> (names are looked up here), C<socks5h> (by the proxy) or C<http> (CONNECT). The certificate is the mail
server's, as ever.

=item reconnect, ladder_file

C<< reconnect => 0 >> switches L</Sending again> off. C<ladder_file> is a path where it is remembered, for a day, how far a
server bears being talked to ahead: one flight, BDAT, groups of commands, one at a time. It goes down a step where BDAT that
was offered is refused or hangs, or a group is taken for talking out of turn. Without a file the process remembers.

=item hello, local_address, local_port, family, pipelining, debug

The EHLO name (this host's full name, or its address in brackets); the own end of the connection; an AF_ constant; 0 for
one command a round trip; Net::SMTP's debugging on standard error.

=back

=head2 submit

    my $receipt = $smtp->submit($message, from => $sender, to => [ 'a@example.net', ['b@example.net', {notify => 'failure'}] ]);

The message is a string of octets, a reference to one, a handle, a code ref that returns piece after piece and undef at
the end, or an object with C<as_string>. A string with a character above 255 is refused before anything is sent.

Returns a receipt when somebody got the message. Otherwise it throws an error whose C<receipt> tells what became of each
recipient. When a signal handler dies in the call, its exception comes through, the connection is closed, and
C<< $smtp->error->may_have_been_sent >> tells whether the mail may be out. A message that the server cannot take is refused
before MAIL. Options:

=over

=item from, to

C<''> is the null sender.

=item size, body, smtputf8

Chosen by looking at message and addresses. C<body> is C<7bit>, C<8bit> or C<binary> (needs BINARYMIME and CHUNKING; line
ends stay as they are). Domains outside ASCII go as A-labels; C<smtputf8> only where something else needs it.

=item dsn, auth, by, hold_for, hold_until, priority, require_tls

    dsn => {ret => 'hdrs', envid => $id}        RFC 3461
    auth => $mailbox                            RFC 4954
    by => 120, or {seconds => 120, mode => 'return' or 'notify', trace => 1}    RFC 2852
    hold_for => 3600, or hold_until => '2030-01-01T00:00:00Z' or epoch seconds    RFC 4865
    priority => -9 .. 9                         RFC 6710
    require_tls => 1                            RFC 8689: verified TLS all the way

An error before MAIL where the server does not offer it, unless C<< optional => ['dsn', ...] >> names it.

=item all_or_none

1 sends to nobody when one recipient is refused.

=item chunking, one_flight

C<chunking>: 1 sends by BDAT where the server offers CHUNKING. C<one_flight>: 1 does not wait for the answers to MAIL and
RCPT before the content either, where PIPELINING is offered too: one round trip for the whole message.

=item deadline

Seconds for all of it.

=back

=head2 submit_all

    my $count = $smtp->submit_all(
        sub { my $row = $rows->fetch or return; return {message => text_of($row), from => $sender, to => $row->{address}} },
        on_receipt => sub { my ($receipt, $message) = @_; note($message->{to}, $receipt) },
    );

Any number of messages in constant memory, a round trip each: the envelope of the next goes together with the end of the
last. The first argument is a code ref that returns message after message and undef at the end, or a reference to a list.
A message is a hash ref with C<message>, C<from>, C<to> and options of L</submit>; what it does not name is taken from
the options of the call; C<tag> is yours. C<on_receipt> is called once for each, with its receipt, whatever became of it
(C<< $receipt->error >>). Nothing of a message is thrown; what your own code dies of is, once the messages under way have
their receipts. Returns how many there were.

C<< window => n >> (up to 50) has that many under way at once, by BDAT, where CHUNKING and PIPELINING are offered: many
messages a round trip. When the connection ends, what is provably not sent and what is still to come go over a fresh one; when
none can be had, an exception, after the receipts. C<on_progress> gets the number of messages and octets so far.

=head2 Sending again

A message for which no recipient is C<sent> or C<unknown> goes once more, over a fresh connection, when the connection was
idle or in use before and the server has closed it, or answered 421. Never after a time limit, after C<quit> or C<close>, and
never a second time; the content must be there again: a string, a plain file, a built message, or anything of which nothing
was read. A greeting 4yz gets one more call, a second later. The secrets stay in memory for that, where no dump of the object
shows them. Who logs in with a C<sasl> object is not connected again unless C<< reconnect => 1 >>.

LIMITS (RFC 9422) and 452 4.5.3 divide a message among several transactions, with one receipt; before the server's most
messages for a connection are passed another connection is made.

=head2 transcript

The transcript of the connection so far, or undef.

=head1 LOGGING IN

C<connect> and C<send_mail> take what follows as options; C<auth> of the Net::SMTP face takes user name and password
first, and the rest as options behind them.

=over

=item username, password

    username => 'shop', password => $secret           # or: password => sub { read_secret() }

Character strings. The password may be a code ref, which is called when the server wants it. What cannot be right is
refused before anything is sent: a line end behind either, a NUL, an empty one.

=item oauth_token

    username => 'shop@example.com', oauth_token => sub { my %why = @_; $why{renew} ? fresh_token() : cached_token() }

A bearer token instead of the password, for OAUTHBEARER or XOAUTH2. A code ref is called once more, with C<< renew => 1 >>
and C<< error => $text >>, when the server refuses what it gave.

=item mechanism

A name, or a reference to a list of names in the order to try. Without it, the strongest that the server offers, that
fits what you gave, and that the line allows:

    with a password   SCRAM-SHA-512-PLUS  SCRAM-SHA-256-PLUS  SCRAM-SHA-1-PLUS
                      SCRAM-SHA-512  SCRAM-SHA-256  SCRAM-SHA-1
                      PLAIN  LOGIN  CRAM-MD5        (without TLS only CRAM-MD5 of these)
    with a token      OAUTHBEARER  XOAUTH2
    with neither      EXTERNAL (the client certificate)  ANONYMOUS: only when named

When the server refuses that I<mechanism> the next one is tried; after a refused I<password> one more at most, and only
under TLS, because servers count failures; after a refused -PLUS, which may mean that somebody stands between, none unless
you name it; after a refused token none. A server that cannot prove to SCRAM that it knows
the password is hung up on, and nothing else is tried. When nothing fits, the error lists what was offered, what there
is, and what stands in the way.

=item authzid

The identity to act as, for PLAIN, SCRAM, OAUTHBEARER and EXTERNAL. Leave it out unless your server's operator asks for it.

=item channel_binding

The -PLUS mechanisms tie the login to this TLS connection, so that nobody can stand between. C<tls-exporter>,
C<tls-unique>, C<tls-server-end-point>, a reference to a list of them in the order to try, or C<none>; without it what
the TLS version suggests. A server whose -PLUS was taken out of the list on the way is noticed.

=item scram_min_iterations, scram_max_iterations

Bounds of the work that SCRAM's server may ask for: 4096 and 1000000.

=item sasl

An L<Authen::SASL> object, or any with C<mechanism> and C<client_new>, for GSSAPI, NTLM or DIGEST-MD5; C<auth($object)>
takes it too, and no other login option goes with it. It chooses among the mechanisms that it names and the server
offers; its own list stays as it was. PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER need TLS here too. A security layer is never
negotiated. When the server says yes before the object is satisfied, the login has failed and the connection is closed.
Give it user and password as octets.

=back

User names and passwords go through SASLprep (RFC 4013) where the mechanism asks for it (SCRAM); elsewhere they go as
UTF-8. A refused login's error has a C<hint>: lengths and oddities of user name and password (never their text), and
what the big providers mean by their codes.

=head1 TLS

C<connect>, C<send_mail>, C<new> and C<starttls> take these; in C<new> and C<starttls> they stand beside Net::SMTP's own.
Names of L<IO::Socket::SSL> stand behind ours. What would demand more than is checked here is refused by name, with what
to do instead; so are two names that contradict each other.

=over

=item ca_file, ca_path (SSL_ca_file, SSL_ca_path)

Whom to trust instead of the system's authorities: a file, a folder or a list of folders.

=item certificate_file, key_file, key_password (SSL_cert_file, SSL_key_file, SSL_passwd_cb, SSL_use_cert)

A certificate of your own, for servers that ask for one.

=item tls_name (SSL_verifycn_name), sni_name (SSL_hostname)

The name that the certificate must bear when it is not the host's, and the name that is asked for by SNI (C<''>: none).
C<SSL_hostname> is for C<connect> also the name to verify unless one is given; for C<new> it is not, as with Net::SMTP.

=item pins

    pins => ['sha256//BASE64', 'sha256//BASE64']

One of these keys must be in the chain, beside all that is checked anyway. The error for a wrong one shows the right ones.

=item fingerprint (SSL_fingerprint)

    fingerprint => 'sha256$HEX'                  # or sha256$pub$HEX of the key; one or a list

A server certificate with one of these is trusted in place of chain and name; any other is judged as always.

=item dane

    dane => ['3 1 1 HEX']

TLSA records (RFC 7672) that you know to be authentic, in place of the authorities. C<tlsa> is the same.

=item crl_file, check_crl_of_chain, must_staple (SSL_crl_file with SSL_check_crl; SSL_ocsp_mode => SSL_OCSP_MUST_STAPLE)

Revocation lists for the server's certificate, and for those above it; a good OCSP answer must be stapled. One that is
stapled is checked in any case. Nobody but the server is asked.

=item minimum_version, cipher_list, ciphersuites (SSL_version, SSL_cipher_list, SSL_ciphersuites)

C<TLSv1.2> (the least) or C<TLSv1.3>; OpenSSL's lists for TLS 1.2 and for 1.3. An older C<SSL_version> gets TLS 1.2 or
newer.

=item resumption, session_file

A later connection of the process goes on with the TLS session of an earlier one, unless C<< resumption => 0 >>. A
C<session_file> does that across processes, such as CGI scripts: it is made with mode 0600, and refused when others can
read it. With TLS 1.2 that saves a round trip, with 1.3 octets and work. Sessions under C<fingerprint>, C<dane>,
C<crl_file> or C<must_staple> are never resumed.

=item keylog_file

The secrets of each session are appended to it, for a network analyser. Warns once: who reads it can read the mail.

=item insecure_no_verify, insecure_no_name_check, allow_common_name (SSL_verify_mode => 0, SSL_verifycn_scheme => 'none')

Switch off all checks, or that of the name; take the subject's common name where there is no other (C<new> does). 1 or 0.

=back

=head2 What TLS came to

    print join ' ', @{ $smtp->tls }{qw(version cipher name trust)};

C<tls>, and C<tls> of a receipt, are a hash, or undef without TLS: C<version cipher group verified name subject issuer
not_after>, C<trust> (C<chain>, C<fingerprint> or C<dane>), C<resumed>, C<stapled>. The methods of L<IO::Socket::SSL>:

=over

=item get_cipher, get_sslversion, get_session_reused, errstr, can_ssl

    $smtp->get_sslversion                        # TLSv1_3

The cipher; the version as C<SSL_version> takes it; 1 when resumed; why the last method failed, or C<''>; true.

=item peer_certificate, dump_peer_certificate

    my %names = reverse $smtp->peer_certificate('subjectAltNames');

A field of the server's certificate: C<subject> (C<owner>), C<issuer> (C<authority>), C<commonName> (C<cn>),
C<subjectAltNames> (type, value, ...), C<PEM>. Without a field it dies: the pointer that IO::Socket::SSL gives there would
be of no use. The other gives subject and issuer in two lines.

=item get_fingerprint, get_fingerprint_bin

    $smtp->get_fingerprint('sha256')             # sha256$HEX, as SSL_fingerprint takes it; ('sha256', undef, 1): the key's

=back

=head1 THE NET::SMTP FACE

Names, arguments and results of L<Net::SMTP>; methods return false when they fail. What differs is said at each.

=over

=item new

    my $smtp = Net::SMTP::AuthC->new('smtp.example.com', Port => 465, SSL => 1, Timeout => 30) or die $@;

Connects, reads the greeting, says EHLO. C<Host Port SSL Timeout LocalAddr LocalPort Domain Family Hello SendHello
ExactAddresses Debug> and C<SSL_*> as Net::SMTP has them, and C<insecure_cleartext_auth>. Unknown options are passed
over. Several hosts, in an array reference, are tried in order. C<Timeout> holds for each step as a whole, not for each
read.

=item hello

    $smtp->hello('client.example.net');

EHLO, and HELO when the server does not know EHLO. Without a name it says this host's full name, or its address in
brackets. Returns the server's name.

=item starttls

    $smtp->starttls(SSL_ca_file => $file) or die $@;

STARTTLS, the handshake and EHLO again. When it fails, the object refuses everything but C<quit>.

=item auth

    $smtp->auth('user', 'password') or die $smtp->error;
    $smtp->auth('user', 'password', mechanism => ['LOGIN', 'PLAIN']);

Logs in (L</LOGGING IN>); no other module is needed. It returns false where Net::SMTP dies. C<auth($sasl)> takes an
L<Authen::SASL> object.

=item mail

    $smtp->mail('me@example.com', Size => 1000, Bits => 8);

MAIL, with C<Size Return Bits Envelope ENVID AUTH XVERP Transaction SMTPUTF8>, each where the server offers it.

=item recipient, to, cc, bcc

    my @good = $smtp->to(@addresses, {SkipBad => 1, Notify => ['FAILURE'], ORcpt => 'rfc822;a@example.net'});

RCPT for each address. Without C<SkipBad> the first refusal ends it.

=item data

    $smtp->data($text);

DATA; with text also the text and its end, in one write.

=item datasend

    $smtp->datasend(@lines);

More of the message. Outside DATA nothing is sent and the result is false. Any other command between C<data> and
C<dataend> breaks the connection off: a message is never ended by accident.

=item dataend

    $smtp->dataend or die $smtp->error;

The end of the message, and the server's answer to it.

=item datafh

    my $handle = $smtp->datafh; print {$handle} $text; close $handle or die;

DATA, and a handle for the message.

=item reset, noop, quit

    $smtp->quit;

RSET, NOOP, QUIT.

=item verify, expand, help, etrn

    my @members = $smtp->expand('list');

VRFY, EXPN, HELP, ETRN.

=item supports

    my $limit = $smtp->supports('SIZE');

The parameters of a capability: C<''> for one without, undef when it is not offered.

=item banner, domain, host

    print $smtp->banner;

The greeting, the server's name in it, and the host as it was given.

=item code, message, ok, status, set_status

    print $smtp->code, ' ', $smtp->message;

The last reply: its code, its lines, whether the code is below 400, its first digit. C<set_status> replaces them.

=item error

    die $smtp->error if !$smtp->mail($from);

Why the last method failed, as a L<Net::SMTP::AuthC::Error>; undef when it did not.

=item mechanism, tls

    print $smtp->mechanism, ' ', $smtp->tls->{version};

The mechanism that logged in; a hash of C<version cipher verified name subject issuer not_after>, or undef without TLS.

=item debug, debug_print, debug_text

    $smtp->debug(1);

Prints the dialogue on standard error, with C<***> for whatever is secret. A subclass may override the other two.

=item timeout

    $smtp->timeout(30);

Sets the time limit of a step in seconds, returns the one before.

=item fileno, close, opened, connected

    close $smtp;

The object is a glob with the connection's descriptor, so that these, and C<select>, work on it.

=item send, send_or_mail, send_and_mail

    $smtp->send_or_mail('me@example.com');

SEND, SOML, SAML, where a server still has them.

=item bdat, bdatlast

    $smtp->mail($from, Bits => 'binary'); $smtp->to($to); $smtp->bdat($one) && $smtp->bdatlast($two);

A message by BDAT, octets as they are, after C<< Bits => 'binary' >> took effect. Elsewhere they are false with the reason,
and nothing is sent.

=item has

    $smtp->has('PIPELINING') or ...

Whether a capability is offered: true or false.

=item command, response, getline, ungetline, parse_response, read_until_dot, rawdatasend, tied_fh, unsupported

    $smtp->command('NOOP')->response == $smtp->CMD_OK or die $smtp->message;

Net::Cmd's: C<command> says a line and returns the object, C<response> hears its reply. The session knows what is said,
whoever says it. Raw STARTTLS is refused: use C<starttls>; a raw AUTH is masked, and refused where it would reveal a secret.
Classes that override one of these, or C<_EHLO> and its kin, have it called where Net::SMTP calls it.

=item CMD_INFO, CMD_OK, CMD_MORE, CMD_REJECT, CMD_ERROR, CMD_PENDING, DEF_REPLY_CODE

    $smtp->status == $smtp->CMD_REJECT

The classes of replies, and the code where there is none: 421.

=item print, printf, say, write, syswrite, printflush, format_write

    $smtp->print("text\n");

Message text, as by C<datasend>.

=item peerhost, peerport, peeraddr, peername, peerhostname, peerservice, peerhost_service, sockhost, sockport, sockaddr, sockname, sockhostname, sockservice, sockhost_service, sockdomain, socktype, protocol

    print $smtp->peerhost, ':', $smtp->peerport;

Both ends of the connection, as with L<IO::Socket>.

=item blocking, autoflush, pending, flush, sync, sockatmark, atmark, sockopt, getsockopt, setsockopt, stat, binmode, clearerr, untaint, eof, can_inet6, as_inet

    $smtp->autoflush(1);

What can be asked of a handle: true, or what the socket says; nothing changes how the connection works.

=item stop_SSL, start_SSL, connect_SSL, accept_SSL, read, sysread, getc, gets, getlines, ungetc, recv, truncate, fcntl, ioctl, accept, bind, connect, listen, shutdown, socket, socketpair, configure, setup, fdopen, new_from_fd, register_domain

    $smtp->stop_SSL      # false, with a warning

What would take the octets or the socket out of the session's hands is refused.

=back

=head1 IN THE PLACE OF NET::SMTP

    perl -MNet::SMTP::AuthC=-replace script.pl

or C<use Net::SMTP::AuthC -replace;> makes the name Net::SMTP this class for the whole program, whatever is loaded when;
C<no Net::SMTP::AuthC -replace> undoes it. C<< -replace => ['Net::SMTPS', 'Net::SMTP::SSL', 'Net::SMTP::TLS',
'Net::SMTP_auth'] >> takes those too, with their forms of arguments. C<< -replace => {starttls => 'required', ca_file =>
$file} >>, on a command line C<-replace,starttls=required,ca_file=/x>, gives TLS to programs that never ask for it. See
L<Net::SMTP::AuthC::Takeover>, and L<Net::SMTP::AuthC::Migrating> for what to change in which script.

=head1 ERRORS

L<Net::SMTP::AuthC::Error> has C<kind> (C<usage connect tls protocol auth refused deferred timeout closed interrupted
system>), C<step>, C<code>, C<enhanced>, C<text>, C<temporary>, C<may_have_been_sent>, C<hint>, C<receipt> and
C<transcript>; as a string it is one line that says what failed, where, and what to do.

=head1 DIAGNOSTICS

=over

=item the server does not offer AUTH

A user name was given and the server has no AUTH in its EHLO reply. Many offer it only under TLS: use C<smtps://>, or
C<smtp://> with STARTTLS.

=item user name ends in a line end (CR or LF)

The name was read from a file or a form. C<chomp> it.

=item the issuer of certificate ... is not known here

The server's certificate was made by an authority that this system does not know. Pass its certificate as C<ca_file>.

=item plaintext after STARTTLS

Octets stood in clear behind the server's go-ahead: a broken server, or somebody in between.

=item this port wants TLS from the start

You used C<smtp://>, or C<new> without C<SSL>, on a port that speaks TLS at once (465). Use C<smtps://>.

=item no answer within ... s

The step that is named took longer than C<timeout>.

=item the server closed the connection before its reply to end of data was whole

The message may have been accepted: C<may_have_been_sent> is true and the recipients are C<unknown>. Ask the server's
log before you send it again.

=back

=head1 SECURITY

See F<SECURITY.md>. Message strings are octets. User names, passwords and addresses are character strings and are sent
as UTF-8; octets that are UTF-8 already are sent as they are.

=head1 LIMITS

A program that changes its root should C<use Net::SMTP::AuthC::Error> before: an error that cannot load its class is plain
text.

Windows, EBCDIC and perls older than 5.14 are not supported. OpenSSL 1.1.1 or newer is needed.

Not there: NTLM, GSSAPI and DIGEST-MD5 of our own (an Authen::SASL object has them).

=head1 SEE ALSO

L<Net::SMTP::AuthC::Cookbook>, recipes for the big providers and for the jobs that come up;
L<Net::SMTP::AuthC::Sandbox>, a test server for your own programs; L<Email::Sender::Transport::AuthC> and
L<Mail::Mailer::authc>, which send by this module; L<Net::SMTP::AuthC::Migrating>, from Net::SMTP, Net::SMTPS,
Net::SMTP::SSL, Net::SMTP::TLS, Net::SMTP_auth, Mail::Sender, a bare socket, MIME::Lite, Email::Sender or Mail::Mailer to
this module; L<Net::SMTP>; RFC 5321, 4954, 3207, 8314.

=head1 LICENSE

The same terms as Perl itself; see F<LICENSE>.

=cut
