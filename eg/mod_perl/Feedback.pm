# Feedback: a handler of mod_perl 2: a mark for a page, by POST, that becomes a mail.
#
#     PerlSwitches -I/path/to/eg/mod_perl
#     PerlModule   Feedback
#     <Location /feedback>
#         SetHandler     modperl
#         PerlResponseHandler Feedback
#         PerlSetVar     MailConfig /etc/feedback.conf
#     </Location>
#
# The page: <form method="post" action="/feedback"><input name="page"> <input name="mark"> ... In the file a line each of
# server, username, password_file, ca_file, from, to: name and value.
package Feedback;
use strict;
use warnings;
use Apache2::Const -compile => qw(HTTP_METHOD_NOT_ALLOWED HTTP_BAD_REQUEST HTTP_FORBIDDEN HTTP_SERVICE_UNAVAILABLE
    HTTP_SEE_OTHER OK);
use Apache2::RequestIO ();
use Apache2::RequestRec ();
use Apache2::RequestUtil ();
use Apache2::Log ();
use APR::Table ();
use Net::SMTP::AuthC;

my $MOST = 2000;    # octets of a form
my $WAIT = 15;      # seconds

sub handler {
    my ($r) = @_;

    return Apache2::Const::HTTP_METHOD_NOT_ALLOWED if $r->method ne 'POST';
    return Apache2::Const::HTTP_FORBIDDEN if !is_from_here($r);
    my $field = fields_of($r);
    return Apache2::Const::HTTP_BAD_REQUEST
        if ($field->{page} // '') !~ m{\A/[\x21-\x7e]{0,200}\z} || ($field->{mark} // '') !~ /\A[1-5]\z/;
    my $receipt = eval { send_it($r, $field) };
    if (!$receipt) {
        $r->log_error("feedback: $@");
        return Apache2::Const::HTTP_SERVICE_UNAVAILABLE;
    }
    $r->headers_out->set(Location => $field->{page} =~ m{\A//} ? '/' : $field->{page});
    return Apache2::Const::HTTP_SEE_OTHER;
}

# Browsers say which site a form stood on; one that does not say is none.
sub is_from_here {
    my ($r) = @_;

    my ($origin, $host) = map { $r->headers_in->get($_) // '' } qw(Origin Host);
    return $host ne '' && $origin =~ m{\Ahttps?://\Q$host\E\z};
}

sub fields_of {
    my ($r) = @_;

    my ($octets, $length) = ('', $r->headers_in->get('Content-Length') || 0);
    return {} if $length !~ /\A[0-9]+\z/ || $length > $MOST;
    while (length $octets < $length) {
        $r->read($octets, $length - length $octets, length $octets) or return {};
    }
    my @pairs = map { [split /=/, $_, 2] } split /&/, $octets;
    return { map { my ($name, $value) = map { tr/+/ /; s/%([0-9A-Fa-f]{2})/chr hex $1/ger } $_->[0], $_->[1] // '';
        ($name => $value) } @pairs };
}

# Nothing is kept between two requests: a connection would be of another process, or long closed.
sub send_it {
    my ($r, $field) = @_;

    my $mail = settings($r->dir_config('MailConfig'));
    open my $file, '<', $mail->{password_file} or die "$mail->{password_file}: $!\n";
    chomp(my $password = <$file>);
    return Net::SMTP::AuthC->send_mail(
        server   => $mail->{server}, username => $mail->{username}, password => $password, ca_file => $mail->{ca_file},
        from     => $mail->{from}, to => $mail->{to}, subject => "$field->{mark} for $field->{page}",
        text     => "$field->{page} got the mark $field->{mark}.\n",
        deadline => $WAIT,
    );
}

sub settings {
    my ($path) = @_;

    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
    return { map { /\A\s*([a-z_]+)\s+(.*\S)/ ? ($1 => $2) : () } <$file> };
}

1;
