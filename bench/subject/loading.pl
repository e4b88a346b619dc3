# loading: what a program pays before it says a word: perl alone, our module, and Net::SMTP with what it needs.
use strict;
use warnings;

my @programs = (
    ['perl -e 1'               => '1'],
    ['ours: use'               => 'use Net::SMTP::AuthC; 1'],
    ['ours: both faces'        => 'use Net::SMTP::AuthC; require Net::SMTP::AuthC::Submission; '
                                . 'require Net::SMTP::AuthC::Commands; 1'],
    ['Net::SMTP'               => 'use Net::SMTP; 1'],
    ['Net::SMTP, TLS, SASL'    => 'use Net::SMTP; use IO::Socket::SSL; use Authen::SASL; 1'],
);
my $COUNT_FILES = 'my $maps = do { local (@ARGV, $/) = "/proc/self/maps"; <> } // ""; '
    . 'my %seen = map { $_ => 1 } $maps =~ m{(/\S+\.so[.0-9]*)$}gm; '
    . 'print scalar(keys %INC), " + ", scalar keys %seen';

sub files_of {
    my ($bench, $code) = @_;

    my @command = ($bench->tools->perl, '-e', "$code; $COUNT_FILES");
    open my $output, '-|', @command or die "$command[0]: $!\n";
    return readline $output;
}

sub program_of {
    my ($bench, $name, $code) = @_;

    return {name => $name, sends_nothing => 1, command => sub { return (undef, $bench->tools->perl, '-e', $code) }};
}

sub {
    my ($bench) = @_;

    $bench->headline('Loading');
    my @parties = map { program_of($bench, @$_) } grep { defined files_of($bench, $_->[1]) } @programs;
    my %code = map { @$_ } @programs;
    my @results = $bench->in_turn(2 * $bench->rounds, map { [$_, {}] } @parties);
    my ($least, $ours) = @results;
    my @rows = map { my ($party, $these) = ($parties[$_], $results[$_]); [
        $party->{name},
        map({ $_->[1]->($these, $ours) } $bench->usual_columns),
        sprintf('%.1f', Bench::median(map { 1000 * ($these->[$_]{wall} - $least->[$_]{wall}) } 0 .. $#$least)),
        files_of($bench, $code{ $party->{name} }),
    ] } 0 .. $#parties;
    Bench::Table->print(['', map({ $_->[0] } $bench->usual_columns), 'ms over perl', 'Perl files + libraries'],
        @rows);
    return 1;
};
