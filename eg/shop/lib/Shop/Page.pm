# Page: the shop's HTML. Whatever comes from a visitor or the database goes through text().
package Shop::Page;
use strict;
use warnings;
use Encode qw(encode_utf8);

my %ENTITY = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');

# Status and fields of every answer; nothing of it is to be kept by anybody on the way.
my $ALWAYS = join '', map { "$_\r\n" } 'Cache-Control: no-store', 'X-Content-Type-Options: nosniff',
    'Referrer-Policy: same-origin',
    q{Content-Security-Policy: default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'};

sub text  { return $_[0] =~ s/([&<>"'])/$ENTITY{$1}/gr }
sub money { return sprintf '%d.%02d', $_[0] / 100, $_[0] % 100 }
sub link_to { my ($page, $words) = @_; return '<a href="?' . text($page) . '">' . text($words) . '</a>' }

sub show {
    my ($title, $body, %more) = @_;

    my $menu = join ' | ', link_to('page=catalogue', 'Catalogue'), link_to('page=cart', 'Cart');
    my $html = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>' . text($title) . '</title></head>'
        . "<body><p>$menu</p><h1>" . text($title) . "</h1>\n$body\n</body></html>\n";
    return head($more{status} // '200 OK', 'Content-Type: text/html; charset=utf-8', @{ $more{fields} || [] }) . encode_utf8($html);
}

sub go_to { my ($page, @fields) = @_; return head('303 See Other', "Location: $ENV{SCRIPT_NAME}?$page", @fields) }
sub head  { my ($status, @fields) = @_; return join '', "Status: $status\r\n", $ALWAYS, map({ "$_\r\n" } @fields), "\r\n" }

# A form that is posted; of its fields those with a label are the visitor's to fill in, the others are hidden.
sub form {
    my ($hidden, $fields, $button) = @_;

    my @hidden = map { qq{<input type="hidden" name="} . text($_) . '" value="' . text($hidden->{$_}) . '">' } sort keys %$hidden;
    my @fields = map { my ($name, $label) = @$_;
        '<p><label>' . text($label) . ' <input name="' . text($name) . '" required maxlength="200"></label></p>' } @$fields;
    return join "\n", '<form method="post" action="?">', @hidden, @fields, '<button>' . text($button) . '</button></form>';
}

sub table {
    my (@lines) = @_;

    my $total = 0;
    $total += $_->{cents} * $_->{number} for @lines;
    my @rows = map { '<tr><td>' . text($_->{number}) . '<td>' . text($_->{name}) . '<td>' . money($_->{cents}) } @lines;
    return join "\n", '<table>', @rows, '<tr><td><td>Total<td>' . money($total), '</table>';
}

1;
