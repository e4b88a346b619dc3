# AuthC: Email::Sender's transport over Net::SMTP::AuthC: verified TLS, every login, an exact answer for everybody.
package Email::Sender::Transport::AuthC;

use 5.014;
use Moo;

use Carp ();
use Email::Sender::Failure ();
use Email::Sender::Transport::AuthC::Report ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Adapter;
use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Login;
use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::ServerAddress;
use Net::SMTP::AuthC::TlsOptions;
use Scalar::Util ();

our $VERSION = '0.01';

my $ADAPTER = 'Net::SMTP::AuthC::Adapter';
my $REPORT  = 'Email::Sender::Transport::AuthC::Report';

# ---- attributes ----

my @TEXTS = qw(url sasl_username sasl_password sasl_authenticator oauth_token mechanism authzid helo localaddr
    localport transcript body);

has [qw(ssl _security _servers)] => (is => 'ro');
has port                  => (is => 'ro');
has timeout               => (is => 'ro', default => sub { 120 });
has ssl_options           => (is => 'ro', default => sub { {} });
has allow_partial_success => (is => 'ro', default => sub { 0 });
has [qw(persistent debug insecure_cleartext_auth)] => (is => 'ro', default => sub { 0 });
has [@TEXTS]              => (is => 'ro');
has _hosts                => (is => 'ro', init_arg => 'hosts');
has _connect_options      => (is => 'ro');
has _kept                 => (is => 'rw', init_arg => undef);

sub hosts { return @{ $_[0]->_hosts } }
sub host  { return $_[0]->_hosts->[0] }

with 'Email::Sender::Transport';

my %is_known = map { $_ => 1 } @TEXTS, qw(host hosts port ssl ssl_options timeout allow_partial_success persistent
    debug insecure_cleartext_auth);

# Everything is checked before anybody is called, with the caller's line.
around BUILDARGS => sub {
    my ($inherited, $class, @given) = @_;

    my %arg  = %{ $class->$inherited(@given) };
    my $good = eval { _read(\%arg); 1 };
    return \%arg if $good;
    my $error = $@;
    die $error if !$ADAPTER->is_error($error);
    local @Carp::CARP_NOT = ('Moo::Object');
    Carp::croak("$class: " . $error->message);
};

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# Who leaves a setting empty has none. Frameworks hand over settings of their own, which are no business of ours; but
# a login or TLS must not get lost over a name.
sub _read {
    my ($arg) = @_;

    delete @$arg{grep { !defined $arg->{$_} || !ref $arg->{$_} && $arg->{$_} eq '' } keys %$arg};
    for my $name (sort grep { !$is_known{$_} } keys %$arg) {
        _usage(qq{there is no attribute "$name"}, 'see sasl_username, sasl_password, oauth_token, ssl, ssl_options')
            if $name =~ /\A_|\A(?:sasl|ssl|tls|starttls|user|pass|auth|oauth|mech|insecure|cert|verify)/i;
        delete $arg->{$name};
    }
    for my $name (grep { exists $arg->{$_} } qw(allow_partial_success persistent debug insecure_cleartext_auth)) {
        $arg->{$name} = $ADAPTER->truth($name, $arg->{$name});
    }
    $arg->{ssl_options} = $ADAPTER->tls_options(ssl_options => $arg->{ssl_options}) if exists $arg->{ssl_options};
    _read_servers($arg);
    $arg->{_connect_options} = _options_of($arg);
    _check($arg);
    return;
}

my %security_of = (0 => 'none', 1 => 'ssl', ssl => 'ssl', starttls => 'starttls', maybestarttls => 'maybestarttls');
my %security_in_url = (implicit => 'ssl', required => 'starttls', opportunistic => 'maybestarttls', none => 'none');
my %usual_port = (ssl => 465, starttls => 587);

sub _read_servers {
    my ($arg) = @_;

    return _read_url($arg) if exists $arg->{url};
    _usage('host and hosts', 'give one of them') if exists $arg->{host} && exists $arg->{hosts};
    my $name = exists $arg->{hosts} ? 'hosts' : 'host';
    $arg->{hosts} = $ADAPTER->list($name, delete $arg->{$name} // 'localhost');
    for my $host (grep { /:/ && !/\A\[.*\]\z/ } @{ $arg->{hosts} }) {
        _usage("$name: no port in it ($host)", 'the port is the attribute port; an IPv6 address stands in brackets');
    }
    my $security = $arg->{_security} = _security_of($arg);
    $arg->{port} //= $usual_port{$security} // 25;
    $arg->{_servers} = [map { $ADAPTER->server($_, $arg->{port}, $security) } @{ $arg->{hosts} }];
    return;
}

sub _read_url {
    my ($arg) = @_;

    for my $name (grep { exists $arg->{$_} } qw(host hosts port ssl)) {
        _usage("url and $name", "the server's address says it all: leave $name out");
    }
    my $place = Net::SMTP::AuthC::ServerAddress->parse($arg->{url});
    $arg->{hosts}     = [$place->{host}];
    $arg->{port}      = $place->{port};
    $arg->{_security} = $security_in_url{ $place->{tls} };
    $arg->{_servers}  = [$arg->{url}];
    return;
}

# Who logs in and says nothing about TLS gets it, for the password must not be seen.
sub _security_of {
    my ($arg) = @_;

    my $ssl = $arg->{ssl};
    return $security_of{ lc $ssl } // _usage(qq{ssl: "$ssl" is not known; nothing was sent},
        q{it is ssl (or 1) for TLS from the start, starttls, maybestarttls, or 0 for none}) if defined $ssl;
    return 'ssl' if ($arg->{port} // '') eq '465';
    return 'none' if $arg->{insecure_cleartext_auth};
    return +(grep { exists $arg->{$_} } qw(sasl_username oauth_token sasl_authenticator)) ? 'starttls' : 'none';
}

my %option_of = (sasl_username => 'username', sasl_password => 'password', sasl_authenticator => 'sasl',
    helo => 'hello', localaddr => 'local_address', localport => 'local_port',
    map { $_ => $_ } qw(oauth_token authzid timeout debug transcript insecure_cleartext_auth));

sub _options_of {
    my ($arg) = @_;

    my %option = (%{ $arg->{ssl_options} || {} },
        map { $option_of{$_} => $arg->{$_} } grep { exists $arg->{$_} } keys %option_of);
    $option{mechanism} = ref $arg->{mechanism} ? $arg->{mechanism} : [split /[\s,]+/, $arg->{mechanism}]
        if exists $arg->{mechanism};
    return \%option;
}

# What connect would find out only when there is a mail to be sent.
sub _check {
    my ($arg) = @_;

    my $option = $arg->{_connect_options};
    _usage('sasl_authenticator and sasl_username', 'give one of them')
        if defined $option->{sasl} && defined $option->{username};
    _usage('sasl_username but no sasl_password')
        if defined $option->{username} && !grep { defined $option->{$_} } qw(password oauth_token sasl mechanism);
    _usage(qq{body: "$arg->{body}"}, '7bit or 8bit, or leave it out') if ($arg->{body} // '7bit') !~ /\A[78]bit\z/i;
    Net::SMTP::AuthC::Options->limits($option);
    for my $server (@{ $arg->{_servers} }) {
        my $place = Net::SMTP::AuthC::ServerAddress->parse($server);
        Net::SMTP::AuthC::Login->of($place, $option);
        Net::SMTP::AuthC::TlsOptions->of($option, $place->{host});
    }
    return;
}

# ---- sending ----

sub send_email {
    my ($self, $email, $envelope) = @_;

    my @given = grep { defined && length } @{ $envelope->{to} };
    Email::Sender::Failure->throw('no valid addresses in recipient list') if !@given;
    my $from = $envelope->{from};
    my $sender = _address(sender => $from);
    $REPORT->failure($sender, '', @given)->throw if ref $sender;
    my %path_of = map { $_ => _address(recipients => $_) } @given;
    my @refused = map { $REPORT->failure($path_of{$_}, $_, $_) } grep { ref $path_of{$_} } @given;
    my @to = grep { !ref $path_of{$_} } @given;
    $REPORT->throw(\@given, @refused) if @refused && (!@to || !$self->allow_partial_success);

    my $octets  = $email->as_string;
    my $receipt = eval {
        $self->_submit(\$octets, from => $sender, to => [map { $path_of{$_} } @to], $self->_submit_options);
    };
    return $self->_success($receipt, \@to, @refused) if $receipt;
    $self->_fail($@, $from, \@to, @refused);
}

sub _submit_options {
    my ($self) = @_;

    return (all_or_none => $self->allow_partial_success ? 0 : 1, defined $self->body ? (body => $self->body) : ());
}

sub _success {
    my ($self, $receipt, $to, @refused) = @_;

    return $REPORT->success($receipt, @refused, $REPORT->of_recipients($receipt, $to));
}

sub _fail {
    my ($self, $error, $from, $to, @refused) = @_;

    die $error if !$ADAPTER->is_error($error);    # a signal handler's, or a callback's
    my $partial = $self->allow_partial_success;
    my $server   = sprintf '(%s) port %s', join(', ', $self->hosts), $self->port;
    my @failures = $REPORT->of_error($error, $to, from => $from, server => $server, everybody => $partial);
    return $REPORT->throw([@$to, map { $_->recipients } @refused], @refused, @failures);
}

# ---- addresses ----

# As submit takes it, or the error why it will not. Octets of UTF-8 are taken for its characters.
sub _address {
    my ($kind, $given) = @_;

    my $text = $given;
    utf8::decode($text) if defined $text && utf8::downgrade(my $octets = $text, 1);
    my ($path) = eval { Net::SMTP::AuthC::Envelope->$kind(defined $text ? _quoted($text) : undef) };
    return $path ? $path->{address} : $@;
}

# Local parts that need it get quotes, as long as they have none.
sub _quoted {
    my ($address) = @_;

    my ($local, $domain) = $address =~ /\A(.+)\@(\[[^\[\]\s]+\]|[^\s<>()\[\]\\,;:\@"]+)\z/s or return $address;
    return $address if $local =~ /\A"(?:[^"\\]|\\.)*"\z/s || $local !~ /[\x00-\x20\x7f<>()\[\]\\,;:\@"]|\A\.|\.\z/;
    return '"' . $local =~ s/(["\\])/\\$1/gr . qq{"\@$domain};
}

# ---- connections ----

# A receipt, or an exception.
sub _submit {
    my ($self, $message, @mail) = @_;

    my $kept = $self->_take_kept;
    my $receipt = $kept && eval { $kept->submit($message, @mail) };
    if ($kept) {
        my $error = $@;
        my $was_cut_short = !$receipt && _was_cut_short($error, $kept);
        $self->_put_back($kept);
        return $receipt if $receipt;
        die $error if !$was_cut_short;
    }
    return $self->_submit_anew($message, @mail);
}

# A server that goes away before it has the message is not asked again; the next one may be.
sub _submit_anew {
    my ($self, $message, @mail) = @_;

    my @servers = @{ $self->_servers };
    while (1) {
        my $smtp = $self->_connected(\@servers);
        my $receipt = eval { $smtp->submit($message, @mail) };
        my $error = $@;
        my $was_cut_short = !$receipt && _was_cut_short($error, $smtp);
        $self->_put_back($smtp);
        return $receipt if $receipt;
        die $error if !@servers || !$was_cut_short;
    }
}

# Takes the servers that were tried off the list.
sub _connected {
    my ($self, $servers) = @_;

    my @all = @$servers;
    return $ADAPTER->connect_first(\@all, $self->_connect_options, sub { shift @$servers });
}

# The connection is gone, and the end of the message never left for the server.
sub _was_cut_short {
    my ($error, $smtp) = @_;

    return $ADAPTER->is_error($error) && !$error->may_have_been_sent && $error->kind !~ /\A(?:usage|interrupted)\z/
        && $smtp->_state eq 'closed';
}

# The kept connection, if it is this process's and there is nothing to be said against it. What its server has said
# meanwhile is heard before submit says a word.
sub _take_kept {
    my ($self) = @_;

    my ($pid, $smtp) = @{ $self->_kept || [0] };
    $self->_kept(undef);
    return $pid == $$ && Scalar::Util::blessed($smtp) && $smtp->_state eq 'idle' ? $smtp : undef;
}

sub _put_back {
    my ($self, $smtp) = @_;

    return if $smtp->_state ne 'idle';
    return $ADAPTER->hang_up($smtp) if !$self->persistent;
    $self->_kept([$$, $smtp]);
    return;
}

sub disconnect {
    my ($self) = @_;

    my $smtp = $self->_take_kept or return;
    $ADAPTER->hang_up($smtp);
    return;
}

no Moo;

1;

__END__

=encoding utf8

=head1 NAME

Email::Sender::Transport::AuthC - send with Email::Sender over verified TLS, with an exact answer for every recipient

=head1 SYNOPSIS

    use Email::Sender::Simple qw(sendmail);
    use Email::Sender::Transport::AuthC;

    my $transport = Email::Sender::Transport::AuthC->new(
        host          => 'smtp.example.com',
        ssl           => 'starttls',
        sasl_username => 'shop',
        sasl_password => $secret,
    );
    sendmail($email, {transport => $transport});

In a program that nobody changes:

    EMAIL_SENDER_TRANSPORT=AuthC
    EMAIL_SENDER_TRANSPORT_host=smtp.example.com
    EMAIL_SENDER_TRANSPORT_ssl=starttls
    EMAIL_SENDER_TRANSPORT_sasl_username=shop
    EMAIL_SENDER_TRANSPORT_sasl_password=secret

With Email::Stuffer, and in the configuration of a framework:

    Email::Stuffer->transport(AuthC => url => 'smtps://smtp.example.com', sasl_username => 'shop',
        sasl_password => $secret);

    plugins:
      Email:
        transport:
          AuthC:
            url: smtps://shop:secret@smtp.example.com

=head1 DESCRIPTION

A transport for L<Email::Sender> over L<Net::SMTP::AuthC>. It needs Email::Sender, which is not needed by anything
else in this distribution. What L<Email::Sender::Transport::SMTP> takes it takes too, and it differs in this:

=over

=item *

Certificates are verified, chain and name; passwords and tokens never cross an open line. SCRAM, OAUTHBEARER and the
others of L<Net::SMTP::AuthC/LOGGING IN> are there.

=item *

Every failure keeps its reason, code and enhanced code, and those of a failed connection too.

=item *

A message that may be out although nobody said so is never reported in a way that invites another try (L</FAILURES>).

=item *

SIZE, 8BITMIME and SMTPUTF8 are said where the message and the server have a use for them.

=item *

C<maybestarttls> uses TLS where it is offered, and then verifies it.

=back

L<Email::Sender::Transport::SMTP::AuthC> is the same by another name.

=head1 ATTRIBUTES

All may be strings, as the environment and configuration files have them. One that is empty or undefined counts as not
given. Mistakes die in C<new>.

=over

=item host, hosts

A name; a reference to a list of names, or names with commas between. The next one is tried when the one before it
could not be reached, refused to talk, or went away before it had the message; not after a wrong password.
C<localhost> by default. An IPv6 address stands in brackets. As methods: the first, and all of them as a list.

=item port

465 with C<ssl>, 587 with C<starttls>, else 25.

=item ssl

C<ssl> or C<1>, C<starttls>, C<maybestarttls>, or C<0>; anything else is an error. When it is not given: TLS from the
start on port 465, STARTTLS for whoever logs in, none otherwise. With C<0> or C<maybestarttls> a password crosses an
open line only by a mechanism that does not show it.

=item url

C<smtps://user:password@host:465>, C<smtp://host:587>: see L<Net::SMTP::AuthC/connect>. It stands for C<host>, C<port>
and C<ssl>, and for the login if it has one.

=item ssl_options

    ssl_options => {SSL_ca_file => '/etc/our-ca.pem'}
    EMAIL_SENDER_TRANSPORT_ssl_options=SSL_ca_file=/etc/our-ca.pem,SSL_verifycn_name=mail.example.com

The TLS options of L<Net::SMTP::AuthC/connect>, by the names of IO::Socket::SSL or by ours, such as C<ca_file> or
C<pins>. One that is not known is an error.

=item sasl_username, sasl_password, oauth_token

Who logs in; password and token may be code refs. A user name alone is an error.

=item sasl_authenticator

An L<Authen::SASL> object instead.

=item mechanism, authzid

Names of mechanisms to try in this order; the identity to act as.

=item insecure_cleartext_auth

1 lets passwords and tokens cross an open line.

=item allow_partial_success

1 sends to those that were accepted when others were refused, and returns an L<Email::Sender::Success::Partial>; such
a transport cannot be used by Email::Sender::Simple. 0, the default: when one is refused nobody gets the message.

=item persistent

1 keeps the connection for the next message. It is used again only by the process that made it, and only while nothing
can be said against it; when the server has gone meanwhile, and the message cannot have been sent, another connection
is opened without a word.

=item timeout

Seconds for each step: 120, and 600 for the reply to the end of the message unless it is given.

=item helo, localaddr, localport

The name in EHLO (this host's full name by default); an IP address and a port of this machine.

=item body

C<7bit> sends a message with 8-bit octets to a server that does not offer 8BITMIME.

=item debug, transcript

Prints the dialogue on standard error; keeps it, or hands it to a handle or code ref. Secrets are masked.

=back

Attributes that are none of these are passed over, as Moo does it; but one that looks as if it were about a login or
TLS is an error.

=head1 METHODS

=head2 send

    my $success = $transport->send($email, {from => $sender, to => \@recipients});

That of every transport. The success has C<message>, the server's last words, and C<receipt>, a
L<Net::SMTP::AuthC::Receipt>. Local parts that need quotes get them. Recipients that are undefined or empty are left
out.

=head2 send_email

    my $success = $transport->send_email($abstract, {from => $sender, to => \@recipients});

The same for wrappers: L<Email::Abstract> and envelope as they are.

=head2 disconnect

    $transport->disconnect;

Says QUIT on a connection that was kept, and forgets it.

=head1 FAILURES

What is thrown is an L<Email::Sender::Failure>: C<::Temporary> for codes 4yz, C<::Permanent> for 5yz and for what can
never be sent (a line end in an address), C<::Multi> where several recipients have failures of their own, and none of
these for failures without a code, such as a server that cannot be reached. Besides C<message>, C<code> and
C<recipients> it has

=over

=item error

The L<Net::SMTP::AuthC::Error>; undef for a C<::Multi>.

=item kind, step, enhanced, hint, transcript, receipt

The error's.

=item may_have_been_sent

1 if the whole message was handed over and the connection broke before the server's answer. Such a failure is neither
Temporary nor Permanent and has no code: look before you send again.

    if ($failure->can('may_have_been_sent') && $failure->may_have_been_sent) { ask_a_human($failure->recipients) }

=back

=head1 DIAGNOSTICS

=over

=item ssl: "tls" is not known; nothing was sent

The values are C<ssl>, C<starttls>, C<maybestarttls> and C<0>.

=item there is no attribute "username"

The attributes of a login begin with C<sasl_>.

=item sasl_username but no sasl_password

Give both, or a token.

=item no valid addresses in recipient list

All recipients were empty.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Email::Sender::Manual>, L<Mail::Mailer::authc>

=cut
