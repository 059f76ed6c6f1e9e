// The two lives of this program as somebody's child: the step before another program that ties it to the benchmark's
// life, and the child that other supervisors restart. Both do as little as possible: their start is being timed.

import CLinux
import Glibc

/// Ties a program to the life of the benchmark.
enum ParentBound {
    /// The word that asks for it: `with-parent PID DIRECTORY PROGRAM ARGUMENTS…`.
    static let command = "with-parent"

    /// Becomes the program; returns only when that fails.
    static func run(_ arguments: ArraySlice<String>) -> Int32 {
        let words = Array(arguments)
        guard words.count >= 3, let parent = Int32(words[0]) else { return 64 }
        _ = linux_set_parent_death_signal(SIGKILL)
        // The parent may have died before the line above.
        guard getppid() == parent else { return 70 }
        guard chdir(words[1]) == 0 else {
            progress("cannot enter \(words[1]): \(errorText(errno))")
            return 69
        }
        var argv = words[2...].map { strdup($0) } + [nil]
        execv(words[2], &argv)
        progress("cannot run \(words[2]): \(errorText(errno))")
        return 69
    }
}

/// The child whose restarts by runsv and s6-supervise are timed.
enum SupervisedChild {
    /// The FIFO in the service's folder that takes each start's sign of life: the pid and a line's end.
    static let sign = "sign"

    /// The file that makes s6-supervise wait for a line on a descriptor; without one, no service counts as ready, and
    /// s6-supervise lets a second pass before it restarts it.
    static let readiness = (file: "notification-fd", descriptor: Int32(3))

    /// Says that it is there, then waits for its end.
    static func run() -> Int32 {
        let descriptor = linux_open(sign, O_WRONLY, 0)
        guard descriptor >= 0, writeAll(descriptor, "\(getpid())\n") else { return 69 }
        close(descriptor)
        if access(readiness.file, F_OK) == 0 { writeAll(readiness.descriptor, "\n") }
        _ = linux_set_parent_death_signal(SIGKILL)
        while true { pause() }
    }
}
