# Chunks: a message as octets: BDAT after mail(Bits => 'binary'), and text of which the program has doubled the dots.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

my $CHUNK_MAX = 262_144;    # SMTPC_SESSION_CHUNK_MAX

sub bdat     { my $self = shift; return $self->_chunk(0, @_) }
sub bdatlast { my $self = shift; return $self->_chunk(1, @_) }

sub _chunk {
    my ($self, $last, @pieces) = @_;

    my $octets = _joined(@pieces);
    return $self->_heard(!1) if $self->_state eq 'closed';
    return $self->_refuse(503, q{bdat needs mail(Bits => 'binary'); nothing was sent}, step => 'BDAT')
        if !*$self->{net_smtp_chunking};
    my $good = $self->_speaks_by_words ? $self->_chunk_by_words($octets, $last)
        : $self->_heard($self->_say_chunk($octets, $last));
    delete *$self->{net_smtp_chunking} if $last && $good;
    return $good;
}

sub _chunk_by_words {
    my ($self, $octets, $last) = @_;

    $self->_BDAT(length $octets, $last ? 'LAST' : ());
    $self->rawdatasend($octets) if length $octets;
    return ($self->response // 0) == 2;
}

# More than the core takes at once goes in several; a reply before the last is waited for here.
sub _say_chunk {
    my ($self, $octets, $last, $is_deferred) = @_;

    $self->_show_sent($octets) if *$self->{net_cmd_debug};
    my $place = 0;
    while (length($octets) - $place > $CHUNK_MAX) {
        return !1 if !$self->_bdat(substr($octets, $place, $CHUNK_MAX), 0);
        $place += $CHUNK_MAX;
    }
    $self->_defer($is_deferred ? 1 : 0);
    my $good = $self->_bdat(substr($octets, $place), $last);
    $self->_defer(0);
    return $good;
}

# ---- BDAT by command, its octets by rawdatasend ----

# A line without its octets would be a promise: it waits for them, and then both leave.
sub _announces_chunk {
    my ($self, $rest) = @_;

    my ($count, $last) = $rest =~ /\A([0-9]{1,15})(?: (LAST))?\z/i
        or return $self->_says_not(501, 'BDAT: a number of octets, and LAST behind the last', 'BDAT');
    return $self->_bdat('', $last ? 1 : 0) if $count == 0;
    *$self->{net_smtp_authc_chunk} = {left => $count, last => $last ? 1 : 0, octets => ''};
    return 1;
}

sub _fills_chunk {
    my ($self, $octets) = @_;

    my $chunk = *$self->{net_smtp_authc_chunk};
    return $self->_refuse(503, 'more octets than BDAT has announced', step => 'BDAT') || 0
        if length $octets > $chunk->{left};
    $chunk->{octets} .= $octets;
    return 1 if $chunk->{left} -= length $octets;
    delete *$self->{net_smtp_authc_chunk};
    *$self->{net_smtp_authc_verb} = 'BDAT';
    return 1 if $self->_say_chunk(@$chunk{qw(octets last)}, 1);
    $self->_noted(!1);
    push @{ *$self->{net_smtp_authc_replies} }, $self->_present_reply($self->_error && $self->_error->{code});
    return 0;
}

# Octets as they are: of an announced chunk, or message text of which the dots are doubled already.
sub rawdatasend {
    my ($self, @pieces) = @_;

    my $octets = _joined(@pieces);
    return $self->_fills_chunk($octets) if *$self->{net_smtp_authc_chunk};
    return $self->datasend($octets) if $self->_state ne 'content';
    my $start = (*$self->{net_cmd_last_ch} // "\n") eq "\n" ? qr/\A|\n/ : qr/\n/;
    return $self->_refuse_dot if $octets =~ /(?:$start)\.\r?\n/;
    my $text = $octets =~ s/($start)\./$1/gr;
    my $good = $self->datasend($text);
    *$self->{net_cmd_last_ch} = substr $octets, -1 if length $octets;
    return $good;
}

sub _refuse_dot {
    my ($self) = @_;

    $self->_abandon('a dot alone on a line would have ended the message: dataend does that');
    return $self->_heard(!1) || 0;
}

1;
