# What somebody looks for: words, "several words", from:anna, -subject:order, has:attachment, before:2030-01-31.
package Net::SMTP::AuthC::Sandbox::Inbox::Search;
use strict;
use warnings;

my @lists = qw(From To Cc Reply-To);

# What a mail has to say for each name; the query's words are sought in it.
my %texts = (
    from         => sub { (_addresses($_[0], 'From'), $_[0]->sender) },
    to           => sub { (_addresses($_[0], 'To'), $_[0]->recipients) },
    cc           => sub { _addresses($_[0], 'Cc') },
    bcc          => sub { map { $_->{Address} } $_[0]->bcc },
    'reply-to'   => sub { _addresses($_[0], 'Reply-To') },
    addressed    => sub { (map({ _addresses($_[0], $_) } @lists), $_[0]->sender, $_[0]->recipients) },
    subject      => sub { $_[0]->subject },
    'message-id' => sub { $_[0]->message_id },
    user         => sub { $_[0]->user },
);
my %holds = (
    has    => sub { $_[1] =~ /\Aattachments?\z/ ? scalar $_[0]->attachments : 0 },
    before => sub { _day($_[0]) lt $_[1] },
    after  => sub { _day($_[0]) gt $_[1] },
    is     => sub { $_[1] eq 'unread' },
);

# $query: characters
sub new {
    my ($class, $query) = @_;
    my @terms;
    while ($query =~ /([-!])?(?:([A-Za-z-]+):)?(?:"([^"]*)"|(\S+))/g) {
        my ($is_negated, $name, $word) = ($1, lc(defined $2 ? $2 : ''), lc(defined $3 ? $3 : $4));
        ($name, $word) = ('', "$name:$word") if $name ne '' && !$texts{$name} && !$holds{$name};
        push @terms, [ $is_negated, $name, $word ];
    }
    return bless { terms => \@terms }, $class;
}

sub is_empty { return !@{ $_[0]{terms} } }

sub finds {
    my ($self, $mail) = @_;
    for my $term (@{ $self->{terms} }) {
        my ($is_negated, $name, $word) = @$term;
        my $is_there = $holds{$name} ? $holds{$name}->($mail, $word) : _has($mail, $name, $word);
        return 0 if !$is_there == !$is_negated;
    }
    return 1;
}

sub _has {
    my ($mail, $name, $word) = @_;
    my @texts = $name ne '' ? $texts{$name}->($mail) : ($mail->subject, $texts{addressed}->($mail), $mail->text,
        $mail->snippet, map { $_->{name} } $mail->attachments);
    return scalar grep { defined && index(lc, $word) >= 0 } @texts;
}

sub _addresses {
    my ($mail, $name) = @_;
    return map { "$_->{Name} $_->{Address}" } $mail->mailboxes($name);
}

sub _day { return substr Net::SMTP::AuthC::Sandbox::Inbox::Mail::stamp($_[0]->time), 0, 10 }

1;
