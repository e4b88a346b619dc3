# Words: what stands behind "use Net::SMTP::AuthC", read and checked.
package Net::SMTP::AuthC::Takeover::Words;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Options;

my %is_policy = map { $_ => 1 } qw(none opportunistic required);
my %is_login  = map { $_ => 1 } qw(username password password_file);

# What new takes where the program gives nothing else, besides the options of TLS.
my %is_default = map { $_ => 1 } qw(Host Port SSL Timeout LocalAddr LocalPort Domain Family Hello SendHello
    ExactAddresses Debug insecure_cleartext_auth channel_binding);

sub _usage { return Net::SMTP::AuthC::Error->usage(@_) }

# A list of classes and a hash of options, from "-replace" and what may follow it: a list of classes, a hash, and, for
# command lines, words such as "Net::SMTPS" and "starttls=required". $is_class tells which classes there are.
sub read {
    my ($class, $is_class, @words) = @_;

    _is_replace(shift @words);
    my (@classes, %option);
    for my $word (@words) {
        _unknown("$word") if ref $word && ref($word) !~ /\A(?:HASH|ARRAY)\z/;
        my %pairs = ref $word eq 'HASH' ? %$word : ref $word eq 'ARRAY' ? (classes => $word)
            : _pair($word // '', $is_class);
        push @classes, _classes(delete $pairs{classes}, $is_class) if exists $pairs{classes};
        $option{$_} = _checked($_, $pairs{$_}) for sort keys %pairs;
    }
    return (\@classes, \%option);
}

# For "no": nothing but -replace itself.
sub read_no {
    my ($class, @words) = @_;

    _is_replace(shift @words);
    _unknown($words[0] // '', 'no Net::SMTP::AuthC -replace gives back everything') if @words;
    return;
}

sub _is_replace {
    my ($word) = @_;

    return if defined $word && !ref $word && $word eq '-replace';
    return _unknown($word // '', 'only -replace is known, which comes first');
}

sub _unknown {
    my ($word, $hint) = @_;

    $word =~ s/=.*//s;    # it may be a password
    return _usage(qq{unknown word "$word" behind Net::SMTP::AuthC}, $hint);
}

sub _pair {
    my ($word, $is_class) = @_;

    return (classes => [$word]) if $is_class->{$word};
    my ($name, $value) = !ref $word && $word =~ /\A([A-Za-z_]+)=(.*)\z/s
        or _unknown($word, 'a class, name=value, or a reference to a list of classes or to a hash of options');
    _usage('password: others on this machine can read a command line and its environment',
        'password_file=/path, or a hash in the program') if $name eq 'password';
    return ($name => $name eq 'classes' ? [split /\+/, $value] : $value);
}

sub _classes {
    my ($given, $is_class) = @_;

    my @classes = map { $_ // '' } ref $given eq 'ARRAY' ? @$given : $given;
    for my $one (@classes) {
        _usage(qq{-replace does not know the class "$one"}, join ' ', 'it knows', sort keys %$is_class)
            if !$is_class->{$one};
    }
    return @classes;
}

sub _checked {
    my ($name, $value) = @_;

    if ($name eq 'starttls') {
        _usage("starttls: required, opportunistic or none") if !$is_policy{ $value // '' };
        return $value;
    }
    return $value if $is_login{$name};
    return scalar Net::SMTP::AuthC::Options->seconds($name, $value) if $name eq 'Timeout';
    return $value if $is_default{$name};
    require Net::SMTP::AuthC::TlsOptions;
    return $value if Net::SMTP::AuthC::TlsOptions->is_option($name);
    return _usage(qq{unknown option "$name" of -replace},
        'starttls, username with password or password_file, classes, or an option of new');
}

# Of all that was said so far: what cannot go together.
sub check_together {
    my ($class, $option) = @_;

    my @secrets = grep { defined $option->{$_} } qw(password password_file);
    _usage('password and password_file: give one of them') if @secrets > 1;
    _usage("$secrets[0] without username") if @secrets && !defined $option->{username};
    _usage('username without password', 'password in a hash, or password_file')
        if !@secrets && defined $option->{username};
    return;
}

1;
