// A process that the benchmark started, until it is gone.
//
// It is started through a second copy of this program that binds it to our life (`ParentBound`): a benchmark that is
// SIGKILLed leaves nothing behind. Its group is its own, so that Ctrl-C reaches it through us, in order.

import CLinux
import Glibc

/// A running child of ours.
final class LaunchedProcess {
    /// What a child gets as its first three descriptors; nil is /dev/null.
    struct Streams {
        var input: Int32?
        var output: Int32?
        var error: Int32?
    }

    let pid: Int32
    /// When it was started, monotonic ns.
    let startedNs: Int64
    private let name: String
    private var status: Int32?

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: Its path.
    ///   - environment: All that it gets, as `NAME=value`.
    ///   - directory: Where it runs; nil for here.
    init(
        _ program: String, _ arguments: [String], environment: [String], streams: Streams, directory: String? = nil
    ) throws(BenchError) {
        name = String(program.split(separator: "/").last ?? "")
        let bound = ["flyfleet-bench", ParentBound.command, String(getpid()), directory ?? ".", program] + arguments
        startedNs = monotonicNs()
        pid = try Self.spawn(Programs.ownPath(), bound, environment, streams)
        Interruption.shared.track(pid, running: true)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String], _ streams: Streams
    ) throws(BenchError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (target, source) in [streams.input, streams.output, streams.error].enumerated() {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
            }
        }
        var none = sigset_t()
        var ours = sigset_t()
        sigemptyset(&none)
        sigemptyset(&ours)
        sigaddset(&ours, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &ours)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw BenchError.system("start \(program)", code) }
        return pid
    }

    /// Whether it has not ended yet.
    var isRunning: Bool {
        guard status == nil else { return false }
        var raw: Int32 = 0
        let answer = waitpid(pid, &raw, WNOHANG)
        guard answer == pid else { return answer == 0 }
        status = raw
        Interruption.shared.track(pid, running: false)
        return false
    }

    /// How it ended, in words; nil while it runs.
    var ending: String? {
        guard !isRunning, let status else { return nil }
        let signal = status & 0x7F
        guard signal == 0 else { return "\(name) was ended by signal \(signal)" }
        return "\(name) ended with exit code \(status >> 8 & 0xFF)"
    }

    /// Asks it to end and sees to it; returns when it is gone.
    func stop(signal: Int32, graceMs: Int64 = 10_000) {
        guard isRunning else { return }
        kill(pid, signal)
        let deadline = monotonicNs() + graceMs * 1_000_000
        // Not interruptible: what is being stopped because of an interruption must still be waited for.
        while isRunning {
            if monotonicNs() > deadline { kill(pid, SIGKILL) }
            usleep(2_000)
        }
    }

    deinit { stop(signal: SIGKILL) }
}
