# Connect: the sending face's connection: called, greeted, inside TLS where that was asked for, and logged in.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Login;
use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::ServerAddress;
use Net::SMTP::AuthC::TlsOptions;

my %is_connect_option = map { $_ => 1 } qw(tls_name timeout end_timeout deadline hello local_address local_port family
    transcript insecure_cleartext_auth pipelining debug channel_binding proxy);

# What perl adds where the core dies.
my $OUR_PLACE = qr{ at (?:(?! at ).)*/AuthC/\w+\.pm line [0-9]+(?:, <.*> \w+ [0-9]+)?\.\n\z}s;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

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

sub _is_connect_option {
    my ($name) = @_;

    return $is_connect_option{$name} || Net::SMTP::AuthC::Login->is_option($name)
        || Net::SMTP::AuthC::TlsOptions->is_option($name);
}

sub connect {
    my ($class, $server, @given) = @_;

    my $given = _given('connect', \&_is_connect_option, @given);
    my $limit = Net::SMTP::AuthC::Options->limits($given);
    if (ref $server eq 'ARRAY') {
        require Net::SMTP::AuthC::ServerList;
        return Net::SMTP::AuthC::ServerList->connect($class, $server, $given, $limit);
    }
    return $class->_connect_to(_plan($server, $given), $given, $limit);
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
    return {place => $place, login => $login, proxy => \@proxy, name => Net::SMTP::AuthC::ServerAddress->display($place)};
}

sub _connect_to {
    my ($class, $plan, $given, $limit) = @_;

    my $self = $class->_new;
    @{ *$self }{qw(net_smtp_host net_smtp_authc_server net_smtp_arg)} = (@$plan{qw(name name)}, _without_secrets($given));
    *$self->{net_smtp_authc_timeout} = $given->{timeout};
    $self->_attach_transcript($given->{transcript});
    $self->debug($given->{debug}) if $given->{debug};
    $self->_dial($plan, $given, $limit);
    $self->_log_in($plan->{login}) if $plan->{login};
    $self->_set_deadline(0);
    return $self;
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
        _usage_of_core($@);
        die $@;
    }
    return $good ? $self : $self->_throw;
}

# An exception of the core's own, as an error of the caller.
sub _usage_of_core {
    my ($died) = @_;

    return if ref $died || $died !~ s/$OUR_PLACE//;
    return _usage($died);
}

sub _throw {
    my ($self, %more) = @_;

    my %field = %{ $self->_error || {kind => 'closed', step => '', text => 'not connected'} };
    delete $field{errno};
    delete @field{grep { !$field{$_} } qw(step code enhanced)};
    $field{temporary} = 0 if $field{may_have_been_sent};
    return Net::SMTP::AuthC::Error->throw(%field, $self->_about, %more);
}

sub _about {
    my ($self) = @_;

    return (server => *$self->{net_smtp_authc_server} // *$self->{net_smtp_host},
        transcript => *$self->{net_smtp_authc_transcript});
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

    my ($demand, $name) = Net::SMTP::AuthC::TlsOptions->of($given, $host);
    return (Net::SMTP::AuthC::TlsOptions->context($demand), $name);
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

sub _lacks_starttls {
    my ($self) = @_;

    return Net::SMTP::AuthC::Error->throw(
        kind => 'tls', step => 'STARTTLS', temporary => 0, text => 'the server does not offer STARTTLS',
        hint => 'use smtps:// if it has TLS from the start on another port (465); somebody between may have taken '
            . 'the offer out; ?tls=none sends in clear',
        $self->_about,
    );
}

sub _log_in {
    my ($self, $login) = @_;

    my $started = _now();
    my $good = eval { $login->run($self) } // do { _usage_of_core($@); die $@ };
    $self->_throw($login->hint($self->_error || {kind => 'closed'}, *$self->{net_smtp_host})) if !$good;
    *$self->{net_smtp_authc_timings}{auth} = _now() - $started;
    return;
}

# ---- the transcript ----

sub transcript { return *{ $_[0] }->{net_smtp_authc_transcript} }

my %direction = (S => 'server', C => 'client', '*' => 'note');

# transcript => 1 keeps it; a handle gets it as text, a sub gets each entry, while it happens.
sub _attach_transcript {
    my ($self, $where) = @_;

    return if !$where;
    my $sink = _sink($where);
    require Net::SMTP::AuthC::Transcript;
    my $transcript = *$self->{net_smtp_authc_transcript} = Net::SMTP::AuthC::Transcript->new;
    my $started = _now();
    *$self->{net_smtp_authc_sink} = sub {
        my ($speaker, $text, $secret) = @_;

        my %entry = (direction => $direction{$speaker}, text => $text, secret => $secret ? 1 : 0,
            ms => int 1000 * (_now() - $started));
        $transcript->add(%entry);
        $sink->(\%entry) if $sink;
    };
    *$self->{net_smtp_authc_trace} = 1;
    return;
}

# What to do with each entry besides keeping it.
sub _sink {
    my ($where) = @_;

    return $where if ref $where eq 'CODE';
    return if !ref $where && ref \$where ne 'GLOB';
    require Scalar::Util;
    my $handle = Scalar::Util::openhandle(ref $where ? $where : \$where)
        // _usage('transcript: 1, an open handle or a code ref');
    return sub { print {$handle} Net::SMTP::AuthC::Transcript->entry_as_text($_[0]) };
}

1;
