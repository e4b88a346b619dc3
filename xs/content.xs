# content: what a message's octets tell, and attachments in base64.

MODULE = Net::SMTP::AuthC    PACKAGE = Net::SMTP::AuthC

# One reading of a whole message: size, as SIZE= says it (RFC 1870), and so on, name, value, name ...; message_id only
# where the header has one.
void
_scan(SV *message)
  PREINIT:
    struct smtpc_content_facts facts;
    const char *octets;
    STRLEN length;
  PPCODE:
    if (!SvPOK(message) || SvUTF8(message) || SvGMAGICAL(message))    /* else it need not be copied */
        message = byte_string(aTHX_ message, "message");
    octets = SvPV(message, length);
    smtpc_content_scan(octets, length, &facts);
    EXTEND(SP, 14);
    mPUSHs(newSVpvs("size"));
    mPUSHn((NV)facts.size);
    mPUSHs(newSVpvs("longest_line"));
    mPUSHu(facts.longest_line);
    mPUSHs(newSVpvs("bare_cr"));
    mPUSHu(facts.bare_cr);
    mPUSHs(newSVpvs("bare_lf"));
    mPUSHu(facts.bare_lf);
    mPUSHs(newSVpvs("eight_bit"));
    mPUSHi(facts.eight_bit);
    mPUSHs(newSVpvs("nul"));
    mPUSHi(facts.nul);
    if (facts.message_id != NULL) {
        mPUSHs(newSVpvs("message_id"));
        mPUSHp(facts.message_id, facts.message_id_length);
    }

# The next piece of an attachment in lines of base64; undef ends it. held: '' at the start, kept by the caller.
SV *
_base64_lines(SV *held, SV *piece)
  PREINIT:
    struct smtpc_base64_lines lines = {{0}, 0};
    char last[78];
    const char *octets;
    STRLEN length;
    size_t room;
  CODE:
    piece = plain_string(aTHX_ piece);
    if (SvOK(piece))
        piece = byte_string(aTHX_ piece, "piece");
    octets = text_of(aTHX_ held, &length);
    if (length > SMTPC_BASE64_HELD_MAX)
        croak("held: only what an earlier call has left there");
    memcpy(lines.held, octets, length);
    lines.count = length;
    if (SvOK(piece)) {
        octets = SvPV(piece, length);
        room = smtpc_base64_lines_room(&lines, length);
        RETVAL = newSV(room + 1);
        SvPOK_only(RETVAL);
        smtpc_base64_lines_put(&lines, octets, length, SvPVX(RETVAL));
        SvPVX(RETVAL)[room] = '\0';
        SvCUR_set(RETVAL, room);
    } else {
        RETVAL = newSVpvn(last, smtpc_base64_lines_end(&lines, last));
    }
    sv_2mortal(RETVAL);    /* held may be read-only */
    sv_setpvn_mg(held, lines.held, lines.count);
    SvREFCNT_inc_simple_void_NN(RETVAL);
  OUTPUT:
    RETVAL

# What that many octets come to in lines.
NV
_base64_lines_size(NV octets)
  CODE:
    if (!(octets >= 0 && octets < 1e15))
        croak("octets: a number of them");
    RETVAL = (NV)smtpc_base64_lines_size((int64_t)octets);
  OUTPUT:
    RETVAL
