# Sends mail through proxies that cut, by several processes, and brings home what the client reported and what passed.
package OutcomesRun;
use strict;
use warnings;
use File::Temp ();
use Net::SMTP::AuthC;
use OutcomesProxy;
use POSIX ();
use Storable ();

# A case is {number, face, stream, messages => [[recipients of the first], ...], cut, timeout, deadline, tls, port,
# ca_file, pipelining}: number from 0, face for the methods of Net::SMTP, stream for submit_all with these options.
# Returns for each, by its number, {messages => [what
# was reported of each], and what passed: to_server_read, to_server, to_client_read, to_client}; none when the process
# that had it failed.
sub run {
    my (@groups) = @_;
    my $folder = File::Temp->newdir;
    my @workers = map { _start_worker("$folder/$_", @{ $groups[$_] }) } 0 .. $#groups;
    waitpid $_, 0 for @workers;
    my @results = map { my $path = "$folder/$_"; eval { Storable::retrieve($path) } || () } 0 .. $#groups;
    return { map { %$_ } @results };
}

sub _start_worker {
    my ($path, @cases) = @_;
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return $pid if $pid;
    eval { _work($path, @cases); 1 } or warn "a worker failed: $@";
    POSIX::_exit(0);
}

# All cases of a worker go to the same server.
sub _work {
    my ($path, @cases) = @_;
    my $proxy = OutcomesProxy->start($cases[0]{port}, $cases[0]{tls}, "$path.passed", map { $_->{cut} } @cases);
    my %result = map { $_->{number} => { messages => [attempt($_, $proxy->port)] } } @cases;
    die 'the proxy failed' unless $proxy->wait;
    open my $log, '<:raw', "$path.passed" or die "$path.passed: $!";
    for my $case (@cases) {
        chomp(my $line = <$log>);
        @{ $result{ $case->{number} } }{qw(to_server_read to_server to_client_read to_client)}
            = map { pack 'H*', $_ } split /\t/, $line, -1;
    }
    Storable::store(\%result, $path);
    return;
}

# The sender tells which case and which of its messages.
sub sender { return sprintf 's%05d%d@x', $_[0]{number}, $_[1] }

sub text { return "A: b\n\n.c\n" }

sub attempt {
    my ($case, $port) = @_;
    return _by_face($case, $port) if $case->{face};
    return $case->{stream} ? _by_stream($case, $port) : _by_submit($case, $port);
}

# ---- connect and submit ----

sub _by_submit {
    my ($case, $port) = @_;
    my $smtp = eval { _connect($case, $port) };
    my $error = $@;
    my @reported = map { $smtp ? _submit($case, $smtp, $_) : _report(undef, $error) } 0 .. $#{ $case->{messages} };
    eval { $smtp->quit } if $smtp;
    return @reported;
}

sub _connect {
    my ($case, $port) = @_;
    Net::SMTP::AuthC::Ladder->forget if $INC{'Net/SMTP/AuthC/Ladder.pm'};    # each case is on its own
    my $url = $case->{tls} ? "smtps://127.0.0.1:$port" : "smtp://127.0.0.1:$port?tls=none";
    my @tls = $case->{tls} ? (SSL_ca_file => $case->{ca_file}, resumption => 0) : ();
    return Net::SMTP::AuthC->connect($url, hello => 'c.x', reconnect => 0, pipelining => $case->{pipelining}, @tls,
        timeout => $case->{timeout}, end_timeout => $case->{timeout});
}

sub _submit {
    my ($case, $smtp, $number) = @_;
    my $receipt = eval {
        $smtp->submit(text(), from => sender($case, $number), to => $case->{messages}[$number],
            deadline => $case->{deadline});
    };
    return _report($receipt, $receipt ? undef : $@);
}

# ---- connect and submit_all ----

sub _by_stream {
    my ($case, $port) = @_;
    my $smtp = eval { _connect($case, $port) } or return map { _report(undef, $@) } @{ $case->{messages} };
    my ($asked, @receipts, @order) = (0);
    my $next = sub {
        my $to = $case->{messages}[$asked] or return;
        return { message => text(), from => sender($case, $asked++), to => $to };
    };
    my $keep = sub {
        my ($receipt, $item) = @_;
        push @order, _number_of($item->{from});
        push @{ $receipts[ $order[-1] ] }, $receipt;
    };
    my %option = (%{ $case->{stream} }, deadline => $case->{deadline}, on_receipt => $keep);
    my $error;
    for my $more ([reconnect => 0], []) {    # the second for a stream that does not know how
        eval { $smtp->submit_all($next, %option, @$more); $error = undef; 1 } or $error = $@;
        last unless $error && $error =~ /reconnect/ && !$asked;
    }
    eval { $smtp->quit };
    return { died => "receipts in the order @order" } if "@order" ne join ' ', sort { $a <=> $b } @order;
    return map { _of_stream($_ < $asked, $error, @{ $receipts[$_] || [] }) } 0 .. $#{ $case->{messages} };
}

sub _number_of { return $_[0] =~ /(.)\@/ ? $1 : die "$_[0]: a sender of ours?" }

# One receipt for whatever was asked for, and none for what was not.
sub _of_stream {
    my ($was_asked_for, $error, @receipts) = @_;
    return { died => @receipts . ' receipts' . ($error ? ": $error" : '') } if @receipts != ($was_asked_for ? 1 : 0);
    return { error => 'not asked for', kind => '' } if !@receipts && $error;
    return { died => 'not asked for, and no error' } if !@receipts;
    my $own = $receipts[0]->error;
    return { %{ _report($receipts[0], undef) }, kind => $own && $own->kind, error => $own && "$own",
        may => $own && $own->may_have_been_sent };
}

# In plain data, so that it can be stored.
sub _report {
    my ($receipt, $error) = @_;
    return { died => "$error" } if defined $error && !ref $error;
    $receipt ||= $error && $error->receipt;
    return {
        kind => $error && $error->kind,
        error => $error && "$error",
        may => $error && $error->may_have_been_sent,
        recipients => $receipt && [ map { _facts($_) } $receipt->recipients ],
    };
}

sub _facts {
    my ($recipient) = @_;
    return { map { $_ => scalar $recipient->$_ } qw(address outcome code text step) };
}

# ---- new, mail, to, data ----

sub _by_face {
    my ($case, $port) = @_;
    my @tls = $case->{tls} ? (SSL => 1, SSL_ca_file => $case->{ca_file}, resumption => 0) : ();
    my $smtp = Net::SMTP::AuthC->new("127.0.0.1:$port", Hello => 'c.x', Timeout => $case->{timeout}, @tls);
    my @reported = map { $smtp ? _send($case, $smtp, $_) : { taken => [], may => 0 } } 0 .. $#{ $case->{messages} };
    $smtp->quit if $smtp;
    return @reported;
}

# As a script does it. The first message by data alone, others in pieces.
sub _send {
    my ($case, $smtp, $number) = @_;
    my $good = $smtp->mail(sender($case, $number));
    my @taken = $good ? $smtp->to(@{ $case->{messages}[$number] }, { SkipBad => 1 }) : ();
    my $sent = @taken && ($number == 0 ? $smtp->data(text())
        : $smtp->data && $smtp->datasend(split /(?<=\n)/, text()) && $smtp->dataend);
    my $error = $sent ? undef : $smtp->error;
    my $report = { taken => \@taken, sent => $sent ? 1 : 0, code => $smtp->code, text => scalar $smtp->message,
        kind => $error && $error->kind, error => $error && "$error", may => $error && $error->may_have_been_sent };
    $smtp->reset if !@taken;
    return $report;
}

1;
