# Session: sendmail -bs: a program speaks SMTP on standard input and output; each mail is handed over at once.
package Net::SMTP::AuthC::Command::Session;

use 5.014;
use strict;
use warnings;

use IO::Handle ();
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Mail;

my $LINE_MAX       = 4096;
my $RECIPIENTS_MAX = 10_000;

my %answer_to = (
    HELO => \&_hello, EHLO => \&_hello, MAIL => \&_mail, RCPT => \&_rcpt, DATA => \&_data,
    RSET => sub { $_[0]->_forget; return '250 2.0.0 Ok' },
    NOOP => sub { return '250 2.0.0 Ok' },
    VRFY => sub { return '252 2.5.0 The server will know' },
    HELP => sub { return '214 2.0.0 RFC 5321' },
    QUIT => sub { $_[0]{ended} = 1; return '221 2.0.0 Bye' },
);

# $deliver gets the sender, a Mail and the recipients; it returns the name of what a command would end with, and a
# report.
sub run {
    my ($class, $deliver) = @_;

    my $self = bless {deliver => $deliver, to => []}, $class;
    binmode STDIN;
    $self->_say('220 localhost ESMTP smtpauthc');
    while (!$self->{ended} && defined(my $line = $self->_line)) {
        my ($verb, $rest) = $line =~ /\A([A-Za-z]{4})(?:[ ](.*))?\z/s;
        my $answer = $answer_to{ uc($verb // '') } || sub { '500 5.5.2 No such command' };
        $answer = sub { '500 5.5.2 A line with a control character, or too long' }
            if $line =~ /[\x00-\x08\x0a-\x1f\x7f]/ || length $line > $LINE_MAX;
        $self->_say($answer->($self, $rest // '', uc($verb // '')));
    }
    return 'ok';
}

sub _line {
    my ($self) = @_;

    my $line = readline STDIN;
    return defined $line ? $line =~ s/\r?\n\z//r : undef;
}

sub _say {
    my ($self, @lines) = @_;

    print STDOUT map { "$_\r\n" } @lines;
    STDOUT->flush;
    return;
}

sub _forget {
    my ($self) = @_;

    delete $self->{from};
    $self->{to} = [];
    return;
}

sub _hello {
    my ($self, $name, $verb) = @_;

    $self->_forget;
    return '250 localhost' if $verb eq 'HELO';
    return ('250-localhost', '250-PIPELINING', '250-8BITMIME', '250-SMTPUTF8', '250 ENHANCEDSTATUSCODES');
}

# The address in brackets, and words that change nothing here: the message is looked at when it is handed over.
sub _path {
    my ($self, $text) = @_;

    my ($address, $words) = $text =~ /\A\s*<([^<>\s]*|"(?:[^"\\]|\\.)*"\@[^<>\s]*)>(.*)\z/s or return;
    return if grep { !/\A(?:SIZE=[0-9]+|BODY=(?:7BIT|8BITMIME)|SMTPUTF8)\z/i } split ' ', $words;
    utf8::decode($address);
    return $address;
}

sub _mail {
    my ($self, $rest) = @_;

    return '503 5.5.1 One mail after the other' if defined $self->{from};
    my $address = $rest =~ /\AFROM:(.*)\z/is ? $self->_path($1) : undef;
    return '501 5.5.4 It looks like MAIL FROM:<address>' if !defined $address;
    $self->{from} = $address;
    return '250 2.1.0 Ok';
}

sub _rcpt {
    my ($self, $rest) = @_;

    return '503 5.5.1 MAIL comes first' if !defined $self->{from};
    my $address = $rest =~ /\ATO:(.*)\z/is ? $self->_path($1) : undef;
    return '501 5.5.4 It looks like RCPT TO:<address>' if !length($address // '');
    return '452 4.5.3 Too many recipients' if @{ $self->{to} } >= $RECIPIENTS_MAX;
    push @{ $self->{to} }, $address;
    return '250 2.1.5 Ok';
}

sub _data {
    my ($self) = @_;

    return '503 5.5.1 RCPT comes first' if !@{ $self->{to} };
    $self->_say('354 End it with <CR><LF>.<CR><LF>');
    my ($from, @to) = ($self->{from}, @{ $self->{to} });
    $self->_forget;
    my ($name, $report) = eval { $self->_delivered($from, @to) };
    return _answer(Net::SMTP::AuthC::Command::Exit->of($@, 'data'), "$@") if !defined $name;
    return _answer($name, $report ? join '; ', $report->complaints ? $report->complaints : $report->good_news : 'Ok');
}

# Where the input ends before the mail does there is nothing to deliver, and nobody to tell.
sub _delivered {
    my ($self, $from, @to) = @_;

    my $mail = Net::SMTP::AuthC::Command::Mail->read(\*STDIN, stuffed => 1);
    Net::SMTP::AuthC::Command::Exit->fail(no_input => 'the input ended within the mail') if !$mail;
    return $self->{deliver}->($from, $mail, @to);
}

# What is refused for good, and what nobody knows, must not be sent again; the rest may work later.
my %code = (ok => '250 2.0.0', no_user => '550 5.1.1', data => '554 5.6.0', unavailable => '554 5.0.0',
    unknown => '554 5.0.0', partial => '554 5.0.0');

sub _answer {
    my ($name, $text) = @_;

    $text = join ' ', split ' ', $text;
    $text =~ s/([^\x20-\x7e])/sprintf '\x%02X', ord $1/ge;
    return ($code{$name} || '451 4.3.0') . ' ' . substr $text, 0, 480;
}

1;
