# RealServers::Dovecot: the submission service of Dovecot 2.4, which binds channels, in a root folder of its own.
package RealServers::Dovecot;
use strict;
use warnings;
use parent 'RealServers';
use RealServers::Sink;

# Debian 12's Dovecot is too old, so dev/test unpacks the next Debian's, with its libraries.
# SMTPC_DOVECOT may name another such folder; / where the system's own Dovecot is one of 2.4.
sub root          { return $ENV{SMTPC_DOVECOT} // '/var/cache/net-smtp-authc/dovecot' }
sub parent_folder { return $_[0]->root . '/tmp' }
sub programs     { return 'chroot' }
sub more_ports   { return 'sink' }
sub logs         { return map { $_[0]->path($_) } qw(dovecot.out dovecot.log sink.out) }
sub server_pids  { return }   # all are our own children

sub missing {
    my ($class) = @_;
    my $reason = $class->SUPER::missing;
    return $reason if defined $reason;
    my $root = $class->root;
    return "no submission service of Dovecot below $root" if !-x "$root/usr/lib/dovecot/submission-login";
    my $words = `chroot '$root' /usr/sbin/dovecot --version 2>&1`;
    return $words =~ /\A2\.[4-9]/ ? undef : "the Dovecot below $root is not 2.4: $words";
}

# What the log says of a login.
sub login_line {
    my ($self, $mechanism, $user) = @_;
    return qr/Logged in: user=<\Q$user\E>, method=\Q$mechanism\E,/;
}

# The folder as Dovecot sees it.
sub inner { return substr $_[0]->folder, length $_[0]->root =~ s{/\z}{}r }

sub set_up {
    my ($self) = @_;
    my (undef, undef, $uid, $gid) = getpwnam 'nobody';
    @{$self}{qw(uid gid)} = ($uid, $gid);
    RealServers::make_folder($self->path($_), 'nobody') for qw(run home);
    RealServers::make_folder($self->path($_)) for qw(mail mail/inbox mail/inbox/new);
    RealServers::write_file($self->path('users'),        $self->password_file, 0644);
    RealServers::write_file($self->path('openssl.cnf'),  $self->openssl_conf,  0644);
    RealServers::write_file($self->path('dovecot.conf'), $self->dovecot_conf, 0644);
    chown $uid, $gid, $self->folder, $self->path('key.pem');
}

sub run {
    my ($self) = @_;
    RealServers::Sink::start($self, $self->port('sink'), $self->path('mail/inbox'));
    local $ENV{OPENSSL_CONF} = $self->inner . '/openssl.cnf';
    $self->spawn($self->path('dovecot.out'), $self->find('chroot'), "--userspec=$self->{uid}:$self->{gid}",
        '--groups=', $self->root, '/usr/sbin/dovecot', '-F', '-c', $self->inner . '/dovecot.conf');
}

# The only way to keep Dovecot from TLS 1.3: start(maximum_version => 'TLSv1.2').
sub openssl_conf {
    my ($self)  = @_;
    my $version = $self->{option}{maximum_version} // 'TLSv1.3';
    return <<"CONF";
openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = limits
[limits]
MaxProtocol = $version
CONF
}

sub dovecot_conf {
    my ($self) = @_;
    my ($D, $uid, $gid) = ($self->inner, @{$self}{qw(uid gid)});
    my ($starttls, $tls, $sink) = map { $self->port($_) } qw(starttls tls sink);
    my $group = getgrgid $gid;
    return <<"CONF";
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = submission
listen = 127.0.0.1
base_dir = $D/run
state_dir = $D/run
log_path = $D/dovecot.log
default_internal_user = nobody
default_internal_group = $group
default_login_user = nobody
first_valid_uid = 1
import_environment {
  OPENSSL_CONF = $D/openssl.cnf
}
ssl = yes
ssl_server_cert_file = $D/cert.pem
ssl_server_key_file = $D/key.pem
ssl_server_ca_file = $D/ca.pem
ssl_server_request_client_cert = yes
ssl_server_require_crl = no
auth_mechanisms = plain login scram-sha-1 scram-sha-256 scram-sha-1-plus scram-sha-256-plus external
auth_ssl_username_from_cert = yes
auth_username_chars =
auth_failure_delay = 0
auth_verbose = yes
mail_driver = maildir
mail_path = $D/home/Maildir
submission_relay_host = 127.0.0.1
submission_relay_port = $sink
passdb static {
  mechanisms_filter = external
  fields {
    nopassword = yes
  }
}
passdb passwd-file {
  passwd_file_path = $D/users
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $D/home
  }
}
service submission-login {
  chroot =
  user = nobody
  inet_listener submission {
    port = $starttls
  }
  inet_listener submissions {
    port = $tls
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
CONF
}

1;
