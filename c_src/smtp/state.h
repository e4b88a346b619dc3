/* state: the inside of a session, for the files of this floor only. */
#ifndef SMTPC_SMTP_STATE_H
#define SMTPC_SMTP_STATE_H

#include <stdint.h>

#include "base/buffer.h"
#include "codec/content.h"
#include "sasl/sasl.h"
#include "smtp/session.h"

enum step {
    STEP_IDLE,
    STEP_GREETING,
    STEP_EHLO,
    STEP_HELO,
    STEP_STARTTLS,
    STEP_TLS,         /* the caller's turn: handshake */
    STEP_SECRET,      /* the caller's turn: password */
    STEP_AUTH,
    STEP_ANSWER,      /* to a 334 */
    STEP_AUTH_BY_CALLER,
    STEP_RESPONSE,    /* the caller's turn: his mechanism is to answer a 334 */
    STEP_ANSWER_BY_CALLER,
    STEP_CANCEL_BY_CALLER,
    STEP_CANCEL,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_CONTENT,     /* the caller's turn: message */
    STEP_END,
    STEP_RSET,
    STEP_NOOP,
    STEP_QUIT,
    STEP_COMMAND,
    STEP_CHUNK,       /* BDAT */
    STEP_LAST_CHUNK,
    STEP_WAIT,        /* nothing may be said before a reply */
    STEP_CLOSED,
    STEP_COUNT
};

/* A row of the dialogue. say queues octets and returns what may be said without waiting for the reply (STEP_WAIT:
 * nothing); hear gets the reply and returns what is to be said next. No say: the caller's turn, or the end. */
struct step_row {
    const char *name;
    enum smtpc_patience patience;
    int goes_on;       /* a 3yz is an answer here: more is to be said */
    enum step (*say)(struct smtpc_session *session);
    enum step (*hear)(struct smtpc_session *session, const struct smtpc_reply *reply);
};

extern const struct step_row smtpc_steps[STEP_COUNT];

enum chunks { CHUNKS_NONE, CHUNKS_TAKEN, CHUNKS_REFUSED };

/* A command without its reply. */
struct awaited {
    enum step step;
    uint64_t end;      /* octets that the session has sent once all of the command has left */
};

struct smtpc_session {
    struct smtpc_error error;
    struct smtpc_reply reply;            /* the one that is being read, and afterwards the last one heard */
    int reply_is_whole;
    uint64_t reply_begun;                /* octets that had left when its first octet came */
    uint64_t octets_left;                /* octets that have left so far */
    struct smtpc_buffer output;
    struct smtpc_ehlo ehlo;
    struct smtpc_envelope envelope;
    struct smtpc_trace trace;
    unsigned long progress;

    /* two cursors over the rows: what is said next, and what has been said and not answered */
    enum step saying;
    struct awaited awaited[SMTPC_SESSION_AHEAD_MAX];
    size_t awaited_first;
    size_t awaited_count;

    struct smtpc_buffer hello_name;
    enum smtpc_hello which_hello;
    int tls;
    int trusted;                         /* secrets may cross */
    int unfit;                           /* STARTTLS failed: only QUIT is left */
    int pipelining;                      /* allowed by the caller */

    /* login */
    struct smtpc_sasl sasl;
    struct smtpc_buffer answer;          /* raw octets, to be said by STEP_ANSWER */
    struct smtpc_buffer wanted;          /* names with blanks between, with NUL */
    struct smtpc_buffer tried;
    int without_initial_response;        /* AUTH alone; the server refused the longer form */
    int wrong_passwords;                 /* 535 so far in this login */
    const char *mechanism;               /* logged in by */
    char callers_mechanism[SMTPC_SASL_NAME_MAX + 1];    /* the one that the caller speaks himself; "": ours */
    struct smtpc_buffer challenge;       /* raw octets, for the caller's mechanism */

    /* transaction */
    struct smtpc_content content;
    enum chunks in_chunks;               /* the message has begun with BDAT, and is not over */
    int submitting;                      /* the whole transaction runs by itself */
    int all_or_none;                     /* by the caller: one recipient refused is all refused */
    int mail_refused;
    size_t next_rcpt;                    /* the next to be said */
    size_t heard_rcpt;                   /* the next to be heard */
    int nobody;                          /* 354 although nobody is left: an empty message goes to nobody */
    int end_is_queued;                   /* the final dot was said and not answered */
};

/* 1 when no operation is under way. */
int smtpc_state_is_idle(const struct smtpc_session *session);

/* Whether the server has begun to say something. */
int smtpc_state_has_half_a_reply(const struct smtpc_session *session);

/* The oldest step that has no reply yet, else what is said next. */
enum step smtpc_state_oldest(const struct smtpc_session *session);

/* Wipes the credentials. */
void smtpc_state_forget_login(struct smtpc_session *session);

/* Nothing more will be heard of the transaction: every recipient gets his outcome. 1: a message may have arrived. */
int smtpc_state_settle(struct smtpc_session *session);

/* The end of the session: settles the outcomes, forgets the secret. */
void smtpc_state_close(struct smtpc_session *session);

/* For the rows. */

/* Ends the session with an error, unless there is one already; returns STEP_CLOSED. */
enum step smtpc_state_fail(struct smtpc_session *session, enum smtpc_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records that the server said no to a step: kind by the code's class unless given; the session lives on. */
void smtpc_state_refused(struct smtpc_session *session, const char *step, enum smtpc_error_kind kind,
                         const struct smtpc_reply *reply);

/* Ends the session because memory is out. */
enum step smtpc_state_fail_memory(struct smtpc_session *session);

/* Queues a line that holds nothing of the caller's, and traces it. STEP_WAIT, or STEP_CLOSED when that failed. */
enum step smtpc_state_say(struct smtpc_session *session, const char *line);

/* Traces what stands in output behind start (without CRLF), or shown instead of it: then something is secret. */
void smtpc_state_trace_said(struct smtpc_session *session, size_t start, const char *shown);

/* The rows' functions that live in auth.c, auth_line.c, caller.c and transaction.c. */
enum step smtpc_auth_say_auth(struct smtpc_session *session);
enum step smtpc_auth_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_auth_say_answer(struct smtpc_session *session);
enum step smtpc_auth_say_cancel(struct smtpc_session *session);
enum step smtpc_auth_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply);

/* What decide makes of a reply to AUTH, whose text it is handed as a challenge. */
enum step smtpc_auth_with_challenge(struct smtpc_session *session, const struct smtpc_reply *reply,
                                    enum step (*decide)(struct smtpc_session *, const struct smtpc_sasl_challenge *));

/* The same rows where the caller speaks the mechanism himself (caller.c). */
enum step smtpc_caller_say_auth(struct smtpc_session *session);
enum step smtpc_caller_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_caller_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply);

/* The best mechanism that is left for this login; NULL with an error when there is none. */
const struct smtpc_sasl_mechanism *smtpc_auth_choose(const struct smtpc_session *session, struct smtpc_error *error);

/* Begins with a mechanism, from its first round. */
void smtpc_auth_begin(struct smtpc_session *session, const struct smtpc_sasl_mechanism *mechanism);

/* Puts "AUTH" into an error that has no step yet. */
void smtpc_auth_name_step(struct smtpc_session *session);

enum step smtpc_transaction_say_mail(struct smtpc_session *session);
enum step smtpc_transaction_hear_mail(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_transaction_say_rcpt(struct smtpc_session *session);
enum step smtpc_transaction_hear_rcpt(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_transaction_say_data(struct smtpc_session *session);
enum step smtpc_transaction_hear_data(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_transaction_say_end(struct smtpc_session *session);
enum step smtpc_transaction_hear_end(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_transaction_say_rset(struct smtpc_session *session);
enum step smtpc_transaction_hear_rset(struct smtpc_session *session, const struct smtpc_reply *reply);

/* BDAT (chunks.c). */
enum step smtpc_chunks_say(struct smtpc_session *session);
enum step smtpc_chunks_say_last(struct smtpc_session *session);
enum step smtpc_chunks_hear(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_chunks_hear_last(struct smtpc_session *session, const struct smtpc_reply *reply);

/* For the operations. */

/* 0 when an operation may begin with that step; else -1 with the error set. */
int smtpc_state_ready(struct smtpc_session *session, enum step first);

/* Moves the say cursor until something must be heard first or it is the caller's turn. */
void smtpc_state_say_on(struct smtpc_session *session);

/* Sets the say cursor and says what may be said. 0, or -1 when that failed. */
int smtpc_state_begin(struct smtpc_session *session, enum step first);

#endif
