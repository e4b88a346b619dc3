# Result: what came of an attempt, as data for the page, for programs and to be copied as text. Secrets are in none.
package SmtpTester::Result;

use 5.014;
use strict;
use warnings;

use MIME::Base64 ();
use Net::SMTP::AuthC::Command::Probe::Advice;
use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Transcript;

my %who = (S => 'server', C => 'client', '*' => 'remark');
my $CERTIFICATE = [qw(version cipher group verified subject issuer name not_after trust)];

# A hash; its texts are printable ASCII wherever a server has said them.
sub of {
    my ($class, $attempt) = @_;

    my $form = $attempt->form;
    my $self = bless {form => $form, secrets => [_forms_of_secret($form)]}, $class;
    my $error = $attempt->error;
    my %data = (
        server    => $form->server,
        addresses => [$attempt->addresses],
        outcome   => $error ? 'failed' : $attempt->mechanism ? 'good' : 'connected',
        headline  => $self->_clean($error ? _bad_news($error, $form) : _good_news($attempt)),
        error     => $error && $self->_error($error),
        remedy    => [map { $self->_clean($_) } $attempt->remedy],
        offered   => [map { $self->_clean($_) } $attempt->offered],
        mechanism => $attempt->mechanism,
        tls       => $self->_tls($attempt->tls),
        stages    => $self->_stages($attempt->transcript),
    );
    return {%data, text => _as_text(\%data), perl => _perl($form)};
}

sub _good_news {
    my ($attempt) = @_;

    my $mechanism = $attempt->mechanism;
    my $news = $mechanism ? "The login is good, by $mechanism." : 'The connection is good; no login was tried.';
    my $receipt = $attempt->receipt or return $news;
    return "$news The test mail was taken: " . join ' ', grep { length } map { $_ // '' } $receipt->code, $receipt->text;
}

# What to do stands elsewhere.
sub _bad_news {
    my ($error, $form) = @_;

    return (ref $error)->new(%$error, hint => '', server => "$form->{host}:$form->{port}")->message;
}

sub _error {
    my ($self, $error) = @_;

    return {map { $_ => $self->_clean($error->$_) } grep { length($error->$_ // '') } qw(kind step code enhanced text)};
}

sub _tls {
    my ($self, $facts) = @_;

    return undef if !$facts;
    return {map { $_ => $self->_clean($facts->{$_}) } grep { defined $facts->{$_} } @$CERTIFICATE};
}

# ---- nobody's secret is shown, though a server may say it back ----

sub _forms_of_secret {
    my ($form) = @_;

    my ($user, $secret) = map { utf8::encode(my $octets = $_); $octets } @$form{qw(user password)};
    return if length $secret < 4;    # too short to be told from other words
    return map { quotemeta } $secret, map { MIME::Base64::encode_base64($_, '') } "\0$user\0$secret", $secret;
}

sub _clean {
    my ($self, $text) = @_;

    utf8::encode($text) if $text =~ /[^\x00-\xff]/;
    $text =~ s/$_/***/gi for @{ $self->{secrets} };
    return Net::SMTP::AuthC::Error::visible($text);
}

# ---- the dialogue, stage by stage ----

# A list of {name, ms, lines}, a line being {who, text, ms}.
sub _stages {
    my ($self, $transcript) = @_;

    my @stages = {name => 'connection', lines => []};
    my $is_inside_tls = 0;
    for my $entry ($transcript->entries) {
        my $name = _begins($entry);
        push @stages, {name => $name . ($is_inside_tls && $name eq 'EHLO' ? ' inside TLS' : ''), lines => []} if $name;
        $is_inside_tls ||= $entry->{direction} eq 'note' && $entry->{text} =~ /\ATLS/;
        push @{ $stages[-1]{lines} }, $self->_lines($entry);
    }
    _count_time(\@stages);
    return [grep { @{ $_->{lines} } } @stages];
}

sub _begins {
    my ($entry) = @_;

    return '' if $entry->{direction} ne 'client';
    my ($verb) = $entry->{text} =~ /\A(EHLO|HELO|STARTTLS|AUTH|MAIL|QUIT)\b/;
    return $verb && $verb eq 'AUTH' ? 'login' : $verb && $verb eq 'MAIL' ? 'mail' : $verb // '';
}

sub _count_time {
    my ($stages) = @_;

    my $before = 0;
    for my $stage (grep { @{ $_->{lines} } } @$stages) {
        my $end = $stage->{lines}[-1]{ms} // $before;
        $stage->{ms} = $end > $before ? $end - $before : 0;
        $before = $end;
    }
    return;
}

sub _lines {
    my ($self, $entry) = @_;

    my ($prompt, $has_secret) = $self->_prompt($entry);
    my $shown = $entry->{text};
    $shown =~ s/\A334 .*/334 ***/s if $has_secret;
    my $text  = Net::SMTP::AuthC::Transcript->entry_as_text({%$entry, text => $self->_clean_octets($shown)});
    my @lines = map { /\A(.): (.*)\z/s ? {who => $who{$1}, text => $2, ms => $entry->{ms}} : () } split /\n/, $text;
    push @lines, {who => 'remark', text => qq{decoded: "$prompt"}, ms => $entry->{ms}} if defined $prompt;
    return @lines;
}

sub _clean_octets {
    my ($self, $octets) = @_;

    $octets =~ s/$_/***/gi for @{ $self->{secrets} };
    return $octets;
}

# What a server asks in base64, and whether a secret stands in it.
sub _prompt {
    my ($self, $entry) = @_;

    return if $entry->{direction} ne 'server'
        || $entry->{text} !~ m{\A334 ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?)\s*\z};
    my $octets = MIME::Base64::decode_base64($1);
    return if $octets eq '';
    my $has_secret = $self->_clean_octets($octets) ne $octets;
    return ($self->_clean($octets), $has_secret);
}

# ---- to be copied ----

sub _as_text {
    my ($data) = @_;

    my $tls   = $data->{tls};
    my @facts = (
        "server:    $data->{server} (" . join(', ', @{ $data->{addresses} }) . ')', "result:    $data->{headline}",
        (map { "remedy:    $_" } @{ $data->{remedy} }),
        ($tls ? map { sprintf '%-10s %s', "$_:", $tls->{$_} } grep { defined $tls->{$_} } @$CERTIFICATE : 'tls:       none'),
        'offered:   ' . join(' ', @{ $data->{offered} }), 'used:      ' . ($data->{mechanism} // 'none'),
    );
    my %letter = reverse %who;
    my @dialogue = map { ('', "* $_->{name} ($_->{ms} ms)", map { "$letter{$_->{who}}: $_->{text}" } @{ $_->{lines} }) }
        @{ $data->{stages} };
    return join '', map { "$_\n" } @facts, @dialogue;
}

# The program that does the same.
sub _perl {
    my ($form) = @_;

    my $code = Net::SMTP::AuthC::Command::Probe::Advice->of(perl => {server => $form->server,
        user => $form->{user} eq '' ? undef : $form->{user}});
    $code =~ s/^(    )password => \$password/$1oauth_token => \$token/m if $form->is_token;
    $code =~ s/^\);/    mechanism => '$form->{mechanism}',\n);/m if $form->{mechanism} ne '';
    return ($code =~ /[^\x00-\x7f]/ ? "use utf8;\n" : '') . "use Net::SMTP::AuthC;\n\n$code";
}

1;
