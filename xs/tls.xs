# tls: what a client demands of TLS, and for the sandbox the server's side of it and certificates.

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC::TLS

# A client's demands by name, as in net/tls_context.h; dies with the reason.
SV *
new(SV *class, ...)
  PREINIT:
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context;
    I32 i;
  CODE:
    class = plain_string(aTHX_ class);
    for (i = 1; i + 1 < items; i += 2)
        set_option(aTHX_ tls_options, word_of(aTHX_ ST(i), "option"), sv_mortalcopy(ST(i + 1)), &options);
    context = smtpc_tls_context_client(&options, &error);
    if (context == NULL)
        croak_error(aTHX_ &error);
    RETVAL = new_object(aTHX_ class, newSV_type(SVt_PVMG), &context_magic, context);
  OUTPUT:
    RETVAL

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC::Sandbox::TLS

# What several connections may share, so that a client can resume the session of another.
SV *
context(SV *class, const char *chain_pem, const char *key_pem, SV *client_ca_pem)
  PREINIT:
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context;
  CODE:
    PERL_UNUSED_VAR(class);
    context = smtpc_tls_context_server(chain_pem, key_pem, string_of(aTHX_ client_ca_pem, "client_ca"), &error);
    if (context == NULL)
        croak_error(aTHX_ &error);
    RETVAL = new_object(aTHX_ newSVpvs_flags(SERVER_CONTEXT, SVs_TEMP), newSV_type(SVt_PVMG), &server_context_magic,
                        context);
  OUTPUT:
    RETVAL

# Over a descriptor, with a context, or with what one is made of.
SV *
new(SV *class, int fd, SV *chain_pem, const char *key_pem = NULL, SV *client_ca_pem = &PL_sv_undef)
  PREINIT:
    struct smtpc_error error = {0};
    struct server *server;
    SV *object;
  CODE:
    Newxz(server, 1, struct server);
    object = sv_2mortal(new_object(aTHX_ class, newSV_type(SVt_PVMG), &server_magic, server));
    server->socket.fd = fd;
    if (key_pem == NULL)
        server->context = smtpc_tls_context_keep(pointer_of(aTHX_ chain_pem, &server_context_magic, SERVER_CONTEXT));
    else
        server->context = smtpc_tls_context_server(SvPV_nolen(chain_pem), key_pem,
                                                   string_of(aTHX_ client_ca_pem, "client_ca"), &error);
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
    room = room < 1 ? 1 : room > 65536 ? 65536 : room;
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
    n = length == 0 ? 0 : smtpc_tls_send(server->tls, bytes, length, &error);
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

bool
resumed(struct server *server)
  PREINIT:
    struct smtpc_tls_facts facts;
  CODE:
    smtpc_tls_facts(server->tls, &facts);
    RETVAL = facts.resumed;
  OUTPUT:
    RETVAL

# The octets of this channel binding; undef where the connection has none.
SV *
binding(struct server *server, const char *name)
  PREINIT:
    struct smtpc_tls_binding found;
  CODE:
    if (smtpc_tls_binding(server->tls, name, &found) == 0)
        RETVAL = newSVpvn((const char *)found.octets, found.length);
    else
        RETVAL = newSV(0);
  OUTPUT:
    RETVAL

# common_name, names, valid_seconds, valid_from_seconds, key, extended_key_usage, is_ca, issuer => [certificate, key];
# the PEM texts of certificate and key.
void
make_certificate(...)
  PREINIT:
    struct smtpc_tls_certificate_request request = {0};
    struct smtpc_error error = {0};
    struct smtpc_buffer certificate;
    struct smtpc_buffer key;
    I32 i;
    int result;
  PPCODE:
    for (i = 0; i + 1 < items; i += 2) {
        const char *name = word_of(aTHX_ ST(i), "option");
        SV *value = sv_mortalcopy(ST(i + 1));

        if (strEQ(name, "common_name"))
            request.common_name = string_of(aTHX_ value, name);
        else if (strEQ(name, "names"))
            request.names = string_of(aTHX_ value, name);
        else if (strEQ(name, "valid_seconds"))
            request.valid_seconds = (long)SvIV(value);
        else if (strEQ(name, "valid_from_seconds"))
            request.valid_from_seconds = SvOK(value) ? (long)SvIV(value) : 0;
        else if (strEQ(name, "key"))
            request.key = string_of(aTHX_ value, name);
        else if (strEQ(name, "extended_key_usage"))
            request.extended_key_usage = string_of(aTHX_ value, name);
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
    if (result == 0) {
        EXTEND(SP, 2);
        mPUSHp(certificate.bytes, certificate.length);
        mPUSHp(key.bytes, key.length);
    }
    smtpc_buffer_clear(&certificate);
    smtpc_buffer_clear(&key);
    if (result != 0)
        croak_error(aTHX_ &error);
