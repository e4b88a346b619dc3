# send_mail in a CGI program: not while a file is being loaded, and not for longer than a visitor waits.
# valgrind: no
use strict;
use warnings;
use File::Temp;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
my $url    = 'smtp://localhost:' . $server->port . '?tls=none';
my $folder = File::Temp->newdir;
my $send   = "Net::SMTP::AuthC->send_mail(server => '$url', from => 'a\@x.test', to => 'c\@x.test', text => 'x'";

# Each in a perl of its own, as a web server runs a program: $file is loaded by it, what it prints is returned.
sub page {
    my ($file, $program, %env) = @_;
    write_file("$folder/mail-lib.pl", $file);
    write_file("$folder/MailLib.pm", $file);
    write_file("$folder/page.pl", qq{use strict; use warnings; use lib '$folder';\n$program\n});
    local %ENV = (%ENV, %env);
    $server->clear;
    open my $perl, '-|', "$^X @{[map { qq{-I'$_'} } @INC]} '$folder/page.pl' 2>&1" or die "perl: $!";
    return join '', <$perl>;
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
}

my @cgi     = (GATEWAY_INTERFACE => 'CGI/1.1');
my $at_load = "use Net::SMTP::AuthC; $send); 1;";
my $in_sub  = "use Net::SMTP::AuthC; sub notify { $send, \@_) } 1;";

delete $ENV{GATEWAY_INTERFACE};
for my $how ("require '$folder/mail-lib.pl';", "do '$folder/mail-lib.pl' or die \$\@;", 'use MailLib;', 'require MailLib;',
    "eval { require '$folder/mail-lib.pl'; 1 } or print \$\@;") {
    my $said = page($at_load, $how, @cgi);
    my ($name) = $how =~ /(mail-lib\.pl)/ ? $1 : 'MailLib.pm';
    like($said, qr{\Asend_mail was called while \Q$folder/$name\E was still being loaded}, "$how is refused, and names the file");
    like($said, qr{call it from a sub.*allow_at_load => 1.* at \Q$folder/$name\E line 1\.$}m, 'with the cure and the place');
    is($server->sessions, 0, 'nobody was called');
}
is(page($at_load, "require '$folder/mail-lib.pl';"), '', 'outside a CGI program nothing is said');
is($server->messages, 1, 'and the mail is sent');
is(page($at_load =~ s/\);/, allow_at_load => 1);/r, "require '$folder/mail-lib.pl';", @cgi), '', 'allow_at_load');
is($server->messages, 1, 'sends');
is(page($in_sub, "require '$folder/mail-lib.pl'; notify();", @cgi), '', 'from a sub, when all is loaded');
is($server->messages, 1, 'it is sent');
is(page($in_sub, "require '$folder/mail-lib.pl'; eval 'notify(); 1' or die;", @cgi), '', 'eval of a string loads no file');
is($server->messages, 1, 'it is sent');
is(page($in_sub, "require '$folder/mail-lib.pl';", @cgi), '', 'a page that sends nothing');
is($server->sessions, 0, 'calls nobody');

subtest 'the deadline' => sub {
    my %seen;
    no warnings 'redefine';
    Net::SMTP::AuthC->can('connect') && eval { Net::SMTP::AuthC->connect('') };    # its file is loaded
    local *Net::SMTP::AuthC::connect = sub { my ($class, $to, %given) = @_; %seen = %given; die "seen\n" };
    my @mail = (server => $url, from => 'a@x.test', to => 'c@x.test', text => 'x');
    eval { Net::SMTP::AuthC->send_mail(@mail) };
    is($seen{deadline}, undef, 'none outside CGI');
    local $ENV{GATEWAY_INTERFACE} = 'CGI/1.1';
    for (['30 seconds', 30], ['as given', 7, deadline => 7], ['0 is none', 0, deadline => 0]) {
        my ($name, $expected, @given) = @$_;
        eval { Net::SMTP::AuthC->send_mail(@mail, @given) };
        is($seen{deadline}, $expected, $name);
        is($@, "seen\n", 'no other error');
    }
};

done_testing;
