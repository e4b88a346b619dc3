# Parameters: what stands behind the addresses of MAIL and RCPT: by themselves where the message asks for them, by the
# caller's word otherwise, and never one that the server has not offered.
package Net::SMTP::AuthC::Parameters;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

# Options of a submission that become parameters of MAIL; the second line in a file of its own, for few need them.
my @COMMON = qw(size body smtputf8 dsn auth);
my @RARE   = qw(by hold_for hold_until priority require_tls);
my %is_option = map { $_ => 1 } @COMMON, @RARE;

my $HEADER_MOST = 65536;    # octets in which a header outside ASCII is looked for
my $ENVID_MAX   = 100;      # RFC 3461, section 4.4
my $XTEXT_MAX   = 500;      # RFC 3461, section 4.2, and RFC 4954, section 3

# The names that of_mail knows.
sub options { return (@COMMON, @RARE, 'optional') }

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# The message cannot go through this server.
sub refuse {
    my ($class, $text, %more) = @_;

    return Net::SMTP::AuthC::Error->throw(kind => 'refused', step => 'MAIL', temporary => 0,
        text => "$text; nothing was sent", %more);
}

# Whether an option is to be left out, as the server does not offer its keyword and the caller can do without.
sub lacks {
    my ($class, $option, $keyword, $about, %more) = @_;

    return 0 if exists $about->{offered}{$keyword};
    return 1 if $about->{optional}{$option};
    return $class->refuse("$option: the server does not offer $keyword",
        hint => "leave $option out, or say optional => '$option' to do without where it cannot be had", %more);
}

# Characters become the octets of their UTF-8.
sub _xtext {
    my ($text) = @_;

    utf8::encode($text);
    return Net::SMTP::AuthC::Options->xtext($text);
}

# ---- MAIL ----

# offered: the capabilities; source: of the message; given: the options above; from, to: sender and recipients as
# Envelope has them, whose octets and words change where the server wants it; tls: facts, for require_tls.
# The parameters with blanks between; in list context also whether the message is binary: it must go by BDAT then, and
# its line ends stay as they are.
sub of_mail {
    my ($class, %about) = @_;

    my $given = $about{given};
    $about{from} //= {address => $given->{from}};
    $about{optional} = _optional($given->{optional});
    $about{binary} = defined $given->{body} ? lc $given->{body} eq 'binary' : $about{source}{binary};
    my @words = ($class->_size(\%about), $class->_body(\%about), $class->_smtputf8(\%about), $class->_dsn(\%about));
    push @words, $class->_auth(\%about) if defined $given->{auth};
    if (grep { defined $given->{$_} } @RARE) {
        require Net::SMTP::AuthC::Extensions;
        push @words, Net::SMTP::AuthC::Extensions->words(\%about);
    }
    return wantarray ? ("@words", $about{binary} ? 1 : 0) : "@words";
}

sub _optional {
    my ($given) = @_;

    return {} if !defined $given;
    my @names = ref $given eq 'ARRAY' ? @$given : $given;
    my ($odd) = grep { !$is_option{$_} } map { $_ // 'undef' } @names;
    _usage(qq{optional: "$odd" is none of } . join ', ', sort keys %is_option) if defined $odd;
    return {map { $_ => 1 } @names};
}

# An estimate does as well, says RFC 1870.
sub _size {
    my ($class, $about) = @_;

    my ($source, $size) = ($about->{source}, $about->{given}{size});
    _usage('size: a whole number of octets') if defined $size && $size !~ /\A[0-9]{1,18}\z/;
    $size //= _octets_of($source) if $about->{binary};
    $size //= $source->{size} // $source->{size_hint};
    return if !defined $size || !exists $about->{offered}{SIZE};
    my ($limit) = $about->{offered}{SIZE} =~ /\A([0-9]{1,18})\z/;
    return "SIZE=$size" if !$limit || $size <= $limit;
    return $class->refuse("the message has $size octets, the server takes $limit at most", code => 552,
        enhanced => '5.3.4');
}

# What is not text has no line ends that could grow.
sub _octets_of {
    my ($source) = @_;

    return ref $source->{octets} ? undef : length $source->{octets};
}

sub _body {
    my ($class, $about) = @_;

    my ($source, $asked) = ($about->{source}, $about->{given}{body});
    _usage('body: 7bit, 8bit or binary') if defined $asked && $asked !~ /\A(?:[78]bit|binary)\z/i;
    return $class->_binary($about->{offered}) if $about->{binary};
    my $body = lc($asked // (!defined $source->{eight_bit} ? 'unknown' : $source->{eight_bit} ? '8bit' : '7bit'));
    return if $body eq '7bit';
    return 'BODY=8BITMIME' if exists $about->{offered}{'8BITMIME'};
    return if $body eq 'unknown' || $about->{optional}{body};
    return $class->refuse('the message has 8-bit octets, and the server does not offer 8BITMIME',
        hint => q{encode it as quoted-printable or base64, or pass body => '7bit' to send it all the same});
}

# RFC 3030, section 3: only together, and nothing else would keep the octets.
sub _binary {
    my ($class, $offered) = @_;

    my @missing = grep { !exists $offered->{$_} } qw(BINARYMIME CHUNKING);
    return 'BODY=BINARYMIME' if !@missing;
    return $class->refuse('the message is binary, and the server does not offer ' . join(' and ', @missing),
        hint => 'encode its parts as base64');
}

# ---- outside ASCII ----

# Domains go as A-labels, which every server knows, unless something else needs SMTPUTF8 and has it.
sub _smtputf8 {
    my ($class, $about) = @_;

    my ($asked, $offered) = ($about->{given}{smtputf8}, exists $about->{offered}{SMTPUTF8});
    my @odd = grep { $_->{address} =~ /[^\x00-\x7f]/ } $about->{from}, @{ $about->{to} };
    require Net::SMTP::AuthC::Address if @odd;
    my @ascii = map { Net::SMTP::AuthC::Address->to_ascii($_->{address}) } @odd;
    my ($left) = grep { !defined $ascii[$_] } 0 .. $#odd;
    my $why = defined $left ? _why_not_ascii($odd[$left]{address})
        : _has_utf8_header($about->{source}) ? 'the header has characters outside ASCII'
        : $asked ? 'SMTPUTF8 was asked for' : undef;
    return 'SMTPUTF8' if $offered && ($asked // defined $why);
    $class->_refuse_utf8($why, $offered, defined $left)
        if defined $left || ($asked // defined $why) && !$about->{optional}{smtputf8};
    $odd[$_]{octets} = $ascii[$_] for 0 .. $#odd;
    return;
}

sub _why_not_ascii {
    my ($address) = @_;

    my ($local, $domain) = $address =~ /\A(.*)\@(.*)\z/s or return 'an address has characters outside ASCII';
    return "$address has characters outside ASCII before the \@" if $local =~ /[^\x00-\x7f]/;
    return eval { Net::SMTP::AuthC::HostName->to_ascii($domain, $address); 1 } ? $address : $@->text;
}

# RFC 6532; octets that are no UTF-8 are the old sort of mistake, which SMTPUTF8 would not heal.
sub _has_utf8_header {
    my ($source) = @_;

    return $source->{smtputf8} if defined $source->{smtputf8} || !$source->{eight_bit} || ref $source->{octets};
    my ($head) = split /\r?\n\r?\n/, substr($source->{octets}, 0, $HEADER_MOST), 2;
    return 0 if ($head // '') !~ /\A[!-9;-~]+[ \t]*:/ || $head !~ /[\x80-\xff]/;
    return utf8::decode($head);
}

sub _refuse_utf8 {
    my ($class, $why, $offered, $in_address) = @_;

    return $class->refuse("$why, and smtputf8 => 0 was given") if $offered;
    return $class->refuse("$why, and the server does not offer SMTPUTF8", hint => $in_address
        ? 'a domain can go as xn--..., a name before the @ cannot be sent through this server'
        : 'write the header in encoded words (RFC 2047), or pass smtputf8 => 0 to send it all the same');
}

# ---- what only the caller can know ----

sub _dsn {
    my ($class, $about) = @_;

    my ($dsn, $to) = ($about->{given}{dsn}, $about->{to});
    return if !defined $dsn && !grep { length $_->{words} } @$to;
    _usage('dsn: a hash with ret and envid') if defined $dsn && ref $dsn ne 'HASH';
    my %dsn = %{ $dsn || {} };
    my ($ret, $envid) = delete @dsn{qw(ret envid)};
    _usage(qq{unknown option "$_" of dsn}, 'known are ret and envid') for sort keys %dsn;
    _usage('dsn ret: full or hdrs') if defined $ret && $ret !~ /\A(?:full|hdrs)\z/i;
    _usage("dsn envid: 1 to $ENVID_MAX printable characters, of which +, = and the blank count as three")
        if defined $envid && ($envid !~ /\A[\x20-\x7e]+\z/ || length _xtext($envid) > $ENVID_MAX);
    my $has_words = grep { length $_->{words} } @$to;
    return if !defined $ret && !defined $envid && !$has_words;
    return map { $_->{words} = ''; () } @$to
        if $class->lacks('dsn', 'DSN', $about, $has_words ? (hint => 'leave notify and orcpt out, and dsn, or say '
            . q{optional => 'dsn' to do without where it cannot be had}) : ());
    return ((defined $ret ? 'RET=' . uc $ret : ()), (defined $envid ? 'ENVID=' . _xtext($envid) : ()));
}

sub _auth {
    my ($class, $about) = @_;

    my $auth = $about->{given}{auth};
    my $value = length $auth ? _xtext($auth) : '<>';
    _usage('auth: an address, or an empty string') if ref $auth || length $value > $XTEXT_MAX;
    return $class->lacks('auth', 'AUTH', $about) ? () : "AUTH=$value";
}

# ---- RCPT ----

sub of_recipient {
    my ($class, $option) = @_;

    my @words;
    for my $name (sort keys %$option) {
        my $value = $option->{$name};
        if    ($name eq 'notify') { push @words, 'NOTIFY=' . _notify($value) }
        elsif ($name eq 'orcpt')  { push @words, 'ORCPT=' . _original($value) }
        else                      { _usage(qq{unknown option "$name" of a recipient}, 'known are notify and orcpt') }
    }
    return join ' ', @words;
}

sub _notify {
    my ($value) = @_;

    my $words = uc join ',', ref $value eq 'ARRAY' ? @$value : $value // '';
    _usage('notify: never, or some of success, failure and delay')
        if $words !~ /\A(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)\z/;
    return $words;
}

# With the type of the address in front, or with the one that its characters make it.
sub _original {
    my ($value) = @_;

    _usage('orcpt: an address') if !length($value // '') || ref $value;
    my ($type, $address) = $value =~ /\A([A-Za-z0-9-]+);(.+)\z/s ? ($1, $2)
        : ($value =~ /[^\x00-\x7f]/ ? 'utf-8' : 'rfc822', $value);
    my $text = "$type;" . (lc $type eq 'utf-8' ? _utf8_xtext($address) : _xtext($address));
    _usage("orcpt: more than $XTEXT_MAX characters") if length $text > $XTEXT_MAX;
    return $text;
}

# RFC 6533, section 3: the form for servers with SMTPUTF8 and without.
sub _utf8_xtext { return $_[0] =~ s/([^!-*,-<>-\[\]-~])/sprintf '\x{%02X}', ord $1/ger }

# ---- LIMITS ----

# RFC 9422: what a session may have of MAILMAX, RCPTMAX and RCPTDOMAINMAX, as far as the server says so. One word out
# of form makes the whole line worthless, one number out of range only itself.
sub limits {
    my ($class, $offered) = @_;

    my @words = split / +/, $offered->{LIMITS} // '';
    return {} if grep { !/\A[A-Za-z0-9_-]+(?:=[!-:<-~]+)?\z/ } @words;
    my %value = map { /\A([^=]+)=(.*)\z/ ? (uc $1 => $2) : () } @words;
    return {map { ($value{$_} // '') =~ /\A[1-9][0-9]{0,5}\z/ ? ($_ => $value{$_}) : () }
        qw(MAILMAX RCPTMAX RCPTDOMAINMAX)};
}

1;
