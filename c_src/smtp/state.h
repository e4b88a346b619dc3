/* state: the inside of a session, for the files of this floor only. */
#ifndef SMTPC_SMTP_STATE_H
#define SMTPC_SMTP_STATE_H

#include <stdint.h>

#include "base/buffer.h"
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
    STEP_AUTH_EARLY,  /* what follows is said before its reply */
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
    STEP_RSET_FIRST,  /* before MAIL, while nobody knows what became of the message before */
    STEP_NOOP,
    STEP_QUIT,
    STEP_COMMAND,
    STEP_CHUNK,       /* BDAT */
    STEP_LAST_CHUNK,
    STEP_EMPTY_LAST,  /* BDAT 0 LAST, once all that went before was accepted */
    STEP_WAIT,        /* nothing may be said before a reply */
    STEP_NEXT,        /* another message, or QUIT, may be said before a reply */
    STEP_SAME,        /* heard only: another reply to the same command is to come (LMTP) */
    STEP_CLOSED,
    STEP_COUNT
};

/* A row of the dialogue. say queues octets and returns what may be said without waiting for the reply (STEP_WAIT:
 * nothing); hear gets the reply and returns what is to be said next. No say: the caller's turn, or the end. */
struct step_row {
    const char *name;
    enum smtpc_patience patience;
    int goes_on;       /* a 3yz is an answer here: more is to be said */
    int of_message;    /* it belongs to a submission, which is not over before its reply */
    enum step (*say)(struct smtpc_session *session);
    enum step (*hear)(struct smtpc_session *session, const struct smtpc_reply *reply);
};

extern const struct step_row smtpc_steps[STEP_COUNT];

/* A command without its reply. */
struct awaited {
    enum step step;
    struct smtpc_submission *submission;    /* the one that was being said; */
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
    int early;                           /* by the caller: the envelope may follow AUTH without a wait */
    int was_early_refused;               /* it has, and the login was refused: none of it counts */
    const char *mechanism;               /* logged in by */
    char callers_mechanism[SMTPC_SASL_NAME_MAX + 1];    /* the one that the caller speaks himself; "": ours */
    struct smtpc_buffer challenge;       /* raw octets, for the caller's mechanism */

    /* submissions, in the order in which they were begun */
    struct smtpc_submission *first;
    struct smtpc_submission *current;    /* the last of them: what is said belongs to it. Never NULL */
    struct smtpc_submission *heard;      /* whose reply is being heard */
    size_t unfinished;                   /* begun as a whole, and not over */
    size_t window;                       /* as many at once, by the caller; 0: he has no more to send */
    enum smtpc_manner manner;            /* of those that will be begun */
    int all_or_none;                     /* the same */
    int lmtp;
    int quit_is_untold;                  /* it was said, and is to be traced */
};

/* 1 when no operation is under way. */
int smtpc_state_is_idle(const struct smtpc_session *session);

/* Whether the server has begun to say something. */
int smtpc_state_has_half_a_reply(const struct smtpc_session *session);

/* The oldest step that has no reply yet, else what is said next. */
enum step smtpc_state_oldest(const struct smtpc_session *session);

/* Wipes the credentials. */
void smtpc_state_forget_login(struct smtpc_session *session);

/* ---- queue.c ---- */

/* The submission to fill next, empty; NULL when there are too many, or memory is out. */
struct smtpc_submission *smtpc_queue_open(struct smtpc_session *session);

/* Nothing more will be heard of the message: every recipient gets his outcome. 1: it may have arrived. */
int smtpc_queue_settle(struct smtpc_session *session, struct smtpc_submission *submission);

/* The same for all, for the session's error. */
void smtpc_queue_settle_all(struct smtpc_session *session);

/* The submission is over; its error is the session's if it is the last one. */
void smtpc_queue_finish(struct smtpc_session *session, struct smtpc_submission *submission);

/* 421 was heard, so that nothing behind it will be: what has left is deferred. */
void smtpc_queue_hear_closing(struct smtpc_session *session, const char *step, const struct smtpc_reply *reply);

void smtpc_queue_free(struct smtpc_session *session);

/* The end of the session: settles the outcomes, forgets the secret. */
void smtpc_state_close(struct smtpc_session *session);

/* For the rows. */

/* Ends the session with an error, unless there is one already; returns STEP_CLOSED. */
enum step smtpc_state_fail(struct smtpc_session *session, enum smtpc_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records that the server said no to a step: kind by the code's class unless given; the session lives on. */
void smtpc_state_refused(struct smtpc_error *error, const char *step, enum smtpc_error_kind kind,
                         const struct smtpc_reply *reply);

/* RFC 2920: only where the server offers it in the layer that counts, and when the transaction runs by itself. */
int smtpc_state_may_run_ahead(const struct smtpc_session *session);

/* Ends the session because memory is out. */
enum step smtpc_state_fail_memory(struct smtpc_session *session);

/* Queues a line that holds nothing of the caller's, and traces it. STEP_WAIT, or STEP_CLOSED when that failed. */
enum step smtpc_state_say(struct smtpc_session *session, const char *line);

/* Traces what stands in output behind start (without CRLF), or shown instead of it: then something is secret. */
void smtpc_state_trace_said(struct smtpc_session *session, size_t start, const char *shown);

/* The rows' functions that live in auth.c, auth_line.c, early.c, caller.c and transaction.c. */
enum step smtpc_auth_say_auth(struct smtpc_session *session);
enum step smtpc_auth_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_auth_say_answer(struct smtpc_session *session);
enum step smtpc_auth_say_cancel(struct smtpc_session *session);
enum step smtpc_auth_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply);

/* What decide makes of a reply to AUTH, whose text it is handed as a challenge. */
enum step smtpc_auth_with_challenge(struct smtpc_session *session, const struct smtpc_reply *reply,
                                    enum step (*decide)(struct smtpc_session *, const struct smtpc_sasl_challenge *));

/* A login that other commands follow before its reply (early.c). */
enum step smtpc_early_say_auth(struct smtpc_session *session);
enum step smtpc_early_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply);

/* The step with which a login by the chosen mechanism begins. */
enum step smtpc_early_first_step(const struct smtpc_session *session);

/* Whether the reply to AUTH is still to come. */
int smtpc_early_is_open(const struct smtpc_session *session);

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
enum step smtpc_transaction_say_rset_first(struct smtpc_session *session);
enum step smtpc_transaction_hear_rset_first(struct smtpc_session *session, const struct smtpc_reply *reply);

/* What follows when all that was said of the message is heard, and it cannot go on. */
enum step smtpc_transaction_give_up(struct smtpc_session *session);

/* BDAT (chunks.c). */

/* Content of a submission by BDAT, and its end. 0, or -1 when memory is out. */
int smtpc_chunks_take(struct smtpc_session *session, const char *octets, size_t n);
int smtpc_chunks_end(struct smtpc_session *session);

/* Whether the content has to wait for the server. */
int smtpc_chunks_must_wait(const struct smtpc_session *session);

enum step smtpc_chunks_say_empty_last(struct smtpc_session *session);
enum step smtpc_chunks_say(struct smtpc_session *session);
enum step smtpc_chunks_say_last(struct smtpc_session *session);
enum step smtpc_chunks_hear(struct smtpc_session *session, const struct smtpc_reply *reply);
enum step smtpc_chunks_hear_last(struct smtpc_session *session, const struct smtpc_reply *reply);

/* For the operations. */

/* 0 when an operation may begin with that step; else -1 with the error set. */
int smtpc_state_ready(struct smtpc_session *session, enum step first);

/* Puts a command that stands in output among the awaited. */
void smtpc_state_await(struct smtpc_session *session, enum step step);

/* Moves the say cursor until something must be heard first or it is the caller's turn. */
void smtpc_state_say_on(struct smtpc_session *session);

/* Sets the say cursor and says what may be said. 0, or -1 when that failed. */
int smtpc_state_begin(struct smtpc_session *session, enum step first);

#endif
