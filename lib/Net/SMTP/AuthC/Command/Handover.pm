# Handover: a mail that a program has given to sendmail, made complete and handed over by the account it is for.
package Net::SMTP::AuthC::Command::Handover;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Command::Delivery;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Log;
use Net::SMTP::AuthC::Command::Target;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::Header;

# The name of what to end with, and a report where the server was called. $option is what Sendmail has read; Mail is not
# yet complete. Dies of what is wrong before that.
sub run {
    my ($class, $option, $mail, @arguments) = @_;

    my ($target, $from) = $class->_target($option, $mail);
    my $account = $target->account;
    my @to = $class->_recipients($option, $mail, $account, @arguments);
    _complete($mail, $account, $from, $option->{full_name} // $account->get('from_full_name'), @to);
    my $terminal = Net::SMTP::AuthC::Command::Terminal->new(
        {verbose => $option->{v} || $option->{verbose}, quiet => $option->{quiet}, json => $option->{json}});
    return _show_plan($terminal, $target, $from, @to) if $option->{'dry-run'};
    return $class->_hand_over($option, $mail, $target, $terminal, $from, @to);
}

# The envelope's sender chooses the account, and the account the sender where nobody has said one.
sub _target {
    my ($class, $option, $mail) = @_;

    my $said   = $option->{from};
    $said = '' if defined $said && $said eq '<>';
    my $wanted = defined $said ? $said : $mail->sender;
    my $target = Net::SMTP::AuthC::Command::Target->of(
        {map { $_ => $option->{$_} } qw(config account timeout)}, $wanted);
    my $account = $target->account;
    my $own     = $account->sender;
    my $from = defined $own && !$account->is_on('allow_from_override', 1) ? $own : $said // $own // $wanted;
    Net::SMTP::AuthC::Command::Exit->fail(config => $account->place
        . ': no sender: give -f, a From field, or "from" there') if !defined $from;
    return ($target, $from);
}

sub _recipients {
    my ($class, $option, $mail, $account, @arguments) = @_;

    my @to = map { split /\s*,\s*/ } @arguments;
    push @to, $mail->recipients if $option->{t};
    my %seen;
    @to = grep { length && !$seen{$_}++ } @to;
    Net::SMTP::AuthC::Command::Exit->fail($option->{t} ? 'data' : 'usage', 'no recipient') if !@to;
    my $aliases = $account->get('aliases') // return @to;
    require Net::SMTP::AuthC::Command::Aliases;
    return Net::SMTP::AuthC::Command::Aliases->read($aliases)->expand(@to);
}

# What a mail must have, and what nobody may see.
sub _complete {
    my ($mail, $account, $from, $full_name) = @_;

    $mail->remove(qw(Bcc Resent-Bcc)) if $account->is_on('remove_bcc_headers', 1);
    if ($account->is_on('undisclosed_recipients', 0)) {
        $mail->remove(qw(To Cc Bcc));
        $mail->add("To: undisclosed-recipients:;\r\n");
    }
    my $how = $account->{set}{set_from_header}{value} // 'auto';
    $mail->remove('From') if $how eq 'on';
    $mail->add(_from_field($from, $full_name)) if $how ne 'off' && !$mail->has('From');
    my @missing = grep { !$mail->has($_) } $account->is_on('set_date_header', 1) ? 'Date' : (),
        $account->is_on('set_msgid_header', 1) ? 'Message-ID' : ();
    $mail->add($_) for @missing ? _made($from, @missing) : ();
    return;
}

sub _from_field {
    my ($from, $full_name) = @_;

    return "From: MAILER-DAEMON\r\n" if $from eq '';
    my $shown = $from =~ /\@/ ? Net::SMTP::AuthC::Address->format($full_name, $from) : $from;
    return Net::SMTP::AuthC::Header->mailboxes(From => $shown);
}

# The fields of these names, as a mail of our own would have them.
sub _made {
    my ($from, @names) = @_;

    require Net::SMTP::AuthC::Message;
    my $own  = $from =~ /\@/ ? $from : 'postmaster@localhost.invalid';
    my $mail = eval { Net::SMTP::AuthC::Message->new(from => $own, to => $own, text => '') }
        // Net::SMTP::AuthC::Command::Exit->fail(data => 'the sender: ' . $@->text);
    my $octets = $mail->as_string;
    return map { $octets =~ /^($_:.*\r\n)/m ? $1 : () } @names;
}

# ---- and out ----

sub _show_plan {
    my ($terminal, $target, $from, @to) = @_;

    $terminal->say('server: ' . $target->shown, 'account: ' . $target->account->place, "from: <$from>",
        map { "to: <$_>" } @to);
    return 'ok';
}

sub _hand_over {
    my ($class, $option, $mail, $target, $terminal, $from, @to) = @_;

    my $account = $target->account;
    my $notify  = $option->{notify} // $account->get('dsn_notify');
    my $return  = $option->{return} // $account->get('dsn_return');
    my %dsn = ((defined $return ? (ret => $return =~ /\Ah/i ? 'hdrs' : $return) : ()),
        (defined $option->{envid} ? (envid => $option->{envid}) : ()));
    my $log = Net::SMTP::AuthC::Command::Log->new($option, $account);
    my $delivery = Net::SMTP::AuthC::Command::Delivery->new(target => $target, terminal => $terminal,
        message => sub { $mail->for_submit(-t STDERR ? $_[0] : ()) }, size => $mail->size, from => $from, to => \@to,
        all_or_none => $option->{all_or_none}, notify => $notify, dsn => %dsn ? \%dsn : undef, deadline => $option->{deadline},
        show => $log->watcher($option->{v} || $option->{verbose} ? $terminal->watcher(\*STDOUT) : undef));
    my ($name, $report) = $delivery->run;
    $log->note($name, $report, $target, $from, @to);
    return ($name, $report);
}

1;
