/* clock: monotonic milliseconds, and deadlines on them. */
#ifndef SMTPC_BASE_CLOCK_H
#define SMTPC_BASE_CLOCK_H

#include <stdint.h>

/* A deadline is a point of smtpc_clock_now() in milliseconds, or SMTPC_NEVER. */
#define SMTPC_NEVER INT64_MAX

/* Milliseconds since some fixed point; never goes back. */
int64_t smtpc_clock_now(void);

/* The deadline `milliseconds` from now; SMTPC_NEVER when milliseconds is 0 or would overflow. */
int64_t smtpc_clock_after(int64_t milliseconds);

int64_t smtpc_clock_earlier(int64_t a, int64_t b);

/* What is left until the deadline, as poll(2) wants it: 0 when it has passed, -1 for SMTPC_NEVER, rounded so
 * that a wait of this length ends at or after the deadline. */
int smtpc_clock_left(int64_t deadline);

int smtpc_clock_is_past(int64_t deadline);

#endif
