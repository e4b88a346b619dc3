# The inbox for programs: JSON by the routes and names that Mailpit's clients know.
package Net::SMTP::AuthC::Sandbox::Inbox::Api;
use strict;
use warnings;
use Digest::MD5 ();
use Digest::SHA ();
use Encode ();
use JSON::PP ();
use Net::SMTP::AuthC::Sandbox::Inbox::Mail;
use Net::SMTP::AuthC::Sandbox::Inbox::Mime;

use constant LIMIT => 50;

my $json = JSON::PP->new->utf8->canonical;

# The triggers of Mailpit's chaos, by our stages.
my %trigger = (Authentication => 'auth', Recipient => 'rcpt', Sender => 'mail');

sub _json { return (200, { 'Content-Type' => 'application/json' }, $json->encode($_[0])) }
sub _ok   { return (200, { 'Content-Type' => 'text/plain; charset=utf-8' }, 'ok') }

sub _wrong { die { status => 400, text => $_[0] } }

sub info {
    my ($store) = @_;
    my @mails = $store->mails;
    my $size = 0;
    $size += $_->size for @mails;
    my $refused = grep { !$_->accepted } $store->all_mails;
    return _json({
        Version => $Net::SMTP::AuthC::Sandbox::VERSION, LatestVersion => '', Database => '', DatabaseSize => $size,
        Messages => 0 + @mails, Unread => 0 + @mails, Tags => {},
        RuntimeStats => { Uptime => time - $store->began, Memory => 0, MessagesDeleted => 0, SMTPIgnored => 0,
            SMTPAccepted => 0 + @mails, SMTPAcceptedSize => $size, SMTPRejected => $refused },
    });
}

sub messages {
    my ($store, $request) = @_;
    my @mails = $store->mails;
    return _list($request, scalar @mails, @mails);
}

sub search {
    my ($store, $request) = @_;
    my @mails = $store->mails;
    return _list($request, scalar @mails, $store->found(_query($request), @mails));
}

sub _query {
    my ($request) = @_;
    my $query = $request->{query}{query};
    _wrong('no search query') unless defined $query && $query =~ /\S/;
    return Net::SMTP::AuthC::Sandbox::Inbox::Mime::text($query);
}

sub _list {
    my ($request, $total, @mails) = @_;
    my ($start, $limit) = @{ $request->{query} }{qw(start limit)};
    $start = defined $start && $start =~ /\A[0-9]{1,9}\z/ ? 0 + $start : 0;
    $limit = defined $limit && $limit =~ /\A[0-9]{1,9}\z/ ? 0 + $limit : LIMIT;
    my $count = @mails;
    @mails = splice @mails, $start < $count ? $start : $count, $limit;
    return _json({ total => $total, unread => $total, count => 0 + @mails, messages_count => $count,
        messages_unread => $count, start => $start, tags => [], messages => [ map { _summary($_) } @mails ] });
}

sub _shared {
    my ($mail) = @_;
    return (
        ID => $mail->id, MessageID => $mail->message_id, From => $mail->from, Subject => $mail->subject,
        To => [ $mail->mailboxes('To') ], Cc => [ $mail->mailboxes('Cc') ], Bcc => [ $mail->bcc ],
        ReplyTo => [ $mail->mailboxes('Reply-To') ], Tags => [], Size => length $mail->octets,
        Username => defined $mail->user ? $mail->user : '',
    );
}

sub _summary {
    my ($mail) = @_;
    return { _shared($mail), Read => JSON::PP::false(), Created => _stamp($mail->time), Snippet => $mail->snippet,
        Attachments => scalar(() = $mail->attachments) };
}

sub _stamp { return Net::SMTP::AuthC::Sandbox::Inbox::Mail::stamp($_[0]) }

sub message {
    my ($store, $request, $id) = @_;
    my $mail = $store->mail($id);
    my $unsubscribe = $mail->field('List-Unsubscribe');
    my @files = map { $mail->can('file')->($_) } $mail->attachments;
    return _json({
        _shared($mail), ReturnPath => $mail->sender, Date => _stamp($mail->date), Text => $mail->text,
        HTML => $mail->html, Inline => [ map { _file($_) } grep { $_->{is_inline} } @files ],
        Attachments => [ map { _file($_) } grep { !$_->{is_inline} } @files ],
        ListUnsubscribe => { Header => $unsubscribe, Links => [ $unsubscribe =~ /<([^<>]+)>/g ], Errors => '',
            HeaderPost => $mail->field('List-Unsubscribe-Post') },
    });
}

sub _file {
    my ($file) = @_;
    my $content = $file->{content};
    my %sum = (MD5 => Digest::MD5::md5_hex($content), SHA1 => Digest::SHA::sha1_hex($content),
        SHA256 => Digest::SHA::sha256_hex($content));
    return { PartID => $file->{id}, FileName => $file->{name}, ContentType => $file->{type},
        ContentID => $file->{cid}, Size => length $content, Checksums => \%sum };
}

# Names as programs in Go know them: Message-Id, Mime-Version.
sub headers {
    my ($store, $request, $id) = @_;
    my %texts;
    for my $field (@{ $store->mail($id)->root->{fields} }) {
        my $name = join '-', map { ucfirst lc } split /-/, $field->[0], -1;
        push @{ $texts{$name} }, Net::SMTP::AuthC::Sandbox::Inbox::Mime::text($field->[1]);
    }
    return _json(\%texts);
}

# Those with the ids in the body; all of them when it names none.
sub delete_messages {
    my ($store, $request) = @_;
    my $given = $request->{body} =~ /\S/ ? _body($request) : {};
    my ($ids) = grep { defined } @$given{qw(IDs ids)};
    _wrong('IDs must be a list') if defined $ids && ref $ids ne 'ARRAY';
    $store->forget($ids && @$ids ? grep { defined && !ref } @$ids : map { $_->id } $store->all_mails);
    return _ok();
}

sub delete_found {
    my ($store, $request) = @_;
    $store->forget(map { $_->id } $store->found(_query($request), $store->mails));
    return _ok();
}

sub _body {
    my ($request) = @_;
    my $given = eval { $json->decode($request->{body}) };
    return ref $given eq 'HASH' ? $given : _wrong('the body is no object in JSON');
}

sub chaos {
    my ($store) = @_;
    my %switch = map { $_->{stage} => $_ } grep { $_->{kind} eq 'refuse' } $store->switches->read;
    my %chaos;
    for my $name (keys %trigger) {
        my $on = $switch{ $trigger{$name} } || { code => 451, chance => 0 };
        $chaos{$name} = { ErrorCode => 0 + $on->{code}, Probability => 0 + $on->{chance} };
    }
    return _json(\%chaos);
}

# Triggers that are not named are off; the switches of other stages stay.
sub set_chaos {
    my ($store, $request) = @_;
    my $given = _body($request);
    my %is_ours = map { $_ => 1 } values %trigger;
    my @switches = grep { !$is_ours{ $_->{stage} } } $store->switches->read;
    for my $name (sort keys %$given) {
        my $stage = $trigger{$name} || _wrong('the triggers are ' . join ', ', sort keys %trigger);
        _wrong("$name must be an object") unless ref $given->{$name} eq 'HASH';
        my ($code, $chance) = map { defined ? $_ : 0 } @{ $given->{$name} }{qw(ErrorCode Probability)};
        push @switches, { stage => $stage, kind => 'refuse', code => $code || 451, seconds => 0, chance => $chance };
        my $complaint = Net::SMTP::AuthC::Sandbox::Switches::complaint($switches[-1]);
        _wrong($complaint) if defined $complaint;
    }
    $store->switches->write(grep { $_->{chance} } @switches);
    return chaos($store);
}

1;
