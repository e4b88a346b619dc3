# What the inbox gives out as it is: sources, attachments, transcripts, style and script; and a mail's HTML, caged.
package Net::SMTP::AuthC::Sandbox::Inbox::Files;
use strict;
use warnings;
use MIME::Base64 ();
use Net::SMTP::AuthC::Sandbox::Inbox::Static;

use constant IMAGES => 20_000_000;

# What a browser may show. All else, HTML and SVG above all, it is told to save.
my $image = qr{\Aimage/(?:png|jpeg|gif|webp|bmp|avif)\z};

# Nothing is loaded, nothing runs, nothing is sent, and only our own page may have it in a frame.
my $cage = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none';"
    . " base-uri 'none'; frame-ancestors 'self'";

sub static {
    my ($store, $request, $name) = @_;
    my %type = (css => 'text/css', js => 'text/javascript');
    my ($suffix) = $name =~ /\.([a-z]+)\z/;
    return (200, { 'Content-Type' => "$type{$suffix}; charset=utf-8" },
        Net::SMTP::AuthC::Sandbox::Inbox::Static::file($name));
}

# For the script: whether a page that it has is still true.
sub state { return (200, { 'Content-Type' => 'text/plain; charset=utf-8' }, $_[0]->state) }

sub raw {
    my ($store, $request, $id) = @_;
    my $mail = $store->mail($id);
    my %save = $request->{query}{dl} ? ('Content-Disposition' => 'attachment; filename="' . $mail->id . '.eml"') : ();
    return (200, { 'Content-Type' => 'text/plain; charset=utf-8', %save }, $mail->octets);
}

sub transcript {
    my ($store, $request, $number) = @_;
    return (200, { 'Content-Type' => 'text/plain; charset=utf-8' }, $store->session($number)->as_text);
}

sub part {
    my ($store, $request, $id, $part) = @_;
    my $mail = $store->mail($id);
    my $file = $mail->can('file')->($mail->part($part));
    my $type = $file->{type} =~ $image ? $file->{type}
        : $file->{type} eq 'text/plain' ? 'text/plain' : 'application/octet-stream';
    my $name = $file->{name};
    utf8::encode($name);
    $name =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ge;
    return (200, { 'Content-Type' => $type, 'Content-Disposition' => "attachment; filename*=UTF-8''$name" },
        $file->{content});
}

# What a mail says in <link>, <meta> and <base> is for browsers, and the cage does not hold all of it.
sub html {
    my ($store, $request, $id) = @_;
    my $mail = $store->mail($id);
    my $html = $mail->html;
    $html =~ s{<(/?)(link|meta|base)\b}{<$1no-$2}gi;
    $html = _with_images($mail, $html);
    utf8::encode($html);
    return (200, { 'Content-Type' => 'text/html; charset=utf-8', 'Content-Security-Policy' => $cage,
        'Referrer-Policy' => 'no-referrer' }, $html);
}

# Images of the mail's own, as far as there is room for them.
sub _with_images {
    my ($mail, $html) = @_;
    my %part = map { $_->{cid} => $_ } grep { $_->{cid} ne '' && $_->{type} =~ $image } $mail->attachments;
    my (%data, $sum);
    $html =~ s{\bcid:([^\s"'<>)]{1,998})}{
        my ($cid, $is) = ($1, $&);
        $cid =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
        my $part = $part{$cid};
        my $data = $part ? $data{$cid} ||= "data:$part->{type};base64,"
            . MIME::Base64::encode_base64($mail->can('file')->($part)->{content}, '') : $is;
        ($sum += length $data) > IMAGES ? $is : $data
    }gei;
    return $html;
}

1;
