# RealServers::Postfix: Postfix from the system's packages, logins by Dovecot or Cyrus SASL, mail into a Maildir.
package RealServers::Postfix;
use strict;
use warnings;
use parent 'RealServers';
use RealServers::Tokens;

sub programs { return qw(postfix dovecot) }
sub logs     { return map { $_[0]->path($_) } qw(dovecot.log postfix.log) }

# port('cyrus') is like 'starttls', but Cyrus SASL checks the logins, where has_cyrus.
sub more_ports { return qw(cyrus) }
# Debian's Postfix looks for Cyrus' configuration in the folder sasl beside main.cf, whatever cyrus_sasl_config_path
# says.
sub sasl_folder { return 'etc/sasl' }

# What the log says of a login.
sub login_line {
    my ($self, $mechanism, $user) = @_;
    return qr/sasl_method=\Q$mechanism\E, sasl_username=\Q$user\E(?:\@localhost)?$/m;
}

sub set_up {
    my ($self) = @_;
    RealServers::make_folder($self->path($_))             for qw(etc spool sasl run);
    RealServers::make_folder($self->path('data'), 'postfix');
    RealServers::make_folder($self->path('mail'), 'mail');
    RealServers::write_file($self->path('users'), $self->password_file, 0644);
    RealServers::Tokens::write_key($self->path('keys'));
    RealServers::write_file($self->path('oauth2.conf'),   $self->oauth2_conf, 0644);
    $self->make_sasldb('smtpd', (getpwnam 'postfix')[2, 3]) if $self->has_cyrus;
    RealServers::write_file($self->path('dovecot.conf'),  $self->dovecot_conf);
    RealServers::write_file($self->path('etc/main.cf'),   $self->main_cf);
    RealServers::write_file($self->path('etc/master.cf'), $self->master_cf);
}

sub run {
    my ($self) = @_;
    $self->spawn($self->path('dovecot.log'), $self->find('dovecot'), '-F', '-c', $self->path('dovecot.conf'));
    $self->run_command($self->find('postfix'), '-c', $self->path('etc'), 'start');
}

sub server_pids {
    my ($self) = @_;
    return RealServers::slurp($self->path('spool/pid/master.pid')) =~ /(\d+)/ ? $1 : ();
}

# A configuration that Dovecot dislikes shows as an EHLO that hangs: then read dovecot.log.
sub dovecot_conf {
    my ($self) = @_;
    my ($D, $mail) = ($self->folder, (getpwnam 'mail')[2]);
    return <<"CONF";
protocols =
base_dir = $D/run
state_dir = $D/run
log_path = $D/dovecot.log
ssl = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2 anonymous
auth_username_chars =
auth_failure_delay = 0
auth_verbose = yes
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = $D/oauth2.conf
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u $D/users
}
userdb {
  driver = static
  args = uid=$mail gid=$mail home=/nonexistent
}
service auth {
  unix_listener $D/sasl/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
CONF
}

# Tokens are checked without asking anybody: by the key in the folder.
sub oauth2_conf {
    my ($self) = @_;
    my ($D, $issuer) = ($self->folder, RealServers::Tokens::ISSUER);
    return <<"CONF";
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$D/keys/
username_attribute = sub
issuers = $issuer
CONF
}

# Nothing can leave: no smtp, local or pickup service, and every transport but virtual is an error.
sub main_cf {
    my ($self) = @_;
    my ($D, $mail, $inbox) = ($self->folder, (getpwnam 'mail')[2], $self->INBOX);
    return <<"CONF";
compatibility_level = 3.6
queue_directory = $D/spool
data_directory = $D/data
maillog_file = $D/postfix.log
maillog_file_prefixes = $D
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks =
local_recipient_maps =
default_transport = error:5.7.1 nothing leaves
relay_transport = error:5.7.1 nothing leaves
local_transport = error:5.7.1 nothing local
smtp_dns_support_level = disabled
alias_maps =
alias_database =
local_header_rewrite_clients =
virtual_mailbox_domains = example.test
virtual_mailbox_base = $D/mail
virtual_mailbox_maps = inline:{ {$inbox=inbox/} }
virtual_uid_maps = static:$mail
virtual_gid_maps = static:$mail
virtual_minimum_uid = 1
message_size_limit = 20480000
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
smtpd_forbid_bare_newline = reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $D/sasl/auth
smtpd_sasl_security_options =
cyrus_sasl_config_path = $D/etc/sasl
smtpd_tls_cert_file = $D/cert.pem
smtpd_tls_key_file = $D/key.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
CONF
}

sub master_cf {
    my ($self) = @_;
    my ($starttls, $tls, $cyrus) = map { $self->port($_) } qw(starttls tls cyrus);
    return <<"CONF";
127.0.0.1:$starttls inet n - n - - smtpd
127.0.0.1:$tls inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:$cyrus inet n - n - - smtpd
  -o smtpd_sasl_type=cyrus
  -o smtpd_sasl_path=smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CONF
}

1;
