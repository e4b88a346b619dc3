# Aliases: a file of "name: address, address" for local recipients, as msmtp has it; "default" stands for the others.
package Net::SMTP::AuthC::Command::Aliases;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Private;

my $DEEP = 10;

sub read {
    my ($class, $path) = @_;

    my ($number, %of) = (0);
    my $text = Net::SMTP::AuthC::Command::Private->slurp(Net::SMTP::AuthC::Command::Private->open($path), $path);
    for my $line (split /\r?\n/, $text) {
        $number++;
        $line =~ s/\s*#.*//s;
        next if $line !~ /\S/;
        my ($name, $targets) = $line =~ /\A\s*([^\s:\@]+)\s*:\s*(\S.*?)\s*\z/
            or Net::SMTP::AuthC::Command::Exit->fail(config => "$path, line $number: it looks like name: address, ...");
        $of{ lc $name } = [grep { length } split /\s*,\s*/, $targets];
    }
    return bless {of => \%of}, $class;
}

# The addresses behind these recipients; those with a domain stay.
sub expand {
    my ($self, @recipients) = @_;

    my (%seen, @found);
    my @next = map { [$_, 0] } @recipients;
    while (my $item = shift @next) {
        my ($address, $depth) = @$item;
        my $targets = $address =~ /\@/ || $depth >= $DEEP ? undef : $self->{of}{ lc $address } || $self->{of}{default};
        if ($targets) { unshift @next, map { [$_, $depth + 1] } @$targets }
        elsif (!$seen{$address}++) { push @found, $address }
    }
    return @found;
}

1;
