# Reads the arguments of MAIL and RCPT as strictly as RFC 5321 words them: the path and its ESMTP parameters.
package Net::SMTP::AuthC::Sandbox::Envelope;
use strict;
use warnings;
use Net::SMTP::AuthC::Sandbox::Extensions;

my $atom    = qr/[A-Za-z0-9!#\$%&'*+\/=?^_`{|}~\x80-\xff-]+/;
my $quoted  = qr/"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\x20-\x7e])*"/;
my $label   = qr/[A-Za-z0-9_\x80-\xff](?:[A-Za-z0-9_\x80-\xff-]*[A-Za-z0-9_\x80-\xff])?/;
my $domain  = qr/$label(?:\.$label)*|\[[\x21-\x5a\x5e-\x7e]+\]/;
my $mailbox = qr/(?:$atom(?:\.$atom)*|$quoted)\@(?:$domain)/;
my $route   = qr/(?:\@(?:$domain)(?:,\@(?:$domain))*:)?/;
my $xtext   = qr/(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+/;

# parameter => [EHLO keyword that allows it, form of its value; undef: it has none]
my %mail_parameter = (
    'SIZE'        => [ 'SIZE',          qr/[0-9]{1,20}/ ],
    'BODY'        => [ '8BITMIME',      qr/7BIT|8BITMIME|BINARYMIME/i ],
    'SMTPUTF8'    => [ 'SMTPUTF8',      undef ],
    'RET'         => [ 'DSN',           qr/FULL|HDRS/i ],
    'ENVID'       => [ 'DSN',           qr/(?=.{1,100}\z)$xtext/ ],
    'AUTH'        => [ 'AUTH',          qr/<>|$xtext/ ],
    'BY'          => [ 'DELIVERBY',     qr/[+-]?[0-9]{1,9};[RN]T?/i ],
    'HOLDFOR'     => [ 'FUTURERELEASE', qr/[1-9][0-9]{0,8}/ ],
    'HOLDUNTIL'   => [ 'FUTURERELEASE', qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)/i ],
    'MT-PRIORITY' => [ 'MT-PRIORITY',   qr/0|-?[1-9]/ ],
    'REQUIRETLS'  => [ 'REQUIRETLS',    undef ],
);
my %rcpt_parameter = (
    'NOTIFY' => [ 'DSN', qr/NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*/i ],
    'ORCPT'  => [ 'DSN', qr/(?=.{1,500}\z)[A-Za-z0-9-]+;[\x21-\x3c\x3e-\x7e\x80-\xff]+/ ],
    'RRVS'   => [ 'RRVS', qr/[0-9TZ:+-]+(?:;[CR])?/i ],
);

# Both return (address, {PARAMETER => value}) or die with {reply => ...}. $offered: {EHLO keyword => 1}; $announced:
# {EHLO keyword => the rest of its line}.
sub mail {
    my ($argument, $offered, $announced) = @_;
    my ($address, $tail) = $argument =~ /\AFROM:<(?:$route($mailbox))?>(.*)\z/is
        or die { reply => '501 5.1.7 The form is MAIL FROM:<address>, without a space behind the colon' };
    $address = '' unless defined $address;
    my $given = _parameters($tail, \%mail_parameter, $offered);
    die { reply => '555 5.5.4 BODY=BINARYMIME was not offered' }
        if lc(_text($given->{BODY})) eq 'binarymime' && !$offered->{BINARYMIME};
    die { reply => '553 5.6.7 A non-ASCII address needs SMTPUTF8' }
        if $address =~ /[\x80-\xff]/ && !exists $given->{SMTPUTF8};
    Net::SMTP::AuthC::Sandbox::Extensions::judge($address, $given, $announced);
    return ($address, $given);
}

sub rcpt {
    my ($argument, $offered, $utf8) = @_;
    my ($address, $tail) = $argument =~ /\ATO:<$route($mailbox|postmaster)>(.*)\z/is
        or die { reply => '501 5.1.3 The form is RCPT TO:<address>, without a space behind the colon' };
    die { reply => '553 5.6.7 A non-ASCII address needs SMTPUTF8' } if $address =~ /[\x80-\xff]/ && !$utf8;
    return ($address, _parameters($tail, \%rcpt_parameter, $offered));
}

sub _parameters {
    my ($tail, $table, $offered) = @_;
    my %given;
    return \%given if $tail eq '';
    die { reply => '501 5.5.4 Parameters stand behind one space each' } unless $tail =~ /\A(?: [^ ]+)+\z/;
    for my $parameter (split / /, substr $tail, 1) {
        my ($name, $value) = $parameter =~ /\A([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\x80-\xff]+))?\z/
            or die { reply => '501 5.5.4 A parameter has the form KEYWORD or KEYWORD=value' };
        $name = uc $name;
        die { reply => "501 5.5.4 $name is there twice" } if exists $given{$name};
        _check($name, $value, $table->{$name}, $offered);
        $given{$name} = $value;
    }
    return \%given;
}

sub _check {
    my ($name, $value, $row, $offered) = @_;
    die { reply => "555 5.5.4 $name is not a parameter that was offered" } unless $row && $offered->{ $row->[0] };
    my $form = $row->[1];
    my $good = defined $form ? defined $value && $value =~ /\A(?:$form)\z/ : !defined $value;
    die { reply => "501 5.5.4 The value of $name is not right" } unless $good;
    return;
}

sub _text { return defined $_[0] ? $_[0] : '' }

1;
