# report: for cron: a mail with the disks that are nearly full, at most one a day, and none when all is well.
#
#     17 * * * *  perl /usr/local/bin/report.pl smtps://host user FROM TO /var/lib/report </etc/report/password
#
# The folder is this program's own: a file for each day keeps the mail from being sent again in the next hour.
use strict;
use warnings;
use Net::SMTP::AuthC;
use POSIX qw(strftime);
use Sys::Hostname;

my $FULL = $ENV{REPORT_FULL} // 90;    # per cent

my ($server, $user, $from, $to, $folder) = @ARGV;
die "perl eg/report.pl smtps://host user FROM TO FOLDER <password-file\n" if !defined $folder;
chomp(my $password = <STDIN> // '');

my ($head, @disks) = qx{df -P -l};
die "df: status $?\n" if !@disks;
my @full = grep { /\s([0-9]+)%\s/ && $1 >= $FULL } @disks;
exit 0 if !@full;

my $host = hostname();
my $day  = strftime('%Y-%m-%d', localtime);
my $sent = eval {
    Net::SMTP::AuthC->send_mail(
        server   => $server, username => $user, password => $password, ca_file => $ENV{CA_FILE},
        from     => $from, to => $to, subject => "$host: disks are nearly full",
        text     => join('', $head, @full),
        headers  => ['Auto-Submitted' => 'auto-generated'],
        once     => "disks of $host, $day", ledger => $folder,
        deadline => 300,
    );
};
exit 0 if $sent;
die $@ if !ref $@ || !$@->temporary;    # cron tells somebody
exit 75;                                # the next hour tries again
