/* outcome_report: a dialogue of a session with the server in memory, and whether what the session reports is true. */
#ifndef T_CORE_OUTCOME_REPORT_H
#define T_CORE_OUTCOME_REPORT_H

#include <stdint.h>

#include "outcome_server.h"
#include "smtp/session.h"

/* How a dialogue is led. */
struct way {
    const char *name;
    enum {
        LOCK_STEP, PIPELINED,
        STREAM,              /* messages follow each other without a wait, and QUIT the last */
        BY_COMMAND, BY_CHUNKS
    } led;
    enum smtpc_manner manner;
    int all_or_none;
    int lmtp;
    int drops;               /* the content of the first message is broken off */
    int early;               /* the first message begins before the login has succeeded */
};

struct mailing {
    const struct way *way;
    int messages;
    struct server_plan plan[SERVER_MESSAGES];
    int is_lax;                /* the server is */
    size_t farewell;
    int auth;                  /* the answer to AUTH */
    int is_open_to_all;        /* the server is, whatever became of the login */
};

struct run {
    const struct mailing *dialogue;
    const char *order;         /* of moves, the first that can: W out of the session, S into the server, R into the
                                * session; "?": by chance */
    uint32_t chance;
    struct server server;      /* gets what has arrived */
    struct server ideal;       /* gets what has left the session, at once */
    struct smtpc_session *session;
    char wire[SERVER_SAYS];    /* left, not arrived: from arrived to left */
    size_t left;
    size_t arrived;
    size_t heard;              /* octets of the server's that were fed */
    int begun;                 /* of what comes before the first message: hello, the login */
    int next;                  /* within a message that the caller leads himself */
    int message;               /* the one that was begun last; -1: none yet */
    int told;                  /* of a stream: those that were found to be over */
    enum smtpc_outcome outcomes[SERVER_MESSAGES][SERVER_RECIPIENTS];
    unsigned long reports[SMTPC_OUTCOME_UNKNOWN + 1];    /* how often each outcome was judged */
    const char *fault;
};

/* ---- what must be reported: from the replies that were heard whole and what has left, and nothing else ---- */

static inline enum smtpc_outcome
outcome_of(int code)
{
    return code < 400 ? SMTPC_OUTCOME_SENT : code < 500 ? SMTPC_OUTCOME_DEFERRED : SMTPC_OUTCOME_REFUSED;
}

/* Whether the reply is the last word about a recipient; *taken becomes 1 when his RCPT was accepted. */
static inline int
decides(const struct server_reply *reply, int recipient, int *taken)
{
    int class = reply->code / 100;

    if (reply->step == AT_RCPT && reply->recipient == recipient && class == 2)
        *taken = 1;
    else if (reply->step == AT_MAIL || (reply->step == AT_RCPT && reply->recipient == recipient))
        return class > 3;
    else if (*taken && reply->step == AT_END)
        return (reply->recipient < 0 || reply->recipient == recipient) && (class == 2 || class == 4 || class == 5);
    else if (*taken && (reply->step == AT_DATA || reply->step == AT_CHUNK))
        return class > 3;
    return 0;
}

/* The reply to AUTH once it was heard. */
static inline const struct server_reply *
answer_to_login(const struct run *run)
{
    const struct server *server = &run->server;
    size_t i;

    for (i = 0; i < server->count && server->replies[i].end <= run->heard; i++)
        if (server->replies[i].step == AT_AUTH)
            return &server->replies[i];
    return NULL;
}

/* Of what was said before a login failed nothing counts. */
static inline int
is_void(const struct run *run, int message)
{
    return run->dialogue->way->early && run->dialogue->auth != 235 && message == 0;
}

static inline const struct server_reply *
deciding_reply(const struct run *run, int message, int recipient, int *taken)
{
    const struct server *server = &run->server;
    size_t i;

    *taken = 0;
    if (is_void(run, message))
        return NULL;
    for (i = 0; i < server->count && server->replies[i].end <= run->heard; i++)
        if (server->replies[i].message == message && decides(&server->replies[i], recipient, taken))
            return &server->replies[i];
    return NULL;
}

/* The 421 that ended the dialogue, once it was heard. A 250 that nothing had asked for says nothing. */
static inline const struct server_reply *
farewell(const struct run *run)
{
    const struct server *server = &run->server;
    const struct server_reply *last = &server->replies[server->count - 1];

    return last->code == 421 && last->end <= run->heard ? last : NULL;
}

static inline int
is_led_by_caller(const struct mailing *dialogue)
{
    return dialogue->way->led >= BY_COMMAND;
}

static inline int
is_stream(const struct mailing *dialogue)
{
    return dialogue->way->led == STREAM;
}

/* The content leaves before it is known who was accepted. */
static inline int
is_ahead(const struct mailing *dialogue)
{
    return dialogue->way->manner == SMTPC_BY_BDAT_AHEAD && !dialogue->way->lmtp;
}

/* Code and words are those of the deciding reply, or there are none. */
static inline int
has_words_of(const struct run *run, const struct smtpc_recipient *recipient, const struct server_reply *reply)
{
    char words[16];

    if (reply == NULL)
        return recipient->code == 0 && recipient->text == NULL && recipient->enhanced[0] == '\0';
    snprintf(words, sizeof words, "n%d", (int)(reply - run->server.replies) + 1);
    return recipient->code == reply->code && recipient->text != NULL && strcmp(recipient->text, words) == 0;
}

static inline void
fault(struct run *run, const char *what)
{
    if (run->fault == NULL)
        run->fault = what;
}

/* A 421 may be taken for the answer to what was last asked, or for the end of all; never is anything unknown then. */
static inline int
is_right(const struct run *run, int message, const struct smtpc_recipient *recipient, int number)
{
    int taken;
    const struct server_reply *reply = deciding_reply(run, message, number, &taken);
    int is_out = is_ahead(run->dialogue) ? run->ideal.has_come[message] : taken && run->ideal.has_ended[message];

    if (reply != NULL)
        return recipient->outcome == outcome_of(reply->code) && has_words_of(run, recipient, reply);
    reply = farewell(run);
    if (reply != NULL && recipient->outcome == SMTPC_OUTCOME_DEFERRED)
        return has_words_of(run, recipient, reply);
    return recipient->outcome == (is_out && reply == NULL ? SMTPC_OUTCOME_UNKNOWN : SMTPC_OUTCOME_NOT_SENT)
        && has_words_of(run, recipient, NULL) && !(is_out && reply != NULL);
}

static inline void
check_recipient(struct run *run, int message, int number, const struct smtpc_envelope *envelope)
{
    const struct smtpc_recipient *recipient = (size_t)number < envelope->count ? &envelope->recipients[number] : NULL;
    enum smtpc_outcome outcome = recipient != NULL ? recipient->outcome : SMTPC_OUTCOME_NOT_SENT;

    run->outcomes[message][number] = outcome;
    if (recipient == NULL && !is_led_by_caller(run->dialogue))
        fault(run, "a recipient is missing");
    else if (recipient != NULL && smtpc_outcome_name(outcome)[0] == '\0')
        fault(run, "no outcome");
    else if (recipient != NULL && !is_right(run, message, recipient, number))
        fault(run, "another outcome, or another reply's words");
}

/* Whoever leads the dialogue himself may have named others by commands of his own. */
static inline int
may_be_for_others(const struct run *run)
{
    return is_led_by_caller(run->dialogue) && run->dialogue->is_lax;
}

/* The transaction is over: every recipient has his one outcome. */
static inline void
check_message(struct run *run, int message, const struct smtpc_envelope *envelope, const struct smtpc_error *error)
{
    const struct server_plan *plan = &run->dialogue->plan[message];
    int unknown = 0;
    int i;

    for (i = 0; i < SERVER_RECIPIENTS && plan->rcpt[i] != 0; i++) {
        check_recipient(run, message, i, envelope);
        unknown |= run->outcomes[message][i] == SMTPC_OUTCOME_UNKNOWN;
    }
    if ((size_t)i < envelope->count)
        fault(run, "a recipient that nobody named");
    if (error->may_have_been_sent != unknown && !may_be_for_others(run))
        fault(run, "may_have_been_sent");
    if (is_void(run, message) && answer_to_login(run) != NULL && answer_to_login(run)->code != 421
        && error->kind != SMTPC_ERROR_AUTH)
        fault(run, "the login failed, and something else is told");
}

static inline void
check_last_message(struct run *run)
{
    check_message(run, run->message, smtpc_session_envelope(run->session), smtpc_session_error(run->session));
}

/* Of a stream: those that are over, each once. */
static inline void
check_finished(struct run *run)
{
    const struct smtpc_submission *over;

    while ((over = smtpc_session_finished(run->session)) != NULL) {
        check_message(run, run->told++, &over->envelope, &over->error);
        smtpc_session_drop_finished(run->session);
    }
}

/* A message that must not be ended never is: its content was broken off, or it is for all or none. */
static inline void
check_never_ended(struct run *run)
{
    const struct way *way = run->dialogue->way;
    int m, r;

    if (way->drops && (run->ideal.has_come[0] || run->server.accepted[0] != 0))
        fault(run, "ended, though it was broken off");
    for (m = 0; way->all_or_none && m < run->dialogue->messages; m++)
        for (r = 0; r < SERVER_RECIPIENTS && run->dialogue->plan[m].rcpt[r] != 0; r++)
            if (run->dialogue->plan[m].rcpt[r] != 250 && run->ideal.has_ended[m])
                fault(run, "ended, though not all were accepted");
}

/* What the server is responsible for in the end, against what was reported. */
static inline void
check_truth(struct run *run)
{
    int m, r;

    check_never_ended(run);
    for (m = 0; m < run->dialogue->messages; m++)
        for (r = 0; r < SERVER_RECIPIENTS; r++) {
            int is_accepted = run->server.accepted[m] >> r & 1;
            enum smtpc_outcome outcome = run->outcomes[m][r];

            run->reports[outcome]++;
            if (is_accepted ? outcome != SMTPC_OUTCOME_SENT && outcome != SMTPC_OUTCOME_UNKNOWN
                : outcome == SMTPC_OUTCOME_SENT)
                fault(run, is_accepted ? "accepted, but not reported so" : "sent, but not accepted");
        }
}

#endif
