# Stream: submit_all: any number of messages over one connection, each asked for when it can be said, each with a receipt.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Parameters;
use Net::SMTP::AuthC::Receipt;
use Net::SMTP::AuthC::Source;
use Net::SMTP::AuthC::Submission;

my %is_stream_option = map { $_ => 1 } qw(window on_receipt on_progress);
my %is_item_option   = map { $_ => 1 } qw(message from to tag all_or_none);
my $WINDOW_MOST      = 50;
my $IN_A_DATA_STREAM = 2;    # one whose end is not answered yet, and the next one's envelope behind it

# What a run holds: next; defaults; on_receipt, on_progress; told, octets: what those are told; way: jobs under way; ahead:
# jobs to be sent before the iterator is asked again; and of the connection: offered, tls, shared, limits, most, manner, rung, is_used.
sub submit_all {
    my ($self, $messages, @given) = @_;

    my $given  = _given('submit_all', sub { $is_stream_option{ $_[0] } || _is_submit_option($_[0]) }, @given);
    my $window = delete $given->{window} // 1;
    _usage("window: a number from 1 to $WINDOW_MOST") if $window !~ /\A[0-9]+\z/ || $window < 1 || $window > $WINDOW_MOST;
    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', delete $given->{deadline});
    my $run = {
        next => _iterator($messages), defaults => $given, window => $window, end => $deadline && _now() + $deadline,
        (map { $_ => _callback($_, delete $given->{$_}) } qw(on_receipt on_progress)),
        told => 0, octets => 0, way => [], ahead => [], all_or_none => 0,
    };
    $given->{one_flight} = 1 if $window > 1;
    $run->{is_usual} = !grep { _is_parameter($_) } keys %$given;
    $self->_run_stream($run);
    return $run->{told};
}

sub _callback {
    my ($name, $code) = @_;

    _usage("$name: a code ref") if defined $code && ref $code ne 'CODE';
    return $code;
}

# A code ref that returns message after message; of a list, the next of it.
sub _iterator {
    my ($messages) = @_;

    return $messages if ref $messages eq 'CODE';
    _usage('submit_all: a code ref that returns message after message, or a reference to a list of them')
        if ref $messages ne 'ARRAY';
    my $i = 0;
    return sub { return $i < @$messages ? $messages->[$i++] : undef };
}

# What dies in the caller's code ends the stream: nothing more is asked for, and what is under way gets its receipt first.
sub _run_stream {
    my ($self, $run) = @_;

    my $is_alive = $self->_stream_over_one($run);
    if (!$is_alive || @{ $run->{ahead} } || $run->{is_full}) {
        require Net::SMTP::AuthC::Stream::Rest;
        Net::SMTP::AuthC::Stream::Rest->go_on($self, $run, $is_alive);
    }
    die $run->{died} if exists $run->{died};
    return;
}

# As much of it as goes over this connection. True when that lives.
sub _stream_over_one {
    my ($self, $run) = @_;

    $self->_look_around($run);
    my $is_alive = eval {
        $self->_stream(sub { $self->_next_of($run) }, sub { $self->_ready($run, @_) }, sub { $self->_tell_sent($run, @_) },
            sub { $self->_tell($run, @{ $_[0] }) }, $run->{slots}, $run->{plain}) ? 1 : 0;
    };
    $self->_break_off($run, $@) if !defined $is_alive;
    $self->_set_deadline(0);
    *$self->{net_smtp_authc_is_used} = 1 if $run->{is_used};
    return $is_alive;
}

# What all messages of this connection have in common.
sub _look_around {
    my ($self, $run) = @_;

    my %offered = $self->_capabilities;
    delete @$run{qw(limits most is_full mail)};
    @$run{qw(offered tls is_used)} = (\%offered, $self->_tls, *$self->{net_smtp_authc_is_used});
    $run->{shared} = {timings => *$self->{net_smtp_authc_timings}, tls => $run->{tls}, mechanism => $self->_mechanism,
        transcript => *$self->{net_smtp_authc_transcript}};
    @$run{qw(manner rung first_rung)} = ($self->_manner($run->{defaults}), (*$self->{net_smtp_authc_rung}) x 2);
    $run->{slots} = $run->{manner} == 2 && exists $offered{CHUNKING} ? $run->{window} : $IN_A_DATA_STREAM;
    $self->_look_at_limits($run) if exists $offered{LIMITS};
    $run->{plain} = $self->_plain($run);
    $self->_set_deadline($run->{end} ? _later($run->{end}) : 0);
    $self->_set_all_or_none($run->{all_or_none});
    $self->_set_manner($run->{manner});
    return;
}

# What the core needs to know to begin by itself with messages that are nothing but strings, and to make their receipts.
sub _plain {
    my ($self, $run) = @_;

    my ($given, $offered) = @$run{qw(defaults offered)};
    $run->{may_be_plain} = $run->{is_usual} && !$run->{limits} && !$given->{all_or_none};
    return {
        (map { defined $given->{$_} ? ($_ => $given->{$_}) : () } qw(from to)),
        size_max => exists $offered->{SIZE} ? $offered->{SIZE} || 0 : -1,
        recipients_max => $run->{may_be_plain} ? 1e6 : 0,
        shared => $run->{shared},
    };
}

sub _look_at_limits {
    my ($self, $run) = @_;

    require Net::SMTP::AuthC::Stream::Rest;
    return Net::SMTP::AuthC::Stream::Rest->look_at_limits($self, $run);
}

# A signal handler died, or the transcript's code: the connection is gone, and what was under way is over.
sub _break_off {
    my ($self, $run, $died) = @_;

    $run->{died} //= $died;
    eval { $self->_stream((sub { return }) x 3, sub { $self->_tell($run, @{ $_[0] }) }, 0, $run->{plain}) };
    return;
}

# The next message: as it is where the core may begin with it by itself, else as the core wants it.
sub _next_of {
    my ($self, $run) = @_;

    while (!exists $run->{died}) {
        return undef if defined $run->{most} && !$self->_may_be_one_more($run);
        my $job = @{ $run->{ahead} } ? Net::SMTP::AuthC::Stream::Rest->next_ahead($self, $run) : $self->_pull($run);
        return ref $job eq 'ARRAY' ? $job->[0] : $self->_under_way($run, $job) if $job;
        return undef if $run->{is_full} || $run->{is_exhausted} && !@{ $run->{ahead} };
    }
    return undef;
}

# A job; or, where it may be plain, a list of the item and how it goes.
sub _pull {
    my ($self, $run) = @_;

    my $item;
    eval { $item = $run->{next}->(); 1 } or $run->{died} = $@;
    return if exists $run->{died};
    if ($run->{may_be_plain} && ref $item eq 'HASH' && !$run->{all_or_none}) {
        push @{ $run->{way} }, [$item, @$run{qw(manner rung)}];
        return $run->{way}[-1];
    }
    return defined $item ? $self->_job_of_item($run, $item) : !($run->{is_exhausted} = 1);
}

# It was not plain.
sub _ready {
    my ($self, $run, $item) = @_;

    pop @{ $run->{way} };
    my $job = $self->_job_of_item($run, $item) or return;
    return $self->_under_way($run, $job);
}

sub _may_be_one_more {
    my ($self, $run) = @_;

    $run->{is_full} = (*$self->{net_smtp_authc_mails} // 0) >= $run->{most};
    *$self->{net_smtp_authc_mails}++ if !$run->{is_full};
    return !$run->{is_full};
}

# Nothing when it is wrong in itself, or not for this connection.
sub _job_of_item {
    my ($self, $run, $item) = @_;

    my $job;
    return $job if eval { $job = $self->_checked_job($run, $item); 1 };
    $self->_tell_unsent($run, $item, $@);
    return;
}

sub _checked_job {
    my ($self, $run, $item) = @_;

    _usage('submit_all: each message is a hash ref with message, from and to') if ref $item ne 'HASH';
    my $is_usual = $run->{is_usual};
    for (keys %$item) {
        next if $is_item_option{$_};
        _usage(qq{submit_all: unknown option "$_" of a message}) if !_is_parameter($_);
        $is_usual = 0;
    }
    my $given = {%{ $run->{defaults} }, %$item};
    my $job = $self->_job(delete $given->{message}, $given);
    $job->{item} = $item;
    $is_usual && $self->_is_usual($run, $job) || $self->_set_parameters($job, @$run{qw(offered tls)});
    return $run->{limits} ? Net::SMTP::AuthC::Stream::Rest->divide($self, $run, $job) : $job;
}

# Most messages of a stream are plain, and their parameters differ in nothing but the size.
sub _is_usual {
    my ($self, $run, $job) = @_;

    my $source = $job->{source};
    return 0 if $job->{recipients} || ref $source->{octets} || $source->{eight_bit} || $source->{binary}
        || $source->{smtputf8} || $job->{from}{address} =~ /[^\x00-\x7f]/;
    if (!defined $run->{mail}) {
        $self->_set_parameters($job, @$run{qw(offered tls)});
        @$run{qw(mail size_most)} = ($job->{mail} =~ s/\ASIZE=\K[0-9]+//r, $run->{offered}{SIZE} || 9**15);
    }
    return 0 if $source->{size} > $run->{size_most};
    $job->{mail} = $run->{mail} eq 'SIZE=' ? "SIZE=$source->{size}" : $run->{mail};
    return $run->{mail} !~ /./ || $run->{mail} eq 'SIZE=';
}

sub _under_way {
    my ($self, $run, $job) = @_;

    my $all_or_none = $job->{given}{all_or_none} ? 1 : 0;
    $self->_set_all_or_none($run->{all_or_none} = $all_or_none) if $all_or_none != $run->{all_or_none};
    @$job{qw(manner rung)} = @$run{qw(manner rung)};
    push @{ $run->{way} }, $job;
    return [$job->{from}{octets}, $job->{mail}, $job->{part} || $job->{flat},
        ref $job->{source}{octets} ? _without_dying($job) : $job->{source}{octets}];
}

# What cannot be read to its end must not end the stream: the core is told with a reference.
sub _without_dying {
    my ($job) = @_;

    my $octets = _watched($job);
    return sub {
        my $piece;
        return eval { $piece = $octets->(); 1 } ? $piece : \'failed';
    };
}

# ---- receipts ----

# Everybody got it.
sub _tell_sent {
    my ($self, $run, $receipt) = @_;

    $run->{is_used} = 1;
    return $self->_hand_over($run, shift(@{ $run->{way} })->[0], $receipt);
}

sub _tell {
    my ($self, $run, $error, $code, $text, $octets, $answers) = @_;

    my $job = shift @{ $run->{way} };
    $job = {%{ $self->_checked_job($run, $job->[0]) }, manner => $job->[1], rung => $job->[2]} if ref $job eq 'ARRAY';
    $job->{source}{size} //= $octets;
    if ($error || $job->{all} || @$answers > 1 && grep { $_->[0] ne 'sent' } @$answers) {
        require Net::SMTP::AuthC::Stream::Rest;
        return Net::SMTP::AuthC::Stream::Rest->hear($self, $run, $job, $error, $answers, [$code, $text]);
    }
    $run->{is_used} = 1;
    return $self->_hand_over($run, $job->{item}, Net::SMTP::AuthC::Receipt->_of_core({
        code => $code, text => $text, enhanced => $answers->[0][2], addresses => $job->{addresses}, answers => $answers,
        message_id => $job->{source}{message_id}, bytes => $job->{source}{size}, %{ $run->{shared} },
    }));
}

sub _tell_unsent {
    my ($self, $run, $item, $error) = @_;

    my $to = ref $item eq 'HASH' ? $item->{to} // $run->{defaults}{to} : undef;
    my @to = map { ref $_ eq 'ARRAY' ? $_->[0] : $_ } ref $to eq 'ARRAY' ? @$to : $to // ();
    return $self->_hand_over($run, $item, Net::SMTP::AuthC::Receipt->_of_core({
        text => "$error" =~ s/\s+\z//r, error => $error, addresses => [map { "$_" } grep { defined } @to],
        %{ $run->{shared} },
    }));
}

sub _hand_over {
    my ($self, $run, $item, $receipt) = @_;

    $run->{told}++;
    $run->{octets} += $receipt->{bytes} // 0;
    eval { $run->{on_receipt}->($receipt, $item); 1 } or $run->{died} //= $@ if $run->{on_receipt};
    eval { $run->{on_progress}->(@$run{qw(told octets)}); 1 } or $run->{died} //= $@ if $run->{on_progress};
    return;
}

1;
