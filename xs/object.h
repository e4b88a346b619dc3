/* object: lifetimes: C structures that hang on Perl objects, and the one gate by which they are reached. */
#ifndef SMTPC_XS_OBJECT_H
#define SMTPC_XS_OBJECT_H

/* Forks between the process that loaded us and this one: to compare them costs no system call, as the process's number
 * does. */
static int forks;
static int counts_forks;

static void
note_fork(void)
{
    forks++;
}

/* What hangs on a connection's glob. */
struct handle {
    struct smtpc_connection *connection;    /* NULL before _connect */
    GV *glob;                               /* the object itself; not counted, for it owns this */
    Pid_t owner;                            /* in any other process nothing is said */
    int forks;                              /* when it became the owner */
    dev_t device;                           /* of the socket, once its descriptor is the glob's */
    ino_t inode;
    int has_glob;                           /* the descriptor was given to the glob */
    int in_call;                            /* one method at a time; still set when Perl unwinds */
    int defer;                              /* the next operation is only to be said */
    int is_unheard;                         /* one was said, and its reply was not fetched yet */
    unsigned long looked_after;             /* perl_runs when the descriptor was last seen to be ours */
};

/* The sandbox's side of a connection. */
struct server {
    struct smtpc_wire_socket socket;
    struct smtpc_tls_context *context;
    struct smtpc_tls *tls;
};

/* $! is the program's, and objects go at any time. */
static int
free_handle(pTHX_ SV *sv, MAGIC *mg)
{
    struct handle *handle = (struct handle *)mg->mg_ptr;
    dSAVE_ERRNO;

    PERL_UNUSED_ARG(sv);
    if (handle != NULL)
        smtpc_connection_free(handle->connection);
    Safefree(handle);
    RESTORE_ERRNO;
    return 0;
}

static int
free_context(pTHX_ SV *sv, MAGIC *mg)
{
    dSAVE_ERRNO;

    PERL_UNUSED_ARG(sv);
    smtpc_tls_context_free((struct smtpc_tls_context *)mg->mg_ptr);
    RESTORE_ERRNO;
    return 0;
}

static int
free_server(pTHX_ SV *sv, MAGIC *mg)
{
    struct server *server = (struct server *)mg->mg_ptr;
    dSAVE_ERRNO;

    PERL_UNUSED_ARG(sv);
    if (server != NULL) {
        smtpc_tls_free(server->tls);
        smtpc_tls_context_free(server->context);
    }
    Safefree(server);
    RESTORE_ERRNO;
    return 0;
}

/* CLONE_SKIP keeps connections out of new threads; what gets into one all the same is an empty shell there. */
static int
empty_clone(pTHX_ MAGIC *mg, CLONE_PARAMS *parameters)
{
    PERL_UNUSED_ARG(parameters);
    mg->mg_ptr = NULL;
    return 0;
}

/* The address of a table is the proof that the pointer beside it is ours. */
static const MGVTBL handle_magic = {0, 0, 0, 0, free_handle, 0, empty_clone, 0};
static const MGVTBL context_magic = {0, 0, 0, 0, free_context, 0, empty_clone, 0};
static const MGVTBL server_magic = {0, 0, 0, 0, free_server, 0, empty_clone, 0};
static const MGVTBL server_context_magic = {0, 0, 0, 0, free_context, 0, empty_clone, 0};

#define SERVER_CONTEXT "Net::SMTP::AuthC::Sandbox::TLS::Context"

/* A new object of a body, which owns the pointer from here on. */
static SV *
new_object(pTHX_ SV *class, SV *body, const MGVTBL *table, void *pointer)
{
    sv_magicext(body, NULL, PERL_MAGIC_ext, table, (const char *)pointer, 0)->mg_flags |= MGf_DUP;
    return sv_bless(newRV_noinc(body), gv_stashsv(class, GV_ADD));
}

/* The gate. The object lives until the statement is over, whatever Perl code does to the variable that holds it. */
static void *
pointer_of(pTHX_ SV *ref, const MGVTBL *table, const char *class)
{
    MAGIC *mg = NULL;

    SvGETMAGIC(ref);
    if (SvROK(ref) && SvTYPE(SvRV(ref)) >= SVt_PVMG)
        mg = mg_findext(SvRV(ref), PERL_MAGIC_ext, table);
    if (mg == NULL || mg->mg_ptr == NULL)
        croak("not a live %s object (a copy in another thread is none)", class);
    sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(ref)));
    return mg->mg_ptr;
}

static struct handle *
handle_of(pTHX_ SV *ref)
{
    return pointer_of(aTHX_ ref, &handle_magic, "Net::SMTP::AuthC");
}

static void
become_owner(struct handle *handle)
{
    handle->owner = getpid();
    handle->forks = forks;
}

static int
is_owner(const struct handle *handle)
{
    return handle->forks == forks;
}

static struct smtpc_session *
session_of(const struct handle *handle)
{
    return smtpc_connection_session(handle->connection);
}

#endif
