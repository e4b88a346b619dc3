/* arguments: Perl values as C wants them: magic and overloading asked once, and before anything is begun. */
#ifndef SMTPC_XS_ARGUMENTS_H
#define SMTPC_XS_ARGUMENTS_H

#include <stddef.h>

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

/* A text of the caller's in all its forms: [octets, prepared, why there is no prepared form], the last two may be undef. */
static struct smtpc_sasl_text
sasl_text_of(pTHX_ SV *sv)
{
    struct smtpc_sasl_text text = {NULL, 0, NULL, 0, NULL};
    AV *forms;
    SV **form;

    if (!SvROK(sv) || SvTYPE(SvRV(sv)) != SVt_PVAV)
        croak("a text for a login is a list");
    forms = (AV *)sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(sv)));
    if ((form = av_fetch(forms, 0, 0)) != NULL && SvOK(*form))
        text.octets = text_of(aTHX_ *form, &text.length);
    if ((form = av_fetch(forms, 1, 0)) != NULL && SvOK(*form))
        text.prepared = text_of(aTHX_ *form, &text.prepared_length);
    if ((form = av_fetch(forms, 2, 0)) != NULL)
        text.unprepared = string_of(aTHX_ *form, "reason");
    return text;
}

/* ---- options by name ---- */

enum option_kind { OPTION_STRING, OPTION_FLAG, OPTION_INTEGER, OPTION_COUNT, OPTION_TIME, OPTION_TLS, OPTION_TEXT };

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;    /* of the field in the options' struct */
};

static const struct option connection_options[] = {
    {"host", OPTION_STRING, offsetof(struct smtpc_connection_options, host)},
    {"service", OPTION_STRING, offsetof(struct smtpc_connection_options, service)},
    {"unix_path", OPTION_STRING, offsetof(struct smtpc_connection_options, unix_path)},
    {"lmtp", OPTION_FLAG, offsetof(struct smtpc_connection_options, lmtp)},
    {"proxy_scheme", OPTION_STRING, offsetof(struct smtpc_connection_options, proxy_scheme)},
    {"proxy_host", OPTION_STRING, offsetof(struct smtpc_connection_options, proxy_host)},
    {"proxy_service", OPTION_STRING, offsetof(struct smtpc_connection_options, proxy_service)},
    {"proxy_user", OPTION_STRING, offsetof(struct smtpc_connection_options, proxy_user)},
    {"proxy_password", OPTION_STRING, offsetof(struct smtpc_connection_options, proxy_password)},
    {"local_host", OPTION_STRING, offsetof(struct smtpc_connection_options, local_host)},
    {"local_service", OPTION_STRING, offsetof(struct smtpc_connection_options, local_service)},
    {"family", OPTION_INTEGER, offsetof(struct smtpc_connection_options, family)},
    {"tls_name", OPTION_STRING, offsetof(struct smtpc_connection_options, tls_name)},
    {"tls", OPTION_TLS, offsetof(struct smtpc_connection_options, tls)},
    {"channel_binding", OPTION_STRING, offsetof(struct smtpc_connection_options, channel_binding)},
    {"implicit_tls", OPTION_FLAG, offsetof(struct smtpc_connection_options, implicit_tls)},
    {"insecure_cleartext_auth", OPTION_FLAG, offsetof(struct smtpc_connection_options, insecure_cleartext_auth)},
    {"timeout", OPTION_TIME, offsetof(struct smtpc_connection_options, timeout)},
    {"end_timeout", OPTION_TIME, offsetof(struct smtpc_connection_options, end_timeout)},
    {"deadline", OPTION_TIME, offsetof(struct smtpc_connection_options, deadline)},
    {NULL, OPTION_STRING, 0},
};

static const struct option tls_options[] = {
    {"ca_file", OPTION_STRING, offsetof(struct smtpc_tls_options, ca_file)},
    {"ca_path", OPTION_STRING, offsetof(struct smtpc_tls_options, ca_path)},
    {"certificate_file", OPTION_STRING, offsetof(struct smtpc_tls_options, certificate_file)},
    {"key_file", OPTION_STRING, offsetof(struct smtpc_tls_options, key_file)},
    {"key_password", OPTION_STRING, offsetof(struct smtpc_tls_options, key_password)},
    {"cipher_list", OPTION_STRING, offsetof(struct smtpc_tls_options, cipher_list)},
    {"ciphersuites", OPTION_STRING, offsetof(struct smtpc_tls_options, ciphersuites)},
    {"minimum_version", OPTION_STRING, offsetof(struct smtpc_tls_options, minimum_version)},
    {"sni_name", OPTION_STRING, offsetof(struct smtpc_tls_options, sni_name)},
    {"insecure_no_verify", OPTION_FLAG, offsetof(struct smtpc_tls_options, insecure_no_verify)},
    {"insecure_no_name_check", OPTION_FLAG, offsetof(struct smtpc_tls_options, insecure_no_name_check)},
    {"allow_common_name", OPTION_FLAG, offsetof(struct smtpc_tls_options, allow_common_name)},
    {"pins", OPTION_STRING, offsetof(struct smtpc_tls_options, pins)},
    {"crl_file", OPTION_STRING, offsetof(struct smtpc_tls_options, crl_file)},
    {"check_crl_of_chain", OPTION_FLAG, offsetof(struct smtpc_tls_options, check_crl_of_chain)},
    {"must_staple", OPTION_FLAG, offsetof(struct smtpc_tls_options, must_staple)},
    {"fingerprints", OPTION_STRING, offsetof(struct smtpc_tls_options, fingerprints)},
    {"tlsa", OPTION_STRING, offsetof(struct smtpc_tls_options, tlsa)},
    {"no_resumption", OPTION_FLAG, offsetof(struct smtpc_tls_options, no_resumption)},
    {"session_file", OPTION_STRING, offsetof(struct smtpc_tls_options, session_file)},
    {"keylog_file", OPTION_STRING, offsetof(struct smtpc_tls_options, keylog_file)},
    {NULL, OPTION_STRING, 0},
};

static const struct option login_options[] = {
    {"user", OPTION_TEXT, offsetof(struct smtpc_sasl_login, user)},
    {"authzid", OPTION_TEXT, offsetof(struct smtpc_sasl_login, authzid)},
    {"mechanisms", OPTION_STRING, offsetof(struct smtpc_sasl_login, wanted)},
    {"host", OPTION_STRING, offsetof(struct smtpc_sasl_login, host)},
    {"port", OPTION_INTEGER, offsetof(struct smtpc_sasl_login, port)},
    {"min_iterations", OPTION_COUNT, offsetof(struct smtpc_sasl_login, iterations_min)},
    {"max_iterations", OPTION_COUNT, offsetof(struct smtpc_sasl_login, iterations_max)},
    {NULL, OPTION_STRING, 0},
};

/* value is a mortal copy, and so is what the options lend of it. */
static void
set_option(pTHX_ const struct option *option, const char *name, SV *value, void *options)
{
    void *field;

    while (option->name != NULL && strNE(option->name, name))
        option++;
    if (option->name == NULL)
        croak("no option %s here", name);
    field = (char *)options + option->offset;
    switch (option->kind) {
    case OPTION_STRING:
        *(const char **)field = string_of(aTHX_ value, name);
        break;
    case OPTION_FLAG:
        *(int *)field = SvTRUE(value);
        break;
    case OPTION_INTEGER:
        *(int *)field = SvOK(value) ? (int)SvIV(value) : 0;
        break;
    case OPTION_COUNT:
        *(unsigned long *)field = SvOK(value) ? (unsigned long)SvUV(value) : 0;
        break;
    case OPTION_TIME:
        *(int64_t *)field = milliseconds_of(aTHX_ SvNV(value), name);
        break;
    case OPTION_TLS:
        *(void **)field = SvOK(value) ? pointer_of(aTHX_ value, &context_magic, "Net::SMTP::AuthC::TLS") : NULL;
        break;
    case OPTION_TEXT:
        if (SvOK(value))
            *(struct smtpc_sasl_text *)field = sasl_text_of(aTHX_ value);
        break;
    }
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
