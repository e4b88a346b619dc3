/* timed: runs a command and writes what it cost into a file: timed FILE COMMAND [ARGUMENT ...]. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 300 };    /* seconds */

static double
seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    struct rusage used;
    double began = now();
    int status;
    FILE *file;
    pid_t child = argc < 3 ? -1 : fork();

    if (child == 0) {
        alarm(LONGEST);    /* it stays over exec: what hangs ends by itself */
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child || (file = fopen(argv[1], "w")) == NULL)
        return 2;
    fprintf(file, "wall %.6f cpu %.6f user %.6f memory %ld status %d\n", now() - began,
            seconds_of(used.ru_utime) + seconds_of(used.ru_stime), seconds_of(used.ru_utime),
            used.ru_maxrss, status);
    return fclose(file) == 0 ? 0 : 2;
}
