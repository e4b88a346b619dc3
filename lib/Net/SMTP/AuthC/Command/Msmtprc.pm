# Msmtprc: reads a configuration in msmtprc's syntax: defaults, accounts, inheritance; a fault names file and line.
package Net::SMTP::AuthC::Command::Msmtprc;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;

# Every command, and who reads its argument; '' sets it back.
my %reader = (
    (map { $_ => \&_text } qw(host proxy_host socket domain user password passwordeval tls_host_override from
        from_full_name maildomain logfile_time_format)),
    (map { $_ => \&_path } qw(tls_trust_file tls_crl_file tls_key_file tls_cert_file logfile aliases)),
    (map { $_ => \&_switch } qw(tls tls_starttls tls_certcheck auto_from allow_from_override remove_bcc_headers
        undisclosed_recipients)),
    (map { $_ => _one_of(qw(auto off)) } qw(set_date_header set_msgid_header)),
    (map { $_ => _number(1, 65535) } qw(port proxy_port)),
    auth            => \&_auth,
    timeout         => _number(1, 1e9, 'off'),
    protocol        => _one_of(qw(smtp lmtp)),
    source_ip       => \&_address,
    set_from_header => _one_of(qw(auto on off)),
    tls_fingerprint => \&_fingerprint,
    dsn_notify      => \&_notify,
    dsn_return      => _one_of(qw(off headers hdrs full)),
    syslog          => \&_syslog,
);

# Older names: the command they stand for, and what their on and off say there.
my %older = (
    add_missing_from_header => [set_from_header    => {1 => 'auto', 0 => 'off'}],
    add_missing_date_header => [set_date_header    => {1 => 'auto', 0 => 'off'}],
    keepbcc                 => [remove_bcc_headers => {1 => 0, 0 => 1}],
);

my %refused = (
    ntlmdomain            => 'NTLM is not spoken here',
    tls_priorities        => q{it is GnuTLS's language; OpenSSL chooses well, and openssl.cnf can be told otherwise},
    tls_min_dh_prime_bits => 'OpenSSL decides that',
);

# What a command runs its own commands by; the tests need none.
sub new {
    my ($class, %with) = @_;

    return bless {run => $with{run}, home => $with{home} // $ENV{HOME} // ''}, $class;
}

# The accounts in their order: hashes of name, file, line, and set: command => {value, line, said}.
sub parse {
    my ($self, $file, $text) = @_;

    my %at = (file => $file, line => 0, defaults => {}, accounts => [], by_name => {});
    for my $line (split /\n/, $text, -1) {
        $at{line}++;
        my ($command, $argument) = $self->_words(\%at, $line) or next;
        if    ($command eq 'defaults') { _defaults(\%at, $argument) }
        elsif ($command eq 'account')  { _account(\%at, $argument) }
        else                           { $self->_set(\%at, $command, $argument) }
    }
    return @{ $at{accounts} };
}

sub _fail {
    my ($at, $text) = @_;

    return Net::SMTP::AuthC::Command::Exit->fail(config => "$at->{file}, line $at->{line}: $text");
}

sub _words {
    my ($self, $at, $line) = @_;

    $line =~ s/\A\s+|\s+\z//g;
    return if $line eq '' || $line =~ /\A#/;
    _fail($at, 'a NUL') if $line =~ /\0/;
    my ($command, $argument) = split /\s+/, $line, 2;
    $argument //= '';
    $argument = $1 if $argument =~ /\A"(.*)"\z/;
    return ($command, $argument) if $command ne 'eval';
    return $self->_words($at, $self->_evaluated($at, $argument));
}

sub _evaluated {
    my ($self, $at, $command) = @_;

    _fail($at, 'eval: the command is missing') if $command eq '';
    _fail($at, 'eval: no commands are run here') if !$self->{run};
    my $line = $self->{run}->("$at->{file}, line $at->{line}: eval", $command);
    _fail($at, 'eval: what it gives is an eval itself') if $line =~ /\A\s*eval(?:\s|\z)/;
    return $line;
}

sub _defaults {
    my ($at, $argument) = @_;

    _fail($at, 'defaults takes no argument') if $argument ne '';
    $at->{set} = $at->{defaults};
    return;
}

# "name", or "name : base, base", of accounts that stand above.
sub _account {
    my ($at, $argument) = @_;

    my ($name, $bases) = $argument =~ /\A([^\s:,]+)\s*(?::\s*(.*))?\z/
        or _fail($at, 'account: it looks like "account name" or "account name : base"');
    _fail($at, "account $name is there already") if $at->{by_name}{$name};
    my %set = %{ $at->{defaults} };
    for my $base (split /\s*,\s*/, $bases // '') {
        my $above = $at->{by_name}{$base} // _fail($at, "there is no account $base above");
        %set = (%set, %{ $above->{set} });
    }
    return _begin($at, $name, \%set);
}

sub _begin {
    my ($at, $name, $set) = @_;

    my $account = {name => $name, file => $at->{file}, line => $at->{line}, set => $set};
    push @{ $at->{accounts} }, $account;
    $at->{by_name}{$name} = $account;
    $at->{set} = $set;
    return;
}

# What stands before the first account is the account named default.
sub _set {
    my ($self, $at, $command, $argument) = @_;

    _fail($at, "$command is not supported: $refused{$command}") if $refused{$command};
    my ($name, $meaning) = $older{$command} ? @{ $older{$command} } : $command;
    my $read = $meaning ? \&_switch : $reader{$command} // _fail($at, qq{unknown command "$command"});
    _begin($at, default => {}) if !$at->{set};
    my $value = $read->($self, $argument, sub { _fail($at, "$command: $_[0]") });
    $value = $meaning->{$value} if $meaning;
    $at->{set}{$name} = {value => $value, line => $at->{line}, said => $meaning ? $value : $argument};
    return;
}

# ---- readers: the argument, and a sub to complain with ----

sub _text { return $_[1] }

sub _path {
    my ($self, $path) = @_;

    return $path =~ s{\A~(?=/|\z)}{$self->{home}}r;
}

sub _switch {
    my ($self, $word, $complain) = @_;

    return $word =~ /\A(?:on)?\z/ ? 1 : $word eq 'off' ? 0 : $complain->('on or off');
}

sub _one_of {
    my @words = @_;

    my %is = map { $_ => 1 } @words;
    return sub {
        my ($self, $word, $complain) = @_;
        $word = $words[0] if $word eq '' && $words[0] eq 'auto';
        return $is{$word} ? $word : $complain->('one of ' . join ', ', @words);
    };
}

sub _number {
    my ($least, $most, $none) = @_;

    return sub {
        my ($self, $number, $complain) = @_;
        return '' if $number eq '' || defined $none && $number eq $none;
        return $number if $number =~ /\A[0-9]{1,10}\z/ && $number >= $least && $number <= $most;
        return $complain->("a number from $least to $most");
    };
}

sub _address {
    my ($self, $address, $complain) = @_;

    return $address if $address =~ /\A[0-9A-Fa-f:.]*\z/;
    return $complain->('an IP address');
}

my %is_method = map { $_ => 1 } qw(plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-512 oauthbearer xoauth2
    external), map { "scram-sha-$_-plus" } 1, 256, 512;

sub _auth {
    my ($self, $word, $complain) = @_;

    my $method = lc $word;
    return $method eq 'off' ? 0 : 1 if $method =~ /\A(?:on|off)?\z/;
    $complain->(uc($method) . ' is not spoken here; leave the method out (auth on)')
        if $method =~ /\A(?:ntlm|digest-md5|gssapi)\z/;
    return $is_method{$method} ? uc $method : $complain->('on, off, or the name of a mechanism');
}

sub _fingerprint {
    my ($self, $text, $complain) = @_;

    my $hex = lc($text =~ tr/://dr);
    $complain->('only SHA-256 counts, MD5 and SHA-1 can be forged') if $hex =~ /\A(?:[0-9a-f]{32}|[0-9a-f]{40})\z/;
    return $hex =~ /\A(?:[0-9a-f]{64})?\z/ ? $hex : $complain->('64 hexadecimal digits of SHA-256');
}

sub _notify {
    my ($self, $words, $complain) = @_;

    return $words if $words =~ /\A(?:off|never|(?:success|failure|delay)(?:,(?:success|failure|delay))*)\z/;
    return $complain->('off, never, or some of success,failure,delay');
}

sub _syslog {
    my ($self, $word, $complain) = @_;

    return $word eq 'off' ? '' : 'LOG_USER' if $word =~ /\A(?:on|off)?\z/;
    return $word =~ /\ALOG_(?:USER|MAIL|LOCAL[0-7])\z/ ? $word : $complain->('on, off, or a facility');
}

1;
