# Commands: the Net::SMTP face: same names, arguments and results, over the C core. Here the connection's commands.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::Status;
use Net::SMTP::AuthC::Transaction;

my $TIMEOUT = 120;

# ---- the connection ----

sub new {
    my $class = shift;
    my $host  = @_ % 2 ? shift : undef;
    my %arg   = @_;

    $class = ref $class || $class;
    for my $one (_hosts($host // $arg{Host})) {
        my $self = $class->_new_for($one, \%arg);
        return $self if $self;
    }
    return;
}

sub _hosts {
    my ($host) = @_;

    return grep { defined } ref $host eq 'ARRAY' ? @$host : $host if defined $host;
    local $@;
    my $configured = eval { require Net::Config; $Net::Config::NetConfig{smtp_hosts} };
    return @{ $configured || [] };
}

sub _new_for {
    my ($class, $host, $arg) = @_;

    my $self = $class->_new;
    *$self->{net_smtp_host}          = $host;
    *$self->{net_smtp_arg}           = $arg;
    *$self->{net_smtp_exact_addr}    = $arg->{ExactAddresses};
    *$self->{net_smtp_authc_timeout} = exists $arg->{Timeout} ? $arg->{Timeout} // $TIMEOUT : undef;
    $self->debug($arg->{Debug});
    return $self if $self->_open($host, $arg) && $self->_is_greeted($arg);
    my $why = $self->_why_not;
    $self->close;
    $@ = $why;
    return;
}

# A time limit that was given holds everywhere; without one the last reply may take ten minutes (RFC 5321).
sub _limits {
    my ($timeout) = @_;

    return ($TIMEOUT, 600) if !defined $timeout;
    return $timeout > 0 && $timeout < 1e9 ? ($timeout, $timeout) : (0, 0);
}

sub _open {
    my ($self, $given, $arg) = @_;

    my $good = eval { $self->_connect(*$self->{net_smtp_authc_trace}, $self->_connection_options($given, $arg)) };
    my $why = $@;
    return $self->_heard($good) if !ref $why && $why eq '';
    die $why if $self->_error;    # not about an option: a signal handler has died while we waited
    return $self->_refuse_because($why);
}

sub _connection_options {
    my ($self, $given, $arg) = @_;

    my ($host, $port) = Net::SMTP::AuthC::Options->host_and_port($given, $arg->{Port});
    my ($timeout, $end_timeout) = _limits(*$self->{net_smtp_authc_timeout});
    my @tls = $arg->{SSL} ? $self->_tls_arguments({}, $host) : ();
    return (
        host          => $host,
        service       => $port // ($arg->{SSL} ? 465 : 25),
        local_host    => $arg->{LocalAddr},
        local_service => $arg->{LocalPort},
        family        => $arg->{Domain} // $arg->{Family},
        timeout       => $timeout, end_timeout => $end_timeout,
        insecure_cleartext_auth => $arg->{insecure_cleartext_auth},
        channel_binding => Net::SMTP::AuthC::Options->bindings($arg->{channel_binding}),
        (@tls ? (tls => $tls[0], tls_name => $tls[1], implicit_tls => 1) : ()),
    );
}

# As for Net::SMTP, SSL_hostname is what SNI says and no more; the certificate must bear the host's name.
sub _tls_arguments {
    my ($self, $more, $host) = @_;

    require Net::SMTP::AuthC::TlsOptions;
    my $options = 'Net::SMTP::AuthC::TlsOptions';
    my $given = $options->merged(*$self->{net_smtp_arg} || {}, $more);
    $given->{SSL_verifycn_name} ||= $host if !defined $given->{tls_name};
    my ($demand, $name) = $options->of($given, $host);
    $demand->{allow_common_name} //= 1;    # Net::SMTP takes it too
    return ($options->context($demand), $name);
}

sub _is_greeted {
    my ($self, $arg) = @_;

    return if $self->_speaks_by_words && !$self->_hears_greeting;
    my ($banner) = $self->message;
    *$self->{net_smtp_banner} = $banner;
    (*$self->{net_smtp_domain}) = ($banner // '') =~ /\A\s*(\S+)/;
    return 1 if exists $arg->{SendHello} && !$arg->{SendHello};
    return $self->hello($arg->{Hello});
}

# As Net::SMTP puts it when the server said no, in our words otherwise.
sub _why_not {
    my ($self) = @_;

    my $error = $self->_last_error || {};
    my $text = $error->{code} ? join ' ', $self->code, scalar $self->message
        : join ': ', grep { length } @$error{qw(step text)};
    return ref($self) . ": $text" =~ s/\n*\z/\n/r;
}

sub hello {
    my ($self, $domain) = @_;

    *$self->{net_smtp_hello_domain} = $domain ||= $self->_own_name;    # some servers refuse "localhost"
    my $by_words = $self->_speaks_by_words;
    my $good = $by_words ? $self->_hello_by_words($domain) : $self->_heard($self->_hello($domain, 0));
    *$self->{net_smtp_esmtp} = {$self->_capabilities} if !$by_words;
    return if !$good;
    my ($word) = ($self->message)[0] =~ /\A\s*(\S+)/;
    return $word // ' ';
}

# All or nothing: after a failure nothing but QUIT is said in clear, even if the script does not look.
sub starttls {
    my ($self, %ssl) = @_;

    _croak('starttls: the connection is encrypted already') if $self->_tls && $self->_state ne 'closed';
    my ($host) = Net::SMTP::AuthC::Options->host_and_port(*$self->{net_smtp_host});
    my @tls = eval { $self->_tls_arguments(\%ssl, $host) };
    my $good = @tls ? $self->_heard($self->_starttls(@tls)) : $self->_cannot_start_tls($@);
    if (!$good) {
        $@ = $self->_last_error->{text} . "\n";
        return;
    }
    *$self->{net_smtp_esmtp} = {};
    return $self->hello(*$self->{net_smtp_hello_domain});
}

sub _cannot_start_tls {
    my ($self, $why) = @_;

    $self->_abandon('TLS was asked for and could not be set up, so nothing more is said in clear');
    return $self->_refuse_because($why);
}

# auth($user, $password), with a mechanism behind it as Net::SMTPS has it, or options of a login; auth($sasl_object).
sub auth {
    my ($self, $user, $password, @more) = @_;

    if (!defined $self->supports('AUTH')) {
        $self->_refuse(500, "Command unknown: 'AUTH'", kind => 'auth');
        return;
    }
    return $self->_auth_with_object($user) if _is_sasl_object($user);
    my %option = @more % 2 ? (mechanism => @more) : @more;
    return $self->_auth_with(%option, username => $user // '', password => $password);
}

sub _auth_with {
    my ($self, %option) = @_;

    require Net::SMTP::AuthC::Login;
    my ($host, $port) = Net::SMTP::AuthC::Options->host_and_port(*$self->{net_smtp_host}, *$self->{net_smtp_arg}{Port});
    $option{mechanism} //= $self->_mechanisms_of_the_program;
    my $login = eval { Net::SMTP::AuthC::Login->new(host => $host, port => $port, %option) };
    return $self->_refuse_login($@) if !$login;
    my $good = eval { $login->run($self) } // return $self->_refuse_login($@);
    $good = $self->_heard($good);
    my $error = $good ? undef : $self->_error;
    *$self->{net_smtp_authc_error} = {%$error, $login->hint($error, *$self->{net_smtp_host})} if $error;
    return $good;
}

# For what was wrong with a login before the server heard of it; anything else that dies comes through.
sub _refuse_login {
    my ($self, $why) = @_;

    die $why if !ref $why || !eval { $why->isa('Net::SMTP::AuthC::Error') };
    return $self->_refuse(501, $why->text, step => 'AUTH', hint => $why->hint);
}

sub _is_sasl_object {
    my ($given) = @_;

    return ref $given && eval { $given->can('client_new') && $given->can('mechanism') };
}

sub _auth_with_object {
    my ($self, $object) = @_;

    require Net::SMTP::AuthC::SaslObject;
    my ($host) = Net::SMTP::AuthC::Options->host_and_port(*$self->{net_smtp_host});
    my $login = Net::SMTP::AuthC::SaslObject->new($object, $host);
    return $self->_heard(1) if $login->run($self);
    $self->_heard(!1, $login->failure);
    *$self->{net_smtp_authc_error} = $login->failure;
    return !1;
}

# Some programs choose by writing into the capabilities.
sub _mechanisms_of_the_program {
    my ($self) = @_;

    my %offered = $self->_capabilities;
    my $written = *$self->{net_smtp_esmtp}{AUTH};
    return $written eq ($offered{AUTH} // '') ? undef : $written;
}

# ---- other commands ----

sub reset {
    my ($self) = @_;

    delete *$self->{net_smtp_chunking};
    return $self->_speaks_by_words ? $self->_RSET : $self->_heard($self->_reset);
}

sub noop  { return $_[0]->_speaks_by_words ? $_[0]->_NOOP : $_[0]->_heard($_[0]->_noop) }

# A command whose reply alone decides.
sub _ask {
    my ($self, $verb, $argument) = @_;

    my $by_words = $self->_speaks_by_words && "_$verb";
    return $self->$by_words(length($argument // '') ? $argument : ()) if $by_words;
    return !1 if !$self->_heard($self->_command($verb, length($argument // '') ? $argument : undef, lc $verb));
    return 1 if $self->status == 2;
    return $self->_refused_by_server($verb);
}

sub verify { return $_[0]->_ask('VRFY', $_[1]) }
sub expand { return $_[0]->_ask('EXPN', $_[1]) ? $_[0]->message : () }
sub help   { return $_[0]->_ask('HELP', $_[1]) ? scalar $_[0]->message : undef }

sub etrn {
    my ($self, @domains) = @_;

    return $self->_refuse(500, "Command unknown: 'ETRN'", step => 'ETRN') if !defined $self->supports('ETRN');
    return $self->_ask('ETRN', join ' ', @domains);
}

sub timeout {
    my ($self, @new) = @_;

    my $old = *$self->{net_smtp_authc_timeout} // $TIMEOUT;
    if (@new) {
        *$self->{net_smtp_authc_timeout} = $new[0];
        $self->_set_timeout(_limits($new[0]));
    }
    return $old;
}

1;
