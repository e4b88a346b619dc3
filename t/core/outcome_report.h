/* outcome_report: a dialogue of a session with the server in memory, and whether what the session reports is true. */
#ifndef T_CORE_OUTCOME_REPORT_H
#define T_CORE_OUTCOME_REPORT_H

#include <stdint.h>

#include "outcome_server.h"
#include "smtp/session.h"

/* How a dialogue is led. */
enum way { LOCK_STEP, PIPELINED, ALL_OR_NONE, BY_COMMAND, BY_CHUNKS, WAY_COUNT };

struct dialogue {
    enum way way;
    int messages;
    struct server_plan plan[SERVER_MESSAGES];
    int is_lax;                /* the server is */
    size_t farewell;
};

struct run {
    const struct dialogue *dialogue;
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
    int has_said_hello;
    int next;                  /* within a message that the caller leads himself */
    int message;               /* the one under way; -1: none yet */
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
        return class == 2 || class == 4 || class == 5;
    else if (*taken && (reply->step == AT_DATA || reply->step == AT_CHUNK))
        return class > 3;
    return 0;
}

static const struct server_reply *
deciding_reply(const struct run *run, int recipient, int *taken)
{
    const struct server *server = &run->server;
    size_t i;

    *taken = 0;
    for (i = 0; i < server->count && server->replies[i].end <= run->heard; i++)
        if (server->replies[i].message == run->message && decides(&server->replies[i], recipient, taken))
            return &server->replies[i];
    return NULL;
}

/* The 421 that nothing had asked for, once it was heard. A 250 of the kind says nothing. */
static const struct server_reply *
farewell(const struct run *run)
{
    const struct server *server = &run->server;
    const struct server_reply *last = &server->replies[server->count - 1];

    return last->step == AT_ANY_TIME && last->code == 421 && last->end <= run->heard ? last : NULL;
}

static const struct smtpc_recipient *
reported(const struct run *run, int recipient)
{
    const struct smtpc_envelope *envelope = smtpc_session_envelope(run->session);

    return (size_t)recipient < envelope->count ? &envelope->recipients[recipient] : NULL;
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

static inline int
is_led_by_caller(const struct dialogue *dialogue)
{
    return dialogue->way == BY_COMMAND || dialogue->way == BY_CHUNKS;
}

static inline void
fault(struct run *run, const char *what)
{
    if (run->fault == NULL)
        run->fault = what;
}

/* A 421 may be taken for the answer to what was last asked, or for the end of all; never is anything unknown then. */
static inline int
is_right(const struct run *run, const struct smtpc_recipient *recipient, int number)
{
    int taken;
    const struct server_reply *reply = deciding_reply(run, number, &taken);
    int is_out = taken && run->ideal.has_ended[run->message];

    if (reply != NULL)
        return recipient->outcome == outcome_of(reply->code) && has_words_of(run, recipient, reply);
    reply = farewell(run);
    if (reply != NULL && recipient->outcome == SMTPC_OUTCOME_DEFERRED)
        return has_words_of(run, recipient, reply);
    return recipient->outcome == (is_out && reply == NULL ? SMTPC_OUTCOME_UNKNOWN : SMTPC_OUTCOME_NOT_SENT)
        && has_words_of(run, recipient, NULL) && !(is_out && reply != NULL);
}

static inline void
check_recipient(struct run *run, int number)
{
    const struct smtpc_recipient *recipient = reported(run, number);
    enum smtpc_outcome outcome = recipient != NULL ? recipient->outcome : SMTPC_OUTCOME_NOT_SENT;

    run->outcomes[run->message][number] = outcome;
    if (recipient == NULL && !is_led_by_caller(run->dialogue))
        fault(run, "a recipient is missing");
    else if (recipient != NULL && smtpc_outcome_name(outcome)[0] == '\0')
        fault(run, "no outcome");
    else if (recipient != NULL && !is_right(run, recipient, number))
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
check_message(struct run *run)
{
    const struct server_plan *plan = &run->dialogue->plan[run->message];
    const struct smtpc_error *error = smtpc_session_error(run->session);
    int unknown = 0;
    int i;

    for (i = 0; i < SERVER_RECIPIENTS && plan->rcpt[i] != 0; i++) {
        check_recipient(run, i);
        unknown |= run->outcomes[run->message][i] == SMTPC_OUTCOME_UNKNOWN;
    }
    if ((size_t)i < smtpc_session_envelope(run->session)->count)
        fault(run, "a recipient that nobody named");
    if (error->may_have_been_sent != unknown && !may_be_for_others(run))
        fault(run, "may_have_been_sent");
}

/* What the server is responsible for in the end, against what was reported. */
static inline void
check_truth(struct run *run)
{
    int m, r;

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
