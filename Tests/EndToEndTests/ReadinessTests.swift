import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F6: the status never lies", .serialized)
    struct Readiness {
        private static let web = "logs/streamers/web"

        @Test("F6: a worker that never says ready is killed at the start timeout, and never was ready")
        func startTimeout() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "never_ready")
            let fleet = try stage.fleet([
                "--libexec", libexec.path, "--start-timeout", "500ms", "--restart-backoff", "50ms..1s",
            ])
            defer { fleet.dispose() }
            let killed = try await fleet.events(3, "killed", of: Self.web)
            #expect(killed.allSatisfy { $0.reason == "start_timeout" })
            let starts = fleet.events(of: Self.web, "starting")
            for (start, end) in zip(starts, killed) { #expect(end.milliseconds - start.milliseconds >= 495) }
            let exits = fleet.events(of: Self.web, "exited")
            #expect(exits.allSatisfy { $0.exit?.signal == "SIGKILL" && $0.reason == "crash" && $0.uptime_ms == nil })
            let names = Set(fleet.events(of: Self.web).map(\.event))
            #expect(names.isSubset(of: ["starting", "killed", "exited", "restarting", "backoff"]), "\(names)")
            for app in ["api", "worker"] { try await fleet.line(app, atLeast: 1) }
            try await fleet.stop()
            EventGrammar.expectSound(fleet.events)
        }

        @Test("F6: without a start timeout a worker may take its time, and is not ready meanwhile")
        func noTimeout() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "never_ready")
            let limits = ["--start-timeout", "off", "--heartbeat", "50ms/200ms"]
            let fleet = try stage.fleet(["--libexec", libexec.path] + limits)
            defer { fleet.dispose() }
            let first = try await fleet.event("starting", Self.web)
            // Long after a heartbeat would have ended it.
            try await fleet.line("api", atLeast: 1)
            try await fleet.line("api", atLeast: (fleet.sequences("api").max() ?? 0) + 5)
            #expect(fleet.events(of: Self.web) == [first])
            try await fleet.stop()
        }

        @Test(
            "F6: a start that fails is an exit without an uptime, never ready and never restarted",
            arguments: ["exit_before_ready 3", "crash_before_ready 6"])
        func failedStart(behaviour: String) async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: behaviour)
            let fleet = try stage.fleet(["--libexec", libexec.path, "--restart-backoff", "10ms..50ms"])
            defer { fleet.dispose() }
            let exits = try await fleet.events(5, "exited", of: Self.web)
            for exit in exits {
                #expect(exit.uptime_ms == nil)
                #expect(exit.reason == "crash")
                #expect(exit.exit?.code == 3 || exit.exit?.signal == "SIGABRT")
            }
            #expect(fleet.events(of: Self.web, "ready", "restarted").isEmpty)
            #expect(fleet.events(of: Self.web, "restarting").count >= 4, "each attempt has its cause")
            try await fleet.stop()
        }
    }
}
