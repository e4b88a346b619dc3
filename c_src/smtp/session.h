/* session: the dialogue of one SMTP connection as a machine: octets in, octets out. No I/O, no clock, no callback.
 *
 * The caller pumps: whatever smtpc_session_wants() says, he does, until it is IDLE again; then he begins the next
 * operation. RFC 5321 throughout; RFC 2920 for what is said ahead; RFC 3207 for STARTTLS; RFC 4954 for AUTH. */
#ifndef SMTPC_SMTP_SESSION_H
#define SMTPC_SMTP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "codec/ehlo.h"
#include "codec/reply.h"
#include "sasl/sasl.h"
#include "smtp/submission.h"
#include "smtp/trace.h"

struct smtpc_session;

enum smtpc_want {
    SMTPC_WANT_READ,        /* a reply is awaited: feed */
    SMTPC_WANT_WRITE,       /* output waits: output, sent (feeding meanwhile is welcome) */
    SMTPC_WANT_STARTTLS,    /* do the handshake, then smtpc_session_tls_started */
    SMTPC_WANT_SECRET,      /* the password or the token: smtpc_session_secret */
    SMTPC_WANT_RESPONSE,    /* the caller's mechanism is to answer: smtpc_session_respond or smtpc_session_cancel */
    SMTPC_WANT_CONTENT,     /* message octets: smtpc_session_content, at last smtpc_session_end */
    SMTPC_WANT_NEXT,        /* another submission may be begun, or one is over: only with a window (below), and never
                               in the middle of a message's content */
    SMTPC_WANT_IDLE,        /* the operation is over; begin another */
    SMTPC_WANT_CLOSED       /* nothing more will happen: close the connection */
};

enum {
    SMTPC_SESSION_CONTENT_MAX = 65536,    /* octets of one smtpc_session_content */
    SMTPC_SESSION_CHUNK_MAX = 262144,     /* octets of one smtpc_session_bdat */
    SMTPC_SESSION_AHEAD_MAX = 256,        /* commands said and not answered */
    SMTPC_SESSION_QUEUE_MAX = 100         /* submissions that are under way or were not dropped */
};

/* Which of the caller's time limits holds for what is awaited now. */
enum smtpc_patience {
    SMTPC_PATIENCE_STEP,    /* the ordinary limit of a step */
    SMTPC_PATIENCE_END,     /* the reply to the final dot (RFC 5321 section 4.5.3.2.6: ten minutes) */
    SMTPC_PATIENCE_QUIT,    /* QUIT is worth a short wait only */
    SMTPC_PATIENCE_FAREWELL,    /* less still, when it was said together with the end of a message */
    SMTPC_PATIENCE_GRACE    /* two seconds: the EHLO reply may be complete already (a lost CRLF); then
                             * smtpc_session_silence */
};

/* A session that waits for the greeting. NULL when memory is out. */
struct smtpc_session *smtpc_session_new(void);
void smtpc_session_free(struct smtpc_session *session);

/* ---- the pump ---- */

enum smtpc_want smtpc_session_wants(const struct smtpc_session *session);

/* What the server sent; n = 0: it closed. Octets after WANT_CLOSED are ignored; a reply that begins before all of its
 * command was handed over with smtpc_session_sent is not the reply to it and ends the session. 0, or -1 once the
 * session has failed. */
int smtpc_session_feed(struct smtpc_session *session, const char *octets, size_t n);

/* Lends what is to be sent next, until the next call; sent says how much of it has left. */
void smtpc_session_output(const struct smtpc_session *session, const char **octets, size_t *n);
void smtpc_session_sent(struct smtpc_session *session, size_t n);

/* The name of what is awaited ("EHLO", "RCPT", "end of data"), for errors and deadlines. */
const char *smtpc_session_step(const struct smtpc_session *session);
enum smtpc_patience smtpc_session_patience(const struct smtpc_session *session);

/* Changes whenever the dialogue moves on (a whole reply, a piece of content): a new step deadline begins. */
unsigned long smtpc_session_progress(const struct smtpc_session *session);

/* The time of PATIENCE_GRACE is over. */
void smtpc_session_silence(struct smtpc_session *session);

/* Ends the session from outside: a deadline passed, the connection broke, the caller gave up. Settles the outcomes.
 * The error is kept unless there is one of the operation under way already. */
void smtpc_session_fail(struct smtpc_session *session, const struct smtpc_error *error);

/* ---- operations: begin one when IDLE; 0, or -1 with the error set and nothing sent ---- */

/* What hello says; with EITHER, HELO follows a 5yz to EHLO. */
enum smtpc_hello { SMTPC_HELLO_EITHER, SMTPC_HELLO_EHLO, SMTPC_HELLO_HELO };

/* Capabilities are forgotten first. */
int smtpc_session_hello(struct smtpc_session *session, const char *name, size_t n, enum smtpc_hello which);

/* Any answer but 2yz, and any octet behind it, makes the session unfit for everything but QUIT. */
int smtpc_session_starttls(struct smtpc_session *session);

/* TLS is up (after WANT_STARTTLS, or before the greeting for implicit TLS). Everything learnt in clear is forgotten;
 * half a line that came in clear ends the session. */
void smtpc_session_tls_started(struct smtpc_session *session);

/* Whether a secret may cross this line: see sasl.h. */
void smtpc_session_set_trusted(struct smtpc_session *session, int trusted);

/* What ties a login to the TLS connection (sasl.h); NULL: nothing does. To be told after smtpc_session_tls_started. */
void smtpc_session_set_binding(struct smtpc_session *session, const struct smtpc_sasl_binding *binding);

/* Logs in, by one mechanism or by several after each other (sasl.h). With NO_SECRET it is not asked for one. */
int smtpc_session_auth(struct smtpc_session *session, const struct smtpc_sasl_login *login);

/* 1: where PIPELINING is offered and the mechanism says all at once (PLAIN, EXTERNAL), a login that begins does not wait for
 * its reply: smtpc_session_may_go_on is 1, and a submission may be begun behind it; its content waits until the login has
 * succeeded, and if it has not, nothing of the submission counts. Off at the start. */
void smtpc_session_set_early(struct smtpc_session *session, int on);

/* The answer to WANT_SECRET. Copied, wiped when the login is over. */
int smtpc_session_secret(struct smtpc_session *session, const struct smtpc_sasl_text *secret);

/* A login by a mechanism that the caller speaks himself: its name, and its initial response, raw, or NULL. On an open line
 * the mechanisms that reveal the secret are refused. Each challenge is WANT_RESPONSE: it is lent until the next call;
 * respond with raw octets, or cancel. Whether the server has proved itself is for the caller to judge at the end. */
int smtpc_session_auth_by_caller(struct smtpc_session *session, const char *mechanism, const char *initial, size_t n);
void smtpc_session_challenge(const struct smtpc_session *session, const char **octets, size_t *n);
int smtpc_session_respond(struct smtpc_session *session, const char *octets, size_t n);
int smtpc_session_cancel(struct smtpc_session *session, const char *why);

/* One command each. parameters as in envelope.h. */
int smtpc_session_mail(struct smtpc_session *session, const char *sender, size_t n, const char *parameters);
int smtpc_session_rcpt(struct smtpc_session *session, const char *recipient, size_t n, const char *parameters);
int smtpc_session_data(struct smtpc_session *session);
int smtpc_session_reset(struct smtpc_session *session);
int smtpc_session_noop(struct smtpc_session *session);
int smtpc_session_quit(struct smtpc_session *session);

/* Any other command: a verb of ours and, unless NULL, the caller's argument (name: what to call it in an error). The
 * reply is the caller's to judge: no code is an error, but 421 and 3yz. */
int smtpc_session_command(struct smtpc_session *session, const char *verb, const char *name, const char *argument,
                          size_t n);

/* A whole transaction: MAIL, all RCPT, DATA in as few flights as the server allows, then WANT_CONTENT, then IDLE. The
 * envelope is filled first: open, add ... submit, anew for each. Every recipient's outcome is in the envelope at the
 * end, whatever happened; it is empty where the session had ended before. */
int smtpc_session_open_envelope(struct smtpc_session *session, const char *sender, size_t n, const char *parameters);
int smtpc_session_add_recipient(struct smtpc_session *session, const char *recipient, size_t n,
                                const char *parameters);
int smtpc_session_submit(struct smtpc_session *session);

/* Nothing may be fed between open and submit.
 *
 * Submissions may follow each other without a wait, where PIPELINING is offered: once the end of one is said, the next may
 * be opened and submitted, or QUIT said. With a window of n > 0, WANT_NEXT asks for it while fewer than n are under
 * way, and those that are over stay until they are dropped; 0, as at the start: what is over goes when the next is opened. */
void smtpc_session_set_window(struct smtpc_session *session, size_t n);

/* The oldest submission if it is over, else NULL. Dropping it is nothing when there is none. */
const struct smtpc_submission *smtpc_session_finished(const struct smtpc_session *session);
void smtpc_session_drop_finished(struct smtpc_session *session);

/* The last one that was opened. */
const struct smtpc_submission *smtpc_session_submission(const struct smtpc_session *session);

/* Of the submissions that will be opened. BY_DATA at the start. */
void smtpc_session_set_manner(struct smtpc_session *session, enum smtpc_manner manner);

/* 1: LMTP (RFC 2033): LHLO, and a reply for each recipient after the end of a message. To be told before hello. */
void smtpc_session_set_lmtp(struct smtpc_session *session, int on);

/* 1: although replies are to come, another submission may be begun, or QUIT said. */
int smtpc_session_may_go_on(const struct smtpc_session *session);

/* During WANT_CONTENT: there is no more, and what came is not all. By BDAT the message is left off and the session lives on;
 * by DATA it ends here. */
void smtpc_session_drop_content(struct smtpc_session *session, const char *why);

/* During WANT_CONTENT: a piece of the message, at most SMTPC_SESSION_CONTENT_MAX octets, any line ends; then the end.
 * Anything else begun there breaks the connection off, and so does a piece that is too long, and a piece or the end where
 * they are not wanted: a message is never ended by accident. */
int smtpc_session_content(struct smtpc_session *session, const char *octets, size_t n);
int smtpc_session_end(struct smtpc_session *session);

/* Instead of DATA (RFC 3030): one chunk of a message, at most SMTPC_SESSION_CHUNK_MAX octets, as they are. last: the
 * message ends with it, and every recipient gets his outcome. A chunk that is refused refuses the message. */
int smtpc_session_bdat(struct smtpc_session *session, const char *octets, size_t n, int last);

/* ---- what is known ---- */

/* Of the operation that ended last: a refusal (the session lives on) or the failure that closed it. */
struct smtpc_error *smtpc_session_error(struct smtpc_session *session);

/* The last reply heard; code 0 when there was none. */
const struct smtpc_reply *smtpc_session_reply(const struct smtpc_session *session);

const struct smtpc_ehlo *smtpc_session_ehlo(const struct smtpc_session *session);

/* Of the last submission. */
const struct smtpc_envelope *smtpc_session_envelope(const struct smtpc_session *session);

struct smtpc_trace *smtpc_session_trace(struct smtpc_session *session);

/* The mechanism that logged in, or NULL. */
const char *smtpc_session_mechanism(const struct smtpc_session *session);

/* 1 between 354 and the end of data. */
int smtpc_session_in_content(const struct smtpc_session *session);

/* Octets of the last message as SIZE counts them (content.h); 0 before the first. */
int64_t smtpc_session_content_size(const struct smtpc_session *session);

/* 0: lock-step even where PIPELINING is offered. On from the start. */
void smtpc_session_set_pipelining(struct smtpc_session *session, int on);

/* 1: what is submitted from here on goes to all of its recipients or to none: when one is refused, DATA is not said, and
 * those that were accepted end as NOT_SENT. With more than one, DATA waits for the replies to RCPT. Off at the start. */
void smtpc_session_set_all_or_none(struct smtpc_session *session, int on);

#endif
