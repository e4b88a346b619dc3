# Ledger: one mail for one key: a folder with a file for each key, which says how far its mail has come.
package Net::SMTP::AuthC::Ledger;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Error;
use Net::SMTP::AuthC::Ledger::Entry;
use Net::SMTP::AuthC::Receipt;

my $KEY_MOST = 1000;
my $WAIT     = 120;      # for another process that sends the same mail, where no deadline was given
my $DAY      = 86_400;

# Of a mail that is not out. "begun" is one whose process died, as its lock can be had.
my %is_free = map { $_ => 1 } ('', qw(begun failed));

sub new {
    my ($class, $folder) = @_;

    _usage('ledger: the path of a folder') if !defined $folder || ref $folder || !length $folder;
    mkdir $folder, 0700 if !-e $folder;
    _system("ledger: $folder: $!") if !-e $folder;
    _usage("ledger: $folder is no folder") if !-d _;
    _usage("ledger: everybody may write into $folder", 'chmod o-w; who can write there can hold back your mails')
        if ((stat _)[2] // 0) & 0002;
    return bless {folder => $folder}, $class;
}

sub _usage  { return Net::SMTP::AuthC::Error->usage(@_) }
sub _system { return Net::SMTP::AuthC::Error->throw(kind => 'system', temporary => 0, text => $_[0]) }

# ---- one mail ----

# Calls $send with the message, unless the mail of this key is out or may be. $given: the options of send_mail, which
# lose those that are the ledger's; the wait for another process counts in the deadline.
sub once {
    my ($class, $given, $message, $send) = @_;

    my ($key, $folder) = delete @$given{qw(once ledger)};
    _usage('once: a key for each mail', q{such as once => 'order-1001'}) if !defined $key;
    _usage('once without ledger', q{ledger => '/folder', where only this program may write}) if !defined $folder;
    my $entry = $class->new($folder)->_entry($key);
    my $limit = $given->{deadline} && Net::SMTP::AuthC::Options->seconds('deadline', $given->{deadline});
    my $begun = _now();
    $entry->lock($limit || $WAIT) or _busy($key);
    if ($limit) {
        my $left = $limit - (_now() - $begun);
        $given->{deadline} = $left > 0.001 ? $left : 0.001;
    }
    _same_people($key, $entry, $message);
    return $is_free{ $entry->state } ? _first($key, $entry, $message, $send) : _again($key, $entry);
}

sub _now { return Net::SMTP::AuthC::_now() }

sub _entry {
    my ($self, $key) = @_;

    _usage('once: a key of 1 to ' . $KEY_MOST . ' characters') if ref $key || $key eq '' || length $key > $KEY_MOST;
    return Net::SMTP::AuthC::Ledger::Entry->new($self->{folder}, "$key");
}

sub _busy {
    my ($key) = @_;

    return Net::SMTP::AuthC::Error->throw(kind => 'timeout', may_have_been_sent => 1,
        text => qq{once: another process is still sending the mail "$key"},
        hint => 'the same call, later, tells what became of it');
}

# A key that stands for two mails would hold back the second.
sub _same_people {
    my ($key, $entry, $message) = @_;

    my $noted = $entry->fact('to') // return;
    my @to = $message->envelope_to;
    return if join("\n", sort @$noted) eq join "\n", sort @to;
    return _usage(qq{once: "$key" is the key of a mail to others}, 'give each mail a key of its own');
}

sub _first {
    my ($key, $entry, $message, $send) = @_;

    require Net::SMTP::AuthC::Ledger::Watched;
    my $begin = sub { $entry->note(begun => message_id => $message->message_id, to => [$message->envelope_to], pid => $$) };
    $begin->();
    my $watched = Net::SMTP::AuthC::Ledger::Watched->new($message,
        again => sub { $begin->() if $entry->state eq 'ending' },
        ending => sub { $entry->note('ending') });
    my $receipt = eval { $send->($watched) };
    return _failed($entry, $@) if !defined $receipt;
    # the mail is out: what happens now must not look like a failure to send it
    local $@;
    eval { $entry->note(sent => _summary($receipt)); 1 } or warn qq{The mail "$key" was sent; it cannot be noted: $@};
    return $receipt;
}

# Free for the next call where nobody has got it, and for none where somebody may have.
sub _failed {
    my ($entry, $error) = @_;

    my $is_ours = ref $error && eval { $error->isa('Net::SMTP::AuthC::Error') };
    my $receipt = $is_ours && $error->receipt;
    my $is_open = $is_ours ? $error->may_have_been_sent || $receipt && ($receipt->unknown || $receipt->sent) : 1;
    my $state   = $is_open && $entry->state eq 'ending' ? 'unknown' : 'failed';
    my $words   = $is_ours ? $error->text : 'Perl code died';    # of what may be secret
    eval { $entry->note($state => error => $words, $receipt ? _summary($receipt) : ()) };
    die $error;
}

# ---- what is kept of a receipt, and made of it ----

my @KEPT = qw(code enhanced text message_id bytes mechanism);
my @ANSWER = qw(address outcome code enhanced text step);

sub _summary {
    my ($receipt) = @_;

    my @recipients = map { my $one = $_; +{ map { $_ => $one->$_ } @ANSWER } } $receipt->recipients;
    return ((map { $_ => $receipt->$_ } @KEPT), recipients => \@recipients);
}

sub _receipt {
    my ($entry) = @_;

    my $recipients = $entry->fact('recipients')
        // [map { +{address => $_, outcome => 'unknown'} } @{ $entry->fact('to') // [] }];
    return Net::SMTP::AuthC::Receipt->new((map { $_ => $entry->fact($_) } @KEPT), recipients => $recipients,
        repeated => 1);
}

sub _again {
    my ($key, $entry) = @_;

    return _receipt($entry) if $entry->state eq 'sent';
    my $why = $entry->fact('error') // 'the process that sent it ended before it had the answer';
    return Net::SMTP::AuthC::Error->throw(kind => 'interrupted', may_have_been_sent => 1, receipt => _receipt($entry),
        text => qq{once: the mail "$key" was handed over at } . _utc($entry->fact('time')) . ": $why",
        hint => 'it is not sent again; forget of Net::SMTP::AuthC::Ledger frees the key');
}

sub _utc {
    my ($time) = @_;

    my ($second, $minute, $hour, $day, $month, $year) = gmtime($time // 0);
    return sprintf '%04d-%02d-%02d %02d:%02d:%02d UTC', 1900 + $year, 1 + $month, $day, $hour, $minute, $second;
}

# ---- for those who look after the folder ----

sub entries {
    my ($self) = @_;

    return sort { $a->{time} <=> $b->{time} } map { $_->as_hash } grep { length $_->state } $self->_files;
}

sub _files {
    my ($self) = @_;

    opendir my $folder, $self->{folder} or _system("ledger: $self->{folder}: $!");
    my @names = map { /\A([0-9a-f]{64})\z/ ? $1 : () } readdir $folder;
    return map { Net::SMTP::AuthC::Ledger::Entry->of_file("$self->{folder}/$_") } @names;
}

sub state {
    my ($self, $key) = @_;

    my $entry = $self->_entry($key);
    return $entry->peek ? $entry->state : undef;
}

# The next call with this key sends.
sub forget {
    my ($self, $key) = @_;

    return $self->_entry($key)->remove;
}

sub cleanup {
    my ($self, %given) = @_;

    my $days = delete $given{days} // _usage('cleanup: days => 400, the age from which entries go');
    my $also = delete $given{unknown};
    _usage(qq{unknown option "$_" of cleanup}) for sort keys %given;
    _usage('days: a number') if $days !~ /\A[0-9]+(?:\.[0-9]+)?\z/;
    my $last = time - $days * $DAY;
    my $may  = sub {
        my ($entry) = @_;
        return ($also || $entry->state eq 'sent' || $is_free{ $entry->state }) && $entry->changed < $last;
    };
    return scalar grep { $may->($_) && $_->remove($may) } $self->_files;
}

1;

__END__

=encoding utf8

=head1 NAME

Net::SMTP::AuthC::Ledger - one mail for one order, however often the page is shown

=head1 SYNOPSIS

    use Net::SMTP::AuthC;

    my $receipt = Net::SMTP::AuthC->send_mail(
        server  => 'smtps://smtp.example.com',
        username => 'shop', password => $secret,
        from    => 'Shop <orders@shop.example>', to => 'owner@shop.example',
        subject => 'Order 1001', text => "Two teapots.\n",
        once    => 'order-1001', ledger => '/var/lib/shop/ledger',
    );
    print $receipt->repeated ? "was sent before\n" : "sent\n";

And now and then, from cron:

    use Net::SMTP::AuthC::Ledger;

    my $ledger = Net::SMTP::AuthC::Ledger->new('/var/lib/shop/ledger');
    $ledger->cleanup(days => 400);

=head1 DESCRIPTION

A customer presses the button twice, reloads the page behind it, goes back and presses again; a web server starts a
program anew; a program dies between sending a mail and noting that it did. With C<once> and C<ledger> of
C<send_mail> there is one mail for all of that, or an error that says that nobody knows.

C<once> is a key: any string of your own that stands for this mail and no other, such as C<order-1001>. C<ledger> is a
folder in which each key has a file. The first call sends the mail and notes the answer. What a later call with the same
key does depends on what became of the first:

=over 4

=item it was sent

Nothing is sent. The receipt is that of the first mail, its C<repeated> is true.

=item it was not sent, for certain

The mail is sent. So it is when the server refused the mail, when the connection failed before the end of the message
left, and when the first process died before that.

=item it may have been sent

Nothing is sent. An error is thrown whose C<may_have_been_sent> is true: the connection was cut, or the process died,
after the end of the message had left and before the answer was noted. Look into the mailbox, or ask the server's
operator for the Message-ID (C<< $error->receipt->message_id >>); then let it be, or C<forget> the key.

=item it is being sent by another process at this moment

The call waits for that, as long as its C<deadline> allows (120 seconds without one), and then does as above. When the
time is over, an error of kind C<timeout> is thrown with C<may_have_been_sent>; the same call later tells the outcome.

=back

A key belongs to the recipients of its first mail. A call with the same key and others is an error, as it would never be
sent: give the mail to the customer and the mail to the owner a key each. A mail that some recipients got and others did
not counts as sent; its receipt, the repeated one too, tells who.

=head1 THE FOLDER

It is made, for this user alone, if its parent is there; one that everybody may write into is refused. Its files can be
read by this user only, as keys and addresses are in them. Their names are digests of the keys. Each has a line of JSON
for every step: C<begun>, C<ending> (noted on the disk before the end of the message leaves), then C<sent>, C<failed> or
C<unknown>.

While a mail is under way its file is locked with L<flock(2)>; the system drops the lock when the process ends, however
it does. So the folder must be on a disk of this machine, or on a network file system whose locks hold between all its
users (NFS since version 4, or 3 with its lock daemon). Where they do not, two processes on two machines can send at
the same time.

=head1 METHODS

=head2 new($folder)

    my $ledger = Net::SMTP::AuthC::Ledger->new('/var/lib/shop/ledger');

=head2 state($key)

    print $ledger->state('order-1001') // 'never heard of';

C<begun>, C<ending>, C<sent>, C<failed> or C<unknown>, or undef. Where no process is at work, C<begun> is as good as
C<failed>, and C<ending> is C<unknown>.

=head2 entries

    for ($ledger->entries) { print "$_->{key} $_->{state} $_->{message_id}\n" }

Of each key a hash: C<key>, C<state>, C<time>, C<to>, C<message_id>, C<text>, C<error>, C<recipients> and what else is
known, the oldest first.

=head2 forget($key)

    $ledger->forget('order-1001');

The next call with this key sends. 1, or 0 if there is no such key or its mail is under way.

=head2 cleanup(days => $n, unknown => 1)

    my $gone = $ledger->cleanup(days => 400);

Removes the entries that have not changed for so many days, and returns their number. Those whose outcome nobody knows
stay unless C<unknown> is true. A key that was removed is free again, so let it live longer than anybody can come back to
the page that sends its mail.

=head2 once($given, $message, $send)

What C<send_mail> calls; not for programs.

=head1 DIAGNOSTICS

All are L<Net::SMTP::AuthC::Error> objects.

=over 4

=item once: the mail "..." was handed over at ...: ...

See above: it may have been sent.

=item once: another process is still sending the mail "..."

See above. Call again later, or with a longer C<deadline>.

=item once: "..." is the key of a mail to others

Two mails have the same key.

=item once without ledger; once: a key for each mail; once: a key of 1 to 1000 characters

C<once> and C<ledger> belong together; an undefined key is an error, as the mail would not be protected.

=item ledger: everybody may write into ...; ledger: ... is no folder; ledger: the path of a folder

Give a folder that only this program, or its group, can write into.

=item ledger: ...: No such file or directory (or another reason of the system)

The folder or a file in it cannot be read or written. Nothing was sent.

=item The mail "..." was sent; it cannot be noted: ...

A warning. Later calls with this key throw the error that it may have been sent.

=back

=head1 SEE ALSO

L<Net::SMTP::AuthC>, L<Net::SMTP::AuthC::Receipt>

=cut
