# Extensions: the parameters of MAIL that few messages have: BY, HOLDFOR and HOLDUNTIL, MT-PRIORITY, REQUIRETLS.
package Net::SMTP::AuthC::Extensions;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $PARAMETERS  = 'Net::SMTP::AuthC::Parameters';
my $SECONDS_MAX = 999_999_999;

# In the order of the wire: the option, the keyword that must be offered, its value or an error, its parameter or a
# refusal. Values are judged before offers: a wrong one is wrong everywhere.
my @ROWS = (
    [by          => 'DELIVERBY',     \&_deliver_by,  \&_by],
    [hold_for    => 'FUTURERELEASE', \&_hold_for,    \&_holdfor],
    [hold_until  => 'FUTURERELEASE', \&_hold_until,  \&_holduntil],
    [priority    => 'MT-PRIORITY',   \&_priority,    sub { "MT-PRIORITY=$_[0]" }],
    [require_tls => 'REQUIRETLS',    sub { $_[0] },  \&_requiretls],
);

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }
sub _refuse { return $PARAMETERS->refuse(@_) }

# about: as for of_mail, with the names in optional as a hash.
sub words {
    my ($class, $about) = @_;

    my %value;
    for my $row (grep { defined $about->{given}{ $_->[0] } } @ROWS) {
        my ($option, undef, $read) = @$row;
        $value{$option} = $read->($about->{given}{$option});
    }
    delete $value{require_tls} if !$value{require_tls};
    _check_together(\%value, $about->{from}{address});
    return map { _word($_, $value{ $_->[0] }, $about) } grep { defined $value{ $_->[0] } } @ROWS;
}

# REQUIRETLS is refused over its connection before its offer: who has none in clear may have it under TLS.
sub _word {
    my ($row, $value, $about) = @_;

    my ($option, $keyword, undef, $write) = @$row;
    my @more = $option eq 'require_tls' ? (code => 550, enhanced => '5.7.30') : ();
    _check_tls($about->{tls}) if $option eq 'require_tls' && !$about->{optional}{require_tls};
    return if $PARAMETERS->lacks($option, $keyword, $about, @more);
    return $write->($value, $about->{offered}{$keyword}, $about->{tls});
}

# RFC 4865, section 4: one of the two, for what has a sender, and to be delivered after it is let go.
sub _check_together {
    my ($value, $from) = @_;

    my ($hold) = grep { defined $value->{$_} } qw(hold_for hold_until);
    return if !defined $hold;
    _usage('hold_for and hold_until: one of them') if defined $value->{hold_for} && defined $value->{hold_until};
    _usage("$hold: not with the null sender") if $from eq '';
    return if !$value->{by};
    my $seconds = $hold eq 'hold_for' ? $value->{hold_for} : $value->{hold_until} - time;
    _usage("by: $value->{by}{seconds} seconds are over before $hold lets the message go")
        if $value->{by}{seconds} <= $seconds;
    return;
}

# ---- DELIVERBY (RFC 2852) ----

# Seconds, or {seconds => ..., mode => ..., trace => ...}.
sub _deliver_by {
    my ($given) = @_;

    my %by = ref $given eq 'HASH' ? %$given : (seconds => $given);
    my ($seconds, $mode, $trace) = delete @by{qw(seconds mode trace)};
    _usage(qq{unknown option "$_" of by}, 'known are seconds, mode and trace') for sort keys %by;
    _usage("by: a whole number of seconds, to $SECONDS_MAX") if ($seconds // '') !~ /\A[+-]?[0-9]{1,9}\z/;
    $mode = lc($mode // 'return');
    _usage(q{by mode: 'return' or 'notify'}) if $mode !~ /\A(?:return|notify)\z/;
    _usage(q{by: only mode => 'notify' can be in the past}) if $mode eq 'return' && $seconds <= 0;
    return {seconds => 0 + $seconds, mode => $mode, trace => $trace};
}

sub _by {
    my ($by, $offered) = @_;

    my ($least) = $offered =~ /\A([0-9]{1,9})(?:,|\z)/;
    _refuse("by: the server promises no delivery within less than $least seconds")
        if $least && $by->{mode} eq 'return' && $by->{seconds} < $least;
    return "BY=$by->{seconds};" . ($by->{mode} eq 'return' ? 'R' : 'N') . ($by->{trace} ? 'T' : '');
}

# ---- FUTURERELEASE (RFC 4865) ----

sub _hold_for {
    my ($seconds) = @_;

    _usage("hold_for: a whole number of seconds, 1 to $SECONDS_MAX") if $seconds !~ /\A[1-9][0-9]{0,8}\z/;
    return $seconds;
}

sub _holdfor {
    my ($seconds, $offered) = @_;

    my ($most) = $offered =~ /\A([0-9]{1,9})(?: |\z)/;
    _refuse("hold_for: the server holds a message for $most seconds at most", code => 501, enhanced => '5.5.4')
        if defined $most && $seconds > $most;
    return "HOLDFOR=$seconds";
}

sub _hold_until {
    my ($given) = @_;

    my $time = $given =~ /\A([0-9]{1,11})(?:\.[0-9]+)?\z/ ? $1 : _time_of($given);
    _usage('hold_until: seconds since 1970, or a time such as 2030-01-31T08:00:00Z or 2030-01-31T09:00:00+01:00')
        if !defined $time || $time > 253_402_300_799;
    return $time;
}

sub _holduntil {
    my ($time, $offered) = @_;

    my ($last) = $offered =~ /\A[0-9]+ +(\S+)\z/;
    my $most = defined $last ? _time_of($last) : undef;
    _refuse("hold_until: the server holds a message until $last at most", code => 501, enhanced => '5.5.4')
        if defined $most && $time > $most;
    my ($second, $minute, $hour, $day, $month, $year) = gmtime $time;
    return sprintf 'HOLDUNTIL=%04d-%02d-%02dT%02d:%02d:%02dZ',
        1900 + $year, 1 + $month, $day, $hour, $minute, $second;
}

# RFC 3339 as seconds since 1970; undef for what is none.
sub _time_of {
    my ($text) = @_;

    my ($year, $month, $day, $hour, $minute, $second, $sign, $hours, $minutes) = $text =~
        /\A([1-9]\d{3})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))\z/a or return;
    return if $second > 60 || ($hours // 0) > 23 || ($minutes // 0) > 59;
    my $leap = $second == 60;
    require Time::Local;
    my $time = eval { Time::Local::timegm($second - $leap, $minute, $hour, $day, $month - 1, $year) };
    return if !defined $time;
    my $offset = 60 * (60 * ($hours // 0) + ($minutes // 0));
    return $time + $leap - (($sign // '+') eq '+' ? $offset : -$offset);
}

# ---- MT-PRIORITY (RFC 6710), REQUIRETLS (RFC 8689) ----

sub _priority {
    my ($given) = @_;

    _usage('priority: a whole number, -9 to 9') if $given !~ /\A[+-]?[0-9]\z/;
    return 0 + $given;
}

sub _check_tls {
    my ($tls) = @_;

    return if $tls && $tls->{verified};
    return _refuse('require_tls: ' . ($tls ? 'the certificate of the server was not verified'
        : 'the connection to the server is not encrypted'), code => 550, enhanced => '5.7.10',
        hint => 'connect by smtps:// or with STARTTLS, and leave the verification on');
}

# Where it is optional, a connection that would not do goes without.
sub _requiretls {
    my (undef, undef, $tls) = @_;

    return $tls && $tls->{verified} ? 'REQUIRETLS' : ();
}

1;
