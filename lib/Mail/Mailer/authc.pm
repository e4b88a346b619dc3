# authc: a mailer for MailTools over Net::SMTP::AuthC: Mail::Internet, Mail::Send and MIME::Entity send by it.
package Mail::Mailer::authc;

use 5.014;
use strict;
use warnings;

use Errno ();
use Mail::Util ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Adapter;
use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Options;
use parent 'Mail::Mailer::rfc822';

our $VERSION = '0.01';

my $ADAPTER = 'Net::SMTP::AuthC::Adapter';

# ---- options: the words of Mail::Mailer::smtp, and those of connect ----

my %option_of = (Timeout => 'timeout', Hello => 'hello', LocalAddr => 'local_address', LocalPort => 'local_port',
    Debug => 'debug', Family => 'family', Domain => 'family',
    map { $_ => $_ } qw(oauth_token mechanism authzid transcript insecure_cleartext_auth deadline));

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

sub _connect_options {
    my ($given) = @_;

    require Net::SMTP::AuthC::TlsOptions;
    my %option = map { $option_of{$_} => $given->{$_} } grep { defined $given->{$_} } keys %option_of;
    $option{$_} = $given->{$_} for grep { Net::SMTP::AuthC::TlsOptions->is_option($_) } keys %$given;
    return {%option, _login($given->{Auth})} if exists $given->{Auth};
    _usage('oauth_token without Auth', 'Auth => [$user]') if defined $option{oauth_token};
    return \%option;
}

# [user, password], a mechanism behind them, or one Authen::SASL object. Who gave it never sends without it.
sub _login {
    my ($auth) = @_;

    _usage('Auth: [user, password] or [$authen_sasl_object]') if ref $auth ne 'ARRAY' || !@$auth || @$auth > 3;
    my ($user, $password, $mechanism) = @$auth;
    return (sasl => $user) if @$auth == 1 && ref $user;
    _usage('Auth: the user name is missing') if !length($user // '');
    return (username => $user, defined $password ? (password => $password) : (),
        defined $mechanism ? (mechanism => ref $mechanism ? $mechanism : [split ' ', $mechanism]) : ());
}

# Who logs in and says nothing about TLS gets it.
sub _servers {
    my ($given) = @_;

    my @hosts = grep { length($_ // '') } map { ref $_ eq 'ARRAY' ? @$_ : $_ } $given->{Server} // $given->{Host};
    @hosts = _configured() if !@hosts;
    my $port = $given->{Port} // '';
    my $security = $given->{SSL} || !exists $given->{SSL} && $port eq '465' ? 'ssl'
        : $given->{StartTLS} // (exists $given->{Auth} && !$given->{insecure_cleartext_auth}) ? 'starttls' : 'none';
    return [map { m{://} ? $_ : _server($_, $port, $security) } @hosts];
}

sub _server {
    my ($host, $port, $security) = @_;

    my ($name, $own_port) = Net::SMTP::AuthC::Options->host_and_port($host, length $port ? $port : undef);
    $name = "[$name]" if $name =~ /:/;
    return $ADAPTER->server($name, $own_port // ($security eq 'ssl' ? 465 : 25), $security);
}

sub _configured {
    require Net::Config;
    my @hosts = @{ $Net::Config::NetConfig{smtp_hosts} || [] };
    return @hosts ? @hosts : _usage('no server', q{Server => 'smtp.example.com'});
}

# ---- Mail::Mailer's own course ----

sub can_cc { return 0 }

# What was begun before is finished first, and not in silence.
sub open {
    my ($self, $header) = @_;

    die $@ if *$self->{message} && !$self->close;
    *$self->{header} = $header;
    return $self if eval { $self->SUPER::open($header) };
    die _at_caller($@);
}

# With the place in the program, not that in MailTools.
sub _at_caller {
    my ($error) = @_;

    return $error if !$ADAPTER->is_error($error);
    my $level = 0;
    $level++ while ((caller $level)[0] // '') =~ /\A(?:Mail|MIME)::/;
    @$error{qw(file line)} = (caller $level)[1, 2] if caller $level;
    return $error;
}

# Called by open: connects, and makes the object take the message. Dies with the reason.
sub exec {
    my ($self, $none, $args, $to) = @_;

    my %given = @$args;
    my $header = delete *$self->{header};
    *$self->{error} = *$self->{receipt} = undef;
    _check_header($header);
    my @to = map { _addresses(recipient => $_) } grep { defined } @$to;
    my %seen;
    *$self->{envelope} = {
        from        => _sender(\%given, $header),
        to          => [grep { !$seen{$_}++ } @to],
        all_or_none => $given{SkipBad} ? 0 : 1,
    };
    _usage('no recipient') if !@to;
    *$self->{smtp}    = $ADAPTER->connect_first(_servers(\%given), _connect_options(\%given));
    *$self->{owner}   = $$;
    *$self->{message} = \my $text;
    $text = '';
    untie *$self if tied *$self;
    tie *$self, 'Mail::Mailer::authc::pipe', $self;
    return $self;
}

# Of a list as it stands in a header, line ends and all.
sub _addresses {
    my ($name, $list) = @_;

    my $line = $list =~ s/[\r\n]+\z//r =~ s/\r?\n(?=[ \t])//gr;
    return map { $_->{address} } @{ Net::SMTP::AuthC::Address->parse($line, $name) };
}

# Mail::Mailer::smtp takes its guess at who runs the program; servers that want a login seldom take that.
sub _sender {
    my ($given, $header) = @_;

    return $given->{From} if defined $given->{From};
    return Mail::Util::mailaddress() if length($ENV{MAILADDRESS} // '');
    my $field = $header->{From};
    my ($first) = map { _addresses(From => $_) } grep { defined } ref $field ? $field->[0] : $field;
    return $first // Mail::Util::mailaddress();
}

# A line end that folds is allowed, one that would begin another field is not.
sub _check_header {
    my ($header) = @_;

    for my $name (keys %$header) {
        for my $value (grep { defined } ref $header->{$name} ? @{ $header->{$name} } : $header->{$name}) {
            _usage("header $name: a line end that would begin another line of the header")
                if $name =~ /[^!-9;-~]/ || $value =~ /(?:\r\n?|\n)(?![ \t]|[\r\n]*\z)/ || $value =~ /\0/;
        }
    }
    return;
}

# Bcc has been read already, and is nobody else's business.
sub set_headers {
    my ($self, $header) = @_;

    my %header = (
        From => '<' . *$self->{envelope}{from} . '>', %$header,
        'X-Mailer' => "Mail::Mailer[v$Mail::Mailer::VERSION] Net::SMTP::AuthC[v$Net::SMTP::AuthC::VERSION]",
    );
    delete @header{grep { /\Abcc\z/i || !defined $header{$_} } keys %header};
    return $self->SUPER::set_headers(\%header);
}

# True when the server has taken the message for everybody, or with SkipBad for somebody. Otherwise false, with the
# reason in error, $@ and, as far as a number can tell it, $!.
sub close {
    my ($self) = @_;

    my $message = delete *$self->{message} or return 1;
    my $smtp    = delete *$self->{smtp};
    untie *$self;
    my $receipt = *$self->{receipt} = eval { $smtp->submit($message, %{ *$self->{envelope} }) };
    my $error = $@;
    $ADAPTER->hang_up($smtp) if $smtp->_state ne 'closed';
    return 1 if $receipt;
    die $error if !$ADAPTER->is_error($error);
    *$self->{error} = _at_caller($error);
    $! = _number_of($error);
    $@ = $error;
    return '';
}

my %number_of = (timeout => Errno::ETIMEDOUT(), closed => Errno::ECONNRESET(), usage => Errno::EINVAL(),
    auth => Errno::EACCES(), refused => Errno::EPERM(), deferred => Errno::EAGAIN());

sub _number_of { return $number_of{ $_[0]->kind } // Errno::EIO() }

sub epilogue { return }

sub error   { return *{ $_[0] }->{error} }
sub receipt { return *{ $_[0] }->{receipt} }

# A message that nobody ended may lack a part: it is not sent.
sub DESTROY {
    my ($self) = @_;

    return if !delete *$self->{message} || (*$self->{owner} // 0) != $$;
    delete *$self->{smtp};
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT';
    warn "Mail::Mailer::authc: a message was not sent, because close was not called\n";
    return;
}

# pipe: the handle that a program prints the message to.
package Mail::Mailer::authc::pipe;

sub TIEHANDLE {
    my ($class, $mailer) = @_;

    require Scalar::Util;
    my $self = bless {message => *$mailer->{message}, mailer => $mailer}, $class;
    Scalar::Util::weaken($self->{mailer});
    return $self;
}

sub PRINT {
    my $self = shift;

    ${ $self->{message} } .= join($, // '', map { $_ // '' } @_) . ($\ // '');
    return 1;
}

sub PRINTF {
    my ($self, $format, @values) = @_;

    ${ $self->{message} } .= sprintf $format, @values;
    return 1;
}

sub WRITE {
    my ($self, $octets, $length, $offset) = @_;

    my $piece = substr $octets, $offset // 0, $length // length $octets;
    ${ $self->{message} } .= $piece;
    return length $piece;
}

sub CLOSE   { return $_[0]{mailer}->close }
sub BINMODE { return 1 }
sub FILENO  { return fileno *{ $_[0]{mailer} }->{smtp} }

1;

__END__

=encoding utf8

=head1 NAME

Mail::Mailer::authc - send with MailTools and MIME::Entity over verified TLS, logged in

=head1 SYNOPSIS

    use Mail::Send;

    my $message = Mail::Send->new(To => 'customer@example.net', Subject => 'Order 1001');
    my $handle = $message->open('authc',
        Server => 'smtp.example.com', Port => 587, StartTLS => 1, Auth => ['shop', $secret],
    );
    print $handle "Thank you.\n";
    $handle->close or die $@;

    $mime_entity->send('authc', Server => 'smtps://smtp.example.com', Auth => ['shop', $secret]) or die $@;

=head1 DESCRIPTION

A mailer for L<Mail::Mailer>, L<Mail::Send>, L<Mail::Internet> and L<MIME::Entity> over L<Net::SMTP::AuthC>. It needs
MailTools, which is not needed by anything else in this distribution. It is used as L<Mail::Mailer>'s C<smtp> is, and
differs in this:

=over

=item *

When C<Auth> is given, nothing is ever sent without the login; certificates are verified; a password never crosses an
open line.

=item *

The result of C<close> is true only when the server took the message.

=item *

The connection is made by C<open>, the message is kept until C<close> and sent then. A message that was never closed
is not sent, for it may lack a part, and a warning says so.

=item *

Recipients are read as headers have them, several with commas between too. Bcc is not in what is sent. A line end that
would begin another header is an error.

=back

=head1 OPTIONS

Those of Mail::Mailer's C<smtp> and C<smtps>; those that it does not know are passed over.

=over

=item Server, Port

A host, a reference to a list of hosts to be tried in turn, or addresses such as C<smtps://smtp.example.com>. Without
it the C<smtp_hosts> of L<Net::Config>. The port is 465 with C<SSL>, else 25.

=item SSL, StartTLS

TLS from the start; STARTTLS, and no mail without it. Who gives C<Auth> and neither gets STARTTLS, or TLS from the
start on port 465; C<< StartTLS => 0 >> is the way to do without, and then only a mechanism that does not show the
password will do.

=item SSL_ca_file and the other TLS options

See L<Net::SMTP::AuthC/connect>.

=item Auth

C<[$user, $password]>, C<[$user, $password, $mechanism]>, or C<[$authen_sasl_object]>; for a token C<[$user]> with
C<< oauth_token => $token >>.

=item From

The envelope's sender. By default C<$MAILADDRESS> of the environment, else the address in the From header, else
Mail::Util's guess.

=item SkipBad

1 sends to those that were accepted when others are refused. Without it nobody gets the message then, and C<close> is
false.

=item Timeout, Hello, LocalAddr, LocalPort, Debug, mechanism, authzid, transcript, deadline, insecure_cleartext_auth

See L<Net::SMTP::AuthC/connect>.

=back

=head1 METHODS

=head2 open

    my $handle = Mail::Mailer->new('authc', %options)->open({To => $to, Subject => $subject});

Connects and logs in. Dies with a L<Net::SMTP::AuthC::Error> that says why it cannot.

=head2 close

    $handle->close or die $@;

Sends. False when the message was not taken: the reason is in C<$@> and C<error>, and the nearest number for it in
C<$!>.

=head2 error, receipt

    warn $_->address, ' ', $_->text, "\n" for $handle->receipt->refused;

The L<Net::SMTP::AuthC::Error> of a C<close> that failed; the L<Net::SMTP::AuthC::Receipt> of one that did not. When
C<< $handle->error->may_have_been_sent >>, look before you send again.

=head2 exec, epilogue, set_headers, can_cc

What Mail::Mailer calls; not for programs.

=head1 DIAGNOSTICS

=over

=item a message was not sent, because close was not called

A warning: the handle went away with a message in it.

=item header Subject: a line end that would begin another line of the header

Take it out, or put a blank behind it.

=item Auth: the user name is missing

C<Auth> was given, so nothing is sent without a login.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Mail::Mailer>, L<Email::Sender::Transport::AuthC>

=cut
