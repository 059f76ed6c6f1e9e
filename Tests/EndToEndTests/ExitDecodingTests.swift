import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F7: exit statuses", .serialized)
    struct ExitDecoding {
        /// What an app's worker does, and what its event must say.
        private static let cases: [(app: String, behaviour: String, code: Int?, signal: String?)] = [
            ("zero", "exit_after_ready 0", 0, nil), ("one", "exit_after_ready 1", 1, nil),
            ("most", "exit_after_ready 255", 255, nil), ("term", "crash_after_ready 15", nil, "SIGTERM"),
            ("kill", "crash_after_ready 9", nil, "SIGKILL"), ("early", "exit_before_ready 255", 255, nil),
            ("segv", "crash_after_ready 11", nil, "SIGSEGV"), ("abrt", "good", nil, "SIGABRT"),
        ]

        /// Whether a process that dies by SIGSEGV in `folder` leaves a core here.
        private func leavesCore(_ folder: String, limit: String) throws -> Bool {
            let words = ["sh", "-c", "ulimit -c \(limit); cd \(folder) && kill -SEGV $$"]
            let arguments: [UnsafeMutablePointer<CChar>?] = words.map { (word: String) in strdup(word) } + [nil]
            defer { for argument in arguments { free(argument) } }
            var pid: pid_t = 0
            try #require(posix_spawn(&pid, "/bin/sh", nil, nil, arguments, environ) == 0)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            try #require(status & 0x7f == SIGSEGV)
            return status & 0x80 != 0
        }

        @Test(
            "F7: code, signal and core dump of an exit are those of its wait status",
            arguments: ["0", "unlimited"])
        func decodes(coreLimit: String) async throws {
            let apps = Self.cases.map(\.app)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 1)
            defer { stage.dispose() }
            let hasCore = try leavesCore(stage.folder.path, limit: coreLimit)
            #expect(!(hasCore && coreLimit == "0"))
            let lines = Self.cases.map { "\($0.behaviour) path=logs/streamers/\($0.app) incarnations=1" }
            let libexec = try Libexec(stage.folder, behaviour: lines.joined(separator: "\n"), apps: apps)
            // A core goes to the working directory, which must not be that of the tests.
            let shell = "ulimit -c \(coreLimit); cd \(stage.folder.path); exec \"$@\""
            let fleet = try stage.fleet(
                ["--apps", names, "--libexec", libexec.path], wrapper: ["/bin/sh", "-c", shell, "sh"])
            defer { fleet.dispose() }
            for (app, behaviour, code, signal) in Self.cases {
                let path = "logs/streamers/\(app)"
                // Not at the same time as the other core: of two files of one name the kernel may write only one.
                if app == "abrt" { kill(try #require(try await fleet.event("ready", path).pid), SIGABRT) }
                let exited = try await fleet.event("exited", path)
                #expect(exited.exit?.code == code, "\(behaviour)")
                #expect(exited.exit?.signal == signal, "\(behaviour)")
                let dumps = ["SIGSEGV", "SIGABRT"].contains(signal)
                #expect(exited.exit?.core_dumped == (dumps && hasCore), "\(behaviour)")
                #expect(exited.exit?.out_of_memory != true)
                #expect(exited.reason == "crash")
                try await fleet.event("ready", path, after: exited.seq)
            }
            try await fleet.stop()
            // Those that ended as asked said goodbye: no signal, code 0, and no crash.
            let last = apps.compactMap { fleet.events(of: "logs/streamers/\($0)", "exited").last }
            #expect(last.allSatisfy { $0.exit?.code == 0 && $0.exit?.signal == nil && $0.reason != "crash" })
        }
    }
}
