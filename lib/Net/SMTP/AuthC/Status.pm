# Status: the Net::SMTP face's answers: what is known of the server, what the last command came to, and debugging.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

# ---- what is known ----

sub banner { return *{ $_[0] }->{net_smtp_banner} }
sub domain { return *{ $_[0] }->{net_smtp_domain} }
sub host   { return *{ $_[0] }->{net_smtp_host} }
sub tls       { return $_[0]->_tls }
sub mechanism { return $_[0]->_mechanism }

sub supports {
    my ($self, $keyword, $code, $text) = @_;

    my $parameters = (*$self->{net_smtp_esmtp} || {})->{ uc($keyword // '') };
    return $parameters if defined $parameters;
    $self->set_status($code, $text) if @_ > 2;
    return;
}

sub has { return exists +(*{ $_[0] }->{net_smtp_esmtp} || {})->{ uc($_[1] // '') } ? 1 : '' }

# ---- the last command ----

sub code   { return *{ $_[0] }->{net_cmd_code} // $_[0]->DEF_REPLY_CODE }
sub status { return substr $_[0]->code, 0, 1 }
sub ok     { return $_[0]->code > 0 && $_[0]->code < 400 }

sub message {
    my ($self) = @_;

    my @lines = @{ *$self->{net_cmd_resp} || [] };
    return wantarray ? @lines : join '', @lines;
}

sub set_status {
    my ($self, $code, $text) = @_;

    *$self->{net_cmd_code} = $code;
    *$self->{net_cmd_resp} = ref $text ? [@$text] : defined $text ? [$text] : [];
    return 1;
}

# Why the last method failed, as an object; undef when it did not.
sub error {
    my ($self) = @_;

    my $error = $self->_last_error or return;
    require Net::SMTP::AuthC::Error;
    my %field = %$error;
    delete @field{grep { !$field{$_} } qw(step enhanced code)};
    delete $field{errno};
    return Net::SMTP::AuthC::Error->new(%field, server => $self->host);
}

# The core's, unless the failure was found before the core was asked.
sub _last_error { return *{ $_[0] }->{net_smtp_authc_error} || $_[0]->_error }

sub DEF_REPLY_CODE      { return 421 }
sub _set_status_timeout { return $_[0]->set_status($_[0]->DEF_REPLY_CODE, '[' . ref($_[0]) . '] Timeout') }
sub _set_status_closed  { return $_[0]->set_status($_[0]->DEF_REPLY_CODE, '[' . ref($_[0]) . '] Connection closed') }

# After an operation. What is kept of commands before it is of no use any more.
sub _heard {
    my ($self, $good, $why) = @_;

    delete @{ *$self }{qw(net_smtp_authc_replies net_cmd_lines)};
    return $self->_noted($good, $why);
}

my %local_code = (usage => 501, auth => 504);
my %local_status = (timeout => '_set_status_timeout', closed => '_set_status_closed');

# Notes the reply, or what stands for one when there was none; hands the result on. The error is the core's, unless
# somebody knows better.
sub _noted {
    my ($self, $good, $why) = @_;

    delete *$self->{net_smtp_authc_error};
    my $error = $good ? undef : $why || $self->_error || {kind => 'closed'};
    if ($error && !$error->{code}) {
        my $kind = $error->{kind};
        my $set = $local_status{$kind};
        $set ? $self->$set : $self->set_status($local_code{$kind} // 421, '[' . ref($self) . "] $error->{text}");
    }
    else {
        my ($code, @lines) = $self->_reply;
        $self->set_status($code, [map { "$_\n" } @lines]) if $code;
    }
    return !!$good;
}

# Carp is larger than both files of the face together, and is for programs that make a mistake.
sub _carp  { require Carp; return Carp::carp(@_) }
sub _croak { require Carp; return Carp::croak(@_) }

# ---- subclasses ----

my %speaks_by_words;
my @words = qw(command response getline ungetline parse_response);
my @verbs = map { "_$_" } qw(EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP ETRN);

# Whether the class has a method of its own where Net::SMTP would call it between a command and its reply. Then every
# command takes that way; otherwise it goes straight to the core.
sub _speaks_by_words {
    my $class = ref $_[0];

    return $speaks_by_words{$class} //= _has_own($class, @words, @verbs);
}

# Whether a class that comes before ours has one of these methods. Names that stand for ours are ours too.
sub _has_own {
    my ($class, @methods) = @_;

    return 0 if $class eq __PACKAGE__;
    require mro;
    my $taken = $INC{'Net/SMTP/AuthC/Takeover/Names.pm'} && 'Net::SMTP::AuthC::Takeover::Names';
    for my $before (@{ mro::get_linear_isa($class) }) {
        last if $before eq __PACKAGE__ || $before eq 'Net::SMTP' || $taken && $taken->is_taken($before);
        no strict 'refs';
        return 1 if $before !~ /\ANet::SMTP::AuthC::/ && grep { exists &{"${before}::$_"} } @methods;
    }
    return 0;
}

# A failure that needs no server: its code and text, and more about the error.
sub _refuse {
    my ($self, $code, $text, %error) = @_;

    $self->set_status($code, $text);
    *$self->{net_smtp_authc_error} = {kind => 'usage', text => $text, temporary => 0, %error};
    return !1;
}

# For what has died over an option.
sub _refuse_because {
    my ($self, $why) = @_;

    return $self->_refuse(421, '[' . ref($self) . '] ' . $why->text, kind => $why->kind, step => $why->step,
        text => $why->text) if ref $why && eval { $why->isa('Net::SMTP::AuthC::Error') };
    return $self->_refuse(421, $why =~ s/ at \S+ line [0-9]+\.?\n\z//r);
}

# For replies that no row of the core judges.
sub _refused_by_server {
    my ($self, $step) = @_;

    my $temporary = $self->status == 4;
    *$self->{net_smtp_authc_error} = {
        kind => $temporary ? 'deferred' : 'refused', step => $step, code => $self->code,
        text => (($self->message)[0] // '') =~ s/\n\z//r, temporary => $temporary ? 1 : 0,
    };
    return !1;
}

# ---- debugging: secrets are masked before they come here ----

my %debug_of;    # a class's own level
my %is_shown;    # classes whose ancestors were printed

sub debug {
    my ($self, $level) = @_;

    my $class = ref $self || $self;
    my $place = ref $self ? \*$self->{net_cmd_debug} : \$debug_of{$class};
    my $old = $$place // 0;
    return $old if @_ < 2;
    $$place = $level // (ref $self ? $debug_of{$class} : undef) // 0;
    $self->_watch if ref $self;
    $class->_show_classes if $$place && !$is_shown{$class}++;
    return $old;
}

# As Net::Cmd does it, once: the class and its ancestors with their versions.
sub _show_classes {
    my ($class, $of, $depth) = @_;

    my $shown = $of // $class;
    $class->debug_print(1, '  ' x ($depth // 0) . "$shown(" . ($shown->VERSION // '') . ")\n");
    no strict 'refs';
    return if $shown eq __PACKAGE__;    # Net::SMTP is there in name only
    $class->_show_classes($_, ($depth // 0) + 1) for @{"${shown}::ISA"};
    return;
}

# The core keeps a record only while somebody looks.
sub _watch {
    my ($self) = @_;

    *$self->{net_smtp_authc_trace} = *$self->{net_cmd_debug} || *$self->{net_smtp_authc_sink} ? 1 : 0;
    $self->_set_trace(*$self->{net_smtp_authc_trace});
    return;
}

sub _traced {
    my ($self, $speaker, $text, $secret) = @_;

    my $sink = *$self->{net_smtp_authc_sink};
    $sink->($speaker, $text, $secret) if $sink;
    return if !*$self->{net_cmd_debug} || $speaker eq '*';
    my $end = $speaker eq 'C' && $text ne '.' ? "\r\n" : "\n";
    $self->debug_print($speaker eq 'C' ? 1 : 0, $text . $end);
    return;
}

sub debug_text { return $_[2] }

sub debug_print {
    my ($self, $out, $text) = @_;

    my $shown = $self->debug_text($out, $text) // '';
    local ($,, $\);
    print STDERR $self, ($out ? '>>> ' : '<<< '), $shown =~ s/([^\t\r\n\x20-\x7e])/sprintf '\x%02x', ord $1/ger;
    return;
}

1;
