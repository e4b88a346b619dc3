# Party: who is compared: for each the command that does a job. Here our own, the limit in C, and Net::SMTP.
package Bench::Party;

use strict;
use warnings;

use Bench::Programs;

# name; is_exact: the message arrives as the file is; job: what of every job is otherwise; sends_nothing: no mail;
# is_foreign: needs what the project does not; may_lack: nor need this version have it; command: of a job, standard
# input and the command.
sub all {
    my ($class, $tools) = @_;

    return (_ours($tools), _raw($tools),
        (map { {%$_, is_foreign => 1} } _net_smtp($tools), Bench::Programs->all($tools)));
}

sub _script {
    my ($tools, $name, $script, @arguments) = @_;

    return {name => $name, is_exact => 1, command => sub { return (undef, $tools->script($script), @arguments) }};
}

sub _ours {
    my ($tools) = @_;

    my @send_mail = map { {%$_, is_exact => 0} } (
        _script($tools, 'ours: send_mail', 'send_mail.pl'),
        {%{ _script($tools, 'ours: send_mail one_flight', 'send_mail.pl', 'one_flight=1') }, may_lack => 1},
        {%{ _script($tools, 'ours: send_mail early', 'send_mail.pl', 'early=1', 'chunking=1') }, may_lack => 1});
    return (
        _script($tools, 'ours: submit', 'submit.pl', 'submit'),
        _script($tools, 'ours: submit_all', 'submit.pl', 'submit_all'),
        _script($tools, 'ours: window 32', 'submit.pl', 'submit_all', 'window=32', 'chunking=1'),
        _script($tools, 'ours: new', 'face.pl', 'Net::SMTP::AuthC'), @send_mail,
    );
}

sub _raw {
    my ($tools) = @_;

    my $raw  = $tools->program('raw', ['bench/raw/*.c'], qw(-lssl -lcrypto));
    my %mode = ('' => 'data', ' lock-step' => 'lockstep', ' BDAT' => 'bdat', ' early' => 'early');
    my @modes = map { ["raw C$_", $mode{$_}] } sort keys %mode;
    return map { my ($name, @arguments) = @$_;
        {name => $name, is_exact => 1, command => sub { return (undef, $raw, @arguments,
            $_[0]{resume} ? 'resumed' : ()) }} } @modes, ['raw C window 32', 'bdat', 32];
}

# What it loads by itself may be Authen::SASL's XS kind, which needs Cyrus's plugins; so face.pl asks for the other.
sub _net_smtp {
    my ($tools) = @_;

    return (_script($tools, 'Net::SMTP', 'face.pl', 'Net::SMTP'),
        _script($tools, 'Net::SMTP NODELAY', 'face.pl', 'Net::SMTP', 'nodelay'));
}

1;
