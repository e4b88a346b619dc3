# Wire: the Net::SMTP face word by word: a command is said now and its reply is heard later, by command and response.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

sub CMD_PENDING { return 0 }
sub CMD_INFO    { return 1 }
sub CMD_OK      { return 2 }
sub CMD_MORE    { return 3 }
sub CMD_REJECT  { return 4 }
sub CMD_ERROR   { return 5 }

# ---- saying ----

# The words as one line, which leaves now; response hears what is answered. Returns the object, whatever came of it.
sub command {
    my ($self, @words) = @_;

    $self->_keeps_reply if $self->_is_unheard;
    delete *$self->{net_smtp_authc_chunk};
    return $self if !@words;
    my $line = join ' ', map { ($_ // '') =~ tr/\n/ /r } @words;
    push @{ *$self->{net_smtp_authc_replies} }, $self->_present_reply(0) if !$self->_says($line);
    return $self;
}

# The verbs that leave the connection in another state; all others go as they are.
my %say = (
    EHLO => sub { $_[0]->_hello($_[2], 1) },
    HELO => sub { $_[0]->_hello($_[2], 2) },
    MAIL => sub { $_[0]->_says_path(qr/FROM:/i, $_[1], $_[2]) },
    RCPT => sub { $_[0]->_says_path(qr/TO:/i, $_[1], $_[2]) },
    DATA => sub { $_[0]->_says_alone(_data => $_[1], $_[2]) },
    RSET => sub { $_[0]->_says_alone(_reset => $_[1], $_[2]) },
    QUIT => sub { $_[0]->_says_alone(_quit => $_[1], $_[2]) },
    AUTH => sub { $_[0]->_says_auth($_[2]) },
    BDAT => sub { $_[0]->_announces_chunk($_[2]) },
    STARTTLS => sub { $_[0]->_says_not(503, 'STARTTLS is more than a line: use starttls', 'STARTTLS') },
);

# False when the line could not be said; then the status tells why.
sub _says {
    my ($self, $line) = @_;

    my ($word, $rest) = $line =~ /\A(\S*)(?: (.*))?\z/s;
    my $verb = uc($word // '');
    my $way = $say{$verb} || \&_says_other;
    ($way, $verb, $rest) = (\&_says_response, 'AUTH', $line) if $self->_state eq 'response';
    $self->_defer(1);
    my $good;
    my $is_alive = eval { $good = $self->$way($verb, $rest // ''); 1 };
    my $why = $@;
    $self->_defer(0);
    die $why if !$is_alive;
    *$self->{net_smtp_authc_verb} = $verb;
    $self->_noted(!1) if defined $good && !$good;
    return $good;
}

# For what is found to be wrong here; the core was not asked.
sub _says_not {
    my ($self, $code, $text, $step) = @_;

    $self->_refuse($code, "$text; nothing was sent", step => $step);
    return undef;
}

sub _says_alone {
    my ($self, $operation, $verb, $rest) = @_;

    return $self->_says_not(501, "$verb takes no argument", $verb) if $rest =~ /\S/;
    return $self->$operation;
}

# An address as MAIL and RCPT have it; in another form it is the server's to judge.
sub _says_path {
    my ($self, $preposition, $verb, $rest) = @_;

    return $self->_command($verb, $rest, 'address') if $rest !~ /\A$preposition<([^<>]*)>(?: (.*))?\z/s;
    return $verb eq 'MAIL' ? $self->_mail($1, $2 // '') : $self->_rcpt($1, $2 // '');
}

# What is no verb of SMTP may be the answer to a challenge that never came, and then it is a secret.
sub _says_other {
    my ($self, $verb, $rest) = @_;

    return $self->_says_not(503, 'the answer to a challenge, perhaps, and there was none', 'AUTH')
        if *$self->{net_smtp_authc_in_auth} && !length $rest && $verb !~ /\A(?:NOOP|HELP|TURN|ATRN)\z/;
    return $self->_command($verb, length $rest ? $rest : undef, 'argument');
}

# ---- a login line by line ----

# What base64 stands for; undef where it is none.
sub _from_base64 {
    my ($text) = @_;

    return if length($text) % 4 || $text !~ m{\A[A-Za-z0-9+/]*={0,2}\z};
    require MIME::Base64;
    return MIME::Base64::decode_base64($text);
}

sub _says_auth {
    my ($self, $rest) = @_;

    *$self->{net_smtp_authc_in_auth} = 1;
    my ($mechanism, $initial) = $rest =~ /\A(\S+)(?: +(\S*))?\z/
        or return $self->_says_not(501, 'AUTH: a mechanism, and behind it an initial response in base64', 'AUTH');
    return $self->_begin_auth(uc $mechanism, undef) if !length($initial // '');
    my $octets = $initial eq '=' ? '' : _from_base64($initial)
        // return $self->_says_not(501, 'AUTH: the initial response is not base64', 'AUTH');
    return $self->_begin_auth(uc $mechanism, $octets);
}

sub _says_response {
    my ($self, undef, $line) = @_;

    return $self->_respond(undef) if $line eq '*';
    my $octets = _from_base64($line)
        // return $self->_says_not(501, 'AUTH: the answer to a challenge is base64, or * to cancel', 'AUTH');
    return $self->_respond($octets);
}

# ---- hearing ----

# The reply to the oldest command that has not been answered: its first digit, or CMD_ERROR.
sub response {
    my ($self) = @_;

    return $self->_response_by_lines if @{ *$self->{net_cmd_lines} || [] } || $self->_hears_by_lines;
    my $reply = $self->_next_reply;
    @{ *$self }{qw(net_cmd_code net_cmd_resp net_smtp_authc_error)} = @$reply{qw(code lines error)};
    return $reply->{digit};
}

# The oldest that was kept, or the one that is awaited.
sub _next_reply {
    my ($self) = @_;

    my $kept = shift @{ *$self->{net_smtp_authc_replies} || [] };
    return $kept || $self->_awaited_reply;
}

# Hears a reply, and leaves the status as it was.
sub _awaited_reply {
    my ($self) = @_;

    local @{ *$self }{qw(net_cmd_code net_cmd_resp net_smtp_authc_error)};
    return $self->_unasked_reply if !$self->_is_unheard;
    my $good = $self->_noted($self->_finish);
    $self->_note_state;
    $self->_refused_by_server(*$self->{net_smtp_authc_verb}) if $good && $self->status > 3;
    return $self->_present_reply(!$self->_error || $self->_error->{code});
}

# Nobody waits for a reply to nothing, but the server may have said that it goes.
sub _unasked_reply {
    my ($self) = @_;

    $self->_finish if $self->_state ne 'closed';
    if ($self->_state eq 'closed') {
        $self->_noted(!1);
    }
    else {
        $self->_refuse($self->DEF_REPLY_CODE, '[' . ref($self) . '] nothing was asked, so no reply will come');
    }
    return $self->_present_reply(0);
}

# The status as a reply that can be kept. is_servers: it was said by the server, and not here.
sub _present_reply {
    my ($self, $is_servers) = @_;

    my $code = $self->code;
    return {
        code => $code, lines => [@{ *$self->{net_cmd_resp} || [] }], error => *$self->{net_smtp_authc_error},
        is_servers => $is_servers, digit => $is_servers ? substr($code, 0, 1) : CMD_ERROR,
    };
}

# Hears what command has left unheard, and keeps it for response. True if there was something.
sub _keeps_reply {
    my ($self) = @_;

    push @{ *$self->{net_smtp_authc_replies} }, $self->_awaited_reply;
    return 1;
}

# What the other methods go by after a reply to what was said here.
sub _note_state {
    my ($self) = @_;

    my $verb = *$self->{net_smtp_authc_verb};
    my $class = $self->status;
    *$self->{net_smtp_esmtp} = {$self->_capabilities} if $verb eq 'EHLO' || $verb eq 'HELO';
    delete *$self->{net_smtp_chunking} if $verb =~ /\A(?:RSET|EHLO|HELO)\z/ && $class == 2;
    delete *$self->{net_smtp_authc_in_auth} if $class == 2 || $verb =~ /\A(?:MAIL|EHLO|HELO|RSET)\z/;
    *$self->{net_cmd_last_ch} = "\n" if $verb eq 'DATA' && $class == 3;
    return;
}

# ---- line by line ----

my %hears_by_lines;

sub _hears_by_lines {
    my $class = ref $_[0];

    return $hears_by_lines{$class} //= _has_own($class, qw(getline parse_response));
}

# A line of the reply as the server sent it, undef when there is none.
sub getline {
    my ($self) = @_;

    my $lines = *$self->{net_cmd_lines} ||= [];
    push @$lines, $self->_lines_of_reply if !@$lines;
    return shift @$lines;
}

sub _lines_of_reply {
    my ($self) = @_;

    my $reply = $self->_next_reply;
    if (!$reply->{is_servers}) {
        @{ *$self }{qw(net_cmd_code net_cmd_resp net_smtp_authc_error)} = @$reply{qw(code lines error)};
        return;
    }
    my @lines = @{ $reply->{lines} };
    my $last = @lines ? pop @lines : "\n";
    return ((map { "$reply->{code}-$_" } @lines), "$reply->{code} $last");
}

sub ungetline {
    my ($self, $line) = @_;

    unshift @{ *$self->{net_cmd_lines} }, $line;
    return;
}

# (code, whether more lines follow), and takes both off the line; () when it is no line of a reply.
sub parse_response {
    return $_[1] =~ s/\A([0-9]{3})(.?)// ? ($1, $2 eq '-') : ();
}

sub _response_by_lines {
    my ($self) = @_;

    my @texts;
    $self->set_status($self->DEF_REPLY_CODE, undef);
    while (defined(my $line = $self->getline)) {
        my ($code, $more) = $self->parse_response($line);
        if (!defined $code) {
            $@ = $line;
            return CMD_ERROR;
        }
        push @texts, $line;
        $self->set_status($code, \@texts);
        return substr $code, 0, 1 if !$more;
    }
    return CMD_ERROR;
}

# Lines up to one with a dot alone, without the dots that were put before them: to a handle, or as an array.
sub read_until_dot {
    my ($self, $to) = @_;

    my @lines;
    while (defined(my $line = $self->getline)) {
        return $to ? 1 : \@lines if $line =~ /\A\.\r?\n\z/;
        $line =~ s/\A\.\././;
        $to ? print {$to} $line : push @lines, $line;
    }
    return;
}

1;
