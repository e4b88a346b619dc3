# Host names where Net::LibIDN2 is there: it may refuse what is allowed here, and never allows what is refused here.
# valgrind: no
use strict;
use warnings;
use utf8;
use Test::More;

use Net::SMTP::AuthC::HostName;

# Its part that is used, with the refusals of the real one.
BEGIN {
    package Net::LibIDN2;
    our ($works, @asked) = (1);
    sub IDN2_NFC_INPUT       { die "not in this version\n" if !$works; return 1 }
    sub IDN2_NONTRANSITIONAL { return 8 }
    sub idn2_strerror        { return $_[0] == -310 ? 'string has forbidden bi-directional properties' : 'what?' }
    sub idn2_lookup_u8 {
        my ($name, $flags) = @_;
        push @asked, "$name $flags";
        $_[2] = $name =~ /\A\xd7\x90a/ ? -310 : 0;
        return $_[2] ? undef : 'unused.example';
    }
    $INC{'Net/LibIDN2.pm'} = __FILE__;
}

my $class = 'Net::SMTP::AuthC::HostName';
sub error_of { my ($call) = @_; return eval { $call->(); 1 } ? 'no error' : $@ }

is($class->to_ascii('bücher.example'), 'xn--bcher-kva.example', 'both agree');
is("@Net::LibIDN2::asked", "b\xc3\xbccher.example 9", 'it gets UTF-8');
my $error = error_of(sub { $class->to_ascii("\x{5D0}a.example", 'server') });
is(ref $error && $error->kind, 'usage', 'letters of both directions in a label: kind');
like($error, qr/\Aserver: ".*": string has forbidden bi-directional properties at \Q$0\E line/, 'and why');
@Net::LibIDN2::asked = ();
like(error_of(sub { $class->to_ascii('i❤.example') }), qr/U\+2764 is a symbol/, 'what is refused here stays so');
is($class->to_ascii('mail.example'), 'mail.example', 'ASCII');
is(scalar(@Net::LibIDN2::asked), 0, 'it is not asked about either');
$@ = 'before';
$Net::LibIDN2::works = 0;
is($class->to_ascii("\x{5D0}a.example"), 'xn--a-zhc.example', 'one that does not work is as none');
is($@, 'before', 'and leaves no trace');

done_testing;
