// What glibc shows only to those who ask for its GNU names, which a header for importers must not do.
#define _GNU_SOURCE

#include "CLinux.h"

#include <malloc.h>
#include <string.h>
#include <sys/syscall.h>

int linux_set_pipe_size(int descriptor, int bytes) {
    return fcntl(descriptor, F_SETPIPE_SZ, bytes);
}

const char *linux_signal_name(int signal_number) {
    return sigabbrev_np(signal_number);
}

int linux_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int linux_pidfd_open(int pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void linux_keep_large_blocks(void) {
    mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
}

void linux_give_back_memory(void) {
    malloc_trim(0);
}
