# Sendmail: the command as programs call sendmail: its options, a message on standard input, sysexits.
package Net::SMTP::AuthC::Command::Sendmail;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Handover;
use Net::SMTP::AuthC::Command::Mail;
use Net::SMTP::AuthC::Command::Secret;
use Net::SMTP::AuthC::Command::Terminal;

# Letters of sendmail's: without an argument, with one, and with one that can only stand right behind.
my %takes = (
    (map { $_ => 'nothing' } qw(i t v n m G U x s)),
    (map { $_ => 'one' } qw(f r F N R V B O o b X C L h D p A a e)),
    (map { $_ => 'rest' } qw(q d Q)),
);

# Letters whose argument is kept, by the name of what it says.
my %kept = (f => 'from', r => 'from', F => 'full_name', N => 'notify', R => 'return', V => 'envid', C => 'config',
    a => 'account', X => 'transcript');

# Long options, and whether something stands behind them.
my %long = (
    (map { $_ => 1 } qw(account config timeout deadline)),
    (map { $_ => 0 } qw(dry-run no-75 json quiet verbose)),
);

sub run {
    my ($class, $invoked, @arguments) = @_;

    return $class->_has_no_queue if $invoked eq 'mailq';
    return 'ok' if $invoked eq 'newaliases';
    Net::SMTP::AuthC::Command::Secret->refuse_in(@arguments);
    my ($option, @recipients) = $class->_read(@arguments);
    my $mode = $option->{mode} // 'm';
    return $class->_has_no_queue if $mode eq 'p' || $option->{queue};
    return 'ok' if $mode eq 'i';
    return $class->_speak($option) if $mode eq 's';
    _usage("-b$mode is not done here: this hands mail over to a server, and nothing else") if $mode ne 'm';
    my $name = $class->_deliver($option, @recipients);
    return $name eq 'temporary' && $option->{'no-75'} ? 'unavailable' : $name;
}

sub _usage { return Net::SMTP::AuthC::Command::Exit->fail(usage => $_[0]) }

sub _has_no_queue {
    print STDOUT "there is no queue: mail is handed over to the server while the caller waits\n";
    return 'ok';
}

# SMTP on standard input and output.
sub _speak {
    my ($class, $option) = @_;

    require Net::SMTP::AuthC::Command::Session;
    return Net::SMTP::AuthC::Command::Session->run(sub {
        my ($from, $mail, @to) = @_;
        return Net::SMTP::AuthC::Command::Handover->run({%$option, from => $from, all_or_none => 1}, $mail, @to);
    });
}

sub _deliver {
    my ($class, $option, @arguments) = @_;

    my $mail = Net::SMTP::AuthC::Command::Mail->read(\*STDIN, dots => $option->{i});
    my ($name, $report) = Net::SMTP::AuthC::Command::Handover->run($option, $mail, @arguments);
    return $name if !$report;
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new({json => $option->{json}});
    $option->{json} ? $terminal->print_json($report->as_data) : $terminal->complain($report->complaints);
    return $name;
}

# ---- options ----

sub _read {
    my ($class, @arguments) = @_;

    my %option;
    while (@arguments && $arguments[0] =~ /\A-./s) {
        my $word = shift @arguments;
        return (\%option, map { _characters($_) } @arguments) if $word eq '--';
        if ($word =~ /\A--(.+)\z/s) { _read_long(\%option, $1, \@arguments) }
        else                        { _read_letters(\%option, substr($word, 1), \@arguments) }
    }
    my ($late) = grep { /\A-./s } @arguments;
    _usage("$late: options stand before the recipients") if defined $late;
    return (\%option, map { _characters($_) } @arguments);
}

sub _characters { my ($text) = @_; utf8::decode($text); return $text }

sub _read_long {
    my ($option, $word, $arguments) = @_;

    my ($name, $value) = split /=/, $word, 2;
    _usage("unknown option --$name") if !defined $long{$name};
    $value //= shift @$arguments // _usage("--$name: what is missing stands behind it") if $long{$name};
    $option->{$name} = $long{$name} ? _characters($value) : 1;
    return;
}

sub _read_letters {
    my ($option, $letters, $arguments) = @_;

    while ($letters =~ s/\A(.)//s) {
        my $letter = $1;
        my $takes  = $takes{$letter} // _usage("unknown option -$letter");
        my $value  = $takes eq 'nothing' ? undef : $letters;
        $value = shift @$arguments // _usage("-$letter: its argument is missing") if $takes eq 'one' && $letters eq '';
        _note($option, $letter, $value);
        return if defined $value;
    }
    return;
}

# -b's mode, -q for the queue, what is kept, and the letters that mean something by themselves; nothing of the rest.
sub _note {
    my ($option, $letter, $value) = @_;

    if    ($letter eq 'b')     { $option->{mode} = $value }
    elsif ($letter eq 'q')     { $option->{queue} = 1 }
    elsif ($letter eq 'o')     { $option->{i} = 1 if $value =~ /\Ai/ }
    elsif ($kept{$letter})     { $option->{ $kept{$letter} } = _characters($value) }
    elsif (!defined $value)    { $option->{$letter} = 1 }
    return;
}

1;
