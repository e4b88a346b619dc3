/* clock: monotonic milliseconds, and deadlines on them. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

int64_t
smtpc_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
smtpc_clock_after(int64_t milliseconds)
{
    int64_t now = smtpc_clock_now();

    return milliseconds <= 0 || milliseconds > SMTPC_NEVER - now - 1 ? SMTPC_NEVER : now + milliseconds;
}

int64_t
smtpc_clock_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int
smtpc_clock_left(int64_t deadline)
{
    int64_t left;

    if (deadline == SMTPC_NEVER)
        return -1;
    left = deadline - smtpc_clock_now();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int
smtpc_clock_is_past(int64_t deadline)
{
    return deadline != SMTPC_NEVER && smtpc_clock_now() >= deadline;
}
