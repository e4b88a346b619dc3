# Terminal: what people see: words on the error output, the dialogue in three styles, progress, and JSON for programs.
package Net::SMTP::AuthC::Command::Terminal;

use 5.014;
use strict;
use warnings;

use Net::SMTP::AuthC::Command::Exit;
use Net::SMTP::AuthC::Error;
use Time::HiRes ();

my $REDRAW = 0.2;

sub new {
    my ($class, $option) = @_;

    my $color = $option->{color} // 'auto';
    Net::SMTP::AuthC::Command::Exit->fail(usage => '--color: auto, always or never')
        if $color !~ /\A(?:auto|always|never)\z/;
    return bless {color => $color, map { $_ => $option->{$_} || 0 } qw(quiet verbose json)}, $class;
}

sub is_quiet { return $_[0]{quiet} }
sub is_json  { return $_[0]{json} }

# Octets of UTF-8, as terminals have them today; control characters of others never get there.
sub visible {
    my ($class, $text) = @_;

    $text =~ s/([\x00-\x1f\x7f-\x9f\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}])/sprintf '\x%02X', ord $1/ge;
    utf8::encode($text);
    return $text;
}

# A word for people; nothing with -q, and nothing where JSON is wanted.
sub say {
    my ($self, @lines) = @_;

    return if $self->{quiet} || $self->{json};
    $self->_wipe;
    print STDOUT map { $self->visible($_) . "\n" } @lines;
    return;
}

sub complain {
    my ($self, @lines) = @_;

    $self->_wipe if ref $self;
    print STDERR map { 'smtpauthc: ' . $self->visible($_) . "\n" } @lines;
    return;
}

sub print_json {
    my ($self, $data) = @_;

    require JSON::PP;
    print STDOUT JSON::PP->new->canonical->ascii->pretty->allow_blessed->encode($data);
    return;
}

# ---- the dialogue ----

# NO_COLOR (no-color.org) is asked when nobody has said what he wants.
sub has_color {
    my ($self, $handle) = @_;

    return $self->{color} eq 'always' if $self->{color} ne 'auto';
    return -t $handle && !length($ENV{NO_COLOR} // '') && ($ENV{TERM} // 'dumb') ne 'dumb';
}

# A sub for connect's transcript, that shows each entry on a handle while it happens.
sub watcher {
    my ($self, $handle) = @_;

    require Net::SMTP::AuthC::Transcript;
    my $form = $self->has_color($handle) ? 'entry_as_ansi' : 'entry_as_text';
    return sub {
        $self->_wipe;
        print {$handle} Net::SMTP::AuthC::Transcript->$form($_[0]);
        return;
    };
}

# ---- progress: on a terminal only, and only after a second ----

sub begin {
    my ($self, $what, $size) = @_;

    return if $self->{quiet} || $self->{json} || !-t STDERR;
    $self->end;
    $self->{task} = {what => $what, size => $size, done => 0, since => Time::HiRes::time()};
    $SIG{ALRM} = sub { $self->_draw };
    Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 1, $REDRAW);
    return;
}

sub has_done {
    my ($self, $octets) = @_;

    $self->{task}{done} += $octets if $self->{task};
    return;
}

sub end {
    my ($self) = @_;

    return if !delete $self->{task};
    Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 0);
    delete $SIG{ALRM};
    return $self->_wipe;
}

sub _draw {
    my ($self) = @_;

    my $task = $self->{task} or return;
    print STDERR "\r\e[K" . $self->visible(progress_line({%$task, now => Time::HiRes::time()}));
    $self->{is_drawn} = 1;
    return;
}

# "sending: 3.1 of 40.0 MB, 1.5 MB/s, 24 s left", or only how long it takes already.
sub progress_line {
    my ($task) = @_;

    my ($size, $done) = @$task{qw(size done)};
    my $seconds = $task->{now} - $task->{since};
    return sprintf '%s: %d s', $task->{what}, $seconds if !$size || !$done;
    my $rate = $done / ($seconds || 1);
    my $left = $done < $size ? ($size - $done) / $rate : 0;
    return sprintf '%s: %.1f of %.1f MB, %.1f MB/s, %d s left', $task->{what}, (map { $_ / 1e6 } $done, $size, $rate),
        $left;
}

sub _wipe {
    my ($self) = @_;

    print STDERR "\r\e[K" if delete $self->{is_drawn};
    return;
}

1;
