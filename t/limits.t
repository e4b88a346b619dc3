# limits: servers that take few recipients, domains or messages at a time: several transactions, one receipt.
# valgrind: no
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $SLOW    = $ENV{NET_SMTP_AUTHC_SLOW} || 1;
my $MESSAGE = "Subject: x\nMessage-ID: <one\@x.test>\n\nOne.\n";

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', @_) }
sub client {
    my ($server, @more) = @_;
    return Net::SMTP::AuthC->connect($server->url . '?tls=none', timeout => 5 * $SLOW, @more);
}
sub outcomes { return join ' ', map { $_->outcome } $_[0]->recipients }
sub addresses { my ($n, $domain) = @_; return [map { "r$_\@" . ($domain ? $domain->($_) : 'x.test') } 1 .. $n] }
sub shares { my ($server) = @_; return join ' ', map { scalar(my @to = $_->to) } $server->messages }

# The same by submit and by submit_all.
sub both {
    my ($smtp, $message, %given) = @_;
    my @receipts = eval { $smtp->submit(ref $message ? $message->() : $message, from => 'a@x.test', %given) } || $@;
    $smtp->submit_all([{message => ref $message ? $message->() : $message}], from => 'a@x.test', %given,
        on_receipt => sub { push @receipts, $_[0] });
    return @receipts;
}

my @cases = (
    ['RCPTMAX', {extensions => ['LIMITS RCPTMAX=3']}, addresses(7), '3 3 1'],
    ['RCPTMAX that is enough', {extensions => ['LIMITS RCPTMAX=7']}, addresses(7), '7'],
    ['RCPTDOMAINMAX', {extensions => ['LIMITS RCPTDOMAINMAX=2']}, addresses(6, sub { "d" . $_[0] % 3 . '.test' }), '4 2', 2],
    ['both', {extensions => ['LIMITS RCPTMAX=3 RCPTDOMAINMAX=1']}, addresses(5, sub { $_[0] > 4 ? 'Y.test' : 'x.test' }),
        '3 1 1', 2, '3 1 1 1 3 1'],
    ['452 4.5.3, which nothing announced', {max_recipients => 3}, addresses(7), '3 3 1'],
    ['LIMITS out of form', {extensions => ['LIMITS RCPTMAX=x']}, addresses(4), '4'],
);
for my $case (@cases) {
    my ($what, $option, $to, $shares, $connections, $again) = @$case;
    my $server = sandbox(%$option);
    my @receipts = both(client($server), $MESSAGE, to => $to);
    is(join(' ', map { ref $_ =~ /Receipt/ ? 1 : eval { $_->all_sent } || "$_" } @receipts), '1 1', "$what: all have it");
    is(shares($server), $again || "$shares $shares", '... in as many transactions');
    is_deeply([map { $_->address } $receipts[1]->recipients], $to, '... the recipients in their order');
    is(scalar(my @sessions = $server->sessions), $connections ? 2 * $connections - 1 : 1, '... connections');
}

subtest 'words that mean too many, and those that do not' => sub {
    for my $case (['452 4.5.3 Enough', '2 2'], ['452 Too many recipients', '2 2'], ['552 5.5.3 Too many', '2 2'],
        ['452 4.3.1 Disk full', '2'], ['550 5.1.1 Too many recipients', '2'], ['451 4.5.3 Later', '2']) {
        my ($reply, $shares) = @$case;
        my $server = sandbox(faults => [{stage => 'rcpt', nth => [3, 4], reply => "$reply\r\n"}]);
        my $receipt = client($server)->submit($MESSAGE, from => 'a@x.test', to => addresses(4));
        is(shares($server), $shares, $reply);
        is(scalar($receipt->sent), $shares eq '2' ? 2 : 4, '... as the receipt has it');
    }
    my $server = sandbox(faults => [{stage => 'rcpt', reply => "452 4.5.3 Enough\r\n"}]);
    my $error = eval { client($server)->submit($MESSAGE, from => 'a@x.test', to => addresses(4)) } || $@;
    is($error->code // 0, 0, 'no progress: no end of tries') or diag $error;
    is(outcomes($error->receipt), 'deferred deferred deferred deferred', '... and the true outcomes');
    is(scalar(grep { /^RCPT/ } map { $_->client_lines } $server->sessions), 4, '... after one try');
};

subtest 'some refused in each part' => sub {
    my $server = sandbox(extensions => ['LIMITS RCPTMAX=2'],
        refuse => {map { ("r$_\@x.test" => '550 5.1.1 No') } 1, 2, 5});
    my @receipts = both(client($server), $MESSAGE, to => addresses(5));
    is(outcomes($_), 'refused refused sent sent refused', 'each has its own') for @receipts;
    is($receipts[0]->code . $receipts[1]->code, '250250', 'the words are those of who has it');
};

subtest 'what cannot be divided' => sub {
    my $server = sandbox(extensions => ['LIMITS RCPTMAX=2']);
    my $smtp = client($server);
    my ($error, $receipt) = both($smtp, $MESSAGE, to => addresses(3), all_or_none => 1);
    like($_, qr/all_or_none cannot be kept/, 'all or none') for $error, $receipt->error;
    is($error->kind . outcomes($receipt), 'refusednot-sent not-sent not-sent', '... before anything was said');
    ($error, $receipt) = both($smtp, sub { my @pieces = $MESSAGE; return sub { shift @pieces } }, to => addresses(3));
    like($_, qr/must be read several times/, 'a code ref') for $error, $receipt->error;
    ok($smtp->submit($MESSAGE, from => 'a@x.test', to => addresses(2), all_or_none => 1)->all_sent, 'it lives');
    is(shares($server), '2', '... and nothing else came');
    open my $file, '<', $0 or die $!;
    ok($smtp->submit($file, from => 'a@x.test', to => addresses(5))->all_sent, 'a plain file is read again');
    my %size = map { length $_->data => 1 } (my @of_file = ($server->messages)[1 .. 3]);
    seek $file, 0, 0;
    is(join(' ', keys %size), length(join '', map { s/\n/\r\n/r } readline $file), '... the whole of it');
};

subtest 'MAILMAX' => sub {
    my $server = sandbox(extensions => ['LIMITS MAILMAX=2']);
    my $smtp = client($server);
    ok($smtp->submit($MESSAGE, from => 'a@x.test', to => 'b@x.test')->all_sent, "message $_") for 1 .. 5;
    my @sessions = $server->wait_for(sessions => 2);
    is(scalar($server->sessions), 3, 'another connection before the limit is passed');
    is(scalar(grep { /^421/ } map { $_->server_lines } $server->sessions), 0, '... and nobody is told off');
    is(scalar(grep { /^QUIT/ } map { $_->client_lines } $server->sessions), 2, '... by QUIT');
    my @told;
    is($smtp->submit_all([map { {message => "Subject: $_\n\n$_\n", tag => $_} } 1 .. 7], from => 'a@x.test',
        to => 'b@x.test', window => 4, on_receipt => sub { push @told, $_[1]{tag} . $_[0]->all_sent }), 7, 'a stream');
    is("@told", '11 21 31 41 51 61 71', '... each one, in its order');
    is(scalar($server->sessions), 6, '... over as many connections as it takes');
    is(scalar(grep { /^421/ } map { $_->server_lines } $server->sessions), 0, '... nobody is told off');
};

done_testing;
