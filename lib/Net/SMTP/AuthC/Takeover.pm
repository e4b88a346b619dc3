# Takeover: the names Net::SMTP and its kin stand for our class, in the whole program, until they are given back.
package Net::SMTP::AuthC::Takeover;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Options;
use Net::SMTP::AuthC::Takeover::Names;
use Net::SMTP::AuthC::Takeover::Words;

# By name: our class behind it, and the version that it says.
my %class_of = (
    'Net::SMTP'      => ['Classic',   '3.15'],
    'Net::SMTPS'     => ['SMTPS',     '0.10'],
    'Net::SMTP::SSL' => ['SSL',       '1.04'],
    'Net::SMTP::TLS' => ['TLS',       '0.12'],
    'Net::SMTP_auth' => ['SMTP_auth', '0.08'],
    'Net::SMTP::TLS::ButMaintained' => ['TLS', '0.24'],
);

my @taken;     # in their order
my %option;    # what new takes where the program gives nothing, the policy, and the login

sub begin {
    my ($class, @words) = @_;

    my ($classes, $said) = Net::SMTP::AuthC::Takeover::Words->read(\%class_of, @words);
    my %all = (%option, %$said);
    Net::SMTP::AuthC::Takeover::Words->check_together(\%all);
    %option = %all;
    _take($_) for 'Net::SMTP', @$classes;
    return;
}

sub _take {
    my ($name) = @_;

    return if grep { $_ eq $name } @taken;
    my ($ours, $version) = @{ $class_of{$name} };
    require "Net/SMTP/AuthC/Takeover/$ours.pm";
    my %place = $name eq 'Net::SMTP' ? (also => ['Net::SMTP::AuthC']) : (isa => ['Net::SMTP']);
    Net::SMTP::AuthC::Takeover::Names->take($name, adapter => __PACKAGE__ . "::$ours", version => $version, %place);
    push @taken, $name;
    return;
}

sub end {
    my ($class, @words) = @_;

    Net::SMTP::AuthC::Takeover::Words->read_no(@words);
    Net::SMTP::AuthC::Takeover::Names->give_back($_) for reverse splice @taken;
    %option = ();
    return;
}

# ---- what Classic asks ----

my %rank = (none => 0, opportunistic => 1, required => 2);
my %is_inner = map { $_ => 1 } qw(starttls username password password_file);

# The options of one connection: the program's before ours, and the stricter policy of the two.
sub completed {
    my ($class, $host, $given) = @_;

    require Net::SMTP::AuthC::Takeover::SslDefaults;
    my $all = { map { $_ => $option{$_} } grep { !$is_inner{$_} } keys %option };
    $all = Net::SMTP::AuthC::TlsOptions->merged($all, $_)
        for Net::SMTP::AuthC::Takeover::SslDefaults->options, $given;
    my ($policy) = sort { $rank{$b} <=> $rank{$a} } map { $_ // 'none' } $option{starttls},
        $given->{net_smtp_authc_starttls};
    return $all if $policy eq 'none';
    $all->{net_smtp_authc_starttls} = $policy;
    $all->{SendHello} = 1;
    $all->{SSL} = 1 if _is_465($host // $all->{Host}, $all->{Port});
    return $all;
}

# There TLS begins at once or never.
sub _is_465 {
    my ($host, $port) = @_;

    ($host, $port) = Net::SMTP::AuthC::Options->host_and_port($host, $port) if defined $host && !ref $host;
    return ($port // '') =~ /\A(?:465|smtps|submissions)\z|\(465\)\z/;
}

# User name and password, or nothing. The file is read for each login, so that it may change.
sub login {
    my ($class) = @_;

    return if !defined $option{username};
    my $path = $option{password_file};
    return ($option{username}, defined $path ? sub { return _read($path) } : $option{password});
}

sub _read {
    my ($path) = @_;

    open my $file, '<:raw', $path
        or Net::SMTP::AuthC::Error->throw(kind => 'usage', text => "password_file $path: $!");
    my $line = <$file> // '';
    return $line =~ s/[\r\n]+\z//r;
}

1;

__END__

=encoding utf-8

=head1 NAME

Net::SMTP::AuthC::Takeover - programs written for Net::SMTP run on Net::SMTP::AuthC, unchanged

=head1 SYNOPSIS

From outside the program:

    perl -MNet::SMTP::AuthC=-replace script.pl
    PERL5OPT=-MNet::SMTP::AuthC=-replace,starttls=required,ca_file=/etc/mail/ca.pem script.pl
    perl -MNet::SMTP::AuthC=-replace,classes=Net::SMTPS+Net::SMTP::SSL script.pl

From inside:

    use Net::SMTP::AuthC -replace;
    use Net::SMTP::AuthC -replace => ['Net::SMTPS', 'Net::SMTP::TLS'];
    use Net::SMTP::AuthC -replace => { starttls => 'required', ca_file => $file, Timeout => 30 };

=head1 DESCRIPTION

While it lasts, the name C<Net::SMTP> means L<Net::SMTP::AuthC>, everywhere in the program: in modules that are loaded
before or after, in subclasses, for C<require Net::SMTP> (which succeeds and loads nothing), for
C<use Net::SMTP 3.07>. Objects are C<Net::SMTP> to C<ref>, to C<isa> and in debugging output; their method C<isa> says
C<Net::SMTP::AuthC> too. Objects that the real class has made before live on with it.

Without C<-replace>, C<use Net::SMTP::AuthC> changes nothing.

=head2 Other classes

C<Net::SMTP> is always taken. Named in the list, these are too, with their own forms of arguments:

=over

=item Net::SMTPS

C<< new($host, doSSL => 'ssl') >> or C<'starttls'>, and C<auth($user, $password, 'CRAM-MD5 LOGIN')>. With
C<'starttls'> nothing is sent where the server does not offer it; Net::SMTPS went on in clear.

=item Net::SMTP::SSL

TLS from the start, on port 465 unless another is given.

=item Net::SMTP::TLS, Net::SMTP::TLS::ButMaintained

C<< new($host, Port, User, Password, Hello, NoTLS, Timeout) >> connects, starts TLS (or speaks it at once on port 465)
and logs in; it croaks when one of these fails, and so do C<hello>, C<mail>, C<to>, C<data>, C<datasend>, C<dataend>
and C<quit>. C<Timeout> holds for the connection. There are methods but no hash inside the object.

=item Net::SMTP_auth

C<auth($mechanism, $user, $password)> and C<auth_types>.

=back

A mechanism that only L<Authen::SASL> has, such as DIGEST-MD5, is left to it where it is installed.

A module of this kind that is not named and is loaded afterwards, Net::SMTPS for example, cannot build on the inside
of a Net::SMTP that is not there, and says so when it is used.

=head2 Options

In a hash, or on the command line as words with C<=>, separated by commas. A value there has no comma and no blank.

=over

=item starttls

C<required>: on every port but 465 C<new> says EHLO, STARTTLS and EHLO again, and fails with a reason in C<$@> where
the server does not offer it; on port 465 it speaks TLS at once. C<opportunistic>: the same where it is offered. A
program that asks for STARTTLS by itself still finds it in C<supports>, and its C<starttls> succeeds. C<none> is the
default.

=item username, with password or password_file

C<new> logs in, so that programs can send that do not know how; what the program itself passes to C<auth> is not used,
and C<auth> succeeds. C<password> is a string or a code ref, in a hash only: others can read a command line.
C<password_file> is read for each login; its first line counts.

=item classes

The classes to take besides Net::SMTP; on the command line with C<+> between them.

=item Options of new

C<Host Port SSL Timeout LocalAddr LocalPort Domain Family Hello SendHello ExactAddresses Debug>,
C<insecure_cleartext_auth>, C<channel_binding>, and those of TLS such as C<ca_file> or C<SSL_ca_file>: for calls of
C<new> that do not give them. What the program has told C<IO::Socket::SSL::set_client_defaults> goes before them, and
holds without them too.

=back

Said again, it adds to what was said before. A word that is not known dies naming itself.

=head2 And back

    no Net::SMTP::AuthC -replace;
    Net::SMTP::AuthC->unimport('-replace');

C<no>, like C<use>, works while the program is compiled; to undo it at some point of the run call C<unimport>. All
classes are as they were; what was not loaded can then be loaded. Objects made in between go on as objects of our
class, those of a program's own subclasses of Net::SMTP are closed.

=head1 DIAGNOSTICS

=over

=item unknown word "..." behind Net::SMTP::AuthC

Neither C<-replace> nor a class nor C<name=value>.

=item unknown option "..." of -replace

=item -replace does not know the class "..."

=item the server does not offer STARTTLS, and -replace with starttls => required sends nothing without it

In C<$@>, from C<new>. Is it the right port (587)?

=item ... is built on the inside of Net::SMTP, which Net::SMTP::AuthC has replaced

Name that class behind C<-replace> too, or load it before.

=back

=head1 LIMITS

C<UNIVERSAL::isa($object, 'Net::SMTP::AuthC')>, called as a function, does not know of the takeover; the method does.

=cut
