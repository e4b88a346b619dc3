/* tls_private_file: opens a file of secrets, which nobody but the caller may read, write, or put in its place. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_sessions.h"

static int
refuse(const char *path, const char *option, const struct stat *found, struct smtpc_error *error)
{
    if (!S_ISREG(found->st_mode))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s is not a regular file: name a file of your own",
                               option, path);
    if (found->st_uid != geteuid())
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s belongs to user %ld, and this program runs as "
                               "user %ld: name a file of its own", option, path, (long)found->st_uid,
                               (long)geteuid());
    if ((found->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s is open to other users (mode %03o): remove it, "
                               "or chmod 600 it if nobody can have touched it", option, path,
                               (unsigned)found->st_mode & 0777u);
    if (found->st_nlink != 1)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s is a file with a second name (a hard link): "
                               "name a file of your own", option, path);
    return 0;
}

static int
fail_open(const char *path, const char *option, int reason, struct smtpc_error *error)
{
    struct stat found;

    if (lstat(path, &found) == 0 && S_ISLNK(found.st_mode))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %.200s is a symbolic link: name the file itself",
                               option, path);
    return smtpc_error_set_system(error, SMTPC_ERROR_USAGE, reason, "%s: cannot open or make %.200s", option, path);
}

/* What writes to descriptor 1 or 2 must not write here. */
static int
lift(int fd)
{
    int lifted;
    int reason;

    if (fd > 2)
        return fd;
    lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    reason = errno;
    close(fd);
    errno = reason;
    return lifted;
}

int
smtpc_tls_private_file(const char *path, int flags, const char *option, struct smtpc_error *error)
{
    const int always = O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;    /* a FIFO would wait */
    struct stat found;
    int fd = open(path, flags | always, S_IRUSR | S_IWUSR);

    if (fd >= 0)
        fd = lift(fd);
    if (fd < 0)
        return fail_open(path, option, errno, error);
    if (fstat(fd, &found) == 0 && refuse(path, option, &found, error) == 0)
        return fd;
    close(fd);
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: cannot examine %.200s", option, path);
}
