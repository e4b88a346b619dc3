/* own_name: what this host calls itself towards a server, for EHLO (RFC 5321 section 4.1.4). */
#ifndef SMTPC_NET_OWN_NAME_H
#define SMTPC_NET_OWN_NAME_H

enum { SMTPC_OWN_NAME_MAX = 256 };

/* Writes, with a NUL, the host's name when it has a dot and is no *.localdomain; else the address literal of the
 * socket's own end, "[192.0.2.1]" or "[IPv6:2001:db8::1]"; else "[127.0.0.1]". */
void smtpc_own_name(int fd, char name[SMTPC_OWN_NAME_MAX]);

#endif
