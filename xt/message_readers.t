# What other modules make of our messages, what becomes of theirs, and the memory that a long attachment takes.
use strict;
use warnings;
use utf8;
use Encode ();
use File::Temp qw(tempdir);
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $folder = tempdir(CLEANUP => 1);
my $octets = pack 'C*', map { $_ * 31 % 256 } 1 .. 100_000;
my @names  = ('a.pdf', 'Rechnung für Köln.pdf', '日本語' x 20 . '.txt', 'quo"te\\s; x=y.txt', 'x' x 200 . '.doc', 'ü' x 200);
my ($text, $html) = ("Grüße ☃\n.\nFrom me\n", '<p>Grüße <img src="cid:logo">');

sub message_of { return Net::SMTP::AuthC::Message->new(from => 'Büro <a@x.test>', to => 'b@x.test', subject => 'Größe ☃', @_) }

my $message = message_of(text => $text, html => $html, inline => {logo => {data => $octets, type => 'image/png'}},
    attach => [map { {data => $octets, name => $_} } @names]);

# ---- our messages, read by others ----

subtest 'Email::MIME' => sub {
    plan skip_all => 'no Email::MIME' if !eval { require Email::MIME };
    my $mail = Email::MIME->new($message->as_string);
    is($mail->header_str('Subject'), 'Größe ☃', 'subject');
    my ($alternative, @attached) = $mail->subparts;
    my ($plain, $related) = $alternative->subparts;
    my ($shown, $image) = $related->subparts;
    is($plain->body_str =~ s/\r\n/\n/gr, $text, 'text');
    my ($id) = $image->header('Content-ID') =~ /<(.*)>/;
    is($shown->body_str =~ s/\r\n//gr, $html =~ s/cid:logo/cid:$id/r, 'HTML');
    ok($image->body eq $octets, 'the image');
    is(scalar(@attached), scalar(@names), 'the attachments');
    for my $i (0 .. $#names) {
        ok($attached[$i]->body eq $octets, 'octets');
        is($attached[$i]->filename, $names[$i], 'name ' . substr $names[$i], 0, 20);
    }
};

subtest 'MIME::Parser' => sub {
    plan skip_all => 'no MIME::Parser' if !eval { require MIME::Parser; require MIME::WordDecoder };
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my $entity = $parser->parse_data($message->as_string);
    is(join('', $parser->results->errors, $parser->results->warnings), '', 'no complaint');
    my ($alternative, @attached) = $entity->parts;
    is(Encode::decode('UTF-8', $alternative->parts(0)->bodyhandle->as_string) =~ s/\r\n/\n/gr, $text, 'text');
    is($alternative->parts(1)->effective_type, 'multipart/related', 'related');
    for my $i (0 .. $#names) {
        ok($attached[$i]->bodyhandle->as_string eq $octets, 'octets');
        my $name = $attached[$i]->head->recommended_filename;
        is(utf8::is_utf8($name) ? $name : Encode::decode('UTF-8', $name), $names[$i], 'name ' . substr $names[$i], 0, 20);
    }
};

subtest "Python's email" => sub {
    my $program = <<'PYTHON';
import sys, email, email.policy
mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
out = open(1, 'w', encoding='utf-8')
faults = [fault for part in mail.walk() for fault in part.defects]
print(faults, mail['Subject'], file=out)
for part in mail.iter_attachments():
    print(len(part.get_content() if part.get_content_maintype() != 'text' else part.get_payload(decode=True)), part.get_filename(), file=out)
PYTHON
    my $path = "$folder/mail";
    open my $file, '>:raw', $path or die $!;
    print {$file} $message->as_string;
    close $file or die $!;
    open my $script, '>:encoding(UTF-8)', "$folder/read.py" or die $!;
    print {$script} $program;
    close $script or die $!;
    my @lines = qx{python3 "$folder/read.py" < "$path" 2>&1};
    plan skip_all => 'no Python' if $?;
    chomp @lines;
    is(Encode::decode('UTF-8', shift @lines), '[] Größe ☃', 'no defect');
    is(Encode::decode('UTF-8', $lines[$_] // ''), '100000 ' . $names[$_], 'name ' . substr $names[$_], 0, 20) for 0 .. $#names;
};

# ---- messages of others, sent by us ----

my %other = (
    'Email::MIME' => sub {
        return Email::MIME->create(header_str => [From => 'a@x.test', To => 'b@x.test', Subject => 'Größe'], parts => [map {
            Email::MIME->create(attributes => {content_type => 'application/octet-stream', encoding => 'base64'}, body => $_) } $octets, 'x']);
    },
    'Email::Stuffer' => sub { return Email::Stuffer->from('a@x.test')->to('b@x.test')->subject('s')->text_body('t')->attach($octets, name => 'a.bin') },
    'Email::Simple' => sub { return Email::Simple->create(header => [From => 'a@x.test', To => 'b@x.test'], body => "t\n") },
    'MIME::Entity' => sub {
        my $entity = MIME::Entity->build(From => 'a@x.test', To => 'b@x.test', Data => ["t\n"]);
        $entity->attach(Data => $octets, Encoding => 'base64', Type => 'application/octet-stream');
        return $entity;
    },
    'MIME::Lite' => sub {
        my $lite = MIME::Lite->new(From => 'a@x.test', To => 'b@x.test', Type => 'multipart/mixed');
        $lite->attach(Type => 'application/octet-stream', Data => $octets, Encoding => 'base64');
        return $lite;
    },
);

for my $class (sort keys %other) {
    subtest "$class by submit" => sub {
        plan skip_all => "no $class" if !eval "require $class; 1";
        my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none');
        my $object = $other{$class}->();
        my $smtp = Net::SMTP::AuthC->connect($server->url . '?tls=none');
        my $receipt = $smtp->submit($object, from => 'a@x.test', to => 'b@x.test');
        my ($taken) = $server->wait_for(count => 1);
        ok($taken->data eq $object->as_string =~ s/\r?\n/\r\n/gr, 'arrives as it is');
        is($receipt->bytes, $taken->mail_parameters->{SIZE}, 'SIZE');
    };
}

# ---- memory ----

subtest 'a long attachment' => sub {
    plan skip_all => 'no /proc' if !-r '/proc/self/status';
    my $path = "$folder/long";
    open my $file, '>:raw', $path or die $!;
    truncate $file, 50 << 20 or die $!;
    close $file or die $!;
    my $server = Net::SMTP::AuthC::Sandbox->new(tls => 'none', size_limit => 100 << 20);
    my $program = <<'PERL';
use strict;
use warnings;
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Message;
sub peak { open my $status, '<', '/proc/self/status' or die $!; return map { /^VmHWM:\s+([0-9]+) kB/ } <$status> }
my ($url, $path) = @ARGV;
for my $attached ("$path.short", $path) {
    my $message = Net::SMTP::AuthC::Message->new(from => 'a@x.test', to => 'b@x.test', text => 't', attach => $attached);
    my $smtp = Net::SMTP::AuthC->connect("$url?tls=none");
    my $receipt = $smtp->submit($message, from => 'a@x.test', to => 'b@x.test');
    print join(' ', peak(), $receipt->bytes - $message->size), "\n";
}
PERL
    open my $short, '>:raw', "$path.short" or die $!;
    print {$short} 'x' x 200_000;
    close $short or die $!;
    open my $perl, '-|', $^X, (map { "-I$_" } @INC), '-e', $program, $server->url, $path or die "fork: $!";
    my ($before, $after) = <$perl>;
    like($after, qr/\A[0-9]+ 0\n\z/, 'sent') or return;
    cmp_ok((split ' ', $after)[0] - (split ' ', $before)[0], '<', 2048, 'KB more for 50 MB');
};

done_testing;
