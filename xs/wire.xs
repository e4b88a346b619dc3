# wire: operations that are said now and heard later, a login line by line, and chunks.

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

# On: the operations that follow return as soon as they are said; _finish hears the reply.
void
_defer(struct handle *handle, bool on)
  CODE:
    handle->defer = on;

# Whether a reply is to be fetched with _finish.
bool
_is_unheard(struct handle *handle)
  CODE:
    RETVAL = handle->is_unheard;
  OUTPUT:
    RETVAL

# Hears the reply of what was deferred, or what came unasked: 1, or '' when the server did not agree or the
# connection is over.
bool
_finish(struct handle *handle)
  CODE:
    ENTER;
    begin_call(aTHX_ handle);
    if (!handle->is_unheard)
        smtpc_connection_listen(handle->connection);
    handle->defer = handle->is_unheard = 0;
    RETVAL = finish_operation(aTHX_ handle, 0);
    LEAVE;
  OUTPUT:
    RETVAL

# A command of the caller's: 1 when a reply came, whatever it says.
bool
_command(struct handle *handle, SV *verb, SV *argument, SV *name)
  PREINIT:
    struct smtpc_session *session;
    const char *octets = NULL;
    const char *words;
    const char *called;
    STRLEN length = 0;
  CODE:
    words = word_of(aTHX_ verb, "verb");
    called = word_of(aTHX_ name, "name");
    argument = plain_string(aTHX_ argument);
    if (SvOK(argument))
        octets = SvPV(argument, length);
    ENTER;
    session = begin_operation(aTHX_ handle);
    RETVAL = finish_operation(aTHX_ handle, smtpc_session_command(session, words, called, octets, length));
    LEAVE;
  OUTPUT:
    RETVAL

# Begins a login that the caller goes on with by _respond, line by line; initial may be undef.
bool
_begin_auth(struct handle *handle, SV *mechanism, SV *initial)
  PREINIT:
    const char *name;
    const char *octets = NULL;
    STRLEN length = 0;
  CODE:
    name = word_of(aTHX_ mechanism, "mechanism");
    initial = plain_string(aTHX_ initial);
    if (SvOK(initial)) {
        initial = byte_string(aTHX_ initial, "initial response");
        octets = SvPV(initial, length);
    }
    ENTER;
    RETVAL = finish_operation(aTHX_ handle, smtpc_session_auth_by_caller(begin_operation(aTHX_ handle), name, octets,
                                                                         length));
    LEAVE;
  OUTPUT:
    RETVAL

# The answer to a challenge in such a login, undef to cancel it.
bool
_respond(struct handle *handle, SV *response)
  PREINIT:
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
    int begun;
  CODE:
    response = plain_string(aTHX_ response);
    if (SvOK(response))
        response = byte_string(aTHX_ response, "response");
    ENTER;
    session = begin_operation(aTHX_ handle);
    if (SvOK(response)) {
        octets = SvPV(response, length);
        begun = smtpc_session_respond(session, octets, length);
    } else
        begun = smtpc_session_cancel(session, "the program has cancelled the login");
    RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL

# A chunk of a message, with the length in front.
bool
_bdat(struct handle *handle, SV *chunk, bool last)
  PREINIT:
    struct smtpc_session *session;
    const char *octets;
    STRLEN length;
  CODE:
    chunk = byte_string(aTHX_ chunk, "message");
    octets = SvPV(chunk, length);
    ENTER;
    session = begin_operation(aTHX_ handle);
    RETVAL = finish_operation(aTHX_ handle, smtpc_session_bdat(session, octets, length, last));
    LEAVE;
  OUTPUT:
    RETVAL
