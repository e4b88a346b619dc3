# Socket: what programs ask of the socket that the object is, and what they must not do to it behind its back.
package Net::SMTP::AuthC;

use 5.014;
use strict;
use warnings;

sub can_inet6 { return __PACKAGE__ }

# ---- both ends ----

sub peername { return _peer($_[0]) }
sub sockname { return _own($_[0]) }

sub peerhost { return _host_of(_peer($_[0])) }
sub sockhost { return _host_of(_own($_[0])) }
sub peerport { return (_parts_of(_peer($_[0])))[1] }
sub sockport { return (_parts_of(_own($_[0])))[1] }
sub peeraddr { return (_parts_of(_peer($_[0])))[2] }
sub sockaddr { return (_parts_of(_own($_[0])))[2] }

sub sockdomain { return (_parts_of(_own($_[0])))[0] }
sub socktype   { require Socket; return _option($_[0], Socket::SO_TYPE()) }
sub protocol   { require Socket; return defined CORE::fileno($_[0]) ? Socket::IPPROTO_TCP() : undef }

# As IO::Socket::IP has them: names, which may ask DNS, and pairs of host and service.
sub peerhost_service { return _names_of(_peer($_[0]), $_[1]) }
sub sockhost_service { return _names_of(_own($_[0]), $_[1]) }
sub peerhostname     { return (_names_of(_peer($_[0])))[0] }
sub sockhostname     { return (_names_of(_own($_[0])))[0] }
sub peerservice      { return (_names_of(_peer($_[0])))[1] }
sub sockservice      { return (_names_of(_own($_[0])))[1] }

sub _peer { return defined CORE::fileno($_[0]) ? getpeername $_[0] : undef }
sub _own  { return defined CORE::fileno($_[0]) ? getsockname $_[0] : undef }

sub _names_of {
    my ($name, $is_numeric) = @_;

    return if !defined $name;
    require Socket;
    my $flags = $is_numeric ? Socket::NI_NUMERICHOST() | Socket::NI_NUMERICSERV() : 0;
    return (Socket::getnameinfo($name, $flags))[1, 2];
}

# (family, port, packed address), or nothing where there is no such end.
sub _parts_of {
    my ($name) = @_;

    return if !defined $name;
    require Socket;
    my $family = Socket::sockaddr_family($name);
    return ($family, (Socket::unpack_sockaddr_in6($name))[0, 1]) if $family == Socket::AF_INET6();
    return $family == Socket::AF_INET() ? ($family, Socket::unpack_sockaddr_in($name)) : ($family);
}

sub _host_of {
    my ($family, undef, $address) = _parts_of(@_);

    return defined $address ? Socket::inet_ntop($family, $address) : undef;
}

sub _option {
    my ($self, $option) = @_;

    my $value = defined CORE::fileno($self) ? CORE::getsockopt($self, Socket::SOL_SOCKET(), $option) : undef;
    return defined $value ? unpack 'i', $value : undef;
}

# As IO::Socket has it: reads an option of the socket, or sets it.
sub sockopt {
    my ($self, $option, $value) = @_;

    require Socket;
    return _option($self, $option) if @_ < 3;
    return $self->setsockopt(Socket::SOL_SOCKET(), $option, pack 'i', $value);
}

sub setsockopt { return defined CORE::fileno($_[0]) ? CORE::setsockopt($_[0], $_[1], $_[2], $_[3]) : undef }
sub getsockopt { return defined CORE::fileno($_[0]) ? CORE::getsockopt($_[0], $_[1], $_[2]) : undef }
sub shutdown   { return defined CORE::fileno($_[0]) ? CORE::shutdown($_[0], $_[1]) : undef }

# ---- as a handle ----

# The methods wait, each within its time limit, whatever the socket itself is set to; nothing waits in a buffer.
sub blocking  { return 1 }
sub autoflush { return 1 }
sub flush     { return '0 but true' }
sub sync      { return '0 but true' }
sub binmode   { return 1 }
sub untaint   { return 0 }
sub pending   { return 0 }
sub eof       { return $_[0]->_state eq 'closed' ? 1 : '' }
sub atmark    { return '' }
sub clearerr  { return defined CORE::fileno($_[0]) ? 0 : -1 }
sub stat      { return CORE::stat($_[0]) }

sub _is_closed { return $_[0]->_state eq 'closed' ? 1 : '' }

# What is printed is text of the message, as it is for datafh.
sub print  { my $self = shift; return $self->datasend(join($, // '', map { $_ // '' } @_) . ($\ // '')) }
sub printf { my ($self, $format, @values) = @_; return $self->print(sprintf $format, @values) }
sub say    { my $self = shift; local $\ = "\n"; return $self->print(@_) }

sub syswrite {
    my ($self, $text, $length, $offset) = @_;

    my $piece = substr($text, $offset // 0, $length // length $text) // '';
    return $self->datasend($piece) ? length $piece : undef;
}
*write = \&syswrite;

# What is printed to it goes into the message that is under way; closing it ends the message.
sub tied_fh {
    require Net::SMTP::AuthC::DataHandle;
    return Net::SMTP::AuthC::DataHandle->open($_[0]);
}

# ---- what would come between the object and its server ----

our @not_here = qw(
    stop_SSL start_SSL read sysread getc ungetc getlines gets recv truncate fdopen new_from_fd socket socketpair bind
    listen accept configure setup register_domain _syswrite_with_timeout as_inet format_write fcntl ioctl connect_SSL
    accept_SSL printflush sockatmark
);

for my $method (@not_here) {
    no strict 'refs';
    *{$method} = sub { return _not_here($_[0], $method) };
}

# Not an exception: a program that tidies up with stop_SSL before it closes shall come to its end.
sub _not_here {
    my ($self, $method) = @_;

    require Carp;
    my $text = "$method: the object alone reads from its connection, and says what it says there";
    Carp::croak($text) if !ref $self;
    Carp::carp("Net::SMTP::AuthC::$text");
    return $self->_refuse(503, $text);
}

1;
