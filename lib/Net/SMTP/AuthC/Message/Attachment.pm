# Attachment: one part of a message that is a file: the fields that say what it is, and its octets in base64.
package Net::SMTP::AuthC::Message::Attachment;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC;
use Net::SMTP::AuthC::Header;
use Net::SMTP::AuthC::Message::Octets;
use Net::SMTP::AuthC::Message::Parameter;
use Net::SMTP::AuthC::Message::Types;

my $NAME_MAX = 255;
my $TYPE_MAX = 200;

my @KEYS   = qw(file data handle name type disposition cid);
my %is_key = map { $_ => 1 } @KEYS;

my $TOKEN  = qr/[A-Za-z0-9!#\$&^_.+-]+/;
my $DOTTED = qr/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*/;

# argument: what errors call it; domain: for its Content-ID; within: the name by which the HTML shows it.
sub new {
    my ($class, $given, %about) = @_;

    my $self = bless {%about}, $class;
    $self->_refuse(' is undefined') if !defined $given;
    $given = {file => $given} if !ref $given || overload::Method($given, '""');
    $self->_refuse(q{ must be a file's name, or {file => ..., name => ...}}) if ref $given ne 'HASH';
    for my $key (sort keys %$given) {
        $self->_refuse(qq{: unknown option "$key"}, 'known are ' . join ', ', @KEYS) if !$is_key{$key};
    }
    $self->{octets} = Net::SMTP::AuthC::Message::Octets->new($self->{argument}, $given);
    $self->{name}   = $self->_name($given);
    $self->{type}   = $self->_type($given);
    $self->{disposition} = $self->_disposition($given->{disposition});
    @$self{qw(cid id)} = $self->_ids($given->{cid} // $self->{within});
    return $self;
}

sub argument  { return $_[0]{argument} }
sub cid       { return $_[0]{cid} }
sub id        { return $_[0]{id} }
sub is_within { return defined $_[0]{within} }
sub check     { return $_[0]{octets}->check }

sub _refuse { return Net::SMTP::AuthC::Error->usage("$_[0]{argument}$_[1]", $_[2]) }

# ---- what it is ----

sub _name {
    my ($self, $given) = @_;

    my $name = $given->{name} // _base_name($given->{file});
    $self->_refuse(': name is needed', q{name => '' leaves it without one}) if !defined $name && !$self->is_within;
    $name = Net::SMTP::AuthC::Header->check_text("$self->{argument} name", $name // '');
    $self->_refuse(" name: longer than $NAME_MAX characters") if length $name > $NAME_MAX;
    return $name;
}

# The octets that open sees, in characters: UTF-8 where they can be, else Latin-1.
sub _base_name {
    my ($file) = @_;

    return if !defined $file;
    my ($name) = "$file" =~ m{([^/]*)\z};
    utf8::encode($name) if utf8::is_utf8($name);
    utf8::decode($name);
    return $name;
}

sub _type {
    my ($self, $given) = @_;

    my $type = $given->{type} // Net::SMTP::AuthC::Message::Types::of($self->{name}) // $self->_unknown_type;
    $type = Net::SMTP::AuthC::Header->check_text("$self->{argument} type", $type);
    $self->_refuse(' type is no media type', 'such as "application/pdf"')
        if $type !~ m{\A$TOKEN/$TOKEN(?:\s*;[\x20-\x7e]*)?\z} || length $type > $TYPE_MAX;
    $self->_refuse(" type: $type may not be in base64 (RFC 2046)", 'attach it as application/octet-stream')
        if $type =~ m{\A(?:multipart/|message/(?!global))}i;
    return $type;
}

sub _unknown_type {
    my ($self) = @_;

    $self->_refuse(': type is needed', 'such as "image/png"') if $self->is_within;
    return 'application/octet-stream';
}

sub _disposition {
    my ($self, $given) = @_;

    my $disposition = lc($given // ($self->is_within ? 'inline' : 'attachment'));
    $self->_refuse(' disposition must be attachment or inline') if $disposition !~ /\A(?:attachment|inline)\z/;
    return $disposition;
}

# Its name in the HTML, and its Content-ID, which has a domain and is like no other's.
sub _ids {
    my ($self, $cid) = @_;

    return if !defined $cid;
    $self->_refuse(qq{ cid: letters, digits, "-", "_" and dots, and \@domain where you like})
        if $cid !~ /\A$DOTTED(?:\@$DOTTED)?\z/;
    return ($cid, $cid) if $cid =~ /@/;
    my $domain = $self->{domain} =~ /\A$DOTTED\z/ ? $self->{domain} : 'inline.invalid';
    return ($cid, "$cid." . Net::SMTP::AuthC::Message::_random_hex() . "\@$domain");
}

# ---- how it is written ----

sub fields {
    my ($self) = @_;

    my $name = $self->{name};
    my $has_name = length $name && $self->{type} !~ /;\s*name\*?\s*=/i;
    return join '',
        Net::SMTP::AuthC::Message::Parameter::field('Content-Type', $self->{type},
            $has_name ? Net::SMTP::AuthC::Message::Parameter::as_old_programs_read(name => $name) : ()),
        "Content-Transfer-Encoding: base64\r\n",
        Net::SMTP::AuthC::Message::Parameter::field('Content-Disposition', $self->{disposition},
            length $name ? Net::SMTP::AuthC::Message::Parameter::of(filename => $name) : ()),
        defined $self->{id} ? "Content-ID: <$self->{id}>\r\n" : ();
}

# Of its base64.
sub size { return Net::SMTP::AuthC::_base64_lines_size($_[0]{octets}->size) }

# A code ref that returns its base64 piece after piece, and undef at the end; it dies when the octets are not those of
# when the message was made.
sub reader {
    my ($self) = @_;

    my ($next, $held) = ($self->{octets}->reader, '');
    return sub {
        my $lines = '';
        while (defined $held && !length $lines) {
            my $octets = $next->();
            $lines = Net::SMTP::AuthC::_base64_lines($held, $octets);
            $held = undef if !defined $octets;
        }
        return length $lines ? $lines : undef;
    };
}

1;
