import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F9: what a worker says on stderr", .serialized)
    struct Stderr {
        private static let web = "logs/streamers/web"

        private func fleet(_ stage: Stage, _ behaviour: String) throws -> FleetProcess {
            try stage.fleet([
                "--libexec", try Libexec(stage.folder, behaviour: behaviour).path, "--heartbeat", "100ms/2s",
            ])
        }

        @Test(
            "F9: a burst before a crash is read to its end before the exit is told: the last line is in the event",
            arguments: [200, 64 * 1024, 1 << 20, 4 << 20])
        func burst(bytes: Int) async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let fleet = try fleet(stage, "flood_then_crash \(bytes) incarnations=1")
            defer { fleet.dispose() }
            let exited = try await fleet.event("exited", Self.web)
            #expect(exited.exit?.signal == "SIGSEGV")
            let words = try #require(exited.stderr)
            #expect(words.last?.hasSuffix("the last word") == true, "\(words)")
            let line = String(repeating: "f", count: 99)
            #expect(words.dropLast().allSatisfy { $0 == line }, "\(words)")
            #expect(words.count == min(5, bytes / 100 + 1))
            try await fleet.event("restarted", Self.web)
            try await fleet.stop()
        }

        @Test("F9: a worker that floods stderr is rate-limited, told so, not blocked, and its siblings flow on")
        func flood() async throws {
            let stage = try await Stage.set(rate: 50)
            defer { stage.dispose() }
            let fleet = try fleet(stage, "flood_stderr \(4 << 20)")
            defer { fleet.dispose() }
            let start = try await fleet.event("ready", Self.web)
            // It only answers pings and stops well once all of it was taken.
            try await fleet.line("api", atLeast: 1)
            try await fleet.line("api", atLeast: (fleet.sequences("api").max() ?? 0) + 100)
            #expect(fleet.events(of: Self.web, after: start.seq).isEmpty)
            let mark = fleet.lastSequence
            try await fleet.stop()
            let exited = try #require(fleet.events(of: Self.web, "exited", after: mark).first)
            #expect(exited.exit?.code == 0)
            let shown = fleet.program.errors.lines.filter { $0.contains(Self.web) && $0.contains("ffffffff") }
            let shownOf = shown.filter { !$0.hasPrefix("{") }.count
            let seconds = (exited.milliseconds - start.milliseconds) / 1000 + 2
            #expect((50...50 * seconds).contains(shownOf), "\(shownOf) lines in \(seconds) s")
            let counted = fleet.program.errors.lines.filter { $0.contains("further lines of its stderr") }
                .compactMap { line in line.split(separator: " ").compactMap { Int($0) }.first }
            #expect(shownOf + counted.reduce(0, +) == (4 << 20) / 100 + 1, "every line is shown or counted")
            expectComplete(fleet.sequences("api"), repeatsAllowed: false, "api")
        }
    }
}
