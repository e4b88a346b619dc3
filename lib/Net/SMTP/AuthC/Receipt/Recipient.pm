# Recipient: one address of a receipt and its one outcome.
package Net::SMTP::AuthC::Receipt::Recipient;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my @FIELDS     = qw(address outcome code enhanced text step);
my %is_field   = map { $_ => 1 } @FIELDS;
my %is_outcome = map { $_ => 1 } qw(sent refused deferred not-sent unknown);

for my $field (@FIELDS) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

# From the values of the fields in their order.
sub of {
    my ($class, @values) = @_;

    my %self;
    @self{@FIELDS} = @values;
    return bless \%self, $class;
}

sub new {
    my ($class, %given) = @_;

    for my $name (sort keys %given) {
        Net::SMTP::AuthC::Error->usage(qq{unknown field "$name" of a recipient}) if !$is_field{$name};
    }
    Net::SMTP::AuthC::Error->usage('a recipient without address') if !defined $given{address};
    my $outcome = $given{outcome} // '';
    Net::SMTP::AuthC::Error->usage(qq{unknown outcome "$outcome" of a recipient}) if !$is_outcome{$outcome};
    return bless {%given}, $class;
}

1;
