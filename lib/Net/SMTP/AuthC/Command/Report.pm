# Report: what became of a message or a connection, in lines for people and as data for programs.
package Net::SMTP::AuthC::Command::Report;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;

# name: what the command ends with; receipt and error, where there are any.
sub new {
    my ($class, %about) = @_;

    $about{receipt} //= $about{error} && $about{error}->receipt;
    return bless {%about}, $class;
}

# Lines for the error output: whatever went wrong.
sub complaints {
    my ($self) = @_;

    my @lines = $self->{error} ? $self->{error}->message : ();
    my $receipt = $self->{receipt} or return @lines;
    my @others = grep { $_->outcome ne 'sent' } $receipt->recipients;
    return @lines if $self->{error} && @others <= 1;
    return (@lines, map { _recipient($_) } @others);
}

sub _recipient {
    my ($recipient) = @_;

    return join ' ', $recipient->outcome . ':', $recipient->address,
        grep { length } map { $_ // '' } $recipient->code, $recipient->enhanced, _one_line($recipient->text);
}

sub _one_line { return join ' ', split ' ', $_[0] // '' }

# Lines for the output: what went well.
sub good_news {
    my ($self) = @_;

    my $receipt = $self->{receipt} or return;
    my @sent = map { $_->address } $receipt->sent or return;
    my $shown = @sent > 5 ? @sent . ' recipients' : join ', ', @sent;
    return "sent to $shown: " . join ' ', grep { length } $receipt->code // '', _one_line($receipt->text);
}

sub as_data {
    my ($self) = @_;

    my ($receipt, $error) = @$self{qw(receipt error)};
    return {
        status => $self->{name}, exit => Net::SMTP::AuthC::Command::Exit->number($self->{name}),
        ($error   ? (error => _error($error)) : ()),
        ($receipt ? (_receipt($receipt)) : ()),
    };
}

sub _error {
    my ($error) = @_;

    my %field = map { $_ => $error->$_ } qw(kind step server code enhanced text hint);
    return {
        (map { $_ => _text($field{$_}) } grep { defined $field{$_} } keys %field),
        (map { $_ => _truth($error->$_) } qw(temporary may_have_been_sent)), message => $error->message,
    };
}

sub _receipt {
    my ($receipt) = @_;

    my @recipients = map { my $one = $_;
        +{map { $_ => _text($one->$_) } grep { defined $one->$_ } qw(address outcome code enhanced text step)}
    } $receipt->recipients;
    my %field = map { $_ => _text($receipt->$_) } grep { defined $receipt->$_ }
        qw(code enhanced text message_id bytes mechanism);
    return (recipients => \@recipients, %field, timings => _seconds($receipt->timings),
        tls => facts($receipt->tls));
}

# The facts of TLS with true and false where they are that.
sub facts {
    my ($tls) = @_;

    return undef if !$tls;
    my %is_flag = map { $_ => 1 } qw(verified resumed stapled);
    return {map { $_ => $is_flag{$_} ? _truth($tls->{$_}) : _text($tls->{$_}) } grep { !ref $tls->{$_} } keys %$tls};
}

sub _seconds {
    my ($timings) = @_;

    return {map { $_ => 0 + sprintf '%.3f', $timings->{$_} } keys %{ $timings || {} }};
}

sub _truth { require JSON::PP; return $_[0] ? JSON::PP::true() : JSON::PP::false() }

# What a server says are octets, mostly of UTF-8.
sub _text {
    my ($text) = @_;

    return $text if !defined $text;
    return 0 + $text if $text =~ /\A[0-9]{1,9}\z/;
    utf8::decode($text);
    return $text;
}

1;
