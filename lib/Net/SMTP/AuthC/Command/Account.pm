# Account: one account of a configuration: whom it is for, and its settings as connect and submit want them.
package Net::SMTP::AuthC::Command::Account;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;

# A hash of name, file, line and set, as Msmtprc gives it.
sub new {
    my ($class, $parsed) = @_;

    return bless $parsed, $class;
}

sub name  { return $_[0]{name} }
sub place { return "$_[0]{file}, line $_[0]{line}, account $_[0]{name}" }

# A setting, or undef where it was not made, or set back.
sub get {
    my ($self, $command) = @_;

    my $value = ($self->{set}{$command} || {})->{value};
    return length($value // '') && $value ne 'off' ? $value : undef;
}

sub is_on {
    my ($self, $command, $usual) = @_;

    my $set = $self->{set}{$command} or return $usual;
    return $set->{value} && $set->{value} ne 'off' ? 1 : 0;
}

# As they stand in the file.
sub settings { return map { $_ => $_[0]{set}{$_}{said} } sort keys %{ $_[0]{set} } }

sub _fail {
    my ($self, $text) = @_;

    return Net::SMTP::AuthC::Command::Exit->fail(config => $self->place . ": $text");
}

# ---- the sender ----

# Its "from" may be a pattern of the shell's, and "name+detail@" is "name@".
sub fits {
    my ($self, $address) = @_;

    my $from = $self->_from // return 0;
    my $plain = $address =~ s/\A([^+\@]+)\+[^@]*\@/$1\@/r;
    return (grep { lc eq lc $from } $address, $plain) ? 1 : 0 if !_is_pattern($from);
    my $pattern = _pattern($from);
    return $address =~ /\A$pattern\z/i ? 1 : 0;
}

sub _is_pattern { return $_[0] =~ /[*?\[]/ ? 1 : 0 }

sub _pattern {
    my ($glob) = @_;

    my %meaning = ('*' => '.*', '?' => '.');
    return $glob =~ s{(\[!?[^\[\]]+\])|(.)}{
        defined $1 ? $1 =~ s/\A\[!/[^/r =~ s/\\/\\\\/gr : $meaning{$2} // quotemeta $2 }gesr;
}

# The envelope sender of mails that name none; a pattern is none.
sub sender {
    my ($self) = @_;

    my $from = $self->_from;
    return defined $from && !_is_pattern($from) ? $from : undef;
}

sub _from {
    my ($self) = @_;

    return $self->_filled_in($self->get('from')) if !$self->is_on('auto_from', 0);
    my $domain = $self->get('maildomain');
    return _user() . (defined $domain ? "\@$domain" : '');
}

sub _user { return $ENV{USER} // $ENV{LOGNAME} // (getpwuid $<)[0] // 'nobody' }

sub _filled_in {
    my ($self, $text) = @_;

    return $text if !defined $text || $text !~ /%[UHCM]/;
    my %is = (U => \&_user, H => \&_host, C => \&_canonical_host, M => \&_mail_name);
    return $text =~ s/%([UHCM])/$is{$1}->()/ger;
}

sub _host {
    require Sys::Hostname;
    return $ENV{HOSTNAME} // Sys::Hostname::hostname();
}

sub _canonical_host { return (gethostbyname _host())[0] // _host() }

sub _mail_name {
    open my $file, '<', '/etc/mailname' or return _host();
    return (readline($file) // '') =~ s/\s+\z//r;
}

# ---- for connect ----

# The server's address as connect takes it.
sub server {
    my ($self) = @_;

    my $lmtp   = ($self->get('protocol') // '') eq 'lmtp';
    my $socket = $self->get('socket');
    return 'lmtp+unix://' . $socket if $lmtp && defined $socket;
    $self->_fail('socket works with protocol lmtp only') if defined $socket;
    my $host  = $self->get('host') // $self->_fail('there is no host');
    my $tls   = $self->is_on('tls', 0);
    my $early = $tls && !$self->is_on('tls_starttls', 1);
    my $port  = $self->get('port') // ($lmtp ? 24 : $early ? 465 : 25);
    $host = "[$host]" if $host =~ /:/;
    return "lmtp://$host:$port" if $lmtp;
    return $early ? "smtps://$host:$port" : "smtp://$host:$port?tls=" . ($tls ? 'required' : 'none');
}

sub host { return $_[0]->get('host') }

# The user, where there is a login at all.
sub user {
    my ($self) = @_;

    return undef if !$self->is_on('auth', 0);
    my $user = $self->get('user');
    $self->_fail('auth is on, and there is no user') if !defined $user && $self->get('auth') ne 'EXTERNAL';
    return $user;
}

# Where its secret is, in the order to look.
sub secrets {
    my ($self) = @_;

    return (sub { $self->get('password') }, sub {
        my $command = $self->get('passwordeval') // return;
        require Net::SMTP::AuthC::Command::Run;
        return Net::SMTP::AuthC::Command::Run->first_line($self->place . ': passwordeval', $command);
    });
}

sub wants_token { return ($_[0]->get('auth') // '') =~ /\A(?:OAUTHBEARER|XOAUTH2)\z/ ? 1 : 0 }

my %option_of = (timeout => 'timeout', source_ip => 'local_address', tls_crl_file => 'crl_file',
    tls_key_file => 'key_file', tls_cert_file => 'certificate_file', tls_host_override => 'tls_name');

sub connect_options {
    my ($self) = @_;

    my %given = map { $option_of{$_} => $self->get($_) } grep { defined $self->get($_) } keys %option_of;
    $given{hello} = $self->_filled_in($self->get('domain')) if defined $self->get('domain');
    my $method = $self->get('auth') // '';
    $given{mechanism} = $method if $method =~ /[A-Z]/;
    $given{insecure_no_verify} = 1 if !$self->is_on('tls_certcheck', 1);
    my $proxy = $self->get('proxy_host');
    $given{proxy} = 'socks5h://' . ($proxy =~ /:/ ? "[$proxy]" : $proxy) . ':' . ($self->get('proxy_port') // 1080)
        if defined $proxy;
    return (%given, $self->_trust);
}

# With a fingerprint only that certificate counts: no authority does.
sub _trust {
    my ($self) = @_;

    my $fingerprint = $self->get('tls_fingerprint');
    return (fingerprint => "sha256\$$fingerprint", ca_path => $self->_empty_folder) if defined $fingerprint;
    my $file = $self->get('tls_trust_file');
    $self->_fail('tls_trust_file: with no authorities a tls_fingerprint is needed')
        if !defined $file && exists $self->{set}{tls_trust_file} && $self->is_on('tls_certcheck', 1);
    return defined $file && $file ne 'system' ? (ca_file => $file) : ();
}

sub _empty_folder {
    my ($self) = @_;

    require File::Temp;
    return '' . ($self->{empty} ||= File::Temp->newdir('smtpauthc-XXXXXXXX', TMPDIR => 1));
}

1;
