/* tls_session_file: sessions in a file that processes share: locked, read and written whole, never waited for. */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_sessions.h"

enum {
    FILE_MAX = 48 + SMTPC_TLS_SESSIONS_MAX * (44 + SMTPC_TLS_SESSION_OCTETS_MAX),
    LOCK_TRIES = 5    /* a millisecond apart: whoever has the lock gives it back within less */
};

static const char option[] = "session_file";

/* The locks of fcntl(2) keep processes apart and not threads, and one thread's close takes another's lock away: so no
 * two of them are here at once. */
static pid_t holder;

static int
lock(int fd)
{
    struct flock whole = {0};
    int tries;

    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    for (tries = 0; tries < LOCK_TRIES; tries++) {
        if (fcntl(fd, F_SETLK, &whole) == 0)
            return 0;
        poll(NULL, 0, 1);
    }
    return -1;
}

static int
read_all(int fd, struct smtpc_buffer *octets)
{
    struct stat found;
    size_t size;
    char *room;
    ssize_t n;

    if (fstat(fd, &found) != 0)
        return -1;
    size = found.st_size < FILE_MAX ? (size_t)found.st_size : FILE_MAX;
    if (size == 0)
        return 0;
    room = smtpc_buffer_reserve(octets, size);
    if (room == NULL)
        return -1;
    n = pread(fd, room, size, 0);
    octets->length += n > 0 ? (size_t)n : 0;
    return n < 0 ? -1 : 0;
}

/* As smtpc_tls_session_store_read. What cannot be read is taken for broken. */
static int
load(int fd, struct smtpc_tls_session_store *store)
{
    struct smtpc_buffer octets;
    int result = 0;

    smtpc_buffer_init(&octets, FILE_MAX);
    if (read_all(fd, &octets) == 0)
        result = smtpc_tls_session_store_read(store, octets.bytes, octets.length);
    smtpc_buffer_clear(&octets);
    return result;
}

static int
write_all(int fd, const struct smtpc_buffer *octets)
{
    size_t done = 0;

    while (done < octets->length) {
        ssize_t n = pwrite(fd, octets->bytes + done, octets->length - done, (off_t)done);

        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return ftruncate(fd, (off_t)done);
}

/* In place, under the lock. What is cut off half-way has a wrong digest, and counts as empty. */
static int
save(int fd, const struct smtpc_tls_session_store *store)
{
    struct smtpc_buffer octets;

    int good;

    smtpc_buffer_init(&octets, FILE_MAX);
    good = smtpc_tls_session_store_write(store, &octets) == 0 && write_all(fd, &octets) == 0;
    smtpc_buffer_clear(&octets);
    return good;
}

static void
close_store(int fd)
{
    if (fd >= 0)
        close(fd);
    smtpc_tls_leave(&holder);
}

/* A descriptor with the lock and what the file holds, or -1. */
static int
open_store(const char *path, struct smtpc_tls_session_store *store)
{
    struct smtpc_error unused = {0};
    int fd;

    if (!smtpc_tls_enter(&holder))
        return -1;
    fd = smtpc_tls_private_file(path, O_RDWR, option, &unused);
    if (fd >= 0 && lock(fd) == 0 && load(fd, store) >= 0)
        return fd;
    close_store(fd);
    return -1;
}

int
smtpc_tls_session_file_check(const char *path, struct smtpc_error *error)
{
    struct smtpc_tls_session_store store = {0};
    int result = -1;
    int fd;

    while (!smtpc_tls_enter(&holder))
        ;
    fd = smtpc_tls_private_file(path, O_RDWR, option, error);
    if (fd >= 0)
        result = load(fd, &store);
    close_store(fd);
    smtpc_tls_session_store_clear(&store);
    return result >= 0 ? 0 : smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s holds something else than TLS "
                                             "sessions, and would be overwritten: name another file, or remove it",
                                             option, path);
}

int
smtpc_tls_session_file_take(const char *path, const unsigned char key[SMTPC_TLS_DIGEST], int64_t now,
                            struct smtpc_tls_session_entry *entry)
{
    struct smtpc_tls_session_store store = {0};
    int fd = open_store(path, &store);
    int found;

    if (fd < 0)
        return 0;
    found = smtpc_tls_session_store_take(&store, key, now, entry);
    if (found && !save(fd, &store)) {
        smtpc_tls_session_entry_clear(entry);    /* what could not be taken out might be used twice */
        found = 0;
    }
    close_store(fd);
    smtpc_tls_session_store_clear(&store);
    return found;
}

void
smtpc_tls_session_file_put(const char *path, struct smtpc_tls_session_entry *entries, size_t n)
{
    struct smtpc_tls_session_store store = {0};
    int fd = open_store(path, &store);
    size_t i;

    for (i = 0; i < n && fd >= 0; i++)
        smtpc_tls_session_store_put(&store, &entries[i]);
    if (fd >= 0) {
        save(fd, &store);
        close_store(fd);
    }
    for (i = 0; i < n; i++)
        smtpc_tls_session_entry_clear(&entries[i]);
    smtpc_tls_session_store_clear(&store);
}
