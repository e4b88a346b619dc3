# Source: what is to be sent, as the C core wants it: a string; what has any other form reads Reader.
package Net::SMTP::AuthC::Source;

use 5.014;
use strict;
use warnings;

sub _reader { require Net::SMTP::AuthC::Source::Reader; return 'Net::SMTP::AuthC::Source::Reader' }

# octets: a string, or a code ref that returns piece after piece and undef at the end; failure: a reference to what it
# died of. For a string, what _scan tells of it: size, eight_bit, message_id ... For a plain file size_hint, its
# octets as they are, before line ends become CRLF. The caller's string stays the caller's: the one copy that is made
# is the source's own.
sub of {
    return _reader()->of($_[1]) if ref $_[1] || ref \$_[1] eq 'GLOB' || !defined $_[1];
    my $source = {octets => $_[1], failure => \my $none};
    _reader()->encode($source->{octets}) if utf8::is_utf8($source->{octets});
    my %facts = Net::SMTP::AuthC::_scan($source->{octets});
    @$source{keys %facts} = values %facts;
    return $source;
}

1;
