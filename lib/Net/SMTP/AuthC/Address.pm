# Address: mailbox lists as people write them, to names and addresses and back.
package Net::SMTP::AuthC::Address;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $ADDRESS_MAX = 320;    # RFC 5321, section 4.5.3.1: 64, the "@", 255

# RFC 5322 atext with everything outside ASCII (RFC 6532); domain labels are narrower.
my $ATEXT   = qr{[A-Za-z0-9!#\$%&'*+/=?^_`\{|\}~\x{80}-\x{10FFFF}-]};
my $DOTTED  = qr{[A-Za-z0-9!#\$%&'*+/=?^_`\{|\}~.\x{80}-\x{10FFFF}-]+};
my $LABEL   = qr{[A-Za-z0-9_\x{80}-\x{10FFFF}-]+};
my $LITERAL = qr{\[[\x21-\x5a\x5e-\x7e]+\]};

# Control characters anywhere; within an address also what nobody can see.
my $CONTROL = qr/[\x00-\x1f\x7f-\x9f\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
my $UNSEEN  = qr/[\xA0\xAD\x{1680}\x{2000}-\x{200B}\x{200E}\x{200F}\x{2028}-\x{202F}\x{205F}-\x{2069}]
                |[\x{3000}\x{FEFF}]/x;

sub parse {
    my ($class, $given, $argument) = @_;

    $argument //= 'address';
    return _parse_one($given, $argument) if ref $given ne 'ARRAY';
    return [map { @{ _parse_one($given->[$_], "$argument\[$_]") } } 0 .. $#$given];
}

sub _parse_one {
    my ($one, $argument) = @_;

    return _parse_text($one, $argument) if ref $one ne 'HASH';
    my ($name, $address) = @$one{qw(name address)};
    _check_characters($name //= '', "$argument name");
    return [{name => $name, address => _whole_address($address, "$argument address")}];
}

sub format {
    my ($class, $name, $address) = @_;

    $address = _whole_address($address, 'address');
    return $address if !length($name // '');
    _check_characters($name, 'name');
    return _phrase($name) . " <$address>";
}

# With A-labels for its domain; undef where what is before the "@" is not ASCII, or IDNA does not know the domain.
sub to_ascii {
    my ($class, $address) = @_;

    return $address if $address !~ /[^\x00-\x7f]/;
    my ($local, $domain) = $address =~ /\A([\x00-\x7f]*)\@([^\@]+)\z/ or return undef;
    require Net::SMTP::AuthC::HostName;
    local $@;
    my $ascii = eval { Net::SMTP::AuthC::HostName->to_ascii($domain) };
    return defined $ascii ? "$local\@$ascii" : undef;
}

sub _phrase {
    my ($name) = @_;

    require Net::SMTP::AuthC::Header;
    return join ' ', Net::SMTP::AuthC::Header->encoded_words($name)
        if Net::SMTP::AuthC::Header->needs_encoding($name) || $name =~ /[^ ]{60}/;
    return $name if $name =~ /\A$ATEXT+(?: $ATEXT+)*\z/;
    return '"' . $name =~ s/(["\\])/\\$1/gr . '"';
}

sub _fail {
    my ($argument, $position, $what, $hint) = @_;

    return Net::SMTP::AuthC::Error->usage("$argument: $what at character $position", $hint);
}

sub _check_characters {
    my ($text, $argument) = @_;

    Net::SMTP::AuthC::Error->usage("$argument is undefined") if !defined $text;
    Net::SMTP::AuthC::Error->usage("$argument must be text, not a reference")
        if ref $text && !overload::Method($text, '""');
    return if $text !~ /($CONTROL)/;
    my ($found, $position) = ($1, 1 + $-[0]);
    my $what = ord $found < 0xA0 ? 'a control character' : 'no character of Unicode';
    return _fail($argument, $position, $found =~ /[\r\n]/ ? 'a line break' : $what);
}

# One address and nothing else.
sub _whole_address {
    my ($text, $argument) = @_;

    _check_characters($text, $argument);
    $text = "$text";
    pos($text) = 0;
    my $address = _address(\$text, $argument);
    _fail($argument, 1 + pos $text, 'unexpected ' . _next(\$text)) if pos $text < length $text;
    return $address;
}

sub _parse_text {
    my ($text, $argument) = @_;

    _check_characters($text, $argument);
    $text = "$text";
    pos($text) = 0;
    my ($in_group, @found) = (0);
    while (_blanks(\$text, $argument), pos $text < length $text) {
        next if $text =~ /\G,/gc;
        if ($in_group && $text =~ /\G;/gc) { $in_group = 0; next }
        my $item = _item(\$text, $argument, $in_group);
        $item ? push @found, $item : ($in_group = 1);
        _separator(\$text, $argument, $in_group) if $item;
    }
    _fail($argument, 1 + length $text, 'the ";" that ends the group is missing') if $in_group;
    return \@found;
}

# Behind an item comes the end, a comma, or the end of the group.
sub _separator {
    my ($text, $argument, $in_group) = @_;

    _blanks($text, $argument);
    my $next = substr $$text, pos $$text, 1;
    return if $next eq '' || $next eq ',' || $in_group && $next eq ';';
    my $hint = $next eq ';' ? 'put a comma between addresses' : 'put a name with special characters in double quotes';
    return _fail($argument, 1 + pos $$text, 'unexpected ' . _next($text), $hint);
}

# A mailbox, or undef after the "name:" that begins a group. A word followed by "@" is no word of a name.
sub _item {
    my ($text, $argument, $in_group) = @_;

    my $start = pos $$text;
    my $name = _words($text, $argument);
    return undef if !$in_group && length $name && $$text =~ /\G:/gc;
    if ($$text =~ /\G</gc) {
        my $address = _address($text, $argument);
        _fail($argument, 1 + pos $$text, 'a ">" is missing') if $$text !~ /\G>/gc;
        return {name => $name, address => $address};
    }
    pos($$text) = $start;
    return {name => '', address => _address($text, $argument)};
}

# The words of a name: atoms, dots and quoted strings, one blank between them, comments left out.
sub _words {
    my ($text, $argument) = @_;

    my @words;
    while (1) {
        if ($$text =~ /\G($DOTTED)/gc)              { push @words, $1 }
        elsif (defined(my $quoted = _quoted($text))) { push @words, substr($quoted, 1, -1) =~ s/\\(.)/$1/gsr }
        else                                         { last }
        _blanks($text, $argument);
    }
    return join ' ', @words;
}

# In steps, for a pattern of it all has a limit to its length.
sub _quoted {
    my ($text) = @_;

    my $start = pos $$text;
    return undef if $$text !~ /\G"/gc;
    1 while $$text =~ /\G(?:[^"\\]++|\\.)/gc;
    return substr $$text, $start, pos($$text) - $start if $$text =~ /\G"/gc;
    pos($$text) = $start;
    return undef;
}

# Blanks and comments.
sub _blanks {
    my ($text, $argument) = @_;

    1 while $$text =~ /\G ++/gc || _comment($text, $argument);
    return;
}

# Comments nest; counting spares a hostile one the stack.
sub _comment {
    my ($text, $argument) = @_;

    my ($start, $depth) = (pos $$text, 0);
    return 0 if substr($$text, $start, 1) ne '(';
    while ($$text =~ /\G(?:([()])|[^()\\]++|\\.)/gc) {
        $depth += $1 eq '(' ? 1 : -1 if defined $1;
        return 1 if $depth == 0;
    }
    return _fail($argument, 1 + $start, 'a comment that does not end');
}

sub _address {
    my ($text, $argument) = @_;

    my $start = pos $$text;
    my $local = _local_part($text, $argument);
    $$text =~ /\G((?:$LABEL(?:\.$LABEL)*|$LITERAL))/gc or _fail($argument, 1 + pos $$text, 'no domain');
    my $address = "$local\@$1";
    _fail($argument, 1 + $start + $-[0], 'an unseen character')
        if substr($$text, $start, pos($$text) - $start) =~ $UNSEEN;
    _fail($argument, 1 + $start, "an address longer than $ADDRESS_MAX characters") if length $address > $ADDRESS_MAX;
    return $address;
}

# Dots at either end or side by side exist in the wild; within quotes they are as the standard wants them.
sub _local_part {
    my ($text, $argument) = @_;

    my $start = pos $$text;
    my $local = $$text =~ /\G($DOTTED)/gc ? $1 : _quoted($text);
    _fail($argument, 1 + $start, 'no address', 'write user@example.net; a name with a comma needs quotes')
        if !defined $local || $$text !~ /\G@/gc;
    return $local =~ /\A\.|\A[^"].*?\.\.|\.\z/ ? qq{"$local"} : $local;
}

sub _next {
    my ($text) = @_;

    return '"' . substr($$text, pos $$text, 1) . '"';
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Address - mailbox lists as people write them

=head1 SYNOPSIS

    use utf8;
    use Net::SMTP::AuthC::Address;

    my $to = Net::SMTP::AuthC::Address->parse('Shop <orders@shop.example>, "Doe, J." <j@example.net>', 'to');
    print "$_->{name} has $_->{address}\n" for @$to;

    print Net::SMTP::AuthC::Address->format('Doe, J.', 'j@example.net'), "\n";      # "Doe, J." <j@example.net>
    print Net::SMTP::AuthC::Address->format('Jürgen', 'j@example.net'), "\n";   # =?UTF-8?Q?J=C3=BCrgen?= <j@...>

=head1 DESCRIPTION

Addresses are Perl character strings, in and out. What is no address is refused with an error that names the
argument and the position; nothing is repaired or left out in silence. Control characters, CR, LF and NUL before
all, are refused wherever they stand.

=head1 METHODS

All are called on the class.

=head2 parse($given, $argument)

    my $list = Net::SMTP::AuthC::Address->parse(['a@example.net', 'B <b@example.net>, c@example.net'], 'cc');
    my $safe = Net::SMTP::AuthC::Address->parse([{name => $anything, address => 'd@example.net'}], 'to');

Returns an array ref of hashes with C<name> (or C<''>) and C<address>, in order. C<$given> is a string with any
number of mailboxes between commas, a hash with C<name> and C<address>, or an array ref of such strings and hashes;
the hash is the form for a name that a visitor typed, for it needs no quoting. C<$argument> is what an error calls
it (C<address> if it is left out).

It reads what RFC 5322 calls an address list: names as words or in double quotes, comments in parentheses (left
out), groups (C<friends: a@example.net, b@example.net;>, whose members count), and empty places between commas.
Addresses may hold characters outside ASCII (RFC 6531). A local part with dots at an end or side by side is put in
double quotes, which is how the standard writes it.

=head2 format($name, $address)

The mailbox for a header, as a character string of ASCII except for an address outside ASCII. The name is written as
it is, in double quotes, or as encoded words, as needed; without one it is the address alone. Name and address are
checked as by C<parse>.

=head2 to_ascii($address)

    my $shown = Net::SMTP::AuthC::Address->to_ascii('info@bücher.example');      # info@xn--bcher-kva.example

The address, without a name, in the ASCII form that every server and every reader knows: its domain in A-labels
(IDNA2008). C<undef> if there is none, because the local part is not ASCII or the domain is no host name.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects of kind C<usage>. C<to> stands for the argument, C<to[2]> for the third
element of a list, and C<to[2] name> or C<to[2] address> for the values of a hash.

=over 4

=item to: no address at character 1

An address with an C<@> was expected. C<Doe, J. <j@example.net>> needs double quotes: C<"Doe, J." <j@example.net>>.

=item to: no domain at character 6

Nothing that can be a domain follows the C<@>.

=item to: unexpected ";" at character 12

An address ended there and no comma follows.

=item to: a line break at character 20

Also C<a control character>, C<no character of Unicode>, and C<an unseen character> (such as a no-break space that
came along when an address was copied).

=item to: a ">" is missing at character 20

=item to: a comment that does not end at character 20

=item to: the ";" that ends the group is missing at character 20

=item to: an address longer than 320 characters at character 1

=item to is undefined

=item to must be text, not a reference

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC::Header>, L<Net::SMTP::AuthC::Message>

=cut
