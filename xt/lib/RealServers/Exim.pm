# RealServers::Exim: Exim with a configuration of its own, logins checked by itself, mail into a Maildir.
package RealServers::Exim;
use strict;
use warnings;
use parent 'RealServers';
use File::Copy qw(copy);

# Debian lets Exim and Postfix not stand side by side, so Exim may also be one that was unpacked and not installed:
# SMTPC_EXIM names it.
sub programs { return 'exim4' }
sub logs     { return map { $_[0]->path($_) } qw(exim.out log/mainlog log/paniclog log/rejectlog) }

sub find {
    my ($class, $name) = @_;
    return $ENV{SMTPC_EXIM} if $name eq 'exim4' && -x ($ENV{SMTPC_EXIM} // '');
    return $class->SUPER::find($name);
}

sub missing {
    my ($class) = @_;
    my $reason = $class->SUPER::missing;
    return $reason if defined $reason;
    return 'no user Debian-exim, whom Exim becomes' if !defined getpwnam 'Debian-exim';
    my $exim  = $class->find('exim4');
    my $words = `'$exim' -C /dev/null -bV 2>&1`;
    return "$exim does not start: $words" if $? != 0;
    return undef;
}

# A copy of the program without its setuid bit, where the user that it becomes can reach it.
sub set_up {
    my ($self) = @_;
    copy($self->find('exim4'), $self->path('exim4')) or die "exim4: $!";
    chmod 0755, $self->path('exim4');
    RealServers::make_folder($self->path($_), 'Debian-exim') for qw(spool log mail);
    my (undef, undef, $uid, $gid) = getpwnam 'Debian-exim';
    chown $uid, $gid, $self->path('key.pem');
    $self->make_staple;
    $self->make_sasldb('exim', $uid, $gid) if $self->has_cyrus;
    my $more = $self->has_cyrus ? $self->cyrus_authenticators : '';
    RealServers::write_file($self->path('exim.conf'), $self->exim_conf . $more, 0644);
}

sub run {
    my ($self) = @_;
    local $ENV{SASL_CONF_PATH} = $self->path('sasl');
    $self->spawn($self->path('exim.out'), $self->path('exim4'), '-C', $self->path('exim.conf'), '-bdf');
}

# What the log says of a login.
sub login_line {
    my ($self, $mechanism, $user) = @_;
    my $name = lc $mechanism =~ tr/-/_/r;
    return qr/ A=\Q$name:$user\E /;
}

sub server_pids { return }   # the daemon is our own child

# The answer that the CA's own OCSP service would give for cert.pem today: ocsp.der. (One that says
# "revoked" GnuTLS refuses to staple.)
sub make_staple {
    my ($self) = @_;
    my ($ca, $key) = map { $self->path($_) } qw(ca.pem ca-key.pem);
    $self->run_command(qw(openssl ocsp -ndays 1 -sha256 -no_nonce -noverify), '-index',
        $self->register(0), '-CA', $ca, '-rsigner', $ca, '-rkey', $key, '-issuer', $ca,
        '-cert', $self->path('cert.pem'), '-respout', $self->path('ocsp.der'));
    chmod 0644, $self->path('ocsp.der');
}

sub exim_conf {
    my ($self) = @_;
    my $D = $self->folder;
    my ($starttls, $tls) = map { $self->port($_) } qw(starttls tls);
    my ($user, $password) = ($self->USER, $self->PASSWORD);
    my ($local_part, $domain) = split /@/, $self->INBOX;
    return <<"CONF";
exim_path = $D/exim4
spool_directory = $D/spool
log_file_path = $D/log/%slog
pid_file_path = $D/spool/pid
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = $starttls : $tls
tls_on_connect_ports = $tls
tls_advertise_hosts = *
tls_certificate = $D/cert.pem
tls_privatekey = $D/key.pem
tls_ocsp_file = $D/ocsp.der
tls_resumption_hosts = *
tls_try_verify_hosts = *
tls_verify_certificates = $D/ca.pem
message_size_limit = 20M
smtp_accept_queue_per_connection = 0
smtp_accept_max = 100
rfc1413_query_timeout = 0s
host_lookup =
keep_environment = SASL_CONF_PATH
deliver_drop_privilege = true
acl_smtp_mail = accept
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept

begin acl
check_rcpt:
  deny    !authenticated = *
          message        = log in first
  accept  local_parts    = $local_part
          domains        = $domain
  deny    message        = nobody of that name here

begin routers
inbox:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = $D/mail/inbox
  create_directory
  maildir_format

begin retry
* * F,1h,1m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{$user}}{eq{\$auth3}{$password}}}}
  server_set_id = \$auth2
  server_advertise_condition = \${if def:tls_in_cipher}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{$user}}{eq{\$auth2}{$password}}}}
  server_set_id = \$auth1
  server_advertise_condition = \${if def:tls_in_cipher}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{$user}{$password}fail}
  server_set_id = \$auth1
  server_advertise_condition = \${if def:tls_in_cipher}
external:
  driver = external
  public_name = EXTERNAL
  server_param2 = \${certextract{subj_altname,mail}{\$tls_in_peercert}}
  server_condition = \${if or{{eq{\$auth1}{}}{eq{\$auth1}{\$auth2}}}}
  server_set_id = \$auth2
  server_advertise_condition = \$tls_in_certificate_verified
CONF
}

# What Cyrus SASL speaks inside Exim.
sub cyrus_authenticators {
    my @mechanisms = qw(DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 ANONYMOUS);
    return join '', map { my $name = lc =~ tr/-/_/r; <<"CONF" } @mechanisms;
$name:
  driver = cyrus_sasl
  public_name = $_
  server_set_id = \$auth1
  server_advertise_condition = \${if def:tls_in_cipher}
CONF
}

1;
