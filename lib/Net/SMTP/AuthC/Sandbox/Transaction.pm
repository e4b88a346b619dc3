# The commands of a mail transaction in the sandbox: MAIL, RCPT, DATA, BDAT, RSET. Functions over a session.
package Net::SMTP::AuthC::Sandbox::Transaction;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Content;
use Net::SMTP::AuthC::Sandbox::Envelope;

sub mail {
    my ($session, $argument) = @_;
    my $option = $session->{option};
    return ('421 4.7.0 So many messages are enough for one session', close => 1)
        if defined $option->{max_messages} && ($session->{mails} || 0) >= $option->{max_messages};
    my ($from, $parameters) =
        Net::SMTP::AuthC::Sandbox::Envelope::mail($argument, $session->offered, $option->{announced});
    my $limit = $option->{size_limit};
    return '552 5.3.4 Message size exceeds fixed limit' if $limit && ($parameters->{SIZE} || 0) > $limit;
    return ('250 2.1.0 Ok', done => sub {
        $session->{mails}++;
        $session->{mail} = { from => $from, parameters => $parameters, to => [], rcpt_parameters => [] };
    });
}

sub rcpt {
    my ($session, $argument) = @_;
    my $mail = $session->{mail};
    my $utf8 = exists $mail->{parameters}{SMTPUTF8};
    my ($to, $parameters) = Net::SMTP::AuthC::Sandbox::Envelope::rcpt($argument, $session->offered, $utf8);
    my $refusal = _too_many($session, $to) || $session->{option}{refuse}{ lc $to };
    return (defined $refusal ? $refusal : '250 2.1.5 Ok', done => sub {
        push @{ $mail->{to} }, $to;
        push @{ $mail->{rcpt_parameters} }, $parameters;
    });
}

# RFC 9422 section 4: recipients of a transaction, and domains in a session.
sub _too_many {
    my ($session, $to) = @_;
    my ($option, $mail) = @$session{qw(option mail)};
    return '452 4.5.3 Too many recipients'
        if defined $option->{max_recipients} && $mail->{asked}++ >= $option->{max_recipients};
    return unless defined $option->{max_domains};
    my $domains = $session->{domains} ||= {};
    my $domain = lc +($to =~ /\@([^\@]*)\z/)[0];
    return '452 4.5.3 Too many domains' if !$domains->{$domain} && keys %$domains >= $option->{max_domains};
    $domains->{$domain} = 1;
    return;
}

sub data {
    my ($session) = @_;
    return ('354 End data with <CR><LF>.<CR><LF>', after => sub {
        _content($session)->read_data($session->{stream}, _watch($session));
        _end($session, 'DATA');
    });
}

# The octets are on their way whatever the reply will be, so they are read first.
sub bdat {
    my ($session, $argument) = @_;
    my ($count, $last) = $argument =~ /\A([0-9]{1,15})( LAST)?\z/i
        or return '501 5.5.4 The form is BDAT count [LAST]';
    my $mail = $session->{mail};
    my $offered = $session->offered->{CHUNKING};
    my $good = $offered && $mail && !$mail->{failed} && @{ $mail->{to} };
    my $content = $good ? _content($session) : Net::SMTP::AuthC::Sandbox::Content->new('/dev/null');
    $content->read_chunk($session->{stream}, $count, _watch($session));
    $session->remark('early talker: more came behind BDAT before its reply')
        if !$session->offered->{PIPELINING} && $session->{stream}->pending;
    return '502 5.5.1 CHUNKING was not offered' unless $offered;
    return _no_chunk($session, $last) unless $good;
    return _end($session, 'BDAT') if $last;
    return ("250 2.0.0 $count octets received", refused => sub { $mail->{failed} = 1 });
}

# LMTP answers the last chunk once for each recipient, and not at all where there is none (RFC 2033 section 4.3).
sub _no_chunk {
    my ($session, $last) = @_;
    my $reply = '503 5.5.1 Need MAIL and RCPT first';
    return $reply unless $last && $session->{option}{lmtp};
    $session->answer('bdat', $reply) for @{ $session->{mail} ? $session->{mail}{to} : [] };
    return;
}

sub rset {
    my ($session) = @_;
    return ('250 2.0.0 Ok', done => sub { $session->forget_mail });
}

sub _content {
    my ($session) = @_;
    return $session->{mail}{content} if $session->{mail}{content};
    my $path = sprintf '%s/message-%d-%d', $session->{folder}, $session->{number}, ++$session->{messages};
    my $content = Net::SMTP::AuthC::Sandbox::Content->new($path, $session->{option}{size_limit});
    return $session->{mail}{content} = $content;
}

# A fault at the stage content comes once its number of octets has been read; the sub tells how many may be read next.
sub _watch {
    my ($session) = @_;
    my $plan = $session->plan('content');
    return sub {
        my ($size) = @_;
        return 65536 unless $plan->{faulty};
        my $left = ($plan->{after} || 0) - $size;
        return $left if $left > 0;
        my $due = $plan;
        $plan = { faulty => 0 };
        $session->deliver('content', $due);
        return 65536;
    };
}

sub _end {
    my ($session, $via) = @_;
    my $mail = delete $session->{mail};
    my $content = $mail->{content};
    $content->finish;
    $session->remark(sprintf 'content: %d octets by %s', $content->size, $via);
    my $id = "$session->{number}.$session->{messages}";
    my $reply = $content->too_big ? '552 5.3.4 Message too big' : "250 2.0.0 Ok: kept as $id";
    my $note = sub {
        my ($accepted, %more) = @_;
        $session->note(message => id => $id, path => $content->path, via => $via, size => $content->size,
            from => $mail->{from}, to => $mail->{to}, mail_parameters => $mail->{parameters}, time => time,
            rcpt_parameters => $mail->{rcpt_parameters}, accepted => $accepted, %more,
            map { $_ => $session->{$_} } qw(user mechanism identity tls helo));
    };
    return _end_for_each($session, $mail, $reply, $note) if $session->{option}{lmtp};
    $session->answer('end', $reply, undef, done => sub { $note->(1) }, refused => sub { $note->(0) });
    return;
}

# What becomes of each recipient is settled before the client can know of the first.
sub _end_for_each {
    my ($session, $mail, $reply, $note) = @_;
    my @to = @{ $mail->{to} };
    my @plans = map { $session->plan('end', $session->octets($reply), $_) } @to;
    my @taken = grep { Net::SMTP::AuthC::Sandbox::Faults::verdict($plans[$_]) eq '2' } 0 .. $#to;
    my %is_taken = map { $_ => 1 } @taken;
    my @refused = map { $to[$_] } grep { !$is_taken{$_} } 0 .. $#to;
    $note->(0) unless @taken;
    $note->(1, to => [ @to[@taken] ], rcpt_parameters => [ @{ $mail->{rcpt_parameters} }[@taken] ],
        refused_to => \@refused) if @taken;
    for my $plan (@plans) { $session->deliver('end', $plan) }
    return;
}

1;
