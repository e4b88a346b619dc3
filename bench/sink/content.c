/* content: what a message consists of: dots undone, octets counted, and a digest where one is expected. */
#include "sink.h"

#include <string.h>

static const char END[] = "\r\n.\r\n";

enum { AT_LINE = 2, BEHIND_DOT = 3 };

static void
take(struct dialogue *dialogue, const char *bytes, size_t n)
{
    dialogue->counts->octets += (int64_t)n;
    if (settings.digest[0] == '\0' || n == 0)
        return;
    if (dialogue->digest == NULL) {
        dialogue->digest = EVP_MD_CTX_new();
        if (dialogue->digest == NULL || EVP_DigestInit_ex(dialogue->digest, EVP_sha256(), NULL) != 1)
            die("SHA-256");
    }
    EVP_DigestUpdate(dialogue->digest, bytes, n);
}

/* matched grows along END; a dot at the head of a line is never taken, and a CR behind it only when no LF comes. */
size_t
content_of_data(struct dialogue *dialogue, const char *bytes, size_t n, int *is_end)
{
    size_t i = 0;
    size_t from = 0;    /* up to i nothing was taken from here on */

    while (i < n && dialogue->matched < 5) {
        if (dialogue->matched == 0) {
            const char *cr = memchr(bytes + i, '\r', n - i);

            i = cr == NULL ? n : (size_t)(cr - bytes);
            if (i == n)
                break;
        }
        if (bytes[i] == END[dialogue->matched]) {
            if (++dialogue->matched == BEHIND_DOT) {
                take(dialogue, bytes + from, i - from);
                from = i + 1;
            } else if (dialogue->matched > BEHIND_DOT)
                from = i + 1;
            i++;
        } else {
            if (dialogue->matched > BEHIND_DOT)
                take(dialogue, "\r", 1);
            dialogue->matched = bytes[i] == '\r' ? 1 : 0;
            i++;
        }
    }
    take(dialogue, bytes + from, i - from);
    *is_end = dialogue->matched == 5;
    return i;
}

size_t
content_of_chunk(struct dialogue *dialogue, const char *bytes, size_t n, int *is_end)
{
    size_t taken = (int64_t)n < dialogue->chunk ? n : (size_t)dialogue->chunk;

    take(dialogue, bytes, taken);
    dialogue->chunk -= (int64_t)taken;
    *is_end = dialogue->chunk == 0;
    return taken;
}

void
content_end(struct dialogue *dialogue)
{
    static const char HEX[] = "0123456789abcdef";
    unsigned char octets[EVP_MAX_MD_SIZE] = {0};
    char hex[65];
    int i;

    if (settings.digest[0] == '\0')
        return;
    if (dialogue->digest != NULL)
        EVP_DigestFinal_ex(dialogue->digest, octets, NULL);
    EVP_MD_CTX_free(dialogue->digest);
    dialogue->digest = NULL;
    for (i = 0; i < 32; i++) {
        hex[2 * i] = HEX[octets[i] >> 4];
        hex[2 * i + 1] = HEX[octets[i] & 15];
    }
    hex[64] = '\0';
    dialogue->counts->wrong += strcmp(hex, settings.digest) != 0;
}
