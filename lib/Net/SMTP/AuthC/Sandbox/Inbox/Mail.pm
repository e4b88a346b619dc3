# One message as the inbox shows it: its envelope from the sandbox, its fields, texts and attachments as characters.
package Net::SMTP::AuthC::Sandbox::Inbox::Mail;
use strict;
use warnings;
use Net::SMTP::AuthC::Address;
use Net::SMTP::AuthC::Sandbox::Inbox::Mime;
use POSIX ();
use Time::Local ();

my $mime = 'Net::SMTP::AuthC::Sandbox::Inbox::Mime';
my %month;
@month{qw(jan feb mar apr may jun jul aug sep oct nov dec)} = 0 .. 11;

sub new {
    my ($class, $message) = @_;
    return bless { message => $message }, $class;
}

for my $name (qw(id time size accepted user session mechanism tls helo via)) {
    no strict 'refs';
    *$name = sub { return $_[0]{message}->$name };
}

sub sender     { return $_[0]{message}->from }
sub recipients { return $_[0]{message}->to }

# Of a message that somebody forgets just now nothing is left.
sub octets {
    my ($self) = @_;
    $self->{octets} = eval { $self->{message}->data } unless defined $self->{octets};
    return defined $self->{octets} ? $self->{octets} : '';
}

sub root { my ($self) = @_; return $self->{root} ||= $mime->can('parse')->($self->octets) }

# [name, text], ..., in their order.
sub fields {
    my ($self) = @_;
    return map { [ $mime->can('text')->($_->[0]), $mime->can('words')->($_->[1]) ] } @{ $self->root->{fields} };
}

sub field {
    my ($self, $name) = @_;
    my $octets = $mime->can('field')->($self->root, $name);
    return defined $octets ? $mime->can('words')->($octets) : '';
}

sub subject { return $_[0]->field('Subject') }

sub message_id { return $_[0]->field('Message-ID') =~ /\A\s*<?([^<>\s]*)/ ? $1 : '' }

# The mailboxes of a field as {Name, Address}; one that cannot be read is an address as it stands.
sub mailboxes {
    my ($self, $name) = @_;
    my $octets = $mime->can('field')->($self->root, $name);
    return if !defined $octets || $octets !~ /\S/ || $octets =~ /\A[^"<\@]*:\s*;\s*\z/;
    my $text = $mime->can('text')->($octets);
    my $list = eval { Net::SMTP::AuthC::Address->parse($text) };
    return { Name => '', Address => $self->field($name) } unless $list;
    return map { { Name => $mime->can('words')->(_octets($_->{name})), Address => $_->{address} } } @$list;
}

sub _octets {
    my ($text) = @_;
    utf8::encode($text);
    return $text;
}

sub from {
    my ($self) = @_;
    my ($from) = $self->mailboxes('From');
    return $from || { Name => '', Address => $self->sender };
}

# Those of the envelope, too, whom no field names.
sub bcc {
    my ($self) = @_;
    my %named = map { lc $_->{Address} => 1 } map { $self->mailboxes($_) } qw(To Cc Bcc);
    my @unnamed = grep { !$named{ lc $_ } } $self->recipients;
    return ($self->mailboxes('Bcc'), map { { Name => '', Address => $_ } } @unnamed);
}

# Seconds since the epoch by the field Date, or by our own clock.
sub date {
    my ($self) = @_;
    my ($day, $month, $year, $hour, $minute, $second, $zone) = $self->field('Date') =~
        /\b([0-9]{1,2}) +([A-Za-z]{3}) +([0-9]{4}) +([0-9]{2}):([0-9]{2})(?::([0-9]{2}))? *([+-][0-9]{4})?/
        or return $self->time;
    my $epoch = eval { Time::Local::timegm($second || 0, $minute, $hour, $day, $month{ lc $month }, $year) };
    return $self->time unless defined $epoch;
    my ($sign, $hours, $minutes) = ($zone || '+0000') =~ /(.)(..)(..)/;
    return $epoch - "${sign}1" * ($hours * 3600 + $minutes * 60);
}

# RFC 3339.
sub stamp {
    my ($seconds) = @_;
    return POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $seconds);
}

sub text { return $_[0]->_joined('text/plain') }
sub html { return $_[0]->_joined('text/html') }

sub _joined {
    my ($self, $type) = @_;
    my @parts = grep { _is_body($_) && $_->{type} eq $type } $mime->can('leaves')->($self->root);
    my $text = join "\n", map { $mime->can('text')->($mime->can('content')->($_), $_->{charset}) } @parts;
    $text =~ s/\r\n/\n/g;
    return $text;
}

sub _is_body {
    my ($part) = @_;
    return $part->{type} =~ m{\Atext/(?:plain|html)\z} && $part->{disposition} ne 'attachment' && $part->{name} eq '';
}

# Every other part.
sub attachments {
    my ($self) = @_;
    return grep { !_is_body($_) } $mime->can('leaves')->($self->root);
}

sub is_inline { return $_[0]{disposition} ne 'attachment' && $_[0]{cid} ne '' }

# An attachment by the id of its part.
sub part {
    my ($self, $id) = @_;
    my ($part) = grep { _part_id($_) eq $id } $self->attachments;
    return $part || die { status => 404, text => 'there is no such part' };
}

# A message that is nothing but an attachment has one part all the same.
sub _part_id { return $_[0]{id} eq '' ? '1' : $_[0]{id} }

# For people: {id, name, type, cid, content}.
sub file {
    my ($part) = @_;
    my $name = $part->{name} ne '' ? $part->{name} : 'part-' . _part_id($part);
    return { id => _part_id($part), name => $name, type => $part->{type}, is_inline => is_inline($part),
        cid => $mime->can('text')->($part->{cid}), content => $mime->can('content')->($part) };
}

sub snippet {
    my ($self) = @_;
    my $text = $self->text;
    if ($text !~ /\S/) {
        $text = $self->html;
        $text =~ s/<(style|script|title)\b.*?(?:<\/\1\s*>|\z)//gis;
        $text =~ s/<[^>]*>?/ /g;
    }
    $text =~ s/\s+/ /g;
    $text =~ s/\A | \z//g;
    return length $text > 250 ? substr($text, 0, 250) . '...' : $text;
}

1;
