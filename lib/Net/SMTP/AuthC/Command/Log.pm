# Log: a line for every mail, as msmtp's configuration asks for it, in a file or by syslog; and -X's whole dialogue.
package Net::SMTP::AuthC::Command::Log;

use 5.014;
use strict;
use warnings;

use IO::Handle ();
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Terminal;

sub new {
    my ($class, $option, $account) = @_;

    my $self = bless {account => $account}, $class;
    my $path = $option->{transcript} // return $self;
    $self->{dialogue} = _opened($path, 'config');
    return $self;
}

# Nobody else reads it, for it tells who writes to whom.
sub _opened {
    my ($path, $name) = @_;

    require Fcntl;
    sysopen my $handle, $path, Fcntl::O_WRONLY() | Fcntl::O_APPEND() | Fcntl::O_CREAT(), 0600
        or return Net::SMTP::AuthC::Command::Exit->fail($name => "$path: $!");
    $handle->autoflush(1);
    return $handle;
}

# A sub for the dialogue: to the file of -X, and to whoever else watches. Undef when nobody does.
sub watcher {
    my ($self, $other) = @_;

    my $handle = $self->{dialogue} // return $other;
    require Net::SMTP::AuthC::Transcript;
    return sub {
        print {$handle} Net::SMTP::AuthC::Transcript->entry_as_text($_[0]);
        $other->($_[0]) if $other;
        return;
    };
}

# After the mail is out nothing here may look like a failure to send it.
sub note {
    my ($self, $name, $report, $target, $from, @to) = @_;

    my $account = $self->{account};
    my ($file, $facility) = ($account->get('logfile'), $account->get('syslog'));
    return if !defined $file && !defined $facility;
    my $line = Net::SMTP::AuthC::Command::Terminal->visible(_line($name, $report, $target, $from, @to));
    eval { $self->_to_file($file, $line); 1 } or Net::SMTP::AuthC::Command::Terminal->complain("log: $@")
        if defined $file;
    _to_system($facility, $line) if defined $facility;
    return;
}

sub _line {
    my ($name, $report, $target, $from, @to) = @_;

    my $data = $report->as_data;
    my @fact = (host => $target->shown, tls => $data->{tls} ? 'on' : 'off', auth => $data->{mechanism} ? 'on' : 'off',
        from => $from, recipients => join(',', @to));
    push @fact, mailsize => $data->{bytes} if $name eq 'ok' && defined $data->{bytes};
    push @fact, errormsg => "'$data->{error}{message}'" if $data->{error};
    push @fact, exitcode => $data->{exit};
    return join ' ', map { "$fact[2 * $_]=$fact[2 * $_ + 1]" } 0 .. $#fact / 2;
}

sub _to_file {
    my ($self, $path, $line) = @_;

    require POSIX;
    my $handle = $path eq '-' ? \*STDOUT : _opened($path, 'write');
    my $time   = POSIX::strftime($self->{account}->get('logfile_time_format') // '%b %d %H:%M:%S', localtime);
    syswrite $handle, "$time $line\n";
    return;
}

sub _to_system {
    my ($facility, $line) = @_;

    require Sys::Syslog;
    return eval {
        Sys::Syslog::openlog('smtpauthc', 'pid', lc($facility =~ s/\ALOG_//r));
        Sys::Syslog::syslog('info', '%s', $line);
        Sys::Syslog::closelog();
    };
}

1;
