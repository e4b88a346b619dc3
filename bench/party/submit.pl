# submit: the sending face: BENCH_COUNT messages in each of BENCH_SESSIONS connections, what is above 4 MB from a
# handle: submit.pl submit|submit_all [OPTION=VALUE ...]
use strict;
use warnings;
use Net::SMTP::AuthC;

my ($method, %option) = map { split /=/ } @ARGV;
my %job = map { /\ABENCH_(.+)/ ? (lc $1 => $ENV{$_}) : () } keys %ENV;
my %tls = (implicit => ['smtps', ''], starttls => ['smtp', ''], none => ['smtp', '?tls=none']);
my ($scheme, $query) = @{ $tls{ $job{tls} } };
my @to  = map { "b$_\@example.com" } 1 .. $job{recipients};

open my $file, '<:raw', $job{file} or die "$job{file}: $!\n";
my $message = $file;
$message = do { local $/; <$file> } if -s $file < 4e6;

for (1 .. $job{sessions}) {
    my $smtp = Net::SMTP::AuthC->connect("$scheme://localhost:$job{port}$query",
        username => 'user', password => 'secret', ($query ? (insecure_cleartext_auth => 1)
            : ((-d $job{ca} ? 'ca_path' : 'ca_file') => $job{ca}, resumption => $job{resume})));
    $method eq 'submit' ? one_by_one($smtp) : all($smtp);
    $smtp->quit;
}

sub one_by_one {
    my ($smtp) = @_;

    for (1 .. $job{count}) {
        seek $file, 0, 0;
        $smtp->submit($message, from => 'a@example.com', to => \@to, %option);
    }
    return;
}

sub all {
    my ($smtp) = @_;

    my ($left, $sent) = ($job{count}, 0);
    my $next = sub {
        return if !$left--;
        seek $file, 0, 0 if ref $message;
        return {message => $message};
    };
    $smtp->submit_all($next, from => 'a@example.com', to => \@to, %option,
        on_receipt => sub { $sent++ if $_[0]->all_sent });
    return $sent == $job{count} || die "$sent of $job{count} were sent\n";
}
