/* test_base: error, secret, clock and buffer. */
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

static void
test_buffer_grows_to_its_cap(void)
{
    struct smtpc_buffer buffer;
    char octets[1000];

    memset(octets, 'x', sizeof octets);
    smtpc_buffer_init(&buffer, 2500);
    ok(smtpc_buffer_append(&buffer, octets, 1000) == 0 && smtpc_buffer_append(&buffer, octets, 1000) == 0,
       "appends below the cap");
    ok(smtpc_buffer_append(&buffer, octets, 501) == -1 && buffer.length == 2000, "one octet too many");
    ok(smtpc_buffer_append(&buffer, octets, SIZE_MAX) == -1 && buffer.length == 2000, "no size wraps around");
    ok(smtpc_buffer_append(&buffer, octets, 500) == 0 && buffer.length == 2500, "the cap itself can be reached");
    ok(smtpc_buffer_reserve(&buffer, 1) == NULL && smtpc_buffer_reserve(&buffer, 0) != NULL, "a full buffer");
    smtpc_buffer_clear(&buffer);
    ok(buffer.bytes == NULL && buffer.length == 0 && buffer.cap == 2500, "clear keeps the cap only");
    ok(smtpc_buffer_append(&buffer, NULL, 0) == 0 && buffer.length == 0, "nothing can be appended");
    smtpc_buffer_clear(&buffer);
    smtpc_buffer_clear(&buffer);
}

static void
test_buffer_edits(void)
{
    struct smtpc_buffer buffer;

    smtpc_buffer_init(&buffer, 100);
    ok(smtpc_buffer_equals(&buffer, "") && !smtpc_buffer_equals(&buffer, "x"), "empty");
    smtpc_buffer_append_string(&buffer, "250 ok");
    smtpc_buffer_append_octet(&buffer, 0xe9);
    is_octets(buffer.bytes, buffer.length, "250 ok\xe9", 7, "a string and an octet");
    smtpc_buffer_take(&buffer, 4);
    is_octets(buffer.bytes, buffer.length, "ok\xe9", 3, "take drops the front");
    ok(memcmp(buffer.bytes + 3, "\0\0\0\0", 4) == 0, "what was behind it is wiped");
    smtpc_buffer_truncate(&buffer, 2);
    ok(smtpc_buffer_equals(&buffer, "ok") && buffer.bytes[2] == '\0', "truncate wipes what it cuts off");
    smtpc_buffer_take(&buffer, 0);
    smtpc_buffer_take(&buffer, 2);
    ok(buffer.length == 0, "take can take all");
    smtpc_buffer_clear(&buffer);
}

static void
test_secret(void)
{
    char secret[] = "password";

    ok(smtpc_secret_equal("abc", "abc", 3) && smtpc_secret_equal(NULL, NULL, 0), "equal octets");
    ok(!smtpc_secret_equal("abc", "abd", 3) && !smtpc_secret_equal("\x80", "\0", 1), "different octets");
    smtpc_secret_wipe(secret, sizeof secret);
    smtpc_secret_wipe(NULL, 0);
    ok(memcmp(secret, "\0\0\0\0\0\0\0\0", 9) == 0, "wiped");
}

static void
test_clock(void)
{
    int64_t now = smtpc_clock_now();
    int64_t soon = smtpc_clock_after(60000);

    ok(smtpc_clock_now() >= now && soon >= now + 60000, "time goes on");
    ok(smtpc_clock_after(0) == SMTPC_NEVER && smtpc_clock_after(SMTPC_NEVER) == SMTPC_NEVER, "never");
    ok(smtpc_clock_after(SMTPC_NEVER - now) == SMTPC_NEVER, "no sum wraps around");
    ok(smtpc_clock_left(SMTPC_NEVER) == -1 && smtpc_clock_left(now - 1) == 0, "nothing to wait for, nothing left");
    ok(smtpc_clock_left(soon) > 50000 && smtpc_clock_left(soon) <= 60000, "a minute left");
    ok(smtpc_clock_left(SMTPC_NEVER - 1) == INT_MAX, "more than poll(2) can wait");
    ok(smtpc_clock_is_past(now) && !smtpc_clock_is_past(soon) && !smtpc_clock_is_past(SMTPC_NEVER), "past or not");
    ok(smtpc_clock_earlier(1, 2) == 1 && smtpc_clock_earlier(SMTPC_NEVER, 5) == 5, "the earlier of two");
}

static void
test_error_keeps_the_first(void)
{
    struct smtpc_error error;

    smtpc_error_clear(&error);
    ok(!smtpc_error_is_set(&error), "no error");
    ok(smtpc_error_set(&error, SMTPC_ERROR_TIMEOUT, "%s took %d s", "DATA", 5) == -1, "set returns -1");
    ok(smtpc_error_set(&error, SMTPC_ERROR_USAGE, "second") == -1 && error.kind == SMTPC_ERROR_TIMEOUT
       && error.temporary, "the first failure wins");
    ok(smtpc_error_set_system(&error, SMTPC_ERROR_SYSTEM, ENOMEM, "third") == -1 && error.system_errno == 0,
       "against a system error too");
    is_string(error.text, "DATA took 5 s", "its text");
    smtpc_error_clear(&error);
    smtpc_error_set_system(&error, SMTPC_ERROR_CONNECT, ECONNREFUSED, "%s", "mail.example.org");
    ok(error.system_errno == ECONNREFUSED && strncmp(error.text, "mail.example.org: ", 18) == 0, "a system error");
    smtpc_error_clear(&error);
    ok(smtpc_error_set_memory(&error) == -1 && error.kind == SMTPC_ERROR_SYSTEM, "out of memory");
}

static void
test_error_text_is_one_printable_line(void)
{
    struct smtpc_error error;
    char all[256], longer[2000];
    size_t i;

    smtpc_error_clear(&error);
    for (i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    smtpc_error_set(&error, SMTPC_ERROR_PROTOCOL, "%s", all);
    for (i = 0; i < 255; i++)
        if (error.text[i] != (all[i] >= 32 && all[i] < 127 ? all[i] : '?'))
            break;
    ok(i == 255 && error.text[255] == '\0', "every octet is printable or '?'");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    smtpc_error_clear(&error);
    smtpc_error_set_system(&error, SMTPC_ERROR_CONNECT, ECONNREFUSED, "%s", longer);
    ok(strlen(error.text) < SMTPC_ERROR_TEXT_MAX && strstr(error.text, "x: ") != NULL, "room for the reason is left");
}

static void
test_error_kinds(void)
{
    static const char *const names[] = {"", "usage", "connect", "tls", "protocol", "auth", "refused", "deferred",
                                        "timeout", "closed", "interrupted", "system"};
    int kind;

    for (kind = SMTPC_ERROR_NONE; kind <= SMTPC_ERROR_SYSTEM; kind++)
        is_string(smtpc_error_kind_name((enum smtpc_error_kind)kind), names[kind], "the name of a kind");
}

int
main(void)
{
    test_buffer_grows_to_its_cap();
    test_buffer_edits();
    test_secret();
    test_clock();
    test_error_keeps_the_first();
    test_error_text_is_one_printable_line();
    test_error_kinds();
    return tap_done();
}
