// The program of a Streamer: one app's log, from the Fly API to the parent.

import Glibc
import Streamer
import WorkerProtocol
import WorkerRuntime

@main
struct StreamerMain {
    static func main() {
        // The token must not end up in a core file. A process that may not be dumped could not be measured through
        // /proc by its own user, so the limit does it.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        WorkerMain.run(executable: "flyfleet-streamer", roles: [.streamer]) { worker, _ in
            try StreamerService(worker)
        }
    }
}
