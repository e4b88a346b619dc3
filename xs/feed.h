/* feed: what a call takes from Perl while it is under way: recipients, secrets, responses, content. */
#ifndef SMTPC_XS_FEED_H
#define SMTPC_XS_FEED_H

/* Pairs of address and parameters. */
static int
add_recipients(pTHX_ struct smtpc_session *session, AV *recipients)
{
    SSize_t i;

    for (i = 0; i < av_len(recipients); i += 2) {
        STRLEN length;
        const char *path = text_of(aTHX_ *av_fetch(recipients, i, 0), &length);
        const char *words = word_of(aTHX_ *av_fetch(recipients, i + 1, 0), "parameter");

        if (smtpc_session_add_recipient(session, path, length, words) != 0)
            return -1;
    }
    return 0;
}

/* ---- secrets and content, which Perl code may have to make ---- */

static int
give_secret(pTHX_ struct handle *handle, SV *secret)
{
    struct smtpc_sasl_text text;

    if (is_code_ref(secret))
        secret = call_perl(aTHX_ secret, NULL, NULL, 0);
    text = sasl_text_of(aTHX_ secret);
    return smtpc_session_secret(session_of(handle), &text);
}

/* Each challenge goes to the code; no answer cancels the login. */
static void
answer_challenges(pTHX_ struct handle *handle, SV *code)
{
    struct smtpc_session *session = session_of(handle);

    while (pump(aTHX_ handle) == SMTPC_PUMP_TURN && smtpc_session_wants(session) == SMTPC_WANT_RESPONSE) {
        const char *octets;
        STRLEN length;
        SV *challenge;
        SV *response;

        smtpc_session_challenge(session, &octets, &length);
        challenge = newSVpvn_flags(octets, length, SVs_TEMP);
        response = call_perl(aTHX_ code, NULL, &challenge, 1);
        if (SvOK(response)) {
            response = byte_string(aTHX_ response, "response");
            octets = SvPV(response, length);
            smtpc_session_respond(session, octets, length);
        } else
            smtpc_session_cancel(session, "the program's mechanism gave no answer");
    }
}

struct stream;
static void tell_finished(pTHX_ struct stream *stream);

/* All octets of a byte string, in slices as the session takes them. stream: whose messages may come to their end then,
 * or NULL. 0, or -1 when the session has ended. */
static int
send_octets(pTHX_ struct handle *handle, SV *bytes, struct stream *stream)
{
    STRLEN length;
    const char *octets = SvPV(bytes, length);

    for (;;) {
        STRLEN n = length > SMTPC_SESSION_CONTENT_MAX ? SMTPC_SESSION_CONTENT_MAX : length;

        if (pump(aTHX_ handle) != SMTPC_PUMP_TURN || !smtpc_session_in_content(session_of(handle)))
            return -1;
        if (stream != NULL)
            tell_finished(aTHX_ stream);
        if (n == 0)
            return 0;
        if (smtpc_session_content(session_of(handle), octets, n) != 0)
            return -1;
        octets += n;
        length -= n;
    }
}

enum { SOURCE_FAILED = -2 };

/* A piece that says that there will be no more, and that what came is not all. */
static int
is_failure(SV *piece)
{
    return SvROK(piece) && !SvOBJECT(SvRV(piece)) && SvTYPE(SvRV(piece)) < SVt_PVAV;
}

/* The message from a string, or from a code ref that returns piece after piece, undef at the end, and a reference to a
 * scalar when it cannot go on. 0, SOURCE_FAILED, or -1 when no more of it is wanted. */
static int
send_source(pTHX_ struct handle *handle, SV *source, struct stream *stream)
{
    if (!is_code_ref(source))
        return send_octets(aTHX_ handle, source, stream);
    for (;;) {
        int result;
        SV *piece;

        ENTER;
        SAVETMPS;
        piece = call_perl(aTHX_ source, NULL, NULL, 0);
        if (is_failure(piece))
            result = SOURCE_FAILED;
        else
            result = SvOK(piece) ? send_octets(aTHX_ handle, byte_string(aTHX_ piece, "message"), stream)
                                  : 1;
        FREETMPS;
        LEAVE;
        if (result != 0)
            return result > 0 ? 0 : result;
    }
}

#endif
