// How a process ended.

internal import CLinux
internal import Glibc

/// How a process ended, decoded from its wait status.
package enum ProcessExit: Hashable, Sendable {
    /// By itself; -1, which no process can say, when somebody else took its status.
    case exited(code: Int32)
    case signaled(signal: Int32, coreDumped: Bool)
    /// SIGKILL by the kernel, which says that memory had run out.
    case outOfMemory
}

extension ProcessExit {
    static let unknown = ProcessExit.exited(code: -1)

    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self =
            signal == 0
            ? .exited(code: (status >> 8) & 0xff)
            : .signaled(signal: signal, coreDumped: linux_core_dumped(status) != 0)
    }
}

/// What became of the rest of a dead child's session.
package enum SessionEnd: Hashable, Sendable {
    /// Nobody looked: the child led no session, or the loop does not adopt orphans.
    case unwatched
    /// Nothing is left of it.
    case empty
    /// Something outlived SIGKILL and the time given to it, as a process does that hangs in the kernel.
    case notEmpty
}
