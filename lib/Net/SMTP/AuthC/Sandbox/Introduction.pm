# The commands by which a client makes itself known: EHLO, HELO, STARTTLS, AUTH. Functions over a session.
package Net::SMTP::AuthC::Sandbox::Introduction;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Mechanisms;

sub ehlo {
    my ($session, $name) = @_;
    return '501 5.5.4 One name or [address], please' unless $name =~ /\A[\x21-\x7e]+\z/;
    my $option = $session->{option};
    my $reply = defined $option->{ehlo_raw} ? $option->{ehlo_raw}
        : join "\n", "250 $option->{name}", _keywords($session);
    return ($reply, done => sub { _hello($session, $name, 1) });
}

sub helo {
    my ($session, $name) = @_;
    return '501 5.5.4 One name or [address], please' unless $name =~ /\A[\x21-\x7e]+\z/;
    return ("250 $session->{option}{name}", done => sub { _hello($session, $name, 0) });
}

sub _hello {
    my ($session, $name, $extended) = @_;
    @$session{qw(helo extended)} = ($name, $extended);
    $session->forget_mail;
    $session->note(set => helo => $name);
    return;
}

# The extension lines of EHLO: those of the option, with STARTTLS and AUTH where they make sense just now.
sub _keywords {
    my ($session) = @_;
    my $option = $session->{option};
    my $other = $session->{tls} ? qr/\ASTARTTLS\b/i : qr/\AREQUIRETLS\b/i;
    my @lines = grep { $_ !~ $other } @{ $option->{keywords} };
    push @lines, 'STARTTLS' if $option->{tls} eq 'starttls' && !$session->{tls} && !grep { /\ASTARTTLS\b/i } @lines;
    my @mechanisms = _mechanisms($session);
    my $auth = @mechanisms && ($session->{tls} || $option->{auth_without_tls});
    push @lines, "AUTH @mechanisms" if $auth && !grep { /\AAUTH[ =]/i } @lines;
    return @lines;
}

# Those of the option that can be had on this connection.
sub _mechanisms {
    my ($session) = @_;
    my $bound = grep { defined $session->{stream}->binding($_) } qw(tls-exporter tls-unique tls-server-end-point);
    return grep { $bound || !Net::SMTP::AuthC::Sandbox::Mechanisms::binds($_) } @{ $session->{option}{mechanisms} };
}

# What was sent behind STARTTLS is thrown away before the reply: after it, it could be the client's handshake.
sub starttls {
    my ($session) = @_;
    my $option = $session->{option};
    return '502 5.5.1 STARTTLS is not implemented' unless $option->{tls} eq 'starttls';
    my $early = $session->{stream}->drop_input;
    $session->remark('early talker: ' . length($early) . ' octets behind STARTTLS') if length $early;
    return ('220 2.0.0 Ready to start TLS', after => sub {
        begin_tls($session);
        $session->forget_mail;
        delete @$session{qw(helo extended user mechanism identity)};
        $session->{stream}->unread($early) if $option->{keep_input_behind_starttls};
    });
}

sub begin_tls {
    my ($session) = @_;
    $session->stage('tls');
    my $tls = $session->{make_tls}->($session->{stream}->fileno);
    $session->{stream}->start_tls($tls);
    @$session{qw(tls certificate)} = ($tls->version, $tls->peer_subject);
    my $resumed = $tls->resumed ? 1 : 0;
    $session->note(set => tls => $session->{tls}, resumed => $resumed, client_certificate => $session->{certificate});
    return $session->remark("TLS: $session->{tls}" . ($resumed ? ', resumed' : ''));
}

sub auth {
    my ($session, $argument) = @_;
    my $option = $session->{option};
    return '501 5.5.4 The form is AUTH mechanism [initial-response]' if $argument !~ /\A(\S+)(?: (\S+))?\z/;
    my ($name, $initial) = (uc $1, $2);
    return '504 5.5.4 Unknown authentication mechanism' unless grep { uc eq $name } _mechanisms($session);
    return '538 5.7.11 Encryption required for authentication' unless $session->{tls} || $option->{auth_without_tls};
    my $fault = $session->plan('login', '', $argument);
    $session->deliver('login', $fault) if $fault->{faulty};
    return if length $fault->{octets};
    my $exchange = _exchange($session, $argument, $initial, $fault);
    my ($user, $identity) = $exchange->run($name);
    return $fault->{refuse} if defined $fault->{refuse};
    return '535 5.7.8 Authentication credentials invalid' unless defined $user;
    return ($exchange->success, done => sub {
        @$session{qw(user mechanism identity)} = ($user, $name, $identity);
        $session->note(set => user => $user, mechanism => $name, identity => $identity);
    });
}

# What a mechanism needs to know. Who is to be refused is unknown, so that each mechanism says it in its own way.
sub _exchange {
    my ($session, $argument, $initial, $fault) = @_;
    my $option = $session->{option};
    my ($stream, $round) = ($session->{stream}, 0);
    my %secrets = map { $_ => defined $fault->{refuse} ? {} : $option->{$_} } qw(users oauth_tokens);
    return Net::SMTP::AuthC::Sandbox::Mechanisms->new(
        %secrets, initial => $initial, fault => $fault,
        talk => sub { _challenge($session, $_[0], $argument, ++$round) }, remark => sub { $session->remark($_[0]) },
        binding => sub { $stream->binding($_[0]) },
        offers_plus => scalar grep({ Net::SMTP::AuthC::Sandbox::Mechanisms::binds($_) } _mechanisms($session)),
        map({ $_ => $session->{$_} } qw(certificate folder)),
        map({ $_ => $option->{$_} } qw(name legacy_plain damaged_challenge scram_iterations scram_signature)),
    );
}

# Sends one 334 and gives the client's line; a fault that makes something else of the 334 ends the exchange.
sub _challenge {
    my ($session, $reply, $argument, $round) = @_;
    $session->answer('auth-challenge', $reply, $argument, round => $round) or die { reply => undef };
    my $line = $session->{stream}->getline(Net::SMTP::AuthC::Sandbox::Mechanisms::LINE_LIMIT());
    $session->line(client => $line) if defined $line;
    return $line;
}

1;
