import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F10: hangs", .serialized)
    struct Hangs {
        @Test("F10: a child of any kind that is stopped by SIGSTOP is noticed by its silence and replaced")
        func everyKind() async throws {
            let folder = try TemporaryFolder()
            let fleet = try FleetProcess([
                "--sandbox", "--output", "json", "--state-dir", folder.path, "--poll-interval", "100ms", "--heartbeat",
                "150ms/900ms",
            ])
            defer { fleet.dispose() }
            let apps = ["web", "api", "worker"]
            for app in apps { try await fleet.line(app, atLeast: 1) }
            // Together only those whose replacement takes none of the others with it.
            let rounds = [
                ["store", "sinks/console", "tokens/servers/web", "logs/streamers/api"],
                ["tokens/table", "logs/registry"], ["tokens/registry", "sandbox"],
            ]
            for victims in rounds {
                let mark = fleet.lastSequence
                let pids = try victims.map { try fleet.pid($0) }
                for pid in pids { kill(pid, SIGSTOP) }
                for (path, pid) in zip(victims, pids) {
                    let killed = try await fleet.event("killed", path, after: mark)
                    #expect(killed.reason == "heartbeat" && killed.pid == pid, "\(killed)")
                    let exited = try await fleet.event("exited", path, after: killed.seq)
                    #expect(exited.exit?.signal == "SIGKILL" && exited.reason == "crash")
                    let ready = try await fleet.event("ready", path, after: exited.seq)
                    #expect(ready.pid != pid)
                }
                for app in apps {
                    try await fleet.event("ready", "tokens/servers/\(app)")
                    try await fleet.line(app, atLeast: (fleet.sequences(app).max() ?? 0) + 5)
                }
            }
            let killed = fleet.events.filter { $0.event == "killed" }.map(\.path)
            #expect(killed.sorted() == rounds.flatMap { $0 }.sorted(), "nobody else was killed")
            try await fleet.stop()
            for app in apps { expectComplete(fleet.sequences(app), repeatsAllowed: true, app) }
            EventGrammar.expectSound(fleet.events)
        }
    }
}
