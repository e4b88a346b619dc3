# recipients: one message to 1,000 and to 20,000 recipients.
use strict;
use warnings;

my @PARTIES = ('ours: submit', 'ours: new', 'raw C', 'Net::SMTP', 'Net::SMTP NODELAY', qw(msmtp Nodemailer smtplib));
my @FEW     = qw(curl libcurl);    # 20,000 replies are too many for them

sub {
    my ($bench) = @_;

    my $count   = $bench->many(1000);
    my $results = $bench->compare("One message, $count recipients, TLS", {recipients => $count}, [@PARTIES, @FEW],
        [$bench->usual_columns({recipients => $count})]);
    $bench->reach_ratio('1,000 recipients', $results, wall => 'ours: submit', 'raw C', '<= 1.4');
    $count = $bench->many(20_000);
    $bench->compare("One message, $count recipients, TLS", {recipients => $count},
        [grep { $_ ne 'Net::SMTP' } @PARTIES], [$bench->usual_columns], 2);
    return 1;
};
