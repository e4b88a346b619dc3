/* content_facts: what one reading of a message tells of it. */
#ifndef SMTPC_CODEC_CONTENT_FACTS_H
#define SMTPC_CODEC_CONTENT_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct smtpc_content_facts {
    int64_t size;              /* octets as SIZE= says them (RFC 1870): each line end is two, the last line has one */
    size_t longest_line;       /* octets, without its line end */
    size_t bare_cr, bare_lf;   /* line ends of one octet */
    int eight_bit;             /* 1: octets above 127 are there */
    int nul;
    const char *message_id;    /* "<...>" in the octets, from the header's first good Message-ID; NULL: none */
    size_t message_id_length;
};

/* The whole message. */
void smtpc_content_scan(const char *octets, size_t n, struct smtpc_content_facts *facts);

#endif
