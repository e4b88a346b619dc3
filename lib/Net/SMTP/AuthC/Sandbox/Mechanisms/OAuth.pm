# The server's side of OAUTHBEARER (RFC 7628) and XOAUTH2: tokens, and the error step before a refusal.
package Net::SMTP::AuthC::Sandbox::Mechanisms::OAuth;
use strict;
use warnings;

# Called by rows of Mechanisms.
sub oauthbearer {
    my ($exchange) = @_;
    my $message = $exchange->first('');
    my $scope = qq("scope":"mail","openid-configuration":"https://$exchange->{name}/openid-configuration");
    my ($identity, %pair) = _message($message);
    return _complain($exchange, qq({"status":"invalid_request",$scope}), "\x01") unless defined $pair{auth};
    my ($host, $port) = map { defined $_ ? $_ : 'none' } @pair{qw(host port)};
    $exchange->remark("OAUTHBEARER: host $host, port $port");
    my $user = $pair{auth} =~ /\ABearer (.+)\z/is ? _owner($exchange, $identity, $1) : undef;
    return ($user, $identity) if defined $user;
    return _complain($exchange, qq({"status":"invalid_token",$scope}), "\x01");
}

sub xoauth2 {
    my ($exchange) = @_;
    my ($name, $token) = $exchange->first('') =~ /\Auser=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01\z/i;
    my $user = defined $token ? _owner($exchange, $name, $token) : undef;
    return $user if defined $user;
    my $status = defined $token ? 401 : 400;
    return _complain($exchange,
        qq({"status":"$status","schemes":"bearer","scope":"https://$exchange->{name}/"}), '');
}

# RFC 7628 section 3.1: the identity, '' when none is given, and key => value; nothing when the message is ill-formed.
sub _message {
    my ($message) = @_;
    my ($identity, $pairs) = $message =~ m{\A
        (?:n|y|p=[A-Za-z0-9.-]+) , (?:a=((?:[^,=\x01]|=2C|=3D)+))? , \x01
        ((?:[A-Za-z]+ = [\x20-\x7e\t\r\n]* \x01)+) \x01 \z}x or return;
    my %pair = map { /\A([A-Za-z]+)=(.*)\z/s } split /\x01/, $pairs;
    return if defined $pair{host} && $pair{host} !~ /\A[A-Za-z0-9.:\[\]_-]+\z/;
    return if defined $pair{port} && ($pair{port} !~ /\A[1-9][0-9]{0,4}\z/ || $pair{port} > 65535);
    $identity = '' unless defined $identity;
    $identity =~ s/=2C/,/g;
    $identity =~ s/=3D/=/g;
    return ($identity, %pair);
}

# Whose token it is; a name that is given must be his.
sub _owner {
    my ($exchange, $name, $token) = @_;
    my $tokens = $exchange->{oauth_tokens};
    my ($owner) = grep { $tokens->{$_} eq $token && (!length $name || $_ eq $name) } sort keys %$tokens;
    return $owner;
}

# Says why in a 334, whose answer means nothing; the refusal itself comes then.
sub _complain {
    my ($exchange, $json, $answer) = @_;
    my $say = $exchange->{fault}{oauth_error};
    return undef if defined $say && $say eq 'none';
    my $got = $exchange->ask(defined $say ? $say : $json);
    $exchange->remark('the answer to the error of OAuth should be ' . (length $answer ? 'AQ==' : 'an empty line'))
        if $got ne $answer;
    return undef;
}

1;
