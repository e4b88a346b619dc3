# submit: the sending face: one connection, BENCH_COUNT messages; what is above 4 MB comes from a handle.
use strict;
use warnings;
use Net::SMTP::AuthC;

my %job  = map { /\ABENCH_(.+)/ ? (lc $1 => $ENV{$_}) : () } keys %ENV;
my %tls  = (implicit => ['smtps', ''], starttls => ['smtp', ''], none => ['smtp', '?tls=none']);
my ($scheme, $query) = @{ $tls{ $job{tls} } };
my @to   = map { "b$_\@example.com" } 1 .. $job{recipients};
my $smtp = Net::SMTP::AuthC->connect("$scheme://localhost:$job{port}$query", username => 'user', password => 'secret',
    ($query ? (insecure_cleartext_auth => 1) : (ca_file => $job{ca})));

open my $file, '<:raw', $job{file} or die "$job{file}: $!\n";
my $message = $file;
$message = do { local $/; <$file> } if -s $file < 4e6;
for (1 .. $job{count}) {
    $smtp->submit($message, from => 'a@example.com', to => \@to);
    seek $file, 0, 0 if ref $message;
}
$smtp->quit;
