# contact: a form on a page that becomes a mail, for any PSGI server: plackup eg/contact.psgi; plackup -s FCGI for FastCGI.
#
# From the environment: CONTACT_SERVER (smtps://host), CONTACT_USER, CONTACT_PASSWORD_FILE, CONTACT_TO, CONTACT_FROM (the
# site's own address: a visitor's would be refused by DMARC; it stands in Reply-To), CONTACT_LEDGER (a folder of this
# program's own), CONTACT_CA_FILE if it is needed.
use strict;
use warnings;
use Encode qw(decode encode_utf8);
use Net::SMTP::AuthC;

my $MOST   = 20_000;     # octets of a form
my $WAIT   = 20;         # seconds that a visitor waits
my %ENTITY = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');

sub text { return $_[0] =~ s/([&<>"'])/$ENTITY{$1}/gr }

sub page {
    my ($status, $body, @fields) = @_;

    my $html = qq{<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Contact</title></head><body>$body</body></html>\n};
    return [$status, ['Content-Type' => 'text/html; charset=utf-8', 'Cache-Control' => 'no-store',
        'X-Content-Type-Options' => 'nosniff',
        'Content-Security-Policy' => q{default-src 'none'; form-action 'self'; frame-ancestors 'none'}, @fields],
        [encode_utf8($html)]];
}

# The token is in the form and in a cookie that other sites can neither read nor send.
sub form {
    my ($words, %value) = @_;

    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read($random, my $octets, 16) == 16 or die '/dev/urandom ended';
    my $token = unpack 'H*', $octets;
    my ($mail, $message) = map { text($value{$_} // '') } qw(mail message);
    return page(200, qq{<p>$words</p><form method="post"><input type="hidden" name="token" value="$token">
        <p>Your address <input type="email" name="mail" required maxlength="200" value="$mail">
        <p><textarea name="message" rows="10" cols="70" required>$message</textarea>
        <p><button>Send</button></form>}, 'Set-Cookie' => "contact=$token; HttpOnly; SameSite=Strict");
}

sub fields_of {
    my ($env) = @_;

    my $length = $env->{CONTENT_LENGTH} || 0;
    return if $length > $MOST || ($env->{CONTENT_TYPE} // '') !~ m{\Aapplication/x-www-form-urlencoded\b}i;
    my $octets = '';
    while (length $octets < $length) {
        $env->{'psgi.input'}->read($octets, $length - length $octets, length $octets) or return;
    }
    my @pairs = map { [split /=/, $_, 2] } split /&/, $octets;
    return { map { my ($name, $value) = map { tr/+/ /; s/%([0-9A-Fa-f]{2})/chr hex $1/ger } $_->[0], $_->[1] // '';
        ($name => decode('UTF-8', $value)) } @pairs };
}

sub send_it {
    my ($field) = @_;

    open my $file, '<', $ENV{CONTACT_PASSWORD_FILE} or die "$ENV{CONTACT_PASSWORD_FILE}: $!\n";
    chomp(my $password = <$file>);
    return Net::SMTP::AuthC->send_mail(
        server   => $ENV{CONTACT_SERVER}, username => $ENV{CONTACT_USER}, password => $password,
        ca_file  => $ENV{CONTACT_CA_FILE},
        from     => $ENV{CONTACT_FROM}, to => $ENV{CONTACT_TO}, reply_to => $field->{mail},
        subject  => 'From the contact form', text => $field->{message},
        once     => "contact $field->{token}", ledger => $ENV{CONTACT_LEDGER}, deadline => $WAIT,
    );
}

sub {
    my ($env) = @_;

    return form('Write to us.') if $env->{REQUEST_METHOD} ne 'POST';
    my $field = fields_of($env) or return page(400, 'This form cannot be read.');
    my ($cookie) = ($env->{HTTP_COOKIE} // '') =~ /(?:\A|;\s*)contact=([0-9a-f]{32})(?:;|\z)/;
    return form('This form was too old. Please send it again.', %$field)
        if !defined $cookie || ($field->{token} // '') ne $cookie;
    return form('Please fill in both.', %$field) if grep { !defined || !/\S/ } @$field{qw(mail message)};
    return page(200, 'Thank you. Your message is on its way.') if eval { send_it($field) };
    my $error = $@;
    return form('This is no mail address.', %$field) if ref $error && $error =~ /\Areply_to/;
    $env->{'psgi.errors'}->print("contact: $error");
    return page(200, 'Thank you. We are not sure that your message came through; please call us if you hear nothing.')
        if ref $error && $error->may_have_been_sent;
    return form('Sorry, that did not work. Please try again later.', %$field);
};
