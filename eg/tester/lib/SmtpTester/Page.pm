# Page: the HTML: a form, and above it what came of the last one. Everything from elsewhere goes through html().
package SmtpTester::Page;

use 5.014;
use strict;
use warnings;

use SmtpTester::Form;

my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', q{'} => '&#39;');

sub html { return $_[0] =~ s/([&<>"'])/$entity{$1}/gr =~ s/([\x00-\x08\x0b-\x1f\x7f])/sprintf '\\x%02X', ord $1/ger }

# base: the path of this program; form; token; ports; recipient, if there is one; complaint or result, if there is one.
sub of {
    my ($class, %part) = @_;

    my $result = $part{result};
    my $title  = 'SMTP login tester';
    $title = ($result->{outcome} eq 'failed' ? 'Failed' : 'Good') . " - $title" if $result;
    my $base = html($part{base});
    my $above = $result ? _result($result) : defined $part{complaint} ? _complaint($part{complaint}) : '';
    my $form = _form(%part);
    return <<"END";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="stylesheet" href="$base/tester.css">
<script src="$base/tester.js" defer></script>
</head>
<body>
<main>
<h1>SMTP login tester</h1>
$above$form</main>
</body>
</html>
END
}

sub _complaint { return '<p class="complaint" role="alert">' . html($_[0]) . "</p>\n" }

# ---- the form ----

sub _form {
    my (%part) = @_;

    my $form   = $part{form};
    my ($token, $action) = map { html($_) } $part{token}, $part{base} || '/';
    my ($host, $user) = map { html($form->{$_}) } qw(host user);
    my $port      = _select(port => $form, map { [$_, $_] } @{ $part{ports} });
    my $security  = _select(security => $form, @SmtpTester::Form::SECURITIES);
    my $mechanism = _select(mechanism => $form,
        map { [$_, $_ eq '' ? 'the strongest that the server has' : $_] } @SmtpTester::Form::MECHANISMS);
    my $mail = _mail($part{recipient}, $form);
    return <<"END";
<form method="post" action="$action" accept-charset="utf-8" autocomplete="off">
<input type="hidden" name="token" value="$token">
<p><label for="host">Server</label>
<input id="host" name="host" value="$host" required maxlength="253" placeholder="smtp.example.com" spellcheck="false"
autocapitalize="none"></p>
<p><label for="port">Port</label> $port</p>
<p><label for="security">Security</label> $security</p>
<p><label for="mechanism">Mechanism</label> $mechanism</p>
<p><label for="user">User</label>
<input id="user" name="user" value="$user" maxlength="4096" spellcheck="false" autocapitalize="none"
aria-describedby="about-user">
<span id="about-user" class="about">without one the page connects, looks, and logs in nowhere</span></p>
<p><label for="password">Password or token</label>
<input id="password" name="password" type="password" maxlength="4096" autocomplete="off" aria-describedby="about-password">
<span id="about-password" class="about">goes to that server only, is not kept, and is in nothing that this page shows</span></p>
$mail<p class="buttons"><button name="as" value="page">Test</button>
<button name="as" value="text">Test, answer as text</button>
<button name="as" value="json">Test, answer as JSON</button></p>
</form>
END
}

sub _select {
    my ($name, $form, @choices) = @_;

    my $options = join "\n", map {
        my ($value, $words, $chosen) = (html($_->[0]), html($_->[1]), $_->[0] eq $form->{$name} ? ' selected' : '');
        qq{<option value="$value"$chosen>$words</option>};
    } @choices;
    return qq{<select id="$name" name="$name">\n$options\n</select>};
}

sub _mail {
    my ($recipient, $form) = @_;

    return '' if !length($recipient // '');
    my ($to, $checked) = (html($recipient), $form->{mail} ne '' ? ' checked' : '');
    return qq{<p><label><input type="checkbox" name="mail" value="1"$checked> send a test mail to $to</label></p>\n};
}

# ---- what came of it ----

sub _result {
    my ($result) = @_;

    my ($outcome, $headline, $perl, $json, $text) = map { html($_) } @$result{qw(outcome headline perl json text)};
    my $remedy   = join '', map { '<li>' . html($_) . "</li>\n" } @{ $result->{remedy} };
    my $facts    = _facts($result);
    my $dialogue = join '', map { _stage($_) } @{ $result->{stages} };
    $remedy = qq{<h3>What to do</h3>\n<ul class="remedy">\n$remedy</ul>\n} if length $remedy;
    return <<"END";
<section class="result $outcome" aria-labelledby="outcome">
<h2 id="outcome">$headline</h2>
$remedy<h3>Facts</h3>
<dl>
$facts</dl>
<h3>The dialogue</h3>
<ul class="legend" aria-label="The three fonts">
<li class="server">S: incoming line from server</li>
<li class="client">C: outgoing line to server</li>
<li class="remark">*: remark</li>
</ul>
$dialogue<h3>To take away</h3>
<details><summary>As text</summary>
<pre class="copy" tabindex="0">$text</pre></details>
<details><summary>JSON</summary>
<pre class="copy" tabindex="0">$json</pre></details>
<details open><summary>Perl</summary>
<pre class="copy" tabindex="0">$perl</pre></details>
</section>
<h2>Once more</h2>
END
}

sub _facts {
    my ($result) = @_;

    my $tls = $result->{tls};
    my @rows = (
        ['Server' => "$result->{server} at " . join ', ', @{ $result->{addresses} }],
        ['TLS' => $tls ? join ', ', grep { defined } @$tls{qw(version cipher group)} : 'none: all of this was said in clear'],
        ($tls ? (
            ['Certificate' => $tls->{verified} ? "verified for $tls->{name}" : 'NOT verified'],
            (map { defined $tls->{$_->[1]} ? [$_->[0] => $tls->{$_->[1]}] : () }
                ['Issued to' => 'subject'], ['Issued by' => 'issuer'], ['Good until' => 'not_after']),
        ) : ()),
        ['Mechanisms offered' => join(' ', @{ $result->{offered} }) || 'none'],
        ['Mechanism used'     => $result->{mechanism} // 'none'],
    );
    return join '', map { '<dt>' . html($_->[0]) . '</dt><dd>' . html($_->[1]) . "</dd>\n" } @rows;
}

my %letter = (server => 'S:', client => 'C:', remark => '*:');

sub _stage {
    my ($stage) = @_;

    my ($name, $ms) = map { html($_) } @$stage{qw(name ms)};
    my $rows = join '', map {
        my ($text, $when) = (html($_->{text}), html($_->{ms} // ''));
        qq{<tr class="$_->{who}"><th scope="row">$letter{ $_->{who} }</th><td>$text</td><td class="ms">$when</td></tr>\n};
    } @{ $stage->{lines} };
    return <<"END";
<table class="stage">
<caption>$name <span class="ms">$ms ms</span></caption>
<thead class="unseen"><tr><th scope="col">who</th><th scope="col">line</th><th scope="col">milliseconds</th></tr></thead>
<tbody>
$rows</tbody>
</table>
END
}

1;
