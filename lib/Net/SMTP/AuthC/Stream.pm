# Stream: submit_all: any number of messages over one connection, each asked for when it can be said, each with a receipt.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Receipt;
use Net::SMTP::AuthC::Source;
use Net::SMTP::AuthC::Submission;

my %is_stream_option = map { $_ => 1 } qw(window on_receipt on_progress);
my $WINDOW_MOST      = 50;
my $IN_A_DATA_STREAM = 2;    # one whose end is not answered yet, and the next one's envelope behind it

sub submit_all {
    my ($self, $messages, @given) = @_;

    my $given  = _given('submit_all', sub { $is_stream_option{ $_[0] } || _is_submit_option($_[0]) }, @given);
    my $window = delete $given->{window} // 1;
    _usage("window: a number from 1 to $WINDOW_MOST") if $window !~ /\A[0-9]+\z/ || $window < 1 || $window > $WINDOW_MOST;
    my $run = {
        next => _iterator($messages),
        defaults => $given,
        (map { $_ => _callback($_, delete $given->{$_}) } qw(on_receipt on_progress)),
        told => 0, octets => 0,
    };
    $given->{one_flight} = 1 if $window > 1;
    $self->_run_stream($run, $given->{one_flight} && $self->_offers_chunking ? $window : $IN_A_DATA_STREAM, $given);
    return $run->{told};
}

sub _callback {
    my ($name, $code) = @_;

    _usage("$name: a code ref") if defined $code && ref $code ne 'CODE';
    return $code;
}

sub _offers_chunking {
    my ($self) = @_;

    my %offered = $self->_capabilities;
    return exists $offered{CHUNKING};
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
    my ($self, $run, $window, $given) = @_;

    my $deadline = Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    $self->_set_deadline($deadline // 0);
    $self->_set_all_or_none($given->{all_or_none} ? 1 : 0);
    $self->_set_manner(_manner($given));
    my $alive = $self->_stream(sub { $self->_next_of($run) }, sub { $self->_tell($run, @{ $_[0] }) }, $window);
    $self->_set_deadline(0);
    die $run->{died} if exists $run->{died};
    $self->_throw if !$alive && !$run->{is_exhausted};
    return;
}

# The next message as the core wants it. One that is wrong in itself has its receipt at once.
sub _next_of {
    my ($self, $run) = @_;

    while (!exists $run->{died}) {
        my $item;
        eval { $item = $run->{next}->(); 1 } or $run->{died} = $@;
        last if exists $run->{died};
        if (!defined $item) {
            $run->{is_exhausted} = 1;
            last;
        }
        my $ready = eval { $self->_ready($run, $item) };
        return $ready if $ready;
        $self->_tell_unsent($run, $item, $@);
    }
    return undef;
}

sub _ready {
    my ($self, $run, $item) = @_;

    _usage('submit_all: each message is a hash ref with message, from and to') if ref $item ne 'HASH';
    my %given = (%{ $run->{defaults} }, %$item);
    my $message = delete $given{message};
    my ($from, $mail, $to, $source) = @{ $self->_prepare($message, \%given) };
    return [$from->{octets}, $mail, [map { @$_{qw(octets words)} } @$to], _without_dying($source),
        {item => $item, to => $to, source => $source}];
}

# What cannot be read to its end must not end the stream: the core is told with a reference.
sub _without_dying {
    my ($source) = @_;

    my $octets = $source->{octets};
    return $octets if ref $octets ne 'CODE';
    return sub {
        my $piece;
        return eval { $piece = $octets->(); 1 } ? $piece : \'failed';
    };
}

# ---- receipts ----

sub _tell {
    my ($self, $run, $tag, $error, $code, $words, $octets, @outcomes) = @_;

    my ($item, $to, $source) = @$tag{qw(item to source)};
    my @recipients = map { _outcome($to->[$_]{address}, @{ $outcomes[$_] }) } 0 .. $#$to;
    $source->{size} //= $octets;
    my %about = $error ? _words_of($error) : (code => $code, text => $words);
    $about{enhanced} //= $recipients[0]{enhanced};
    return $self->_hand_over($run, $item, $self->_receipt($source, \@recipients, %about, error => $error && $self->_error_of($error)));
}

sub _error_of {
    my ($self, $error) = @_;

    my %field = %$error;
    delete $field{errno};
    delete @field{grep { !$field{$_} } qw(step code enhanced)};
    $field{temporary} = 0 if $field{may_have_been_sent};
    return Net::SMTP::AuthC::Error->new(%field, $self->_about);
}

sub _tell_unsent {
    my ($self, $run, $item, $error) = @_;

    my $to = ref $item eq 'HASH' ? $item->{to} // $run->{defaults}{to} : undef;
    my @to = map { ref $_ eq 'ARRAY' ? $_->[0] : $_ } ref $to eq 'ARRAY' ? @$to : $to // ();
    my @recipients = map { +{address => "$_", outcome => 'not-sent'} } grep { defined } @to;
    return $self->_hand_over($run, $item,
        $self->_receipt({}, \@recipients, text => "$error" =~ s/\s+\z//r, error => $error));
}

sub _hand_over {
    my ($self, $run, $item, $receipt) = @_;

    $run->{told}++;
    $run->{octets} += $receipt->bytes // 0;
    return if exists $run->{died};
    eval {
        $run->{on_receipt}->($receipt, $item) if $run->{on_receipt};
        $run->{on_progress}->(@$run{qw(told octets)}) if $run->{on_progress};
        1;
    } or $run->{died} = $@;
    return;
}

1;
