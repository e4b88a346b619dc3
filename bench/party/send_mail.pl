# send_mail: the sending face in one call, with a message that is built by it: send_mail.pl [OPTION=VALUE ...]
use strict;
use warnings;
use Net::SMTP::AuthC;

my %job = map { /\ABENCH_(.+)/ ? (lc $1 => $ENV{$_}) : () } keys %ENV;
my %tls = (implicit => ['smtps', ''], starttls => ['smtp', ''], none => ['smtp', '?tls=none']);
my ($scheme, $query) = @{ $tls{ $job{tls} } };

open my $file, '<:raw', $job{file} or die "$job{file}: $!\n";
Net::SMTP::AuthC->send_mail(
    server => "$scheme://localhost:$job{port}$query", username => 'user', password => 'secret',
    ($query ? (insecure_cleartext_auth => 1) : ((-d $job{ca} ? 'ca_path' : 'ca_file') => $job{ca})),
    from   => 'a@example.com', to => [map { "b$_\@example.com" } 1 .. $job{recipients}], subject => 'bench',
    text   => do { local $/; <$file> }, map { split /=/ } @ARGV,
);
