# Options: what callers pass to new and connect, TLS apart, as the C core wants it.
package Net::SMTP::AuthC::Options;

use 5.014;
use strict;
use warnings;

# Most programs give none of these, so that reading them is a file of its own.
sub _reader { require Net::SMTP::AuthC::Options::Reader; return 'Net::SMTP::AuthC::Options::Reader' }

my %usual_limit = (timeout => 120, end_timeout => 600);

# timeout, end_timeout, deadline and family. A limit that was given holds everywhere; without one the reply to the
# last dot may take ten minutes (RFC 5321, section 4.5.3.2.6).
sub limits {
    my ($class, $given) = @_;

    my @limits = grep { defined $given->{$_} } qw(timeout end_timeout deadline family local_address local_port);
    return @limits ? $class->_reader->limits($given, \%usual_limit) : {%usual_limit};
}

# A time limit: seconds, 0 for none, undef where none was given.
sub seconds {
    my ($class, $name, $value) = @_;

    return defined $value ? $class->_reader->seconds($name, $value) : undef;
}

# Names of channel bindings in the order to try, as the core wants them; undef for the usual ones.
sub bindings {
    my ($class, $given) = @_;

    return defined $given ? $class->_reader->bindings($given) : undef;
}

# A host name as DNS and TLS have it. $argument is what an error calls it.
sub ascii_host {
    my ($class, $name, $argument) = @_;

    return $name if !defined $name || $name !~ /[^\x00-\x7f]/;
    require Net::SMTP::AuthC::HostName;
    return Net::SMTP::AuthC::HostName->to_ascii("$name", $argument);
}

# "host", "host:port", "[v6]", "[v6]:port" and Net::SMTP's "host:name(port)", with a port for where none is given.
sub host_and_port {
    my ($class, $host, $port) = @_;

    ($host, $port) = $class->_reader->host_and_port($host, $port) if $host =~ /:/ || ($port // '') =~ /\(/;
    return ($class->ascii_host($host), $port);
}

# Octets as xtext (RFC 3461, section 4).
sub xtext { return $_[0]->_reader->xtext($_[1]) }

1;
