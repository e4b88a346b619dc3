/* tap: the few words that a test of the core needs to speak TAP. */
#ifndef T_CORE_TAP_H
#define T_CORE_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_run;
static int tap_failed;

/* One test: true or not, with its name in printf form. */
#define ok(condition, ...) tap_ok((condition) != 0, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static inline int
tap_ok(int good, const char *file, int line, const char *format, ...)
{
    va_list arguments;

    printf("%sok %d - ", good ? "" : "not ", ++tap_run);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    if (!good) {
        tap_failed++;
        printf("# at %s line %d\n", file, line);
    }
    return good;
}

/* The octets got are those expected; shows both, escaped, when not. */
static inline int
is_octets(const char *got, size_t got_length, const char *expected, size_t expected_length, const char *name)
{
    int good = got_length == expected_length && (got_length == 0 || memcmp(got, expected, got_length) == 0);
    size_t i;

    tap_ok(good, "is_octets", 0, "%s", name);
    if (good)
        return 1;
    printf("# got      ");
    for (i = 0; i < got_length; i++)
        printf(got[i] >= 32 && got[i] < 127 ? "%c" : "\\x%02x", (unsigned char)got[i]);
    printf("\n# expected ");
    for (i = 0; i < expected_length; i++)
        printf(expected[i] >= 32 && expected[i] < 127 ? "%c" : "\\x%02x", (unsigned char)expected[i]);
    printf("\n");
    return 0;
}

static inline int
is_string(const char *got, const char *expected, const char *name)
{
    return is_octets(got, strlen(got), expected, strlen(expected), name);
}

/* The end of main: prints the plan, gives the exit status. A run without a test is a failure. */
static inline int
tap_done(void)
{
    printf("1..%d\n", tap_run);
    return tap_failed > 0 || tap_run == 0;
}

#endif
