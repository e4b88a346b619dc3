# Settings: what the configuration comes to, shown without its secrets, and tested.
package Net::SMTP::AuthC::Command::Settings;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Config;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::ServerAddress;
use Net::SMTP::AuthC::TlsOptions;

our @GROUPS = qw(output config);

sub run {
    my ($class, @arguments) = @_;

    my ($option, $what, @rest) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS);
    my $action = {show => \&_show, test => \&_test}->{ $what // '' };
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'config show, or config test') if !$action || @rest;
    my $config   = Net::SMTP::AuthC::Command::Config->load($option->{config});
    $config->account(undef, undef) if !$config->is_there;
    my @accounts = defined $option->{account} ? $config->account($option->{account}) : $config->accounts;
    return $action->(Net::SMTP::AuthC::Command::Terminal->new($option), @accounts);
}

# ---- show ----

# Commands may hold secrets, too.
sub _shown {
    my ($account) = @_;

    my %setting = $account->settings;
    for my $name (grep { length($setting{$_} // '') } qw(password passwordeval)) { $setting{$name} = '***' }
    return \%setting;
}

sub _show {
    my ($terminal, @accounts) = @_;

    my @data = map {
        +{account => $_->name, file => $_->{file}, line => 0 + $_->{line}, settings => _shown($_)}
    } @accounts;
    $terminal->print_json(\@data) if $terminal->is_json;
    for my $one (@data) {
        my $setting = $one->{settings};
        $terminal->say("account $one->{account}    # $one->{file}, line $one->{line}",
            (map { "    $_ $setting->{$_}" } sort keys %$setting), '');
    }
    return 'ok';
}

# ---- test ----

sub _test {
    my ($terminal, @accounts) = @_;

    my @found = map { {account => $_->name, _judged($_)} } @accounts;
    $terminal->print_json(\@found) if $terminal->is_json;
    for my $one (@found) {
        $terminal->say("$one->{account}: " . ($one->{server} // 'of no use'), map { "    $_" } @{ $one->{remarks} });
        $terminal->complain($one->{error}) if defined $one->{error};
    }
    return grep({ defined $_->{error} } @found) ? 'config' : 'ok';
}

# Everything that can be seen without calling anybody or asking for a secret.
sub _judged {
    my ($account) = @_;

    my ($server, %option);
    my $good = eval {
        $server = $account->server;
        Net::SMTP::AuthC::ServerAddress->parse($server);
        %option = $account->connect_options;
        $account->user;
        _try_tls($account, %option);
        1;
    };
    return (server => $server, remarks => [_remarks($account)]) if $good;
    my $died = $@;
    my $text = Net::SMTP::AuthC::Command::Exit->is_error($died) ? $account->place . ': ' . $died->message : "$died";
    return (error => $text, remarks => []);
}

# Reads the files of certificates and keys.
sub _try_tls {
    my ($account, %option) = @_;

    return if !$account->is_on('tls', 0);
    my %tls = map { $_ => $option{$_} } grep { Net::SMTP::AuthC::TlsOptions->is_option($_) } keys %option;
    require Net::SMTP::AuthC;
    my ($demand) = Net::SMTP::AuthC::TlsOptions->of(\%tls, $account->host);
    return Net::SMTP::AuthC::TlsOptions->context($demand);
}

sub _remarks {
    my ($account) = @_;

    my $tls = $account->is_on('tls', 0);
    return (
        $tls ? () : 'tls is off: mails go in clear' . ($account->is_on('auth', 0) ? ', and passwords are not sent at all'
            : ''),
        $tls && !$account->is_on('tls_certcheck', 1) ? 'tls_certcheck is off: anybody can stand between' : (),
        length($account->get('password') // '') ? 'the password stands in the file: passwordeval spares you that' : (),
    );
}

1;
