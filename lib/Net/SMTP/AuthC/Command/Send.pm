# Send: one mail from options, or a message from a file.
package Net::SMTP::AuthC::Command::Send;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Delivery;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Mail;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Target;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::Envelope;
use Net::SMTP::AuthC::Message;

our @GROUPS = qw(output limits config secret server tls);
our @OWN    = qw(from=s to=s@ cc=s@ bcc=s@ reply-to=s subject=s text=s text-file=s html-file=s attach=s@ header=s@
    message=s envelope-from=s dsn-notify=s dsn-return=s all-or-none dry-run);

my @PARTS = qw(cc bcc reply-to subject text text-file html-file attach header);

sub run {
    my ($class, @arguments) = @_;

    my ($option, @rest) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS, @OWN);
    push @{ $option->{to} }, @rest if @rest;
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new($option);
    my $message  = _built($option);
    my $target   = Net::SMTP::AuthC::Command::Target->of($option, $message->{from});
    $message->{from} //= $target->account && $target->account->sender;
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'no sender: give --from') if !defined $message->{from};
    $message = $message->{finish}->($message->{from}) if $message->{finish};
    return _show_plan($terminal, $target, $message) if $option->{'dry-run'};
    return _deliver($option, $terminal, $target, $message);
}

# ---- the message: from, to, give (a sub for Delivery) and size ----

sub _built {
    my ($option) = @_;

    return _of_file($option) if defined $option->{message};
    my $from = $option->{from} // return {finish => sub { _of_parts($option, $_[0]) }};
    return _of_parts($option, $from);
}

# Ready-made. Its own recipients, unless others are given.
sub _of_file {
    my ($option) = @_;

    my @odd = grep { defined $option->{$_} } @PARTS;
    Net::SMTP::AuthC::Command::Exit->fail(usage => join(', ', map { "--$_" } @odd)
        . ': --message brings its header and text with it') if @odd;
    my $mail = Net::SMTP::AuthC::Command::Mail->read(_handle($option->{message}), dots => 1);
    my @to   = $option->{to} ? @{ $option->{to} } : $mail->recipients;
    $mail->remove(qw(Bcc Resent-Bcc));
    return _checked($option->{'envelope-from'} // $option->{from} // $mail->sender, \@to, sub { $mail->for_submit(@_) },
        $mail->size);
}

sub _handle {
    my ($path) = @_;

    return \*STDIN if $path eq '-';
    open my $handle, '<:raw', $path or Net::SMTP::AuthC::Command::Exit->fail(no_input => "$path: $!");
    Net::SMTP::AuthC::Command::Exit->fail(no_input => "$path: that is a folder") if -d $handle;
    return $handle;
}

sub _of_parts {
    my ($option, $from) = @_;

    my %part = (from => $from, text => _text($option));
    $part{$_} = $option->{$_} for grep { defined $option->{$_} } qw(to cc bcc subject);
    $part{reply_to} = $option->{'reply-to'} if defined $option->{'reply-to'};
    $part{headers}  = [map { /\A([^:]+):\s*(.*)\z/s ? ($1, $2) : _no_header($_) } @{ $option->{header} }]
        if $option->{header};
    $part{html}   = _characters_of($option->{'html-file'}) if defined $option->{'html-file'};
    $part{attach} = [map { _attachment($_) } @{ $option->{attach} }] if $option->{attach};
    my $message = eval { Net::SMTP::AuthC::Message->new(%part) } // _data($@);
    return _checked($option->{'envelope-from'} // $message->envelope_from, [$message->envelope_to],
        _giver($message), $message->size, $message);
}

sub _no_header { return Net::SMTP::AuthC::Command::Exit->fail(usage => '--header: it looks like "Name: value"') }

sub _attachment {
    my ($path) = @_;

    close _handle($path);
    return $path;
}

# --text, or --text-file, or standard input where neither is.
sub _text {
    my ($option) = @_;

    Net::SMTP::AuthC::Command::Exit->fail(usage => '--text and --text-file: give one of them')
        if defined $option->{text} && defined $option->{'text-file'};
    return $option->{text} // _characters_of($option->{'text-file'} // '-');
}

sub _characters_of {
    my ($path) = @_;

    my $handle = _handle($path);
    my $text   = do { local $/; readline $handle } // '';
    utf8::decode($text) or Net::SMTP::AuthC::Command::Exit->fail(data => "$path: the text is not UTF-8");
    return $text;
}

sub _data {
    my ($died) = @_;

    die $died if !Net::SMTP::AuthC::Command::Exit->is_error($died);
    return Net::SMTP::AuthC::Command::Exit->fail(data => $died->message);
}

# What has attachments is sent piece by piece, and on a terminal watched.
sub _giver {
    my ($message) = @_;

    return sub { return $message } if !$message->is_streamed;
    return sub {
        my ($watch) = @_;
        my $next = $message->pieces;
        my %about = (size => $message->size, body => $message->is_eight_bit ? '8bit' : '7bit',
            ($message->needs_smtputf8 ? (smtputf8 => 1) : ()));
        return (sub { my $piece = $next->(); $watch->(length $piece) if defined $piece; return $piece }, %about);
    };
}

# The envelope, looked at before anybody is called.
sub _checked {
    my ($from, $to, $give, $size, $message) = @_;

    my $good = eval {
        Net::SMTP::AuthC::Envelope->sender($from) if defined $from;
        Net::SMTP::AuthC::Envelope->recipients($to);
        1;
    };
    _data($@) if !$good;
    return {from => $from, to => $to, give => $give, size => $size, ($message ? (id => $message->message_id) : ())};
}

# ---- and out ----

sub _show_plan {
    my ($terminal, $target, $message) = @_;

    my %plan = (server => $target->shown, from => $message->{from}, to => $message->{to}, status => 'dry-run',
        (defined $message->{size} ? (size => $message->{size}) : ()));
    $terminal->is_json ? $terminal->print_json(\%plan)
        : $terminal->say("server: $plan{server}", "from: <$plan{from}>", map { "to: <$_>" } @{ $plan{to} });
    return 'ok';
}

sub _deliver {
    my ($option, $terminal, $target, $message) = @_;

    my $delivery = Net::SMTP::AuthC::Command::Delivery->new(target => $target, terminal => $terminal,
        message => $message->{give}, size => $message->{size}, from => $message->{from}, to => $message->{to},
        notify => $option->{'dsn-notify'}, deadline => $option->{deadline},
        dsn => defined $option->{'dsn-return'} ? {ret => $option->{'dsn-return'}} : undef,
        needs_dsn => 1, all_or_none => $option->{'all-or-none'},
        show => $option->{verbose} ? $terminal->watcher(\*STDERR) : undef);
    my ($name, $report) = $delivery->run;
    $terminal->print_json($report->as_data) if $terminal->is_json;
    $terminal->say($report->good_news);
    $terminal->complain($report->complaints) if !$terminal->is_json;
    return $name;
}

1;
