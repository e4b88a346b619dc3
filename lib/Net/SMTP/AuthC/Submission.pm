# Submission: the sending face: whole messages over one connection, an exact answer for every recipient.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Connect;
use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::Receipt;
use Net::SMTP::AuthC::Source;

my %is_submit_option = map { $_ => 1 } qw(from to deadline all_or_none chunking one_flight);
my %is_parameter;
my $MANNER_MOST = 2;    # 0 is DATA, 1 BDAT, 2 BDAT without waiting for replies

sub _is_submit_option { return $is_submit_option{ $_[0] } || _is_parameter($_[0]) }

sub _is_parameter {
    if (!%is_parameter) {
        require Net::SMTP::AuthC::Parameters;
        %is_parameter = map { $_ => 1 } Net::SMTP::AuthC::Parameters->options;
    }
    return $is_parameter{ $_[0] };
}

sub submit {
    my ($self, $message, @given) = @_;

    return $self->_submit_one($message, _given('submit', \&_is_submit_option, @given), 0);
}

# With $quit, QUIT is said together with the end of the message where the server allows it.
sub _submit_one {
    my ($self, $message, $given, $quit) = @_;

    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    my %offered  = $self->_capabilities;
    my $job      = $self->_job($message, $given);
    $job->{mail} = _usual_parameters($job, \%offered) // $self->_set_parameters($job, \%offered, $self->_tls);
    $job->{end}  = $deadline && _now() + $deadline;
    if (exists $offered{LIMITS}) {
        require Net::SMTP::AuthC::Again;
        Net::SMTP::AuthC::Again->run($self, $job, $quit);
    }
    elsif (!$self->_attempt($job, $quit)) {
        require Net::SMTP::AuthC::Again;
        Net::SMTP::AuthC::Again->go_on($self, $job);
    }
    return $self->_answer($job);
}

# A message with all that is sent of it, checked, but for mail, the parameters of MAIL: from; addresses; flat, the
# recipients as the core wants them, and recipients, where they are not plain; source.
sub _job {
    my ($self, $message, $given) = @_;

    my %job = (given => $given, from => Net::SMTP::AuthC::Envelope->sender($given->{from}));
    @job{qw(addresses flat recipients)} = Net::SMTP::AuthC::Envelope->flat($given->{to});
    $job{source} = Net::SMTP::AuthC::Source->of($message);
    if (ref $job{source}{octets}) {
        $job{message} = $message;
        $job{start} = tell $message if defined $job{source}{size_hint};
    }
    return \%job;
}

# Of nearly every mail, a text in ASCII without options; undef where Parameters has to look.
sub _usual_parameters {
    my ($job, $offered) = @_;

    my $source = $job->{source};
    return if $job->{recipients} || ref $source->{octets} || grep { $_ } @$source{qw(eight_bit smtputf8 binary)};
    return if $job->{from}{address} =~ /[^\x00-\x7f]/ || grep { !$is_submit_option{$_} } keys %{ $job->{given} };
    my $size = $source->{size};
    my $most = $offered->{SIZE} // return '';
    return $most =~ /\A[0-9]{0,15}\z/ && $size <= ($most || $size) ? "SIZE=$size" : undef;
}

# Such as the server allows them.
sub _set_parameters {
    my ($self, $job, $offered, $tls) = @_;

    require Net::SMTP::AuthC::Parameters;
    my $recipients = $job->{recipients};
    my $good = eval {
        ($job->{mail}) = Net::SMTP::AuthC::Parameters->of_mail(offered => $offered, source => $job->{source},
            given => $job->{given}, from => $job->{from}, to => $recipients || [], tls => $tls);
        1;
    };
    $self->_tell_where($@) if !$good;
    $job->{flat} = [map { @$_{qw(octets words)} } @$recipients] if $recipients;
    return $job->{mail};
}

# What is left until then, and never the 0 that stands for no limit.
sub _later {
    my ($end) = @_;

    my $left = $end - _now();
    return $left > 0.001 ? $left : 0.001;
}

# One transaction. True when all of its recipients have the message.
sub _attempt {
    my ($self, $job, $quit) = @_;

    my $given   = $job->{given};
    my $started = _now();
    $self->_set_deadline($job->{end} ? _later($job->{end}) : 0);
    $self->_set_all_or_none($given->{all_or_none} ? 1 : 0);
    $self->_set_manner($job->{manner} = $self->_manner($given));
    my $good = eval {
        $self->_submit($job->{from}{octets}, $job->{mail}, $job->{part} || $job->{flat},
            ref $job->{source}{octets} ? _watched($job) : $job->{source}{octets}, $quit) ? 1 : 0;
    };
    my $died = $@;
    $self->_set_deadline(0);
    @$job{qw(was_used rung)} = @{ *$self }{qw(net_smtp_authc_is_used net_smtp_authc_rung)};
    *$self->{net_smtp_authc_is_used} = 1;
    $job->{transaction} += _now() - $started;
    $job->{answers} = $self->_answers_for($job);
    $self->_give_up($died, $job) if !defined $good && !($quit && _was_taken($job));
    $job->{error} = $good ? undef : $self->_error;
    return $good && !grep { $_->[0] ne 'sent' } @{ $job->{answers} };
}

# As the caller wants it, and not beyond what has worked with this server.
sub _manner {
    my ($self, $given) = @_;

    my $wanted = $given->{one_flight} ? $MANNER_MOST : $given->{chunking} ? 1 : 0;
    my $rung   = *$self->{net_smtp_authc_rung} // return $wanted;
    return $rung > $wanted ? $wanted : $rung > 1 ? $rung - 1 : 0;
}

# What the core reads the message from; that it has begun to is noted in the job.
sub _watched {
    my ($job) = @_;

    my ($octets, $is_begun) = ($job->{source}{octets}, \$job->{is_begun});
    return sub { $$is_begun = 1; return $octets->() };
}

# The core has none for a transaction that never began, as the connection was closed.
sub _answers_for {
    my ($self, $job) = @_;

    my $answers = $self->_answers || [];
    my $count = $job->{part} ? @{ $job->{part} } / 2 : @{ $job->{addresses} };
    return @$answers == $count ? $answers : [(['not-sent']) x $count];
}

# ---- the answer ----

# A receipt when somebody got it. Otherwise an error that carries the receipt: nobody did, or nobody knows.
sub _answer {
    my ($self, $job) = @_;

    my $error  = $job->{error};
    my ($sent) = grep { $_->[0] eq 'sent' } @{ $job->{all} || $job->{answers} };
    die "$error->{text}\n" if !$sent && $error && !_can_tell();
    $self->_fail($error) if !$sent && $error && $error->{kind} eq 'usage';
    my %reply = $error ? _words_of($sent || $error) : $job->{reply} ? %{ $job->{reply} } : $self->_reply_to($sent);
    $job->{source}{size} //= $self->_content_size if $sent;
    my $receipt = $self->_receipt_of($job, %reply);
    return $receipt if $sent;
    my $why = $job->{thrown} // return $self->_fail($error, receipt => $receipt);
    die $why if !ref $why || !$error;
    return $self->_fail($error, receipt => $receipt, hint => 'nor could another be had: ' . $why->text);
}

sub _reply_to {
    my ($self, $sent) = @_;

    my ($code, $text) = $self->_last_answer;
    return (code => $code, enhanced => $sent && $sent->[2], text => $text);
}

sub _receipt_of {
    my ($self, $job, %reply) = @_;

    return Net::SMTP::AuthC::Receipt->_of_core({
        %reply,
        addresses   => $job->{addresses},
        answers     => $job->{all} || $job->{answers},
        message_id  => $job->{source}{message_id},
        bytes       => $job->{source}{size},
        timings     => *$self->{net_smtp_authc_timings},
        transaction => $job->{transaction},
        tls         => $self->_tls,
        mechanism   => $self->_mechanism,
        transcript  => *$self->{net_smtp_authc_transcript},
    });
}

1;
