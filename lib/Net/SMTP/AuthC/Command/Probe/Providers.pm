# Providers: the submission servers of mail providers that many people have, by the domain of an address or by its MX.
package Net::SMTP::AuthC::Command::Probe::Providers;

use 5.014;
use strict;
use warnings;

# servers, domains of addresses, domains of mail exchangers, and what one must know.
my @TABLE = (
    [['smtps://smtp.gmail.com:465', 'smtp://smtp.gmail.com:587'], [qw(gmail.com googlemail.com)],
        [qw(google.com googlemail.com)], 'an app password or an OAuth token, not the password of the account'],
    [['smtp://smtp-mail.outlook.com:587'], [qw(outlook.com outlook.de hotmail.com live.com msn.com)],
        ['olc.protection.outlook.com'], 'an OAuth token'],
    [['smtp://smtp.office365.com:587'], [], ['mail.protection.outlook.com'],
        'an OAuth token, or SMTP AUTH must be allowed for the mailbox'],
    [['smtps://smtp.mail.yahoo.com:465'], [qw(yahoo.com yahoo.de yahoo.fr yahoo.co.uk ymail.com)], ['yahoodns.net'],
        'an app password'],
    [['smtps://smtp.aol.com:465'], ['aol.com'], [], 'an app password'],
    [['smtp://smtp.mail.me.com:587'], [qw(icloud.com me.com mac.com)], ['mail.icloud.com'], 'an app-specific password'],
    [['smtps://smtp.fastmail.com:465', 'smtp://smtp.fastmail.com:587'], [qw(fastmail.com fastmail.fm)],
        ['messagingengine.com'], 'an app password'],
    [['smtps://mail.gmx.net:465', 'smtp://mail.gmx.net:587'], [qw(gmx.net gmx.de gmx.at gmx.ch)], ['gmx.net'],
        'access for programs must be switched on in the settings'],
    [['smtps://mail.gmx.com:465'], [qw(gmx.com gmx.us)], [], 'access for programs must be switched on in the settings'],
    [['smtps://smtp.mail.com:465'], ['mail.com'], ['mail.com'], undef],
    [['smtps://smtp.web.de:465', 'smtp://smtp.web.de:587'], ['web.de'], ['web.de'],
        'access for programs must be switched on in the settings'],
    [['smtps://securesmtp.t-online.de:465'], [qw(t-online.de magenta.de)], [], 'the e-mail password'],
    [['smtps://smtp.mailbox.org:465', 'smtp://smtp.mailbox.org:587'], ['mailbox.org'], ['mailbox.org'], undef],
    [['smtps://posteo.de:465', 'smtp://posteo.de:587'], [qw(posteo.de posteo.net)], ['posteo.de'], undef],
    [['smtp://smtp.protonmail.ch:587'], [qw(proton.me protonmail.com pm.me)], ['protonmail.ch'], 'an SMTP token'],
    [['smtps://smtp.zoho.com:465', 'smtp://smtp.zoho.com:587'], [qw(zoho.com zohomail.com)], ['zoho.com'], undef],
    [['smtps://smtp.zoho.eu:465', 'smtp://smtp.zoho.eu:587'], ['zohomail.eu'], ['zoho.eu'], undef],
    [['smtps://smtp.yandex.com:465'], [qw(yandex.com yandex.ru ya.ru)], [qw(yandex.net yandex.ru)], 'an app password'],
    [['smtps://smtp.mail.ru:465'], [qw(mail.ru bk.ru list.ru inbox.ru)], ['mail.ru'], 'an app password'],
    [['smtps://smtp.qq.com:465'], [qw(qq.com foxmail.com)], ['qq.com'], 'an authorization code'],
    [['smtps://smtp.163.com:465'], ['163.com'], ['163.com'], 'an authorization code'],
    [['smtps://smtp.seznam.cz:465'], [qw(seznam.cz email.cz)], ['seznam.cz'], undef],
    [['smtps://smtp.strato.de:465'], [], ['rzone.de'], undef],
    [['smtps://smtp.ionos.de:465'], [], [qw(ionos.de kundenserver.de)], undef],
    [['smtps://smtp.ionos.com:465'], [], ['ionos.com'], undef],
    [['smtps://mail.infomaniak.com:465'], ['ik.me'], [qw(infomaniak.ch infomaniak.com)], undef],
    [['smtps://ssl0.ovh.net:465'], [], ['mail.ovh.net'], undef],
);

# A hash of servers, by ("domain" or "MX") and words, or undef; @exchangers are the domain's MX, where they are known.
sub find {
    my ($class, $domain, @exchangers) = @_;

    for my $row (@TABLE) {
        my ($servers, $domains, $suffixes, $words) = @$row;
        return {servers => $servers, by => 'domain', words => $words} if grep { $_ eq lc $domain } @$domains;
    }
    for my $exchanger (@exchangers) {
        my ($row) = grep { _is_below($exchanger, @{ $_->[2] }) } @TABLE;
        return {servers => $row->[0], by => 'MX', words => $row->[3]} if $row;
    }
    return;
}

sub _is_below {
    my ($host, @domains) = @_;

    return scalar grep { $host =~ /(?:\A|\.)\Q$_\E\.?\z/i } @domains;
}

sub servers { return map { @{ $_->[0] } } @TABLE }

1;
