# Run: one party does one job: what it cost the system, and what the sink saw of it.
package Bench::Run;

use strict;
use warnings;

my %default = (tls => 'implicit', version => '', offer => 'pipelining chunking auth', count => 1, sessions => 1,
    recipients => 1, delay => 0, resume => 0);

sub new {
    my ($class, $tools, $sink) = @_;

    return bless {
        tools => $tools, sink => $sink, timed => $tools->program('timed', ['bench/timed.c']),
        log   => $tools->path('log'), figures => $tools->path('figures'),
        has_strace => scalar(grep { -x "$_/strace" } split /:/, $ENV{PATH}),
    }, $class;
}

# job: tls (implicit, starttls, none), count (of messages in each of sessions), recipients (of each message), file,
# delay (ms), ca, resume; offer and version of the sink. is_checked: the sink takes each message's digest.
# Result: wall cpu user (seconds), memory (kB), and the sink's counts.
sub run {
    my ($self, $party, $job, $is_checked) = @_;

    return $self->_run($party, $job, $is_checked, $self->{timed}, $self->{figures});
}

sub _run {
    my ($self, $party, $given, $is_checked, @wrapper) = @_;

    my $tools = $self->{tools};
    my $job = {%default, file => $tools->message(2048), ca => $tools->ca, ca_file => $tools->ca,
        %{ $party->{job} || {} }, %$given};
    $job->{port} = $self->{sink}->port($job->{tls});
    $self->{sink}->set((map { $_ => $job->{$_} } qw(delay offer version)),
        expect => $is_checked && $party->{is_exact} ? $tools->digest($job->{file}) : '');
    my ($stdin, @command) = $party->{command}->($job);
    my $status = $self->_command($job, $stdin, @wrapper, @command);
    my %result = (%{ $self->_figures }, %{ $self->{sink}->counts });
    return \%result if $status == 0 && !$result{status} && $self->_has_come($party, $job, \%result);
    die "$party->{name} failed: @command\n", (map { "  $_: $job->{$_}\n" } sort keys %$job),
        "status $status, and the sink saw:\n", (map { "  $_: $result{$_}\n" } sort keys %result), $self->said;
}

sub _has_come {
    my ($self, $party, $job, $result) = @_;

    return 1 if $party->{sends_nothing};
    my $messages = $job->{count} * $job->{sessions};
    return $result->{messages} == $messages && $result->{recipients} == $messages * $job->{recipients}
        && !$result->{wrong}
        && (!$party->{is_exact} || $result->{octets} == $messages * $self->{tools}->octets($job->{file}));
}

sub _command {
    my ($self, $job, $stdin, @command) = @_;

    my $child = fork // die "fork: $!\n";
    return waitpid($child, 0) && $? if $child;
    $ENV{ 'BENCH_' . uc } = $job->{$_} for keys %$job;
    open STDIN,  '<', $stdin // '/dev/null' or die;
    open STDOUT, '>', $self->{log} or die;
    open STDERR, '>&', \*STDOUT or die;
    exec {$command[0]} @command or die;
}

sub _figures {
    my ($self) = @_;

    open my $file, '<', $self->{figures} or return {};
    my %figure = split ' ', readline $file;
    unlink $self->{figures};
    return \%figure;
}

sub said {
    my ($self) = @_;

    open my $file, '<', $self->{log} or return '';
    local $/;
    return scalar readline $file;
}

# Of one run, untimed: {all, writes, by_name}; nothing without strace.
sub system_calls {
    my ($self, $party, $job) = @_;

    return if !$self->{has_strace};
    my $table = $self->{tools}->path('strace');
    $self->_run($party, $job, 0, 'strace', '-f', '-q', '-c', '-U', 'calls,name', '-o', $table);
    open my $file, '<', $table or die "$table: $!\n";
    my %calls = (all => 0, writes => 0, by_name => {});
    while (my $line = readline $file) {
        my ($count, $name) = $line =~ /^\s*([0-9]+)\s+(\w+)$/ or next;
        next if $name eq 'total';
        $calls{by_name}{$name} = $count;
        $calls{all} += $count;
        $calls{writes} += $count if $name =~ /\A(?:write|writev|sendto|sendmsg)\z/;
    }
    return \%calls;
}

1;
