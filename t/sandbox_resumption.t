# TLS sessions that go on in a later connection, seen from both ends, in one process and across processes.
use strict;
use warnings;
use File::Temp ();
use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Sandbox;
use Test::More;

sub sandbox { return Net::SMTP::AuthC::Sandbox->new(users => { demo => 'secret' }, @_) }

# Whether each of some connections after one another was resumed, as both ends tell it.
sub resumed {
    my ($server, $count, @options) = @_;
    my $seen = () = $server->sessions;
    my @client;
    for (1 .. $count) {
        my $smtp = Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, username => 'demo',
            password => 'secret', @options);
        push @client, $smtp->tls->{resumed};
        $smtp->quit;
    }
    $server->wait_for(sub { @{ [ $server->sessions ] } >= $seen + $count });
    my @server = map { $_->resumed } @{ [ $server->sessions ] }[ $seen .. $seen + $count - 1 ];
    is("@server", "@client", 'both ends agree');
    return "@client";
}

subtest 'in one process' => sub {
    for my $tls (qw(implicit starttls)) {
        my $server = sandbox(tls => $tls);
        is(resumed($server, 3), '0 1 1', "$tls: from the second connection on");
        is(resumed($server, 2, resumption => 0), '0 0', "$tls: not with resumption => 0");
        is(resumed($server, 2, insecure_no_verify => 1), '0 0', "$tls: nor unverified");
    }
};

subtest 'another server does not know the session' => sub {
    my ($one, $other) = (sandbox(tls => 'implicit'), sandbox(tls => 'implicit'));
    is(resumed($one, 1), '0', 'one');
    is(resumed($other, 1), '0', 'the other');
    is(resumed($one, 1), '1', 'the one again');
};

subtest 'a message in a resumed session' => sub {
    my $server = sandbox(tls => 'implicit', client_ca => 1);
    my ($certificate, $key) = $server->client_certificate('shop.test');
    for my $number (1 .. 2) {
        my $receipt = Net::SMTP::AuthC->send_mail(server => $server->url, ca_file => $server->ca_file,
            certificate_file => $certificate, key_file => $key, username => 'demo', password => 'secret',
            from => 'a@b.test', to => 'c@d.test', subject => "number $number", text => 'Hello');
        ok($receipt->all_sent, "number $number was sent");
    }
    $server->wait_for(sessions => 2);
    is_deeply([ map { $_->client_certificate } $server->sessions ], [ ('CN=shop.test') x 2 ],
        'the server still knows the client');
    like(join("\n", map { $_->lines } $server->sessions), qr/^-- TLS: TLSv1\.3, resumed$/m, 'the second was resumed');
};

# A program of its own for each connection, as a CGI script is.
sub in_child {
    my ($server, @options) = @_;
    my $pid = open my $from, '-|';
    if (!defined $pid) { die "fork: $!" }
    if ($pid == 0) {
        my $smtp = eval { Net::SMTP::AuthC->connect($server->url, ca_file => $server->ca_file, @options) };
        print $smtp ? $smtp->tls->{resumed} : "$@";
        $smtp->quit if $smtp;
        close STDOUT;
        require POSIX;
        POSIX::_exit(0);
    }
    my $said = join '', <$from>;
    close $from;
    return $said;
}

subtest 'across processes by a file' => sub {
    my $folder = File::Temp->newdir;
    my $file   = "$folder/sessions";
    my $server = sandbox(tls => 'implicit', require_auth => 0);
    is(in_child($server), 0, 'without a file');
    is(in_child($server), 0, 'each begins anew');
    is(in_child($server, session_file => $file), 0, 'with a file the first one, too');
    is((stat $file)[2] & 0777, 0600, 'the file is for its owner alone');
    is(in_child($server, session_file => $file), 1, 'but not the second');
    is(in_child($server, session_file => $file, insecure_no_verify => 1), 0, 'nor is it for one that verifies less');
    chmod 0644, $file;
    like(in_child($server, session_file => $file), qr/session_file: \Q$file\E is open to other users .*chmod 600/,
        'a file that others can read is refused');
};

done_testing;
