/* SMTPAuth: the glue between Perl and the C core: arguments in, one C call, one result out; and the wait loop. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

#include <poll.h>

#include "base/clock.h"
#include "codec/content.h"
#include "drive/connection.h"
#include "net/own_name.h"
#include "net/tls.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"
#include "net/wire.h"

#ifndef mg_findext
#error "perl 5.14 or newer is needed"
#endif

/* A lost wake-up (a signal between the look at PL_sig_pending and poll) costs this much at most. */
enum { SLICE_MS = 250 };

/* What hangs on an object's glob. */
struct handle {
    struct smtpc_connection *connection;
    Pid_t owner;          /* in any other process nothing is said */
    int in_call;          /* one method at a time; still set when Perl unwinds: the call was left half-way */
    int has_glob;         /* the descriptor was given to the glob */
};

/* ---- lifetimes: the C pointer hangs on ext magic, found by the address of its table ---- */

static int
free_handle(pTHX_ SV *sv, MAGIC *mg)
{
    struct handle *handle = (struct handle *)mg->mg_ptr;

    PERL_UNUSED_ARG(sv);
    if (handle == NULL)
        return 0;
    smtpc_connection_free(handle->connection);
    Safefree(handle);
    return 0;
}

static int
free_context(pTHX_ SV *sv, MAGIC *mg)
{
    PERL_UNUSED_ARG(sv);
    smtpc_tls_context_free((struct smtpc_tls_context *)mg->mg_ptr);
    return 0;
}

/* The sandbox's side of a connection. */
struct server {
    struct smtpc_wire_socket socket;
    struct smtpc_tls_context *context;
    struct smtpc_tls *tls;
};

static int
free_server(pTHX_ SV *sv, MAGIC *mg)
{
    struct server *server = (struct server *)mg->mg_ptr;

    PERL_UNUSED_ARG(sv);
    if (server == NULL)
        return 0;
    smtpc_tls_free(server->tls);
    smtpc_tls_context_free(server->context);
    Safefree(server);
    return 0;
}

/* CLONE_SKIP keeps objects out of new threads; where a subclass lets one in, it is an empty shell. */
static int
empty_clone(pTHX_ MAGIC *mg, CLONE_PARAMS *parameters)
{
    PERL_UNUSED_ARG(parameters);
    mg->mg_ptr = NULL;
    return 0;
}

static const MGVTBL handle_magic = {0, 0, 0, 0, free_handle, 0, empty_clone, 0};
static const MGVTBL context_magic = {0, 0, 0, 0, free_context, 0, empty_clone, 0};
static const MGVTBL server_magic = {0, 0, 0, 0, free_server, 0, empty_clone, 0};

/* The object owns the pointer from here on. */
static void
attach(pTHX_ SV *body, const MGVTBL *table, void *pointer)
{
    sv_magicext(body, NULL, PERL_MAGIC_ext, table, (const char *)pointer, 0)->mg_flags |= MGf_DUP;
}

static void *
pointer_of(pTHX_ SV *ref, const MGVTBL *table, const char *class)
{
    MAGIC *mg = NULL;

    SvGETMAGIC(ref);
    if (SvROK(ref) && SvTYPE(SvRV(ref)) >= SVt_PVMG)
        mg = mg_findext(SvRV(ref), PERL_MAGIC_ext, table);
    if (mg == NULL || mg->mg_ptr == NULL)
        croak("not a live %s object (a copy in another thread is none)", class);
    sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(ref)));    /* it may not go while the call runs */
    return mg->mg_ptr;
}

static SV *
new_object(pTHX_ const char *class, const MGVTBL *table, void *pointer)
{
    SV *body = newSV_type(SVt_PVMG);

    attach(aTHX_ body, table, pointer);
    return sv_bless(newRV_noinc(body), gv_stashpv(class, GV_ADD));
}

/* ---- arguments ---- */

/* A mortal plain string of anything that Perl can make one of; magic and overloading are asked exactly once. */
static SV *
plain_string(pTHX_ SV *sv)
{
    SV *copy = sv_newmortal();
    STRLEN length;
    const char *octets;

    sv_setsv_flags(copy, sv, SV_GMAGIC | SV_NOSTEAL);
    if (!SvROK(copy))
        return copy;
    octets = SvPV(copy, length);
    return newSVpvn_flags(octets, length, SVs_TEMP | (SvUTF8(copy) ? SVf_UTF8 : 0));
}

/* Octets of a character string: UTF-8 when Perl holds it as such, else as they are. */
static const char *
text_of(pTHX_ SV *sv, STRLEN *length)
{
    SV *string = plain_string(aTHX_ sv);    /* the SvPV macro looks at its argument more than once */

    return SvPV(string, *length);
}

/* A byte string; a character above 255 is refused by name. */
static SV *
byte_string(pTHX_ SV *sv, const char *name)
{
    SV *bytes = plain_string(aTHX_ sv);
    STRLEN length;

    (void)SvPV(bytes, length);
    if (!sv_utf8_downgrade(bytes, TRUE))
        croak("%s: a character above 255; encode it first, e.g. Encode::encode('UTF-8', ...)", name);
    return bytes;
}

/* A NUL-terminated option, NULL for undef. */
static const char *
string_of(pTHX_ SV *sv, const char *name)
{
    SV *string = plain_string(aTHX_ sv);
    STRLEN length;
    const char *octets;

    if (!SvOK(string))
        return NULL;
    octets = SvPV(string, length);
    if (memchr(octets, '\0', length) != NULL)
        croak("%s: a NUL inside", name);
    return octets;
}

static void
set_connection_option(pTHX_ struct smtpc_connection_options *options, const char *name, SV *value)
{
    if (strEQ(name, "host"))
        options->host = string_of(aTHX_ value, name);
    else if (strEQ(name, "service"))
        options->service = string_of(aTHX_ value, name);
    else if (strEQ(name, "local_host"))
        options->local_host = string_of(aTHX_ value, name);
    else if (strEQ(name, "local_service"))
        options->local_service = string_of(aTHX_ value, name);
    else if (strEQ(name, "family"))
        options->family = SvOK(value) ? (int)SvIV(value) : 0;
    else if (strEQ(name, "tls_name"))
        options->tls_name = string_of(aTHX_ value, name);
    else if (strEQ(name, "tls"))
        options->tls = SvOK(value) ? pointer_of(aTHX_ value, &context_magic, "Net::SMTP::AuthC::TLS") : NULL;
    else if (strEQ(name, "implicit_tls"))
        options->implicit_tls = SvTRUE(value);
    else if (strEQ(name, "insecure_cleartext_auth"))
        options->insecure_cleartext_auth = SvTRUE(value);
    else if (strEQ(name, "timeout"))
        options->timeout = (int64_t)(SvNV(value) * 1000);
    else if (strEQ(name, "end_timeout"))
        options->end_timeout = (int64_t)(SvNV(value) * 1000);
    else
        croak("no connection option %s", name);
}

static void
set_tls_option(pTHX_ struct smtpc_tls_options *options, const char *name, SV *value)
{
    if (strEQ(name, "ca_file"))
        options->ca_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "ca_path"))
        options->ca_path = string_of(aTHX_ value, name);
    else if (strEQ(name, "certificate_file"))
        options->certificate_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "key_file"))
        options->key_file = string_of(aTHX_ value, name);
    else if (strEQ(name, "key_password"))
        options->key_password = string_of(aTHX_ value, name);
    else if (strEQ(name, "cipher_list"))
        options->cipher_list = string_of(aTHX_ value, name);
    else if (strEQ(name, "ciphersuites"))
        options->ciphersuites = string_of(aTHX_ value, name);
    else if (strEQ(name, "minimum_version"))
        options->minimum_version = string_of(aTHX_ value, name);
    else if (strEQ(name, "insecure_no_verify"))
        options->insecure_no_verify = SvTRUE(value);
    else if (strEQ(name, "insecure_no_name_check"))
        options->insecure_no_name_check = SvTRUE(value);
    else if (strEQ(name, "allow_common_name"))
        options->allow_common_name = SvTRUE(value);
    else
        croak("no TLS option %s", name);
}

/* ---- the object's Perl handle ---- */

static IO *
io_of(pTHX_ SV *self)
{
    return SvROK(self) && isGV_with_GP(SvRV(self)) ? GvIO((GV *)SvRV(self)) : NULL;
}

/* The descriptor becomes that of the glob, as perl's own socket() does it: fileno, close, select work on the object. */
static void
open_handle(pTHX_ SV *self, struct handle *handle)
{
    IO *io = GvIOn((GV *)SvRV(self));
    int fd = smtpc_connection_fd(handle->connection);

    if (fd < 0 || IoIFP(io) != NULL)
        return;
    IoIFP(io) = PerlIO_fdopen(fd, "r");
    IoOFP(io) = PerlIO_fdopen(fd, "w");
    IoTYPE(io) = IoTYPE_SOCKET;
    if (IoIFP(io) == NULL || IoOFP(io) == NULL)
        croak("no handle for descriptor %d", fd);
    smtpc_connection_give_fd(handle->connection);
    handle->has_glob = 1;
}

static void
close_handle(pTHX_ SV *self, struct handle *handle, int politely)
{
    IO *io = io_of(aTHX_ self);

    smtpc_connection_close(handle->connection, politely);
    if (io != NULL && IoIFP(io) != NULL)
        do_close((GV *)SvRV(self), FALSE);
}

/* The program may have closed the handle itself. */
static void
notice_closed_handle(pTHX_ SV *self, struct handle *handle)
{
    IO *io = io_of(aTHX_ self);

    if (handle->has_glob && smtpc_connection_fd(handle->connection) >= 0 && (io == NULL || IoIFP(io) == NULL))
        smtpc_connection_close(handle->connection, 0);
}

/* ---- a call ---- */

static struct smtpc_session *
session_of(const struct handle *handle)
{
    return smtpc_connection_session(handle->connection);
}

static struct handle *
handle_of(pTHX_ SV *self)
{
    return pointer_of(aTHX_ self, &handle_magic, "Net::SMTP::AuthC");
}

/* Runs when the call ends. When a signal handler or a callback died in it, nobody knows where the dialogue stands (and
 * a message may lack its end), so the connection is given up. */
static void
end_call(pTHX_ void *pointer)
{
    struct handle *handle = pointer;

    if (handle->in_call && smtpc_session_wants(session_of(handle)) != SMTPC_WANT_IDLE)
        smtpc_connection_abandon(handle->connection, SMTPC_ERROR_INTERRUPTED,
                                 "the call was left half-way (a signal handler or a callback died)");
    handle->in_call = 0;
}

/* The gate of every operation: ENTER before, LEAVE after. NULL when the object has no connection. */
static struct handle *
begin_call(pTHX_ SV *self)
{
    struct handle *handle = handle_of(aTHX_ self);

    if (handle->connection == NULL)
        croak("not connected");
    if (handle->owner != getpid())
        croak("this connection belongs to process %ld: a forked child must make its own", (long)handle->owner);
    if (handle->in_call)
        croak("this object is in the middle of another call (from a signal handler or a callback?)");
    handle->in_call = 1;
    SAVEDESTRUCTOR_X(end_call, handle);
    return handle;
}

/* Hands what was said and heard to the object's _traced method. */
static void
deliver_trace(pTHX_ SV *self, struct handle *handle)
{
    struct smtpc_trace *trace = smtpc_session_trace(session_of(handle));
    struct smtpc_trace_entry entry;

    while (trace->wanted && smtpc_trace_take(trace, &entry)) {
        const char speaker = (char)entry.speaker;
        dSP;

        ENTER;
        SAVETMPS;
        PUSHMARK(SP);
        XPUSHs(self);
        XPUSHs(sv_2mortal(newSVpvn(&speaker, 1)));
        XPUSHs(sv_2mortal(newSVpvn(entry.text, entry.length)));
        XPUSHs(boolSV(entry.secret));
        PUTBACK;
        call_method("_traced", G_VOID | G_DISCARD);
        FREETMPS;
        LEAVE;
    }
}

/* Waits for the connection, not for ever, and lets Perl's signal handlers run; they may die. */
static void
wait_a_while(pTHX_ SV *self, struct handle *handle)
{
    struct pollfd polled[SMTPC_CONNECTION_POLL_MAX];
    int count = smtpc_connection_poll(handle->connection, polled);
    int left = smtpc_clock_left(smtpc_connection_deadline(handle->connection));

    poll(polled, (nfds_t)count, left < 0 || left > SLICE_MS ? SLICE_MS : left);
    PERL_ASYNC_CHECK();
    notice_closed_handle(aTHX_ self, handle);
}

/* Pumps until it is the caller's turn. */
static enum smtpc_pump
pump(pTHX_ SV *self, struct handle *handle)
{
    enum smtpc_pump result;

    while ((result = smtpc_connection_step(handle->connection)) == SMTPC_PUMP_WAIT) {
        deliver_trace(aTHX_ self, handle);
        wait_a_while(aTHX_ self, handle);
    }
    if (result == SMTPC_PUMP_CLOSED)
        close_handle(aTHX_ self, handle, !smtpc_error_is_set(smtpc_session_error(session_of(handle))));
    else
        open_handle(aTHX_ self, handle);
    deliver_trace(aTHX_ self, handle);
    return result;
}

/* What came meanwhile is heard before anything new is said. */
static struct smtpc_session *
begin_operation(pTHX_ SV *self, struct handle **handle)
{
    *handle = begin_call(aTHX_ self);
    notice_closed_handle(aTHX_ self, *handle);
    smtpc_connection_listen((*handle)->connection);
    return session_of(*handle);
}

/* Pumps an operation that has begun (0) or could not (-1) to its end. 1 when the server agreed. */
static int
finish_operation(pTHX_ SV *self, struct handle *handle, int begun)
{
    if (begun == 0 || smtpc_session_wants(session_of(handle)) == SMTPC_WANT_CLOSED)
        pump(aTHX_ self, handle);
    else
        deliver_trace(aTHX_ self, handle);
    handle->in_call = 0;
    return begun == 0 && !smtpc_error_is_set(smtpc_session_error(session_of(handle)));
}

/* ---- secrets and content, which Perl code may have to make ---- */

/* What a code ref returns: a mortal copy, undef when it gives nothing. */
static SV *
call_source(pTHX_ SV *code)
{
    SV *result = &PL_sv_undef;
    int count;
    dSP;

    PUSHMARK(SP);
    PUTBACK;
    count = call_sv(code, G_SCALAR);
    SPAGAIN;
    if (count > 0)
        result = sv_mortalcopy(POPs);
    PUTBACK;
    return result;
}

static int
is_code(pTHX_ SV *sv)
{
    return SvROK(sv) && SvTYPE(SvRV(sv)) == SVt_PVCV;
}

static int
give_secret(pTHX_ struct handle *handle, SV *secret)
{
    STRLEN length;
    const char *octets;

    if (is_code(aTHX_ secret))
        secret = call_source(aTHX_ secret);
    if (!SvOK(secret)) {
        smtpc_connection_abandon(handle->connection, SMTPC_ERROR_USAGE, "password: undefined");
        return -1;
    }
    octets = text_of(aTHX_ secret, &length);
    return smtpc_session_secret(session_of(handle), octets, length);
}

/* All octets of a piece, in slices as the session takes them. 0, or -1 when it has ended. */
static int
send_octets(pTHX_ SV *self, struct handle *handle, SV *piece)
{
    STRLEN offset = 0;
    STRLEN length;

    if (SvGMAGICAL(piece) || SvROK(piece) || !SvPOK(piece) || SvUTF8(piece))
        piece = byte_string(aTHX_ piece, "message");
    for (;;) {
        const char *octets;
        STRLEN n;

        if (pump(aTHX_ self, handle) != SMTPC_PUMP_TURN || !smtpc_session_in_content(session_of(handle)))
            return -1;
        octets = SvPV_nomg(piece, length);    /* anew: Perl code may have run */
        if (offset >= length)
            return 0;
        n = length - offset > SMTPC_SESSION_CONTENT_MAX ? SMTPC_SESSION_CONTENT_MAX : length - offset;
        if (smtpc_session_content(session_of(handle), octets + offset, n) != 0)
            return -1;
        offset += n;
    }
}

/* The message from a string, or from a code ref that returns piece after piece and undef at the end. */
static int
send_source(pTHX_ SV *self, struct handle *handle, SV *source)
{
    if (!is_code(aTHX_ source))
        return send_octets(aTHX_ self, handle, source);
    for (;;) {
        int result;
        SV *piece;

        ENTER;
        SAVETMPS;
        piece = call_source(aTHX_ source);
        result = SvOK(piece) ? send_octets(aTHX_ self, handle, piece) : 1;
        FREETMPS;
        LEAVE;
        if (result != 0)
            return result > 0 ? 0 : -1;
    }
}

/* ---- results ---- */

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
    return sv_2mortal(newRV_noinc((SV *)hash));
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
    return sv_2mortal(newRV_noinc((SV *)hash));
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
    return sv_2mortal(newRV_noinc((SV *)array));
}

static void
croak_error(pTHX_ const struct smtpc_error *error)
{
    croak("%s", error->text);
}

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

PROTOTYPES: DISABLE

SV *
_new(const char *class)
  PREINIT:
    HV *stash;
    GV *gv;
    struct handle *handle;
  CODE:
    stash = gv_stashpv(class, GV_ADD);
    gv = (GV *)newSV(0);
    gv_init(gv, stash, "_CONNECTION", 11, 0);
    Newxz(handle, 1, struct handle);
    handle->owner = getpid();
    attach(aTHX_ (SV *)gv, &handle_magic, handle);
    RETVAL = sv_bless(newRV_noinc((SV *)gv), stash);
  OUTPUT:
    RETVAL

# Connects, and reads the greeting. Options by name; 1 or ''.
bool
_connect(SV *self, bool trace, ...)
  PREINIT:
    struct handle *handle;
    struct smtpc_connection_options options = {0};
    struct smtpc_error error = {0};
    I32 i;
  CODE:
    handle = handle_of(aTHX_ self);
    if (handle->connection != NULL)
        croak("connected already");
    for (i = 2; i + 1 < items; i += 2)
        set_connection_option(aTHX_ &options, SvPV_nolen(ST(i)), ST(i + 1));
    handle->connection = smtpc_connection_new(&options, &error);
    if (handle->connection == NULL)
        croak_error(aTHX_ &error);
    smtpc_session_trace(session_of(handle))->wanted = trace;
    ENTER;
    begin_call(aTHX_ self);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, 0));
    LEAVE;
  OUTPUT:
    RETVAL

bool
_hello(SV *self, SV *name, bool ehlo_only)
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
  CODE:
    octets = text_of(aTHX_ name, &length);
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, smtpc_session_hello(session, octets, length, ehlo_only)));
    LEAVE;
  OUTPUT:
    RETVAL

# STARTTLS and the handshake; not the EHLO after it.
bool
_starttls(SV *self, struct smtpc_tls_context *tls, SV *name)
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *tls_name;
  CODE:
    tls_name = string_of(aTHX_ name, "name");
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    if (smtpc_connection_set_tls(handle->connection, tls, tls_name) != 0)
        croak("out of memory");
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, smtpc_session_starttls(session)));
    LEAVE;
  OUTPUT:
    RETVAL

# wanted: mechanisms with blanks between, or ''. secret: a string, or a code ref that is asked when it is needed.
bool
_auth(SV *self, SV *user, SV *secret, SV *wanted)
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
    int begun;
  CODE:
    octets = text_of(aTHX_ user, &length);
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    begun = smtpc_session_auth(session, octets, length, string_of(aTHX_ wanted, "mechanism"));
    if (begun == 0)
        begun = give_secret(aTHX_ handle, secret);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, begun));
    LEAVE;
  OUTPUT:
    RETVAL

bool
_mail(SV *self, SV *path, SV *parameters)
  ALIAS:
    _mail = 0
    _rcpt = 1
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *octets;
    const char *words;
    STRLEN length;
    int begun;
  CODE:
    octets = text_of(aTHX_ path, &length);
    words = string_of(aTHX_ parameters, "parameter");
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    begun = ix == 0 ? smtpc_session_mail(session, octets, length, words)
                    : smtpc_session_rcpt(session, octets, length, words);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, begun));
    LEAVE;
  OUTPUT:
    RETVAL

bool
_data(SV *self)
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
    struct handle *handle;
    struct smtpc_session *session;
  CODE:
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, operations[ix](session)));
    LEAVE;
  OUTPUT:
    RETVAL

# A piece of the message.
bool
_content(SV *self, SV *piece)
  PREINIT:
    struct handle *handle;
  CODE:
    sv_2mortal(SvREFCNT_inc_simple_NN(piece));
    ENTER;
    handle = begin_call(aTHX_ self);
    notice_closed_handle(aTHX_ self, handle);
    RETVAL = cBOOL(send_octets(aTHX_ self, handle, piece) == 0);
    handle->in_call = 0;
    LEAVE;
  OUTPUT:
    RETVAL

# A command of the caller's: 1 when a reply came, whatever it says.
bool
_command(SV *self, const char *verb, SV *argument, const char *name)
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *octets = NULL;
    STRLEN length = 0;
  CODE:
    if (SvOK(argument))
        octets = text_of(aTHX_ argument, &length);
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, smtpc_session_command(session, verb, name, octets, length)));
    LEAVE;
  OUTPUT:
    RETVAL

# A whole transaction. recipients: address, parameters, address, parameters ...; source: as send_source has it.
bool
_submit(SV *self, SV *sender, SV *parameters, AV *recipients, SV *source)
  PREINIT:
    struct handle *handle;
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
    SSize_t i;
    int begun;
  CODE:
    sv_2mortal(SvREFCNT_inc_simple_NN(source));
    octets = text_of(aTHX_ sender, &length);
    ENTER;
    session = begin_operation(aTHX_ self, &handle);
    begun = smtpc_session_open_envelope(session, octets, length, string_of(aTHX_ parameters, "parameter"));
    for (i = 0; begun == 0 && i < av_len(recipients); i += 2) {
        SV **path = av_fetch(recipients, i, 0);
        SV **more = av_fetch(recipients, i + 1, 0);

        if (path == NULL || more == NULL)
            break;
        octets = text_of(aTHX_ *path, &length);
        begun = smtpc_session_add_recipient(session, octets, length, string_of(aTHX_ *more, "parameter"));
    }
    if (begun == 0)
        begun = smtpc_session_submit(session);
    if (begun == 0 && pump(aTHX_ self, handle) == SMTPC_PUMP_TURN && smtpc_session_in_content(session)
        && send_source(aTHX_ self, handle, source) == 0)
        smtpc_session_end(session);
    RETVAL = cBOOL(finish_operation(aTHX_ self, handle, begun));
    LEAVE;
  OUTPUT:
    RETVAL

# The program gives up: the connection is closed, nothing more is said.
void
_abandon(SV *self, const char *text)
  PREINIT:
    struct handle *handle;
  CODE:
    handle = handle_of(aTHX_ self);
    if (handle->connection != NULL && handle->owner == getpid()) {
        smtpc_connection_abandon(handle->connection, SMTPC_ERROR_INTERRUPTED, text);
        close_handle(aTHX_ self, handle, 0);
    }

# Of the last operation: a hash, or undef.
SV *
_error(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? &PL_sv_undef
                                        : error_hash(aTHX_ smtpc_session_error(session_of(handle)));
    SvREFCNT_inc_simple_void_NN(RETVAL);
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
        XPUSHs(recipient_array(aTHX_ &envelope->recipients[i]));

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
    SvREFCNT_inc_simple_void_NN(RETVAL);
  OUTPUT:
    RETVAL

const char *
_mechanism(struct handle *handle)
  CODE:
    RETVAL = handle->connection == NULL ? NULL : smtpc_session_mechanism(session_of(handle));
  OUTPUT:
    RETVAL

# 'idle', 'content' (between 354 and the end of data) or 'closed'.
const char *
_state(SV *self)
  PREINIT:
    struct handle *handle;
  CODE:
    handle = handle_of(aTHX_ self);
    if (handle->connection != NULL && !handle->in_call)
        notice_closed_handle(aTHX_ self, handle);
    if (handle->connection == NULL || smtpc_session_wants(session_of(handle)) == SMTPC_WANT_CLOSED)
        RETVAL = "closed";
    else
        RETVAL = smtpc_session_in_content(session_of(handle)) ? "content" : "idle";
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
  CODE:
    if (handle->connection != NULL)
        smtpc_session_trace(session_of(handle))->wanted = on;

# Seconds for each step and for the reply to the final dot; 0: no limit.
void
_set_timeout(struct handle *handle, NV timeout, NV end_timeout)
  CODE:
    if (handle->connection != NULL)
        smtpc_connection_set_timeout(handle->connection, (int64_t)(timeout * 1000), (int64_t)(end_timeout * 1000));

# Seconds from now for everything; 0: no limit.
void
_set_deadline(struct handle *handle, NV seconds)
  CODE:
    if (handle->connection != NULL)
        smtpc_connection_set_deadline(handle->connection, smtpc_clock_after((int64_t)(seconds * 1000)));

void
_set_pipelining(struct handle *handle, bool on)
  CODE:
    if (handle->connection != NULL)
        smtpc_session_set_pipelining(session_of(handle), on);

# What SIZE= says of a message (RFC 1870).
NV
_measure(SV *message)
  PREINIT:
    const char *octets;
    STRLEN length;
  CODE:
    message = byte_string(aTHX_ message, "message");
    octets = SvPV(message, length);
    RETVAL = (NV)smtpc_content_measure(octets, length);
  OUTPUT:
    RETVAL

# Monotonic seconds.
NV
_now()
  CODE:
    RETVAL = (NV)smtpc_clock_now() / 1000;
  OUTPUT:
    RETVAL

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC::TLS

# A client's demands by name, as in net/tls_context.h; dies with the reason.
SV *
new(const char *class, ...)
  PREINIT:
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context;
    I32 i;
  CODE:
    for (i = 1; i + 1 < items; i += 2)
        set_tls_option(aTHX_ &options, SvPV_nolen(ST(i)), ST(i + 1));
    context = smtpc_tls_context_client(&options, &error);
    if (context == NULL)
        croak_error(aTHX_ &error);
    RETVAL = new_object(aTHX_ class, &context_magic, context);
  OUTPUT:
    RETVAL

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC::Sandbox::TLS

SV *
new(const char *class, int fd, const char *chain_pem, const char *key_pem, SV *client_ca_pem)
  PREINIT:
    struct smtpc_error error = {0};
    struct server *server;
    SV *object;
  CODE:
    Newxz(server, 1, struct server);
    object = sv_2mortal(new_object(aTHX_ class, &server_magic, server));    /* owns it from here on */
    server->socket.fd = fd;
    server->context = smtpc_tls_context_server(chain_pem, key_pem, string_of(aTHX_ client_ca_pem, "client_ca"), &error);
    if (server->context != NULL)
        server->tls = smtpc_tls_server(server->context, smtpc_wire_of_socket(&server->socket), &error);
    if (server->tls == NULL)
        croak_error(aTHX_ &error);
    RETVAL = SvREFCNT_inc_simple_NN(object);
  OUTPUT:
    RETVAL

# 1 when done, 0 when it must wait; dies with the reason.
int
handshake(struct server *server)
  PREINIT:
    struct smtpc_error error = {0};
    int result;
  CODE:
    result = smtpc_tls_handshake(server->tls, &error);
    if (result != 1 && result != SMTPC_WIRE_AGAIN)
        croak_error(aTHX_ &error);
    RETVAL = result == 1;
  OUTPUT:
    RETVAL

# Octets, '' at the end, undef when it must wait.
SV *
receive(struct server *server, size_t room)
  PREINIT:
    struct smtpc_error error = {0};
    ssize_t n;
  CODE:
    RETVAL = newSV(room + 1);
    n = smtpc_tls_receive(server->tls, SvPVX(RETVAL), room, &error);
    if (n >= 0) {
        SvPOK_only(RETVAL);
        SvCUR_set(RETVAL, (STRLEN)n);
        *SvEND(RETVAL) = '\0';
    } else {
        SvREFCNT_dec(RETVAL);
        if (n != SMTPC_WIRE_AGAIN)
            croak_error(aTHX_ &error);
        RETVAL = newSV(0);
    }
  OUTPUT:
    RETVAL

# How many octets left; undef when it must wait.
SV *
send(struct server *server, SV *octets)
  PREINIT:
    struct smtpc_error error = {0};
    const char *bytes;
    STRLEN length;
    ssize_t n;
  CODE:
    octets = byte_string(aTHX_ octets, "octets");
    bytes = SvPV(octets, length);
    n = smtpc_tls_send(server->tls, bytes, length, &error);
    if (n < 0 && n != SMTPC_WIRE_AGAIN)
        croak_error(aTHX_ &error);
    RETVAL = n < 0 ? newSV(0) : newSViv((IV)n);
  OUTPUT:
    RETVAL

const char *
wants(struct server *server)
  CODE:
    RETVAL = smtpc_tls_wants(server->tls) == SMTPC_TLS_WAIT_READ ? "read" : "write";
  OUTPUT:
    RETVAL

void
close(struct server *server)
  CODE:
    smtpc_tls_close(server->tls);

const char *
version(struct server *server)
  ALIAS:
    version = 0
    peer_subject = 1
  PREINIT:
    struct smtpc_tls_facts facts;
  CODE:
    smtpc_tls_facts(server->tls, &facts);
    RETVAL = ix == 0 ? facts.version : facts.subject;
  OUTPUT:
    RETVAL

# common_name, names, valid_seconds, is_ca, issuer => [certificate, key]; the PEM texts of certificate and key.
void
make_certificate(...)
  PREINIT:
    struct smtpc_tls_certificate_request request = {0};
    struct smtpc_error error = {0};
    struct smtpc_buffer certificate;
    struct smtpc_buffer key;
    SV *texts[2];
    I32 i;
    int result;
  PPCODE:
    for (i = 0; i + 1 < items; i += 2) {
        const char *name = SvPV_nolen(ST(i));
        SV *value = ST(i + 1);

        if (strEQ(name, "common_name"))
            request.common_name = string_of(aTHX_ value, name);
        else if (strEQ(name, "names"))
            request.names = string_of(aTHX_ value, name);
        else if (strEQ(name, "valid_seconds"))
            request.valid_seconds = (long)SvIV(value);
        else if (strEQ(name, "is_ca"))
            request.is_ca = SvTRUE(value);
        else if (strEQ(name, "issuer") && SvROK(value) && SvTYPE(SvRV(value)) == SVt_PVAV) {
            request.issuer_pem = string_of(aTHX_ *av_fetch((AV *)SvRV(value), 0, 1), name);
            request.issuer_key_pem = string_of(aTHX_ *av_fetch((AV *)SvRV(value), 1, 1), name);
        } else if (SvOK(value))
            croak("no certificate option %s", name);
    }
    smtpc_buffer_init(&certificate, 65536);
    smtpc_buffer_init(&key, 65536);
    result = smtpc_tls_certificate_make(&request, &certificate, &key, &error);
    texts[0] = sv_2mortal(newSVpvn(result == 0 ? certificate.bytes : "", certificate.length));
    texts[1] = sv_2mortal(newSVpvn(result == 0 ? key.bytes : "", key.length));
    smtpc_buffer_clear(&certificate);
    smtpc_buffer_clear(&key);
    if (result != 0)
        croak_error(aTHX_ &error);
    EXTEND(SP, 2);
    PUSHs(texts[0]);
    PUSHs(texts[1]);
