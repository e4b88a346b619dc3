# Types: what a file is, by the end of its name.
package Net::SMTP::AuthC::Message::Types;

use 5.014;
use strict;
use warnings;

my %type;
while (my $line = <DATA>) {
    my ($type, @ends) = split ' ', $line;
    @type{@ends} = ($type) x @ends;
}
close DATA;

sub of {
    my ($name) = @_;

    my ($end) = $name =~ /\.([A-Za-z0-9]{1,8})\z/;
    return $type{ lc($end // '') };
}

1;

__DATA__
application/gzip gz tgz
application/json json
application/msword doc
application/pdf pdf
application/pkcs7-mime p7m
application/pkcs7-signature p7s
application/postscript ps eps
application/rtf rtf
application/vnd.ms-excel xls
application/vnd.ms-outlook msg
application/vnd.ms-powerpoint ppt
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/x-7z-compressed 7z
application/x-bzip2 bz2
application/x-tar tar
application/x-xz xz
application/xml xml
application/zip zip
audio/mp4 m4a
audio/mpeg mp3
audio/ogg ogg oga
audio/wav wav
image/avif avif
image/bmp bmp
image/gif gif
image/heic heic
image/jpeg jpg jpeg
image/png png
image/svg+xml svg
image/tiff tif tiff
image/vnd.microsoft.icon ico
image/webp webp
text/calendar ics
text/css css
text/csv csv
text/html html htm
text/markdown md
text/plain txt text log
text/vcard vcf
video/mp4 mp4
video/mpeg mpeg mpg
video/quicktime mov
video/webm webm
