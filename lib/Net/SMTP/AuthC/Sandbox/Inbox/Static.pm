# The inbox's style, and the script that looks for news; all pages work without both.
package Net::SMTP::AuthC::Sandbox::Inbox::Static;
use strict;
use warnings;

my %file;

sub file { return $file{ $_[0] } }

$file{'inbox.css'} = <<'CSS';
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --mark: #b00020; }
body { margin: 0 auto; max-width: 70rem; padding: 0 1rem 3rem; font: 1rem/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: 1rem 0;
    border-bottom: 1px solid var(--line); }
header b { font-size: 1.15rem; }
nav { display: flex; gap: 1rem; flex: 1; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line);
    overflow-wrap: anywhere; }
th { font-weight: 600; }
th, time, .number { white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .8rem; border-radius: .3rem; }
iframe { width: 100%; height: 32rem; border: 1px solid var(--line); background: #fff; }
.quiet, time { color: var(--quiet); font-size: .9rem; }
.mark { color: var(--mark); font-weight: 600; }
.client { color: #0645ad; } .server { color: inherit; } .note { color: var(--quiet); font-style: italic; }
input, select, button { font: inherit; }
input[type=number] { width: 5rem; }
@media (prefers-color-scheme: dark) { .client { color: #8ab4f8; } :root { --mark: #ff8a80; --quiet: #aaa; } }
CSS

$file{'inbox.js'} = <<'JS';
"use strict";
// Every two seconds, while somebody can see it: is the page still true? If not, what has to be fresh is fetched.
const shown = () => document.querySelector("[data-fresh]");

async function refresh() {
    if (document.hidden) return;
    const state = await (await fetch("/state", {cache: "no-store"})).text();
    if (state === shown().dataset.fresh) return;
    const answer = await fetch(location.href, {cache: "no-store"});
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-fresh]");
    if (!fresh) return;
    shown().replaceWith(document.importNode(fresh, true));
    document.title = page.title;
}

if (shown()) setInterval(() => refresh().catch(() => {}), 2000);
JS

1;
