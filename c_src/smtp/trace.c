/* trace: what was said and heard, a line an entry, with secrets already masked where they were said. */
#include "smtp/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How an entry lies in the buffer, followed by its text. */
struct header {
    size_t length;
    char speaker;
    char secret;
};

void
smtpc_trace_init(struct smtpc_trace *trace)
{
    memset(trace, 0, sizeof *trace);
    smtpc_buffer_init(&trace->entries, SMTPC_TRACE_CAP);
}

void
smtpc_trace_clear(struct smtpc_trace *trace)
{
    smtpc_buffer_clear(&trace->entries);
    trace->taken = 0;
}

void
smtpc_trace_add(struct smtpc_trace *trace, enum smtpc_trace_speaker speaker, int secret, const char *text,
                size_t length)
{
    struct header header = {length, (char)speaker, (char)secret};

    if (!trace->wanted || smtpc_buffer_reserve(&trace->entries, sizeof header + length) == NULL)
        return;
    smtpc_buffer_append(&trace->entries, (const char *)&header, sizeof header);
    smtpc_buffer_append(&trace->entries, text, length);
}

void
smtpc_trace_note(struct smtpc_trace *trace, const char *format, ...)
{
    char text[256];
    va_list arguments;

    if (!trace->wanted)
        return;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    smtpc_trace_add(trace, SMTPC_TRACE_NOTE, 0, text, strlen(text));
}

int
smtpc_trace_take(struct smtpc_trace *trace, struct smtpc_trace_entry *entry)
{
    struct header header;

    if (trace->taken == trace->entries.length) {
        smtpc_buffer_truncate(&trace->entries, 0);
        trace->taken = 0;
        return 0;
    }
    memcpy(&header, trace->entries.bytes + trace->taken, sizeof header);
    trace->taken += sizeof header;
    entry->speaker = (enum smtpc_trace_speaker)header.speaker;
    entry->secret = header.secret;
    entry->text = trace->entries.bytes + trace->taken;
    entry->length = header.length;
    trace->taken += header.length;
    return 1;
}
