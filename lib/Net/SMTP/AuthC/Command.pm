# Command: the command smtpauthc: which face of it was called, and what it ends with.
package Net::SMTP::AuthC::Command;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Terminal;

my %file_of = (send => 'Send', check => 'Check', probe => 'Probe', config => 'Settings', sandbox => 'Server',
    version => 'Version', completion => 'Completion');

# $invoked is the name of the program; returns the status to exit with.
sub run {
    my ($class, $invoked, @arguments) = @_;

    my ($name) = $invoked =~ m{([^/]*)\z};
    local $SIG{PIPE} = 'IGNORE';    # who reads no more of a dialogue ends no mail
    my $ends_with = eval { $class->_dispatch($name, @arguments) } // $class->_died($@);
    local $!;
    if (!close STDOUT) {
        Net::SMTP::AuthC::Command::Terminal->complain("standard output: $!");
        $ends_with = 'write' if $ends_with eq 'ok' && !$INC{'Net/SMTP/AuthC/Command/Delivery.pm'};
    }
    return Net::SMTP::AuthC::Command::Exit->number($ends_with);
}

sub _dispatch {
    my ($class, $name, @arguments) = @_;

    my $first = $arguments[0] // '';
    return $class->_help if !@arguments && $name !~ /sendmail\z|\A(?:mailq|newaliases)\z/ || $first eq '--help';
    return $class->_face('Version')->run(@arguments[1 .. $#arguments]) if $first eq '--version';
    return $class->_face('Sendmail')->run($name, @arguments)
        if $name =~ /sendmail\z|\A(?:mailq|newaliases)\z/ || $first =~ /\A-/;
    return $class->_help if $first eq 'help';
    my $file = $file_of{$first} // Net::SMTP::AuthC::Command::Exit->fail(usage => qq{there is no subcommand "$first"; }
        . 'there are ' . join(', ', sort keys %file_of) . ', and the options of sendmail');
    shift @arguments;
    return $class->_help($first) if grep { $_ eq '--help' } @arguments;
    return $class->_face($file)->run(@arguments);
}

sub _face {
    my ($class, $file) = @_;

    require "Net/SMTP/AuthC/Command/$file.pm";
    return "Net::SMTP::AuthC::Command::$file";
}

# The page of the program itself, or the part about one subcommand.
sub _help {
    my ($class, $subcommand) = @_;

    require Pod::Usage;
    my @sections = defined $subcommand ? "SUBCOMMANDS/$subcommand.*" : qw(SYNOPSIS);
    Pod::Usage::pod2usage(-input => $0, -verbose => 99, -sections => \@sections, -exitval => 'NOEXIT',
        -output => \*STDOUT);
    print STDOUT "The whole page: man smtpauthc, or perldoc $0\n" if !defined $subcommand;
    return 'ok';
}

sub _died {
    my ($class, $died) = @_;

    my $text = Net::SMTP::AuthC::Command::Exit->is_error($died) ? $died->message : "$died";
    Net::SMTP::AuthC::Command::Terminal->complain($text =~ s/\s+\z//r);
    return Net::SMTP::AuthC::Command::Exit->of($died, 'usage');
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Command - the inside of the command smtpauthc

=head1 SYNOPSIS

    use Net::SMTP::AuthC::Command;

    exit Net::SMTP::AuthC::Command->run('smtpauthc', 'version');

=head1 DESCRIPTION

What the program L<smtpauthc> consists of. Its page tells what it does; nothing here is meant for other programs.

=head1 METHODS

=head2 run($name, @arguments)

Does what the program does when it is called by that name with these arguments, and returns its exit status.

=head1 SEE ALSO

L<smtpauthc>, L<Net::SMTP::AuthC>

=cut
