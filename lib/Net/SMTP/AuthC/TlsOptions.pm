# TlsOptions: what callers demand of TLS, by our names and by those of IO::Socket::SSL, as the C core wants it.
package Net::SMTP::AuthC::TlsOptions;

use 5.014;
use strict;
use warnings;

our @CARP_NOT = ('Net::SMTP::AuthC');    # for what Reader warns of

# Most programs say whom to trust at most; with anything else among their options Reader has a look at all.
my %needs_no_reader = map { $_ => 1 } qw(ca_file ca_path username password oauth_token mechanism timeout deadline
    transcript debug hello pipelining insecure_cleartext_auth);

sub _reader { require Net::SMTP::AuthC::TlsOptions::Reader; return 'Net::SMTP::AuthC::TlsOptions::Reader' }

sub is_option { return $_[1] =~ /\Aca_(?:file|path)\z/ || $_[0]->_reader->is_option($_[1]) }

# The demands of a caller as a hash for Net::SMTP::AuthC::TLS->new, and the name that the certificate must bear.
sub of {
    my ($class, $given, $host) = @_;

    my %demand = map { defined $given->{$_} ? ($_ => $given->{$_}) : () } qw(ca_file ca_path);
    return $class->_reader->of($given, $host)
        if grep { ref || !length } values %demand or grep { !$needs_no_reader{$_} } keys %$given;
    require Net::SMTP::AuthC::Options;
    return (\%demand, Net::SMTP::AuthC::Options->ascii_host($host));
}

# The options of a connection with those of its starttls: the later win, however they are spelt.
sub merged { my ($class, @given) = @_; return $class->_reader->merged(@given) }

# ---- contexts ----

# One a configuration; a file that changes is a new configuration.
my %contexts;

sub context {
    my ($class, $demand) = @_;

    my $key = _key_of($demand);
    return $contexts{$key} if $contexts{$key};
    my $context = eval { Net::SMTP::AuthC::TLS->new(%$demand) };
    if (!$context) {
        my $text = $@ =~ s/ at \Q${\__FILE__}\E line [0-9]+.*\n\z//sr;
        require Net::SMTP::AuthC::Error;    # which clears $@
        Net::SMTP::AuthC::Error->throw(kind => 'tls', step => 'TLS set-up', text => $text, temporary => 0);
    }
    $class->_reader->warn_of_keylog($demand->{keylog_file}) if defined $demand->{keylog_file};
    $key = _key_of($demand) if defined $demand->{keylog_file};    # the file may be new
    %contexts = () if keys %contexts > 20;
    return $contexts{$key} = $context;
}

sub _key_of {
    my ($demand) = @_;

    my @facts = map { $_ // '' } @ENV{qw(SSL_CERT_FILE SSL_CERT_DIR)};
    for my $name (sort keys %$demand) {
        my $value = $demand->{$name};
        $value = do { require Digest::SHA; utf8::encode(my $octets = $value); Digest::SHA::sha256($octets) }
            if $name eq 'key_password';
        push @facts, $name, $value, _state_of($name, $value);
    }
    return join '', map { length($_) . ":$_" } @facts;
}

# The session file changes with every connection, and is looked at anew by each.
sub _state_of {
    my ($name, $path) = @_;

    return if $name !~ /_(?:file|path)\z/ || $name eq 'session_file';
    my @fields = $name eq 'keylog_file' ? (0, 1) : (0, 1, 7, 9, 10);
    return map { join ',', map { $_ // '' } (stat)[@fields] } $name eq 'ca_path' ? split /:/, $path : $path;
}

sub CLONE { %contexts = (); return }

1;
