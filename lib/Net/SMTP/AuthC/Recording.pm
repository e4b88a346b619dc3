# Recording: the transcript of a connection of the sending face, kept or handed on while it happens.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Transcript;

my %direction = (S => 'server', C => 'client', '*' => 'note');

# transcript => 1 keeps it; a handle gets it as text, a sub gets each entry, while it happens.
sub _attach_transcript {
    my ($self, $where) = @_;

    my $sink = _sink($where);
    my $transcript = *$self->{net_smtp_authc_transcript} = Net::SMTP::AuthC::Transcript->new;
    my $started = _now();
    *$self->{net_smtp_authc_sink} = sub {
        my ($speaker, $text, $secret) = @_;

        my %entry = (direction => $direction{$speaker}, text => $text, secret => $secret ? 1 : 0,
            ms => int 1000 * (_now() - $started));
        $transcript->add(%entry);
        $sink->(\%entry) if $sink;
    };
    *$self->{net_smtp_authc_trace} = 1;
    return;
}

# What to do with each entry besides keeping it.
sub _sink {
    my ($where) = @_;

    return $where if ref $where eq 'CODE';
    return if !ref $where && ref \$where ne 'GLOB';
    require Scalar::Util;
    my $handle = Scalar::Util::openhandle(ref $where ? $where : \$where)
        // _usage('transcript: 1, an open handle or a code ref');
    return sub { print {$handle} Net::SMTP::AuthC::Transcript->entry_as_text($_[0]) };
}

1;
