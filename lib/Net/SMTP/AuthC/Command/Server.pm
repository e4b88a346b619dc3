# Server: the test server for people: it says where it is and who may log in, takes mail, and shows it in a browser.
package Net::SMTP::AuthC::Command::Server;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::Sandbox;
use Time::HiRes ();

our @GROUPS = qw(output);
our @OWN    = qw(tls=s certificate=s login=s mechanism=s@ refuse=s@ seconds=s inbox=s);

sub run {
    my ($class, @arguments) = @_;

    my ($option, @rest) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS, @OWN);
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'sandbox takes options only') if @rest;
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new($option);
    my ($user, $password) = ($option->{login} // 'demo', _password());
    my $server = eval { _started($option, $user, $password) } // Net::SMTP::AuthC::Command::Exit->fail(
        usage => $@ =~ s/ at \S+ line [0-9]+\.\n\z//r);
    _announce($terminal, $server, $user, $password, $option->{tls} // 'starttls');
    _wait($terminal, $server, $option->{seconds});
    $server->stop;
    return 'ok';
}

# Of no use elsewhere, and new each time.
sub _password {
    open my $random, '<:raw', '/dev/urandom' or Net::SMTP::AuthC::Command::Exit->fail(system => "/dev/urandom: $!");
    read $random, my $octets, 8;
    return unpack 'H*', $octets;
}

sub _started {
    my ($option, $user, $password) = @_;

    my %refuse = map { /\A([^=]+)=(.+)\z/ ? ($1 => $2) : ($_ => '550 5.1.1 No such user') } @{ $option->{refuse} || [] };
    my @mechanisms = map { uc } map { split /[,\s]+/ } @{ $option->{mechanism} || [] };
    return Net::SMTP::AuthC::Sandbox->new(users => {$user => $password}, refuse => \%refuse,
        inbox => $option->{inbox} // 1, (@mechanisms ? (mechanisms => \@mechanisms) : ()),
        map { defined $option->{$_} ? ($_ => $option->{$_}) : () } qw(tls certificate));
}

sub _announce {
    my ($terminal, $server, $user, $password, $tls) = @_;

    my $url = $server->url . ($tls eq 'none' ? '?tls=none' : '');
    local $| = 1;
    my %fact = (server => $url, user => $user, password => $password, pid => $$,
        ($tls eq 'none' ? () : (ca_file => $server->ca_file)), inbox => $server->inbox_url);
    $terminal->print_json(\%fact) if $terminal->is_json;
    $terminal->say("server:    $url", "user:      $user", "password:  $password",
        map({ "CA file:   $_" } grep { defined } $fact{ca_file}), map({ "inbox:     $_" } grep { defined } $fact{inbox}));
    STDOUT->flush;
    return;
}

# Until somebody ends it, or the time is over; a line for every mail.
sub _wait {
    my ($terminal, $server, $seconds) = @_;

    my $goes_on = 1;
    local @SIG{qw(INT TERM HUP)} = (sub { $goes_on = 0 }) x 3;
    my $end = defined $seconds ? Time::HiRes::time() + $seconds : undef;
    my $seen = 0;
    while ($goes_on && (!defined $end || Time::HiRes::time() < $end)) {
        Time::HiRes::sleep(0.1);
        my @messages = $server->messages;
        $terminal->say(map { 'mail from <' . $_->from . '> to ' . join ', ', map { "<$_>" } $_->to }
            @messages[$seen .. $#messages]);
        STDOUT->flush if @messages > $seen;
        $seen = @messages;
    }
    return;
}

1;
