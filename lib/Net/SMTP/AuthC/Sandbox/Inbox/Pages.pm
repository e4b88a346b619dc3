# The inbox's pages. Whatever came from outside passes through _escaped on its way.
package Net::SMTP::AuthC::Sandbox::Inbox::Pages;
use strict;
use warnings;
use Encode ();
use Net::SMTP::AuthC::Sandbox::Inbox::Http;
use Net::SMTP::AuthC::Sandbox::Inbox::Mail;
use Net::SMTP::AuthC::Sandbox::Inbox::Mime;
use Net::SMTP::AuthC::Sandbox::Switches;
use POSIX ();

use constant SHOWN => 200;

my $policy = join '; ', "default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'",
    "frame-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'";
my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');

sub _escaped {
    my ($text) = @_;
    return '' unless defined $text;
    $text =~ s/([&<>"'])/$entity{$1}/g;
    $text =~ s/[\x00-\x08\x0b-\x1f\x7f-\x9f]/\x{fffd}/g;
    return $text;
}

# Within a line of ours: what is written from right to left stays in its place.
sub _foreign { return '<bdi>' . _escaped($_[0]) . '</bdi>' }

# A whole page. $title is text, @body is HTML.
sub _page {
    my ($title, @body) = @_;
    my $html = join '', '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<title>', _escaped($title), '</title><link rel="stylesheet" href="/inbox.css">',
        '<script src="/inbox.js" defer></script></head><body><header><b>SMTP sandbox</b>',
        '<nav><a href="/">Inbox</a> <a href="/sessions">Sessions</a> <a href="/faults">Faults</a></nav>',
        '<form action="/" role="search"><input type="search" name="query" aria-label="Search"> ',
        "<button>Search</button></form></header><main>\n", @body, "</main></body></html>\n";
    return (200, { 'Content-Type' => 'text/html; charset=utf-8', 'Content-Security-Policy' => $policy,
        'Cross-Origin-Opener-Policy' => 'same-origin' }, Encode::encode('UTF-8', $html));
}

sub _form {
    my ($request, $action, @inner) = @_;
    return join '', qq{<form method="post" action="$action"><input type="hidden" name="token" value="},
        $request->{token}, '">', @inner, '</form>';
}

sub _see { return (303, { Location => $_[0] }, '') }

sub _clock {
    my ($seconds) = @_;
    return '<time datetime="' . Net::SMTP::AuthC::Sandbox::Inbox::Mail::stamp($seconds) . '">'
        . POSIX::strftime('%Y-%m-%d %H:%M:%S', localtime $seconds) . '</time>';
}

# Rows of cells that are HTML already, below their names.
sub _table {
    my ($names, @rows) = @_;
    return join '', '<table><thead><tr>', map({ "<th>$_</th>" } @$names), "</tr></thead><tbody>\n",
        map({ '<tr>' . join('', map { "<td>$_</td>" } @$_) . "</tr>\n" } @rows), "</tbody></table>\n";
}

# ---- messages ----

sub list {
    my ($store, $request) = @_;
    my ($query, $state) = ($request->{query}{query}, $store->state);
    $query = Net::SMTP::AuthC::Sandbox::Inbox::Mime::text(defined $query ? $query : '');
    my @mails = $store->all_mails;
    @mails = $store->found($query, @mails) if $query =~ /\S/;
    my $count = @mails;
    my $title = $count == 1 ? '1 message' : "$count messages";
    $title .= qq{ with "$query"} if $query =~ /\S/;
    splice @mails, SHOWN if $count > SHOWN;
    return _page($title, qq{<div data-fresh="$state"><h1>}, _escaped($title), '</h1>',
        ($count > SHOWN ? '<p class="quiet">The newest ' . SHOWN . ' of them:</p>' : ''),
        ($count ? _table([qw(When From To Subject Size)], map { _row($_) } @mails)
            : '<p class="quiet">Nothing here yet.</p>'), '</div>',
        _form($request, '/clear', '<p><button>Forget all messages and ended sessions</button></p>'));
}

sub _row {
    my ($mail) = @_;
    my ($from, $subject, @to) = ($mail->from, $mail->subject, $mail->recipients);
    return [ _clock($mail->time), _foreign($from->{Name} ne '' ? $from->{Name} : $from->{Address}), _some(@to),
        ($mail->accepted ? '' : '<span class="mark">refused</span> ') . '<a href="/message/' . $mail->id . '">'
            . _foreign($subject =~ /\S/ ? $subject : '(no subject)') . '</a><br><span class="quiet">'
            . _foreign(substr $mail->snippet, 0, 120) . '</span>',
        '<span class="number">' . $mail->size . '</span>' ];
}

sub _some {
    my (@to) = @_;
    my $more = @to > 3 ? ' and ' . (@to - 2) . ' more' : '';
    splice @to, 2 if $more;
    return join(', ', map { _foreign($_) } @to) . $more;
}

sub message {
    my ($store, $request, $id) = @_;
    my $mail = $store->mail($id);
    my $here = '/message/' . $mail->id;
    my $subject = $mail->subject =~ /\S/ ? $mail->subject : '(no subject)';
    return _page($subject, '<h1>', _foreign($subject), '</h1>',
        ($mail->accepted ? '' : '<p class="mark">The sandbox refused this message at its end.</p>'),
        _facts($mail), _html_part($mail, $here), _text_part($mail), _attached($mail),
        '<h2>Header fields</h2>', _table([qw(Name Text)], map { [ map { _foreign($_) } @$_ ] } $mail->fields),
        '<h2>Source</h2><p><a href="/api/v1', $here, '/raw?dl=1">Save it</a></p><pre>',
        _escaped(_source($mail)), '</pre>');
}

sub _facts {
    my ($mail) = @_;
    my $number = $mail->session;
    my @facts = (
        [ 'Envelope', '&lt;' . _foreign($mail->sender) . '&gt; to ' . join ', ', map { _foreign($_) }
            $mail->recipients ],
        [ 'Came', _clock($mail->time) . ' by ' . _escaped($mail->via) . ', ' . $mail->size . ' octets, '
            . ($mail->tls ? _escaped($mail->tls) : 'without TLS') ],
        [ 'Login', defined $mail->user ? _foreign($mail->user) . ' by ' . _escaped($mail->mechanism) : 'none' ],
        [ 'Session', qq{<a href="/session/$number">$number</a>} ],
    );
    return '<table>' . join('', map { "<tr><th>$_->[0]</th><td>$_->[1]</td></tr>" } @facts) . '</table>';
}

sub _html_part {
    my ($mail, $here) = @_;
    return '' unless $mail->html =~ /\S/;
    return qq{<h2>HTML</h2><iframe sandbox title="The message as HTML" src="$here/html"></iframe>}
        . '<p class="quiet">Nothing from elsewhere is loaded, and no script runs.</p>';
}

sub _text_part {
    my ($mail) = @_;
    my $text = $mail->text;
    return $text =~ /\S/ ? '<h2>Text</h2><pre>' . _escaped($text) . '</pre>' : '';
}

sub _attached {
    my ($mail) = @_;
    my @files = map { $mail->can('file')->($_) } $mail->attachments or return '';
    my $path = '/api/v1/message/' . $mail->id . '/part';
    return '<h2>Attachments</h2>' . _table([qw(Name Type Octets)], map { [
        qq{<a href="$path/$_->{id}">} . _foreign($_->{name}) . '</a>', _escaped($_->{type}),
        length $_->{content} ] } @files);
}

sub _source {
    my ($mail) = @_;
    my $octets = $mail->octets;
    my $is_long = length $octets > 500_000;
    my $text = Net::SMTP::AuthC::Sandbox::Inbox::Mime::text($is_long ? substr $octets, 0, 500_000 : $octets);
    $text =~ s/\r\n/\n/g;
    return $text . ($is_long ? "\n[and so on]" : '');
}

# ---- sessions ----

sub sessions {
    my ($store) = @_;
    my $state = $store->state;
    my @rows = map { my $number = $_->number; [ qq{<a href="/session/$number">$number</a>}, _clock($_->time || 0),
        _foreign($_->helo), _escaped($_->tls), _foreign($_->user),
        _escaped(defined $_->ended ? $_->ended : 'goes on') ] }
        reverse $store->sessions;
    return _page('Sessions', qq{<div data-fresh="$state">}, '<h1>Sessions</h1>',
        _table([ 'Number', 'Began', 'Client', 'TLS', 'User', 'Ended' ], @rows), '</div>');
}

sub session {
    my ($store, $request, $number) = @_;
    my ($state, $session) = ($store->state, $store->session($number));
    my %class = (C => 'client', S => 'server', '-' => 'note');
    my @lines = map { my $class = $class{ substr $_, 0, 1 }; qq{<span class="$class">} . _escaped($_) . "</span>\n" }
        $session->lines;
    my @mails = grep { $_->session == $number } reverse $store->all_mails;
    return _page("Session $number", qq{<div data-fresh="$state"><h1>Session $number</h1><p>},
        join(', ', map { '<a href="/message/' . $_->id . '">message ' . $_->id . '</a>' } @mails),
        '</p><pre>', @lines, '</pre><p>Ended: ', _escaped(defined $session->ended ? $session->ended : 'not yet'),
        qq{</p></div><p><a href="/session/$number/text">As text</a></p>});
}

# ---- faults ----

my %stage_name = (greeting => 'the greeting', ehlo => 'EHLO', auth => 'AUTH', mail => 'MAIL', rcpt => 'RCPT',
    data => 'DATA', end => 'the end of the message');
my %kind_name = (refuse => 'refuses, with the code', delay => 'waits, so many seconds', close => 'hangs up',
    reset => 'resets the connection', silent => 'says nothing more');

sub faults {
    my ($store, $request) = @_;
    my %switch = map { $_->{stage} => $_ } $store->switches->read;
    my @rows = map { _switch($_, $switch{$_} || {}) } @Net::SMTP::AuthC::Sandbox::Switches::STAGES;
    return _page('Faults', '<h1>Faults</h1><p>What the server does to clients from now on, at each of these places.',
        ' Faults that the program has set stay, and come first.</p>',
        _form($request, '/faults', _table([ 'At', 'The server', 'Code', 'Seconds', 'In 100' ], @rows),
            '<p><button>Set</button></p>'),
        _form($request, '/faults', '<p><button>All off</button></p>'));
}

sub _switch {
    my ($stage, $switch) = @_;
    my $chosen = $switch->{kind} || '';
    my %is = ($chosen => ' selected');
    my $options = join '', map { qq{<option value="$_"} . ($is{$_} || '') . ">$kind_name{$_}</option>" }
        @Net::SMTP::AuthC::Sandbox::Switches::KINDS;
    my %value = (code => 451, seconds => 5, chance => 100, %$switch);
    return [ $stage_name{$stage}, qq{<select name="$stage.kind" aria-label="at $stage"><option value="">behaves well}
        . "</option>$options</select>", _number("$stage.code", 400, 599, 1, $value{code}),
        _number("$stage.seconds", 0, 600, 'any', $value{seconds}),
        _number("$stage.chance", 0, 100, 1, $value{chance}) ];
}

sub _number {
    my ($name, $from, $to, $step, $value) = @_;
    return qq{<input type="number" name="$name" aria-label="$name" min="$from" max="$to" step="$step" value="}
        . _escaped($value) . '">';
}

sub set_faults {
    my ($store, $request) = @_;
    my $form = Net::SMTP::AuthC::Sandbox::Inbox::Http::form($request->{body});
    my @switches;
    for my $stage (@Net::SMTP::AuthC::Sandbox::Switches::STAGES) {
        my %switch = (stage => $stage, map { $_ => $form->{"$stage.$_"} } qw(kind code seconds chance));
        next unless defined $switch{kind} && $switch{kind} ne '';
        my $complaint = Net::SMTP::AuthC::Sandbox::Switches::complaint(\%switch);
        die { status => 400, text => $complaint } if defined $complaint;
        push @switches, \%switch;
    }
    $store->switches->write(@switches);
    return _see('/faults');
}

sub clear {
    my ($store) = @_;
    $store->clear;
    return _see('/');
}

1;
