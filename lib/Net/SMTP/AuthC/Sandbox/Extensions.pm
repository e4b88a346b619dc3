# What the sandbox's EHLO lines say beyond their names: limits in numbers, and parameters of MAIL held to them.
package Net::SMTP::AuthC::Sandbox::Extensions;
use strict;
use warnings;
use Time::Local ();

# Dies with {reply => ...} where the parameters of a MAIL, right in form, go against what was announced
# ({EHLO keyword => the rest of its line}) or against each other.
sub judge {
    my ($from, $given, $announced) = @_;
    my ($seconds, $mode) = defined $given->{BY} ? $given->{BY} =~ /\A([^;]+);([RN])/i : ();
    _judge_by($seconds, uc $mode, $announced->{DELIVERBY}) if defined $seconds;
    my @hold = grep { exists $given->{$_} } qw(HOLDFOR HOLDUNTIL);
    return unless @hold;
    die { reply => '501 5.5.4 HOLDFOR or HOLDUNTIL, not both' } if @hold > 1;
    die { reply => "501 5.5.4 $hold[0] is not for the null sender" } if $from eq '';
    my $held = _held($hold[0], $given->{ $hold[0] }, $announced->{FUTURERELEASE});
    die { reply => "501 5.5.4 BY is over before $hold[0]" } if defined $seconds && $seconds <= $held;
    return;
}

# RFC 2852 section 4
sub _judge_by {
    my ($seconds, $mode, $announced) = @_;
    return if $mode eq 'N';
    die { reply => '501 5.5.4 BY in the past is for notification only' } if $seconds <= 0;
    my ($least) = _text($announced) =~ /\A([0-9]+)/ or return;
    die { reply => "555 5.5.4 BY of less than $least seconds cannot be promised" } if $seconds < $least;
    return;
}

# For how many seconds from now (RFC 4865).
sub _held {
    my ($name, $value, $announced) = @_;
    my ($most, $last) = split ' ', _text($announced);
    if ($name eq 'HOLDFOR') {
        die { reply => "501 5.5.4 HOLDFOR is at most $most" } if defined $most && $value > $most;
        return $value;
    }
    my $time = _time_of($value);
    die { reply => '501 5.5.4 HOLDUNTIL is no time' } unless defined $time;
    die { reply => "501 5.5.4 HOLDUNTIL is at most $last" } if defined $last && $time > _time_of($last);
    return $time - time;
}

sub _time_of {
    my ($text) = @_;
    my ($date, $clock, $sign, $hours, $minutes) =
        uc($text) =~ /\A([1-9][0-9-]{9})T([0-9:]{8})(?:Z|([+-])([0-9]{2}):([0-9]{2}))\z/ or return;
    my ($year, $month, $day) = split /-/, $date;
    my $time = eval { Time::Local::timegm(reverse(split /:/, $clock), $day, $month - 1, $year) };
    return unless defined $time;
    my $offset = defined $sign ? 60 * (60 * $hours + $minutes) : 0;
    return $time - ($offset && $sign eq '-' ? -$offset : $offset);
}

# MAILMAX, RCPTMAX and RCPTDOMAINMAX of a LIMITS line (RFC 9422).
sub limits {
    my @words = split ' ', _text($_[0]);
    return map { /\A(MAILMAX|RCPTMAX|RCPTDOMAINMAX)=([1-9][0-9]{0,5})\z/i ? (uc $1 => $2) : () } @words;
}

sub _text { return defined $_[0] ? $_[0] : '' }

1;
