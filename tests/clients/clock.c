/* Preloaded into a gateway of the tests: its time of day is the system's, moved by the milliseconds in the file that
   TEST_CLOCK names. What measures spans (CLOCK_MONOTONIC) is left alone, as when somebody sets a real clock. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *moved_ms;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof *moved_ms, PROT_READ, MAP_SHARED, file, 0);
    if (map != MAP_FAILED)
        moved_ms = map;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *told) {
    long failed = syscall(SYS_clock_gettime, clock, told);
    if (!failed && clock == CLOCK_REALTIME && moved_ms) {
        int64_t ms = *moved_ms;
        told->tv_sec += ms / 1000;
        told->tv_nsec += ms % 1000 * 1000000;
        if (told->tv_nsec < 0)
            told->tv_sec -= 1, told->tv_nsec += 1000000000;
        if (told->tv_nsec >= 1000000000)
            told->tv_sec += 1, told->tv_nsec -= 1000000000;
    }
    return (int)failed;
}
