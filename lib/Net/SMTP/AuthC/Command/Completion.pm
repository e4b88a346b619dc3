# Completion: what bash and zsh offer behind "smtpauthc"; eval "$(smtpauthc completion bash)".
package Net::SMTP::AuthC::Command::Completion;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;

my %file_of = (send => 'Send', check => 'Check', probe => 'Probe', config => 'Settings', sandbox => 'Server',
    version => 'Version');
my %words   = (config => 'show test', completion => 'bash zsh');

sub run {
    my ($class, @arguments) = @_;

    my $shell = @arguments == 1 ? $arguments[0] : '';
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'completion bash, or completion zsh') if $shell !~ /\A(?:ba|z)sh\z/;
    print STDOUT "autoload -U +X bashcompinit && bashcompinit\n" if $shell eq 'zsh';
    print STDOUT _script();
    return 'ok';
}

# Subcommands first, then the options of the one that was named; files where neither fits.
sub _script {
    my $cases = join '', map { "        $_) words='" . join(' ', _options($_)) . "' ;;\n" } sort keys %file_of, 'completion';
    my $names = join ' ', sort keys %file_of, 'completion';
    return <<"SHELL";
_smtpauthc() {
    local words current=\${COMP_WORDS[COMP_CWORD]}
    case \$COMP_CWORD in
        1) COMPREPLY=(\$(compgen -W '$names' -- "\$current")); return ;;
    esac
    case \${COMP_WORDS[1]} in
$cases    esac
    COMPREPLY=(\$(compgen -W "\$words" -- "\$current"))
}
complete -o default -F _smtpauthc smtpauthc
SHELL
}

sub _options {
    my ($name) = @_;

    my @first = split ' ', $words{$name} // '';
    my $file  = $file_of{$name} // return @first;
    require "Net/SMTP/AuthC/Command/$file.pm";
    no strict 'refs';
    my $class = "Net::SMTP::AuthC::Command::$file";
    return (@first, Net::SMTP::AuthC::Command::Options->names(\@{"${class}::GROUPS"}, @{"${class}::OWN"}));
}

1;
