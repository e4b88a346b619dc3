/* lost_crlf: finds "250 KEYWORD" inside a line of an EHLO reply, where a line end was lost. */
#include "codec/lost_crlf.h"

#include <string.h>

#include "codec/words.h"

enum { CODE = 4 };   /* "250 " */

/* Only these are believed: in "SIZE 250" and "X-FOO 250 bar" nothing was lost. */
static int
is_registered(const char *text, size_t n)
{
    static const char names[] = "8BITMIME ATRN AUTH BINARYMIME BURL CHECKPOINT CHUNKING CONNEG CONPERM DELIVERBY DSN "
        "ENHANCEDSTATUSCODES ETRN EXPN FUTURERELEASE HELP LIMITS MT-PRIORITY MTRK NO-SOLICITING PIPECONNECT "
        "PIPELINING PRDR REQUIRETLS RRVS SIZE SMTPUTF8 STARTTLS TIME VERB VRFY XCLIENT XFORWARD XVERP";
    size_t length = smtpc_words_keyword_length(text, n);

    if (length < n && !smtpc_words_is_blank(text[length]) && text[length] != '=')
        return 0;
    return length > 0 && smtpc_words_has(names, sizeof names - 1, text, length);
}

static int
is_code(const char *text)
{
    return memcmp(text, "250", 3) == 0 && (text[3] == '-' || smtpc_words_is_blank(text[3]));
}

size_t
smtpc_lost_crlf_find(const char *line, size_t n, size_t *next)
{
    size_t i;

    for (i = 0; i + CODE < n; i++) {
        *next = i + 1 + CODE;
        if (smtpc_words_is_blank(line[i]) && is_code(line + i + 1) && is_registered(line + *next, n - *next))
            return i;
    }
    return n;
}
