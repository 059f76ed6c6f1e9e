// What stands between an AppServer and the token command, so that no command outlives what asked for it.
//
//     AppServer ── launcher ── [execute] command ── whatever the command starts
//                  └ group ┘   └──────────── one process group ────────────┘
//
// The launcher is this same executable. It waits for the command, for SIGTERM, or for the AppServer's death, which the
// kernel tells it as SIGTERM; each ends the command with what it started, but for what left the session, as daemons
// do. It leaves the AppServer's group, which whoever started that kills at its death. Should it be killed all the
// same, what is left is in the AppServer's session, which flyfleet ends: the launcher is for the day on which flyfleet
// is killed.

internal import CLinux
internal import Glibc
internal import WorkerProtocol

/// Runs a command for an AppServer and ends it with its asker.
package enum CommandLauncher {
    /// Then the words of the command.
    static let runFlag = "--run-command"
    private static let executeFlag = "--execute-command"
    /// What a shell says when a command cannot be run.
    private static let cannotRun: Int32 = 127
    /// Added to a signal's number where an exit code has to tell of a signal.
    static let signalBase: Int32 = 128
    private static let ownImage = "/proc/self/exe"
    /// How long to wait for the death of what was killed, in ms.
    private static let endMs = 500

    /// Becomes a launcher if the arguments say so; else returns.
    ///
    /// First thing in `main`, before any thread.
    package static func takeOverIfAsked(_ arguments: [String]) {
        guard arguments.count >= 3 else { return }
        switch arguments[1] {
        case runFlag: run(Array(arguments[2...]))
        case executeFlag: execute(Array(arguments[2...]))
        default: return
        }
    }

    private static func run(_ words: [String]) -> Never {
        var awaited = sigset_t()
        sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { sigaddset(&awaited, number) }
        sigprocmask(SIG_BLOCK, &awaited, nil)
        setpgid(0, 0)
        // Without it orphans would be out of reach; nothing else would be lost.
        _ = linux_set_child_subreaper(1)
        dieWithParent(by: SIGTERM)
        setenv(WorkerLaunch.parentPidVariable, String(getpid()), 1)
        let pid = spawn([ownImage, executeFlag] + words)
        while true {
            var information = siginfo_t()
            let number = sigwaitinfo(&awaited, &information)
            if number == SIGCHLD {
                // The zombie keeps the group's number from being given to strangers until the group is killed.
                var status: Int32 = 0
                if linux_peek_exit(pid, &status) != 0 { end(pid, awaited) }
            } else if number > 0 {
                end(pid, awaited)
            }
        }
    }

    /// Kills what is left of the command and passes on how its leader ended.
    private static func end(_ pid: pid_t, _ awaited: sigset_t) -> Never {
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        endOrphans(awaited)
        let signal = status & 0x7f
        _exit(signal == 0 ? (status >> 8) & 0xff : signalBase + signal)
    }

    /// Kills what left the command's group and not the session, generation by generation.
    ///
    /// Every child of the launcher is the command's, and keeps its pid until it is reaped here.
    private static func endOrphans(_ awaited: sigset_t) {
        var awaited = awaited
        var pause = timespec(tv_sec: 0, tv_nsec: 10_000_000)
        var children = [Int32](repeating: 0, count: 1024)
        for _ in 0..<endMs / 10 {
            var isAnyLeft = false
            let count = max(0, min(linux_children(&children, Int32(children.count)), Int32(children.count)))
            for child in children[..<Int(count)] {
                guard getsid(child) == getsid(0) else {
                    reap(child)
                    continue
                }
                // Also if it is dead: it may have lived when the list was read, and left children that are not in it.
                isAnyLeft = true
                if reap(child) { continue }
                if getpgid(child) == child { kill(-child, SIGKILL) }
                kill(child, SIGKILL)
            }
            if !isAnyLeft { return }
            sigtimedwait(&awaited, nil, &pause)
        }
    }

    /// Whether the child is dead and gone, or was no child.
    @discardableResult private static func reap(_ child: pid_t) -> Bool {
        var status: Int32 = 0
        return linux_reap(child, &status) != 0
    }

    /// Starts the command's process in a group of its own, with no signal blocked.
    private static func spawn(_ words: [String]) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        let code = withArguments(words) { posix_spawn(&pid, ownImage, nil, &attributes, $0, linux_environment()) }
        guard code == 0 else { exit(withReason: code, words[2]) }
        return pid
    }

    private static func execute(_ words: [String]) -> Never {
        dieWithParent(by: SIGKILL)
        unsetenv(WorkerLaunch.parentPidVariable)
        withArguments(words) { _ = execvp(words[0], $0) }
        exit(withReason: errno, words[0])
    }

    /// Asks the kernel for `signal` at the parent's death, then looks whether it died before.
    private static func dieWithParent(by signal: Int32) {
        let isArmed = linux_set_parent_death_signal(signal) == 0
        let expected = getenv(WorkerLaunch.parentPidVariable).flatMap { Int32(String(cString: $0)) }
        if !isArmed || getppid() != expected { _exit(WorkerExit.parentGone) }
    }

    private static func exit(withReason code: Int32, _ program: String) -> Never {
        let line = [UInt8]("could not run \(program): \(String(cString: strerror(code)))\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        _exit(cannotRun)
    }

    private static func withArguments<Result>(
        _ words: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        // Never freed: this process is about to become, or to end with, the command.
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
        for (index, word) in words.enumerated() { pointers[index] = strdup(word) }
        pointers[words.count] = nil
        return body(pointers)
    }
}
