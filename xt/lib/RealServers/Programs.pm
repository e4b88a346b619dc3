# RealServers::Programs: programs of other people's, unmodified, run as a user would, and what came of their mail.
package RealServers::Programs;
use strict;
use warnings;
use Config;
use File::Spec;
use MIME::Base64 qw(encode_base64);
use RealServers;
use RealServers::Logins;
use RealServers::Suite;
use Test::More;
use Time::HiRes qw(sleep time);

my $number = 0;
my $mails  = 0;     # how many the server has been given so far

# Says at the end of a program which Net::SMTP it had. Libnet's own never comes without Net::Cmd.
my $WITNESS = <<'PERL';
package Witness;
END {
    open my $file, '>', $ENV{WITNESS_FILE} or die "$ENV{WITNESS_FILE}: $!";
    print {$file} join ' ', map { $INC{$_} || 'none' } qw(Net/SMTP.pm Net/Cmd.pm);
    close $file;
}
1;
PERL

# The first of the modules that are not here, or undef; and the same of a program of git's for this perl.
sub missing_module {
    my ($missing) = grep { my $file = s{::}{/}gr . '.pm'; !grep { !ref && -e "$_/$file" } @INC } @_;
    return $missing;
}

sub git_send_email {
    chomp(my $folder = qx{git --exec-path 2>/dev/null} // '');
    open my $file, '<', "$folder/git-send-email" or return undef;
    my ($perl) = (<$file> // '') =~ /\A#!\s*(\S+)/ or return undef;
    return join(',', (stat $perl)[0, 1]) eq join(',', (stat $^X)[0, 1]) ? "$folder/git-send-email" : undef;
}

# What every program has to send, lines ended by LF: a mark, and all that could suffer on its way.
sub message {
    my ($server) = @_;
    my $mark = sprintf 'X-Mark: %d-%d', $$, ++$number;
    my @header = ($mark, 'From: ' . $server->SENDER, 'To: ' . $server->INBOX, 'Subject: dots and long lines',
        'Date: Thu, 01 Jan 2026 12:00:00 +0000', "Message-ID: <$$.$number\@example.test>");
    my @body = ('.', '..', '.dot', '', 'x' x 990, '.' . 'y' x 900, 'From here', 'a blank at its end ', "\ta tab",
        "\xe4\xf6\xfc and \xc3\xa4", '', '.', 'a=20b =', 'the end');
    return ($mark, map { "$_\n" } join("\n", @header), join("\n", @body));
}

# Runs one and looks at what came of it.
#   modules    what it needs besides ours; words: what stands behind -replace; by: 'PERL5OPT' rather than -M
#   code       a Perl program with the arguments port, file with the message, user, password, CA; or command: a sub
#              that returns a command of those
#   port       'tls' rather than 'starttls'; is_ours: it needs no takeover
#   mechanism  that the server must have seen; crlf: the program gets CRLF; mails: how many it sends (1)
#   debug      a pattern for what it shows on its error output, where it must show something
#   expected   a sub of header, body and program's output that returns the mail as it must arrive; or judge: a sub of
#              the header that arrived and the given, while the body must arrive as it was
sub sends {
    my ($server, $name, %option) = @_;
    SKIP: {
        my $missing = missing_module(@{ $option{modules} || [] });
        skip "$name: no $missing", 1 if defined $missing;
        subtest $name => sub { _sends($server, %option) };
    }
    return;
}

sub _sends {
    my ($server, %option) = @_;
    my ($mark, $header, $body) = message($server);
    my $before = $server->count;
    my ($status, $out, $err) = _run($server, "$header\n$body", %option);
    is($status, 0, 'the program ends well') or diag($out . $err);
    $option{debug} ? like($err, $option{debug}, 'it shows what is said') : is($err, '', 'it complains of nothing');
    _hides($server, $out . $err);
    _is_taken_over($server) if !$option{is_ours};
    my @arrived = _arrivals($server, $mark, $option{mails} || 1, $before) or return;
    for my $arrived (@arrived) {
        _same($arrived, $header, $body, $out, %option);
    }
    RealServers::Logins::log_says($server, $server->login_line($option{mechanism} || 'SCRAM-SHA-256', $server->USER))
        for @arrived;
    return;
}

sub _run {
    my ($server, $text, %option) = @_;
    my ($words, $folder) = ($option{words} || [], $server->path('program'));
    mkdir $folder;
    $text =~ s/\n/\r\n/g if $option{crlf};
    RealServers::write_file("$folder/mail", $text);
    RealServers::write_file("$folder/Witness.pm", $WITNESS);
    RealServers::write_file("$folder/program.pl", $option{code} // '');
    unlink "$folder/witness";
    my @taken = $option{is_ours} ? () : ('-MWitness', join ',', '-MNet::SMTP::AuthC=-replace', @$words);
    my @arguments = ($server->port($option{port} || 'starttls'), "$folder/mail", $server->USER, $server->PASSWORD,
        $server->ca_file);
    my $by_environment = $option{command} || ($option{by} || '') eq 'PERL5OPT';
    my @command = $option{command} ? $option{command}->(@arguments)
        : ($^X, $by_environment ? () : @taken, "$folder/program.pl", @arguments);
    local @ENV{qw(PERL5LIB WITNESS_FILE HOME)} = (_libraries($folder), "$folder/witness", $folder);
    local $ENV{PERL5OPT} = "@taken" if $by_environment;
    return _run_command($folder, @command);
}

sub _libraries {
    return join $Config{path_sep}, map { File::Spec->rel2abs($_) } $_[0], grep { !ref } @INC;
}

sub _run_command {
    my ($folder, @command) = @_;
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$folder/out" and open STDERR, '>', "$folder/err" and open STDIN, '<', '/dev/null';
        chdir $folder;
        { exec {$command[0]} @command }
        POSIX::_exit(127);
    }
    local $?;
    waitpid $pid, 0;
    return ($?, map { RealServers::slurp("$folder/$_") } qw(out err));
}

# Neither the password nor its forms in a dialogue.
sub _hides {
    my ($server, $shown) = @_;
    my ($user, $password) = ($server->USER, $server->PASSWORD);
    my @forms = ($password, map { encode_base64($_, '') } $password, "\0$user\0$password", "$user\0$user\0$password");
    my @seen = grep { index($shown, $_) >= 0 } @forms;
    is("@seen", '', 'the password is shown nowhere');
    return;
}

sub _is_taken_over {
    my ($server) = @_;
    like(RealServers::slurp($server->path('program/witness')), qr{Net/SMTP/AuthC/Takeover/\w+\.pm none\z},
        'its Net::SMTP is ours');
    return;
}

# As many as there must be, and no more.
sub _arrivals {
    my ($server, $mark, $count, $before) = @_;
    my ($end, @found) = time + RealServers::Suite::ARRIVAL_SECONDS;
    while (1) {
        @found = grep { /^\Q$mark\E$/m } $server->deliveries;
        last if @found >= $count || time > $end;
        sleep 0.05;
    }
    is(scalar @found, $count, "as many mails as were sent: $count");
    is($server->count, $before + $count, 'and no other');
    $mails += @found;
    return @found;
}

# Once more at the end, when all that comes twice has come.
sub finish {
    my ($server) = @_;
    is($server->count, $mails, "the server has $mails mails, as many as were sent");
    RealServers::Logins::finish($server);
    done_testing();
    return;
}

sub _same {
    my ($arrived, $header, $body, $out, %option) = @_;
    my ($servers, $mail) = $arrived =~ /\A(.*?^Received: [^\n]*\n(?:[ \t][^\n]*\n)*)(.*)\z/ms
        or return fail("no Received in what arrived: $arrived");
    like($servers, qr/^Return-Path: <sender\@example\.test>$/m, 'from whom it should be');
    like($servers, qr/\bwith ESMTPSA\b/, 'inside TLS, after a login');
    my $expected = $option{expected} ? $option{expected}->($header, $body, $out) : "$header\n$body";
    if ($option{judge}) {
        my $above = $mail =~ s/\A(.*?\n)\n//s ? $1 : '';
        $option{judge}->($above, $header);
        $expected = $body;
    }
    RealServers::Suite::same_octets($mail, $expected, 'octet by octet');
    return;
}

1;
