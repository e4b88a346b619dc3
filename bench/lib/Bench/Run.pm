# Run: one party does one job: what it cost the system, and what the sink saw of it.
package Bench::Run;

use strict;
use warnings;

my %default = (tls => 'implicit', count => 1, recipients => 1, delay => 0);

sub new {
    my ($class, $tools, $sink) = @_;

    return bless {
        tools => $tools, sink => $sink, timed => $tools->program('timed', ['bench/timed.c']),
        log   => $tools->path('log'), figures => $tools->path('figures'),
        has_strace => scalar(grep { -x "$_/strace" } split /:/, $ENV{PATH}),
    }, $class;
}

# job: tls (implicit, starttls, none), count, recipients (of each message), file, delay (ms), ca.
# Result: wall cpu user (seconds), memory (kB), and the sink's counts.
sub run {
    my ($self, $party, $job) = @_;

    return $self->_run($party, $job, $self->{timed}, $self->{figures});
}

sub _run {
    my ($self, $party, $job, @wrapper) = @_;

    my %job = (%default, file => $self->{tools}->message(2048), ca => $self->{tools}->ca, %$job);
    $job{port} = $self->{sink}->port($job{tls});
    $self->{sink}->set_delay($job{delay});
    my ($stdin, @command) = $party->{command}->(\%job);
    my $status = $self->_command(\%job, $stdin, @wrapper, @command);
    my %result = (%{ $self->_figures }, %{ $self->{sink}->counts });
    my $all_came = $party->{sends_nothing}
        || $result{messages} == $job{count} && $result{recipients} == $job{count} * $job{recipients};
    return \%result if $status == 0 && !$result{status} && $all_came;
    die "$party->{name} failed: @command\n", (map { "  $_: $job{$_}\n" } sort keys %job), $self->said;
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

sub system_calls {
    my ($self, $party, $job) = @_;

    return if !$self->{has_strace};
    my $table = $self->{tools}->path('strace');
    $self->_run($party, $job, 'strace', '-f', '-q', '-c', '-U', 'calls,name', '-o', $table);
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
