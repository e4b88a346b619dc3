# The guide for those who come from another module: its code is run, as it stands there, against the sandbox.
# valgrind: no
use 5.014;
use strict;
use warnings;
use File::Temp;
use lib 't/lib';
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Subprocess qw(run_perl);
use Test::More;

my $guide = 'lib/Net/SMTP/AuthC/Migrating.pod';
my %users = (users => {user => 'password'});
my $implicit = Net::SMTP::AuthC::Sandbox->new(tls => 'implicit', %users);
my $starttls = Net::SMTP::AuthC::Sandbox->new(tls => 'starttls', %users);
$ENV{SSL_CERT_FILE} = $implicit->ca_file;
delete @ENV{grep { /\A(?:SSL_CERT_DIR|EMAIL_SENDER_)/ } keys %ENV};

# What the reader has in his script.
my $script = <<'END';
use strict;
use warnings;
my ($user, $password, $from, @to) = qw(user password me@example.test you@example.test them@example.test);
my $message = "From: $from\nTo: $to[0]\nSubject: Report\n\nAll is well.\n";
END

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

# The pieces of code behind "=for before" or "=for after": section, that word, what stands behind it, and the code.
sub pieces {
    my ($path) = @_;
    my (@pieces, $section);
    for my $paragraph (split /(?<=\n)\n+/, slurp($path)) {
        $section = $1 if $paragraph =~ /\A=head1 (.*)/;
        push @pieces, {section => $section, when => $1, words => $2, code => ''}
            if $paragraph =~ /\A=for (before|after) ?(.*)/;
        $pieces[-1]{code} .= $paragraph if @pieces && !length $pieces[-1]{code} && $paragraph =~ /\A    /;
    }
    return @pieces;
}

# With the names and ports of the sandbox.
sub moved_here {
    my ($code) = @_;
    my %port = (465 => $implicit->port, 587 => $starttls->port);
    $code =~ s{smtps://smtp\.example\.com\b}{$implicit->url}ge;
    $code =~ s{smtp://smtp\.example\.com(?::587)?\b}{$starttls->url}ge;
    $code =~ s{\bsmtp\.example\.com\b}{localhost}g;
    $code =~ s{\b([pP]ort => )(465|587)\b}{$1$port{$2}}g;
    return $code;
}

sub is_installed {
    my ($module) = @_;
    return !(run_perl("require $module;"))[0];
}

sub check {
    my ($piece) = @_;
    my ($switch) = $piece->{words} =~ /(-replace\S*)/;
    run_piece($switch ? ["-MNet::SMTP::AuthC=$switch"] : [], $piece->{code}, $piece->{words} =~ /with a dialogue/);
    return;
}

# It sends one mail, over TLS, with a login, and complains of nothing.
sub run_piece {
    my ($switches, $code, $has_dialogue) = @_;
    my ($status, undef, $said) = run_perl($switches, $script . moved_here($code));
    is($status, 0, 'it runs');
    $has_dialogue ? like($said, qr/^C: QUIT$/m, 'a dialogue') : is($said, '', 'no complaint');
    my @mails = map { $_->messages } $implicit, $starttls;
    is(scalar @mails, 1, 'one mail');
    $_->clear for $implicit, $starttls;
    is_about(@mails);
    return;
}

sub is_about {
    my ($mail) = @_;
    return if !$mail;
    is($mail->user, 'user', 'the login');
    ok($mail->tls, 'TLS');
    is($mail->from, 'me@example.test', 'the sender');
    is_deeply([$mail->to], [qw(you@example.test them@example.test)], 'the recipients');
    is($mail->header('Subject'), 'Report', 'the subject');
    like($mail->body, qr/\AAll is well\.\r\n(?:\r\n)?\z/, 'the text');
    return;
}

my @pieces = pieces($guide);
for my $section ('Net::SMTP', 'Net::SMTPS', 'Net::SMTP::SSL', 'Net::SMTP::TLS', 'Net::SMTP_auth', 'Mail::Sender',
    'A script with a socket', 'MIME::Lite', 'Email::Sender', 'Mail::Mailer'
) {
    ok(scalar(grep { $_->{section} eq $section && $_->{when} eq 'after' } @pieces), "$section has an after");
}
for my $piece (@pieces) {
    my ($needs) = $piece->{words} =~ /needs (.*)/;
    my ($missing) = grep { !is_installed($_) } split ' ', $needs // '';
    subtest "$piece->{section}, $piece->{when}" . ($piece->{words} =~ /(-replace\S*)/ ? ", $1" : '') => sub {
        plan skip_all => "$missing is not installed" if $missing;
        check($piece);
    };
}

# A script that knows neither TLS nor logins.
my $plain = <<'END';
use Net::SMTP;
my $smtp = Net::SMTP->new('smtp.example.com', Port => 587) or die $@;
$smtp->mail($from) && $smtp->to(@to) && $smtp->data($message) or die $smtp->message;
$smtp->quit;
END

subtest 'the switch with a login' => sub {
    my ($switch) = slurp($guide) =~ /^    perl (-MNet::SMTP::AuthC=-replace,\S*password_file=\S*) script/m;
    my $file = File::Temp->new;
    print {$file} "password\n";
    close $file;
    $switch =~ s{username=\w+}{username=user};
    $switch =~ s{password_file=[^,]*}{password_file=$file};
    run_piece([$switch], $plain);
};

subtest 'the line at the top' => sub {
    my ($line) = slurp($guide) =~ /^    (use Net::SMTP::AuthC -replace => .*)/m;
    $line =~ s/\{/{username => 'user', password => 'password', /;
    run_piece([], "$line\n$plain");
};

done_testing;
