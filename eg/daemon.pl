# daemon: takes mails from a folder and sends them, several processes at once, each with a connection of its own.
#
#     perl eg/daemon.pl smtps://user:pass@host SPOOL [PROCESSES]
#
# A mail is a file: its first line the sender and the recipients, then the message. Write it elsewhere on the same disk and
# move it to SPOOL/new. It goes to SPOOL/sent, failed (somebody can not get it) or unknown (it may have been sent: look
# before you move it back); one that the server wants later stays in new. With ONCE=1 the daemon ends after one round.
use strict;
use warnings;
use Net::SMTP::AuthC;
use POSIX ();

my $PAUSE = 10;     # seconds between two rounds

my ($server, $spool, $processes) = @ARGV;
die "perl eg/daemon.pl smtps://user:pass\@host SPOOL [PROCESSES]\n" if !defined $spool;
for my $folder (map { "$spool/$_" } qw(new work sent failed unknown)) {
    -d $folder or mkdir $folder, 0700 or die "$folder: $!\n";
}

my $is_ending = 0;
$SIG{TERM} = $SIG{INT} = sub { $is_ending = 1 };    # after the mail that is under way
while (1) {
    move('work', $_, 'unknown') for names_in('work');    # what somebody was about to send when he died
    last if $is_ending;
    do_round();
    last if $ENV{ONCE};
    sleep $PAUSE;
}
move('work', $_, 'unknown') for names_in('work');

# Connections are made behind the fork: a connection belongs to the process that made it.
sub do_round {
    my @share;
    my $i = 0;
    push @{ $share[$i++ % ($processes || 2)] }, $_ for names_in('new');
    my @pids;
    for my $names (@share) {
        defined(my $pid = fork) or die "fork: $!\n";
        push @pids, $pid if $pid;
        next if $pid;
        eval { send_all(@$names); 1 } or warn "process $$: $@";
        POSIX::_exit(0);
    }
    for my $pid (@pids) {
        kill TERM => @pids if $is_ending;
        redo if waitpid($pid, 0) < 0 && $!{EINTR};
    }
    return;
}

sub send_all {
    my (@names) = @_;

    my $smtp = Net::SMTP::AuthC->connect($server, ca_file => $ENV{CA_FILE}, timeout => 60);
    for my $name (@names) {
        last if $is_ending;
        send_one($smtp, $name);
        $smtp = Net::SMTP::AuthC->connect($server, ca_file => $ENV{CA_FILE}, timeout => 60) if !$smtp->connected;
    }
    $smtp->quit;
    return;
}

sub send_one {
    my ($smtp, $name) = @_;

    move('new', $name, 'work');
    open my $file, '<:raw', "$spool/work/$name" or die "$name: $!\n";
    my ($from, @to) = split ' ', scalar(<$file>) // '';
    my $receipt = eval { $smtp->submit($file, from => $from, to => \@to) };
    my $error   = $@;
    my $end = $receipt ? ($receipt->all_sent ? 'sent' : 'failed')
        : !ref $error || $error->may_have_been_sent ? 'unknown'
        : $error->temporary ? 'new' : 'failed';
    warn "$name: $error" if !$receipt;
    warn "$name: ", $_->address, ': ', $_->outcome, ' ', $_->text // '', "\n"
        for $receipt ? grep { $_->outcome ne 'sent' } $receipt->recipients : ();
    return move('work', $name, $end);
}

# The oldest first.
sub names_in {
    my ($folder) = @_;

    opendir my $handle, "$spool/$folder" or die "$spool/$folder: $!\n";
    my @names = grep { !/\A\./ && -f "$spool/$folder/$_" } readdir $handle;
    return sort { -M "$spool/$folder/$b" <=> -M "$spool/$folder/$a" || $a cmp $b } @names;
}

sub move {
    my ($from, $name, $to) = @_;

    rename "$spool/$from/$name", "$spool/$to/$name" or die "$spool/$from/$name: $!\n";
    return 1;
}
