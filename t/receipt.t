# Net::SMTP::AuthC::Receipt: every recipient has exactly one outcome.
use strict;
use warnings;
use Test::More;

use Net::SMTP::AuthC::Receipt;

my $class = 'Net::SMTP::AuthC::Receipt';
my @outcomes = qw(sent refused deferred not-sent unknown);

my %given = (
    code => 250, enhanced => '2.0.0', text => 'Ok: queued as 4XYZ', message_id => '<1@shop.example>', bytes => 1234,
    mechanism => 'SCRAM-SHA-256', transcript => ['t'],
    timings => {connect => 0.01, tls => 0.02, auth => 0.03, transaction => 0.04},
    tls => {version => 'TLSv1.3', cipher => 'TLS_AES_256_GCM_SHA384', verified => 1, name => 'smtp.example.com'},
);

sub receipt_of { return $class->new(recipients => [map { {address => $_->[0], outcome => $_->[1]} } @_]) }

sub refusal {
    my (@given) = @_;

    return eval { $class->new(@given); 1 } ? 'accepted' : $@;
}

subtest 'fields' => sub {
    my $receipt = $class->new(%given);
    is_deeply($receipt->$_, $given{$_}, $_) for sort keys %given;
    $given{tls}{version} = 'SSLv3';
    is($receipt->tls->{version}, 'TLSv1.3', 'a copy');
    my $empty = $class->new;
    is_deeply($empty->timings, {}, 'timings are always a hash');
    is($empty->tls, undef, 'no TLS');
    is($empty->recipients, 0, 'no recipients');
    is($empty->all_sent, 0, 'nobody is not everybody');
};

subtest 'recipients' => sub {
    my %one = (address => 'b@x', outcome => 'refused', code => 550, enhanced => '5.1.1', text => 'No such user', step => 'RCPT');
    my $receipt = $class->new(recipients => [{address => 'a@x', outcome => 'sent'}, \%one]);
    my ($refused) = $receipt->refused;
    is($refused->$_, $one{$_}, $_) for sort keys %one;
    is_deeply([map { $_->address } $receipt->recipients], ['a@x', 'b@x'], 'order kept');
    is(($receipt->recipients)[0]->code, undef, 'no code');
    is($receipt->outcome('b@x'), 'refused', 'by address');
    is($receipt->outcome('B@x'), undef, 'addresses are exact');
    is($receipt->all_sent, 0, 'not all');
};

subtest 'lists' => sub {
    my $receipt = receipt_of(map { (["1$_", $_], ["2$_", $_]) } @outcomes);
    for my $outcome (@outcomes) {
        my $method = $outcome =~ tr/-/_/r;
        is_deeply([map { $_->address } $receipt->$method], ["1$outcome", "2$outcome"], $outcome);
        is(scalar($receipt->$method), 2, "$outcome in scalar context");
        is(receipt_of(['a', 'sent'], ['b', $outcome])->all_sent, $outcome eq 'sent' ? 1 : 0, "all_sent with $outcome");
    }
    my $total = 0;
    $total += $receipt->$_ for qw(sent refused deferred not_sent unknown);
    is($total, $receipt->recipients, 'each is in one list');
};

subtest 'as the core tells it' => sub {
    my %shared = (timings => {connect => 1}, tls => {version => 'TLSv1.3'});
    my $answer = ['sent', 250, '2.0.0', 'Ok', 'end of data'];
    my $receipt = $class->_of_core({%shared, transaction => 2, addresses => ['a@x', 'b@x', 'c@x'],
        answers => [$answer, $answer, ['refused', 550, '5.1.1', 'Who?', 'RCPT']], bytes => 5});
    is_deeply([map { scalar $receipt->$_ } qw(recipients sent refused deferred all_sent bytes)], [3, 2, 1, 0, 0, 5],
        'counts');
    is_deeply([map { $_->address . ' ' . $_->step } $receipt->sent, $receipt->refused],
        ['a@x end of data', 'b@x end of data', 'c@x RCPT'], 'lists');
    is_deeply($receipt->timings, {connect => 1, transaction => 2}, 'timings of connection and message');
    $receipt->tls->{version} = $receipt->timings->{connect} = 'changed';
    is_deeply(\%shared, {timings => {connect => 1}, tls => {version => 'TLSv1.3'}}, 'what is shared stays as it is');
    my $nobody = $class->_of_core({addresses => ['a@x', 'b@x'], answers => undef});
    is_deeply([map { $_->address . ' ' . $_->outcome } $nobody->not_sent], ['a@x not-sent', 'b@x not-sent'], 'nobody');
    is(($nobody->recipients)[1]->code, undef, 'no code');
};

subtest 'bad use' => sub {
    like(refusal(password => 's3cret'), qr/\Aunknown field "password" of a receipt at \Q$0\E line/, 'unknown field');
    unlike(refusal(password => 's3cret'), qr/s3cret/, 'value not told');
    like(refusal(recipients => [{address => 'a', outcome => 'lost'}]), qr/unknown outcome "lost"/, 'unknown outcome');
    like(refusal(recipients => [{address => 'a', outcome => 'not_sent'}]), qr/unknown outcome "not_sent"/, 'spelling');
    like(refusal(recipients => [{address => 'a'}]), qr/unknown outcome ""/, 'no outcome');
    like(refusal(recipients => [{outcome => 'sent'}]), qr/a recipient without address/, 'no address');
    like(refusal(recipients => [{address => 'a', outcome => 'sent', x => 1}]), qr/unknown field "x" of a recipient/, 'field');
};

ok(!$INC{'Net/SMTP/AuthC.pm'}, 'stands alone');
done_testing;
