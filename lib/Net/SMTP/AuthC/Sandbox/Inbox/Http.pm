# One HTTP/1.1 request (RFC 9112) off a stream, within limits, and its response; the connection then ends.
package Net::SMTP::AuthC::Sandbox::Inbox::Http;
use strict;
use warnings;

use constant { LINE => 8192, LINES => 100, BODY => 65536 };

my %reason = (200 => 'OK', 303 => 'See Other', 400 => 'Bad Request', 403 => 'Forbidden', 404 => 'Not Found',
    405 => 'Method Not Allowed', 411 => 'Length Required', 413 => 'Content Too Large', 421 => 'Misdirected Request',
    431 => 'Request Header Fields Too Large', 500 => 'Internal Server Error');

# Of every response. What a page needs beyond that it says itself.
my %always = (
    'Cache-Control' => 'no-store', 'Connection' => 'close', 'Referrer-Policy' => 'same-origin',
    'X-Content-Type-Options' => 'nosniff', 'Cross-Origin-Resource-Policy' => 'same-origin',
    'X-DNS-Prefetch-Control' => 'off',
    'Content-Security-Policy' => "default-src 'none'; frame-ancestors 'none'; sandbox",
);

# {method, path, query => {}, field => {}, body}; path and query as octets. Dies with {status, text}.
sub request {
    my ($stream) = @_;
    my ($method, $target) = _line($stream) =~ m{\A([A-Z]{1,16}) (/\S*) HTTP/1\.[01]\z}
        or die { status => 400, text => 'this is no request of HTTP/1.1' };
    my %request = (method => $method, field => _fields($stream));
    my ($path, $query) = split /\?/, $target, 2;
    @request{qw(path query)} = (_unescaped($path), form($query));
    $request{body} = _body($stream, $request{field});
    return \%request;
}

sub _line {
    my ($stream) = @_;
    my $line = $stream->getline(LINE);
    return defined $line ? $line : die { status => 431, text => 'a line is too long' };
}

# By name in lower case; one that comes twice is what no honest client sends.
sub _fields {
    my ($stream) = @_;
    my %field;
    for (1 .. LINES) {
        my $line = _line($stream);
        return \%field if $line eq '';
        my ($name, $value) = $line =~ /\A([A-Za-z0-9!#\$%&'*+.^_`|~-]+):[ \t]*(.*)\z/
            or die { status => 400, text => 'a header field is malformed' };
        $value =~ s/(?<![ \t])[ \t]++\z//;
        die { status => 400, text => "the field $name comes twice" }
            if exists $field{ lc $name } && $name =~ /\A(?:host|origin|content-length|sec-fetch-site)\z/i;
        $field{ lc $name } = $value;
    }
    die { status => 431, text => 'there are too many header fields' };
}

sub _body {
    my ($stream, $field) = @_;
    die { status => 411, text => 'a body needs Content-Length' } if exists $field->{'transfer-encoding'};
    my $length = exists $field->{'content-length'} ? $field->{'content-length'} : 0;
    die { status => 400, text => 'Content-Length is no number' } unless $length =~ /\A[0-9]{1,12}\z/;
    die { status => 413, text => 'the body is too long' } if $length > BODY;
    my $body = '';
    $body .= $stream->read($length - length $body) while length $body < $length;
    return $body;
}

# The first value of each name in "a=1&b=2".
sub form {
    my ($text) = @_;
    my %form;
    for my $pair (split /[&;]/, defined $text ? $text : '') {
        my ($name, $value) = map { tr/+/ /; _unescaped($_) } split /=/, $pair, 2;
        $form{$name} = defined $value ? $value : '' if defined $name && !exists $form{$name};
    }
    return \%form;
}

sub _unescaped {
    my ($text) = @_;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

# $body: octets. $own: header fields that come beside or instead of those of every response.
sub respond {
    my ($stream, $status, $own, $body, $is_head) = @_;
    my %field = (%always, 'Content-Length' => length $body, %$own);
    my $head = join '', map { "$_: $field{$_}\r\n" } sort keys %field;
    $head =~ s/[^\x20-\x7e\r\n]/?/g;
    $stream->print("HTTP/1.1 $status " . ($reason{$status} || 'Error') . "\r\n$head\r\n" . ($is_head ? '' : $body));
    return;
}

1;
