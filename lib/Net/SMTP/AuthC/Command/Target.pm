# Target: which server, with which options and which login: from the command line, or from an account.
package Net::SMTP::AuthC::Command::Target;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Config;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Secret;
use Net::SMTP::AuthC::ServerAddress;

# $option: what was read; $from: the envelope sender, where it is known, that chooses the account. Asks for no secret.
sub of {
    my ($class, $option, $from) = @_;

    my $self = bless {option => $option}, $class;
    return $self->_of_account($from) if !defined $option->{server};
    Net::SMTP::AuthC::Command::Exit->fail(usage => '--server and --account: give one of them, or the password of the '
        . 'one would go to the other') if defined $option->{account};
    $self->{server} = $option->{server} =~ m{\A[a-z+]+://}i ? $option->{server} : "smtps://$option->{server}";
    @$self{qw(user host)} = ($option->{user}, $class->_host_of($self->{server}));
    $self->{connect} = {Net::SMTP::AuthC::Command::Options->connect_options($option)};
    return $self;
}

sub _host_of {
    my ($class, $server) = @_;

    return undef if $server =~ m{\A[a-z]+\+unix:}i;
    return Net::SMTP::AuthC::ServerAddress->parse($server)->{host};
}

sub _of_account {
    my ($self, $from) = @_;

    my $option  = $self->{option};
    my $account = Net::SMTP::AuthC::Command::Config->load($option->{config})->account($option->{account}, $from);
    my %given   = $account->connect_options;
    my %own     = Net::SMTP::AuthC::Command::Options->connect_options($option);
    delete @given{qw(fingerprint ca_path ca_file)} if grep { exists $own{$_} } qw(fingerprint ca_path ca_file);
    @$self{qw(account server host)} = ($account, $account->server, $account->host);
    $self->{user}    = $option->{user} // $account->user;
    $self->{connect} = {%given, %own};
    return $self;
}

sub account { return $_[0]{account} }
sub server  { return $_[0]{server} }

# The server as people write it, without whatever stands before its "@".
sub shown { return $_[0]{server} =~ s{\A([a-z+]+://)[^/?#]*@}{$1}r }

# Nobody to blame but the configuration, where there is one.
sub blame { return $_[0]{account} ? 'config' : 'usage' }

# The options of connect with the login among them.
sub connect_options {
    my ($self) = @_;

    my ($option, $account, $host) = @$self{qw(option account host)};
    my %about = (user => $self->{user}, host => $host, account => $account && $account->name,
        configured => [$account ? $account->secrets : ()]);
    my $needs_none = grep { /\A(?:EXTERNAL|ANONYMOUS)\z/ } map { ref ? @$_ : $_ } $self->{connect}{mechanism} // ();
    my $secret = Net::SMTP::AuthC::Command::Secret->find($option, $needs_none ? {} : \%about);
    my $user   = $self->{user} // $about{user};
    return (%{ $self->{connect} }, (defined $user ? (username => $user) : ())) if $needs_none && !defined $secret;
    return %{ $self->{connect} } if !defined $user && !defined $secret;
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'a password without --user') if !defined $user;
    Net::SMTP::AuthC::Command::Exit->fail(config => "no password for $user at " . ($host // 'this server') . '; '
        . Net::SMTP::AuthC::Command::Secret->ways) if !defined $secret;
    my $kind = $option->{oauth} || $account && $account->wants_token ? 'oauth_token' : 'password';
    return (%{ $self->{connect} }, username => $user, $kind => $secret);
}

1;
