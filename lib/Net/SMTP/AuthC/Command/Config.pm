# Config: the configuration files in their usual places, and which of their accounts a mail is for.
package Net::SMTP::AuthC::Command::Config;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Account;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Msmtprc;
use Net::SMTP::AuthC::Command::Private;
use Net::SMTP::AuthC::Command::Run;

our @SYSTEM_FILES = ('/etc/smtpauthcrc', '/etc/msmtprc');

sub _fail { return Net::SMTP::AuthC::Command::Exit->fail(config => $_[0]) }

# $file: the only one to read; without it the user's first, then the system's first. The user's accounts win.
sub load {
    my ($class, $file) = @_;

    my @files = defined $file ? $file : $class->files;
    my (@accounts, %seen);
    for my $path (@files) {
        push @accounts, grep { !$seen{ $_->name }++ } $class->_read($path);
    }
    return bless {files => \@files, accounts => \@accounts}, $class;
}

# The files that are there: one of the user's, one of the system's.
sub files {
    my ($class) = @_;

    return map { my ($first) = grep { -e } @$_; defined $first ? $first : () } [$class->user_files], \@SYSTEM_FILES;
}

sub user_files {
    my $home = $ENV{HOME} // (getpwuid $>)[7] // '';
    my $xdg  = $ENV{XDG_CONFIG_HOME} // '';
    $xdg = "$home/.config" if $xdg !~ m{\A/};
    my @own = ("$xdg/smtpauthc/config", "$xdg/msmtp/config");
    return $home eq '' ? @own : ("$home/.smtpauthcrc", $own[0], "$home/.msmtprc", $own[1]);
}

sub _read {
    my ($class, $path) = @_;

    my $handle = Net::SMTP::AuthC::Command::Private->open($path);
    _fail("$path: it belongs to somebody else, or everybody can change it; nothing in it is believed")
        if Net::SMTP::AuthC::Command::Private->is_foreign($handle);
    my $text = Net::SMTP::AuthC::Command::Private->slurp($handle, $path);
    utf8::decode($text);
    my $parser = Net::SMTP::AuthC::Command::Msmtprc->new(run => sub {
        return Net::SMTP::AuthC::Command::Run->first_line(@_);
    });
    my @accounts = $parser->parse($path, $text);
    _check_secrets($path, $handle, \@accounts);
    return map { Net::SMTP::AuthC::Command::Account->new($_) } @accounts;
}

sub _check_secrets {
    my ($path, $handle, $accounts) = @_;

    my ($with) = grep { length($_->{set}{password}{value} // '') } @$accounts or return;
    my $open = Net::SMTP::AuthC::Command::Private->open_to($handle) or return;
    return _fail("$path, line $with->{set}{password}{line}: a password, and others can $open the file; chmod 600 keeps "
        . 'them out');
}

sub accounts { return @{ $_[0]{accounts} } }

sub is_there { return @{ $_[0]{files} } ? 1 : 0 }

# By its name; by the envelope sender, where that is known; else "default", or the only one there is.
sub account {
    my ($self, $name, $from) = @_;

    my @accounts = $self->accounts;
    my ($found) = defined $name ? grep { $_->name eq $name } @accounts
        : ((length($from // '') ? grep { $_->fits($from) } @accounts : ()), grep { $_->name eq 'default' } @accounts);
    $found //= $accounts[0] if !defined $name && @accounts == 1;
    return $found // $self->_none($name);
}

sub _none {
    my ($self, $name) = @_;

    my $files = join ' and ', @{ $self->{files} };
    _fail('there is no configuration: name a --server, or write one of ' . join ', ', $self->user_files, @SYSTEM_FILES)
        if $files eq '';
    my $there = join(', ', map { $_->name } $self->accounts) || 'none';
    return _fail(defined $name ? "$files: there is no account $name (there: $there)"
        : "$files: there is no account \"default\", and none for this sender (there: $there)");
}

1;
