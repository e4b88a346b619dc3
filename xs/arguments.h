/* arguments: Perl values as C wants them: magic and overloading asked once, and before anything is begun. */
#ifndef SMTPC_XS_ARGUMENTS_H
#define SMTPC_XS_ARGUMENTS_H

/* A mortal plain string, or undef, of anything that Perl can make one of. */
static SV *
plain_string(pTHX_ SV *sv)
{
    SV *copy = sv_mortalcopy(sv);
    STRLEN length;
    const char *octets;

    if (!SvROK(copy))
        return copy;
    octets = SvPV(copy, length);
    return newSVpvn_flags(octets, length, SVs_TEMP | (SvUTF8(copy) ? SVf_UTF8 : 0));
}

/* Octets of a character string: UTF-8 when Perl holds it as such, else as they are. */
static const char *
text_of(pTHX_ SV *sv, STRLEN *length)
{
    SV *string = plain_string(aTHX_ sv);    /* the SvPV macro looks at its argument more than once */

    return SvPV(string, *length);
}

/* A byte string; a character above 255 is refused by name. */
static SV *
byte_string(pTHX_ SV *sv, const char *name)
{
    SV *bytes = plain_string(aTHX_ sv);
    STRLEN length;

    (void)SvPV(bytes, length);
    if (!sv_utf8_downgrade(bytes, TRUE))
        croak("%s: a character above 255; encode it first, e.g. Encode::encode('UTF-8', ...)", name);
    return bytes;
}

/* NUL-terminated; NULL for undef. */
static const char *
string_of(pTHX_ SV *sv, const char *name)
{
    SV *string = plain_string(aTHX_ sv);
    STRLEN length;
    const char *octets;

    if (!SvOK(string))
        return NULL;
    octets = SvPV(string, length);
    if (memchr(octets, '\0', length) != NULL)
        croak("%s: a NUL inside", name);
    return octets;
}

/* The same where undef is as good as ''. */
static const char *
word_of(pTHX_ SV *sv, const char *name)
{
    const char *word = string_of(aTHX_ sv, name);

    return word != NULL ? word : "";
}

/* 0 means no limit, so what is over already, or nearly, is a millisecond. */
static int64_t
milliseconds_of(pTHX_ NV seconds, const char *name)
{
    if (Perl_isnan(seconds))
        croak("%s: not a number", name);
    if (seconds == 0 || seconds > 1e12)
        return 0;
    return seconds < 0.001 ? 1 : (int64_t)(seconds * 1000);
}

static int
is_code_ref(SV *sv)
{
    return SvROK(sv) && SvTYPE(SvRV(sv)) == SVt_PVCV;
}

/* What a secret or a message may be: a code ref to be called later, or a string. */
static SV *
code_or_string(pTHX_ SV *sv)
{
    SV *copy = sv_mortalcopy(sv);

    return is_code_ref(copy) ? copy : plain_string(aTHX_ copy);
}

/* value is a mortal copy, and so is what the options lend of it. */
static void
set_connection_option(pTHX_ struct smtpc_connection_options *options, const char *name, SV *value)
{
    if (strEQ(name, "host"))
        options->host = string_of(aTHX_ value, name);
    else if (strEQ(name, "service"))
        options->service = string_of(aTHX_ value, name);
    else if (strEQ(name, "local_host"))
        options->local_host = string_of(aTHX_ value, name);
    else if (strEQ(name, "local_service"))
        options->local_service = string_of(aTHX_ value, name);
    else if (strEQ(name, "family"))
        options->family = SvOK(value) ? (int)SvIV(value) : 0;
    else if (strEQ(name, "tls_name"))
        options->tls_name = string_of(aTHX_ value, name);
    else if (strEQ(name, "tls"))
        options->tls = SvOK(value) ? pointer_of(aTHX_ value, &context_magic, "Net::SMTP::AuthC::TLS") : NULL;
    else if (strEQ(name, "implicit_tls"))
        options->implicit_tls = SvTRUE(value);
    else if (strEQ(name, "insecure_cleartext_auth"))
        options->insecure_cleartext_auth = SvTRUE(value);
    else if (strEQ(name, "timeout"))
        options->timeout = milliseconds_of(aTHX_ SvNV(value), name);
    else if (strEQ(name, "end_timeout"))
        options->end_timeout = milliseconds_of(aTHX_ SvNV(value), name);
    else if (strEQ(name, "deadline"))
        options->deadline = smtpc_clock_after(milliseconds_of(aTHX_ SvNV(value), name));
    else
        croak("no connection option %s", name);
}

static void
set_tls_option(pTHX_ struct smtpc_tls_options *options, const char *name, SV *value)
{
    if (strEQ(name, "ca_file"))
        options->ca_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "ca_path"))
        options->ca_path = string_of(aTHX_ value, name);
    else if (strEQ(name, "certificate_file"))
        options->certificate_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "key_file"))
        options->key_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "key_password"))
        options->key_password = string_of(aTHX_ value, name);
    else if (strEQ(name, "cipher_list"))
        options->cipher_list = string_of(aTHX_ value, name);
    else if (strEQ(name, "ciphersuites"))
        options->ciphersuites = string_of(aTHX_ value, name);
    else if (strEQ(name, "minimum_version"))
        options->minimum_version = string_of(aTHX_ value, name);
    else if (strEQ(name, "insecure_no_verify"))
        options->insecure_no_verify = SvTRUE(value);
    else if (strEQ(name, "insecure_no_name_check"))
        options->insecure_no_name_check = SvTRUE(value);
    else if (strEQ(name, "allow_common_name"))
        options->allow_common_name = SvTRUE(value);
    else
        croak("no TLS option %s", name);
}

/* The same strings, plain, so that reading them later runs no Perl code. */
static AV *
plain_strings(pTHX_ AV *given)
{
    AV *plain = (AV *)sv_2mortal((SV *)newAV());
    SSize_t i;

    sv_2mortal(SvREFCNT_inc_simple_NN((SV *)given));
    for (i = 0; i <= av_len(given); i++) {
        SV **one = av_fetch(given, i, 0);
        SV *string = one == NULL ? newSV(0) : SvREFCNT_inc(plain_string(aTHX_ *one));

        av_push(plain, string);
    }
    return plain;
}

#endif
