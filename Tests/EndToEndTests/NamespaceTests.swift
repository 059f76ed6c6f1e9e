// Pids are given out again, and a parent may be the first process of a container: both are made to happen in a pid
// namespace of their own, where the kernel allows one.

import Foundation
import Testing
import WorkerHarness

/// What the tests of this file need.
private enum Namespace {
    /// Words that run the rest in a new pid namespace, as its first process.
    static let wrapper = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]

    static let isAllowed: Bool = {
        guard let program = try? Program(wrapper[0], Array(wrapper.dropFirst()) + ["/bin/true"]) else { return false }
        var status: siginfo_t = siginfo_t()
        // Its end is awaited by a thread of its own, which reaps it: here only that it ended.
        _ = waitid(P_PID, UInt32(program.pid), &status, WEXITED | WNOWAIT)
        return status._sifields._sigchld.si_status == 0
    }()

    /// The first process of the namespace, as seen from here.
    static func first(of fleet: FleetProcess) throws -> Int32 {
        try #require(ProcessTable.all.first { $0.parent == fleet.program.pid }).pid
    }

    /// Runs a shell command inside; what it printed.
    static func run(_ fleet: FleetProcess, _ command: String) async throws -> [String] {
        let target = try first(of: fleet)
        let shell = try Program(
            "/usr/bin/nsenter", ["--target", "\(target)", "--pid", "--mount", "/bin/sh", "-c", command])
        _ = try await shell.end()
        return shell.output.lines + shell.errors.lines
    }
}

extension FailureModes.Crowds {
    @Suite("F8, F13: pids", .serialized, .enabled(if: Namespace.isAllowed))
    struct Pids {
        private static let web = "logs/streamers/web"

        @Test("F13: a stranger that got the pid of a dead worker is never signalled, nor is its group")
        func stranger() async throws {
            let stage = try await Stage.set(apps: "web,api", rate: 5)
            defer { stage.dispose() }
            // The namespace outlives the fleet, so that the stranger can be asked for afterwards.
            let shell = "\"$@\"; echo ended $? >&2; exec sleep 600"
            let libexec = try Libexec(stage.folder, behaviour: "ignore_stop from=2")
            let fleet = try stage.fleet(
                ["--apps", "web,api", "--libexec", libexec.path, "--stop-grace", "300ms", "--heartbeat", "50ms/500ms"],
                wrapper: Namespace.wrapper + ["/bin/sh", "-c", shell, "sh"])
            defer { fleet.dispose() }
            let dead = try #require(try await fleet.event("ready", Self.web).pid)
            _ = try await Namespace.run(fleet, "kill -KILL \(dead)")
            let next = try await fleet.event("ready", Self.web, after: try await fleet.event("exited", Self.web).seq)
            // The kernel takes the pid after the one it is told was the last.
            let taken = try await Namespace.run(
                fleet, "echo \(dead - 1) > /proc/sys/kernel/ns_last_pid; setsid sleep 600 >&- 2>&- & echo $!")
            try #require(taken == ["\(dead)"], "the pid was not to be had: \(taken)")
            // Its successor hangs and is killed with its group, the one after that does not stop, nor does the fleet.
            _ = try await Namespace.run(fleet, "kill -STOP \(try #require(next.pid))")
            let killed = try await fleet.event("killed", Self.web)
            try await fleet.event("restarted", Self.web, after: killed.seq)
            let parent = try await Namespace.run(fleet, "ps -C flyfleet -o pid=")
            _ = try await Namespace.run(fleet, "kill -TERM \(try #require(parent.first))")
            try await fleet.complaint("ended 0")
            #expect(fleet.events(of: Self.web, "killed").map(\.reason) == ["heartbeat", "stop_timeout"])
            let stranger = try await Namespace.run(fleet, "cat /proc/\(dead)/comm; ps -o stat= -p \(dead)")
            #expect(stranger.first == "sleep" && stranger.last?.hasPrefix("S") == true, "\(stranger)")
        }

        @Test("F8: as the first process of a container it reaps the orphans that the kernel gives it")
        func adopted() async throws {
            let stage = try await Stage.set(apps: "web", rate: 5)
            defer { stage.dispose() }
            let fleet = try stage.fleet(["--apps", "web"], wrapper: Namespace.wrapper)
            defer { fleet.dispose() }
            try await fleet.line("web", atLeast: 1)
            let parent = try Namespace.first(of: fleet)
            // Twenty processes lose their parent, then end.
            let orphans = try await Namespace.run(
                fleet, "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.01 & sleep 0.02 &) ; done; echo $$")
            #expect(orphans.count == 1)
            _ = try await Namespace.run(fleet, "kill -KILL \(try fleet.pid(Self.web))")
            try await fleet.event("restarted", Self.web)
            try await fleet.line("web", atLeast: (fleet.sequences("web").max() ?? 0) + 5)
            #expect(ProcessTable.awaitNoZombies(of: parent, seconds: 1).isEmpty)
            _ = try await Namespace.run(fleet, "kill -TERM 1")
            #expect(try await fleet.program.end() == .code(0))
            let exited = try #require(fleet.events(of: Self.web, "exited").first)
            #expect(exited.exit?.signal == "SIGKILL", "reaping strangers takes no worker's status")
        }
    }
}
