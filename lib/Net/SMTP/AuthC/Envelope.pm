# Envelope: the sender and the recipients that a caller gave, as the C core wants them.
package Net::SMTP::AuthC::Envelope;

use 5.014;
use strict;
use warnings;

# Plain are bare addresses in ASCII without quotes, which is nearly all.
sub _reader { require Net::SMTP::AuthC::Envelope::Reader; return 'Net::SMTP::AuthC::Envelope::Reader' }

# A hash of address (characters, without a name) and octets.
sub sender {
    my ($class, $from) = @_;

    return $class->_reader->sender($from) if !defined $from || ref $from || $from =~ tr/!#-'*+\x2d-9=?-~//c;
    return {address => $from, octets => $from};
}

# Hashes of address, octets and words.
sub recipients { my ($class, $to) = @_; return $class->_reader->recipients($to) }

# The same for the core: the addresses in a list; octets and words in turn in a list; and a list of those hashes, unless
# all are plain.
sub flat {
    my ($class, $to) = @_;

    my @to = ref $to eq 'ARRAY' ? @$to : $to;
    return (\@to, [map { ($_, '') } @to])
        if @to && !grep { !defined || ref || !length || tr/!#-'*+\x2d-9=?-~//c } @to;
    my @recipients = $class->recipients($to);
    return ([map { $_->{address} } @recipients], [map { @$_{qw(octets words)} } @recipients], \@recipients);
}

1;
