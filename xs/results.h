/* results: what the core knows, as Perl values. */
#ifndef SMTPC_XS_RESULTS_H
#define SMTPC_XS_RESULTS_H

static void
store(pTHX_ HV *hash, const char *key, SV *value)
{
    (void)hv_store(hash, key, (I32)strlen(key), value, 0);
}

static SV *
error_hash(pTHX_ const struct smtpc_error *error)
{
    HV *hash;

    if (!smtpc_error_is_set(error))
        return &PL_sv_undef;
    hash = newHV();
    store(aTHX_ hash, "kind", newSVpv(smtpc_error_kind_name(error->kind), 0));
    store(aTHX_ hash, "step", newSVpv(error->step != NULL ? error->step : "", 0));
    store(aTHX_ hash, "code", newSViv(error->code));
    store(aTHX_ hash, "enhanced", newSVpv(error->enhanced, 0));
    store(aTHX_ hash, "text", newSVpv(error->text, 0));
    store(aTHX_ hash, "errno", newSViv(error->system_errno));
    store(aTHX_ hash, "temporary", newSViv(error->temporary));
    store(aTHX_ hash, "may_have_been_sent", newSViv(error->may_have_been_sent));
    return newRV_noinc((SV *)hash);
}

static SV *
facts_hash(pTHX_ const struct smtpc_tls *tls)
{
    struct smtpc_tls_facts facts;
    HV *hash;

    if (tls == NULL)
        return &PL_sv_undef;
    smtpc_tls_facts(tls, &facts);
    hash = newHV();
    store(aTHX_ hash, "version", newSVpv(facts.version, 0));
    store(aTHX_ hash, "cipher", newSVpv(facts.cipher, 0));
    store(aTHX_ hash, "verified", newSViv(facts.verified));
    store(aTHX_ hash, "name", newSVpv(facts.name, 0));
    store(aTHX_ hash, "subject", newSVpv(facts.subject, 0));
    store(aTHX_ hash, "issuer", newSVpv(facts.issuer, 0));
    store(aTHX_ hash, "not_after", newSVpv(facts.not_after, 0));
    store(aTHX_ hash, "group", newSVpv(facts.group, 0));
    store(aTHX_ hash, "trust", newSVpv(facts.trust, 0));
    store(aTHX_ hash, "resumed", newSViv(facts.resumed));
    store(aTHX_ hash, "stapled", newSViv(facts.stapled));
    return newRV_noinc((SV *)hash);
}

static SV *
recipient_array(pTHX_ const struct smtpc_recipient *recipient)
{
    AV *array = newAV();

    av_push(array, newSVpvn(recipient->path, recipient->path_length));
    av_push(array, newSVpv(smtpc_outcome_name(recipient->outcome), 0));
    av_push(array, recipient->code > 0 ? newSViv(recipient->code) : newSV(0));
    av_push(array, newSVpv(recipient->enhanced, 0));
    av_push(array, newSVpv(recipient->text != NULL ? recipient->text : "", 0));
    av_push(array, newSVpv(recipient->step != NULL ? recipient->step : "", 0));
    return newRV_noinc((SV *)array);
}

/* ---- what became of recipients, in little memory ---- */

static SV *
text_or_undef(pTHX_ const char *text)
{
    return text != NULL && *text != '\0' ? newSVpv(text, 0) : newSV(0);
}

static int
is_same_answer(const struct smtpc_recipient *a, const struct smtpc_recipient *b)
{
    const char *a_text = a->text != NULL ? a->text : "";
    const char *b_text = b->text != NULL ? b->text : "";

    return a->outcome == b->outcome && a->code == b->code && a->step == b->step
        && strcmp(a->enhanced, b->enhanced) == 0 && strcmp(a_text, b_text) == 0;
}

static AV *
answer_array(pTHX_ const struct smtpc_recipient *recipient)
{
    const char *outcome = smtpc_outcome_name(recipient->outcome);
    AV *answer = newAV();

    av_extend(answer, 4);
    av_push(answer, newSVpv(*outcome != '\0' ? outcome : "not-sent", 0));
    av_push(answer, recipient->code > 0 ? newSViv(recipient->code) : newSV(0));
    av_push(answer, text_or_undef(aTHX_ recipient->enhanced));
    av_push(answer, text_or_undef(aTHX_ recipient->text));
    av_push(answer, text_or_undef(aTHX_ recipient->step));
    return answer;
}

/* For each recipient [outcome, code, enhanced, text, step]; neighbours with the same answer share it. */
static SV *
answers_of(pTHX_ const struct smtpc_envelope *envelope)
{
    const struct smtpc_recipient *recipients = envelope->recipients;
    AV *answers = newAV();
    AV *answer = NULL;
    size_t i;

    if (envelope->count > 0)
        av_extend(answers, (SSize_t)envelope->count - 1);
    for (i = 0; i < envelope->count; i++) {
        if (answer != NULL && is_same_answer(&recipients[i - 1], &recipients[i]))
            av_push(answers, newRV_inc((SV *)answer));
        else {
            answer = answer_array(aTHX_ &recipients[i]);
            av_push(answers, newRV_noinc((SV *)answer));
        }
    }
    return newRV_noinc((SV *)answers);
}

static void
croak_error(pTHX_ const struct smtpc_error *error)
{
    croak("%s", error->text);
}

#endif
