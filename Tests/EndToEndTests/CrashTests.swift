import Foundation
import Testing
import WorkerHarness

@Suite("Killing processes", .serialized)
struct CrashTests {
    private static let apps = ["web", "api", "worker"]

    private func running(_ stage: Stage, _ more: [String] = []) async throws -> FleetProcess {
        let fleet = try stage.fleet(more)
        for app in Self.apps { try await fleet.line(app, atLeast: 1) }
        return fleet
    }

    private func latest(_ fleet: FleetProcess, _ app: String) -> Int { fleet.sequences(app).max() ?? 0 }

    @Test("a killed Streamer is replaced, its siblings keep their pids, its stream goes on from its cursor")
    func streamer() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try await running(stage)
        defer { fleet.dispose() }
        let before = Processes.children(of: fleet.program.pid)
        let mark = fleet.lastSequence
        kill(try #require(before["logs/streamers/web"]), SIGKILL)
        let exited = try await fleet.event("exited", "logs/streamers/web", after: mark)
        #expect(exited.exit?.signal == "SIGKILL")
        #expect(exited.reason == "crash")
        try await fleet.event("restarted", "logs/streamers/web", after: mark)
        let after = Processes.children(of: fleet.program.pid)
        #expect(after["logs/streamers/web"] != before["logs/streamers/web"])
        for (path, pid) in before where path != "logs/streamers/web" { #expect(after[path] == pid, "\(path) changed") }
        try await fleet.line("web", atLeast: latest(fleet, "web") + 100)
        try await fleet.stop()
        expectComplete(fleet.sequences("web"), repeatsAllowed: true, "web")
        expectComplete(fleet.sequences("api"), repeatsAllowed: false, "api")
    }

    @Test("a killed AppServer is replaced and nobody else notices")
    func appServer() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try await running(stage)
        defer { fleet.dispose() }
        let before = Processes.children(of: fleet.program.pid)
        let mark = fleet.lastSequence
        kill(try #require(before["tokens/servers/api"]), SIGKILL)
        try await fleet.event("restarted", "tokens/servers/api", after: mark)
        let after = Processes.children(of: fleet.program.pid)
        for (path, pid) in before where path != "tokens/servers/api" { #expect(after[path] == pid, "\(path) changed") }
        try await fleet.line("api", atLeast: latest(fleet, "api") + 50)
        try await fleet.stop()
        expectComplete(fleet.sequences("api"), repeatsAllowed: false, "api")
    }

    @Test(
        "a killed leaf of a rest_for_one group takes those after it with it, in order, and nobody else",
        arguments: [
            ("tokens/table", ["tokens/table", "tokens/servers"]),
            ("tokens/registry", ["tokens/registry", "tokens/table", "tokens/servers"]),
            ("logs/registry", ["logs/registry", "logs/streamers"]),
        ])
    func restForOne(victim: String, expected: [String]) async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try await running(stage)
        defer { fleet.dispose() }
        let before = Processes.children(of: fleet.program.pid)
        let mark = fleet.lastSequence
        kill(try #require(before[victim]), SIGKILL)
        for path in expected { try await fleet.event("ready", path, after: mark) }
        // What the group had comes back with it.
        let group = try #require(expected.last)
        for app in Self.apps { try await fleet.event("ready", "\(group)/\(app)", after: mark) }
        let after = Processes.children(of: fleet.program.pid)
        for (path, pid) in before {
            let isDue = expected.contains { path == $0 || path.hasPrefix($0 + "/") }
            if isDue {
                #expect(after[path] != nil && after[path] != pid, "\(path) was not replaced")
            } else {
                #expect(after[path] == pid, "\(path) changed")
            }
        }
        let starts = fleet.events.filter { $0.seq > mark && $0.event == "ready" && expected.contains($0.path) }
        #expect(starts.map(\.path) == expected)
        for app in Self.apps { try await fleet.line(app, atLeast: latest(fleet, app) + 50) }
        try await fleet.stop()
        for app in Self.apps { expectComplete(fleet.sequences(app), repeatsAllowed: true, app) }
    }

    @Test(
        "the death of the store, the sink or the sandbox loses no line",
        arguments: ["store", "sinks/console", "sandbox"])
    func others(victim: String) async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet: FleetProcess
        if victim == "sandbox" {
            fleet = try FleetProcess([
                "--sandbox", "--output", "json", "--state-dir", stage.folder.path, "--poll-interval", "100ms",
            ])
            for app in Self.apps { try await fleet.line(app, atLeast: 1) }
        } else {
            fleet = try await running(stage)
        }
        defer { fleet.dispose() }
        let before = Processes.children(of: fleet.program.pid)
        let mark = fleet.lastSequence
        kill(try #require(before[victim]), SIGKILL)
        try await fleet.event("restarted", victim, after: mark)
        let after = Processes.children(of: fleet.program.pid)
        for (path, pid) in before where path != victim { #expect(after[path] == pid, "\(path) changed") }
        for app in Self.apps { try await fleet.line(app, atLeast: latest(fleet, app) + 20) }
        try await fleet.stop()
        for app in Self.apps { expectComplete(fleet.sequences(app), repeatsAllowed: true, app) }
    }

    @Test("after kill -9 of the parent every child is gone within a second, and a new start goes on without a gap")
    func parent() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let first = try await running(stage)
        defer { first.dispose() }
        let children = Processes.children(of: first.program.pid)
        #expect(children.count == 11)
        kill(first.program.pid, SIGKILL)
        for (path, pid) in children {
            #expect(Processes.awaitEnd(of: pid, seconds: 1), "\(path) outlived its parent")
        }
        #expect(try await first.program.end() == .signal(SIGKILL))
        let second = try await running(stage)
        defer { second.dispose() }
        for app in Self.apps { try await second.line(app, atLeast: latest(first, app) + 100) }
        try await second.stop()
        for app in Self.apps {
            expectComplete(first.sequences(app) + second.sequences(app), repeatsAllowed: true, app)
        }
    }

    @Test("the 21st death within the window makes a group give up; its parent refills it from the declared apps")
    func groupGivesUp() async throws {
        let stage = try await Stage.set(apps: "web,api")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web,api", "--restart-backoff", "off"])
        defer { fleet.dispose() }
        for app in ["web", "api"] { try await fleet.line(app, atLeast: 1) }
        let registry = try fleet.pid("logs/registry")
        var mark = 0
        for death in 1...20 {
            let ready = try await fleet.event("ready", "logs/streamers/web", after: mark)
            mark = ready.seq
            kill(try #require(ready.pid), SIGKILL)
            let restarting = try await fleet.event("restarting", "logs/streamers/web", after: mark)
            #expect(restarting.restarts_in_window == death)
        }
        let last = try await fleet.event("ready", "logs/streamers/web", after: mark)
        kill(try #require(last.pid), SIGKILL)
        let gaveUp = try await fleet.event("gave_up", "logs/streamers", after: last.seq)
        #expect(gaveUp.max_restarts == 20)
        for app in ["web", "api"] { try await fleet.event("ready", "logs/streamers/\(app)", after: gaveUp.seq) }
        #expect(try fleet.pid("logs/registry") == registry)
        for app in ["web", "api"] { try await fleet.line(app, atLeast: latest(fleet, app) + 20) }
        try await fleet.stop()
        for app in ["web", "api"] { expectComplete(fleet.sequences(app), repeatsAllowed: true, app) }
    }
}
