// More lines within the overlap than a Streamer remembers, on the built programs.

import Foundation
import Testing
import WorkerHarness

@Suite("Full memory, end to end", .serialized)
struct FullMemoryTests {
    @Test("is said once, and costs no line of a server without late ones")
    func fullMemory() async throws {
        let lines = 160_000
        // All of them within ten seconds, the better part of a minute ago.
        let stage = try await Stage.set(
            apps: "web", rate: 16_000, ["--max-lines", "\(lines)", "--page-size", "5000"])
        defer { stage.dispose() }
        // However slowly they are read, none of them is settled meanwhile.
        let flags = ["--apps", "web", "--overlap", "5m", "--no-follow"]
        let fleet = try stage.fleet(flags + ["--since", "10m"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end(seconds: 120) == .code(0))
        let sequences = fleet.program.output.lines.compactMap { line in
            line.range(of: "seq=", options: .backwards).flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
        #expect(sequences == Array(1...lines))
        #expect(fleet.complaints("lines within the overlap: lines that appear late may be missed") == 1)
        #expect(fleet.complaints("could not") == 0)
        // What was given up is not read again, and the rest is known again.
        let before = try stage.simulator.count("200")
        let again = try stage.fleet(flags)
        defer { again.dispose() }
        #expect(try await again.program.end(seconds: 120) == .code(0))
        #expect(again.program.output.lines.isEmpty)
        #expect((15...35).contains(try stage.simulator.count("200") - before))
    }
}
