# Login: the user name, the password and the mechanisms that a caller gave, checked before anybody is called.
package Net::SMTP::AuthC::Login;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# From the options, or from the server's address; nothing where neither has any.
sub of {
    my ($class, $place, $given) = @_;

    my ($username, $password) = map { $given->{$_} // $place->{$_} } qw(username password);
    if (!defined $username) {
        _usage("$_ without username") for grep { defined $given->{$_} } qw(password mechanism);
        return;
    }
    _usage('username without password', 'give both, or none') if !defined $password;
    return {
        username  => _credential('username', $username),
        password  => ref $password eq 'CODE' ? _asked($password) : _credential('password', $password),
        mechanism => _mechanisms($given->{mechanism}),
    };
}

sub _mechanisms {
    my ($given) = @_;

    my $names = join ' ', ref $given eq 'ARRAY' ? @$given : $given // '';
    _usage('mechanism: a name, or a list of names in the order to try')
        if $names !~ /\A[A-Za-z0-9_ -]*\z/ || defined $given && !length $names;
    return $names;
}

# Its octets, or why no login can carry it. The error never shows it.
sub _credential {
    my ($name, $text) = @_;

    _usage("$name: a " . ref($text) . ' is no text') if ref $text && !overload::Method($text, '""');
    my $octets = Net::SMTP::AuthC::Options->utf8_of($text);
    _usage("$name is empty") if !length $octets;
    _usage("$name has a NUL at octet " . (1 + $-[0]) . '; nothing was sent') if $octets =~ /\0/;
    _usage("$name ends in a line end (CR or LF), as a line read from a file or a form does; nothing was sent",
        'take it off first, for example with s/\s+\z//') if $octets =~ /[\r\n]\z/;
    return $octets;
}

sub _asked {
    my ($code) = @_;

    return sub {
        my $password = eval { $code->() } // do {
            die $@ if ref $@;
            _usage('password: the code ref ' . (length $@ ? "died: $@" : 'gave nothing'));
        };
        return _credential('password', $password);
    };
}

1;
