/* tls_der: as much of DER (X.690) as it takes to find the subject of a certificate and to compare names roughly. */
#include "net/tls_bundle.h"

enum { DEPTH_MAX = 32, LENGTH_OCTETS_MAX = 4 };

enum tag {
    TAG_OID = 0x06, TAG_UNIVERSAL_STRING = 0x1c, TAG_BMP_STRING = 0x1e, TAG_HIGH = 0x1f, TAG_CONSTRUCTED = 0x20,
    TAG_SEQUENCE = 0x30, TAG_SET = 0x31, TAG_VERSION = 0xa0
};

struct octets {
    const unsigned char *p;
    size_t n;
};

struct element {
    unsigned tag;
    struct octets content;
};

static int
take_octet(struct octets *from)
{
    if (from->n == 0)
        return -1;
    from->n--;
    return *from->p++;
}

/* 0, or -1: missing, indefinite, or more than there is. */
static int
take_length(struct octets *from, size_t *length)
{
    int first = take_octet(from);
    int i;

    if (first < 0 || first == 0x80 || first > 0x80 + LENGTH_OCTETS_MAX)
        return -1;
    *length = first < 0x80 ? (size_t)first : 0;
    for (i = 0x80; i < first; i++) {
        int octet = take_octet(from);

        if (octet < 0)
            return -1;
        *length = *length << 8 | (size_t)octet;
    }
    return *length <= from->n ? 0 : -1;
}

/* 0, or -1 when there is none. */
static int
take(struct octets *from, struct element *element)
{
    int tag = take_octet(from);

    if (tag < 0 || (tag & TAG_HIGH) == TAG_HIGH || take_length(from, &element->content.n) != 0)
        return -1;
    element->tag = (unsigned)tag;
    element->content.p = from->p;
    from->p += element->content.n;
    from->n -= element->content.n;
    return 0;
}

static int
take_tagged(struct octets *from, unsigned tag, struct octets *content)
{
    struct element element;

    if (take(from, &element) != 0 || element.tag != tag)
        return -1;
    *content = element.content;
    return 0;
}

/* 1 when every element within fits into the one around it. */
static int
is_sound(struct octets octets, int depth)
{
    struct element element;

    while (octets.n > 0)
        if (take(&octets, &element) != 0
            || ((element.tag & TAG_CONSTRUCTED) && (depth == 0 || !is_sound(element.content, depth - 1))))
            return 0;
    return 1;
}

/* RFC 5280 section 4.1: version (if it is not 1), serialNumber, signature, issuer, validity, subject ... */
const unsigned char *
smtpc_tls_subject_of(const unsigned char *octets, size_t n, size_t *length)
{
    struct octets rest = {octets, n};
    struct octets part, subject;
    struct element element;
    const unsigned char *start;
    int i;

    if (!is_sound(rest, DEPTH_MAX) || take_tagged(&rest, TAG_SEQUENCE, &part) != 0 || rest.n > 0
        || take_tagged(&part, TAG_SEQUENCE, &part) != 0)
        return NULL;
    if (part.n > 0 && part.p[0] == TAG_VERSION && take(&part, &element) != 0)
        return NULL;
    for (i = 0; i < 4; i++)
        if (take(&part, &element) != 0)
            return NULL;
    start = part.p;
    if (take_tagged(&part, TAG_SEQUENCE, &subject) != 0)
        return NULL;
    *length = (size_t)(part.p - start);
    return start;
}

/* ---- names ---- */

/* FNV-1a */
static uint32_t
mix(uint32_t hash, unsigned char octet)
{
    return (hash ^ octet) * 16777619u;
}

static uint32_t
mix_letters(uint32_t hash, struct octets text)
{
    size_t i;

    for (i = 0; i < text.n; i++) {
        unsigned char c = text.p[i];

        if (c >= 'A' && c <= 'Z')
            hash = mix(hash, (unsigned char)(c - 'A' + 'a'));
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            hash = mix(hash, c);
    }
    return hash;
}

/* 0 when it cannot be told: strings of two and four octets a character hold others by chance, and one in pieces holds
 * their heads. */
static int
mark_attribute(struct octets attribute, uint32_t *mark)
{
    struct octets type;
    struct element value;
    uint32_t hash = 2166136261u;
    size_t i;

    if (take_tagged(&attribute, TAG_OID, &type) != 0 || take(&attribute, &value) != 0
        || value.tag == TAG_BMP_STRING || value.tag == TAG_UNIVERSAL_STRING || (value.tag & TAG_CONSTRUCTED))
        return 0;
    for (i = 0; i < type.n; i++)
        hash = mix(hash, type.p[i]);
    *mark += mix_letters(hash, value.content);    /* a sum: sets have no order */
    return 1;
}

static int
mark_set(struct octets set, uint32_t *mark)
{
    struct octets attribute;

    while (set.n > 0)
        if (take_tagged(&set, TAG_SEQUENCE, &attribute) != 0 || !mark_attribute(attribute, mark))
            return 0;
    return 1;
}

/* Letters and digits in ASCII are what remains of a string whatever X509_NAME_cmp passes over. */
uint32_t
smtpc_tls_name_mark(const unsigned char *name, size_t length)
{
    struct octets rest = {name, length};
    struct octets names, set;
    uint32_t mark = 0;

    if (take_tagged(&rest, TAG_SEQUENCE, &names) != 0)
        return 0;
    while (names.n > 0)
        if (take_tagged(&names, TAG_SET, &set) != 0 || !mark_set(set, &mark))
            return 0;
    return mark != 0 ? mark : 1;
}
