// Starting a process by posix_spawn, which glibc makes with CLONE_VM and CLONE_VFORK: nothing of the parent is copied,
// so the cost does not grow with the parent, and nothing but the kernel and glibc runs between the clone and the exec.
#define _GNU_SOURCE

#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>

enum { most_descriptors = 16 };

/// Copies `descriptors` out of the way of the targets, 0 … `count` - 1: a target may be the source of another.
static int copy_away(const int *descriptors, int count, int *copies) {
    for (int index = 0; index < count; index++) {
        copies[index] = fcntl(descriptors[index], F_DUPFD_CLOEXEC, count);
        if (copies[index] < 0) {
            int error = errno;
            while (index-- > 0) close(copies[index]);
            return error;
        }
    }
    return 0;
}

/// The child starts with no signal blocked and none ignored, and leads a session of its own if it is to.
static int set_attributes(posix_spawnattr_t *attributes, int own_session) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_session) flags |= POSIX_SPAWN_SETSID;
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

/// Whoever starts us may have SIGCHLD ignored, and then the kernel throws every exit status away.
static void keep_exit_statuses(void) {
    struct sigaction present;
    if (sigaction(SIGCHLD, NULL, &present) != 0) return;
    if (present.sa_handler == SIG_IGN || (present.sa_flags & SA_NOCLDWAIT) != 0) signal(SIGCHLD, SIG_DFL);
}

int linux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int *descriptors, int count,
    int own_session, int *pid
) {
    int copies[most_descriptors];
    if (count > most_descriptors) return -EINVAL;
    int error = copy_away(descriptors, count, copies);
    if (error != 0) return -error;
    keep_exit_statuses();

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int index = 0; index < count && error == 0; index++)
        error = posix_spawn_file_actions_adddup2(&actions, copies[index], index);
    if (error == 0) error = set_attributes(&attributes, own_session);
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);

    for (int index = 0; index < count; index++) close(copies[index]);
    return -error;
}
