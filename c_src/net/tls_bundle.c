/* tls_bundle: the authorities of one large file, of which OpenSSL gets those that a chain asks for, and no others. */
#include "net/tls_bundle.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

/* So many are read at once and whole: that costs little, and tells damage when the file is named. */
enum { FEW = 8 };

static void
clear(struct smtpc_tls_bundle *bundle)
{
    free(bundle->octets);
    free(bundle->certificates);
    free(bundle);
}

int
smtpc_tls_bundle_note(struct smtpc_tls_bundle *bundle, size_t start)
{
    const unsigned char *subject;
    struct smtpc_tls_bundled *entry;
    size_t length = 0;

    subject = smtpc_tls_subject_of(bundle->octets + start, bundle->length - start, &length);
    if (subject == NULL)
        return -1;
    if (bundle->count == bundle->room) {
        size_t room = 2 * bundle->room + 64;
        struct smtpc_tls_bundled *larger = realloc(bundle->certificates, room * sizeof *larger);

        if (larger == NULL)
            return -1;
        bundle->certificates = larger;
        bundle->room = room;
    }
    entry = &bundle->certificates[bundle->count++];
    entry->start = start;
    entry->length = bundle->length - start;
    entry->mark = smtpc_tls_name_mark(subject, length);
    return 0;
}

#if defined LIBRESSL_VERSION_NUMBER || OPENSSL_VERSION_NUMBER < 0x10101000L

int
smtpc_tls_bundle_use(struct smtpc_tls_context *context, const char *path)
{
    (void)context;
    (void)path;
    return 0;
}

void
smtpc_tls_bundle_clear(struct smtpc_tls_context *context)
{
    (void)context;
}

#else

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define NAME const X509_NAME
#else
#define NAME X509_NAME
#endif

/* ---- what OpenSSL asks ---- */

static void
add(const struct smtpc_tls_bundle *bundle, const struct smtpc_tls_bundled *entry, X509_STORE *store)
{
    const unsigned char *octets = bundle->octets + entry->start;
    X509 *certificate = d2i_X509(NULL, &octets, (long)entry->length);

    if (certificate != NULL)
        X509_STORE_add_cert(store, certificate);    /* one that is there already is no failure */
    X509_free(certificate);
}

/* All that may bear the name. They are one: those that are not are in the store from the beginning. */
static void
add_all_of(const struct smtpc_tls_bundle *bundle, NAME *name, X509_STORE *store)
{
    const unsigned char *octets = NULL;
    size_t length = 0;
    uint32_t mark = 0;
    size_t i;

    ERR_set_mark();
    if (X509_NAME_get0_der(name, &octets, &length) == 1)
        mark = smtpc_tls_name_mark(octets, length);
    for (i = 0; i < bundle->count; i++)
        if (mark == 0 || bundle->certificates[i].mark == mark)
            add(bundle, &bundle->certificates[i], store);
    ERR_pop_to_mark();
}

/* Lends what the store owns now: the caller of a lookup counts a reference of its own. */
static int
lend(X509_STORE *store, NAME *name, X509_OBJECT *found)
{
    const X509_OBJECT *object;
    X509 *certificate = NULL;
    int good;

    X509_STORE_lock(store);
    object = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name);
    if (object != NULL)
        certificate = X509_OBJECT_get0_X509(object);
    good = certificate != NULL && X509_OBJECT_set1_X509(found, certificate) == 1;
    X509_STORE_unlock(store);
    if (good)
        X509_free(certificate);
    return good;
}

static int
by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, NAME *name, X509_OBJECT *found)
{
    const struct smtpc_tls_bundle *bundle = X509_LOOKUP_get_method_data(lookup);
    X509_STORE *store = X509_LOOKUP_get_store(lookup);

    if (type != X509_LU_X509 || bundle == NULL)
        return 0;
    add_all_of(bundle, name, store);
    return lend(store, name, found);
}

static void
free_data(X509_LOOKUP *lookup)
{
    struct smtpc_tls_bundle *bundle = X509_LOOKUP_get_method_data(lookup);

    if (bundle != NULL)
        clear(bundle);
}

/* ---- */

static int
by_mark(const void *a, const void *b)
{
    const struct smtpc_tls_bundled *one = a;
    const struct smtpc_tls_bundled *other = b;

    if (one->mark != other->mark)
        return one->mark < other->mark ? -1 : 1;
    return one->start < other->start ? -1 : 1;
}

/* Who finds one certificate of a name in the store asks no further, so no thread may see one of several before the
 * others are there: what shares its mark, or has none, is added at once. */
static void
add_namesakes(struct smtpc_tls_bundle *bundle, X509_STORE *store)
{
    const struct smtpc_tls_bundled *entries = bundle->certificates;
    size_t i;

    qsort(bundle->certificates, bundle->count, sizeof *bundle->certificates, by_mark);
    for (i = 0; i < bundle->count; i++)
        if (entries[i].mark == 0 || (i > 0 && entries[i - 1].mark == entries[i].mark)
            || (i + 1 < bundle->count && entries[i + 1].mark == entries[i].mark))
            add(bundle, &entries[i], store);
    ERR_clear_error();
}

/* One for each context: a shared one would be a static of the process. */
static X509_LOOKUP_METHOD *
new_method(void)
{
    X509_LOOKUP_METHOD *method = X509_LOOKUP_meth_new("smtpc bundle");

    if (method != NULL && X509_LOOKUP_meth_set_get_by_subject(method, by_subject) == 1
        && X509_LOOKUP_meth_set_free(method, free_data) == 1)
        return method;
    X509_LOOKUP_meth_free(method);
    return NULL;
}

static int
attach(struct smtpc_tls_context *context, struct smtpc_tls_bundle *bundle)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl_ctx);
    X509_LOOKUP *lookup;

    context->bundle_method = new_method();
    if (context->bundle_method == NULL)
        return 0;
    lookup = X509_STORE_add_lookup(store, context->bundle_method);
    if (lookup == NULL || X509_LOOKUP_set_method_data(lookup, bundle) != 1)
        return 0;
    add_namesakes(bundle, store);
    return 1;
}

int
smtpc_tls_bundle_use(struct smtpc_tls_context *context, const char *path)
{
    struct smtpc_tls_bundle *bundle = context->bundle_method == NULL ? calloc(1, sizeof *bundle) : NULL;

    if (bundle == NULL)
        return 0;
    if (smtpc_tls_bundle_read(bundle, path) == 0 && bundle->count > FEW && attach(context, bundle))
        return 1;
    clear(bundle);
    return 0;
}

void
smtpc_tls_bundle_clear(struct smtpc_tls_context *context)
{
    X509_LOOKUP_meth_free(context->bundle_method);
}

#endif
