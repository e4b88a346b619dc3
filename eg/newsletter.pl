# newsletter: many mails over one connection, each with its answer: perl eg/newsletter.pl smtps://user:pass@host FROM TO...
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;

my ($server, $from, @to) = @ARGV;
die "perl eg/newsletter.pl smtps://user:pass\@host FROM TO...\n" if !@to;

my $smtp = Net::SMTP::AuthC->connect($server, ca_file => $ENV{CA_FILE});
for my $to (@to) {
    my $message = Net::SMTP::AuthC::Message->new(
        from => $from, to => $to, subject => 'News', text => "There is news.\n",
    );
    my $receipt = eval { $smtp->submit($message, from => $message->envelope_from, to => [$to]) };
    my ($one) = ($receipt || ref $@ && $@->receipt || die $@)->recipients;
    printf "%-10s %s %s %s\n", $one->outcome, $one->address, $one->code // '', $one->text;
}
$smtp->quit;
