# Busy: a server whose greeting was 4yz is called once more, a moment later.
package Net::SMTP::AuthC::Busy;

use 5.014;
use strict;
use warnings;

my $PAUSE = 1;    # seconds

# Dies with $error, what it said the first time, unless it says something else the second.
sub connect {
    my ($class, $smtp_class, $plan, $given, $limit, $error) = @_;

    my $deadline = $limit->{deadline};
    die $error if !($given->{reconnect} // 1) || $deadline && $deadline <= 2 * $PAUSE;
    select undef, undef, undef, $PAUSE;
    my $left = $deadline && $deadline - $PAUSE;
    my $self = eval { $smtp_class->_connect_to($plan, $given, {%$limit, deadline => $left}) };
    return $self if $self;
    my $second = $@;
    die ref $second eq ref $error && !$second->code ? $error : $second;
}

1;
