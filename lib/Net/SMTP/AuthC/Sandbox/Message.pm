# A message the sandbox took, as the program that made it sees it: the envelope, who sent it how, and the octets.
package Net::SMTP::AuthC::Sandbox::Message;
use strict;
use warnings;

my @plain = qw(id session from mechanism mail_parameters tls helo via size time accepted user identity);
for my $name (@plain) {
    no strict 'refs';
    *$name = sub { return $_[0]{$name} };
}

# $event: what the session noted. The object owns the file, unless it is a guest, and keeps the folder it lies in.
sub new {
    my ($class, $event, $folder, $is_guest) = @_;
    my $self = bless { %$event, folder => $folder, owner => $is_guest ? 0 : $$ }, $class;
    $self->{refused_to} ||= [];
    utf8::decode($_) for grep { defined } @$self{qw(from user identity)}, @{ $self->{to} }, @{ $self->{refused_to} };
    $self->{tls} = '' unless defined $self->{tls};
    return $self;
}

sub to { return @{ $_[0]{to} } }

sub refused_to { return @{ $_[0]{refused_to} } }

sub rcpt_parameters { return @{ $_[0]{rcpt_parameters} } }

# The octets between the 354 and the reply to the final dot, or those of all chunks.
sub wire {
    my ($self) = @_;
    return $self->{wire} if defined $self->{wire};
    open my $handle, '<:raw', $self->{path} or die "cannot read $self->{path}: $!";
    local $/;
    my $octets = <$handle>;
    return $self->{wire} = defined $octets ? $octets : '';
}

sub data {
    my ($self) = @_;
    my $octets = $self->wire;
    return $octets if $self->{via} eq 'BDAT';
    $octets =~ s/\.\r\n\z//;
    $octets =~ s/(\A|\r\n)\./$1/g;
    return $octets;
}

# The field's text, unfolded; in list context every field of that name.
sub header {
    my ($self, $name) = @_;
    my ($head) = $self->data =~ /\A(.*?\r?\n)(?:\r?\n|\z)/s;
    return unless defined $head;
    $head =~ s/\r?\n(?=[ \t])//g;
    my @texts = $head =~ /^\Q$name\E[ \t]*:[ \t]*([^\r\n]*)/mig;
    return wantarray ? @texts : $texts[0];
}

# What comes behind the first empty line.
sub body {
    my ($self) = @_;
    return $self->data =~ /\A(?:\r?\n|.*?\r?\n\r?\n)(.*)\z/s ? $1 : '';
}

# What a careful client does not send: line ends that are no CRLF, lines over 998 octets, octets above 127 undeclared.
sub bare_lf { my $count = () = $_[0]->wire =~ /(?<!\r)\n/g; return $count }
sub bare_cr { my $count = () = $_[0]->wire =~ /\r(?!\n)/g; return $count }

sub longest_line {
    my ($self) = @_;
    my $longest = 0;
    for my $line (split /\r\n/, $self->data) { $longest = length $line if length $line > $longest }
    return $longest;
}

sub undeclared_8bit {
    my ($self) = @_;
    my $body = $self->{mail_parameters}{BODY};
    return defined $body && $body =~ /\A(?:8BITMIME|BINARYMIME)\z/i ? 0 : $self->wire =~ tr/\x80-\xff//;
}

# A clone in another thread would take the file with it when it goes.
sub CLONE_SKIP { return 1 }

sub DESTROY {
    my ($self) = @_;
    local ($@, $!, $?);
    unlink $self->{path} if $self->{owner} == $$ && defined $self->{path};
    return;
}

1;
