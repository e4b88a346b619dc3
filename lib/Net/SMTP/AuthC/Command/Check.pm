# Check: a connection as far as the login, and no mail: what the server is, offers and says.
package Net::SMTP::AuthC::Command::Check;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Report;
use Net::SMTP::AuthC::Command::Target;
use Net::SMTP::AuthC::Command::Terminal;
use Time::HiRes ();

our @GROUPS = qw(output limits config secret server tls);

sub run {
    my ($class, @arguments) = @_;

    my ($option, @rest) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS);
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'check takes options, or one server') if @rest > 1;
    $option->{server} //= $rest[0] if @rest;
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new($option);
    my $target   = Net::SMTP::AuthC::Command::Target->of($option);
    my ($name, $facts, $error) = $class->tried($target, $option, $terminal);
    $terminal->print_json($facts) if $terminal->is_json;
    $terminal->say(_lines($facts)) if !$error;
    $terminal->complain($error->message) if $error && !$terminal->is_json;
    return $name;
}

# What to end with, what was found, and the error, if there was one.
sub tried {
    my ($class, $target, $option, $terminal) = @_;

    my %connect = ($target->connect_options, deadline => $option->{deadline},
        transcript => $terminal->is_json || $terminal->is_quiet ? undef : $terminal->watcher(\*STDOUT));
    my $began = Time::HiRes::time();
    $terminal->begin('connecting to ' . $target->shown);
    my ($facts, $name) = ({server => $target->shown}, 'ok');
    my $good  = eval {
        my $smtp = Net::SMTP::AuthC->connect($target->server, %connect);
        $facts = {%$facts, _facts($smtp)};
        $smtp->_say_farewell;
        1;
    };
    my $error = $good ? undef : $@;
    $terminal->end;
    die $error if $error && !Net::SMTP::AuthC::Command::Exit->is_error($error);
    $name = Net::SMTP::AuthC::Command::Exit->of($error, $target->blame) if $error;
    $facts->{seconds} = 0 + sprintf '%.3f', Time::HiRes::time() - $began;
    my $report = Net::SMTP::AuthC::Command::Report->new(name => $name, error => $error)->as_data;
    return ($name, {%$facts, %$report}, $error);
}

sub _facts {
    my ($smtp) = @_;

    my %offered = $smtp->_capabilities;
    return (
        greeting => ($smtp->banner // '') =~ s/\s+\z//r, offers => \%offered,
        tls => Net::SMTP::AuthC::Command::Report::facts($smtp->tls || undef), mechanism => $smtp->mechanism || undef,
    );
}

sub _lines {
    my ($facts) = @_;

    my ($tls, $offers) = @$facts{qw(tls offers)};
    return (
        '', "server:    $facts->{server}",
        'tls:       ' . ($tls ? join ', ', grep { defined } @$tls{qw(version cipher)},
            $tls->{verified} ? 'verified' : 'NOT VERIFIED' : 'none, all of this was said in clear'),
        ($tls && $tls->{subject} ? "subject:   $tls->{subject}" : ()),
        ($tls && $tls->{issuer}  ? "issuer:    $tls->{issuer}" : ()),
        ($tls && $tls->{not_after} ? "until:     $tls->{not_after}" : ()),
        'login:     ' . ($facts->{mechanism} ? "good, by $facts->{mechanism}" : 'none was tried'),
        'offers:    ' . join(', ', map { join ' ', $_, grep { length } $offers->{$_} } sort keys %$offers),
        "seconds:   $facts->{seconds}",
    );
}

1;
