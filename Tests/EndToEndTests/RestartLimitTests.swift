import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F2: limits that trip where they should", .serialized)
    struct RestartLimits {
        private static let web = "logs/streamers/web"
        private static let group = "logs/streamers"

        @Test("F2: one bad app among 20 is retried ever more slowly and takes nobody down")
        func oneBadApp() async throws {
            let others = manyApps(19)
            let names = (others + ["web"]).joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "crash_after_ready 11")
            let fleet = try stage.fleet(["--apps", names, "--libexec", libexec.path])
            defer { fleet.dispose() }
            for app in others { try await fleet.line(app, atLeast: 1) }
            let before = Processes.children(of: fleet.program.pid)
            let delays = try await fleet.events(5, "backoff", of: Self.web).compactMap(\.delay_ms)
            #expect(delays.count == 5 && delays[4] >= 8 * delays[0], "\(delays)")
            let after = Processes.children(of: fleet.program.pid)
            for (path, pid) in before where path != Self.web { #expect(after[path] == pid, "\(path) changed") }
            #expect(before.count { $0.key != Self.web } == 5 + 2 * others.count)
            #expect(!fleet.events.contains { $0.event == "gave_up" })
            #expect(!fleet.events.contains { $0.event == "exited" && $0.path != Self.web })
            try await fleet.stop()
        }

        /// A fleet whose worker `web` dies at moments of its own; three restarts in one second are allowed.
        private func fleet(_ stage: Stage, _ behaviour: String) throws -> FleetProcess {
            let libexec = try Libexec(stage.folder, behaviour: behaviour)
            return try stage.fleet([
                "--libexec", libexec.path, "--restart-backoff", "off", "--max-restarts", "3", "--max-seconds", "1",
            ])
        }

        @Test("F2: the window slides: two bursts on both sides of a seam are counted together")
        func acrossTheSeam() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            // Deaths at about 0, 800, 900, 1100, 1200 ms: a window that began with the first would have ended at 1000.
            let uptimes = [1, 800, 100, 200, 100]
            let lines = uptimes.enumerated().map { "crash_later \($1) incarnations=\($0 + 1)" }
            let fleet = try fleet(stage, lines.joined(separator: "\n"))
            defer { fleet.dispose() }
            let gaveUp = try await fleet.event("gave_up", Self.group)
            #expect(gaveUp.cause == Self.web)
            let exits = fleet.events(of: Self.web, "exited").filter { $0.seq < gaveUp.seq }
            #expect(exits.map(\.incarnation) == [1, 2, 3, 4, 5])
            try await fleet.event("ready", Self.web, after: gaveUp.seq)
            try await fleet.stop()
        }

        @Test("F2: two bursts further apart than the window are two bursts")
        func apart() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let lives = [(1, until: 3), (1_100, until: 4), (1, until: 6)]
            let lines = lives.map { "crash_later \($0) incarnations=\($1)" }
            let fleet = try fleet(stage, lines.joined(separator: "\n"))
            defer { fleet.dispose() }
            try await fleet.events("the seventh start") { events in
                events.contains { $0.path == Self.web && $0.event == "ready" && $0.incarnation == 7 }
            }
            #expect(fleet.events.compactMap(\.restarts_in_window) == [1, 2, 3, 1, 2, 3])
            #expect(!fleet.events.contains { $0.event == "gave_up" })
            try await fleet.stop()
        }

        @Test("F2: the window of a group is shared: whoever dies last trips it, and all come back")
        func shared() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let fleet = try stage.fleet(["--restart-backoff", "off", "--max-restarts", "4", "--max-seconds", "60"])
            defer { fleet.dispose() }
            for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 1) }
            let outside = Processes.children(of: fleet.program.pid).filter { !$0.key.hasPrefix("logs") }
            for (count, app) in ["web", "api", "web", "api"].enumerated() {
                let mark = fleet.lastSequence
                kill(try fleet.pid("\(Self.group)/\(app)"), SIGKILL)
                let restarting = try await fleet.event("restarting", "\(Self.group)/\(app)", after: mark)
                #expect(restarting.restarts_in_window == count + 1)
                #expect(restarting.max_restarts == 4)
                try await fleet.event("restarted", "\(Self.group)/\(app)", after: mark)
            }
            let mark = fleet.lastSequence
            kill(try fleet.pid("\(Self.group)/worker"), SIGKILL)
            let gaveUp = try await fleet.event("gave_up", Self.group, after: mark)
            #expect(gaveUp.cause == "\(Self.group)/worker")
            for app in ["web", "api", "worker"] { try await fleet.event("ready", "\(Self.group)/\(app)", after: mark) }
            let after = Processes.children(of: fleet.program.pid)
            for (path, pid) in outside { #expect(after[path] == pid, "\(path) changed") }
            try await fleet.stop()
            EventGrammar.expectSound(fleet.events)
        }
    }
}
