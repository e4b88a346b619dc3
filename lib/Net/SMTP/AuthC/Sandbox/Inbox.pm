# The sandbox's web inbox: who may ask for what, and which page, file or answer of the API it gets.
package Net::SMTP::AuthC::Sandbox::Inbox;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Inbox::Api;
use Net::SMTP::AuthC::Sandbox::Inbox::Files;
use Net::SMTP::AuthC::Sandbox::Inbox::Http;
use Net::SMTP::AuthC::Sandbox::Inbox::Pages;
use Net::SMTP::AuthC::Sandbox::Inbox::Store;

use constant PATIENCE => 60;

my ($api, $files, $pages) = map { "Net::SMTP::AuthC::Sandbox::Inbox::$_" } qw(Api Files Pages);
my $id   = qr/([0-9]+\.[0-9]+|latest)/;
my $part = qr/([0-9]+(?:\.[0-9]+)*)/;

# Each: method, path, and the sub that answers with a status, header fields and a body; it gets what the path holds.
my @route = (
    [ GET    => qr{/},                                  $pages->can('list') ],
    [ GET    => qr{/message/$id},                       $pages->can('message') ],
    [ GET    => qr{/sessions},                          $pages->can('sessions') ],
    [ GET    => qr{/session/([0-9]+)},                  $pages->can('session') ],
    [ GET    => qr{/faults},                            $pages->can('faults') ],
    [ POST   => qr{/faults},                            $pages->can('set_faults') ],
    [ POST   => qr{/clear},                             $pages->can('clear') ],
    [ GET    => qr{/(inbox\.css|inbox\.js)},            $files->can('static') ],
    [ GET    => qr{/state},                             $files->can('state') ],
    [ GET    => qr{/message/$id/html},                  $files->can('html') ],
    [ GET    => qr{/session/([0-9]+)/text},             $files->can('transcript') ],
    [ GET    => qr{/api/v1/message/$id/raw},            $files->can('raw') ],
    [ GET    => qr{/api/v1/message/$id/part/$part},     $files->can('part') ],
    [ GET    => qr{/api/v1/info},                       $api->can('info') ],
    [ GET    => qr{/api/v1/messages},                   $api->can('messages') ],
    [ DELETE => qr{/api/v1/messages},                   $api->can('delete_messages') ],
    [ GET    => qr{/api/v1/search},                     $api->can('search') ],
    [ DELETE => qr{/api/v1/search},                     $api->can('delete_found') ],
    [ GET    => qr{/api/v1/message/$id},                $api->can('message') ],
    [ GET    => qr{/api/v1/message/$id/headers},        $api->can('headers') ],
    [ GET    => qr{/api/v1/chaos},                      $api->can('chaos') ],
    [ PUT    => qr{/api/v1/chaos},                      $api->can('set_chaos') ],
);

# The folder of a sandbox. The token is what a form of ours knows, and no page of somebody else's.
sub new {
    my ($class, $folder) = @_;
    return bless { folder => $folder, token => _random(), began => time }, $class;
}

sub _random {
    open my $handle, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $handle, my $octets, 16;
    return unpack 'H*', $octets;
}

# One request of a Net::SMTP::AuthC::Sandbox::Stream, in a process of its own.
sub answer {
    my ($self, $stream) = @_;
    alarm PATIENCE;    # whoever is slow on purpose
    my ($request, @answer) = ({ method => 'GET' });
    my $good = eval {
        $request = Net::SMTP::AuthC::Sandbox::Inbox::Http::request($stream);
        @answer = $self->_answer_to($request);
    };
    @answer = _failure($@) unless $good;
    push @answer, $request->{method} eq 'HEAD';
    eval { Net::SMTP::AuthC::Sandbox::Inbox::Http::respond($stream, @answer) } if @answer > 1;
    $stream->close;
    return;
}

sub _failure {
    my ($died) = @_;
    return if ref $died eq 'HASH' && exists $died->{ended};    # nobody is there any more
    my ($status, $text) = ref $died eq 'HASH' ? @$died{qw(status text)} : (500, 'the inbox failed');
    warn "the inbox failed: $died" if $status == 500;
    return ($status, { 'Content-Type' => 'text/plain; charset=utf-8' }, "$text\n");
}

sub _answer_to {
    my ($self, $request) = @_;
    _check_host($request->{field});
    $self->_check_origin($request) unless $request->{method} =~ /\A(?:GET|HEAD)\z/;
    my $method = $request->{method} eq 'HEAD' ? 'GET' : $request->{method};
    my @here = grep { $request->{path} =~ /\A$_->[1]\z/ } @route;
    die { status => 404, text => 'there is no such page' } unless @here;
    my ($route) = grep { $_->[0] eq $method } @here;
    die { status => 405, text => 'that cannot be done here' } unless $route;
    my @held = $request->{path} =~ /\A$route->[1]\z/;
    my $store = Net::SMTP::AuthC::Sandbox::Inbox::Store->new(folder => $self->{folder}, began => $self->{began});
    return $route->[2]->($store, { %$request, token => $self->{token} }, @held);
}

# A name that somebody else's DNS has for 127.0.0.1 is not ours: his pages would be of one origin with these.
sub _check_host {
    my ($field) = @_;
    my $host = defined $field->{host} ? $field->{host} : '';
    return if $host =~ /\A(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?\z/i;
    die { status => 421, text => 'this inbox is called 127.0.0.1 or localhost only' };
}

# What changes something is for our own pages and for programs, which say nothing of where they come from. Forms,
# which any page can send, bring the token besides.
sub _check_origin {
    my ($self, $request) = @_;
    my $field = $request->{field};
    my $refuse = sub { die { status => 403, text => "refused: $_[0]" } };
    my ($site, $origin) = @$field{qw(sec-fetch-site origin)};
    $refuse->('another site asks for it') if defined $site && $site !~ /\A(?:same-origin|none)\z/;
    $refuse->('another origin asks for it') if defined $origin && lc $origin ne lc "http://$field->{host}";
    return if $request->{method} ne 'POST';
    my $token = Net::SMTP::AuthC::Sandbox::Inbox::Http::form($request->{body})->{token};
    $refuse->('the form is not from this inbox; load the page again')
        unless defined $token && $token eq $self->{token};
    return;
}

1;
