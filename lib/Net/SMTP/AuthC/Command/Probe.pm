# Probe: finds out by which port, which kind of TLS and which mechanism a server takes mail, and says it for programs.
package Net::SMTP::AuthC::Command::Probe;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Check;
use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Command::Options;
use Net::SMTP::AuthC::Command::Probe::Advice;
use Net::SMTP::AuthC::Command::Probe::Dns;
use Net::SMTP::AuthC::Command::Probe::Providers;
use Net::SMTP::AuthC::Command::Target;
use Net::SMTP::AuthC::Command::Terminal;
use Net::SMTP::AuthC::Options;

our @GROUPS = qw(output limits secret);
our @OWN    = qw(user|u=s mechanism=s@ oauth ca-file=s ca-path=s hello=s 4 6 all format=s dns=s);

my $SECONDS = 5;     # for each try, unless --timeout says otherwise
my $ALL     = 60;    # for all of them, unless --deadline does

sub run {
    my ($class, @arguments) = @_;

    my ($option, $given, @rest) = Net::SMTP::AuthC::Command::Options->read(\@arguments, \@GROUPS, @OWN);
    Net::SMTP::AuthC::Command::Exit->fail(usage => 'probe HOST, probe HOST:PORT or probe ADDRESS')
        if !defined $given || @rest;
    _check_format($option->{format});
    my $self = bless {option => {%$option, timeout => $option->{timeout} // $SECONDS}, tried => {}, found => [],
        terminal => Net::SMTP::AuthC::Command::Terminal->new($option), end => time + ($option->{deadline} || $ALL),
    }, $class;
    $self->_search($given);
    $self->_log_in if @{ $self->{found} };
    return $self->_tell;
}

sub _check_format {
    my ($format) = @_;

    return if !defined $format || grep { $_ eq $format } Net::SMTP::AuthC::Command::Probe::Advice->forms;
    return Net::SMTP::AuthC::Command::Exit->fail(usage => '--format: one of '
        . join ', ', Net::SMTP::AuthC::Command::Probe::Advice->forms);
}

# ---- where to look ----

sub _search {
    my ($self, $given) = @_;

    my ($domain, $is_host) = $given =~ /\@([^\@]+)\z/ ? ($1, 0) : ($given, 1);
    return $self->_try_host($1, $2) if $is_host && $domain =~ /\A(.*[^:]|\[.*\]):([0-9]+)\z/;
    $domain = Net::SMTP::AuthC::Options->ascii_host($domain =~ s/\A\[(.*)\]\z/$1/r, 'probe');
    $self->_try_host($domain) if $is_host;
    return if $domain =~ /:|\A[0-9.]+\z/ || $self->_is_enough;
    my $dns = Net::SMTP::AuthC::Command::Probe::Dns->new(server => $self->{option}{dns}, timeout => 3);
    for my $step (qw(_try_provider _try_srv _try_exchangers _try_guesses)) {
        $self->$step($domain, $dns);
        return if $self->_is_enough;
    }
    return;
}

sub _is_enough { return @{ $_[0]{found} } && !$_[0]{option}{all} || time >= $_[0]{end} ? 1 : 0 }

# The user has named it, or it is within the domain that he has named: it may be told a password.
sub _try_host {
    my ($self, $host, $port, $source) = @_;

    $host = "[$host]" if $host =~ /:/ && $host !~ /\A\[/;
    my @servers = defined $port ? ("smtps://$host:$port", "smtp://$host:$port")
        : ("smtps://$host:465", "smtp://$host:587", "smtp://$host:2525", "smtp://$host:25");
    @servers = reverse @servers if defined $port && $port =~ /\A(?:25|587|2525)\z/;
    return $self->_try($source // 'host', 1, @servers);
}

sub _try_provider {
    my ($self, $domain) = @_;

    my $known = Net::SMTP::AuthC::Command::Probe::Providers->find($domain) // return;
    $self->{words} = $known->{words};
    return $self->_try('provider', 1, @{ $known->{servers} });
}

# RFC 6186, section 6: what DNS says of other domains may be anybody's word.
sub _try_srv {
    my ($self, $domain, $dns) = @_;

    for my $service (['_submissions', 'smtps'], ['_submission', 'smtp']) {
        my ($name, $scheme) = @$service;
        for my $record ($dns->srv("$name._tcp.$domain")) {
            my $is_own = lc $record->{target} =~ /(?:\A|\.)\Q$domain\E\z/i ? 1 : 0;
            $self->_try("SRV $name", $is_own, "$scheme://$record->{target}:$record->{port}");
            return if $self->_is_enough;
        }
    }
    return;
}

sub _try_exchangers {
    my ($self, $domain, $dns) = @_;

    my $known = Net::SMTP::AuthC::Command::Probe::Providers->find($domain, $dns->mx($domain)) // return;
    $self->{words} = $known->{words};
    return $self->_try('MX', 0, @{ $known->{servers} });
}

sub _try_guesses {
    my ($self, $domain) = @_;

    for my $host (map { "$_.$domain" } qw(smtp mail)) {
        $self->_try_host($host, undef, 'guess');
        return if $self->_is_enough;
    }
    return;
}

# ---- one after the other; nobody is told a secret here ----

sub _try {
    my ($self, $source, $is_own, @servers) = @_;

    for my $server (grep { !$self->{tried}{$_} } @servers) {
        return if $self->_is_enough;
        my $result = $self->{tried}{$server} = $self->_tried($server);
        @$result{qw(source may_have_password)} = ($source, $is_own);
        push @{ $self->{results} }, $result;
        push @{ $self->{found} }, $result if $result->{works};
        $self->{terminal}->say(_line($result)) if !defined $self->{option}{format};
    }
    return;
}

sub _tried {
    my ($self, $server) = @_;

    my %option = map { $_ => $self->{option}{$_} } qw(ca-file ca-path hello timeout 4 6);
    my $left   = $self->{end} - time;
    my $quiet  = Net::SMTP::AuthC::Command::Terminal->new({quiet => 1});
    my $target = eval { Net::SMTP::AuthC::Command::Target->of({%option, server => $server}) };
    return {server => $server, works => 0, why => _why($@)} if !$target;
    my ($name, $facts, $error) = Net::SMTP::AuthC::Command::Check->tried($target,
        {deadline => $left > 1 ? $left : 1}, $quiet);
    return {server => $server, works => 0, why => _why($error)} if $error;
    my @mechanisms = split ' ', $facts->{offers}{AUTH} // '';
    my %result = (server => $server, tls => $facts->{tls}, mechanisms => \@mechanisms);
    return {%result, works => 0, why => 'its TLS is not verified'} if !$facts->{tls} || !$facts->{tls}{verified};
    return {%result, works => @mechanisms ? 1 : 0, why => @mechanisms ? undef : 'it offers no login'};
}

sub _why {
    my ($error) = @_;

    return Net::SMTP::AuthC::Command::Exit->is_error($error) ? $error->message : "$error";
}

sub _line {
    my ($result) = @_;

    my $tls = $result->{tls} ? "$result->{tls}{version}, verified" : '';
    return $result->{works} ? "yes  $result->{server} ($result->{source}): $tls, logins by @{ $result->{mechanisms} }"
        : "no   $result->{server} ($result->{source}): $result->{why}";
}

# ---- the login, where somebody has given one ----

sub _log_in {
    my ($self) = @_;

    my ($best, $option) = ($self->{found}[0], $self->{option});
    return if !defined $option->{user};
    if (!$best->{may_have_password}) {
        $best->{login} = "not tried: only DNS says that $best->{server} is the right one; if it is, "
            . 'smtpauthc check --server tries it';
        return;
    }
    my $target = Net::SMTP::AuthC::Command::Target->of({%$option, server => $best->{server}});
    my ($name, $facts, $error) = Net::SMTP::AuthC::Command::Check->tried($target, {},
        Net::SMTP::AuthC::Command::Terminal->new({quiet => 1}));
    $best->{login} = $error ? $error->message : "good, by $facts->{mechanism}";
    $self->{ends_with} = $name;
    return;
}

# ---- what came of it ----

sub _tell {
    my ($self) = @_;

    my ($terminal, $option) = @$self{qw(terminal option)};
    my $best  = $self->{found}[0];
    my %about = $best ? (server => $best->{server}, user => $option->{user}, ca_file => $option->{'ca-file'}) : ();
    my %form  = $best ? map { $_ => Net::SMTP::AuthC::Command::Probe::Advice->of($_, \%about) }
        Net::SMTP::AuthC::Command::Probe::Advice->forms : ();
    my $words = $best && $self->{words};
    if ($terminal->is_json) {
        $terminal->print_json({best => $best, tried => $self->{results} || [], advice => \%form, words => $words});
    }
    elsif ($best && defined $option->{format}) { $terminal->say(split /\n/, $form{ $option->{format} }) }
    elsif ($best) { $self->_tell_best($best, \%form) }
    $terminal->complain('no server was found that takes logins inside verified TLS') if !$best;
    return $best ? $self->{ends_with} // 'ok' : 'unavailable';
}

sub _tell_best {
    my ($self, $best, $form) = @_;

    my %title = (perl => 'Perl', msmtprc => 'msmtprc', 'email-sender' => 'Email::Sender');
    $self->{terminal}->say('', "best: $best->{server}", (defined $best->{login} ? "login: $best->{login}" : ()),
        (defined $self->{words} ? "it wants $self->{words}" : ()),
        map { ('', "$title{$_}:", map { "    $_" } split /\n/, $form->{$_}) }
            Net::SMTP::AuthC::Command::Probe::Advice->forms);
    return;
}

1;
