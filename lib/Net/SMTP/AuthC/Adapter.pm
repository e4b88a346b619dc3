# Adapter: what the adapters for Email::Sender and MailTools share: settings as strings, and servers tried in turn.
package Net::SMTP::AuthC::Adapter;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Error;

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# ---- settings as configuration files and the environment have them ----

# A list, or names with commas between.
sub list {
    my ($class, $name, $value) = @_;

    my @list = map { s/\A\s+|\s+\z//gr } ref $value eq 'ARRAY' ? map { $_ // '' } @$value : split /,/, $value;
    @list = grep { length } @list;
    return @list ? \@list : _usage("$name: a name, or a list of names");
}

# "false" would be true.
my %truth = ((map { $_ => 1 } qw(1 yes true on)), (map { $_ => 0 } qw(0 no false off)), '' => 0);

sub truth {
    my ($class, $name, $value) = @_;

    return $value ? 1 : 0 if ref $value;    # what YAML and JSON have for it
    return $truth{ lc $value } // _usage("$name: 1 or 0");
}

# A hash, or "SSL_ca_file=/etc/ca.pem,SSL_verifycn_name=mail.example.com", for TLS alone.
sub tls_options {
    my ($class, $name, $value) = @_;

    require Net::SMTP::AuthC::TlsOptions;
    my %option;
    %option = %$value if ref $value eq 'HASH';
    _usage("$name: a hash, or name=value,name=value") if ref $value && ref $value ne 'HASH';
    for my $pair (ref $value ? () : split /,\s*(?=\w+\s*=)/, $value) {
        my ($key, $text) = $pair =~ /\A\s*(\w+)\s*=\s*(.*?)\s*\z/s or _usage(qq{$name: "$pair" is no name=value});
        $option{$key} = $text;
    }
    for my $key (sort keys %option) {
        _usage("$name: there is no TLS option $key") if !Net::SMTP::AuthC::TlsOptions->is_option($key);
    }
    return \%option;
}

# ---- servers ----

my %url_of = (
    ssl           => 'smtps://%s',
    starttls      => 'smtp://%s?tls=required',
    maybestarttls => 'smtp://%s?tls=opportunistic',
    none          => 'smtp://%s?tls=none',
);

# The server's address as connect takes it, checked.
sub server {
    my ($class, $host, $port, $security) = @_;

    _usage("port: $port is none", 'a number from 1 to 65535')
        if $port !~ /\A[0-9]{1,5}\z/ && $port !~ /\A[A-Za-z][A-Za-z0-9-]*\z/;
    require Net::SMTP::AuthC::ServerAddress;
    my $url = sprintf $url_of{$security}, "$host:$port";
    Net::SMTP::AuthC::ServerAddress->parse($url);
    return $url;
}

# The first that lets us in: nothing has been sent at the others. Dies with the last one's error, and with what the
# others said in its hint. $tried is told of each.
sub connect_first {
    my ($class, $servers, $option, $tried) = @_;

    my @said;
    for my $i (0 .. $#$servers) {
        $tried->() if $tried;
        my $smtp = eval { Net::SMTP::AuthC->connect($servers->[$i], %$option) };
        return $smtp if $smtp;
        my $error = $@;
        die $error if !$class->is_error($error);
        if ($i == $#$servers || !_may_go_on($error)) {
            $error->{hint} = join '; ', grep { length } $error->hint // '', @said;
            die $error;
        }
        push @said, 'before that, ' . $error->message;
    }
    return _usage('no server');
}

# Another server would say the same of a wrong password, and count it.
sub _may_go_on {
    my ($error) = @_;

    return $error->kind eq 'auth' ? ($error->code // 0) =~ /\A4/ : $error->kind ne 'usage';
}

sub is_error { return ref $_[1] && eval { $_[1]->isa('Net::SMTP::AuthC::Error') } ? 1 : 0 }

# A farewell that may fail, and leaves $@ alone.
sub hang_up {
    my ($class, $smtp) = @_;

    local $@;
    eval { $smtp->quit };
    return;
}

1;
