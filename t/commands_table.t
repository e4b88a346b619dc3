# What each method returns: accepted, refused, and on a connection that has ended. In scalar context.
# valgrind: no
use strict;
use warnings;
use lib 't/lib';
use Face;
use Test::More;

my @refusing = map { {stage => $_, reply => "550 no\r\n"} }
    qw(ehlo helo mail rcpt data rset vrfy expn help etrn noop quit bdat);
my @keywords = ('ETRN', 'AUTH CRAM-MD5', '8BITMIME', 'BINARYMIME', 'CHUNKING');
my %server = (
    accepted => sandbox(keywords => \@keywords, users => {u => 'p'}, faults => [
        {stage => 'etrn', reply => "250 started\r\n"}, {stage => 'expn', reply => "250 one\r\n"}]),
    refused => sandbox(keywords => \@keywords, users => {u => 'q'}, faults => [
        map { {%$_, $_->{stage} eq 'ehlo' ? (match => qr/again/) : ()} } @refusing]),
    ended => sandbox(keywords => \@keywords, users => {u => 'p'}),
);

# A client in that state; the server has hung up behind its back when it has ended.
sub client_that_is {
    my ($state, $before) = @_;
    my $smtp = client($server{$state});
    $before->($smtp) if $before && $state ne 'refused';
    close $smtp if $state eq 'ended';
    return $smtp;
}

sub mail_begun { $_[0]->mail('a@b.test'); $_[0]->to('c@d.test'); return }
sub chunks_begun { $_[0]->mail('a@b.test', Bits => 'binary'); $_[0]->to('c@d.test'); return }
sub data_begun { mail_begun($_[0]); $_[0]->data; return }

my ($false, $zero, $undef) = (!1, 0, undef);
my @rows = (
    # call, what comes before, accepted, refused, ended
    ['hello', sub { $_[0]->hello('again.example.test') }, undef, 'sandbox.example.test', undef, undef],
    ['auth', sub { $_[0]->auth('u', 'p') }, undef, 1, $false, $false],
    ['mail', sub { $_[0]->mail('a@b.test') }, undef, 1, $false, $false],
    ['recipient', sub { $_[0]->recipient('c@d.test') }, sub { $_[0]->mail('a@b.test') }, 1, 0, 0],
    ['recipient with SkipBad', sub { $_[0]->to('c@d.test', 'e@f.test', {SkipBad => 1}) },
        sub { $_[0]->mail('a@b.test') }, 2, 0, 0],
    ['data', sub { $_[0]->data }, \&mail_begun, 1, $false, $false],
    ['data(text)', sub { $_[0]->data('x') }, \&mail_begun, 1, $false, $false],
    ['datasend', sub { $_[0]->datasend('x') }, \&data_begun, 1, 0, 0],
    ['dataend', sub { $_[0]->dataend }, \&data_begun, 1, 1, 0],
    ['datafh', sub { defined $_[0]->datafh ? 'handle' : undef }, \&mail_begun, 'handle', undef, undef],
    ['reset', sub { $_[0]->reset }, undef, 1, $false, $false],
    ['noop', sub { $_[0]->noop }, undef, 1, $false, $false],
    ['verify', sub { $_[0]->verify('a') }, undef, 1, $false, $false],
    ['etrn', sub { $_[0]->etrn('a.test') }, undef, 1, $false, $false],
    ['expand', sub { scalar $_[0]->expand('a') }, undef, "one\n", undef, undef],
    ['help', sub { defined $_[0]->help ? 'text' : undef }, undef, 'text', undef, undef],
    ['supports', sub { $_[0]->supports('ETRN') }, undef, '', '', ''],
    ['supports, not offered', sub { scalar $_[0]->supports('XYZ') }, undef, undef, undef, undef],
    ['has', sub { $_[0]->has('ETRN') }, undef, 1, 1, 1],
    ['command', sub { ref $_[0]->command('NOOP') }, undef, ('Net::SMTP::AuthC') x 3],
    ['response', sub { $_[0]->command('NOOP')->response }, undef, 2, 5, 5],
    ['bdat', sub { $_[0]->bdat('x') }, \&chunks_begun, 1, $false, $false],
    ['bdatlast', sub { $_[0]->bdatlast('x') }, \&chunks_begun, 1, $false, $false],
    ['rawdatasend', sub { $_[0]->rawdatasend('x') }, \&data_begun, 1, 0, 0],
    ['_MAIL', sub { $_[0]->_MAIL('FROM:<a@b.test>') }, undef, 1, $false, $false],
    ['_DATA', sub { $_[0]->_DATA }, \&mail_begun, 1, $false, $false],
    ['quit', sub { $_[0]->quit }, undef, 1, 1, $false],
);

for my $row (@rows) {
    my ($name, $call, $before, @want) = @$row;
    for my $state (qw(accepted refused ended)) {
        my $want = shift @want;
        my $smtp = client_that_is($state, $before);
        my $got = $call->($smtp);
        is($got, $want, "$name, $state");
        next if $name =~ /supports|has/ || $name eq 'command' && $state ne 'ended';
        next if $name =~ /\A(?:dataend|datasend|rawdatasend)\z/ && $state eq 'refused';
        is($smtp->ok, $state eq 'accepted', "$name, $state: ok");
        is($smtp->code, 421, "$name, $state: code") if $state eq 'ended';
        is(defined $smtp->error, $state ne 'accepted', "$name, $state: error") if $name ne 'quit';
    }
}

done_testing;
