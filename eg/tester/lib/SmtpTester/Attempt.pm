# Attempt: one connection as far as the login, a mail where the operator wants one, and what was learned on the way.
package SmtpTester::Attempt;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Diagnosis;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Transcript;
use Time::HiRes ();

my $STEP_SECONDS = 10;
my $QUIT_SECONDS = 3;

# A form, the addresses to connect to as literals, and ca_file, recipient, sender and seconds of the settings.
sub new {
    my ($class, $form, $addresses, %setting) = @_;

    return bless {
        form => $form, addresses => $addresses, setting => \%setting, end => Time::HiRes::time() + $setting{seconds},
        transcript => Net::SMTP::AuthC::Transcript->new(max => 400, max_octets => 128 * 1024),
    }, $class;
}

sub form       { return $_[0]{form} }
sub addresses  { return @{ $_[0]{addresses} } }
sub transcript { return $_[0]{transcript} }
sub error      { return $_[0]{error} }
sub receipt    { return $_[0]{receipt} }
sub tls        { return $_[0]{tls} }
sub mechanism  { return $_[0]{mechanism} }
sub offered    { return split ' ', $_[0]{offered} // '' }

# Never dies of what a server does.
sub run {
    my ($self) = @_;

    my $good = eval { $self->_in_time(sub { $self->_connect; $self->_log_in; $self->_send_mail }); 1 };
    $self->{error} = $good ? undef : $@;
    die $self->{error} if !$good && !eval { $self->{error}->isa('Net::SMTP::AuthC::Error') };
    $self->_leave;
    $self->_look_at_certificate if !$good && $self->{error}->kind eq 'tls';
    return $self;
}

# Each step of the library has its own limit; this one is over all of them.
sub _in_time {
    my ($self, $code) = @_;

    local $SIG{ALRM} = sub {
        Net::SMTP::AuthC::Error->throw(kind => 'timeout', text => 'it all took longer than this page waits',
            hint => 'the server is very slow, or something on the way swallows what is said');
    };
    my $good = eval {
        Time::HiRes::alarm($self->_left);
        $code->();
        1;
    };
    my $why = $@;
    Time::HiRes::alarm(0);
    die $why if !$good;
    return;
}

sub _left {
    my ($self) = @_;

    my $left = $self->{end} - Time::HiRes::time();
    return $left > 0.1 ? $left : 0.1;
}

# To the addresses that were checked, and not to the name, which may have other addresses by now. The certificate must
# bear the name.
sub _connect_to_addresses {
    my ($self, %more) = @_;

    my ($form, $setting) = @$self{qw(form setting)};
    my $left    = $self->_left;
    my @servers = map { $form->server($_) } $self->addresses;
    return Net::SMTP::AuthC->connect(\@servers, deadline => $left, resumption => 0,
        timeout => $left < $STEP_SECONDS ? $left : $STEP_SECONDS,
        ($form->{address} ? () : (tls_name => $form->{host})),
        (defined $setting->{ca_file} ? (ca_file => $setting->{ca_file}) : ()), %more);
}

# The login comes after this, so that what the server offers and its certificate are known whatever comes of it.
sub _connect {
    my ($self) = @_;

    my $smtp = $self->{smtp} = $self->_connect_to_addresses(transcript => sub { $self->{transcript}->add(%{ $_[0] }) });
    @$self{qw(tls offered)} = ($smtp->tls || undef, $smtp->supports('AUTH'));
    return;
}

sub _log_in {
    my ($self) = @_;

    my ($form, $smtp) = @$self{qw(form smtp)};
    return if $form->{user} eq '';
    $self->{offered} // Net::SMTP::AuthC::Error->throw(kind => 'auth', step => 'AUTH', temporary => 0,
        text => 'the server offers no login here', hint => 'submission is on port 465 or 587; some servers offer logins '
            . 'inside TLS only');
    my %option = map { $_ ne '' ? (mechanism => $_) : () } $form->{mechanism};
    my @secret = $form->is_token ? (undef, oauth_token => $form->{password}) : $form->{password};
    $smtp->auth($form->{user}, @secret, %option) or $smtp->error->throw;
    $self->{mechanism} = $smtp->mechanism;
    return;
}

# To the operator's recipient, and no other.
sub _send_mail {
    my ($self) = @_;

    my ($to, $from) = @{ $self->{setting} }{qw(recipient sender)};
    return if $self->{form}{mail} eq '' || !length($to // '');
    require Net::SMTP::AuthC::Message;
    my $message = Net::SMTP::AuthC::Message->new(from => $from // $to, to => $to, subject => 'SMTP login tester',
        text => "This mail was sent by the page that tests logins, through $self->{form}{host}.\n");
    $self->{receipt} = $self->{smtp}->submit($message, from => $message->envelope_from, to => [$message->envelope_to],
        deadline => $self->_left);
    return;
}

sub _leave {
    my ($self) = @_;

    my $smtp = delete $self->{smtp} or return;
    eval { $smtp->timeout($QUIT_SECONDS); $smtp->quit };
    return;
}

# Of a certificate that was refused people want to know most. Nothing is said to such a server but EHLO and QUIT.
sub _look_at_certificate {
    my ($self) = @_;

    return if ($self->{error}->step // '') ne 'TLS handshake' && $self->addresses == 1;
    my $look = eval { $self->_connect_to_addresses(insecure_no_verify => 1) } or return;
    $self->{tls} = $look->tls || undef;
    $self->{smtp} = $look;
    return $self->_leave;
}

# What to do, in sentences. The library was given an address and no name; providers are known by name.
sub remedy {
    my ($self) = @_;

    my $error = $self->{error} or return;
    my $form  = $self->{form};
    my $hint  = $error->hint;
    if ($error->kind eq 'auth' && $error->code) {
        my $diagnosis = 'Net::SMTP::AuthC::Diagnosis';
        $hint = $diagnosis->hint(server => $form->{host}, mechanism => $form->is_token ? 'XOAUTH2' : undef,
            user => $diagnosis->facts($form->{user}), secret => $diagnosis->facts($form->{password}),
            map { $_ => $error->$_ } qw(code enhanced text));
    }
    return split /; /, $hint if length($hint // '');
    return _usual_remedy($error->kind);
}

my %usual_remedy = (
    connect  => q{check the server's name and port, and that no firewall is in the way},
    tls      => 'see the certificate below, and whether the name and the kind of TLS are right: 465 has TLS from the start, '
        . 'the others STARTTLS',
    protocol => 'see the dialogue: this may be no SMTP server, or TLS on a port where it begins otherwise',
    closed   => 'the server hung up: see its last words in the dialogue; it may not like the address that it was called from',
    refused  => 'see the words of the server, which is the only one to know',
);

sub _usual_remedy { return grep { defined } $usual_remedy{ $_[0] } }

1;
