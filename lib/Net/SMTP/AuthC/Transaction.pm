# Transaction: the Net::SMTP face's commands for one message: MAIL and RCPT with their options, DATA and what follows.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

# ---- the envelope ----

# Octets as they are, as Net::SMTP does it; what is none becomes UTF-8.
sub _xtext {
    my ($text) = @_;

    utf8::encode($text) if !utf8::downgrade($text, 1);
    return Net::SMTP::AuthC::Options->xtext($text);
}

# What is between the first < and >, or the whole without white space at its ends.
sub _addr {
    my ($self, $address) = @_;

    $address //= '';
    if (*$self->{net_smtp_exact_addr}) {
        return $address =~ /\A\s*<(.*)>\s*\z/s ? $1 : $address;
    }
    return $1 if $address =~ /<([^>]*)>/;
    return $address =~ s/\A\s+|\s+\z//gr;
}

# The octets of a binary message go by bdat.
sub _body {
    my ($bits, $offered) = @_;

    my @needed = $bits eq '8' ? '8BITMIME' : $bits eq 'binary' ? qw(BINARYMIME CHUNKING) : ();
    return 'BODY=' . ($needed[0] // '7BIT') if !grep { !exists $offered->{$_} } @needed;
    _carp("Net::SMTP::AuthC::mail: option Bits was dropped: the host does not offer " . join ' and ', @needed);
    return '';
}

# In the order of the wire: the option, what must be offered for it, how it reads.
my @mail_options = (
    [Size        => 'SIZE', sub { "SIZE=$_[0]" }],
    [Return      => 'DSN', sub { 'RET=' . (uc $_[0] eq 'FULL' ? 'FULL' : 'HDRS') }],
    [Bits        => '8BITMIME', \&_body],
    [Transaction => 'CHECKPOINT', sub { "TRANSID=<$_[0]>" }],
    [Envelope    => 'DSN', sub { 'ENVID=' . _xtext($_[0]) }],
    [ENVID       => 'DSN', sub { "ENVID=$_[0]" }],
    [AUTH        => 'AUTH', sub { 'AUTH=' . (length $_[0] ? $_[0] : '<>') }],
    [XVERP       => 'XVERP', sub { 'XVERP' }],
    [SMTPUTF8    => 'SMTPUTF8', sub { $_[0] ? 'SMTPUTF8' : '' }],
);

my @recipient_options = (
    [Notify => 'DSN', sub { 'NOTIFY=' . join ',', map { uc } ref $_[0] ? @{ $_[0] } : $_[0] }],
    [ORcpt  => 'DSN', sub { "ORCPT=$_[0]" }],
);

sub mail {
    my ($self, $address, @options) = @_;

    my %option = @options == 1 && ref $options[0] eq 'HASH' ? %{ $options[0] } : @options;
    delete @{ *$self }{qw(net_smtp_authc_data_refused net_smtp_authc_turned_away)};
    my $parameters = $self->_parameters(mail => \@mail_options, %option);
    return !1 if !defined $parameters;
    my $good = $self->_say_path(MAIL => 'FROM', $self->_addr($address), $parameters);
    *$self->{net_smtp_chunking} = $parameters =~ /\bBODY=BINARYMIME\b/ if $good;
    return $good;
}

# What would not be one address in words is left to the core to refuse.
sub _say_path {
    my ($self, $verb, $preposition, $path, $parameters) = @_;

    if ($self->_speaks_by_words && $path !~ /[\x00-\x20<>\x7f]/) {
        $verb = "_$verb";
        return $self->$verb("$preposition:<$path>" . (length $parameters ? " $parameters" : ''));
    }
    return $self->_heard($verb eq 'MAIL' ? $self->_mail($path, $parameters) : $self->_rcpt($path, $parameters));
}

# The options as parameters with blanks between; those that cannot be had are dropped with a warning. undef when a
# value holds what would end its parameter and begin another.
sub _parameters {
    my ($self, $method, $known, %option) = @_;

    delete @option{grep { !defined $option{$_} } keys %option};
    if (%option && !%{ *$self->{net_smtp_esmtp} || {} }) {
        _carp("Net::SMTP::AuthC::$method: the host announces no extensions, so all options are dropped");
        return '';
    }
    my @parameters;
    for my $row (grep { exists $option{ $_->[0] } } @$known) {
        my ($name, $keyword, $text) = @$row;
        my $value = delete $option{$name};
        my $parameter = $self->_offered($method, $name, $keyword)
            ? $text->($value, *$self->{net_smtp_esmtp}) : '';
        return $self->_refuse_parameter($method, $name) if $parameter =~ /[\x00-\x20\x7f]/;
        push @parameters, $parameter;
    }
    _carp(qq{Net::SMTP::AuthC::$method: unknown option "$_" was dropped}) for sort keys %option;
    return join ' ', grep { length } @parameters;
}

sub _refuse_parameter {
    my ($self, $method, $name) = @_;

    my $text = "$name: a blank or a control character must not be there; nothing was sent";
    $self->_refuse(501, $text, step => $method eq 'mail' ? 'MAIL' : 'RCPT');
    return;
}

sub _offered {
    my ($self, $method, $option, $keyword) = @_;

    my $offered = *$self->{net_smtp_esmtp};
    return 1 if exists $offered->{$keyword} || $option eq 'Bits' && exists $offered->{BINARYMIME};
    _carp("Net::SMTP::AuthC::$method: option $option was dropped: the host does not offer $keyword");
    return 0;
}

sub recipient {
    my ($self, @to) = @_;

    my %option = @to && ref $to[-1] eq 'HASH' ? %{ pop @to } : ();
    my $skip = delete $option{SkipBad};
    my $parameters = $self->_parameters(recipient => \@recipient_options, %option);
    return $skip && wantarray ? () : 0 if !defined $parameters;
    my @good;
    for my $address (map { ref $_ eq 'ARRAY' ? @$_ : $_ } @to) {
        my $taken = $self->_say_path(RCPT => 'TO', $self->_addr($address), $parameters);
        push @good, $address if $taken;
        return 0 if !$taken && !$skip;
    }
    return $skip ? @good : 1;
}

{
    no warnings 'once';
    *to  = \&recipient;
    *cc  = \&recipient;
    *bcc = \&recipient;
}

# ---- the message ----

sub data {
    my $self = shift;

    my $text = _joined(@_);    # it may die, and then nothing has been said
    return $self->_refuse(503, 'this message goes by bdat and bdatlast', step => 'DATA')
        if *$self->{net_smtp_chunking};
    delete @{ *$self }{qw(net_smtp_authc_data_refused net_smtp_authc_turned_away)};
    if (!($self->_speaks_by_words ? $self->_DATA : $self->_heard($self->_data))) {
        *$self->{net_smtp_authc_data_refused} = 1;
        return !1;
    }
    *$self->{net_cmd_last_ch} = "\n";
    return 1 if !@_;
    return $self->datasend($text) && $self->dataend;
}

# The pieces as one octet string. A character above 255 is refused with the caller's line.
sub _joined {
    my @pieces = @_ == 1 && ref $_[0] eq 'ARRAY' ? @{ $_[0] } : @_;

    my $text = @pieces == 1 ? $pieces[0] // '' : join '', map { $_ // '' } @pieces;
    $text = "$text" if ref $text;
    return $text if !utf8::is_utf8($text) || utf8::downgrade($text, 1);
    _croak('message: a character above 255; encode it first, e.g. Encode::encode("UTF-8", ...)');
}

# Text in any pieces. When one cannot be had, the message is given up: what lacks a part is never ended as if whole.
sub datasend {
    my $self = shift;

    my $state = $self->_state;
    my $text = eval { _joined(@_) };
    if (!defined $text) {
        my $why = $@;
        $self->_give_up_message if $state eq 'content';
        die $why;
    }
    return $self->_not_in_data($state, $text) if $state ne 'content';
    $self->_show_sent($text) if *$self->{net_cmd_debug};
    *$self->{net_cmd_last_ch} = substr $text, -1 if length $text;
    return $self->_heard($self->_content($text)) || 0;
}

sub _give_up_message {
    my ($self) = @_;

    $self->_abandon('a piece of the message could not be had, so the message was not ended');
    $self->_heard(!1);
    return;
}

sub _not_in_data {
    my ($self, $state, $text) = @_;

    return $self->datasend($text) if $self->_is_unheard && $self->_keeps_reply;    # of a DATA that command has said
    return $self->_heard(!1) || 0 if $state eq 'closed';
    *$self->{net_smtp_authc_turned_away} = 1;    # dataend must not say that all is well
    return 0 if *$self->{net_smtp_authc_data_refused};
    return $self->_refuse(503, 'message text before DATA, or after a DATA that was refused', step => 'DATA') || 0;
}

sub _show_sent {
    my ($self, $text) = @_;

    $self->debug_print(1, "$_\n") for split /\n/, $text;
    return;
}

sub dataend {
    my ($self) = @_;

    $self->_keeps_reply if $self->_is_unheard;
    my $state = $self->_state;
    delete *$self->{net_cmd_last_ch};
    return !delete *$self->{net_smtp_authc_turned_away} if $state eq 'idle';
    return 0 if $state eq 'closed' && !$self->_heard(!1);
    return $self->_speaks_by_words ? $self->_ends_by_words : $self->_judged($self->_end);
}

# A server may say goodbye (421) right behind its yes: the message was taken all the same, and must not be sent again.
sub _judged {
    my ($self, $good) = @_;

    my ($taken) = $good ? () : grep { $_->[1] eq 'sent' } $self->_outcomes;
    return $self->_heard($good) if !$taken;
    $self->_heard(1);
    my (undef, undef, $code, $enhanced, $text) = @$taken;
    $self->set_status($code, [join(' ', grep { length } $enhanced, $text) . "\n"]);
    return !!1;
}

sub datafh {
    my ($self) = @_;

    return if !$self->data;
    require Net::SMTP::AuthC::DataHandle;
    return Net::SMTP::AuthC::DataHandle->open($self);
}

1;
