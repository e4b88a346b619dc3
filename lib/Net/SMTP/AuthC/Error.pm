# Error: one failure, told in one line: what failed, where, and what to do.
package Net::SMTP::AuthC::Error;

use 5.014;
use strict;
use warnings;

use overload '""' => 'as_string', bool => sub { 1 }, fallback => 1;

my @KINDS  = qw(usage connect tls protocol auth refused deferred timeout closed interrupted system);
my @FIELDS = qw(kind step server code enhanced text temporary may_have_been_sent hint transcript receipt file line);

my %is_kind  = map { $_ => 1 } @KINDS;
my %is_field = map { $_ => 1 } @FIELDS;
my %may_pass = map { $_ => 1 } qw(connect deferred timeout closed interrupted system);

# By kind and reply code, or by kind alone.
my %usual_hint = (
    'auth 534'    => 'the server wants another mechanism for this user',
    'auth 535'    => 'check user name and password; many providers want an app password or an OAuth token here',
    'auth 538'    => 'the server wants TLS before the login',
    'refused 530' => 'the server wants a login or TLS first',
    connect       => q{check the server's name and port, and that no firewall is in the way},
    deferred      => 'try again later',
    timeout       => 'try again later, or allow more time',
);

my $TEXT_MAX = 512;

for my $field (@FIELDS) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

sub new {
    my ($class, %given) = @_;

    _check(\%given);
    my $self = bless {%given}, $class;
    $self->{temporary} = $self->_may_pass if !defined $given{temporary};
    $self->{$_} = $self->{$_} ? 1 : 0 for qw(temporary may_have_been_sent);
    $self->{hint} = $self->_usual_hint if !defined $given{hint};
    $self->{server} =~ s{\A([a-z+]+://)?.*@}{ $1 // '' }sie if defined $given{server};
    @$self{qw(file line)} = _place() if !defined $given{file};
    return $self;
}

sub throw {
    my ($self, @given) = @_;

    die ref $self ? $self : $self->new(@given);
}

sub usage {
    my ($class, $text, $hint) = @_;

    return $class->throw(kind => 'usage', text => $text, hint => $hint);
}

sub _check {
    my ($given) = @_;

    for my $name (sort keys %$given) {
        __PACKAGE__->usage(qq{unknown field "$name" of an error}) if !$is_field{$name};
    }
    my $kind = $given->{kind} // '';
    __PACKAGE__->usage(qq{unknown kind "$kind" of an error}) if !$is_kind{$kind};
    return;
}

# Where the reply says it, the reply; a message that may be out is never to be tried again unseen.
sub _may_pass {
    my ($self) = @_;

    return 0 if $self->{may_have_been_sent};
    return $self->{code} =~ /\A4/ if $self->{code};
    return $may_pass{ $self->{kind} };
}

sub _usual_hint {
    my ($self) = @_;

    return $usual_hint{"$self->{kind} " . ($self->{code} || 0)} if $self->{kind} =~ /\A(?:auth|refused)\z/;
    return $self->{may_have_been_sent} ? undef : $usual_hint{ $self->{kind} };
}

# The nearest frame that is not ours; only the file and the line are kept, never the arguments.
sub _place {
    my ($level, @place) = (1);

    while (my ($package, $file, $line) = caller $level++) {
        @place = ($file, $line);
        last if $package !~ /\ANet::SMTP::AuthC(?:::|\z)/;
    }
    return @place[0, 1];
}

sub message {
    my ($self) = @_;

    my $where = join ' with ', grep { defined && length } @$self{qw(step server)};
    my $what  = join ' ', grep { defined && length } $self->_code, $self->{enhanced}, $self->_words;
    my @hints = grep { defined && length } $self->{hint};
    push @hints, 'the message may have been sent: look before sending it again' if $self->{may_have_been_sent};
    my $line = join ': ', grep { length } $where, $what;
    $line .= ' (' . join('; ', @hints) . ')' if @hints;
    return visible($line);
}

sub _code { return $_[0]{code} || undef }

# The text without the codes it may begin with, as one line that is not endless.
sub _words {
    my ($self) = @_;

    my $text = substr $self->{text} // '', 0, 2 * $TEXT_MAX;
    for my $code (grep { $_ } @$self{qw(code enhanced)}) {
        $text =~ s/\A\Q$code\E(?:[ -]|\z)//;
    }
    $text =~ s/\s*[\r\n]+\s*/ /g;
    $text =~ s/\A\s+|\s+\z//g;
    substr($text, $TEXT_MAX) = '...' if length $text > $TEXT_MAX;
    return length $text || $self->{code} ? $text : "$self->{kind} error";
}

sub as_string {
    my ($self) = @_;

    my $place = defined $self->{file} ? ' at ' . visible($self->{file}) . " line $self->{line}" : '';
    return $self->message . "$place.\n";
}

# A backslash that could be mistaken for one of ours is shown as one of ours.
sub visible {
    my ($text) = @_;

    $text =~ s/([^\x20-\x7e]|\\(?=x[0-9A-F]{2}|x\{))/sprintf ord $1 > 255 ? '\x{%X}' : '\x%02X', ord $1/ge;
    return $text;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Error - what failed, where, and what to do

=head1 SYNOPSIS

    use Net::SMTP::AuthC::Error;

    eval {
        Net::SMTP::AuthC::Error->throw(
            kind => 'auth', step => 'AUTH', server => 'smtp.example.com',
            code => 535, enhanced => '5.7.8', text => 'Authentication failed',
        );
        1;
    } or do {
        my $error = $@;
        print $error;                                # one line, ends in "at FILE line N."
        print "later\n" if $error->temporary;        # nothing here: 535 is final
    };

=head1 DESCRIPTION

Every failure of the sending face of L<Net::SMTP::AuthC> is thrown as such an object; its Net::SMTP face keeps it in
C<< $smtp->error >>. As a string it is one printable line of ASCII:

    AUTH with smtp.example.com: 535 5.7.8 Authentication failed (check user name ...) at shop.pl line 12.

The file and line are those of the nearest caller outside C<Net::SMTP::AuthC> and its parts. As a boolean it is true.

An error never holds a secret: it has no field for one, a user name and password before the C<@> of C<server> are
dropped, the arguments of the calls on the stack are not kept, and the transcript was redacted when it was written.

=head1 METHODS

=head2 new(%fields)

    my $error = Net::SMTP::AuthC::Error->new(kind => 'timeout', step => 'EHLO', text => 'no reply for 300 s');

Makes one without throwing it. C<kind> is needed; a field it does not know is an error itself.

=head2 throw(%fields)

    Net::SMTP::AuthC::Error->throw(kind => 'usage', text => 'no recipient');
    $error->throw;

Dies with a new error, or with the object it is called on.

=head2 usage($text, $hint)

    Net::SMTP::AuthC::Error->usage('unknown argument "form"', 'did you mean "from"?');

Throws an error of kind C<usage>; the hint may be left out.

=head2 kind

Whose fault it is:

=over 4

=item usage

an argument of the caller; nothing was sent because of it

=item connect

the name lookup or the connection

=item tls

STARTTLS, the handshake or the certificate

=item protocol

the server broke the protocol

=item auth

no usable mechanism, or the login was refused

=item refused

the server answered 5yz

=item deferred

the server answered 4yz

=item timeout

a time limit passed

=item closed

the connection ended

=item interrupted

a call was left half-way, by a signal handler that died

=item system

memory or descriptors ran out

=back

=head2 step

The step it happened at: C<connect>, C<EHLO>, C<AUTH>, C<RCPT>, ... or undef.

=head2 server

The server, without user name and password, or undef.

=head2 code

The reply code, such as 535, or undef.

=head2 enhanced

The enhanced status code of RFC 3463, such as C<5.7.8>, or undef.

=head2 text

The server's words, or those of the library, as they came. Print C<message> to a terminal rather than this.

=head2 temporary

1 if trying later may help. When it is not given, a reply code decides (4yz); without one, all kinds but C<usage>,
C<tls>, C<protocol>, C<auth> and C<refused> are temporary. What may have been sent is not.

=head2 may_have_been_sent

1 if the whole message was handed over and no final reply came. Sending it again may send it twice.

=head2 hint

What to do, in a few words, or undef. The usual failures have a hint of their own when none is given; C<< hint => ''
>> leaves it out.

=head2 transcript

The L<Net::SMTP::AuthC::Transcript> of the session, or undef.

=head2 receipt

The L<Net::SMTP::AuthC::Receipt> with the outcome of every recipient, or undef.

=head2 file, line

Where the caller is.

=head2 message

The line without the file and the line number, and without a line end.

=head2 as_string

The whole line; what C<"$error"> gives.

=head1 FUNCTIONS

=head2 visible($text)

    print Net::SMTP::AuthC::Error::visible("ok\e[2J");   # ok\x1B[2J

The text with everything outside printable ASCII as C<\xNN> (above 255, C<\x{NNNN}>). Fit for a terminal whatever a
server said.

=head1 DIAGNOSTICS

=over 4

=item unknown field "..." of an error

C<new> or C<throw> was given a field that is not among the methods above.

=item unknown kind "..." of an error

C<kind> was left out or is not in the list above.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Receipt>, L<Net::SMTP::AuthC::Transcript>

=cut
