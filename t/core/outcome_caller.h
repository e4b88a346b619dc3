/* outcome_caller: leads a dialogue with the server in memory, octet by octet, up to where it is to be cut. */
#ifndef T_CORE_OUTCOME_CALLER_H
#define T_CORE_OUTCOME_CALLER_H

#include "login.h"
#include "outcome_report.h"

/* What the caller does next within a message that he leads himself; below: a recipient. */
enum { FIRST_CHUNK = SERVER_RECIPIENTS, LAST_CHUNK, DATA_WAS_SAID, MESSAGE_IS_OVER };

static const char *const senders[SERVER_MESSAGES] = {"m0@x", "m1@x", "m2@x"};
static const char *const recipients[SERVER_RECIPIENTS] = {"r0@x", "r1@x", "r2@x", "r3@x"};

static inline void
open_message(struct run *run, int all)
{
    const char *sender = senders[++run->message];
    int i;

    if (!all) {
        smtpc_session_mail(run->session, sender, 4, "");
        return;
    }
    if (smtpc_session_open_envelope(run->session, sender, 4, "") != 0)
        return;
    for (i = 0; i < SERVER_RECIPIENTS && run->dialogue->plan[run->message].rcpt[i] != 0; i++)
        if (smtpc_session_add_recipient(run->session, recipients[i], 4, "") != 0)
            return;
    smtpc_session_submit(run->session);
}

static inline void
begin_message_or_quit(struct run *run)
{
    if (run->message + 1 == run->dialogue->messages)
        smtpc_session_quit(run->session);
    else
        open_message(run, !is_led_by_caller(run->dialogue));
}

static inline int
is_anybody_left(const struct run *run)
{
    return smtpc_envelope_count(smtpc_session_envelope(run->session), SMTPC_OUTCOME_ACCEPTED) > 0;
}

/* The content, then RSET; and nothing but RSET after a chunk that was refused (RFC 3030 section 2). */
static inline void
end_message(struct run *run)
{
    if (run->next == LAST_CHUNK && smtpc_session_reply(run->session)->code != 250)
        run->next = DATA_WAS_SAID;
    if (run->next == DATA_WAS_SAID) {
        run->next = MESSAGE_IS_OVER;
        smtpc_session_reset(run->session);
    } else if (run->dialogue->way->led == BY_COMMAND) {
        run->next = DATA_WAS_SAID;
        smtpc_session_data(run->session);
    } else if (run->next++ == FIRST_CHUNK)
        smtpc_session_bdat(run->session, ".\r\nQUIT\r\n", 9, 0);
    else
        smtpc_session_bdat(run->session, "y", 1, 1);
}

/* One command after the other, as Net::SMTP's callers have it. */
static inline void
next_command(struct run *run)
{
    if (run->next == 0 && smtpc_session_reply(run->session)->code != 250)
        run->next = DATA_WAS_SAID;
    if (run->next < SERVER_RECIPIENTS && run->dialogue->plan[run->message].rcpt[run->next] != 0) {
        smtpc_session_rcpt(run->session, recipients[run->next], 4, "");
        run->next++;
        return;
    }
    if (run->next < FIRST_CHUNK)
        run->next = is_anybody_left(run) || run->dialogue->is_lax ? FIRST_CHUNK : DATA_WAS_SAID;
    end_message(run);
}

/* 0 when that was done already. */
static inline int
introduce(struct run *run)
{
    int what = run->begun++;

    if (what == 0)
        smtpc_session_hello(run->session, "c", 1, 0);
    else if (what == 1 && run->dialogue->way->early) {
        session_auth(run->session, "u", 1, "PLAIN");
        session_secret(run->session, "p", 1);
    } else
        return 0;
    return 1;
}

static inline void
idle(struct run *run)
{
    if (run->message >= 0 && is_led_by_caller(run->dialogue) && run->next < MESSAGE_IS_OVER) {
        next_command(run);
        return;
    }
    if (is_stream(run->dialogue))
        check_finished(run);
    else if (run->message >= 0)
        check_last_message(run);
    run->next = 0;
    if (!introduce(run))
        begin_message_or_quit(run);
}

/* What is over is looked at, then the next message begins, or QUIT is said, while others are under way. */
static inline void
go_on(struct run *run)
{
    check_finished(run);
    if (smtpc_session_may_go_on(run->session))
        begin_message_or_quit(run);
}

static inline void
give_content(struct run *run)
{
    static const char text[] = "S: x\n\n.y\n";

    smtpc_session_content(run->session, text, sizeof text - 1);
    if (run->dialogue->way->drops && run->message == 0)
        smtpc_session_drop_content(run->session, "dropped");
    else
        smtpc_session_end(run->session);
}

/* ---- octets ---- */

static inline int
move_out(struct run *run)
{
    const char *octets;
    size_t n;

    smtpc_session_output(run->session, &octets, &n);
    if (n == 0 || smtpc_session_wants(run->session) == SMTPC_WANT_CLOSED)
        return 0;
    if (run->left == sizeof run->wire)
        abort();
    run->wire[run->left++] = octets[0];
    if (run->dialogue->way->early && run->message == 0 && (run->ideal.in_content || run->ideal.chunk > 0)
        && (answer_to_login(run) == NULL || answer_to_login(run)->code != 235))
        fault(run, "content before the login has succeeded");
    server_hear(&run->ideal, octets[0]);
    smtpc_session_sent(run->session, 1);
    return 1;
}

static inline int
move_to_server(struct run *run)
{
    if (run->arrived == run->left)
        return 0;
    server_hear(&run->server, run->wire[run->arrived++]);
    return 1;
}

static inline int
move_in(struct run *run)
{
    if (run->heard == run->server.said || smtpc_session_wants(run->session) == SMTPC_WANT_CLOSED)
        return 0;
    smtpc_session_feed(run->session, run->server.says + run->heard++, 1);
    return 1;
}

static inline int
move(struct run *run)
{
    const char *order = run->order;

    if (*order == '?') {
        run->chance = run->chance * 1664525u + 1013904223u;
        order = &"WSRWSWRSR"[(run->chance >> 24) % 7];
    }
    for (; *order != '\0'; order++)
        if (*order == 'W' ? move_out(run) : *order == 'S' ? move_to_server(run) : move_in(run))
            return 1;
    return move_out(run) || move_to_server(run) || move_in(run);
}

static inline void
start(struct run *run, const struct mailing *dialogue, const char *order, uint32_t chance)
{
    const struct way *way = dialogue->way;
    int may_run_ahead = way->led == PIPELINED || way->led == STREAM;

    memset(run, 0, sizeof *run);
    run->dialogue = dialogue;
    run->order = order;
    run->chance = chance;
    server_init(&run->server, dialogue->plan, may_run_ahead ? "PIPELINING" : "HELP");
    run->server.is_lax = dialogue->is_lax;
    run->server.lmtp = way->lmtp;
    run->server.auth = way->early ? dialogue->auth : 0;
    run->server.is_open_to_all = dialogue->is_open_to_all;
    run->ideal = run->server;
    run->server.farewell = dialogue->farewell;
    run->message = -1;
    run->session = smtpc_session_new();
    if (run->session == NULL)
        return;
    smtpc_session_set_all_or_none(run->session, way->all_or_none);
    smtpc_session_set_manner(run->session, way->manner);
    smtpc_session_set_lmtp(run->session, way->lmtp);
    smtpc_session_set_early(run->session, way->early);
    smtpc_session_set_trusted(run->session, 1);
    smtpc_session_set_window(run->session, is_stream(dialogue) ? SERVER_MESSAGES : 0);
}

/* Moves octets, at most that many; fewer when all has been said. */
static inline unsigned long
run_for(struct run *run, unsigned long octets)
{
    unsigned long moved = 0;

    while (moved < octets && smtpc_session_wants(run->session) != SMTPC_WANT_CLOSED) {
        enum smtpc_want want = smtpc_session_wants(run->session);

        if (want == SMTPC_WANT_CONTENT)
            give_content(run);
        else if (want == SMTPC_WANT_NEXT)
            go_on(run);
        else if (want == SMTPC_WANT_IDLE)
            idle(run);
        if (!move(run))
            break;
        moved++;
    }
    return moved;
}

#endif
