// The API as different people saw it: under each reading every line arrives once, late ones behind later ones.

import Foundation
import Testing
import WorkerHarness

/// One way in which the API may behave.
struct Reading: CustomTestStringConvertible, Sendable {
    let name: String
    let flags: [String]

    var testDescription: String { name }

    static let late = ["--late-share", "0.1", "--late-by", "1s"]
    static let ties = ["--tie-length", "150", "--tie-every", "400"]
    static let repeats = ["--repeat-share", "0.1"]
    static let exclusive = ["--cursor", "exclusive"]
    static let numbers = ["--token-form", "number", "--empty-token", "same"]

    static let all = [
        Reading(name: "exclusive cursor", flags: exclusive),
        Reading(name: "numbers as tokens, the same one on an empty page", flags: numbers + exclusive),
        Reading(name: "repeated ids", flags: repeats),
        Reading(name: "150 records in one nanosecond", flags: ties),
        Reading(name: "150 records in one nanosecond, exclusive cursor", flags: ties + exclusive),
        Reading(
            name: "a nanosecond that pages cut, but not for good",
            flags: ties + ["--ties", "cut", "--page-size", "200"]),
        Reading(name: "late lines", flags: late),
        Reading(name: "small pages", flags: ["--page-size", "20"]),
        Reading(name: "compressed pages", flags: ["--gzip"]),
        Reading(name: "all at once", flags: late + ties + repeats + numbers + ["--gzip"]),
        Reading(name: "all at once, exclusive cursor", flags: late + ties + repeats + numbers + exclusive),
    ]
}

@Suite("Readings of the API", .serialized)
struct WeatherReadingTests {
    @Test("every line once, in either dialect", arguments: Reading.all, ["platform", "machines"])
    func reads(reading: Reading, dialect: String) async throws {
        let stage = try await Stage.set(apps: "web", rate: 60, reading.flags)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web", "--dialect", dialect, "--overlap", "2s", "--since", "10s"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 3_720)
        try stage.simulator.change(#"{"rate":0}"#)
        let last = try #require(stage.simulator.emission("web").last)
        // A repeated record from just before the place where reading began may come, too.
        let first = try #require(fleet.sequences("web").min()) + 5
        try await fleet.program.output.wait("all lines to \(last)", seconds: 15) { lines in
            lines.count >= last - first + 1
                && Set(FleetProcess.logLines(lines).compactMap(\.sequence)).isSuperset(of: first...last)
        }
        try await fleet.stop()
        let sequences = fleet.sequences("web")
        #expect(sequences.count == Set(sequences).count, "repeated \(sequences.count - Set(sequences).count)")
        if !reading.flags.contains("--late-share") { #expect(sequences == sequences.sorted(), "out of order") }
        #expect(fleet.complaints("could not") == 0)
    }
}
