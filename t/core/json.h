/* json: writes the little JSON that the tables' expected columns hold, to be compared as text. */
#ifndef T_CORE_JSON_H
#define T_CORE_JSON_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct json {
    char text[65536];
    size_t length;
};

__attribute__((format(printf, 2, 3))) static inline void
json_print(struct json *json, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    json->length += (size_t)vsnprintf(json->text + json->length, sizeof json->text - json->length, format, arguments);
    va_end(arguments);
}

/* A string in quotes. CR and LF are \r and \n when raw, else they are shown as the tables show odd octets: \\xNN. */
static inline void
json_string(struct json *json, const char *octets, size_t n, int raw)
{
    size_t i;

    json_print(json, "\"");
    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)octets[i];

        if (raw && (c == '\r' || c == '\n'))
            json_print(json, c == '\r' ? "\\r" : "\\n");
        else if (c < 32 || c > 126)
            json_print(json, "\\\\x%02x", c);
        else
            json_print(json, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    json_print(json, "\"");
}

#endif
