# Version: which this is, and what it stands on.
package Net::SMTP::AuthC::Command::Version;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Terminal;

our @GROUPS = qw(output);

sub run {
    my ($class, @arguments) = @_;

    my ($option) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS);
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new($option);
    my %fact = (version => "$Net::SMTP::AuthC::VERSION", perl => sprintf('%vd', $^V), os => $^O);
    $terminal->print_json(\%fact) if $terminal->is_json;
    $terminal->say("smtpauthc $fact{version} (perl $fact{perl} on $fact{os})");
    return 'ok';
}

1;
