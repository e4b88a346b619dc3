/* stream: many messages after each other: each is asked for when it can be said, and told of when its end is known. */
#ifndef SMTPC_XS_STREAM_H
#define SMTPC_XS_STREAM_H

/* Milliseconds after which whoever makes the messages is slow: what waits to be sent is not kept for him any more. */
enum { SLOW_MS = 20 };

/* Code refs of the caller's, which must not die, and which keep in mind what is under way. */
struct stream {
    struct handle *handle;
    SV *next;          /* returns a hash, or what ready makes of one; undef at the end */
    SV *ready;         /* makes [sender, parameters, [recipients], source] of a hash that is not plain, or undef */
    SV *sent;          /* gets the receipt of a plain one that everybody got */
    SV *report;        /* gets what became of any other */
    AV *ids;           /* Message-IDs of the plain ones under way; &PL_sv_no: it is not plain */
    SV *source;        /* of the one whose content is due; owned */
    struct plain plain;
    IV window;
    int is_exhausted;
    int is_slow;
};

/* Arguments for the report: error, code, words, octets, and what answers_of tells. */
static SV *
report_of(pTHX_ const struct smtpc_submission *over)
{
    AV *report = newAV();

    av_extend(report, 4);
    av_push(report, smtpc_error_is_set(&over->error) ? error_hash(aTHX_ &over->error) : newSV(0));
    av_push(report, newSViv(over->code));
    av_push(report, over->words != NULL ? newSVpvn(over->words, over->words_length) : newSV(0));
    av_push(report, newSVnv((NV)over->content.size));
    av_push(report, answers_of(aTHX_ &over->envelope));
    return newRV_noinc((SV *)report);
}

/* The submission is let go before Perl code runs. */
static void
tell_one(pTHX_ struct stream *stream, const struct smtpc_submission *over)
{
    SV *id = sv_2mortal(av_shift(stream->ids));
    int is_plain = id != &PL_sv_no && is_plain_success(over);
    SV *argument = sv_2mortal(is_plain ? receipt_of(aTHX_ over, id, stream->plain.shared) : report_of(aTHX_ over));

    smtpc_session_drop_finished(session_of(stream->handle));
    call_perl(aTHX_ is_plain ? stream->sent : stream->report, NULL, &argument, 1);
}

static void
tell_finished(pTHX_ struct stream *stream)
{
    const struct smtpc_submission *over;

    while ((over = smtpc_session_finished(session_of(stream->handle))) != NULL) {
        ENTER;
        SAVETMPS;
        tell_one(aTHX_ stream, over);
        FREETMPS;
        LEAVE;
    }
}

static SV *
part_of(pTHX_ AV *message, SSize_t i)
{
    SV **part = av_fetch(message, i, 0);

    return part != NULL ? *part : &PL_sv_undef;
}

/* A submission that cannot be begun is over at once, and told of in its turn. */
static void
begin_ready(pTHX_ struct stream *stream, AV *message)
{
    struct smtpc_session *session = session_of(stream->handle);
    STRLEN length;
    const char *sender = text_of(aTHX_ part_of(aTHX_ message, 0), &length);
    const char *words = word_of(aTHX_ part_of(aTHX_ message, 1), "parameter");
    SV *recipients = part_of(aTHX_ message, 2);

    av_push(stream->ids, &PL_sv_no);
    sv_setsv(stream->source, part_of(aTHX_ message, 3));
    if (smtpc_session_open_envelope(session, sender, length, words) != 0
        || add_recipients(aTHX_ session, (AV *)SvRV(recipients)) != 0)
        croak("%s", smtpc_session_error(session)->text);
    smtpc_session_submit(session);
}

static int
is_list(SV *sv)
{
    return SvROK(sv) && SvTYPE(SvRV(sv)) == SVt_PVAV;
}

static void
begin_message(pTHX_ struct stream *stream, SV *message)
{
    SV *content, *id;

    if (begin_plain(aTHX_ session_of(stream->handle), &stream->plain, message, &content, &id)) {
        av_push(stream->ids, id);
        sv_setsv(stream->source, content);
        return;
    }
    if (!is_list(message))
        message = call_perl(aTHX_ stream->ready, NULL, &message, 1);
    if (is_list(message))
        begin_ready(aTHX_ stream, (AV *)SvRV(message));
}

/* All that was said before may leave while somebody thinks. */
static void
flush_for_slow(pTHX_ struct stream *stream)
{
    struct smtpc_session *session = session_of(stream->handle);

    smtpc_session_set_window(session, 0);
    pump_out(aTHX_ stream->handle);
    smtpc_session_set_window(session, (size_t)stream->window);
}

static void
ask_for_next(pTHX_ struct stream *stream)
{
    struct smtpc_session *session = session_of(stream->handle);
    int64_t began = smtpc_clock_now();
    SV *message;

    if (stream->is_slow)
        flush_for_slow(aTHX_ stream);
    if (smtpc_session_wants(session) == SMTPC_WANT_CLOSED)
        return;
    ENTER;
    SAVETMPS;
    message = call_perl(aTHX_ stream->next, NULL, NULL, 0);
    stream->is_slow = smtpc_clock_now() - began > SLOW_MS;
    if (SvOK(message))
        begin_message(aTHX_ stream, message);
    else {
        stream->is_exhausted = 1;
        smtpc_session_set_window(session, 0);
    }
    FREETMPS;
    LEAVE;
}

/* The content of the message that is due; what its source cannot give ends it. */
static void
give_content(pTHX_ struct stream *stream)
{
    switch (send_source(aTHX_ stream->handle, stream->source, stream)) {
    case 0:
        smtpc_session_end(session_of(stream->handle));
        break;
    case SOURCE_FAILED:
        smtpc_session_drop_content(session_of(stream->handle), "the message could not be read to its end");
        break;
    }
}

/* What the session wants now, after all was done that can be done without the caller. */
static enum smtpc_want
want_of(pTHX_ struct stream *stream)
{
    enum smtpc_want want = smtpc_session_wants(session_of(stream->handle));

    if (want != SMTPC_WANT_CONTENT && want != SMTPC_WANT_NEXT && want != SMTPC_WANT_IDLE) {
        pump(aTHX_ stream->handle);
        want = smtpc_session_wants(session_of(stream->handle));
    }
    deliver_trace(aTHX_ stream->handle);
    return want;
}

static void
run_stream(pTHX_ struct stream *stream)
{
    struct smtpc_session *session = session_of(stream->handle);

    for (;;) {
        enum smtpc_want want = want_of(aTHX_ stream);

        tell_finished(aTHX_ stream);
        if (want == SMTPC_WANT_CLOSED)
            return;
        if (want == SMTPC_WANT_CONTENT)
            give_content(aTHX_ stream);
        else if (stream->is_exhausted && want == SMTPC_WANT_IDLE)
            return;
        else if (!stream->is_exhausted && (want == SMTPC_WANT_IDLE || smtpc_session_may_go_on(session)))
            ask_for_next(aTHX_ stream);
    }
}

#endif
