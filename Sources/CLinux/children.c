// Asking the kernel for this process's children: which there are, which have ended, and taking one's status.
#define _GNU_SOURCE

#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/// waitid without EINTR, which WNOHANG rules out but nothing promises.
static int wait_for(idtype_t type, int pid, int options, siginfo_t *found) {
    int code;
    do {
        memset(found, 0, sizeof *found);
        code = waitid(type, (id_t)pid, found, options);
    } while (code < 0 && errno == EINTR);
    return code < 0 ? -errno : found->si_pid;
}

int linux_peek_exit(int pid, int *wait_status) {
    siginfo_t found;
    int code = wait_for(P_PID, pid, WEXITED | WNOHANG | WNOWAIT, &found);
    if (code <= 0) return code;
    switch (found.si_code) {
    case CLD_EXITED: *wait_status = (found.si_status & 0xff) << 8; break;
    case CLD_DUMPED: *wait_status = found.si_status | 0x80; break;
    default: *wait_status = found.si_status; break;
    }
    return code;
}

int linux_reap(int pid, int *wait_status) {
    int reaped;
    do reaped = waitpid(pid, wait_status, WNOHANG | __WALL);
    while (reaped < 0 && errno == EINTR);
    return reaped < 0 ? -errno : reaped;
}

int linux_has_dead_child(void) {
    siginfo_t found;
    return wait_for(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT | __WALL, &found) > 0;
}

int linux_set_child_subreaper(int enabled) {
    return prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)enabled, 0UL, 0UL, 0UL) == 0 ? 0 : -errno;
}

/// Appends the pids in the kernel's list of one thread's children; the new count, or a negated errno.
static int children_of_thread(int folder, const char *thread, int *pids, int capacity, int count) {
    char text[4096];
    snprintf(text, sizeof text, "%s/children", thread);
    int descriptor = openat(folder, text, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    int pid = 0;
    ssize_t length;
    while ((length = read(descriptor, text, sizeof text)) != 0) {
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) break;
        for (ssize_t index = 0; index < length; index++) {
            char character = text[index];
            if (character >= '0' && character <= '9') {
                pid = pid * 10 + (character - '0');
            } else if (pid != 0) {
                if (count < capacity) pids[count] = pid;
                count += 1;
                pid = 0;
            }
        }
    }
    int error = length < 0 ? errno : 0;
    close(descriptor);
    return error != 0 ? -error : count;
}

/// Whether this kernel has the lists: the main thread's is there as long as the process is.
static int has_lists(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    return access(path, R_OK) == 0;
}

int linux_children_by_search(int *pids, int capacity) {
    DIR *processes = opendir("/proc");
    if (processes == NULL) return -errno;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(processes)) != NULL) {
        int pid = atoi(entry->d_name);
        siginfo_t found;
        // waitid refuses a pid that is not a child's.
        if (pid <= 0 || wait_for(P_PID, pid, WEXITED | WNOHANG | WNOWAIT | __WALL, &found) < 0) continue;
        if (count < capacity) pids[count] = pid;
        count += 1;
    }
    closedir(processes);
    return count;
}

int linux_children(int *pids, int capacity) {
    if (!has_lists()) return linux_children_by_search(pids, capacity);
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return -errno;
    int count = 0;
    struct dirent *entry;
    while (count >= 0 && (entry = readdir(threads)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        int code = children_of_thread(dirfd(threads), entry->d_name, pids, capacity, count);
        // A thread that ended meanwhile has left its children to another, which is looked at when they end.
        if (code != -ENOENT && code != -ESRCH) count = code;
    }
    closedir(threads);
    return count;
}
