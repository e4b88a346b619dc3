/* SMTPAuth: the glue between Perl and the C core: arguments in, one C call, one result out. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "codec/base64_lines.h"
#include "codec/content_facts.h"
#include "drive/connection.h"
#include "net/own_name.h"
#include "net/tls.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"

#ifndef mg_findext
#error "perl 5.14 or newer is needed"
#endif

/* One translation unit: these are its chapters. */
#include "xs/object.h"
#include "xs/arguments.h"
#include "xs/call.h"
#include "xs/feed.h"
#include "xs/results.h"
#include "xs/plain.h"
#include "xs/stream.h"

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

PROTOTYPES: DISABLE

BOOT:
    if (!counts_forks)
        counts_forks = pthread_atfork(NULL, NULL, note_fork) == 0;
    if (!counts_forks)
        croak("out of memory");

SV *
_new(SV *class)
  PREINIT:
    GV *glob;
    struct handle *handle;
  CODE:
    class = plain_string(aTHX_ class);
    glob = (GV *)newSV(0);
    gv_init(glob, NULL, "_CONNECTION", 11, 0);    /* of no package: that would remember it, and trip over the gap
                                                   * that CLONE_SKIP leaves in a thread that ends */
    Newxz(handle, 1, struct handle);
    handle->glob = glob;
    become_owner(handle);
    RETVAL = new_object(aTHX_ class, (SV *)glob, &handle_magic, handle);
  OUTPUT:
    RETVAL

# Connects, and reads the greeting. Options by name; 1 or ''.
bool
_connect(struct handle *handle, bool trace, ...)
  PREINIT:
    struct smtpc_connection_options options = {0};
    struct smtpc_error error = {0};
    I32 i;
  CODE:
    for (i = 2; i + 1 < items; i += 2)
        set_option(aTHX_ connection_options, word_of(aTHX_ ST(i), "option"), sv_mortalcopy(ST(i + 1)), &options);
    options.deadline = smtpc_clock_after(options.deadline);    /* seconds from now, until here */
    if (options.unix_path == NULL && (options.host == NULL || options.service == NULL))
        croak("%s is needed", options.host == NULL ? "host" : "service");
    if (handle->connection != NULL)
        forget_connection(aTHX_ handle);
    handle->connection = smtpc_connection_new(&options, &error);
    if (handle->connection == NULL)
        croak_error(aTHX_ &error);
    become_owner(handle);
    smtpc_session_trace(session_of(handle))->wanted = trace;
    ENTER;
    begin_call(aTHX_ handle);
    RETVAL = finish_operation(aTHX_ handle, 0);
    LEAVE;
  OUTPUT:
    RETVAL

# which: 0 EHLO, and HELO after a 5yz; 1 EHLO; 2 HELO.
bool
_hello(struct handle *handle, SV *name, int which)
  PREINIT:
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
  CODE:
    octets = text_of(aTHX_ name, &length);
    ENTER;
    session = begin_operation(aTHX_ handle);
    RETVAL = finish_operation(aTHX_ handle, smtpc_session_hello(session, octets, length, (enum smtpc_hello)which));
    LEAVE;
  OUTPUT:
    RETVAL

# STARTTLS and the handshake; not the EHLO after it.
bool
_starttls(struct handle *handle, struct smtpc_tls_context *tls, SV *name)
  PREINIT:
    struct smtpc_session *session;
    const char *tls_name;
  CODE:
    tls_name = string_of(aTHX_ name, "name");
    ENTER;
    session = begin_operation(aTHX_ handle);
    if (smtpc_connection_set_tls(handle->connection, tls, tls_name) != 0)
        croak("out of memory");
    RETVAL = finish_operation(aTHX_ handle, smtpc_session_starttls(session));
    LEAVE;
  OUTPUT:
    RETVAL

bool
_mail(struct handle *handle, SV *path, SV *parameters)
  ALIAS:
    _mail = 0
    _rcpt = 1
  PREINIT:
    struct smtpc_session *session;
    const char *octets;
    const char *words;
    STRLEN length;
    int begun;
  CODE:
    octets = text_of(aTHX_ path, &length);
    words = word_of(aTHX_ parameters, "parameter");
    ENTER;
    session = begin_operation(aTHX_ handle);
    begun = ix == 0 ? smtpc_session_mail(session, octets, length, words)
                    : smtpc_session_rcpt(session, octets, length, words);
    RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL

bool
_data(struct handle *handle)
  ALIAS:
    _data = 0
    _end = 1
    _reset = 2
    _noop = 3
    _quit = 4
  PREINIT:
    static int (*const operations[])(struct smtpc_session *) = {
        smtpc_session_data, smtpc_session_end, smtpc_session_reset, smtpc_session_noop, smtpc_session_quit
    };
    struct smtpc_session *session;
  CODE:
    ENTER;
    session = begin_operation(aTHX_ handle);
    RETVAL = finish_operation(aTHX_ handle, operations[ix](session));
    LEAVE;
  OUTPUT:
    RETVAL

# A piece of the message.
bool
_content(struct handle *handle, SV *piece)
  CODE:
    piece = byte_string(aTHX_ piece, "message");
    ENTER;
    begin_call(aTHX_ handle);
    RETVAL = cBOOL(send_octets(aTHX_ handle, piece, NULL) == 0);
    handle->in_call = 0;
    LEAVE;
  OUTPUT:
    RETVAL

# The program gives up: the connection is closed, nothing more is said.
void
_abandon(struct handle *handle, SV *text)
  PREINIT:
    const char *reason;
  CODE:
    reason = word_of(aTHX_ text, "text");
    if (handle->connection != NULL && is_owner(handle)) {
        smtpc_connection_abandon(handle->connection, SMTPC_ERROR_INTERRUPTED, reason);
        close_handle(aTHX_ handle, 0);
    }

# Of the last operation: a hash, or undef.
SV *
_error(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? &PL_sv_undef
                                        : error_hash(aTHX_ smtpc_session_error(session_of(handle)));
  OUTPUT:
    RETVAL

# The last reply: code, then the text of each line without its line end.
void
_reply(struct handle *handle)
  PREINIT:
    const struct smtpc_reply *reply;
    size_t i;
  PPCODE:
    if (handle->connection == NULL)
        XSRETURN_EMPTY;
    reply = smtpc_session_reply(session_of(handle));
    mXPUSHi(reply->code);
    for (i = 0; i < reply->line_count; i++) {
        size_t length;
        const char *line = smtpc_reply_line(reply, i, &length);

        mXPUSHp(line, length);
    }

# What became of each recipient: [address, outcome, code, enhanced, text, step] ...
void
_outcomes(struct handle *handle)
  PREINIT:
    const struct smtpc_envelope *envelope;
    size_t i;
  PPCODE:
    if (handle->connection == NULL)
        XSRETURN_EMPTY;
    envelope = smtpc_session_envelope(session_of(handle));
    for (i = 0; i < envelope->count; i++)
        mXPUSHs(recipient_array(aTHX_ &envelope->recipients[i]));

# The same without the addresses and in little memory: a list of [outcome, code, enhanced, text, step], or undef.
SV *
_answers(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? &PL_sv_undef
                                        : answers_of(aTHX_ smtpc_session_envelope(session_of(handle)));
  OUTPUT:
    RETVAL

# Capabilities: keyword, parameters, ...
void
_capabilities(struct handle *handle)
  PREINIT:
    const char *parameters;
    const char *keyword;
    size_t i;
  PPCODE:
    if (handle->connection == NULL)
        XSRETURN_EMPTY;
    for (i = 0; (keyword = smtpc_ehlo_keyword(smtpc_session_ehlo(session_of(handle)), i, &parameters)) != NULL; i++) {
        mXPUSHp(keyword, strlen(keyword));
        mXPUSHp(parameters, strlen(parameters));
    }

SV *
_tls(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? &PL_sv_undef
                                        : facts_hash(aTHX_ smtpc_connection_tls(handle->connection));
  OUTPUT:
    RETVAL

# The server's certificate in PEM, or undef.
const char *
_peer_pem(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? NULL : smtpc_connection_peer_pem(handle->connection);
  OUTPUT:
    RETVAL

# Seconds that the TLS handshake took; negative before it is done.
NV
_handshake_time(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? -1 : (NV)smtpc_connection_handshake_time(handle->connection) / 1000;
  OUTPUT:
    RETVAL

const char *
_mechanism(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? NULL : smtpc_session_mechanism(session_of(handle));
  OUTPUT:
    RETVAL

# Octets of the last message.
NV
_content_size(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? 0 : (NV)smtpc_session_content_size(session_of(handle));
  OUTPUT:
    RETVAL

# 'idle', 'content' (between 354 and the end of data), 'response' (a mechanism of the caller's is asked) or 'closed'.
const char *
_state(struct handle *handle)
  CODE:
    if (handle->connection != NULL && !handle->in_call)
        look_at_handle(aTHX_ handle);
    if (handle->connection == NULL || smtpc_session_wants(session_of(handle)) == SMTPC_WANT_CLOSED)
        RETVAL = "closed";
    else if (smtpc_session_in_content(session_of(handle)))
        RETVAL = "content";
    else
        RETVAL = smtpc_session_wants(session_of(handle)) == SMTPC_WANT_RESPONSE ? "response" : "idle";
  OUTPUT:
    RETVAL

SV *
_own_name(struct handle *handle)
  PREINIT:
    char name[SMTPC_OWN_NAME_MAX];
  CODE:
    smtpc_own_name(handle->connection == NULL ? -1 : smtpc_connection_fd(handle->connection), name);
    RETVAL = newSVpv(name, 0);
  OUTPUT:
    RETVAL

void
_set_trace(struct handle *handle, bool on)
  ALIAS:
    _set_trace = 0
    _set_pipelining = 1
    _set_all_or_none = 2
    _set_early = 3
  CODE:
    if (handle->connection != NULL && ix == 0)
        smtpc_session_trace(session_of(handle))->wanted = on;
    else if (handle->connection != NULL && ix == 1)
        smtpc_session_set_pipelining(session_of(handle), on);
    else if (handle->connection != NULL && ix == 2)
        smtpc_session_set_all_or_none(session_of(handle), on);
    else if (handle->connection != NULL)
        smtpc_session_set_early(session_of(handle), on);

# Seconds for each step and for the reply to the final dot; 0: no limit.
void
_set_timeout(struct handle *handle, NV timeout, NV end_timeout)
  CODE:
    if (handle->connection != NULL)
        smtpc_connection_set_timeout(handle->connection, milliseconds_of(aTHX_ timeout, "timeout"),
                                     milliseconds_of(aTHX_ end_timeout, "end_timeout"));

# Seconds from now for everything; 0: no limit.
void
_set_deadline(struct handle *handle, NV seconds)
  CODE:
    if (handle->connection != NULL)
        smtpc_connection_set_deadline(handle->connection,
                                      smtpc_clock_after(milliseconds_of(aTHX_ seconds, "deadline")));

# Monotonic seconds.
NV
_now()
  CODE:
    RETVAL = (NV)smtpc_clock_now() / 1000;
  OUTPUT:
    RETVAL

INCLUDE: xs/content.xs

INCLUDE: xs/submit.xs

INCLUDE: xs/wire.xs

INCLUDE: xs/login.xs

INCLUDE: xs/tls.xs
