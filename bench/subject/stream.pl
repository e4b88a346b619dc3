# stream: many messages over one connection, small and large: time, CPU and system calls of each message.
use strict;
use warnings;

my @OURS   = ('ours: submit_all', 'ours: window 32', 'ours: submit', 'ours: new', 'raw C', 'raw C window 32',
    'raw C lock-step');
my @OTHERS = ('Net::SMTP', 'Net::SMTP NODELAY', qw(curl libcurl Nodemailer smtplib), 'smtp-source, clear');

# Those who are slow need not send as many to show it.
sub count_of {
    my ($party, $count) = @_;

    return $count if !$party->{is_foreign} || $count < 10;
    return $party->{name} eq 'Net::SMTP' ? 40 : $count / 10;
}

# Between the first MAIL and the last end of a message, as the server saw it; the rest of the process is not in it.
sub stream_columns {
    my ($bench, $is_near) = @_;

    my $rate = sub { return Bench::median(map { 1e6 / $_->{stream} } @{ $_[0] }) };
    return (["messages/s", sub { return sprintf '%.0f', $rate->($_[0]) }, $rate],
        $bench->figure('us each', stream => 1, '%.1f'), $bench->ours_to_it('ours/it', 'stream'),
        $is_near ? ($bench->figure('CPU us', cpu => 1e6, '%.1f'), $bench->ours_to_it('ours/it', 'cpu')) : (),
        ['system calls', sub { return calls($bench, $_[2]) }], $bench->plain('server spoke', spoke => 1, '%.2f'));
}

# System calls of a message more.
sub calls {
    my ($bench, $party) = @_;

    my $more = $party->{name} eq 'Net::SMTP' ? 20 : 320;
    my ($few, $many) = map { $bench->system_calls($party, {count => $_}) } 1, 1 + $more;
    return $few ? sprintf '%.1f', ($party->{calls} = ($many->{all} - $few->{all}) / $more) : '-';
}

# Each figure for one message more than one.
sub each_more {
    my ($count, $few, $many) = @_;

    return [map { my ($one, $all) = ($few->[$_], $many->[$_]); {
        stream => $all->{stream} / $count,
        cpu    => ($all->{cpu} - $one->{cpu}) / ($count - 1 || 1),
        spoke  => ($all->{flights} - $one->{flights}) / ($count - 1 || 1),
    } } 0 .. $#$many];
}

sub stream {
    my ($bench, $title, $count, $octets, $rounds, %job) = @_;

    my @parties = $bench->parties(@OURS, @OTHERS);
    my @counts  = map { count_of($_, $bench->many($count)) } @parties;
    my %file    = (file => $bench->tools->message($octets), %job);
    my @results = $bench->in_turn($rounds, map { my $i = $_;
        map { [$parties[$i], {%file, count => $_}] } 1, $counts[$i] } 0 .. $#parties);
    my @each = map { each_more($counts[$_], @results[2 * $_, 2 * $_ + 1]) } 0 .. $#parties;
    return $bench->tabulate($title, \@parties, [stream_columns($bench, $octets < 1e5)], @each);
}

sub {
    my ($bench) = @_;

    my $small = stream($bench, '20,000 messages of 2 KiB, one connection, TLS', 20_000, 2048);
    my %reach = ('ours: submit_all' => ['raw C', '>= 0.75'], 'ours: window 32' => ['raw C window 32', '>= 0.33'],
        'ours: new' => ['raw C lock-step', '>= 0.8']);
    $bench->reach_ratio('stream', $small, stream => $_, @{ $reach{$_} }) for sort keys %reach;
    $bench->reach_ratio('stream', $small, cpu => 'ours: new', 'Net::SMTP NODELAY', '<= 0.5');
    my %calls = ('ours: new' => '<= 12', 'ours: submit_all' => '<= 4');
    for my $name (sort keys %calls) {
        my ($party) = $bench->parties($name);
        $bench->reach('stream', "system calls a message, $name", $party && $party->{calls}, $calls{$name});
    }
    stream($bench, '5,000 messages of 2 KiB, one connection, in clear', 5000, 2048, 3, tls => 'none');
    stream($bench, '100 messages of 1 MiB, one connection, TLS', 100, 1 << 20, 2);
    return 1;
};
