# The envelope as the core wants it: plain addresses at little cost, all others with the same result.
# valgrind: no
use strict;
use warnings;
use utf8;
use Test::More;

use Net::SMTP::AuthC::Envelope;

my $class = 'Net::SMTP::AuthC::Envelope';

sub loads_reader { return $INC{'Net/SMTP/AuthC/Envelope/Reader.pm'} ? 1 : 0 }

sub error_of { my ($code) = @_; return eval { $code->(); 1 } ? 'no error' : $@->message }

subtest 'plain' => sub {
    my @plain = ('a@b.test', q{o'hara+tag=1!#$%&*/?^_`{|}~-@[192.0.2.1]}, 'root');
    is_deeply([$class->flat([@plain])], [[@plain], [map { ($_, '') } @plain]], 'a list');
    is_deeply([$class->flat('a@b.test')], [['a@b.test'], ['a@b.test', '']], 'one');
    is_deeply($class->sender($_), {address => $_, octets => $_}, "from '$_'") for '', @plain;
    my @given = @plain;
    my ($addresses) = $class->flat(\@given);
    $given[0] = 'x';
    is($addresses->[0], 'a@b.test', 'a copy');
    ok(!loads_reader(), 'without the reader of the rest');
};

subtest 'the rest' => sub {
    my @given = ('a@b.test', 'Jörg <j@ö.test>', ['c@d.test', {notify => 'never'}]);
    my ($addresses, $flat, $recipients) = $class->flat(\@given);
    utf8::encode(my $octets = 'j@ö.test');
    is_deeply($addresses, ['a@b.test', 'j@ö.test', 'c@d.test'], 'addresses');
    is_deeply($flat, ['a@b.test', '', $octets, '', 'c@d.test', 'NOTIFY=NEVER'], 'octets and words');
    is_deeply($recipients, [$class->recipients(\@given)], 'and the recipients for who looks at them closer');
    is_deeply([$class->flat([['a@b.test', {}]])]->[1], ['a@b.test', ''], 'no wishes');
    is_deeply($class->sender('<>'), {address => '', octets => ''}, 'the null sender');
    is_deeply($class->sender('Shop <s@b.test>'), {address => 's@b.test', octets => 's@b.test'}, 'a name');
};

subtest 'the same for every octet' => sub {
    require Net::SMTP::AuthC::Envelope::Reader;
    my $reader = 'Net::SMTP::AuthC::Envelope::Reader';
    my @differing = grep {
        my $text = 'a' . chr($_) . 'b@c.test';
        my $flat = eval { ($class->flat([$text]))[1][0] } // $@->message;
        my $read = eval { ($reader->recipients([$text]))[0]{octets} } // $@->message;
        $flat ne $read;
    } 1 .. 255;
    is("@differing", '', 'by flat and by the reader');
};

subtest 'bad use' => sub {
    like(error_of(sub { $class->flat($_->[0]) }), $_->[1], "$_->[1]") for
        [undef, qr/\Ano recipient/], [[], qr/\Ano recipient/], [[undef], qr/\Ato\[0\]: an undefined address/],
        [[''], qr/\Ato\[0\]: an empty address/], [['a@b', {}], qr/\Ato\[1\]: a HASH is no address/],
        [[['a@b', {x => 1}]], qr/unknown option "x" of a recipient/], ['', qr/\Ato: an empty address/];
    like(error_of(sub { $class->sender(undef) }), qr/\Afrom is needed/, 'no sender');
};

done_testing;
