// The program of a Streamer: one app's log, from the Fly API to the parent.

import EventLoop
import Glibc
import Streamer
import WorkerProtocol
import WorkerRuntime

@main
struct StreamerMain {
    static func main() {
        refuseCoreDumps()
        keepLargeBlocks()
        WorkerMain.run(executable: "flyfleet-streamer", roles: [.streamer]) { worker, _ in
            try StreamerService(worker)
        }
    }

    /// Keeps the token out of core files.
    ///
    /// A limit of one byte rather than of none: none is not heeded where the kernel pipes the dump to a program, one
    /// means "no dump" there too (core(5), and the kernel's fs/coredump.c). Not PR_SET_DUMPABLE, which would hide the
    /// process's memory figures in /proc from its own user.
    private static func refuseCoreDumps() {
        var oneByte = rlimit(rlim_cur: 1, rlim_max: 1)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &oneByte)
    }
}
