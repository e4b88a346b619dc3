/* submission: the life of one message within a session. */
#include "smtp/submission.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_CAP = 2 * SMTPC_CHUNK_SIZE, WORDS_MAX = 4096 };

struct smtpc_submission *
smtpc_submission_new(void)
{
    struct smtpc_submission *submission = calloc(1, sizeof *submission);

    if (submission == NULL)
        return NULL;
    smtpc_envelope_init(&submission->envelope);
    smtpc_buffer_init(&submission->chunk, CHUNK_CAP);
    return submission;
}

static void
clear(struct smtpc_submission *submission)
{
    smtpc_envelope_clear(&submission->envelope);
    smtpc_buffer_clear(&submission->chunk);
    free(submission->words);
}

void
smtpc_submission_free(struct smtpc_submission *submission)
{
    if (submission == NULL)
        return;
    clear(submission);
    free(submission);
}

void
smtpc_submission_reset(struct smtpc_submission *submission)
{
    struct smtpc_submission *next = submission->next;

    clear(submission);
    memset(submission, 0, sizeof *submission);
    submission->next = next;
    smtpc_envelope_init(&submission->envelope);
    smtpc_buffer_init(&submission->chunk, CHUNK_CAP);
}

size_t
smtpc_submission_accepted(const struct smtpc_submission *submission)
{
    return smtpc_envelope_count(&submission->envelope, SMTPC_OUTCOME_ACCEPTED);
}

/* Without memory for them the words are lost, not the outcome. */
void
smtpc_submission_keep_words(struct smtpc_submission *submission, const struct smtpc_reply *reply)
{
    size_t n = reply->text.length > 0 ? reply->text.length - 1 : 0;    /* without the last LF */

    n = n > WORDS_MAX ? WORDS_MAX : n;
    free(submission->words);
    submission->words = malloc(n + 1);
    if (submission->words != NULL && n > 0)
        memcpy(submission->words, reply->text.bytes, n);
    submission->words_length = submission->words != NULL ? n : 0;
    submission->code = reply->code;
}
