#pragma once

// Calls of Linux that Swift cannot see because they are variadic in C.

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Asks the kernel to send `signal_number` to this process when the thread that spawned it ends.
static inline int linux_set_parent_death_signal(int signal_number) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0UL, 0UL, 0UL);
}

/// Decides whether the process may leave a core file and be read by others of the same user.
static inline int linux_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL);
}

/// Grows or shrinks a pipe's buffer; the size granted, or -1.
int linux_set_pipe_size(int descriptor, int bytes);

/// Lets the allocator keep blocks of up to 4 MiB instead of giving each back to the kernel, which hands it out again
/// page fault by page fault.
void linux_keep_large_blocks(void);

/// Gives the kernel every page of the heap that nobody uses, also those between blocks that are in use.
void linux_give_back_memory(void);

/// Starts the program at `path`, its descriptors 0 … `count` - 1 being copies of `descriptors`; 0, or a negated errno.
///
/// Every other descriptor must close on exec.
int linux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int *descriptors, int count,
    int own_session, int *pid);

/// Takes a child's wait status if it has ended: its pid, 0 while it runs, or a negated errno.
int linux_reap(int pid, int *wait_status);

/// As `linux_reap`, but leaves the status there: the child stays a zombie, and its pid its own.
int linux_peek_exit(int pid, int *wait_status);

/// Whether a child, whichever, has ended and was not reaped.
int linux_has_dead_child(void);

/// Makes this process the parent of its descendants' orphans, or no longer; 0, or a negated errno.
int linux_set_child_subreaper(int enabled);

/// Lists this process's children, dead ones too.
///
/// Returns how many there are, of which the first `capacity` are in `pids`, or a negated errno. A kernel without
/// CONFIG_PROC_CHILDREN has no such list; `linux_children_by_search` is done in its place.
int linux_children(int *pids, int capacity);

/// As `linux_children`, by asking for each process there is whether it is a child.
int linux_children_by_search(int *pids, int capacity);

/// Makes a pipe whose ends close on exec; 0, or -1.
int linux_pipe(int ends[2]);

/// A descriptor that becomes readable when the process ends; -1 when there is none.
int linux_pidfd_open(int pid);

/// A signal's name without its `SIG`, e.g. `KILL`; null where it has none.
const char *linux_signal_name(int signal_number);

/// Opens a file with `O_CLOEXEC` added.
static inline int linux_open(const char *path, int flags, unsigned int mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

/// Makes every descriptor from `first` upwards close on exec; 0, or -1 where the kernel cannot (before 5.11).
static inline int linux_close_on_exec_from(unsigned int first) {
    // CLOSE_RANGE_CLOEXEC by its number: its header clashes with <fcntl.h> in older C libraries.
    return (int)syscall(SYS_close_range, first, ~0U, 4U);
}

/// Makes C's stdout write line by line: a buffer would be lost when the process is killed or calls `_exit`.
static inline void linux_line_buffer_stdout(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/// Whether a descriptor is a pipe or a socket, which can be waited for; files and /dev/null cannot.
static inline int linux_is_pipe(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

/// Whether a path leads to a named pipe.
static inline int linux_is_pipe_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// Whether a raw wait status says that a core was dumped.
static inline int linux_core_dumped(int wait_status) {
    return WIFSIGNALED(wait_status) && WCOREDUMP(wait_status);
}

/// Fetches memory that is about to be read and written; any address will do.
static inline void linux_prefetch(const void *address) {
    __builtin_prefetch(address, 1);
}

/// The environment of this process. Valid until it is changed; Swift sees `environ` as an unguarded global.
static inline char **linux_environment(void) {
    extern char **environ;
    return environ;
}
