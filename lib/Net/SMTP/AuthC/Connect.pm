# Connect: the sending face's connection: called, greeted, inside TLS where that was asked for, and logged in.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Login;
use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::ServerAddress;

my %is_connect_option = map { $_ => 1 } qw(tls_name timeout end_timeout deadline hello local_address local_port family
    transcript insecure_cleartext_auth pipelining debug channel_binding proxy reconnect ladder_file);

# The options of a method as a hash.
sub _given {
    my ($method, $is_known, @given) = @_;

    _usage("$method: options come in pairs of name and value") if @given % 2;
    my %given = @given;
    for my $name (sort keys %given) {
        _usage(qq{unknown option "$name" of $method}) if !$is_known->($name);
    }
    return \%given;
}

sub _tls_options { require Net::SMTP::AuthC::TlsOptions; return 'Net::SMTP::AuthC::TlsOptions' }

sub _is_connect_option {
    my ($name) = @_;

    return $is_connect_option{$name} || Net::SMTP::AuthC::Login->is_option($name)
        || _tls_options()->is_option($name);
}

sub connect {
    my ($class, $server, @given) = @_;

    return $class->_connect_with($server, _given('connect', \&_is_connect_option, @given));
}

# early, of send_mail, is known here, too.
sub _connect_with {
    my ($class, $server, $given) = @_;

    my $limit = Net::SMTP::AuthC::Options->limits($given);
    if (ref $server eq 'ARRAY') {
        require Net::SMTP::AuthC::ServerList;
        return Net::SMTP::AuthC::ServerList->connect($class, $server, $given, $limit);
    }
    my $plan = _plan($server, $given);
    my $self = eval { $class->_connect_to($plan, $given, $limit) };
    return $self if $self;
    my $error = $@;
    die $error if !ref $error || !eval { $error->kind eq 'deferred' && $error->step eq 'greeting' };
    require Net::SMTP::AuthC::Busy;
    return Net::SMTP::AuthC::Busy->connect($class, $plan, $given, $limit, $error);
}

# What is known of a server before it is called.
sub _plan {
    my ($server, $given) = @_;

    my $place = Net::SMTP::AuthC::ServerAddress->parse($server);
    my $login = Net::SMTP::AuthC::Login->of($place, $given);
    my @proxy;
    if (defined $given->{proxy}) {
        require Net::SMTP::AuthC::ProxyAddress;
        @proxy = Net::SMTP::AuthC::ProxyAddress->options($given->{proxy});
    }
    return {place => $place, login => $login, proxy => \@proxy,
        name => Net::SMTP::AuthC::ServerAddress->display($place)};
}

sub _connect_to {
    my ($class, $plan, $given, $limit) = @_;

    my $self = $class->_new;
    @{ *$self }{qw(net_smtp_host net_smtp_authc_server)} = @$plan{qw(name name)};
    *$self->{net_smtp_arg}           = _without_secrets($given);
    *$self->{net_smtp_authc_timeout} = $given->{timeout};
    $self->_attach_transcript($given->{transcript}) if $given->{transcript};
    $self->debug($given->{debug}) if $given->{debug};
    $self->_come_in($plan, $given, $limit);
    *$self->{net_smtp_authc_way} = _way($plan, $given, $limit) if $given->{reconnect} // !defined $given->{sasl};
    return $self;
}

sub _come_in {
    my ($self, $plan, $given, $limit) = @_;

    $self->_dial($plan, $given, $limit);
    $given->{early} ? $self->_begin_login($plan->{login}) : $self->_log_in($plan->{login}) if $plan->{login};
    $self->_set_deadline(0) if !$given->{early};
    if (defined $given->{ladder_file} || $INC{'Net/SMTP/AuthC/Ladder.pm'}) {
        require Net::SMTP::AuthC::Ladder;
        Net::SMTP::AuthC::Ladder->begin($self, $given->{ladder_file});
    }
    return;
}

sub _begin_login { require Net::SMTP::AuthC::Early; return Net::SMTP::AuthC::Early->begin(@_) }

# How to come here again; its secrets stand where no dump of the object shows them.
sub _way {
    my ($plan, $given, $limit) = @_;

    return sub {
        my ($self, $left) = @_;
        my ($deadline) = sort { $a <=> $b } grep { $_ } $limit->{deadline}, $left;
        return $self->_come_in($plan, {%$given, early => 0}, {%$limit, deadline => $deadline});
    };
}

sub _without_secrets {
    my ($given) = @_;

    my %kept = %$given;
    delete @kept{qw(password oauth_token key_password sasl proxy)};
    return \%kept;
}

# A call of the core that must succeed. What it dies of by itself is an error of the caller; what a signal handler or
# the transcript's code dies of stays as it is.
sub _must {
    my ($self, $operation, @arguments) = @_;

    my $good;
    if (!eval { $good = $self->$operation(@arguments); 1 }) {
        my $died = $@;
        _usage_of_core($died) if _can_tell();
        die $died;
    }
    return $good ? $self : $self->_throw;
}

# Failure tells all that is known. Where it cannot be read (no descriptor is left, the root is another one by now), the
# core's words must do.
sub _can_tell { return eval { require Net::SMTP::AuthC::Failure } }

sub _throw {
    my ($self, @more) = @_;

    my $error = $self->_error || {kind => 'closed', step => '', text => 'not connected'};
    die "$error->{text}\n" if !_can_tell();
    return $self->_fail($error, @more);
}

sub _dial {
    my ($self, $plan, $given, $limit) = @_;

    my $place   = $plan->{place};
    my $started = _now();
    my @tls = $place->{tls} eq 'none' ? () : _tls_for($given, $place->{host});
    my ($timeout, $end_timeout, $deadline) = @$limit{qw(timeout end_timeout deadline)};
    $self->_must(_connect => *$self->{net_smtp_authc_trace} ? 1 : 0,
        host => $place->{host}, service => $place->{port}, family => $limit->{family},
        unix_path => $place->{unix_path}, lmtp => $place->{lmtp}, @{ $plan->{proxy} },
        local_host => $given->{local_address}, local_service => $given->{local_port},
        timeout => $timeout, end_timeout => $end_timeout, deadline => $deadline // 0,
        insecure_cleartext_auth => $given->{insecure_cleartext_auth},
        channel_binding => Net::SMTP::AuthC::Options->bindings($given->{channel_binding}),
        (@tls ? (tls => $tls[0], tls_name => $tls[1], implicit_tls => $place->{tls} eq 'implicit') : ()),
    );
    *$self->{net_smtp_authc_timings}{tls} = $self->_handshake_time if $place->{tls} eq 'implicit';
    $self->_set_pipelining(0) if exists $given->{pipelining} && !$given->{pipelining};
    (*$self->{net_smtp_banner}) = ($self->_reply)[1];
    $self->_introduce($place, \@tls, $given->{hello} // $self->_own_name);
    *$self->{net_smtp_authc_timings}{connect} = _now() - $started - (*$self->{net_smtp_authc_timings}{tls} // 0);
    return;
}

sub _tls_for {
    my ($given, $host) = @_;

    my ($demand, $name) = _tls_options()->of($given, $host);
    return (_tls_options()->context($demand), $name);
}

# EHLO, and where it is due STARTTLS and EHLO again. Nobody falls back to clear text who has asked for TLS.
sub _introduce {
    my ($self, $place, $tls, $name) = @_;

    my $needs_tls = $place->{tls} eq 'required';
    $self->_must(_hello => $name, $needs_tls || $place->{lmtp} ? 1 : 0);
    my %offered = $self->_capabilities;
    $self->_lacks_starttls if $needs_tls && !exists $offered{STARTTLS};
    if ($needs_tls || $place->{tls} eq 'opportunistic' && exists $offered{STARTTLS}) {
        my $started = _now();
        $self->_must(_starttls => @$tls);
        $self->_must(_hello => $name, 1);
        *$self->{net_smtp_authc_timings}{tls} = _now() - $started;
    }
    *$self->{net_smtp_esmtp} = {$self->_capabilities};
    return;
}

sub _log_in {
    my ($self, $login) = @_;

    my $started = _now();
    my $good = eval { $login->run($self) };
    if (!defined $good) {
        my $died = $@;
        _usage_of_core($died) if _can_tell();
        die $died;
    }
    $self->_throw($login->hint($self->_error || {kind => 'closed'}, *$self->{net_smtp_host})) if !$good;
    *$self->{net_smtp_authc_timings}{auth} = _now() - $started;
    return;
}

sub transcript { return *{ $_[0] }->{net_smtp_authc_transcript} }

1;
