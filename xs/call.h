/* call: one operation from its beginning to its end: who may begin it, the wait loop, and Perl code within it. */
#ifndef SMTPC_XS_CALL_H
#define SMTPC_XS_CALL_H

/* A signal between the last look at PL_sig_pending and poll waits for so long at most. */
enum { SLICE_MS = 250 };

/* ---- the object as a Perl handle ---- */

/* Numbers of descriptors are used again: that of ours may be another file's by now. */
static int
is_our_socket(const struct handle *handle)
{
    struct stat status;
    int fd = smtpc_connection_fd(handle->connection);

    return fd >= 0 && fstat(fd, &status) == 0
        && status.st_dev == handle->device && status.st_ino == handle->inode;
}

/* 1 when the glob holds the number of our descriptor. */
static int
has_our_number(pTHX_ const struct handle *handle)
{
    IO *io = GvIO(handle->glob);

    return io != NULL && IoIFP(io) != NULL && PerlIO_fileno(IoIFP(io)) == smtpc_connection_fd(handle->connection);
}

/* 1 when it holds our descriptor. */
static int
is_in_glob(pTHX_ const struct handle *handle)
{
    return has_our_number(aTHX_ handle) && is_our_socket(handle);
}

/* The descriptor becomes that of the glob, as perl's socket() does it: fileno, close, select work on the object. */
static void
open_handle(pTHX_ struct handle *handle)
{
    IO *io = GvIOn(handle->glob);
    int fd = smtpc_connection_fd(handle->connection);
    struct stat status;

    if (handle->has_glob || fd < 0 || IoIFP(io) != NULL)
        return;
    IoTYPE(io) = IoTYPE_SOCKET;
    if (fstat(fd, &status) != 0 || (IoIFP(io) = PerlIO_fdopen(fd, "r")) == NULL)
        croak("no handle for descriptor %d", fd);
    smtpc_connection_give_fd(handle->connection);
    handle->has_glob = 1;
    handle->device = status.st_dev;
    handle->inode = status.st_ino;
    if ((IoOFP(io) = PerlIO_fdopen(fd, "w")) == NULL)
        croak("no handle for descriptor %d", fd);
}

static void
close_handle(pTHX_ struct handle *handle, int politely)
{
    int in_glob = handle->has_glob && is_in_glob(aTHX_ handle);

    smtpc_connection_close(handle->connection, politely);
    if (in_glob)
        do_close(handle->glob, FALSE);
}

/* Before another connection. A file that the program has opened on the glob meanwhile stays there. */
static void
forget_connection(pTHX_ struct handle *handle)
{
    if (handle->in_call || smtpc_session_wants(session_of(handle)) != SMTPC_WANT_CLOSED)
        croak("connected already");
    close_handle(aTHX_ handle, 0);
    smtpc_connection_free(handle->connection);
    handle->connection = NULL;
    handle->has_glob = handle->is_unheard = handle->defer = 0;
}

/* How often Perl code has run within calls, in all threads. A static, but nobody's state: a count that another thread
 * raises costs a needless look at the handle. */
static unsigned long perl_runs;

static void
note_perl_run(void)
{
    __atomic_add_fetch(&perl_runs, 1, __ATOMIC_RELAXED);
}

/* The program may have closed the handle itself, or opened another file on it. */
static void
notice_closed_handle(pTHX_ struct handle *handle)
{
    handle->looked_after = __atomic_load_n(&perl_runs, __ATOMIC_RELAXED);
    if (handle->has_glob && smtpc_connection_fd(handle->connection) >= 0 && !is_in_glob(aTHX_ handle))
        smtpc_connection_close(handle->connection, 0);
}

/* As far as it can be told without a system call; who is about to use the descriptor looks again. */
static void
notice_closed_glob(pTHX_ struct handle *handle)
{
    handle->looked_after = __atomic_load_n(&perl_runs, __ATOMIC_RELAXED) - 1;
    if (handle->has_glob && smtpc_connection_fd(handle->connection) >= 0 && !has_our_number(aTHX_ handle))
        smtpc_connection_close(handle->connection, 0);
}

/* For a program that asks. Within a message it asks often, and the end of it looks in any case. */
static void
look_at_handle(pTHX_ struct handle *handle)
{
    if (smtpc_session_in_content(session_of(handle)))
        notice_closed_glob(aTHX_ handle);
    else
        notice_closed_handle(aTHX_ handle);
}

/* Before the descriptor is used within a call, where only code that has run since then can have closed it. */
static void
notice_again(pTHX_ struct handle *handle)
{
    enum smtpc_want want = smtpc_session_wants(session_of(handle));

    if ((want == SMTPC_WANT_READ || want == SMTPC_WANT_WRITE || want == SMTPC_WANT_STARTTLS)
        && handle->looked_after != __atomic_load_n(&perl_runs, __ATOMIC_RELAXED))
        notice_closed_handle(aTHX_ handle);
}

/* ---- Perl code within a call ---- */

/* Signal handlers. They may die. */
static void
let_signals_in(pTHX)
{
    if (PL_sig_pending) {
        note_perl_run();
        PERL_ASYNC_CHECK();
    }
}

/* Calls a code ref, or a method of the first argument. A mortal copy of what the code returns, NULL for a method. On
 * a stack of its own, so that "last" and "next" do not get out of the call but die. */
static SV *
call_perl(pTHX_ SV *code, const char *method, SV **arguments, int count)
{
    SV *result = NULL;
    int i;
    dSP;

    note_perl_run();
    PUSHSTACKi(PERLSI_MAGIC);
    PUSHMARK(SP);
    EXTEND(SP, count);
    for (i = 0; i < count; i++)
        PUSHs(arguments[i]);
    PUTBACK;
    if (method != NULL)
        call_method(method, G_VOID | G_DISCARD);
    else if (call_sv(code, G_SCALAR) > 0)
        result = sv_mortalcopy(*PL_stack_sp);
    POPSTACK;
    return result;
}

/* Hands what was said and heard to the object's _traced method. */
static void
deliver_trace(pTHX_ struct handle *handle)
{
    struct smtpc_trace *trace = smtpc_session_trace(session_of(handle));
    struct smtpc_trace_entry entry;

    while (trace->wanted && smtpc_trace_take(trace, &entry)) {
        const char speaker = (char)entry.speaker;
        SV *arguments[4];

        ENTER;
        SAVETMPS;
        arguments[0] = sv_2mortal(newRV_inc((SV *)handle->glob));
        arguments[1] = sv_2mortal(newSVpvn(&speaker, 1));
        arguments[2] = sv_2mortal(newSVpvn(entry.text, entry.length));
        arguments[3] = boolSV(entry.secret);
        call_perl(aTHX_ NULL, "_traced", arguments, 4);
        FREETMPS;
        LEAVE;
    }
}

/* ---- a call ---- */

/* Runs when the call ends. When a signal handler or a callback died in it, nobody knows where the dialogue stands,
 * and a message may lack its end, so the connection is given up. */
static void
end_call(pTHX_ void *pointer)
{
    struct handle *handle = pointer;
    dSAVE_ERRNO;

    if (handle->in_call && smtpc_session_wants(session_of(handle)) != SMTPC_WANT_IDLE) {
        smtpc_connection_abandon(handle->connection, SMTPC_ERROR_INTERRUPTED,
                                 "the call was left half-way (a signal handler or a callback died)");
        close_handle(aTHX_ handle, 0);
    }
    handle->in_call = 0;
    RESTORE_ERRNO;
}

/* The gate of every operation: ENTER before, LEAVE after, arguments converted already. */
static struct smtpc_session *
begin_call(pTHX_ struct handle *handle)
{
    if (handle->connection == NULL)
        croak("not connected");
    if (!is_owner(handle))
        croak("this connection belongs to process %ld: a forked child must make its own", (long)handle->owner);
    if (handle->in_call)
        croak("this object is in the middle of another call (from a signal handler or a callback?)");
    handle->in_call = 1;
    SAVEDESTRUCTOR_X(end_call, handle);
    notice_closed_glob(aTHX_ handle);
    return session_of(handle);
}

/* Waits for the connection, but never for long. */
static void
wait_a_while(pTHX_ struct handle *handle)
{
    struct pollfd polled[SMTPC_CONNECTION_POLL_MAX];
    int count = smtpc_connection_poll(handle->connection, polled);
    int left = smtpc_clock_left(smtpc_connection_deadline(handle->connection));

    if (left < 0 || left > SLICE_MS)
        left = SLICE_MS;
    poll(polled, (nfds_t)count, PL_sig_pending ? 0 : left);
}

/* Pumps until it is the caller's turn. Perl's signal handlers run in between, and only here; they may die. */
static enum smtpc_pump
pump(pTHX_ struct handle *handle)
{
    for (;;) {
        enum smtpc_pump result;

        let_signals_in(aTHX);
        notice_again(aTHX_ handle);
        result = smtpc_connection_step(handle->connection);
        if (result == SMTPC_PUMP_CLOSED)
            close_handle(aTHX_ handle, !smtpc_error_is_set(smtpc_session_error(session_of(handle))));
        else if (result == SMTPC_PUMP_TURN)
            open_handle(aTHX_ handle);
        deliver_trace(aTHX_ handle);
        if (result != SMTPC_PUMP_WAIT)
            return result;
        wait_a_while(aTHX_ handle);
    }
}

/* Programs switch Net::Cmd's debugging on by writing its level into the object. */
static void
notice_debug(pTHX_ struct handle *handle)
{
    HV *hash = GvHV(handle->glob);
    SV **level = hash == NULL ? NULL : hv_fetchs(hash, "net_cmd_debug", 0);

    if (level != NULL && SvTRUE(*level))
        smtpc_session_trace(session_of(handle))->wanted = 1;
}

/* What came meanwhile is heard before anything new is said. */
static struct smtpc_session *
begin_operation(pTHX_ struct handle *handle)
{
    struct smtpc_session *session = begin_call(aTHX_ handle);

    notice_closed_handle(aTHX_ handle);
    notice_debug(aTHX_ handle);
    if (handle->is_unheard)
        pump(aTHX_ handle);
    handle->is_unheard = 0;
    smtpc_connection_listen(handle->connection);
    return session;
}

/* Pumps until all is said, or nothing more is to be said. */
static void
pump_out(pTHX_ struct handle *handle)
{
    for (;;) {
        enum smtpc_pump result;

        let_signals_in(aTHX);
        notice_again(aTHX_ handle);
        result = smtpc_connection_step(handle->connection);
        deliver_trace(aTHX_ handle);
        if (result != SMTPC_PUMP_WAIT || smtpc_session_wants(session_of(handle)) == SMTPC_WANT_READ)
            return;
        wait_a_while(aTHX_ handle);
    }
}

/* Pumps an operation that has begun (0) or could not (-1) to its end, or, if it is deferred, until it is said. 1 when
 * the server agreed, or will be heard later. */
static bool
finish_operation(pTHX_ struct handle *handle, int begun)
{
    if (begun == 0 && handle->defer) {
        pump_out(aTHX_ handle);
        handle->is_unheard = 1;
        handle->in_call = 0;
        return 1;
    }
    if (begun == 0 || smtpc_session_wants(session_of(handle)) == SMTPC_WANT_CLOSED)
        pump(aTHX_ handle);
    else
        deliver_trace(aTHX_ handle);
    handle->in_call = 0;
    return begun == 0 && !smtpc_error_is_set(smtpc_session_error(session_of(handle)));
}

#endif
