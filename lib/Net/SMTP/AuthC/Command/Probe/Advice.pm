# Advice: a server that works, as Perl code, as an account of msmtprc, as Email::Sender's environment.
package Net::SMTP::AuthC::Command::Probe::Advice;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::ServerAddress;

sub forms { return qw(perl msmtprc email-sender) }

# $found: server, and user and ca_file where they are known.
sub of {
    my ($class, $form, $found) = @_;

    my $how = {perl => \&_perl, msmtprc => \&_msmtprc, 'email-sender' => \&_environment}->{$form};
    my $place = Net::SMTP::AuthC::ServerAddress->parse($found->{server});
    return $how->({%$found, %$place, user => $found->{user} // 'USER'});
}

# In single quotes, for Perl.
sub _quoted { return q{'} . $_[0] =~ s/([\\'])/\\$1/gr . q{'} }

# For a shell, where it needs it.
sub _word { return $_[0] =~ m{[^\w\@%+=:,./-]} ? q{'} . $_[0] =~ s/'/'\\''/gr . q{'} : $_[0] }

sub _perl {
    my ($found) = @_;

    my $ca = defined $found->{ca_file} ? ",\n    ca_file  => " . _quoted($found->{ca_file}) : '';
    return <<"PERL";
my \$smtp = Net::SMTP::AuthC->connect(@{[_quoted($found->{server})]},
    username => @{[_quoted($found->{user})]},
    password => \$password$ca,
);
PERL
}

sub _msmtprc {
    my ($found) = @_;

    my $starttls = $found->{tls} eq 'implicit' ? 'off' : 'on';
    my $ca = defined $found->{ca_file} ? "tls_trust_file $found->{ca_file}\n" : '';
    return <<"RC";
account default
host $found->{host}
port $found->{port}
tls on
tls_starttls $starttls
${ca}auth on
user $found->{user}
passwordeval COMMAND THAT PRINTS THE PASSWORD
RC
}

sub _environment {
    my ($found) = @_;

    my %set = (host => $found->{host}, port => $found->{port}, ssl => $found->{tls} eq 'implicit' ? 'ssl' : 'starttls',
        sasl_username => $found->{user}, (defined $found->{ca_file} ? (ssl_options => "ca_file=$found->{ca_file}") : ()));
    return join '', "EMAIL_SENDER_TRANSPORT=AuthC\n",
        map { "EMAIL_SENDER_TRANSPORT_$_=" . _word($set{$_}) . "\n" } sort keys %set;
}

1;
