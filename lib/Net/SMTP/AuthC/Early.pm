# Early: a login that the envelope of the message goes with, before its answer; and in turns where the server minds.
package Net::SMTP::AuthC::Early;

use 5.014;
use strict;
use warnings;

# Nothing is said before the message is submitted, unless the mechanism needs answers.
sub begin {
    my ($class, $smtp, $login) = @_;

    $smtp->_set_early(1);
    $smtp->_log_in($login);
    $smtp->_set_early(0);
    *$smtp->{net_smtp_authc_login} = sub { $smtp->_log_in($login) };
    return;
}

# What $submit sends. A wrong password is wrong in turns as well; other refusals may mean that the server takes it for
# talking out of turn, and nothing was sent.
sub finish {
    my ($class, $smtp, $submit) = @_;

    my $log_in  = delete *$smtp->{net_smtp_authc_login};
    my $receipt = eval { $submit->() };
    return $receipt if $receipt;
    my $error = $@;
    die $error if !$log_in || !ref $error || $error->kind ne 'auth' || ($error->code // 0) == 535
        || $smtp->_state eq 'closed';
    $log_in->();
    return $submit->();
}

1;
