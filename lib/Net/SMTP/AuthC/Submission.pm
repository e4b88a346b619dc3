# Submission: the sending face: whole messages over one connection, an exact answer for every recipient.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Connect;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

my %is_submit_option  = map { $_ => 1 } qw(from to size body smtputf8 dsn auth by hold_for hold_until priority
    require_tls optional deadline all_or_none chunking one_flight);
my %is_message_option = map { $_ => 1 } qw(from to cc bcc reply_to subject text headers date message_id);
my %is_shop_option    = map { $_ => 1 } qw(once ledger allow_at_load);

my ($BY_DATA, $BY_BDAT, $BY_BDAT_AHEAD) = (0, 1, 2);
my $QUIT_SECONDS = 5;    # a farewell is worth no more

# ---- one call ----

sub send_mail {
    my ($class, @given) = @_;

    my $given = _given('send_mail',
        sub { $_[0] eq 'server' || $is_message_option{ $_[0] } || $is_shop_option{ $_[0] } || _is_connect_option($_[0]) },
        @given);
    do { require Net::SMTP::AuthC::Loading; Net::SMTP::AuthC::Loading->check($given) } if defined $ENV{GATEWAY_INTERFACE};
    delete $given->{allow_at_load};
    require Net::SMTP::AuthC::Message;
    my %message = map { $_ => delete $given->{$_} } grep { $is_message_option{$_} } keys %$given;
    my $message = Net::SMTP::AuthC::Message->new(%message);
    return $class->_send_now($message, $given) if !exists $given->{once} && !exists $given->{ledger};
    require Net::SMTP::AuthC::Ledger;
    return Net::SMTP::AuthC::Ledger->once($given, $message, sub { $class->_send_now($_[0], $given) });
}

sub _send_now {
    my ($class, $message, $given) = @_;

    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    my $end      = $deadline && _now() + $deadline;
    my $self     = $class->connect(delete $given->{server}, %$given);
    my %submit   = (from => $message->envelope_from, to => [$message->envelope_to], deadline => $end && _later($end));
    my $receipt  = $self->_submit_one($message, \%submit, 1);
    $self->_say_farewell if $self->_state ne 'closed';
    return $receipt;
}

# What is left until then, and never the 0 that stands for no limit.
sub _later {
    my ($end) = @_;

    my $left = $end - _now();
    return $left > 0.001 ? $left : 0.001;
}

# The message is out: nothing that happens now may look like a failure to send it.
sub _say_farewell {
    my ($self) = @_;

    $self->_set_deadline($QUIT_SECONDS);
    local $@;
    eval { $self->_quit };
    return;
}

# ---- a message ----

sub _is_submit_option { return $is_submit_option{ $_[0] } }

sub submit {
    my ($self, $message, @given) = @_;

    return $self->_submit_one($message, _given('submit', \&_is_submit_option, @given), 0);
}

# With $quit, QUIT is said together with the end of the message where the server allows it.
sub _submit_one {
    my ($self, $message, $given, $quit) = @_;

    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    my ($from, $mail, $to, $source) = @{ $self->_prepare($message, $given) };
    my $started = _now();
    $self->_set_deadline($deadline // 0);
    $self->_set_all_or_none($given->{all_or_none} ? 1 : 0);
    $self->_set_manner(_manner($given));
    my $good = eval {
        $self->_submit($from->{octets}, $mail, [map { @$_{qw(octets words)} } @$to], $source->{octets}, $quit) ? 1 : 0;
    };
    my $died = $@;
    *$self->{net_smtp_authc_timings}{transaction} = _now() - $started;
    $self->_set_deadline(0);
    $self->_give_up($died, $source, $to) if !defined $good && !($quit && $self->_was_taken);
    return $self->_answer($good, $source, $to);
}

# The server has the message, and what died then died of the farewell.
sub _was_taken {
    my ($self) = @_;

    my %is = map { $_->[1] => 1 } $self->_outcomes;
    return $is{sent} && !$is{unknown};
}

# Sender, parameters of MAIL, recipients and source of a message, all of them checked.
sub _prepare {
    my ($self, $message, $given) = @_;

    require Net::SMTP::AuthC::Envelope;
    require Net::SMTP::AuthC::Source;
    my $from   = Net::SMTP::AuthC::Envelope->sender($given->{from});
    my @to     = Net::SMTP::AuthC::Envelope->recipients($given->{to});
    my $source = Net::SMTP::AuthC::Source->of($message);
    return [$from, $self->_parameters_of($source, $given, $from, \@to), \@to, $source];
}

sub _manner {
    my ($given) = @_;

    return $given->{one_flight} ? $BY_BDAT_AHEAD : $given->{chunking} ? $BY_BDAT : $BY_DATA;
}

sub _parameters_of {
    my ($self, $source, $given, $from, $to) = @_;

    my $mail = eval {
        Net::SMTP::AuthC::Parameters->of_mail(offered => {$self->_capabilities}, source => $source, given => $given,
            from => $from, to => $to, tls => $self->_tls);
    };
    return $mail if defined $mail;
    my $error = $@;
    %$error = (%$error, $self->_about) if ref $error && $error->kind ne 'usage';
    die $error;
}

# ---- the answer ----

# A receipt when somebody got it. Otherwise an error that carries the receipt: nobody did, or nobody knows.
sub _answer {
    my ($self, $good, $source, $to) = @_;

    my $error = $good ? undef : $self->_error;
    $self->_throw if $error && $error->{kind} eq 'usage';
    my @recipients = $self->_became_of($to);
    my ($sent) = grep { $_->{outcome} eq 'sent' } @recipients;
    my %reply = $good ? $self->_last_words($sent) : _words_of($sent || $error);
    $source->{size} //= $self->_content_size if $good || $sent;
    my $receipt = $self->_receipt($source, \@recipients, %reply);
    return $good || $sent ? $receipt : $self->_throw(receipt => $receipt);
}

# Of an error; or of a recipient, when the server has taken the message and then said or done what ended the connection:
# that is none of this message's business.
sub _words_of {
    my ($from) = @_;

    my %reply = map { $_ => $from->{$_} || undef } qw(code enhanced text);
    $reply{text} = join ' ', grep { defined } @reply{qw(enhanced text)} if $from->{outcome};
    return %reply;
}

sub _receipt {
    my ($self, $source, $recipients, %reply) = @_;

    require Net::SMTP::AuthC::Receipt;
    return Net::SMTP::AuthC::Receipt->new(
        %reply,
        recipients => $recipients,
        message_id => $source->{message_id},
        bytes      => $source->{size},
        timings    => *$self->{net_smtp_authc_timings},
        tls        => $self->_tls,
        mechanism  => $self->_mechanism,
        transcript => *$self->{net_smtp_authc_transcript},
    );
}

# Every recipient's one outcome; the core has none for a transaction that never began, as the connection was closed.
sub _became_of {
    my ($self, $to) = @_;

    my @known = $self->_outcomes;
    @known = map { [undef, 'not-sent'] } @$to if @known != @$to;
    return map { _outcome($to->[$_]{address}, @{ $known[$_] }) } 0 .. $#$to;
}

sub _outcome {
    my ($address, undef, @known) = @_;

    my %recipient = (address => $address);
    @recipient{qw(outcome code enhanced text step)} = map { length($_ // '') ? $_ : undef } @known[0 .. 4];
    $recipient{outcome} //= 'not-sent';
    return \%recipient;
}

sub _last_words {
    my ($self, $sent) = @_;

    my ($code, @lines) = $self->_reply;
    return (code => $code, enhanced => $sent && $sent->{enhanced}, text => join "\n", @lines);
}

# Perl code died within the call: a signal handler or the transcript's code, whose exception stays as it is, or what the
# message comes from, and then its end has not left and nobody has it.
sub _give_up {
    my ($self, $died, $source, $to) = @_;

    my $failure = ${ $source->{failure} };
    _usage_of_core($died) if !defined $failure;
    $self->_abandon('Perl code died in the middle of the message');
    die $died if !defined $failure || ref $died;
    my $text = 'message: ' . $failure =~ s/\.?\n\z//r . '; nothing was delivered';
    Net::SMTP::AuthC::Error->throw(kind => 'interrupted', step => 'content', temporary => 0, text => $text,
        receipt => $self->_receipt($source, [$self->_became_of($to)], text => $text), $self->_about);
}

1;
