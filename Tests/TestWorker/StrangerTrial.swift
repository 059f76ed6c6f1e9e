// A stranger gets the pid of a child that was reaped: whether it is left alone.
//
// For a pid namespace of its own (`unshare --pid --fork --mount-proc TestWorker --stranger-trial`): the next pid is
// chosen here, and outside a namespace that would hand the pids of whoever has just died to anybody.

import CLinux
import EventLoop
import Glibc

/// The trial; nil when everything was right, else what was not.
enum StrangerTrial {
    static let flag = "--stranger-trial"
    private static let lastPid = "/proc/sys/kernel/ns_last_pid"

    static func run() throws -> String? {
        ignoreBrokenPipeSignal()
        let loop = try Loop()
        try loop.adoptOrphans()
        let worker = try ended(loop)
        guard kill(worker.pid, 0) != 0 else { return "the worker was not reaped" }
        guard setLastPid(worker.pid - 1) else { return "the next pid cannot be chosen" }
        let stranger = fork(loop)
        guard stranger == worker.pid else { return "pid \(stranger) was given instead of \(worker.pid)" }
        worker.signal(SIGKILL)
        worker.signalGroup(SIGKILL)
        // Another worker's end is looked after meanwhile, with what it leaves.
        let other = try ended(loop)
        var status: Int32 = 0
        for child in [worker, other] { child.closePipes() }
        // A SIGKILL that was sent is there before the SIGTERM, whose number is told if it was not.
        kill(stranger, SIGTERM)
        guard waitpid(stranger, &status, 0) == stranger else { return "the stranger was reaped by somebody else" }
        guard status & 0x7f == SIGTERM else { return "the stranger was signalled: \(status)" }
        loop.disownOrphans()
        loop.run()
        return nil
    }

    /// A child that has left a grandchild and is reported.
    private static func ended(_ loop: Loop) throws -> ChildProcess {
        var isEnded = false
        let child = try ChildProcess(
            loop, SpawnRequest(executable: "/bin/sh", arguments: ["-c", "sleep 1000 & exit 0"], environment: [])
        ) { _ in isEnded = true }
        while !isEnded { loop.runOnce() }
        return child
    }

    /// Nobody's child: it leads a group as a worker does.
    private static func fork(_ loop: Loop) -> Int32 {
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("1000"), nil]
        defer { words.forEach { free($0) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        var pid: Int32 = 0
        let code = linux_spawn("/bin/sleep", &words, &environment, [null, null, null], 3, 1, &pid)
        precondition(code == 0, "no child: \(code)")
        return pid
    }

    private static func setLastPid(_ pid: Int32) -> Bool {
        let descriptor = open(lastPid, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let text = "\(pid)"
        return write(descriptor, text, text.utf8.count) == text.utf8.count
    }
}
