// SIGINT and SIGTERM as something that can be waited for, and the last resort for what is still running then.
//
// The signals are blocked in every thread and taken by one; the first makes every wait throw, so that what was started
// is stopped in order by its owner. The second kills what is left. Only processes started here are ever signalled.

import Glibc
import Synchronization

/// The wish to end, and the processes that must not outlive it.
final class Interruption: Sendable {
    static let shared = Interruption()

    private let wish: (reader: Int32, writer: Int32)
    private let running = Mutex<Set<Int32>>([])

    private init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { fatalError("no pipe for signals: \(errorText(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wish = (ends[0], ends[1])
    }

    /// Begins to watch for the signals; to be called before any other thread starts.
    func watch() throws(BenchError) {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        _ = try startThread { [self] in
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGINT)
            sigaddset(&signals, SIGTERM)
            var number: Int32 = 0
            sigwait(&signals, &number)
            writeAll(wish.writer, "!")
            sigwait(&signals, &number)
            killEverything()
            _exit(130)
        }
    }

    /// Notes a process of ours, or that it is gone.
    func track(_ pid: Int32, running isRunning: Bool) {
        running.withLock { running in
            if isRunning { running.insert(pid) } else { running.remove(pid) }
        }
    }

    private func killEverything() {
        for pid in running.withLock({ $0 }) { kill(pid, SIGKILL) }
    }

    /// Waits until a descriptor can be read or the deadline (monotonic ns) has passed.
    ///
    /// - Returns: whether it can be read.
    /// - Throws: ``BenchError/interrupted``.
    func wait(readable descriptor: Int32, until deadline: Int64) throws(BenchError) -> Bool {
        while true {
            // Rounded up: a wait that ends early would spin for its last millisecond.
            let leftMs = max(0, (deadline - monotonicNs() + 999_999) / 1_000_000)
            var polls = [
                pollfd(fd: wish.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polls, 2, Int32(clamping: leftMs))
            if polls[0].revents != 0 { throw BenchError.interrupted }
            if count > 0 { return true }
            if count < 0, errno != EINTR { throw BenchError.system("wait", errno) }
            if monotonicNs() >= deadline { return false }
        }
    }

    /// Lets time pass.
    ///
    /// - Throws: ``BenchError/interrupted``.
    func pause(until deadline: Int64) throws(BenchError) {
        _ = try wait(readable: -1, until: deadline)
    }

    /// Lets a number of milliseconds pass.
    func pause(milliseconds: Int64) throws(BenchError) {
        try pause(until: monotonicNs() + milliseconds * 1_000_000)
    }
}
