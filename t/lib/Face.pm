# For the tests of the Net::SMTP face: a sandbox, a client of it, what was said, and what went to STDERR and to warn.
package Face;
use strict;
use warnings;
use Exporter 'import';
use File::Temp;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use SystemTrust;

# What EHLO says without Hello, over IPv4 loopback.
our $OWN_NAME = Net::SMTP::AuthC->_new->_own_name;

our @EXPORT = qw($OWN_NAME sandbox client said warnings_of stderr_of has_net_smtp);

# In clear and without login unless told otherwise.
sub sandbox { return Net::SMTP::AuthC::Sandbox->new(tls => 'none', require_auth => 0, @_) }

sub client {
    my ($server, %option) = @_;
    my $class = delete $option{class} || 'Net::SMTP::AuthC';
    return $class->new($server->host, Port => $server->port, Timeout => 10, SSL_ca_file => ca_of($server), %option)
        || die "no client: $@";
}

sub ca_of { return $_[0]{option}{tls} eq 'none' ? undef : $_[0]->ca_file }

# What the client said in the session that began last, a list of lines. Ends the client's connection, if it is given.
sub said {
    my ($server, $client) = @_;
    close $client if $client && defined fileno $client;
    $server->wait_for(sub { !grep { !defined $_->ended } $_[0]->sessions });
    my @sessions = $server->sessions;
    return $sessions[-1]->client_lines;
}

sub warnings_of {
    my ($code) = @_;
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, $_[0] };
    $code->();
    return @warnings;
}

sub stderr_of {
    my ($code) = @_;
    my $file = File::Temp->new;
    open my $old, '>&', \*STDERR or die "STDERR: $!";
    open STDERR, '>', "$file" or die "STDERR: $!";
    my $good = eval { $code->(); 1 };
    my $why = $@;
    open STDERR, '>&', $old or die "STDERR: $!";
    die $why if !$good;
    open my $handle, '<:raw', "$file" or die "$file: $!";
    local $/;
    return scalar <$handle>;
}

sub has_net_smtp { return eval { require Net::SMTP; 1 } }

1;
