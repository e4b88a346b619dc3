/* plain: messages of a stream that need no thought: from a Perl hash to the core, and from there to a receipt. */
#ifndef SMTPC_XS_PLAIN_H
#define SMTPC_XS_PLAIN_H

/* What holds for all messages of a stream. */
struct plain {
    SV *from;             /* for those that name none; NULL: they must */
    SV *to;
    NV size_max;          /* 0: no limit; negative: SIZE is not offered */
    size_t recipients_max;
    HV *shared;           /* of every receipt */
};

/* Characters of an address that mean nothing to RFC 5322 but themselves; Envelope.pm has the same. */
static int
is_plain_address(pTHX_ SV *sv)
{
    STRLEN n, i;
    const char *octets;

    if (sv == NULL || !SvPOK(sv) || SvROK(sv) || SvGMAGICAL(sv) || SvCUR(sv) == 0)
        return 0;
    octets = SvPV_nomg(sv, n);
    for (i = 0; i < n; i++)
        if (octets[i] <= ' ' || octets[i] > '~' || strchr("\"(),:;<>[\\]", octets[i]) != NULL)
            return 0;
    return 1;
}

static SV *
value_of(pTHX_ HV *item, const char *key, SV *otherwise)
{
    SV **value = hv_fetch(item, key, (I32)strlen(key), 0);

    return value != NULL ? *value : otherwise;
}

/* about: from, to, size_max, recipients_max, shared. */
static void
read_plain(pTHX_ HV *about, struct plain *plain)
{
    SV *shared = value_of(aTHX_ about, "shared", &PL_sv_undef);

    if (!SvROK(shared) || SvTYPE(SvRV(shared)) != SVt_PVHV)
        croak("shared must be a hash");
    plain->from = value_of(aTHX_ about, "from", NULL);
    plain->to = value_of(aTHX_ about, "to", NULL);
    plain->size_max = SvNV(value_of(aTHX_ about, "size_max", &PL_sv_undef));
    plain->recipients_max = (size_t)SvUV(value_of(aTHX_ about, "recipients_max", &PL_sv_undef));
    plain->shared = (HV *)sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(shared)));
}

/* The addresses: one, or a list without gaps. */
static size_t
count_plain_recipients(pTHX_ SV *to)
{
    AV *list;
    SSize_t i;

    if (to == NULL || !SvROK(to))
        return is_plain_address(aTHX_ to) ? 1 : 0;
    list = (AV *)SvRV(to);
    if (SvTYPE((SV *)list) != SVt_PVAV || SvOBJECT((SV *)list) || SvRMAGICAL((SV *)list))
        return 0;
    for (i = 0; i <= av_len(list); i++) {
        SV **address = av_fetch(list, i, 0);

        if (address == NULL || !is_plain_address(aTHX_ *address))
            return 0;
    }
    return (size_t)(av_len(list) + 1);
}

/* message, from and to as strings, perhaps a tag of the caller's, and no option. */
static HV *
plain_hash(pTHX_ SV *item)
{
    HV *hash;
    SV *message;

    if (!SvROK(item) || SvTYPE(SvRV(item)) != SVt_PVHV || SvOBJECT(SvRV(item)) || SvRMAGICAL(SvRV(item)))
        return NULL;
    hash = (HV *)SvRV(item);
    message = value_of(aTHX_ hash, "message", NULL);
    if (message == NULL || !SvPOK(message) || SvROK(message) || SvGMAGICAL(message) || SvUTF8(message))
        return NULL;
    if (HvUSEDKEYS(hash) != 1u + hv_exists(hash, "from", 4) + hv_exists(hash, "to", 2) + hv_exists(hash, "tag", 3))
        return NULL;
    return hash;
}

/* A submission that cannot be begun is over at once, and told of in its turn. */
static int
open_plain(pTHX_ struct smtpc_session *session, SV *from, const char *parameters, SV *to, size_t count)
{
    size_t i;

    if (smtpc_session_open_envelope(session, SvPVX(from), SvCUR(from), parameters) != 0)
        return -1;
    for (i = 0; i < count; i++) {
        SV *address = SvROK(to) ? *av_fetch((AV *)SvRV(to), (SSize_t)i, 0) : to;

        if (smtpc_session_add_recipient(session, SvPVX(address), SvCUR(address), "") != 0)
            return -1;
    }
    smtpc_session_submit(session);
    return 0;
}

/* 1 when the message was begun; its Message-ID, or undef, is in *id. 0 when somebody has to think about it. */
static int
begin_plain(pTHX_ struct smtpc_session *session, const struct plain *plain, SV *item, SV **content, SV **id)
{
    struct smtpc_content_facts facts;
    HV *hash = plain_hash(aTHX_ item);
    SV *from, *to;
    size_t count;
    char parameters[40] = "";

    if (hash == NULL)
        return 0;
    from = value_of(aTHX_ hash, "from", plain->from);
    to = value_of(aTHX_ hash, "to", plain->to);
    count = count_plain_recipients(aTHX_ to);
    if (!is_plain_address(aTHX_ from) || count == 0 || count > plain->recipients_max)
        return 0;
    *content = value_of(aTHX_ hash, "message", NULL);
    smtpc_content_scan(SvPVX(*content), SvCUR(*content), &facts);
    if (facts.eight_bit || (plain->size_max > 0 && (NV)facts.size > plain->size_max))
        return 0;
    if (plain->size_max >= 0)
        sprintf(parameters, "SIZE=%lld", (long long)facts.size);
    *id = facts.message_id != NULL ? newSVpvn(facts.message_id, facts.message_id_length) : newSV(0);
    if (open_plain(aTHX_ session, from, parameters, to, count) == 0)
        return 1;
    SvREFCNT_dec(*id);
    croak("%s", smtpc_session_error(session)->text);
}

/* ---- receipts ---- */

static void
share_fields(pTHX_ HV *receipt, HV *shared)
{
    char *key;
    I32 length;
    SV *value;

    hv_iterinit(shared);
    while ((value = hv_iternextsv(shared, &key, &length)) != NULL)
        (void)hv_store(receipt, key, length, newSVsv(value), 0);
}

static SV *
addresses_of(pTHX_ const struct smtpc_envelope *envelope)
{
    AV *addresses = newAV();
    size_t i;

    for (i = 0; i < envelope->count; i++)
        av_push(addresses, newSVpvn(envelope->recipients[i].path, envelope->recipients[i].path_length));
    return newRV_noinc((SV *)addresses);
}

/* Of a message that everybody got: what Receipt.pm keeps, in a hash. */
static SV *
receipt_of(pTHX_ const struct smtpc_submission *over, SV *id, HV *shared)
{
    HV *receipt = newHV();
    const char *enhanced = over->envelope.recipients[0].enhanced;

    share_fields(aTHX_ receipt, shared);
    store(aTHX_ receipt, "addresses", addresses_of(aTHX_ &over->envelope));
    store(aTHX_ receipt, "answers", answers_of(aTHX_ &over->envelope));
    store(aTHX_ receipt, "code", newSViv(over->code));
    store(aTHX_ receipt, "enhanced", text_or_undef(aTHX_ enhanced));
    store(aTHX_ receipt, "text", newSVpvn(over->words, over->words_length));
    store(aTHX_ receipt, "bytes", newSVnv((NV)over->content.size));
    store(aTHX_ receipt, "message_id", SvREFCNT_inc_simple_NN(id));
    return sv_bless(newRV_noinc((SV *)receipt), gv_stashpvs("Net::SMTP::AuthC::Receipt", GV_ADD));
}

static int
is_plain_success(const struct smtpc_submission *over)
{
    return !smtpc_error_is_set(&over->error) && over->words != NULL
        && smtpc_envelope_count(&over->envelope, SMTPC_OUTCOME_SENT) == over->envelope.count;
}

#endif
