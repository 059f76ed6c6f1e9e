import Foundation
import Testing
import WorkerHarness

extension FailureModes.Crowds {
    @Suite("F10, F11: stops that meet starts, deaths and waits", .serialized)
    struct StopRaces {
        private static let web = "logs/streamers/web"

        /// Expects that the fleet ends well, leaves nobody, and started nobody once it began to stop.
        private func expectStops(_ fleet: FleetProcess, after mark: Int, _ moment: String) async throws {
            #expect(try await fleet.program.end() == .code(0), "\(moment)")
            #expect(fleet.left().isEmpty, "\(moment)")
            EventGrammar.expectSound(fleet.events)
            #expect(EventGrammar.unfinished(fleet.events) == [], "\(moment)")
            let events = fleet.events.filter { $0.seq > mark }
            try #require(events.contains { $0.event == "stopping" }, "\(moment)")
            // As with OTP: a group of the root's goes on, and restarts what it has, until it is its turn to stop, and
            // starts nobody from then on. What stops further down may be stopped to be started again.
            var stopped: Set<String> = []
            for event in events {
                if event.event == "stopping", !event.path.contains("/") { stopped.insert(event.path) }
                guard ["starting", "restarting"].contains(event.event) else { continue }
                for path in Self.meantBy(event.path) where stopped.contains(path) {
                    Issue.record("\(moment), \(path) was to stop: \(event)")
                }
            }
        }

        /// The paths whose stop forbids a start of `path`: that of its topmost group, and the root's if it is the root
        /// that would start it.
        private static func meantBy(_ path: String) -> [String] {
            let top = String(path.prefix { $0 != "/" })
            return top == path ? [top, "flyfleet"] : [top]
        }

        /// Starts so many fleets of some apps, one after the other on one state directory.
        private func fleets(
            _ count: Int, of apps: [String], rate: Double, _ body: (FleetProcess) async throws -> Void
        ) async throws {
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: rate)
            defer { stage.dispose() }
            for _ in 1...count {
                let fleet = try stage.fleet(["--apps", names])
                defer { fleet.dispose() }
                try await body(fleet)
            }
        }

        @Test("F10: a stop during the start is obeyed, whatever was being started")
        func whileStarting() async throws {
            var random = TestRandom("stop while starting")
            try await fleets(5, of: manyApps(20), rate: 1) { fleet in
                let moment = Int.random(in: 1...50, using: &random)
                try await fleet.events("event \(moment)") { $0.count >= moment }
                fleet.program.send(SIGTERM)
                try await expectStops(fleet, after: 0, "at event \(moment)")
            }
        }

        @Test("F10: workers that are killed while everything stops are not replaced")
        func killedWhileStopping() async throws {
            var random = TestRandom("kill while stopping")
            let apps = manyApps(10)
            try await fleets(3, of: apps, rate: 5) { fleet in
                for app in apps { try await fleet.line(app, atLeast: 1) }
                let victims = Processes.children(of: fleet.program.pid).values.sorted().shuffled(using: &random)
                let mark = fleet.lastSequence
                fleet.program.send(SIGTERM)
                try await fleet.events("its stop") { $0.contains { $0.seq > mark && $0.event == "stopping" } }
                for pid in victims.prefix(12) where ProcessEntry(pid)?.parent == fleet.program.pid {
                    kill(pid, SIGKILL)
                }
                try await expectStops(fleet, after: mark, "of \(victims.prefix(12))")
            }
        }

        @Test("F10: a stop during a backoff waits for nobody")
        func whileWaiting() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "crash_after_ready 9")
            let fleet = try stage.fleet(["--libexec", libexec.path, "--restart-backoff", "1h..2h"])
            defer { fleet.dispose() }
            let backoff = try await fleet.event("backoff", Self.web)
            fleet.program.send(SIGTERM)
            try await expectStops(fleet, after: backoff.seq, "during a backoff")
        }

        @Test("F10: a second interrupt ends at once what a first one waits for")
        func secondInterrupt() async throws {
            let apps = manyApps(5)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "ignore_stop", apps: apps)
            let fleet = try stage.fleet(["--apps", names, "--libexec", libexec.path, "--stop-grace", "1h"])
            defer { fleet.dispose() }
            for app in apps { try await fleet.event("ready", "logs/streamers/\(app)") }
            let mark = fleet.lastSequence
            fleet.program.send(SIGINT)
            for app in apps { try await fleet.event("stopping", "logs/streamers/\(app)", after: mark) }
            fleet.program.send(SIGINT)
            try await expectStops(fleet, after: mark, "at the second interrupt")
            let exits = fleet.events.filter { $0.event == "exited" && $0.path.hasPrefix("logs/streamers/") }
            #expect(exits.count == 5 && exits.allSatisfy { $0.exit?.signal == "SIGKILL" })
        }

        @Test(
            "F10: a child that is gone before its parent looks is an exit like any other, and none is lost",
            arguments: [("#!/bin/false\n", 1), ("#!/nonexistent/interpreter\n", nil)])
        func goneAtOnce(script: String, code: Int?) async throws {
            let apps = manyApps(10)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 1)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "good")
            try FileManager.default.removeItem(atPath: libexec.path + "/flyfleet-streamer")
            try stage.folder.write("libexec/flyfleet-streamer", script, executable: true)
            let fleet = try stage.fleet([
                "--apps", names, "--libexec", libexec.path, "--restart-backoff", "5ms..20ms", "--max-restarts", "10000",
            ])
            defer { fleet.dispose() }
            try await fleet.events("200 exits") { $0.count { $0.event == "exited" } >= 200 }
            let mark = fleet.lastSequence
            let exits = fleet.events.filter { $0.event == "exited" }
            #expect(exits.allSatisfy { $0.exit?.code == code && $0.exit?.signal == nil && $0.uptime_ms == nil })
            #expect(!fleet.events.contains { $0.event == "ready" && $0.path.hasPrefix("logs/streamers/") })
            fleet.program.send(SIGTERM)
            #expect(try await fleet.program.end() == .code(0))
            EventGrammar.expectSound(fleet.events)
            #expect(EventGrammar.unfinished(fleet.events) == [])
            #expect(fleet.lastSequence > mark)
        }

        @Test("F11: a stop that is asked for while 200 workers are being spawned is obeyed before all are there")
        func whileSpawning() async throws {
            let apps = manyApps(200)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 1)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "good", apps: apps)
            // The first of them asks.
            try FileManager.default.removeItem(atPath: libexec.path + "/flyfleet-streamer")
            let script = """
                #!/bin/sh
                if [ "$2" = logs/streamers/a01 ]; then kill -TERM "$FLYFLEET_PARENT_PID"; fi
                exec \(Built.path("flyfleet-streamer")) "$@"

                """
            try stage.folder.write("libexec/flyfleet-streamer", script, executable: true)
            let fleet = try stage.fleet(["--apps", names, "--libexec", libexec.path])
            defer { fleet.dispose() }
            try await expectStops(fleet, after: 0, "while spawning")
            let streamers = fleet.events.filter { $0.path.hasPrefix("logs/streamers/") }
            let spawned = Set(streamers.filter { $0.event == "exited" && $0.pid != nil }.map(\.path)).count
            #expect((1..<200).contains(spawned), "\(spawned) were spawned")
        }
    }
}
