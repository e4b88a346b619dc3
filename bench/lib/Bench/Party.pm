# Party: who is compared: for each how it is found, and the command that does a job.
package Bench::Party;

use strict;
use warnings;

my ($USER, $PASSWORD, $FROM) = qw(user secret a@example.com);

# name; many: more than one message on a connection; absent: why it is not here; command: of a job, standard input and
# the command. The first is the one that the others are compared with.
sub all {
    my ($class, $tools) = @_;

    return (
        _script($tools, 'ours: submit', 1, 'submit.pl'),
        _script($tools, 'ours: send_mail', 0, 'send_mail.pl'),
        _script($tools, 'ours: new', 1, 'face.pl', 'Net::SMTP::AuthC'),
        _needing(_script($tools, 'Net::SMTP', 1, 'face.pl', 'Net::SMTP'), _net_smtp()),
        _needing(_script($tools, 'Net::SMTP NODELAY', 1, 'face.pl', 'Net::SMTP', 'nodelay'), _net_smtp()),
        _curl($tools), _msmtp($tools), _swaks(), _nodemailer($tools), _smtplib($tools),
    );
}

sub _script {
    my ($tools, $name, $many, $script, @arguments) = @_;

    return {name => $name, many => $many, command => sub { return (undef, $tools->script($script), @arguments) }};
}

sub _needing {
    my ($party, @check) = @_;

    $party->{absent} = "this fails: @check" if !_works(@check);
    return $party;
}

sub _works {
    my (@command) = @_;

    my $child = fork // die "fork: $!\n";
    return waitpid($child, 0) && $? == 0 if $child;
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec {$command[0]} @command or exit 127;
}

sub _net_smtp { return ($^X, (map { "-M$_" } qw(Net::SMTP IO::Socket::SSL Authen::SASL)), '-e1') }

sub recipients { return map { "b$_\@example.com" } 1 .. $_[0] }

# ---- programs ----

sub _curl {
    my ($tools) = @_;

    return _needing({name => 'curl', many => 1, command => sub {
        my ($job) = @_;

        my $scheme = $job->{tls} eq 'implicit' ? 'smtps' : 'smtp';
        my @words = ("url = $scheme://localhost:$job->{port}", "user = $USER:$PASSWORD", "mail-from = $FROM",
            "upload-file = $job->{file}", "cacert = $job->{ca}", 'crlf', 'silent', 'show-error',
            ($job->{tls} eq 'starttls' ? 'ssl-reqd' : ()), map { "mail-rcpt = $_" } recipients($job->{recipients}));
        my $config = $tools->write_file('curlrc', join "next\n", (join '', map { "$_\n" } @words) x $job->{count});
        return (undef, 'curl', '-q', '-K', $config);
    }}, 'curl', '--version');
}

sub _msmtp {
    my ($tools) = @_;

    return _needing({name => 'msmtp', command => sub {
        my ($job) = @_;

        my $config = $tools->write_file('msmtprc', join '', map { "$_\n" } 'account default', 'host localhost',
            "port $job->{port}", 'auth plain', "user $USER", "password $PASSWORD", "from $FROM",
            'tls ' . ($job->{tls} eq 'none' ? 'off' : 'on'), "tls_trust_file $job->{ca}",
            'tls_starttls ' . ($job->{tls} eq 'starttls' ? 'on' : 'off'));
        return ($job->{file}, 'msmtp', '-C', $config, '--', recipients($job->{recipients}));
    }}, 'msmtp', '--version');
}

my %swaks_tls = (implicit => ['-tlsc'], starttls => ['-tls'], none => []);

sub _swaks {
    return _needing({name => 'swaks', command => sub {
        my ($job) = @_;

        return (undef, qw(swaks --server localhost --port), $job->{port}, '--auth', 'PLAIN', '--auth-user', $USER,
            '--auth-password', $PASSWORD, '--from', $FROM, '--to', join(',', recipients($job->{recipients})),
            '--data', "\@$job->{file}", '--silent', 3, @{ $swaks_tls{ $job->{tls} } },
            ($job->{tls} eq 'none' ? () : ('--tls-verify', '--tls-ca-path', $job->{ca})));
    }}, 'swaks', '--version');
}

sub _nodemailer {
    my ($tools) = @_;

    return _needing({name => 'Nodemailer', many => 1, command => sub {
        return (undef, 'node', $tools->bench('party/nodemailer.js'));
    }}, 'node', '-e', 'require("nodemailer")');
}

# The python itself: a wrapper would be timed with it.
sub _smtplib {
    my ($tools) = @_;

    chomp(my $python = `python3 -c 'import sys; print(sys.executable)' 2>/dev/null` || 'python3');
    return _needing({name => 'smtplib', many => 1, command => sub {
        return (undef, $python, $tools->bench('party/smtplib_party.py'));
    }}, $python, '-c', 'import smtplib, ssl');
}

1;
