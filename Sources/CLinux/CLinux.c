// What glibc shows only to those who ask for its GNU names, which a header for importers must not do.
#define _GNU_SOURCE

#include "CLinux.h"

#include <string.h>

int linux_set_pipe_size(int descriptor, int bytes) {
    return fcntl(descriptor, F_SETPIPE_SZ, bytes);
}

const char *linux_signal_name(int signal_number) {
    return sigabbrev_np(signal_number);
}
