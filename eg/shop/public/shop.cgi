#!/usr/bin/perl
# shop.cgi: catalogue, cart, checkout; an order is stored, then one mail tells the shop's owner of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use CGI '-utf8';
use Digest::SHA qw(sha256_hex);
use Shop::Page;
use Shop::Store;
require "$FindBin::RealBin/../lib/mail-lib.pl";

$CGI::POST_MAX        = 16_384;
$CGI::DISABLE_UPLOADS = 1;

my %page   = (catalogue => \&catalogue, item => \&item, cart => \&cart, checkout => \&checkout, thanks => \&thanks);
my %action = (add => \&add, order => \&order);
my ($query, $store, $visitor, @cookie);

my $answer = eval { answer() };
if (!defined $answer) {
    warn "shop: $@";    # for the web server's log, and nobody else
    $answer = Shop::Page::show('Sorry', '<p>Something went wrong here.</p>', status => '500 Internal Server Error');
}
binmode STDOUT;
print $answer;

sub answer {
    $query   = CGI->new;
    $store   = Shop::Store->new("$ENV{SHOP_DATA}/shop.db");
    $visitor = visitor();
    my $is_post = ($ENV{REQUEST_METHOD} // '') eq 'POST';
    my $what    = param($is_post ? 'action' : 'page') || 'catalogue';
    my $code    = ($is_post ? \%action : \%page)->{$what} or return refuse('404 Not Found', 'There is no such page.');
    return $code->();
}

sub param { my ($name) = @_; return scalar($query->param($name)) // '' }

sub random_word {
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read($random, my $octets, 16) == 16 or die '/dev/urandom ended';
    return unpack 'H*', $octets;
}

# Who it is, by a cookie that tells nothing but that.
sub visitor {
    my $known = $query->cookie('visitor') // '';
    return $known if $known =~ /\A[0-9a-f]{32}\z/;
    my $new = random_word();
    @cookie = ("Set-Cookie: visitor=$new; Path=/; HttpOnly; SameSite=Lax");
    return $new;
}

sub show { my ($title, $body) = @_; return Shop::Page::show($title, $body, fields => \@cookie) }

sub refuse {
    my ($status, $words) = @_;
    return Shop::Page::show('Sorry', '<p>' . Shop::Page::text($words) . '</p>', status => $status, fields => \@cookie);
}

# ---- pages: they change nothing and send nothing ----

sub catalogue {
    my @items = map { '<li>' . Shop::Page::link_to("page=item&id=$_->{id}", $_->{name}) . ' ' . Shop::Page::money($_->{cents}) }
        $store->items;
    return show('Catalogue', join "\n", '<ul>', @items, '</ul>');
}

sub item {
    my $item = $store->item(param('id')) or return refuse('404 Not Found', 'There is no such thing.');
    return show($item->{name}, '<p>' . Shop::Page::money($item->{cents}) . '</p>'
        . Shop::Page::form({action => 'add', id => $item->{id}, mark => mark()}, [], 'Into the cart'));
}

sub cart {
    my @lines = $store->cart($visitor) or return show('Cart', '<p>It is empty.</p>');
    return show('Cart', Shop::Page::table(@lines) . '<p>' . Shop::Page::link_to('page=checkout', 'Checkout') . '</p>');
}

sub checkout {
    my @lines = $store->cart($visitor) or return show('Checkout', '<p>The cart is empty.</p>');
    return show('Checkout', Shop::Page::table(@lines) . Shop::Page::form(
        {action => 'order', mark => mark(), form => random_word()},
        [[name => 'Name'], [mail => 'Mail'], [address => 'Address']], 'Order'));
}

sub thanks {
    my $sale = $store->sale($visitor, param('order')) or return refuse('404 Not Found', 'There is no such order.');
    return show("Order $sale->{id}", "<p>Thank you, " . Shop::Page::text($sale->{name}) . '.</p>'
        . Shop::Page::table(@{ $sale->{lines} }));
}

# ---- actions: by POST, from a page that this visitor got from us ----

# What nobody can know who has not got the visitor's cookie.
sub mark { return sha256_hex("form of $visitor") }

sub not_ours { return refuse('403 Forbidden', 'This form is too old, or not from here. Please go back and load it again.') }

sub add {
    return not_ours() if param('mark') ne mark();
    $store->item(param('id')) or return refuse('404 Not Found', 'There is no such thing.');
    $store->add($visitor, param('id'));
    return Shop::Page::go_to('page=cart', @cookie);
}

sub order {
    my ($form, %customer) = (param('form'), map { $_ => param($_) } qw(name mail address));
    return not_ours() if param('mark') ne mark() || $form !~ /\A[0-9a-f]{32}\z/;
    return refuse('400 Bad Request', 'Please fill in all fields, with a line each.')
        if grep { !/\A[^\x00-\x1f\x7f]{1,200}\z/ } values %customer;
    my $id = $store->order($visitor, $form, %customer) or return refuse('400 Bad Request', 'The cart is empty.');
    tell_owner($store->sale($visitor, $id));
    return Shop::Page::go_to("page=thanks&order=$id", @cookie);
}

# The order is stored: that a mail does not go out is the owner's business, not the visitor's.
sub tell_owner {
    my ($sale) = @_;

    my $mail  = mail_settings();
    my @lines = map { sprintf "%4d  %-30s %8s\n", $_->{number}, $_->{name}, Shop::Page::money($_->{cents}) } @{ $sale->{lines} };
    my $body  = join '', "Order $sale->{id}\n\n", @lines, "\n", map { ucfirst "$_: $sale->{$_}\n" } qw(name mail address);
    send_mail($mail->{from}, $mail->{to}, "Order $sale->{id}", $body) or warn "shop: order $sale->{id}: $@";
    return;
}
