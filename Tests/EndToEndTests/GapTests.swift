// What cannot be had is said wherever it should have been: on the console, in the file, in the events.

import Foundation
import Testing
import WorkerHarness

/// A gap, as a line or as an event tells of it.
private struct ToldGap: Decodable, Hashable, Sendable {
    var from: String
    var to: String
    var reason: String

    /// Those among lines of JSON whose `key` is `gap`.
    static func all(_ lines: [String], _ key: String) -> [ToldGap] {
        lines.filter { $0.contains("\"\(key)\":\"gap\"") }.compactMap {
            try? JSONDecoder().decode(ToldGap.self, from: Data($0.utf8))
        }
    }
}

@Suite("Gaps, end to end", .serialized)
struct GapTests {
    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    private static func ago(days: Double) -> String { Date().addingTimeInterval(-days * 86_400).formatted(format) }

    private func fleet(_ stage: Stage, _ file: SunkenFile, _ more: [String]) throws -> FleetProcess {
        try stage.fleet(["--apps", "web", "--sink", "file:\(file.path)"] + more)
    }

    @Test("a cursor older than the retention is a gap on the console, in the file and in the events, once")
    func retention() async throws {
        let stage = try await Stage.set(
            apps: "web", rate: 20, ["--epoch", Self.ago(days: 10), "--max-lines", "200", "--retention", "480h"])
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let old = try fleet(stage, file, ["--since", Self.ago(days: 11), "--no-follow"])
        defer { old.dispose() }
        #expect(try await old.program.end() == .code(0))
        #expect(old.sequences("web") == Array(1...200))
        #expect(ToldGap.all(old.program.output.lines, "type").isEmpty)
        try stage.simulator.change(#"{"rate":100,"max_lines":300}"#)
        let new = try fleet(stage, file, [])
        defer { new.dispose() }
        try await new.line("web", atLeast: 300)
        try await new.stop()
        let told = ToldGap.all(new.program.output.lines, "type")
        let gap = try #require(told.first)
        #expect(told.count == 1 && gap.reason == "retention")
        #expect(new.logLines.first?.type == "gap" && new.sequences("web") == Array(201...300))
        #expect(ToldGap.all(new.program.errors.lines, "event") == told)
        #expect(new.events.contains { $0.event == "gap" && $0.path == "logs/streamers/web" })
        let from = try Date(gap.from, strategy: Self.format).timeIntervalSinceNow / -86_400
        let to = try Date(gap.to, strategy: Self.format).timeIntervalSinceNow / -86_400
        #expect((9.9...10.1).contains(from) && (6.99...7.01).contains(to), "from \(from) to \(to) days ago")
        let lines = try file.lines
        #expect(ToldGap.all(lines, "type") == told)
        #expect(lines.firstIndex { $0.contains(#""type":"gap""#) } == 200, "behind the lines before it")
        #expect(try file.sequences("web") == Array(1...300))
        try stage.simulator.change(#"{"rate":100,"max_lines":400}"#)
        let again = try fleet(stage, file, [])
        defer { again.dispose() }
        try await again.line("web", atLeast: 400)
        try await again.stop()
        #expect(ToldGap.all(again.program.output.lines, "type").isEmpty)
        #expect(ToldGap.all(again.program.errors.lines, "event").isEmpty)
        #expect(try ToldGap.all(file.lines, "type") == told)
        #expect(try file.sequences("web") == Array(1...400))
    }

    /// A time without the zeros that one may write at the end of its fraction and another not.
    private static func plain(_ time: String) -> String {
        String(time.reversed().drop { $0 == "Z" || $0 == "0" }.reversed())
    }

    /// The lines that share a moment with more than `most` others, by the time of that moment.
    private func crowds(_ stage: Stage, lines: Int, most: Int) throws -> [String: [Int]] {
        struct Fact: Decodable {
            var n: Int
            var timestamp: String
        }
        let answer = try LoopbackHTTP.request(
            port: stage.simulator.port, "GET", "/_sim/lines?app=web&from=1&count=\(lines)")
        let facts = answer.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(#"{"n":"#) }.compactMap {
            try? JSONDecoder().decode(Fact.self, from: Data($0.utf8))
        }
        #expect(facts.count == lines)
        return Dictionary(grouping: facts) { Self.plain($0.timestamp) }.filter { $0.value.count > most }
            .mapValues { $0.map(\.n).sorted() }
    }

    @Test(
        "a moment of more lines than a page holds is a gap on the console, in the file and in the events",
        arguments: [("inclusive", 100), ("exclusive", 100), ("inclusive", 20), ("exclusive", 20)])
    func pageLimit(cursor: String, pageSize: Int) async throws {
        let ties = ["--ties", "cut", "--tie-length", "150", "--tie-every", "400"]
        let stage = try await Stage.set(
            apps: "web", rate: 100, ties + ["--cursor", cursor, "--page-size", "\(pageSize)", "--max-lines", "1600"])
        defer { stage.dispose() }
        let crowds = try crowds(stage, lines: 1_600, most: pageSize)
        #expect(crowds.count == 4)
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let fleet = try fleet(stage, file, ["--since", "10m", "--no-follow"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        let beyond = Set(crowds.values.flatMap { $0.dropFirst(pageSize) })
        #expect(fleet.sequences("web") == (1...1_600).filter { !beyond.contains($0) })
        #expect(try file.sequences("web") == fleet.sequences("web"))
        let told = ToldGap.all(fleet.program.output.lines, "type")
        #expect(told.allSatisfy { $0.reason == "page_limit" })
        #expect(told.map { Self.plain($0.from) } == crowds.keys.sorted())
        #expect(try ToldGap.all(file.lines, "type") == told)
        #expect(ToldGap.all(fleet.program.errors.lines, "event") == told)
    }
}
