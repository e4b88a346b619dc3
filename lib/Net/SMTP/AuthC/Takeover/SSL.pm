# SSL: the dialect of Net::SMTP::SSL: TLS from the start, and nothing else of its own.
package Net::SMTP::AuthC::Takeover::SSL;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Takeover::Classic;

our @ISA = ('Net::SMTP::AuthC::Takeover::Classic');

sub new {
    my $class = shift;
    my @host  = @_ % 2 ? shift : ();

    return $class->SUPER::new(@host, @_, SSL => 1);
}

1;
