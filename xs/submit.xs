# submit: whole messages: one, or a stream of them.

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

# Of what is submitted from here on: 0 DATA, 1 BDAT, 2 BDAT without waiting for replies.
void
_set_manner(struct handle *handle, int manner)
  CODE:
    if (handle->connection != NULL && manner >= 0 && manner <= SMTPC_BY_BDAT_AHEAD)
        smtpc_session_set_manner(session_of(handle), (enum smtpc_manner)manner);

# A whole transaction. recipients: address, parameters, address, parameters ...; source: as send_source has it. quit: QUIT
# is said together with the end, where that is allowed.
bool
_submit(struct handle *handle, SV *sender, SV *parameters, AV *recipients, SV *source, bool quit = FALSE)
  PREINIT:
    struct smtpc_session *session;
    const char *octets;
    const char *words;
    STRLEN length;
    int begun;
  CODE:
    recipients = plain_strings(aTHX_ recipients);
    octets = text_of(aTHX_ sender, &length);
    words = word_of(aTHX_ parameters, "parameter");
    source = code_or_string(aTHX_ source);
    if (!is_code_ref(source))
        source = byte_string(aTHX_ source, "message");
    ENTER;
    session = begin_operation(aTHX_ handle);
    begun = smtpc_session_open_envelope(session, octets, length, words);
    if (begun == 0)
        begun = add_recipients(aTHX_ session, recipients);
    if (begun == 0)
        begun = smtpc_session_submit(session);
    if (begun == 0 && pump(aTHX_ handle) == SMTPC_PUMP_TURN && smtpc_session_in_content(session)
        && send_source(aTHX_ handle, source) == 0 && smtpc_session_end(session) == 0
        && quit && smtpc_session_may_go_on(session))
        smtpc_session_quit(session);
    RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL

# Messages after each other, as next returns them, with so many under way at once; see xs/stream.h. 1, or '' when the
# connection has ended.
bool
_stream(struct handle *handle, SV *next, SV *report, IV window)
  PREINIT:
    struct stream stream = {0};
    struct smtpc_session *session;
  CODE:
    if (!is_code_ref(next) || !is_code_ref(report) || window < 1 || window > SMTPC_SESSION_QUEUE_MAX / 2)
        croak("next and report must be code, and window from 1 to %d", SMTPC_SESSION_QUEUE_MAX / 2);
    ENTER;
    stream.handle = handle;
    stream.next = sv_mortalcopy(next);
    stream.report = sv_mortalcopy(report);
    stream.tags = (AV *)sv_2mortal((SV *)newAV());
    stream.source = sv_newmortal();
    stream.window = window;
    session = begin_operation(aTHX_ handle);
    smtpc_session_set_window(session, (size_t)window);
    run_stream(aTHX_ &stream);
    smtpc_session_set_window(session, 0);
    RETVAL = cBOOL(smtpc_session_wants(session) != SMTPC_WANT_CLOSED);
    handle->in_call = 0;
    LEAVE;
  OUTPUT:
    RETVAL
