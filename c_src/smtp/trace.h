/* trace: what was said and heard, a line an entry, with secrets already masked where they were said. */
#ifndef SMTPC_SMTP_TRACE_H
#define SMTPC_SMTP_TRACE_H

#include <stddef.h>

#include "base/buffer.h"

/* Entries past this many octets that nobody has taken are dropped, the newest first. */
enum { SMTPC_TRACE_CAP = 1048576 };

enum smtpc_trace_speaker { SMTPC_TRACE_CLIENT = 'C', SMTPC_TRACE_SERVER = 'S', SMTPC_TRACE_NOTE = '*' };

/* Embedded; records only while wanted. */
struct smtpc_trace {
    struct smtpc_buffer entries;
    size_t taken;               /* octets of entries that were handed out */
    int wanted;
};

struct smtpc_trace_entry {
    enum smtpc_trace_speaker speaker;
    int secret;                 /* 1: something was masked in the text */
    const char *text;           /* without line end; lent until the next call on the trace */
    size_t length;
};

void smtpc_trace_init(struct smtpc_trace *trace);
void smtpc_trace_clear(struct smtpc_trace *trace);

/* Does nothing unless wanted. */
void smtpc_trace_add(struct smtpc_trace *trace, enum smtpc_trace_speaker speaker, int secret, const char *text,
                     size_t length);
void smtpc_trace_note(struct smtpc_trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The oldest entry that was not taken yet: 1, or 0 when there is none. */
int smtpc_trace_take(struct smtpc_trace *trace, struct smtpc_trace_entry *entry);

#endif
