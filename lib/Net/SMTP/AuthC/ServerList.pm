# ServerList: servers tried in their order until one lets us in.
package Net::SMTP::AuthC::ServerList;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;

my $TEXT_MAX = 480;    # an error's text is not endless; each server gets its share

# Dies with one error that tells of all of them. What is wrong with the arguments is told before anybody is called; the
# deadline holds over all.
sub connect {
    my ($class, $smtp_class, $servers, $given, $limit) = @_;

    Net::SMTP::AuthC::Error->usage('server: the list is empty') if !@$servers;
    my @plans = map { Net::SMTP::AuthC::_plan($_, $given) } @$servers;
    my $end = $limit->{deadline} && Net::SMTP::AuthC::_now() + $limit->{deadline};
    my @failed;
    for my $plan (@plans) {
        my $left = $end && $end - Net::SMTP::AuthC::_now();
        last if @failed && $end && $left < 0.001;
        my $smtp = eval { $smtp_class->_connect_to($plan, $given, {%$limit, deadline => @failed ? $left : $limit->{deadline}}) };
        return $smtp if $smtp;
        my $error = $@;
        die $error if @plans == 1 || !_goes_on($error);
        push @failed, [$plan->{name}, $error];
    }
    return _throw($limit->{deadline}, scalar @plans, @failed);
}

# What another server may not do to us. A wrong password is one everywhere, and is counted.
my %goes_on = map { $_ => 1 } qw(connect timeout closed tls protocol deferred);

sub _goes_on {
    my ($error) = @_;

    return 0 if !ref $error || !eval { $error->isa('Net::SMTP::AuthC::Error') };
    my ($kind, $step) = ($error->kind, $error->step // '');
    return ($error->code // 0) =~ /\A4/ if $kind eq 'auth';
    return $kind eq 'refused' ? $step eq 'greeting' : $goes_on{$kind};
}

sub _throw {
    my ($deadline, $count, @failed) = @_;

    my $last = $failed[-1][1];
    my $text = "none of $count servers was of use";
    $text .= sprintf '; the deadline of %.1f s passed before the others', $deadline if @failed < $count;
    my $share = int(($TEXT_MAX - length $text) / @failed);
    $text .= join '; ', ':', map { _line($share, @$_) } @failed;
    return Net::SMTP::AuthC::Error->throw(
        kind       => $last->kind,
        text       => $text =~ s/\A([^:]*):; /$1: /r,
        temporary  => scalar(grep { $_->[1]->temporary } @failed),
        hint       => '',
        transcript => $last->transcript,
    );
}

sub _line {
    my ($share, $name, $error) = @_;

    my $line = join ' ', grep { length } $name . ':', (length($error->step // '') ? $error->step . ':' : ''),
        map { $_ || '' } $error->code, $error->enhanced, $error->text;
    $line =~ s/\s*[\r\n]+\s*/ /g;
    return length $line > $share - 2 ? substr($line, 0, $share - 5) . '...' : $line;
}

1;
