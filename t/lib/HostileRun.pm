# Runs a table of attempts to send against hostile servers, several at a time, and says what was not as expected.
package HostileRun;
use strict;
use warnings;
use File::Temp ();
use HostileServer;
use Net::SMTP::AuthC;
use POSIX ();
use Time::HiRes qw(time);

use constant { WORKERS => 12, MEMORY_MOST => 24 * 1024 };    # kilobytes by which a process may grow

our $PASSWORD = 'sesame-oeffne-dich';
my %usual = (timeout => 1, end_timeout => 1, hello => 'client.test', transcript => 1, debug => 1);

# A case is {name, script => [...], and what is expected: kind, text, outcome, code, most (seconds), heard, unheard}.
# Complaints by the number of the case; none where all was as expected.
sub run {
    my (@cases) = @_;
    my $folder = File::Temp->newdir;
    HostileServer::certificate();
    my @workers = map { _start_worker($folder, $_, @cases) } 0 .. WORKERS - 1;
    my %complaints = map { $_ => ['the process that ran it ended before'] } 0 .. $#cases;
    for my $worker (@workers) {
        my $pipe = $worker->{pipe};
        while (my $line = <$pipe>) {
            chomp $line;
            my ($index, @complaint) = split /\x1f/, $line;
            $complaints{$index} = \@complaint;
        }
        waitpid $worker->{pid}, 0;
    }
    return \%complaints;
}

sub _start_worker {
    my ($folder, $number, @cases) = @_;
    pipe my $pipe, my $write or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return { pipe => $pipe, pid => $pid } if $pid;
    close $pipe;
    $write->autoflush(1);
    for my $index (grep { $_ % WORKERS == $number } 0 .. $#cases) {
        my @complaint = eval { complaints($cases[$index], "$folder/$index") };
        push @complaint, "it died: $@" if $@;
        print {$write} join("\x1f", $index, map { s/[\n\x1f]/ /gr } @complaint), "\n";
    }
    POSIX::_exit(0);
}

sub complaints {
    my ($case, $path) = @_;
    my $server = HostileServer->start("$path.heard", @{ $case->{script} });
    my $result = attempt($case, $server->port, "$path.stderr");
    select undef, undef, undef, 0.02;    # what was said last arrives
    $server->stop;
    $result->{heard}  = _slurp("$path.heard");
    $result->{stderr} = _slurp("$path.stderr");
    return (_wrong_end($case, $result), _wrong_time($case, $result), _leaks($case, $result));
}

# What a caller sees of a whole submission.
sub attempt {
    my ($case, $port, $stderr) = @_;
    my $scheme = $case->{scheme} || 'smtp';
    my $tls = $case->{tls} || ($scheme eq 'smtp' ? '?tls=none' : '');
    my $is_slow = $ENV{NET_SMTP_AUTHC_SLOW} && $tls !~ /none/;    # a handshake takes long there
    my @slow = $is_slow ? (timeout => 8, end_timeout => 8) : ();
    my %option = (%usual, @slow, %{ $case->{option} || {} });
    my ($kilobytes, $smtp, $receipt) = _kilobytes();
    open my $kept, '>&', \*STDERR or die $!;
    open STDERR, '>:raw', $stderr or die $!;
    my $start = time;
    my $good = eval {
        $smtp = Net::SMTP::AuthC->connect("$scheme://127.0.0.1:$port$tls", %option);
        $receipt = $smtp->submit($case->{message} // "Subject: x\n\nx\n", from => 'a@x.test',
            to => $case->{to} || 'b@x.test');
        $case->{after}->($smtp) if $case->{after};
        1;
    };
    my $error = $@;
    my $seconds = time - $start;
    open STDERR, '>&', $kept or die $!;
    my $second = $receipt && ref $error && $error->receipt;
    $receipt ||= ref $error && $error->receipt;
    return { good => $good, error => $error, seconds => $seconds, grown => _kilobytes() - $kilobytes,
        outcome => _outcomes($receipt), second => _outcomes($second),
        transcript => $smtp ? $smtp->transcript : ref $error ? $error->transcript : undef };
}

sub _outcomes {
    my ($receipt) = @_;
    my %seen;
    return join ' ', grep { !$seen{$_}++ } map { $_->outcome } $receipt ? $receipt->recipients : ();
}

sub _kilobytes {
    return _slurp('/proc/self/status') =~ /^VmRSS:\s*([0-9]+)/m ? $1 : 0;
}

sub _slurp {
    my ($path) = @_;
    open my $handle, '<:raw', $path or return '';
    local $/;
    return scalar readline($handle) // '';
}

sub _wrong_end {
    my ($case, $result) = @_;
    my @complaint;
    my ($kind, $error) = ($case->{kind} // 'none', $result->{error});
    push @complaint, "an error that is no object: $error" if !$result->{good} && !ref $error;
    my $got = $result->{good} ? 'none' : ref $error ? $error->kind : '?';
    my $told = $result->{good} ? '' : " ($error)";
    push @complaint, "kind $got instead of $kind$told" if $got !~ /\A(?:$kind)\z/;
    push @complaint, "outcome '$result->{outcome}' instead of '$case->{outcome}'$told"
        if defined $case->{outcome} && $result->{outcome} !~ /\A(?:$case->{outcome})\z/;
    push @complaint, "outcome '$result->{second}' of the second instead of '$case->{second}'$told"
        if defined $case->{second} && $result->{second} !~ /\A(?:$case->{second})?\z/;
    push @complaint, "the error does not say $case->{text}$told" if $case->{text} && $error !~ $case->{text};
    push @complaint, 'code ' . ($error->code // 'undef') . " instead of $case->{code}"
        if $case->{code} && ref $error && ($error->code // '') ne $case->{code};
    my $unknown = $result->{outcome} =~ /unknown/ ? 1 : 0;
    push @complaint, "may_have_been_sent is not $unknown" if ref $error && $error->may_have_been_sent != $unknown;
    return @complaint;
}

sub _wrong_time {
    my ($case, $result) = @_;
    my $most = ($case->{most} || 1.5) * ($ENV{NET_SMTP_AUTHC_SLOW} || 2);    # a busy machine is no fault of ours
    return sprintf 'it took %.2f s, %.1f are allowed', @$result{'seconds'}, $most if $result->{seconds} > $most;
    return;
}

# What must never be seen: the password, a wild octet, too much memory, and what the case names.
sub _leaks {
    my ($case, $result) = @_;
    my $text = $result->{transcript} ? $result->{transcript}->as_text : '';
    my @complaint;
    push @complaint, 'a wild octet in the error'
        if ref $result->{error} && "$result->{error}" !~ /\A[\x20-\x7e]+\n\z/;
    push @complaint, 'a wild octet in the transcript' if $text =~ /[^\n\x20-\x7e]/;
    push @complaint, 'a wild octet on STDERR' if $result->{stderr} =~ /[^\t\r\n\x20-\x7e]/;
    push @complaint, 'the password is told' if "$text$result->{stderr}$result->{error}" =~ /\Q$PASSWORD/;
    push @complaint, "it grew by $result->{grown} kB" if $result->{grown} > ($case->{memory} || MEMORY_MOST);
    push @complaint, "the server did not hear $case->{heard}" if $case->{heard} && $result->{heard} !~ $case->{heard};
    push @complaint, "the server heard $case->{unheard}" if $case->{unheard} && $result->{heard} =~ $case->{unheard};
    return @complaint;
}

1;
