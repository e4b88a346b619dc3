# Programs: parties that are programs and libraries of others, each told to do a job in its own words.
package Bench::Programs;

use strict;
use warnings;

my ($USER, $PASSWORD, $FROM) = qw(user secret a@example.com);

sub all {
    my ($class, $tools) = @_;

    return (_curl($tools), _libcurl($tools), _msmtp($tools), _swaks(), _smtp_source(), _nodemailer($tools),
        _smtplib($tools));
}

sub recipients { return map { "b$_\@example.com" } 1 .. $_[0] }

# For those to whom a folder means nothing, or a second look into the system's bundle.
sub _one_file { my ($job) = @_; return -d $job->{ca} ? $job->{ca_file} : $job->{ca} }

sub _curl {
    my ($tools) = @_;

    return {name => 'curl', is_exact => 1, command => sub {
        my ($job) = @_;

        my $scheme = $job->{tls} eq 'implicit' ? 'smtps' : 'smtp';
        my @words = ("url = $scheme://localhost:$job->{port}", "user = $USER:$PASSWORD", "mail-from = $FROM",
            "upload-file = $job->{file}", 'cacert = ' . _one_file($job), 'crlf', 'silent', 'show-error',
            ($job->{tls} eq 'starttls' ? 'ssl-reqd' : ()),
            map { "mail-rcpt = $_" } recipients($job->{recipients}));
        my $config = $tools->write_file('curlrc', join "next\n", (join '', map { "$_\n" } @words) x $job->{count});
        return (undef, 'curl', '-q', '-K', $config);
    }};
}

sub _libcurl {
    my ($tools) = @_;

    return {name => 'libcurl', is_exact => 1, command => sub {
        return (undef, $tools->program('libcurl', ['bench/party/libcurl.c'], '-lcurl'));
    }};
}

sub _msmtp {
    my ($tools) = @_;

    return {name => 'msmtp', command => sub {
        my ($job) = @_;

        my $config = $tools->write_file('msmtprc', join '', map { "$_\n" } 'account default', 'host localhost',
            "port $job->{port}", 'auth plain', "user $USER", "password $PASSWORD", "from $FROM",
            'tls ' . ($job->{tls} eq 'none' ? 'off' : 'on'),
            'tls_trust_file ' . _one_file($job),
            'tls_starttls ' . ($job->{tls} eq 'starttls' ? 'on' : 'off'));
        return ($job->{file}, 'msmtp', '-C', $config, '--', recipients($job->{recipients}));
    }};
}

my %swaks_tls = (implicit => ['-tlsc'], starttls => ['-tls'], none => []);

sub _swaks {
    return {name => 'swaks', command => sub {
        my ($job) = @_;

        return (undef, qw(swaks --server localhost --port), $job->{port}, '--auth', 'PLAIN', '--auth-user', $USER,
            '--auth-password', $PASSWORD, '--from', $FROM, '--to', join(',', recipients($job->{recipients})),
            '--data', "\@$job->{file}", '--silent', 3, @{ $swaks_tls{ $job->{tls} } },
            ($job->{tls} eq 'none' ? () : ('--tls-verify', '--tls-ca-path', $job->{ca})));
    }};
}

# It knows neither TLS nor logins, and makes its message itself.
sub _smtp_source {
    my ($program) = grep { -x } map { "$_/smtp-source" } '/usr/sbin', '/usr/lib/postfix', split /:/, $ENV{PATH};
    return {name => 'smtp-source, clear', job => {tls => 'none', offer => 'pipelining'}, command => sub {
        my ($job) = @_;

        return (undef, $program || 'smtp-source', '-d', '-m', $job->{count}, '-r', $job->{recipients}, '-l',
            -s $job->{file}, '-f', $FROM, '-t', 'b@example.com', "127.0.0.1:$job->{port}");
    }};
}

sub _nodemailer {
    my ($tools) = @_;

    return {name => 'Nodemailer', is_exact => 1, command => sub {
        return (undef, 'node', $tools->bench('party/nodemailer.js'));
    }};
}

# The python itself: a wrapper would be timed with it.
sub _smtplib {
    my ($tools) = @_;

    chomp(my $python = `python3 -c 'import sys; print(sys.executable)' 2>/dev/null` || 'python3');
    return {name => 'smtplib', is_exact => 1, command => sub {
        return (undef, $python, $tools->bench('party/smtplib_party.py'));
    }};
}

1;
