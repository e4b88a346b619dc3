# newsletter: one text to many, each their own mail, over one connection: perl eg/newsletter.pl smtps://user:pass@host FROM TO...
# (or a list, an address a line, on STDIN). Ends with status 1 if somebody did not get it.
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;

my ($server, $from, @to) = @ARGV;
die "perl eg/newsletter.pl smtps://user:pass\@host FROM TO... or <LIST\n" if !defined $from;

# One at a time, however long the list is: a mail is made when it can be said.
sub next_address {
    return shift @to if @ARGV > 2;
    while (defined(my $line = <STDIN>)) {
        return $1 if $line =~ /\A\s*([^\s#]+)/;
    }
    return undef;
}

sub next_mail {
    my $to = next_address() // return undef;
    my $message = Net::SMTP::AuthC::Message->new(
        from => $from, to => $to, subject => 'News', text => "There is news.\n",
        headers => ['List-Unsubscribe' => "<mailto:$from?subject=unsubscribe>", 'Precedence' => 'bulk'],
    );
    return {message => $message, from => $message->envelope_from, to => [$to]};
}

my $lost = 0;

sub tell {
    my ($receipt) = @_;

    for my $one ($receipt->recipients) {
        printf "%-10s %s %s %s\n", $one->outcome, $one->address, $one->code // '', $one->text // $receipt->text // '';
        $lost++ if $one->outcome ne 'sent';
    }
}

my $smtp = Net::SMTP::AuthC->connect($server, ca_file => $ENV{CA_FILE});
$smtp->submit_all(\&next_mail, window => 10, on_receipt => \&tell);
$smtp->quit;
exit($lost ? 1 : 0);
