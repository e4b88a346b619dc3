# One SMTP connection from the server's side: a table of commands, and the loop that reads, answers and notes them.
package Net::SMTP::AuthC::Sandbox::Session;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Faults;
use Net::SMTP::AuthC::Sandbox::Introduction;
use Net::SMTP::AuthC::Sandbox::Switches;
use Net::SMTP::AuthC::Sandbox::Transaction;

# RFC 5321 section 4.5.3.1.4, with what the extensions add for MAIL and RCPT
use constant { LINE => 512, LONG_LINE => 2048 };

my $introduction = 'Net::SMTP::AuthC::Sandbox::Introduction';
my $transaction  = 'Net::SMTP::AuthC::Sandbox::Transaction';

# argument: needed, none or any. needs: names in %condition. last: nothing may be sent behind it before its reply.
# lmtp: whether the command is LMTP's alone (1) or SMTP's (0).
my %command = (
    EHLO     => { run => $introduction->can('ehlo'),     argument => 'needed', last => 1, lmtp => 0 },
    LHLO     => { run => $introduction->can('ehlo'),     argument => 'needed', last => 1, lmtp => 1 },
    HELO     => { run => $introduction->can('helo'),     argument => 'needed', last => 1, lmtp => 0 },
    STARTTLS => { run => $introduction->can('starttls'), argument => 'none', last => 1, needs => [qw(hello no_tls)] },
    AUTH     => { run => $introduction->can('auth'),     argument => 'needed', last => 1,
                  needs => [qw(tls hello no_mail no_user)] },
    MAIL     => { run => $transaction->can('mail'),      argument => 'needed',
                  needs => [qw(tls hello user no_mail)] },
    RCPT     => { run => $transaction->can('rcpt'),      argument => 'needed', needs => [qw(tls mail no_bdat)] },
    DATA     => { run => $transaction->can('data'),      argument => 'none', last => 1,
                  needs => [qw(tls mail rcpt no_bdat no_binary)] },
    BDAT     => { run => $transaction->can('bdat'),      argument => 'any' },
    RSET     => { run => $transaction->can('rset'),      argument => 'none' },
    NOOP     => { run => sub { '250 2.0.0 Ok' },         argument => 'any', last => 1 },
    VRFY     => { run => sub { '252 2.5.0 Send some mail, I will try' },        argument => 'needed', last => 1 },
    EXPN     => { run => sub { '502 5.5.1 EXPN is not for everybody' },         argument => 'needed', last => 1 },
    HELP     => { run => sub { '214 2.0.0 A sandbox: no mail leaves it' },      argument => 'any', last => 1 },
    ETRN     => { run => sub { '502 5.5.1 ETRN is not implemented' },           argument => 'any', last => 1 },
    QUIT     => { run => \&_quit,                        argument => 'none', last => 1 },
);

# name => [what must hold, the reply when it does not]
my %condition = (
    hello     => [ sub { defined $_[0]{helo} }, '503 5.5.1 Say EHLO first' ],
    tls       => [ sub { $_[0]{tls} || !$_[0]{option}{require_tls} }, '530 5.7.0 Must issue STARTTLS first' ],
    no_tls    => [ sub { !$_[0]{tls} }, '503 5.5.1 TLS is there already' ],
    user      => [ sub { defined $_[0]{user} || !$_[0]{option}{require_auth} }, '530 5.7.0 Authentication required' ],
    no_user   => [ sub { !defined $_[0]{user} }, '503 5.5.1 Already authenticated' ],
    mail      => [ sub { $_[0]{mail} }, '503 5.5.1 Need MAIL first' ],
    no_mail   => [ sub { !$_[0]{mail} }, '503 5.5.1 A mail transaction is open' ],
    rcpt      => [ sub { @{ $_[0]{mail}{to} } }, '554 5.5.1 No valid recipients' ],
    no_bdat   => [ sub { !$_[0]{mail}{content} && !$_[0]{mail}{failed} }, '503 5.5.1 Not after BDAT' ],
    no_binary => [ sub { ($_[0]{mail}{parameters}{BODY} || '') !~ /\ABINARYMIME\z/i }, '503 5.5.1 Use BDAT' ],
);

# option, stream, journal, number, folder, and make_tls, a sub that gives a TLS object for a descriptor
sub new {
    my ($class, %self) = @_;
    my $switches = $self{option}{inbox} ? Net::SMTP::AuthC::Sandbox::Switches->new($self{folder}) : undef;
    my $faults = Net::SMTP::AuthC::Sandbox::Faults->new($self{option}{faults}, @self{qw(journal number)}, $switches);
    return bless { %self, faults => $faults, messages => 0 }, $class;
}

# Serves the connection to its end and notes how that came.
sub run {
    my ($self, $peer) = @_;
    $self->note(open => peer => $peer, time => time);
    $self->{journal}->flush;
    eval { $self->_converse };
    my $why = ref $@ eq 'HASH' && $@->{ended} ? $@->{ended} : "the sandbox failed: $@";
    warn $why if $why =~ /\Athe sandbox failed/;
    $self->forget_mail;
    $self->note(close => ended => $why);
    $self->{journal}->flush;
    $self->{stream}->close;
    return;
}

sub _converse {
    my ($self) = @_;
    $self->stage('connect');
    $introduction->can('begin_tls')->($self) if $self->{option}{tls} eq 'implicit';
    $self->remark('early talker: spoke before the greeting') if $self->{stream}->pending;
    $self->answer('greeting', $self->{option}{greeting});
    $self->_command while 1;
}

# One command: read, judged, run, answered.
sub _command {
    my ($self) = @_;
    my ($line, $end) = $self->{stream}->getline(LONG_LINE);
    return $self->answer('unknown', '500 5.5.2 Line too long') unless defined $line;
    $self->line(client => $line);
    my ($verb, $argument) = $line =~ /\A([^ ]*) ?(.*?) *\z/s;
    my $row = $self->_row(uc $verb);
    my $stage = $row ? $row->{lmtp} ? 'ehlo' : lc $verb : 'unknown';
    my $complaint = _wrong_form($row, $line, $end, $argument) || $self->_wrong_time($row);
    return $self->answer($stage, $complaint, $argument) if $complaint;
    $self->_note_early($row, uc $verb);
    my ($reply, %hooks) = eval { $row->{run}->($self, $argument) };
    if (my $error = $@) {
        die $error unless ref $error eq 'HASH' && exists $error->{reply};
        $reply = $error->{reply};
    }
    return defined $reply ? $self->answer($stage, $reply, $argument, %hooks) : undef;
}

# LMTP has LHLO for EHLO and HELO (RFC 2033 section 4.1).
sub _row {
    my ($self, $verb) = @_;
    my $row = $command{$verb} or return;
    return defined $row->{lmtp} && !$row->{lmtp} != !$self->{option}{lmtp} ? undef : $row;
}

sub _wrong_form {
    my ($row, $line, $end, $argument) = @_;
    return '500 5.5.2 A line ends in CRLF' if $end ne "\r\n";
    return '500 5.5.2 Control characters are not allowed in commands' if $line =~ /[\x00-\x1f\x7f]/;
    return '500 5.5.2 Line too long' if length($line) > LINE - 2 && $line !~ /\A(?:MAIL|RCPT) /i;
    return '500 5.5.2 Command not recognised' unless $row;
    return '501 5.5.4 This command needs an argument' if $row->{argument} eq 'needed' && $argument eq '';
    return '501 5.5.4 This command takes no argument' if $row->{argument} eq 'none' && $argument ne '';
    return;
}

sub _wrong_time {
    my ($self, $row) = @_;
    for my $need (@{ $row->{needs} || [] }) {
        my ($holds, $reply) = @{ $condition{$need} };
        return $self->{option}{lmtp} && $need eq 'rcpt' ? '503 5.5.1 No valid recipients' : $reply
            unless $holds->($self);
    }
    return;
}

# RFC 2920 section 3.1: what may not have company, and any company without PIPELINING.
sub _note_early {
    my ($self, $row, $verb) = @_;
    return unless $row->{last} || !$self->offered->{PIPELINING};
    return if $verb eq 'STARTTLS' || $verb eq 'BDAT' || !$self->{stream}->pending;
    return $self->remark("early talker: more came behind $verb before its reply");
}

# Sends a reply through the faults of its stage and tells whether it still means 2yz or 3yz, as it was meant to.
# Hooks: done or refused run before the client can know, after when the reply has been sent, close ends the connection
# then. round counts the 334 of a login.
sub answer {
    my ($self, $stage, $reply, $subject, %hooks) = @_;
    my $plan = $self->plan($stage, $self->octets($reply), $subject, $hooks{round});
    my $verdict = Net::SMTP::AuthC::Sandbox::Faults::verdict($plan);
    my $good = $verdict =~ /[23]/ && $verdict eq substr $reply, 0, 1;
    my $hook = $hooks{ $good ? 'done' : 'refused' };
    $hook->() if $hook;
    $self->deliver($stage, $plan);
    $hooks{after}->() if $good && $hooks{after};
    die { ended => 'closed by the sandbox' } if $hooks{close};
    return $good;
}

sub plan {
    my ($self, $stage, $octets, $subject, $round) = @_;
    return $self->{faults}->plan($stage, defined $octets ? $octets : '', $subject, $round);
}

sub deliver {
    my ($self, $stage, $plan) = @_;
    $self->remark("fault at $stage") if $plan->{faulty};
    my $said = $plan->{wordless} || $plan->{silent} ? '' : $plan->{octets};
    $self->line(server => $_) for split /\r?\n/, $said;
    $self->{journal}->flush;
    $self->{faults}->deliver($stage, $plan, $self->{stream});
    return;
}

# A stage without a reply of its own.
sub stage {
    my ($self, $stage) = @_;
    my $plan = $self->plan($stage);
    $self->deliver($stage, $plan) if $plan->{faulty};
    return;
}

# "250 a\nb\nc" as octets of a multi-line reply, enhanced codes only where they are offered; raw octets as they are.
sub octets {
    my ($self, $reply) = @_;
    return $reply if $reply =~ /\n\z/;
    my ($code, $text) = unpack 'A3 x a*', $reply;
    my @lines = split /\n/, $text, -1;
    if (!$self->{option}{keyword}{ENHANCEDSTATUSCODES}) { s/\A[245]\.\d+\.\d+ // for @lines }
    my $last = @lines ? pop @lines : '';
    return join '', (map { "$code-$_\r\n" } @lines), "$code $last\r\n";
}

# What the last EHLO allows, by keyword.
sub offered {
    my ($self) = @_;
    return {} unless $self->{extended};
    my %keyword = %{ $self->{option}{keyword} };
    delete $keyword{REQUIRETLS} unless $self->{tls};
    return \%keyword;
}

sub _quit {
    return ('221 2.0.0 Bye', after => sub { die { ended => 'quit' } });
}

sub forget_mail {
    my ($self) = @_;
    my $mail = delete $self->{mail} or return;
    $mail->{content}->drop if $mail->{content};
    return;
}

sub note {
    my ($self, $type, %event) = @_;
    $self->{journal}->note(type => $type, session => $self->{number}, %event);
    return;
}

sub line {
    my ($self, $who, $text) = @_;
    $self->note(line => who => $who, text => $text);
    return;
}

sub remark { return $_[0]->line(note => $_[1]) }

1;
