/* base64_kernel: the inner loops of base64, once portable and once for each sort of processor that has vectors. */
#ifndef SMTPC_CODEC_BASE64_KERNEL_H
#define SMTPC_CODEC_BASE64_KERNEL_H

#include <stddef.h>

enum {
    SMTPC_BASE64_LINE_OCTETS = 57,        /* become 76 characters */
    SMTPC_BASE64_LINE_CHARACTERS = 76
};

/* All kernels give the same octets. They do what fills their blocks and leave the rest to the caller: nothing outside
 * the n octets is read, and nothing behind what those n will come to is written. Time and addresses do not depend on
 * the octets, but for decode, which stops at a foreign character. */
struct smtpc_base64_kernel {
    const char *name;
    int (*runs_here)(void);

    /* Encodes blocks of n octets to `to`; returns how many octets that was, a multiple of 3. */
    size_t (*encode)(const char *from, size_t n, char *to);

    /* The same in lines with CRLF behind each; returns a multiple of SMTPC_BASE64_LINE_OCTETS. */
    size_t (*encode_lines)(const char *from, size_t n, char *to);

    /* Decodes blocks of n characters without padding; returns how many characters, a multiple of 4, that was. Stops
     * at or before the first that is foreign. */
    size_t (*decode)(const char *from, size_t n, char *to);
};

/* Those that run on this processor, the best first and the portable one last; NULL when i is their number. */
const struct smtpc_base64_kernel *smtpc_base64_kernel(size_t i);

extern const struct smtpc_base64_kernel smtpc_base64_portable;

#if (defined __x86_64__ || defined __i386__) && defined __GNUC__ && !defined SMTPC_PORTABLE
#define SMTPC_BASE64_X86 1
extern const struct smtpc_base64_kernel smtpc_base64_avx2, smtpc_base64_ssse3;
#elif defined __aarch64__ && defined __ARM_NEON && !defined __AARCH64EB__ && !defined SMTPC_PORTABLE
#define SMTPC_BASE64_NEON 1
extern const struct smtpc_base64_kernel smtpc_base64_neon;
#endif

#endif
