# SslDefaults: what a program has set by IO::Socket::SSL for all its connections, such as git send-email its CA.
package Net::SMTP::AuthC::Takeover::SslDefaults;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::TlsOptions;

# set_defaults and its kin keep them in variables of the file that no function tells, so they are looked up where
# set_defaults has them; a version that calls them otherwise has none for us. For clients those come last.
my @VARIABLES = qw($GLOBAL_SSL_ARGS $GLOBAL_SSL_CLIENT_ARGS);

# Options of new; nothing where the program has not loaded IO::Socket::SSL.
sub options {
    my ($class) = @_;

    return {} if !$INC{'IO/Socket/SSL.pm'} || !defined &IO::Socket::SSL::set_defaults;
    my $of = _variables();
    my %all = map { %$_ } grep { ref eq 'HASH' } map { $of->{$_} } @VARIABLES;
    return { map { $_ => $all{$_} } grep { Net::SMTP::AuthC::TlsOptions->is_option($_) } keys %all };
}

# What the scalars that the function sees from outside hold, by their names with the sigil.
sub _variables {
    require B;
    my ($names, @pads) = B::svref_2object(\&IO::Socket::SSL::set_defaults)->PADLIST->ARRAY;
    my @names  = map { $_->can('PV') ? $_->PV // '' : '' } $names->ARRAY;
    my @values = $pads[0]->ARRAY;
    my @global = grep { $names[$_] =~ /\A\$GLOBAL_/ } 0 .. $#names;
    return { map { $names[$_] => ${ $values[$_]->object_2svref } } @global };
}

1;
