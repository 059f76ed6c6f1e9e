// Looking after processes that are not this process's children, and so cannot be waited for.

internal import CLinux
internal import Foundation

/// Watches a stranger's end.
package enum ProcessWatch {
    /// Whether a process ends before the deadline; a zombie has, its new parent just has not looked yet.
    package static func ends(_ pid: Int32, deadlineMs: Int32 = 5_000) -> Bool {
        let descriptor = linux_pidfd_open(pid)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var end = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, deadlineMs) == 1
    }
}
