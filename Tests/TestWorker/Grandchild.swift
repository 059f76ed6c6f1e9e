// A process that a worker leaves behind: it ignores SIGTERM, reads nothing, and holds its parent's stderr open.

import Glibc

/// A child of this worker.
enum Grandchild {
    /// Starts it; it is there, and ignores SIGTERM, when this returns.
    static func start(ownGroup: Bool) {
        // An ignored signal stays ignored in the program that is started; a handler would not.
        var ignore = sigaction()
        ignore.__sigaction_handler.sa_handler = SIG_IGN
        var present = sigaction()
        sigaction(SIGTERM, &ignore, &present)
        defer { sigaction(SIGTERM, &present, nil) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if ownGroup {
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
            posix_spawnattr_setpgroup(&attributes, 0)
        }
        let words: [UnsafeMutablePointer<CChar>?] = ["sleep", "600"].map { (word: String) in strdup(word) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sleep", nil, &attributes, words, environ)
        guard code == 0 else { fatalError("could not start a grandchild: \(String(cString: strerror(code)))") }
    }
}
