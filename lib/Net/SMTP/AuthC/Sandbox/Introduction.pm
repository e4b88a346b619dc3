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
    my @lines = grep { !($session->{tls} && /\ASTARTTLS\b/i) } @{ $option->{keywords} };
    push @lines, 'STARTTLS' if $option->{tls} eq 'starttls' && !$session->{tls} && !grep { /\ASTARTTLS\b/i } @lines;
    my $auth = @{ $option->{mechanisms} } && ($session->{tls} || $option->{auth_without_tls});
    push @lines, "AUTH @{ $option->{mechanisms} }" if $auth && !grep { /\AAUTH[ =]/i } @lines;
    return @lines;
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
    $session->{tls} = $tls->version;
    $session->note(set => tls => $session->{tls}, client_certificate => $tls->peer_subject);
    return $session->remark("TLS: $session->{tls}");
}

sub auth {
    my ($session, $argument) = @_;
    my $option = $session->{option};
    return '501 5.5.4 The form is AUTH mechanism [initial-response]' if $argument !~ /\A(\S+)(?: (\S+))?\z/;
    my ($name, $initial) = (uc $1, $2);
    return '504 5.5.4 Unknown authentication mechanism' unless grep { uc eq $name } @{ $option->{mechanisms} };
    return '538 5.7.11 Encryption required for authentication' unless $session->{tls} || $option->{auth_without_tls};
    my $exchange = Net::SMTP::AuthC::Sandbox::Mechanisms->new(
        initial => $initial, users => $option->{users}, talk => sub { _challenge($session, @_) },
        map { $_ => $option->{$_} } qw(name legacy_plain damaged_challenge),
    );
    my ($user, $identity) = $exchange->run($name);
    return '535 5.7.8 Authentication credentials invalid' unless defined $user;
    return ('235 2.7.0 Authentication successful', done => sub {
        @$session{qw(user mechanism identity)} = ($user, $name, $identity);
        $session->note(set => user => $user, mechanism => $name, identity => $identity);
    });
}

# Sends one 334 and gives the client's line; a fault that makes something else of the 334 ends the exchange.
sub _challenge {
    my ($session, $reply) = @_;
    $session->answer('auth-challenge', $reply) or die { reply => undef };
    my $line = $session->{stream}->getline(Net::SMTP::AuthC::Sandbox::Mechanisms::LINE_LIMIT());
    $session->line(client => $line) if defined $line;
    return $line;
}

1;
