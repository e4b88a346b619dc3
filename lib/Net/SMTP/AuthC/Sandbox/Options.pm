# The options of a sandbox: which there are, what they are when not given, and what is wrong with those that were.
package Net::SMTP::AuthC::Sandbox::Options;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Certificates;
use Net::SMTP::AuthC::Sandbox::Extensions;
use Net::SMTP::AuthC::Sandbox::Faults;
use Net::SMTP::AuthC::Sandbox::Mechanisms;

my %default = (
    users => undef, tls => 'starttls', mechanisms => undef, keywords => undef, certificate => 'good',
    require_auth => undef, require_tls => 0, auth_without_tls => undef, legacy_plain => 0, damaged_challenge => 0,
    greeting => undef, name => 'sandbox.example.test', refuse => undef, size_limit => undef, client_ca => undef,
    listen_ipv6 => 0, ehlo_raw => undef, faults => undef, timeout => 300, keep_input_behind_starttls => 0,
    oauth_tokens => undef, scram_iterations => 4096, scram_signature => '334',
    extensions => undef, lmtp => 0, path => undef, max_messages => undef, max_recipients => undef,
    max_domains => undef, inbox => 0,
);
my @extensions = qw(PIPELINING 8BITMIME ENHANCEDSTATUSCODES SMTPUTF8 DSN CHUNKING BINARYMIME);

# Dies with the complaint alone; the caller says whose line it was.
sub complete {
    my (%given) = @_;
    for my $name (sort keys %given) {
        die { complaint => "unknown option '$name'" } unless exists $default{$name};
    }
    my %option = (%default, map { $_ => $given{$_} } grep { defined $given{$_} } keys %given);
    my $complaint = _complaint(\%option);
    die { complaint => $complaint } if defined $complaint;
    _fill_in(\%option);
    return \%option;
}

sub _complaint {
    my ($option) = @_;
    return "tls is 'starttls', 'implicit' or 'none'" unless $option->{tls} =~ /\A(?:starttls|implicit|none)\z/;
    return "unknown certificate '$option->{certificate}'"
        unless Net::SMTP::AuthC::Sandbox::Certificates::knows($option->{certificate});
    for my $name (qw(users refuse oauth_tokens)) {
        return "$name must be a hash" if defined $option->{$name} && ref $option->{$name} ne 'HASH';
    }
    for my $name (qw(mechanisms keywords extensions faults)) {
        return "$name must be a list" if defined $option->{$name} && ref $option->{$name} ne 'ARRAY';
    }
    for my $name (qw(max_messages max_recipients max_domains)) {
        return "$name is a number from 1" if defined $option->{$name} && $option->{$name} !~ /\A[1-9][0-9]*\z/;
    }
    return 'inbox is 0, 1, or a port' unless $option->{inbox} =~ /\A[0-9]{1,5}\z/ && $option->{inbox} < 65536;
    return 'scram_iterations is a number from 1' unless $option->{scram_iterations} =~ /\A[1-9][0-9]{0,9}\z/;
    return "scram_signature is '334', '235' or '235 2.7.0'"
        unless $option->{scram_signature} =~ /\A(?:334|235|235 2\.7\.0)\z/;
    my %known = map { $_ => 1 } Net::SMTP::AuthC::Sandbox::Mechanisms::names();
    my ($odd) = grep { !$known{ uc $_ } } @{ $option->{mechanisms} || [] };
    return "unknown mechanism '$odd'" if defined $odd;
    return Net::SMTP::AuthC::Sandbox::Faults::complaint($option->{faults} || []);
}

sub _fill_in {
    my ($option) = @_;
    for my $secrets (@$option{qw(users oauth_tokens)}) {
        $secrets = { map { (_octets($_) => _octets($secrets->{$_})) } keys %{ $secrets || {} } };
    }
    my %users = %{ $option->{users} };
    $option->{faults} ||= [];
    $option->{mechanisms} ||= %users ? [qw(PLAIN LOGIN CRAM-MD5)] : [];
    my $refuse = $option->{refuse} || {};
    $option->{refuse} = { map { (lc _octets($_) => $refuse->{$_}) } keys %$refuse };
    $option->{require_auth} = %users || %{ $option->{oauth_tokens} } ? 1 : 0 unless defined $option->{require_auth};
    $option->{auth_without_tls} = $option->{tls} eq 'none' unless defined $option->{auth_without_tls};
    _fill_in_words($option);
    return;
}

sub _fill_in_words {
    my ($option) = @_;
    my $limit = defined $option->{size_limit} ? $option->{size_limit} : 10_485_760;
    $option->{keywords} ||= [ $extensions[0], "SIZE $limit", @extensions[ 1 .. $#extensions ] ];
    $option->{keywords} = [ @{ $option->{keywords} }, @{ $option->{extensions} || [] } ];
    my $raw = $option->{ehlo_raw};
    my @lines = defined $raw ? $raw =~ /^250[- ]([^\r\n]*)/mg : @{ $option->{keywords} };
    $option->{announced} = { map { /\A([A-Za-z0-9-]+) *(.*)/ ? (uc $1 => $2) : () } @lines };
    $option->{keyword} = { map { $_ => 1 } keys %{ $option->{announced} } };
    _fill_in_limits($option);
    $option->{keyword}{AUTH} = 1 if @{ $option->{mechanisms} };
    ($limit) = map { /\ASIZE ([0-9]+)/i ? $1 : () } @lines unless defined $option->{size_limit};
    $option->{size_limit} = $limit;
    my $greeting = defined $option->{greeting} ? $option->{greeting} : "$option->{name} ESMTP sandbox";
    $option->{greeting} = $greeting =~ /\A[0-9]{3}/ ? $greeting : "220 $greeting";
    return;
}

# What is announced is kept, unless other numbers are given.
sub _fill_in_limits {
    my ($option) = @_;
    my %limit = Net::SMTP::AuthC::Sandbox::Extensions::limits($option->{announced}{LIMITS});
    my %name = (max_messages => 'MAILMAX', max_recipients => 'RCPTMAX', max_domains => 'RCPTDOMAINMAX');
    for (grep { !defined $option->{$_} } keys %name) { $option->{$_} = $limit{ $name{$_} } }
    return;
}

# User names, passwords, tokens and addresses are character strings, on the wire they are UTF-8.
sub _octets {
    my ($text) = @_;
    utf8::encode($text);
    return $text;
}

1;
