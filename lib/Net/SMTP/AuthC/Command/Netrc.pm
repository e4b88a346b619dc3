# Netrc: the login and password that ~/.netrc has for a machine.
package Net::SMTP::AuthC::Command::Netrc;

use 5.014;
use strict;
use warnings;

# The entry for host and, where it is known, user: a hash of login and password, or undef. "default" fits any machine.
sub entry {
    my ($class, $text, $host, $user) = @_;

    for my $entry ($class->_entries($text)) {
        next if defined $entry->{machine} && lc $entry->{machine} ne lc $host;
        next if defined $user && defined $entry->{login} && $entry->{login} ne $user;
        return $entry if defined $entry->{password};
    }
    return;
}

sub _entries {
    my ($class, $text) = @_;

    my (@entries, $in_macro);
    for my $line (split /\n/, $text, -1) {
        $in_macro = 0 if $line =~ /\A\s*\z/;
        next if $in_macro || $line =~ /\A\s*#/;
        my @words = _words($line);
        while (defined(my $word = shift @words)) {
            if    ($word eq 'machine') { push @entries, {machine => shift @words // ''} }
            elsif ($word eq 'default') { push @entries, {} }
            elsif ($word eq 'macdef')  { $in_macro = 1; last }
            elsif ($word =~ /\A(?:login|password|account)\z/ && @entries) { $entries[-1]{$word} = shift @words }
        }
    }
    return @entries;
}

# A word may stand in double quotes, where a backslash keeps the next character.
sub _words {
    my ($line) = @_;

    my @words;
    while ($line =~ /\G\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))/g) {
        push @words, defined $1 ? $1 =~ s/\\(.)/$1/gr : $2;
    }
    return @words;
}

1;
