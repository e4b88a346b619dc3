# login: AUTH, by a mechanism of ours or by one that the program speaks itself.

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

# credential: 'password', 'token' or 'none'. secret: what sasl_text_of takes, or a code ref that returns that and is asked
# when it is needed. Options as in login_options. After _set_early(1), a login that need not be waited for is said together
# with the _submit that must follow.
bool
_auth(struct handle *handle, SV *credential, SV *secret, ...)
  PREINIT:
    struct smtpc_sasl_login login = {0};
    const char *kind;
    I32 i;
    struct smtpc_session *session;
    int begun;
  CODE:
    kind = word_of(aTHX_ credential, "credential");
    login.credential = strEQ(kind, "token") ? SMTPC_SASL_TOKEN
                     : strEQ(kind, "none") ? SMTPC_SASL_NO_SECRET : SMTPC_SASL_PASSWORD;
    secret = sv_mortalcopy(secret);
    for (i = 3; i + 1 < items; i += 2)
        set_option(aTHX_ login_options, word_of(aTHX_ ST(i), "option"), sv_mortalcopy(ST(i + 1)), &login);
    ENTER;
    session = begin_operation(aTHX_ handle);
    begun = smtpc_session_auth(session, &login);
    if (begun == 0 && login.credential != SMTPC_SASL_NO_SECRET)
        begun = give_secret(aTHX_ handle, secret);
    if (begun == 0 && smtpc_session_may_go_on(session)) {
        handle->in_call = 0;
        RETVAL = 1;
    } else
        RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL

# A mechanism of the program's own: initial may be undef; code gets each challenge and returns a response, or undef.
bool
_auth_by_caller(struct handle *handle, SV *mechanism, SV *initial, SV *code)
  PREINIT:
    const char *name;
    const char *octets = NULL;
    STRLEN length = 0;
    int begun;
  CODE:
    name = word_of(aTHX_ mechanism, "mechanism");
    initial = plain_string(aTHX_ initial);
    code = sv_mortalcopy(code);
    if (SvOK(initial)) {
        initial = byte_string(aTHX_ initial, "initial response");
        octets = SvPV(initial, length);
    }
    ENTER;
    begun = smtpc_session_auth_by_caller(begin_operation(aTHX_ handle), name, octets, length);
    if (begun == 0)
        answer_challenges(aTHX_ handle, code);
    RETVAL = finish_operation(aTHX_ handle, begun);
    LEAVE;
  OUTPUT:
    RETVAL
