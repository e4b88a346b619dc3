# Loading: what holds for send_mail in a CGI program: not while a file is being loaded, and not longer than a visitor waits.
package Net::SMTP::AuthC::Loading;

use 5.014;
use strict;
use warnings;

my $CGI_DEADLINE = 30;

# Of the options of send_mail, of which deadline may be added.
sub check {
    my ($class, $given) = @_;

    $given->{deadline} //= $CGI_DEADLINE;
    return if $given->{allow_at_load};
    my $file = _file_being_loaded() // return;
    require Net::SMTP::AuthC::Error;
    return Net::SMTP::AuthC::Error->usage(
        "send_mail was called while $file was still being loaded, and a CGI program loads its files for every page",
        'call it from a sub, where the mail is due; allow_at_load => 1 sends all the same');
}

# The innermost file of require, use or do on the stack.
sub _file_being_loaded {
    my $level = 0;

    while (my @frame = caller $level++) {
        my ($name, $is_require) = @frame[6, 7];
        return $INC{$name} // $name if $is_require;
    }
    return undef;
}

1;
