# For tests that make the same calls on our class and on Net::SMTP, each with a sandbox of its own, and compare.
package Both;
use strict;
use warnings;
use Exporter 'import';
use Face;
use Test::More;

our @EXPORT = qw(outcome_of same_on_both);

# What a call came to: its result in both contexts, and what it left. The classes' names are one.
sub outcome_of {
    my ($smtp, $code) = @_;
    my $scalar = $code->($smtp);
    my @list   = ref $smtp && defined fileno $smtp || !defined $scalar ? $code->($smtp) : ();
    return [map { plain($_) } $scalar, \@list, $smtp->code, $smtp->status, $smtp->ok ? 1 : 0, [$smtp->message],
        scalar $smtp->message];
}

# True is true, and a number is a number, whatever it is written as.
sub plain {
    my ($value) = @_;
    return [map { plain($_) } @$value] if ref $value eq 'ARRAY';
    return ref $value ? 'object' : defined $value ? "$value" =~ s/\[[A-Za-z:_]+\]/[class]/gr =~ s/kept as \K[0-9.]+//gr : undef;
}

# The calls of each row on a connection of ours and on one of Net::SMTP, by the same dialogue: results, and octets.
# A row: name, sub, and what is different by intention, if anything.
sub same_on_both {
    my ($server, @rows) = @_;
    for my $row (@rows) {
        my ($name, $code, $intended) = @$row;
        my %got = map { ($_ => run_on($_, $server, $code)) } 'Net::SMTP::AuthC', has_net_smtp() ? 'Net::SMTP' : ();
        SKIP: {
            skip 'no Net::SMTP here', 1 if !$got{'Net::SMTP'};
            if ($intended) {
                isnt(explained($got{'Net::SMTP::AuthC'}), explained($got{'Net::SMTP'}), "$name: differs: $intended");
            }
            else {
                is_deeply($got{'Net::SMTP::AuthC'}, $got{'Net::SMTP'}, "$name: as Net::SMTP has it")
                    or diag explain \%got;
            }
        }
    }
    return;
}

sub explained { return join '', explain $_[0] }

sub run_on {
    my ($class, $server, $code) = @_;
    my $smtp = $class->new($server->host, Port => $server->port, Timeout => 10, Hello => 'client.test') or die "$class: $@";
    my $outcome;
    my @warnings = warnings_of(sub { $outcome = eval { outcome_of($smtp, $code) } || "died: $@" });
    my @said = said($server, $smtp);
    return {outcome => ref $outcome ? $outcome : 'died', said => \@said, warnings => scalar @warnings};
}

1;
