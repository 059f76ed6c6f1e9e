// Runs that end by themselves, and what is chosen to be read, on the built programs.

import Foundation
import Testing
import WorkerHarness

@Suite("Finite runs and choices, end to end", .serialized)
struct FiniteRunTests {
    @Test("no-follow ends when it has caught up, exit code 0")
    func noFollow() async throws {
        let stage = try await Stage.set(rate: 50)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--no-follow", "--since", "10s"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        for app in ["web", "api", "worker"] {
            let sequences = fleet.sequences(app)
            expectComplete(sequences, repeatsAllowed: false, app)
            #expect(sequences.count >= 450, "\(sequences.count) lines of 10 s at 50/s")
        }
        #expect(!fleet.events.contains { $0.event == "restarting" })
    }

    @Test("an end in the past ends the run there")
    func until() async throws {
        let stage = try await Stage.set(rate: 50)
        defer { stage.dispose() }
        let now = Date()
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let fleet = try stage.fleet([
            "--since", now.addingTimeInterval(-60).formatted(format), "--until",
            now.addingTimeInterval(-30).formatted(format),
        ])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        for app in ["web", "api", "worker"] {
            let sequences = fleet.sequences(app)
            expectComplete(sequences, repeatsAllowed: false, app)
            #expect((1_350...1_650).contains(sequences.count), "\(sequences.count) lines of 30 s at 50/s")
        }
    }

    @Test("tail begins with the newest lines", arguments: [5, 350])
    func tail(count: Int) async throws {
        let stage = try await Stage.set(rate: 20)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--no-follow", "--tail", "\(count)", "--apps", "web"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        let sequences = fleet.sequences("web")
        expectComplete(sequences, repeatsAllowed: false, "web")
        // Lines that came while it looked are shown too.
        #expect(sequences.count >= count && sequences.count <= count + 100, "\(sequences.count) lines")
    }

    @Test("expressions choose lines")
    func patterns() async throws {
        let stage = try await Stage.set(rate: 50)
        defer { stage.dispose() }
        let fleet = try stage.fleet([
            "--no-follow", "--since", "20s", "--include", "seq=\\d*7\\b", "--exclude", "seq=\\d*17\\b",
        ])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        let sequences = fleet.sequences("web")
        #expect(sequences.count > 50)
        #expect(sequences.allSatisfy { $0 % 10 == 7 && $0 % 100 != 17 })
    }

    @Test("an expression that is none is a usage error", arguments: ["--include", "--exclude", "--highlight"])
    func badPattern(flag: String) async throws {
        let folder = try TemporaryFolder()
        let fleet = try FleetProcess(["--apps", "web", "--state-dir", folder.path, flag, "a(b"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(64))
        try await fleet.complaint(flag, "a(b")
    }
}
