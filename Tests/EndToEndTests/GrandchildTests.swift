import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F5: grandchildren", .serialized)
    struct Grandchildren {
        enum End: String, CaseIterable {
            case crash, stop, heartbeat
        }

        private static let web = "logs/streamers/web"

        /// What is left of a worker's session a second from now.
        private func left(of worker: Int32) -> [Int32] {
            ProcessTable.left(seconds: 1) { ProcessTable.session(worker) }
        }

        @Test(
            "F5: a grandchild that ignores SIGTERM dies with its worker, in its process group or in another",
            arguments: ["grandchild", "grandchild_group"], End.allCases)
        func dies(behaviour: String, end: End) async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "\(behaviour) incarnations=1")
            let limits = ["--heartbeat", "50ms/500ms", "--stop-grace", "1s"]
            let fleet = try stage.fleet(["--libexec", libexec.path] + limits)
            defer { fleet.dispose() }
            let worker = try #require(try await fleet.event("ready", Self.web).pid)
            let family = ProcessTable.session(worker)
            defer { for pid in family where ProcessEntry(pid)?.session == worker { kill(pid, SIGKILL) } }
            #expect(family.count == 2, "the worker and its child")
            let groups = Set(family.compactMap { ProcessEntry($0)?.group })
            #expect(groups.count == (behaviour == "grandchild" ? 1 : 2))
            switch end {
            case .crash:
                kill(worker, SIGKILL)
            case .heartbeat:
                kill(worker, SIGSTOP)
                #expect(try await fleet.event("killed", Self.web).reason == "heartbeat")
            case .stop:
                try await fleet.stop()
            }
            let rest = left(of: worker)
            #expect(rest.isEmpty, "of worker \(worker): \(rest.map { String(describing: ProcessEntry($0)) })")
            guard end == .crash || end == .heartbeat else { return }
            // Its end is told although the grandchild held its stderr, and a successor comes.
            let exited = try await fleet.event("exited", Self.web)
            #expect(exited.exit?.signal == "SIGKILL")
            try await fleet.event("restarted", Self.web)
            try await fleet.stop()
            #expect(fleet.left().isEmpty)
        }

        @Test(
            "F5: the token command dies with all it started, when its AppServer does and when the parent does",
            arguments: [false, true])
        func tokenCommand(isParentKilled: Bool) async throws {
            let stage = try await Stage.set(apps: "web", rate: 5)
            defer { stage.dispose() }
            let started = try LineLog.fifo(stage.folder.path + "/started")
            let script = "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $! > \(stage.folder.path)/started\nwait\n"
            let fly = try stage.folder.write("fly", script, executable: true)
            let fleet = try stage.fleet(["--apps", "web", "--token-command", "\(fly) {app}"], environment: [:])
            defer { fleet.dispose() }
            try await started.wait("the token command") { !$0.isEmpty }
            let sleeper = try #require(Int32(started.lines[0]))
            defer { kill(sleeper, SIGKILL) }
            let server = try fleet.pid("tokens/servers/web")
            let command = try #require(ProcessEntry(sleeper)?.parent)
            kill(isParentKilled ? fleet.program.pid : server, SIGKILL)
            for (name, pid) in [("the command", command), ("its child", sleeper)] {
                #expect(Processes.awaitEnd(of: pid, seconds: 1), "\(name) outlived its AppServer")
            }
        }
    }
}

extension LineLog {
    /// What is written into a new named pipe.
    static func fifo(_ path: String) throws -> LineLog {
        try #require(mkfifo(path, 0o600) == 0)
        let log = LineLog()
        // Opening it waits for a writer.
        Thread {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            if descriptor >= 0 { log.follow(descriptor) }
        }.start()
        return log
    }
}
