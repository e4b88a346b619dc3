# Every vector of dots and line ends, through datasend and submit with the chunks given: the octets on the wire.
use strict;
use warnings;
use lib 't/lib';
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use RawClient;
use Test::More;

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
my @rows   = RawClient::vectors('dotstuff');
cmp_ok(scalar @rows, '>', 30, 'there are vectors');

my $old = Net::SMTP::AuthC->new($server->host, Port => $server->port) or die $@;
my $new = Net::SMTP::AuthC->connect($server->url . '?tls=none');

for my $row (@rows) {
    my @chunks = map { RawClient::octets($_) } $row->{input_hex} eq '""' ? '' : split /\|/, $row->{input_hex}, -1;
    my $name = "$row->{id}: $row->{note}";
    is(by_datasend(@chunks), $row->{wire_hex}, "datasend, $name");
    is(by_datasend([@chunks]), $row->{wire_hex}, "datasend with a list, $name");
    is(by_submit(join '', @chunks), $row->{wire_hex}, "submit, a string, $name");
    my @left = @chunks;
    is(by_submit(sub { shift @left }), $row->{wire_hex}, "submit, a code ref, $name");
    my @octets = split //, join '', @chunks;
    is(by_submit(sub { shift @octets }), $row->{wire_hex}, "submit, octet by octet, $name");
}
$_->quit for $old, $new;
done_testing;

sub by_datasend {
    my (@chunks) = @_;
    $old->mail('a@x.test') && $old->to('b@x.test') && $old->data or return 'refused: ' . $old->message;
    $old->datasend($_) or return 'datasend: ' . $old->message for @chunks;
    $old->dataend or return 'dataend: ' . $old->message;
    return on_the_wire();
}

sub by_submit {
    my ($message) = @_;
    $new->submit($message, from => 'a@x.test', to => 'b@x.test');
    return on_the_wire();
}

# Nothing is as large as a long line of the vectors, so that the message is there at once.
sub on_the_wire {
    my ($message) = $server->wait_for(count => 1);
    my $wire = unpack 'H*', $message->wire;
    $server->clear;
    return $wire;
}
