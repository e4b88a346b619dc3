# Options: the long options that subcommands share, read by Getopt::Long, and what they are called in the help.
package Net::SMTP::AuthC::Command::Options;

use 5.014;
use strict;
use warnings;

use Getopt::Long ();
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Secret;

my %group = (
    output => [qw(json quiet|q verbose|v+ color|colour=s)],
    limits => [qw(timeout=s deadline=s)],
    config => [qw(config|C=s account|a=s)],
    secret => [qw(password-file=s password-command=s password-fd=s password-env=s password-credential=s netrc:s ask)],
    server => [qw(server|s=s user|u=s mechanism=s@ authzid=s oauth hello=s local-address=s 4 6
        insecure-cleartext-auth)],
    tls    => [qw(ca-file=s ca-path=s tls-name=s pin=s@ fingerprint=s@ certificate-file=s key-file=s
        minimum-version=s must-staple insecure-no-verify)],
);

# The options of these groups and of the list, and what stands behind them.
sub read {
    my ($class, $arguments, $groups, @own) = @_;

    Net::SMTP::AuthC::Command::Secret->refuse_in(@$arguments);
    my @rest   = @$arguments;
    my @specs  = ('help|h|?', @own, map { @{ $group{$_} } } @$groups);
    my $parser = Getopt::Long::Parser->new(config => [qw(no_ignore_case bundling no_auto_abbrev)]);
    my (%option, @complaints);
    local $SIG{__WARN__} = sub { push @complaints, lcfirst $_[0] =~ s/\s+\z//r };
    local @ARGV = @rest;
    $parser->getoptions(\%option, @specs)
        or Net::SMTP::AuthC::Command::Exit->fail(usage => join '; ', @complaints);
    for my $name (keys %option) {
        $option{$name} = ref $option{$name} ? [map { _characters($_) } @{ $option{$name} }] : _characters($option{$name});
    }
    return (\%option, map { _characters($_) } @ARGV);
}

# Arguments are octets; people mean characters.
sub _characters {
    my ($text) = @_;

    utf8::decode($text);
    return $text;
}

# Every long option of these groups, for the completion of shells.
sub names {
    my ($class, $groups, @own) = @_;

    return sort map { /\A([A-Za-z][\w-]+)/ ? "--$1" : () } @own, map { @{ $group{$_} } } @$groups;
}

# What of it connect takes, as the user means it.
my %connect = (
    (map { my $name = $_; $name =~ tr/-/_/; ($_ => $name) } qw(mechanism authzid hello local-address ca-file ca-path
        tls-name fingerprint certificate-file key-file minimum-version must-staple insecure-no-verify
        insecure-cleartext-auth timeout)),
    pin => 'pins',
);

sub connect_options {
    my ($class, $option) = @_;

    my %given = map { $connect{$_} => $option->{$_} } grep { defined $option->{$_} } keys %connect;
    $given{mechanism} = [map { uc } map { split /[,\s]+/ } @{ $given{mechanism} }] if $given{mechanism};
    $given{family} = 4 if $option->{4};
    $given{family} = 6 if $option->{6};
    return %given;
}

1;
