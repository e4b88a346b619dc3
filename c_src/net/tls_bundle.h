/* tls_bundle: many authorities in one PEM file; inside the tls files only. */
#ifndef SMTPC_NET_TLS_BUNDLE_H
#define SMTPC_NET_TLS_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "net/tls_inside.h"

/* A certificate: where its DER lies among the bundle's octets, and the mark of its subject. */
struct smtpc_tls_bundled {
    size_t start;
    size_t length;
    uint32_t mark;
};

/* Never changed once it is read: threads and forked processes share it as it is. */
struct smtpc_tls_bundle {
    unsigned char *octets;
    size_t length;
    struct smtpc_tls_bundled *certificates;
    size_t count;
    size_t room;
};

/* tls_pem.c: fills a bundle of zeros. 0, or -1 when the file cannot be read, memory is out, or there is anything in
 * it that is not certain to be read by OpenSSL in the same way; what the bundle holds then is of no use. */
int smtpc_tls_bundle_read(struct smtpc_tls_bundle *bundle, const char *path);

/* tls_bundle.c: notes the certificate that lies between start and the end of the octets. 0, or -1 when it is none. */
int smtpc_tls_bundle_note(struct smtpc_tls_bundle *bundle, size_t start);

/* tls_der.c */

/* A mark that any two names have in common that X509_NAME_cmp takes for the same, in whatever case, blanks and types
 * of string they are written; others mostly differ. 0: it may be the same as any. name: the DER of a whole Name. */
uint32_t smtpc_tls_name_mark(const unsigned char *name, size_t length);

/* The DER of a certificate's subject; NULL when the octets are not one certificate, sound to its innermost length. */
const unsigned char *smtpc_tls_subject_of(const unsigned char *octets, size_t n, size_t *length);

#endif
