# HostName: host names outside ASCII as DNS and TLS have them: each label mapped, checked, and written as an A-label.
package Net::SMTP::AuthC::HostName;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

# Labels are mapped as in UTS #46 without its transitional part (sharp s and final sigma stay), then held to RFC 5892.
# Not done: the rule for labels that are written from right to left (RFC 5893), and the look inside labels that are
# A-labels already; where Net::LibIDN2 is there, it does both, and must not object. Letters are those of the Unicode
# that this perl knows; newer ones are refused as unassigned.
my $LABEL_MAX = 63;
my $NAME_MAX  = 253;

# RFC 5892, section 2: letters, digits and marks with its exceptions (F), and without what it takes out again: unseen
# characters (C), marks of music and symbols (D), old Hangul letters (I). What folding would change was folded before.
my $LETTERS   = qr/[\p{L}\p{Nd}\p{Mn}\p{Mc}\x{6FD}\x{6FE}\x{F0B}\x{3007}]/;
my $TAKEN_OUT = qr/[\p{Default_Ignorable_Code_Point}\x{640}\x{7FA}\x{302E}\x{302F}\x{3031}-\x{3035}\x{303B}]
    |[\x{20D0}-\x{20FF}\x{1D100}-\x{1D24F}\x{1100}-\x{11FF}\x{A960}-\x{A97F}\x{D7B0}-\x{D7FF}]/x;

# RFC 5892, appendix A: what counts only in its place, and the places.
my $BEFORE = qr/[\p{Joining_Type: L}\p{Joining_Type: D}]\p{Joining_Type: T}*/;
my $BEHIND = qr/\p{Joining_Type: T}*[\p{Joining_Type: R}\p{Joining_Type: D}]/;
my @IN_PLACE = (
    [qr/\x{200C}/,            qr/(?<=\p{Canonical_Combining_Class: 9})\x{200C}|$BEFORE\x{200C}(?=$BEHIND)/],
    [qr/\x{200D}/,            qr/(?<=\p{Canonical_Combining_Class: 9})\x{200D}/],
    [qr/\x{B7}/,              qr/(?<=l)\x{B7}(?=l)/],
    [qr/\x{375}/,             qr/\x{375}(?=\p{Script: Greek})/],
    [qr/[\x{5F3}\x{5F4}]/,    qr/(?<=\p{Script: Hebrew})[\x{5F3}\x{5F4}]/],
    [qr/\x{30FB}/,            qr/\A.*[\p{Script: Hiragana}\p{Script: Katakana}\p{Script: Han}].*\z/s],
    [qr/[\x{660}-\x{669}]/,   qr/\A[^\x{6F0}-\x{6F9}]+\z/],
);

# What a character is that no host name may have; the first that fits.
my @KINDS = (
    ['a control character'                        => qr/\p{Cc}/],
    ['an unseen character'                        => qr/[\p{Cf}\p{Default_Ignorable_Code_Point}]/],
    ['for private use'                            => qr/\p{Co}/],
    [q{unassigned in the Unicode of this perl}    => qr/\p{Cn}/],
    ['white space'                                => qr/\p{Z}/],
    ['a symbol'                                   => qr/\p{S}/],
    ['punctuation'                                => qr/\p{P}/],
    ['a letter or mark that host names do not use' => qr/./s],
);

# What is ASCII already, literals of addresses too, comes back as it is; the rest as A-labels, or dies. $argument is
# what the error calls it.
sub to_ascii {
    my ($class, $name, $argument) = @_;

    return $name if $name !~ /[^\x00-\x7F]/;
    $argument //= 'host name';
    my $fail = sub {
        my ($what, $hint) = @_;
        Net::SMTP::AuthC::Error->usage(qq{$argument: "} . substr($name, 0, 100) . qq{": $what}, $hint);
    };
    _check_characters($name, $fail);
    my @labels = split /[.\x{3002}\x{FF0E}\x{FF61}]/, $name, -1;
    my $root   = @labels > 1 && $labels[-1] eq '' ? pop @labels : undef;
    my $ascii  = join '.', map { _label($_, $fail) } @labels;
    $fail->("it has more than $NAME_MAX characters as $ascii") if length $ascii > $NAME_MAX;
    _ask_libidn2($name, $fail);
    return defined $root ? "$ascii." : $ascii;
}

# A name that reads as UTF-8 is one that nobody has decoded: its letters would be those of another host.
sub _check_characters {
    my ($name, $fail) = @_;

    $fail->(sprintf 'U+%X is no character of Unicode', ord substr $name, $-[0], 1)
        if $name =~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    my $octets = $name;
    $fail->('these are octets of UTF-8', 'decode it first, or say "use utf8" where it stands in the program')
        if utf8::downgrade($octets, 1) && utf8::decode($octets);
    return;
}

sub _label {
    my ($given, $fail) = @_;

    my $label = _mapped($given);
    $fail->('a label is empty') if $label eq '';
    $fail->('a label begins or ends with "-"') if $label =~ /\A-|-\z/;
    $fail->('a label has "--" at its third place') if $label =~ /\A(?!xn).{2}--|\A.{2}--.*[^\x00-\x7F]/s;
    $fail->('a label begins with a combining mark') if $label =~ /\A\p{M}/;
    _check_letters($label, $fail);
    my $ascii = $label =~ /[^\x00-\x7F]/ ? 'xn--' . punycode($label) : $label;
    $fail->("a label has more than $LABEL_MAX characters as $ascii") if length $ascii > $LABEL_MAX;
    return $ascii;
}

# What UTS #46 passes over goes; the rest in small letters and in one form. What NFKC makes a final sigma of was none.
sub _mapped {
    my ($label) = @_;

    require Unicode::Normalize;
    $label =~ tr/\x{AD}\x{34F}\x{180B}-\x{180D}\x{180F}\x{200B}\x{2060}\x{2064}\x{FE00}-\x{FE0F}\x{FEFF}//d;
    $label =~ tr/\x{E0100}-\x{E01EF}//d;
    $label =~ s/([^\x{3C2}]+)/Unicode::Normalize::NFKC($1) =~ tr,\x{3C2},\x{3C3},r/ge;
    return Unicode::Normalize::NFKC(_folded($label));
}

# The small letters of the capitals are the folded form, which perl 5.14 has no word for, but for sharp s, final sigma
# and dotless i, which stay, and Cherokee, which folds to capitals.
sub _folded {
    my ($text) = @_;

    $text =~ s/([^\x{DF}\x{3C2}\x{131}\x{13A0}-\x{13FF}\x{AB70}-\x{ABBF}]+)/lc uc $1/ge;
    $text =~ tr/\x{AB70}-\x{ABBF}\x{13F8}-\x{13FD}/\x{13A0}-\x{13EF}\x{13F0}-\x{13F5}/;
    return $text;
}

sub _check_letters {
    my ($label, $fail) = @_;

    my $rest = $label =~ s/[a-z0-9-]//gr;
    $rest =~ tr/_//d if $label !~ /[^\x00-\x7F]/;
    for my $row (@IN_PLACE) {
        my ($character, $places) = @$row;
        next if $rest !~ $character;
        my $elsewhere = $label =~ s/$places//gr;
        $fail->(_what($elsewhere, $-[0]) . ' where it does not belong') if $elsewhere =~ $character;
        $rest =~ s/$character//g;
    }
    for my $at (0 .. length($rest) - 1) {
        my $one = substr $rest, $at, 1;
        $fail->(_what($rest, $at), 'only letters, digits and hyphens')
            if $one !~ $LETTERS || $one =~ $TAKEN_OUT;
    }
    return;
}

sub _what {
    my ($text, $at) = @_;

    my $character = substr $text, $at, 1;
    my ($kind) = map { $_->[0] } grep { $character =~ $_->[1] } @KINDS;
    return sprintf 'U+%04X is %s', ord $character, $kind;
}

my $has_libidn2;    # once somebody has looked

# Neither without the module nor with one of another kind is anything amiss.
sub _ask_libidn2 {
    my ($name, $fail) = @_;

    local ($@, $SIG{__DIE__});
    return if !($has_libidn2 //= eval { require Net::LibIDN2; 1 } // 0);
    utf8::encode($name);
    my ($status, $ascii) = (0);
    eval {
        my $flags = Net::LibIDN2::IDN2_NFC_INPUT() | Net::LibIDN2::IDN2_NONTRANSITIONAL();
        $ascii = Net::LibIDN2::idn2_lookup_u8($name, $flags, $status);
        1;
    } or return;
    return defined $ascii ? undef : $fail->(Net::LibIDN2::idn2_strerror($status));
}

# ---- RFC 3492, section 6.3, with the numbers of its section 5 ----

sub punycode {
    my ($label) = @_;

    my $output = $label =~ s/[^\x00-\x7F]//gr;
    my @points = map { ord } split //, $label;
    my $done   = length $output;
    my ($next, $delta, $bias, $is_first) = (128, 0, 72, 1);
    $output .= '-' if $done;
    while ($done < @points) {
        my $least = _least($next, @points);
        $delta += ($least - $next) * ($done + 1);
        for my $point (@points) {
            $delta++ if $point < $least;
            next if $point != $least;
            $output .= _number($delta, $bias);
            $bias = _adapted($delta, ++$done, $is_first);
            ($delta, $is_first) = (0, 0);
        }
        $delta++;
        $next = $least + 1;
    }
    return $output;
}

sub _least {
    my ($from, @points) = @_;

    my $least;
    for my $point (@points) {
        $least = $point if $point >= $from && (!defined $least || $point < $least);
    }
    return $least;
}

# A number in digits of 36 whose end can be told from its digits.
sub _number {
    my ($number, $bias) = @_;

    my $digits = '';
    for (my $k = 36; ; $k += 36) {
        my $limit = $k <= $bias + 1 ? 1 : $k >= $bias + 26 ? 26 : $k - $bias;
        return $digits . _digit($number) if $number < $limit;
        $digits .= _digit($limit + ($number - $limit) % (36 - $limit));
        $number = int(($number - $limit) / (36 - $limit));
    }
}

sub _digit { return chr $_[0] + ($_[0] < 26 ? 97 : 22) }

sub _adapted {
    my ($delta, $count, $is_first) = @_;

    $delta = int($delta / ($is_first ? 700 : 2));
    $delta += int($delta / $count);
    my $k = 0;
    while ($delta > 455) {
        $delta = int($delta / 35);
        $k += 36;
    }
    return $k + int(36 * $delta / ($delta + 38));
}

1;
