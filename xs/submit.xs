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
        && send_source(aTHX_ handle, source, NULL) == 0 && smtpc_session_end(session) == 0
        && quit && smtpc_session_may_go_on(session))
        smtpc_session_quit(session);
    RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL

# Messages after each other, with so many under way at once: next, ready, sent and report as xs/stream.h has them. about:
# from and to of those that name none, size_max, recipients_max (0: none is plain), and shared: what every receipt has. 1,
# or '' when the connection has ended. With a window of 0 only those that are over already are reported.
bool
_stream(struct handle *handle, SV *next, SV *ready, SV *sent, SV *report, IV window, HV *about)
  PREINIT:
    struct stream stream = {0};
    struct smtpc_session *session;
  CODE:
    if (!is_code_ref(next) || !is_code_ref(ready) || !is_code_ref(sent) || !is_code_ref(report))
        croak("next, ready, sent and report must be code");
    if (window < 0 || window > SMTPC_SESSION_QUEUE_MAX / 2)
        croak("window must be from 0 to %d", SMTPC_SESSION_QUEUE_MAX / 2);
    ENTER;
    stream.handle = handle;
    stream.next = sv_mortalcopy(next);
    stream.ready = sv_mortalcopy(ready);
    stream.sent = sv_mortalcopy(sent);
    stream.report = sv_mortalcopy(report);
    stream.ids = (AV *)sv_2mortal((SV *)newAV());
    stream.source = sv_newmortal();
    stream.window = window;
    read_plain(aTHX_ about, &stream.plain);
    session = begin_operation(aTHX_ handle);
    smtpc_session_set_window(session, (size_t)window);
    if (window > 0) {
        smtpc_session_drop_finished(session);    /* what was submitted before by itself */
        run_stream(aTHX_ &stream);
    } else
        tell_finished(aTHX_ &stream);
    smtpc_session_set_window(session, 0);
    RETVAL = cBOOL(smtpc_session_wants(session) != SMTPC_WANT_CLOSED);
    handle->in_call = 0;
    LEAVE;
  OUTPUT:
    RETVAL

# The answer to the end of the message that was submitted last: code, and its lines with LF between; nothing when none came.
void
_last_answer(struct handle *handle)
  PREINIT:
    const struct smtpc_submission *submission;
  PPCODE:
    if (handle->connection == NULL)
        XSRETURN_EMPTY;
    submission = smtpc_session_submission(session_of(handle));
    if (submission->words == NULL)
        XSRETURN_EMPTY;
    mXPUSHi(submission->code);
    mXPUSHp(submission->words, submission->words_length);
