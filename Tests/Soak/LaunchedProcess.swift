// A process that the soak started itself: flyfleet or flysim. It is in a group of its own, so that the terminal's
// interrupt reaches the soak alone, which then ends it.
//
// The invariant: a pid is signalled only while it is not reaped, so it can be nobody else's.

import Foundation

/// How a process ended.
enum Ending: Equatable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)

    init(status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
    }

    var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)"
        }
    }
}

/// A child of the soak.
final class LaunchedProcess {
    /// Where stdout goes.
    enum Output {
        /// It is appended to this file; a named pipe has to have its reader already.
        case file(String)
        /// A descriptor of the soak's own.
        case descriptor(Int32)
    }

    let pid: pid_t
    private var known: Ending?

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - output: Where stdout goes.
    ///   - errors: The file that stderr is appended to.
    /// - Throws: ``SoakError``.
    init(
        _ program: String, _ arguments: [String], environment: [String: String], output: Output, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        switch output {
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 1)
        }
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var none = sigset_t()
        sigemptyset(&none)
        var plain = sigset_t()
        sigfillset(&plain)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &plain)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            throw SoakError("cannot start \(program): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
    }

    /// How it ended; nil while it runs.
    func ending() -> Ending? {
        if known == nil {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { known = Ending(status: status) }
        }
        return known
    }

    /// Waits for its end.
    func ending(within seconds: Double) -> Ending? {
        _ = Clock.await(seconds: seconds) { ending() != nil }
        return known
    }

    /// Sends a signal, if it still runs.
    func send(_ signal: Int32) {
        if ending() == nil { kill(pid, signal) }
    }
}
