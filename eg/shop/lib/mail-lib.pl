# mail-lib.pl: send_mail($from, $to, $subject, $body), as old shops call it: true, or false with the reason in $@.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);
use Net::SMTP::AuthC;

# The same mail is sent once, however often this is called, by however many processes.
sub send_mail {
    my ($from, $to, $subject, $body) = @_;

    my $mail = mail_settings();
    return eval {
        Net::SMTP::AuthC->send_mail(
            server   => $mail->{server},
            username => $mail->{username}, password => sub { first_line_of($mail->{password_file}) },
            ca_file  => $mail->{ca_file},
            from     => $from, to => $to, subject => $subject, text => $body,
            once     => sha256_hex(encode_utf8(join "\0", $from, $to, $subject, $body)),
            ledger   => "$ENV{SHOP_DATA}/ledger",
        );
    };
}

# Lines of name and value in mail.conf.
sub mail_settings {
    my $path = "$ENV{SHOP_DATA}/mail.conf";
    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
    return { map { /\A\s*([a-z_]+)\s+(.*\S)/ ? ($1 => $2) : () } <$file> };
}

sub first_line_of {
    my ($path) = @_;

    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
    chomp(my $line = <$file> // '');
    return $line;
}

1;
