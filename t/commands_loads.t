# What is loaded when: by use the shared object only, by a classic mail nothing that four lines can do without.
# valgrind: no
use strict;
use warnings;
use Config;
use File::Spec;
use File::Temp;
use lib 't/lib';
use Face;
use Test::More;

# Of a plain mail by the sending face: what is added here, every such script pays for.
my @PLAIN = map { "Net/SMTP/$_.pm" } 'AuthC', map { "AuthC/$_" } qw(Connect Envelope Login Options Quit Receipt
    ServerAddress Source Submission TlsOptions);

# As installed: in blib the shared object does not lie where XSLoader looks first, so that it calls for DynaLoader.
my $installed = File::Temp->newdir;
my ($lib)  = $INC{'Net/SMTP/AuthC.pm'} =~ m{(.*)/Net/SMTP/AuthC.pm\z};
my ($auto) = grep { -e "$_/Net/SMTP/AuthC/AuthC.$Config{dlext}" } map { "$_/auto" } @INC;
symlink File::Spec->rel2abs("$lib/Net"), "$installed/Net" or die "symlink: $!";
symlink File::Spec->rel2abs($auto), "$installed/auto" or die "symlink: $!";
my @perl = ($^X, "-I$installed");

# The files that a fresh perl has loaded behind the code, without those of strict, warnings and the like.
sub loaded_by {
    my ($code, @arguments) = @_;
    my $script = "use strict; use warnings; $code" . '; print "loaded: $_\n" for sort keys %INC';
    open my $handle, '-|', @perl, '-e', $script, @arguments or die "perl: $!";
    my %loaded = map { /\Aloaded: (.*)/ ? ($1 => 1) : () } <$handle>;
    ok(close $handle, 'it ran');
    return grep { !/\A(?:strict|warnings|feature|overloading|warnings\/register)\.pm\z/ } sort keys %loaded;
}

subtest 'use Net::SMTP::AuthC' => sub {
    is_deeply([loaded_by('use Net::SMTP::AuthC')], ['Net/SMTP/AuthC.pm', 'XSLoader.pm'], 'loads itself and XSLoader');
    is_deeply([loaded_by('use Net::SMTP::AuthC; Net::SMTP::AuthC->can("mail") or die;
        !Net::SMTP::AuthC->can("nothing") or die')], ['Net/SMTP/AuthC.pm', 'XSLoader.pm'], 'can loads nothing');
};

subtest 'a classic mail' => sub {
    my $server = sandbox(tls => 'implicit', users => {demo => 'secret'});
    my @loaded = loaded_by('use Net::SMTP::AuthC; my ($port, $ca) = @ARGV;
        my $smtp = Net::SMTP::AuthC->new("localhost", Port => $port, SSL => 1, SSL_ca_file => $ca) or die $@;
        $smtp->auth("demo", "secret") && $smtp->mail(q{a@b.test}) && $smtp->to(q{c@d.test}) && $smtp->data("text\n")
            && $smtp->quit or die $smtp->message', $server->port, $server->ca_file);
    is(scalar(my @messages = $server->messages), 1, 'is sent');
    my $avoided = qr{\A(?:IO|Net/Cmd|Net/SMTP\.pm|MIME|Encode|Socket|Digest|Errno|Symbol|POSIX|Config|Time|utf8)};
    is_deeply([grep { $_ =~ $avoided } @loaded], [], 'without IO::*, Net::Cmd, MIME::*, Encode and their like');
    my @ours = map { "Net/SMTP/$_.pm" } 'AuthC', map { "AuthC/$_" } qw(Commands Error Login Options Quit Status
        TlsOptions TlsOptions/Reader Transaction);
    is_deeply([grep { !m{\A(?:XSLoader|overload)\.pm\z} } @loaded], \@ours, 'with these only')
        or diag "@loaded";
};

subtest 'a script of the sending face' => sub {
    my $server = sandbox(tls => 'implicit', users => {demo => 'secret'});
    my @loaded = loaded_by('use Net::SMTP::AuthC; my ($url, $ca) = @ARGV;
        my $smtp = Net::SMTP::AuthC->connect($url, username => "demo", password => "secret", ca_file => $ca);
        $smtp->submit("Subject: x\n\ntext\n", from => q{a@b.test}, to => [q{c@d.test}])->all_sent or die;
        $smtp->quit or die',
        $server->url, $server->ca_file);
    is(scalar(my @messages = $server->messages), 1, 'is sent');
    is_deeply(\@loaded, [@PLAIN, 'XSLoader.pm'], 'with these only') or diag "@loaded";
};

# What loads a file on the way to an error must not lose the words.
subtest 'the first error of a program' => sub {
    my $code = 'use Net::SMTP::AuthC; Net::SMTP::AuthC->connect(q{smtps://localhost:1}, @ARGV)';
    for (['ca_file', "$installed/none", qr{\ATLS set-up: .*/none}], ['timeout', 'x', qr/\Atimeout: a number/]) {
        my ($name, $value, $words) = @$_;
        open my $handle, '-|', @perl, '-e', "eval { $code }; print \$@", $name, $value or die "perl: $!";
        like(join('', <$handle>), $words, $name);
    }
};

# As in a daemon whose descriptors are all in use.
subtest 'an error whose file cannot be read' => sub {
    my $server = sandbox(tls => 'none');
    my $code = 'use Net::SMTP::AuthC; my $url = shift; Net::SMTP::AuthC->connect($url)->quit; my @open;
        while (open my $null, "<", "/dev/null") { push @open, $null }
        eval { Net::SMTP::AuthC->connect($url) }; @open = (); print $@';
    open my $handle, '-|', 'sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', @perl, '-e', $code,
        'smtp://localhost:' . $server->port . '?tls=none' or die "sh: $!";
    like(join('', <$handle>), qr/\A(?!Can't locate).*too many open files/i, 'comes with the words');
};

subtest 'both faces in one program' => sub {
    is_deeply([warnings_of(sub { require Net::SMTP::AuthC::Commands; require Net::SMTP::AuthC::Submission })], [],
        'no sub of one replaces a sub of the other');
};

done_testing;
