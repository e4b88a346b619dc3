# send_mail: one mail, the whole program: perl eg/send_mail.pl smtps://host user FROM TO [CA-FILE] <password-file
use strict;
use warnings;
use Net::SMTP::AuthC;

my ($server, $user, $from, $to, $ca_file) = @ARGV;
die "perl eg/send_mail.pl smtps://host user FROM TO [CA-FILE] <password-file\n" if !defined $to;
chomp(my $password = <STDIN> // '');

my $receipt = eval {
    Net::SMTP::AuthC->send_mail(
        server   => $server,
        username => $user, password => $password,
        from     => $from, to => $to,
        subject  => 'A mail from Perl',
        text     => "It came through.\n",
        (defined $ca_file ? (ca_file => $ca_file) : ()),
    );
} or die $@;
print $receipt->text, "\n";
