# Holds what a client reported of every recipient against what the server accepted and what passed between the two.
package OutcomesJudge;
use strict;
use warnings;
use OutcomesRun;

use constant ALERT => 5 + 2 + 17;    # the length of a record with close_notify

# What the server refuses, by address, and what the client must tell of it.
our %REFUSED = (
    'b@x' => ['refused', 550, 'no b'],
    'c@x' => ['deferred', 450, 'no c'],
);

# refuse, for a sandbox.
sub refusals { return { map { $_ => "$REFUSED{$_}[1] $REFUSED{$_}[2]" } keys %REFUSED } }

# What the servers know, by sender: the message that was accepted, and whether its content was asked for (354).
sub truth {
    my (@servers) = @_;
    my %truth;
    for my $server (@servers) {
        $truth{ $_->from }{message} = $_ for $server->messages;
        for my $session ($server->sessions) {
            my $asked = 0;
            for my $line ($session->lines) {
                $asked = $1 if $line =~ /\AC: MAIL FROM:<(.*?)>/;
                $truth{$asked}{let_come}++ if $asked && $line =~ /\AS: 354/;
            }
        }
    }
    return \%truth;
}

sub complaints {
    my ($case, $result, $truth) = @_;
    return 'nothing was brought home' unless $result;
    return map { _of_message($case, $result, $_, $truth->{ OutcomesRun::sender($case, $_) } || {}) }
        0 .. $#{ $case->{messages} };
}

sub _of_message {
    my ($case, $result, $number, $truth) = @_;
    my $reported = $result->{messages}[$number] or return "message $number: no report";
    return "message $number died: $reported->{died}" if $reported->{died};
    my %known = (%$truth, %{ _passed($case, $result, $number) }, before => _replies_before($case, $number));
    $known{heard} = $known{replies} >= _replies_up_to($case, $number);
    $known{in_time} = ($reported->{kind} || '') ne 'timeout' && ($case->{cut}{how} || '') ne 'reset';
    $known{handed_over} = undef if ($case->{cut}{how} || '') eq 'reset';
    $known{let_come} = 1 if ($case->{stream} || {})->{chunking};
    $known{is_ahead} = ($case->{stream} || {})->{one_flight};
    my @complaint = $case->{face} ? _of_face($case, $reported, $number, \%known)
        : _of_submit($case, $reported, $number, \%known);
    return map { "message $number: $_ (" . ($reported->{error} || 'no error') . ')' } @complaint;
}

# ---- what passed ----

# replies: how many the client has got whole; handed_over: whether all of the message has left the client.
sub _passed {
    my ($case, $result, $number) = @_;
    return _passed_in_tls($case, $result, $number) if $case->{tls};
    my $sender = OutcomesRun::sender($case, $number);
    my @replies = $result->{to_client} =~ /^[2-5][0-9][0-9] [^\n]*\n/mg;
    my $end = ($case->{stream} || {})->{chunking}
        ? qr/ LAST\r\nA: b\r\n\r\n\.c\r\n/ : qr/\r\nA: b\r\n\r\n\.\.c\r\n\.\r\n/;
    my $handed_over = $result->{to_server_read} =~ /<\Q$sender\E>(?:(?!MAIL FROM).)*?$end/s;
    return { replies => scalar @replies, handed_over => $handed_over };
}

# A reply is a record, and so is a group of commands, and a message; but in a stream they may leave together.
sub _passed_in_tls {
    my ($case, $result, $number) = @_;
    my $first = $case->{first_record};
    my $said = grep { $_ != ALERT } records($result->{to_server_read});
    my $heard = records($result->{to_client});
    my $own = 1;
    for my $to (@{ $case->{messages} }[0 .. $number]) { $own += _runs_ahead($case) ? 2 : 3 + @$to }
    return { replies => $heard - $first->{client}, handed_over => undef } if $case->{stream};
    return { replies => $heard - $first->{client}, handed_over => $said - $first->{server} >= $own };
}

# Up to the one before the reply to MAIL.
sub _replies_before {
    my ($case, $number) = @_;
    my $count = _replies_up_to($case, $number - 1);
    return $count + ($case->{stream} && $number > 0 && !_is_left_out($case, $number - 1) ? 1 : 0);
}

# All or none, and not all were accepted.
sub _is_left_out {
    my ($case, $number) = @_;
    return $case->{stream}{all_or_none} && grep { $REFUSED{$_} } @{ $case->{messages}[$number] };
}

# MAIL, RCPT, the end or RSET; DATA; and in front RSET, unless there was one.
sub _replies_in_stream {
    my ($case, $number) = @_;
    my $before = $number == 0 ? 2 : _replies_before($case, $number);
    return $before + @{ $case->{messages}[$number] } + 2
        + ($case->{stream}{chunking} || _is_left_out($case, $number) ? 0 : 1);
}

sub _runs_ahead { return $_[0]{pipelining} && !$_[0]{face} }

# How many replies there are up to the last of a message. Where nobody is left it is that to RSET, and without
# PIPELINING there is no DATA then.
sub _replies_up_to {
    my ($case, $number) = @_;
    my $count = 2;
    return _replies_in_stream($case, $number) if $case->{stream} && $number >= 0;
    for my $to (@{ $case->{messages} }[0 .. $number]) {
        my $is_for_nobody = !grep { !$REFUSED{$_} } @$to;
        $count += @$to + ($is_for_nobody && !_runs_ahead($case) ? 2 : 3);
    }
    return $count;
}

# The lengths of the whole records in some octets of TLS.
sub records {
    my ($octets) = @_;
    my ($at, @lengths) = (0);
    while ($at + 5 <= length $octets) {
        my $length = 5 + unpack 'x3 n', substr $octets, $at, 5;
        last if $at + $length > length $octets;
        push @lengths, $length;
        $at += $length;
    }
    return @lengths;
}

# ---- submit ----

sub _of_submit {
    my ($case, $reported, $number, $known) = @_;
    my @to = @{ $case->{messages}[$number] };
    my $recipients = $reported->{recipients};
    return _of_no_receipt($reported, $known) unless $recipients;
    return 'recipients: ' . join ' ', map { $_->{address} } @$recipients
        if "@to" ne join ' ', map { $_->{address} } @$recipients;
    my $unknown = grep { $_->{outcome} eq 'unknown' } @$recipients;
    my @complaint = map { _of_recipient($recipients->[$_], $_ + 1, $known) } 0 .. $#$recipients;
    push @complaint, 'may_have_been_sent is not ' . ($unknown ? 1 : 0) if !$reported->{may} != !$unknown;
    push @complaint, 'no error, but nobody was sent to'
        if !$reported->{error} && !grep { $_->{outcome} eq 'sent' } @$recipients;
    return @complaint;
}

# The connection was never there.
sub _of_no_receipt {
    my ($reported, $known) = @_;
    return 'accepted, but there is no receipt' if $known->{message};
    return 'may_have_been_sent, but there is no receipt' if $reported->{may};
    return $reported->{error} ? () : 'neither receipt nor error';
}

# $rank: 1 for the first.
sub _of_recipient {
    my ($recipient, $rank, $known) = @_;
    my ($address, $outcome) = @$recipient{qw(address outcome)};
    my $accepted = grep { $_ eq $address } $known->{message} ? $known->{message}->to : ();
    my $was_heard = $known->{replies} > $known->{before} + $rank;
    my $wrong = $REFUSED{$address} ? _of_refused($recipient, $was_heard, $known)
        : _of_accepted($outcome, $accepted, $known);
    return "$address is $outcome: $wrong" if $wrong;
    return _of_words($recipient, $known);
}

sub _of_refused {
    my ($recipient, $was_heard, $known) = @_;
    my ($address, $outcome) = @$recipient{qw(address outcome)};
    return _of_refused_ahead($was_heard, $known) if $outcome eq 'unknown' && $known->{is_ahead};
    return 'its RCPT was refused' if $outcome ne 'not-sent' && $outcome ne $REFUSED{$address}[0];
    return 'the reply to RCPT was not whole' if $outcome ne 'not-sent' && !$was_heard;
    return 'the reply to RCPT was there' if $outcome eq 'not-sent' && $was_heard && $known->{in_time};
    return;
}

# In one flight the message leaves before it is known who is refused.
sub _of_refused_ahead {
    my ($was_heard, $known) = @_;
    return 'the reply to RCPT was there' if $was_heard && $known->{in_time};
    return 'the message has not left' if defined $known->{handed_over} && !$known->{handed_over};
    return;
}

sub _of_accepted {
    my ($outcome, $accepted, $known) = @_;
    my ($heard, $left) = @$known{qw(heard handed_over)};
    return 'the server has accepted it' if $accepted && $outcome !~ /\A(?:sent|unknown)\z/;
    return 'the server has not accepted it' if !$accepted && $outcome eq 'sent';
    return 'the server does not refuse it' if $outcome =~ /\A(?:refused|deferred)\z/;
    return 'the reply was not whole' if $outcome eq 'sent' && !$heard;
    return 'the reply was there' if $outcome eq 'unknown' && $heard && $known->{in_time};
    return 'the message has not left' if $outcome eq 'unknown' && defined $left && !$left;
    return 'there was no 354' if $outcome eq 'unknown' && !$known->{let_come};
    return 'the whole message has left' if $outcome eq 'not-sent' && $left;
    return;
}

# The reply that is told is the one that decided about this recipient, and there is none where none did.
sub _of_words {
    my ($recipient, $known) = @_;
    my ($address, $outcome) = @$recipient{qw(address outcome)};
    my @expected = $outcome eq 'sent' ? (250, 'Ok: kept as ' . $known->{message}->id, 'end of data')
        : $outcome =~ /\A(?:refused|deferred)\z/ ? (@{ $REFUSED{$address} }[1, 2], 'RCPT') : ('', '');
    my @told = map { defined $_ ? $_ : '' } @$recipient{ (qw(code text step))[0 .. $#expected] };
    return "@told" eq "@expected" ? () : "$address is $outcome with '@told' instead of '@expected'";
}

# ---- the Net::SMTP face ----

sub _of_face {
    my ($case, $reported, $number, $known) = @_;
    my ($sent, $may, $message) = (@$reported{qw(sent may)}, $known->{message});
    my @complaint;
    push @complaint, 'data is true, but it was not accepted' if $sent && !$message;
    push @complaint, 'data is true, but the reply was not whole' if $sent && !$known->{heard};
    push @complaint, 'it was accepted, but is neither sent nor perhaps sent' if $message && !$sent && !$may;
    push @complaint, 'sent, and perhaps sent' if $sent && $may;
    push @complaint, 'perhaps sent, but it has not left'
        if $may && defined $known->{handed_over} && !$known->{handed_over};
    push @complaint, 'perhaps sent, but there was no 354' if $may && !$known->{let_come};
    push @complaint, 'perhaps sent, but the reply was there' if $may && $known->{heard} && $known->{in_time};
    push @complaint, 'it has left, and nothing says so' if $known->{handed_over} && !$sent && !$may;
    push @complaint, "the reply to data is $reported->{code} $reported->{text}"
        if $sent && $message && "$reported->{code} $reported->{text}" ne '250 Ok: kept as ' . $message->id . "\n";
    push @complaint, 'taken: ' . join ' ', @{ $reported->{taken} } if grep { $REFUSED{$_} } @{ $reported->{taken} };
    push @complaint, 'accepted for others than were taken'
        if $sent && $message && join(' ', $message->to) ne join ' ', @{ $reported->{taken} };
    return @complaint;
}

1;
