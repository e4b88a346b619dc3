/* secret: wiping and comparing octets that nobody else may learn. */
#include "base/secret.h"

#include <string.h>

/* Called through a volatile pointer, so that no compiler can know it is memset and leave the call out. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;

void
smtpc_secret_wipe(void *p, size_t n)
{
    if (n > 0)
        overwrite(p, 0, n);
}

int
smtpc_secret_equal(const void *a, const void *b, size_t n)
{
    const volatile unsigned char *left = a;
    const volatile unsigned char *right = b;
    unsigned char difference = 0;

    while (n-- > 0)
        difference = (unsigned char)(difference | (*left++ ^ *right++));
    return difference == 0;
}
