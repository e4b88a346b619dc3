/* secret: wiping and comparing octets that nobody else may learn. */
#ifndef SMTPC_BASE_SECRET_H
#define SMTPC_BASE_SECRET_H

#include <stddef.h>

/* Overwrites n octets in a way that the compiler may not leave out. NULL is allowed when n is 0. */
void smtpc_secret_wipe(void *p, size_t n);

/* 1 when both have the same n octets; the time taken does not depend on where they differ. */
int smtpc_secret_equal(const void *a, const void *b, size_t n);

#endif
