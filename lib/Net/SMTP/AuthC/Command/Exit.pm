# Exit: what the command ends with: the codes of sysexits.h, and two of its own for what those cannot say.
package Net::SMTP::AuthC::Command::Exit;

use 5.014;
use strict;
use warnings;

use overload '""' => sub { $_[0]{text} }, bool => sub { 1 }, fallback => 1;

# Callers send once more on 75. A message that may be out, or that some have, must never end so.
my %number = (
    ok => 0, usage => 64, data => 65, no_input => 66, no_user => 67, no_host => 68, unavailable => 69, software => 70,
    system => 71, write => 74, temporary => 75, tls => 76, auth => 77, config => 78, unknown => 79, partial => 80,
);

sub number { return $number{ $_[1] } }
sub names  { return sort { $number{$a} <=> $number{$b} } keys %number }

# A failure that is told in one line.
sub fail {
    my ($class, $name, $text) = @_;

    die bless {name => $name, text => $text}, $class;
}

sub name { return $_[0]{name} }
sub text { return $_[0]{text} }

sub is_failure { return ref $_[1] && eval { $_[1]->isa(__PACKAGE__) } ? 1 : 0 }
sub is_error   { return ref $_[1] && eval { $_[1]->isa('Net::SMTP::AuthC::Error') } ? 1 : 0 }

# The name for whatever something died of; $blame is whose fault a bad argument is: usage, data or config.
sub of {
    my ($class, $died, $blame) = @_;

    return $died->name if $class->is_failure($died);
    return 'software' if !$class->is_error($died);
    return $class->_of_error($died, $blame || 'usage');
}

my %of_kind = (
    tls => 'tls', protocol => 'tls', auth => 'auth', timeout => 'temporary', closed => 'temporary',
    deferred => 'temporary', interrupted => 'write', system => 'system',
);

sub _of_error {
    my ($class, $error, $blame) = @_;

    my $kind = $error->kind;
    return 'unknown' if $error->may_have_been_sent;
    return $blame    if $kind eq 'usage';
    return $error->temporary ? 'temporary' : 'no_host' if $kind eq 'connect';
    return 'temporary' if ($error->code // '') =~ /\A4/;
    my $outcome = $error->receipt ? $class->_of_nobody($error->receipt) : undef;
    return $outcome if $outcome && $kind =~ /\A(?:refused|deferred)\z/;
    return _of_refusal($error) if $kind eq 'refused';
    return $of_kind{$kind};
}

# Nobody got it: because of the recipients, or of some of them, where it was to be all or none.
sub _of_nobody {
    my ($class, $receipt) = @_;

    return 'unknown' if $receipt->unknown;
    my @to_blame = ($receipt->refused, $receipt->deferred) or return;
    return if grep { ($_->step // '') ne 'RCPT' } @to_blame;
    return $receipt->deferred ? 'temporary' : 'no_user';
}

# The server wants no such mail, or a login first, or the content is not what it takes.
sub _of_refusal {
    my ($error) = @_;

    my ($code, $step) = ($error->code // 0, $error->step // '');
    return 'auth' if $code == 530;
    return 'data' if !$code || $code == 552 && ($error->enhanced // '') eq '5.3.4';
    return $step eq 'RCPT' ? 'no_user' : 'unavailable';
}

# Of a receipt of which somebody has the message.
sub of_receipt {
    my ($class, $receipt) = @_;

    return $receipt->unknown ? 'unknown' : $receipt->all_sent ? 'ok' : 'partial';
}

1;
