# eg/shop under Apache: pages are looked at and no mail is sent; an order is one mail, however often its form is posted.
use strict;
use warnings;
use utf8;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use Browser;
use HTTP::Tiny;
use Net::SMTP::AuthC::Sandbox;
use POSIX ();
use Test::More;
use WebServer;

my $why = WebServer->missing('cgi');
for my $module (qw(CGI DBI DBD::SQLite)) { $why //= "no $module" if !eval "require $module" }
plan skip_all => $why if defined $why;

my $SECRET  = 'the shop\'s "secret"';
my $top     = dirname(__FILE__) . '/..';
my $mailbox = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', users => {shop => $SECRET},
    faults => [{stage => 'end', delay => 0.3}]);    # so that what is posted at once meets here
my $web = WebServer->start(modules => ['cgi'], set_up => \&set_up);
my $shop = $web->url('/shop');

sub set_up {
    my ($server) = @_;
    $server->copy("$top/eg/shop", '.');
    my $data = $server->own_folder('data');
    my %text = ('password' => "$SECRET\n", 'ca.pem' => slurp($mailbox->ca_file), 'mail.conf' => <<"CONF");
server        @{[$mailbox->url]}
username      shop
password_file $data/password
ca_file       $data/ca.pem
from          Shop <orders\@shop.test>
to            owner\@shop.test
CONF
    $server->give_away(WebServer::write_file("$data/$_", $text{$_})) for sort keys %text;
    return ("SetEnv SHOP_DATA $data", "ScriptAlias /shop $server->{folder}/shop/public/shop.cgi");
}

sub slurp { open my $file, '<', $_[0] or die "$_[0]: $!"; return join '', <$file> }

# ---- a visitor without a browser: cookies, and forms as they stand in the page ----

{
    package Jar;
    sub new           { return bless {}, shift }
    sub add           { my ($self, $url, $line) = @_; $self->{$1} = $2 if $line =~ /\A([^=]+)=([^;]*)/; return }
    sub cookie_header { my ($self) = @_; return join '; ', map { "$_=$self->{$_}" } sort keys %$self }
}

sub visitor { return HTTP::Tiny->new(cookie_jar => Jar->new, timeout => 60) }

my @seen;

sub page {
    my ($visitor, $query) = @_;
    my $answer = $visitor->get("$shop?$query");
    push @seen, $answer->{content};
    return $answer;
}

sub hidden_fields {
    my ($html) = @_;
    my %field;
    $field{$1} = $2 while $html =~ /<input type="hidden" name="(\w+)" value="([^"]*)">/g;
    return \%field;
}

sub post {
    my ($visitor, %field) = @_;
    my $answer = $visitor->post_form($shop, \%field);
    push @seen, $answer->{content};
    return $answer;
}

sub into_cart { my ($visitor, $id) = @_; return post($visitor, %{ hidden_fields(page($visitor, "page=item&id=$id")->{content}) }) }

my %anna = (name => 'Anna <b>Müller</b>', mail => 'anna@x.test', address => q{1 "Quay" Street});

# The form of an order, filled in.
sub order_form {
    my ($visitor) = @_;
    into_cart($visitor, 2);
    return (%{ hidden_fields(page($visitor, 'page=checkout')->{content}) }, %anna);
}

# All at the same moment, each in a process of its own.
sub post_at_once {
    my (@posts) = @_;
    pipe my $read, my $write or die $!;
    my @pids = map { my ($visitor, %form) = @$_; my $pid = fork // die "fork: $!";
        $pid or do { syswrite $write, post($visitor, %form)->{url} . "\n"; POSIX::_exit(0) } } @posts;
    close $write;
    my @urls = <$read>;
    waitpid $_, 0 for @pids;
    return @urls;
}

sub mails { return scalar(my @all = $mailbox->messages) }

# ---- what happens ----

subtest 'ten pages are looked at' => sub {
    my $visitor = visitor();
    my @pages = ('', 'page=catalogue', (map { "page=item&id=$_" } 1 .. 6), 'page=cart', 'page=checkout');
    is(page($visitor, $_)->{status}, 200, "?$_") for @pages;
    like(page($visitor, 'page=catalogue')->{content}, qr/Sugar &lt;brown&gt;.*\n.*\n.*Tray/, 'all is escaped');
    is(page($visitor, $_)->{status}, 404, "?$_") for 'page=nothing', 'page=item&id=99', 'page=thanks&order=1', 'page=order';
    is($mailbox->sessions, 0, 'no mail, and the mail server was not even called');
};

subtest 'an order' => sub {
    my $visitor = visitor();
    my %form    = order_form($visitor);
    my $thanks  = post($visitor, %form);
    like($thanks->{url}, qr/page=thanks&order=1\z/, 'a page of its own behind it');
    like($thanks->{content}, qr{Thank you, Anna &lt;b&gt;M\xc3\xbcller&lt;/b&gt;}, 'what the visitor wrote is escaped');
    is(mails(), 1, 'one mail');
    my ($mail) = $mailbox->messages;
    is($mail->header('Subject'), 'Order 1', 'the order');
    is(join(' ', $mail->from, $mail->to), 'orders@shop.test owner@shop.test', 'from the shop, to its owner');
    is(page($visitor, 'page=thanks&order=1')->{status}, 200, 'the page is loaded again');
    like(post($visitor, %form)->{url}, qr/order=1\z/, 'the form is posted again');
    like(post($visitor, %form, name => 'Bertha')->{content}, qr/Anna/, 'and changed');
    into_cart($visitor, 5);
    like(post($visitor, %form)->{url}, qr/order=1\z/, 'and with another cart');
    is(mails(), 1, 'still one mail');
    is(page(visitor(), 'page=thanks&order=1')->{status}, 404, 'nobody else sees the order');
    my %next = (%{ hidden_fields(page($visitor, 'page=checkout')->{content}) }, %anna);
    like(post($visitor, %next)->{url}, qr/order=2\z/, 'the next form is the next order');
    is(mails(), 2, 'and its mail');
};

subtest 'at the same moment' => sub {
    my $before = mails();
    my ($one, $two) = (visitor(), visitor());
    my @both = ([$one, order_form($one)], [$two, order_form($two)]);
    my @urls = post_at_once(@both);
    is(scalar(keys %{{ map { $_ => 1 } @urls }}), 2, 'two visitors: two orders') or diag @urls;
    is(mails(), $before + 2, 'two mails');
    my $visitor = visitor();
    my @same = ([$visitor, order_form($visitor)]) x 4;
    @urls = post_at_once(@same);
    is(scalar @urls, 4, 'one form four times: all are answered');
    is(scalar(keys %{{ map { $_ => 1 } @urls }}), 1, 'one order') or diag @urls;
    is(mails(), $before + 3, 'one mail');
};

subtest 'what is not from the shop' => sub {
    my $before  = mails();
    my $visitor = visitor();
    my %form    = order_form($visitor);
    is(post(visitor(), %form)->{status}, 403, 'a form of another visitor');
    is(post($visitor, %form, mark => 'x')->{status}, 403, 'without the mark');
    is(post($visitor, %form, form => 'x' x 40)->{status}, 403, 'a form that is none');
    is(post($visitor, %form, name => "x\r\nBcc: all\@x.test")->{status}, 400, 'more than a line');
    is(post($visitor, %form, name => '')->{status}, 400, 'an empty field');
    is(post($visitor, %form, action => 'nothing')->{status}, 404, 'no such action');
    is(mails(), $before, 'no mail');
};

subtest 'a browser' => sub {
    plan skip_all => 'no chromium' if !defined Browser->program;
    my $before  = mails();
    my $browser = Browser->new;
    $browser->open_page($shop);
    for my $i (1 .. 8) {
        $browser->press("li:nth-child($i) a");
        $browser->back;
    }
    is(mails(), $before, 'looks at pages: no mail');
    $browser->press('li:nth-child(3) a');
    $browser->press;
    $browser->press(q{a[href="?page=checkout"]});
    $browser->fill(%anna);
    $browser->press;
    like($browser->text, qr/Thank you, Anna <b>Müller/, 'orders');
    my $url = $browser->url;
    is(mails(), $before + 1, 'one mail');
    $browser->reload;
    is($browser->url, $url, 'reloads');
    $browser->back;
    $browser->fill(%anna) if $browser->js('!!document.querySelector("[name=name]")');
    $browser->press if $browser->js('!!document.querySelector("form")');
    is(mails(), $before + 1, 'goes back and orders again: still one mail');
};

subtest 'what the pages and the log do not tell' => sub {
    my @leaks = grep { index($_, $SECRET) >= 0 || /password|smtps:|data\/| line [0-9]+\./ } @seen;
    is(scalar @leaks, 0, 'no secret, no path, no reason of an error') or diag $leaks[0];
    unlike($web->errors, qr/\Q$SECRET\E/, 'no secret in the log');
    unlike($web->errors, qr/shop: /, 'and nothing went wrong') or diag $web->errors;
};

subtest 'the mail server is down' => sub {
    $mailbox->stop;
    my $visitor = visitor();
    my $answer  = post($visitor, order_form($visitor));
    like($answer->{content}, qr/Thank you/, 'the order is taken');
    unlike($answer->{content}, qr/smtps|refused|line [0-9]/, 'the visitor is told nothing of it');
    like($web->errors, qr/shop: order [0-9]+: connect with /, 'the log is');
};

done_testing;
