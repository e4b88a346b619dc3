/* dial_memory: which of a name's addresses answered last: a few names, for as long as the process lives. */
#ifndef SMTPC_NET_DIAL_MEMORY_H
#define SMTPC_NET_DIAL_MEMORY_H

#include <netdb.h>

/* The one of the list that is kept under name ("host:port"), or NULL. */
const struct addrinfo *smtpc_dial_memory_find(const char *name, const struct addrinfo *list);

/* Keeps the address in place of the one before; the name that was used longest ago makes room. */
void smtpc_dial_memory_keep(const char *name, const struct addrinfo *address);

/* Nothing is kept under name from here on, if it was this address. */
void smtpc_dial_memory_forget(const char *name, const struct addrinfo *address);

#endif
