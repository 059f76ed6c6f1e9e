// Which lines are shown: filters on the built programs, judged by what the same log holds without them.

import Foundation
import Testing
import WorkerHarness

/// A line as the filters see it.
private struct ShownLine: Decodable, Equatable, Sendable {
    var provider: String
    var level: String
    var message: String

    var sequence: Int { LogLine(type: "log", app_name: "web", message: message).sequence ?? 0 }

    static func all(_ fleet: FleetProcess) throws -> [ShownLine] {
        try fleet.program.output.lines.map { try JSONDecoder().decode(ShownLine.self, from: Data($0.utf8)) }
    }
}

/// Flags and what they are to let through.
struct Selection: CustomTestStringConvertible, Sendable {
    let flags: [String]
    fileprivate let lets: @Sendable (ShownLine) -> Bool

    var testDescription: String { flags.joined(separator: " ") }

    static let all = [
        Selection(flags: ["--provider", "proxy"]) { $0.provider == "proxy" },
        Selection(flags: ["--provider", "proxy,runner"]) { $0.provider != "app" },
        Selection(flags: ["--level", "error"]) { $0.level == "error" },
        Selection(flags: ["--level", "Error,WARNING"]) { $0.level == "error" || $0.level == "warn" },
        Selection(flags: ["--provider", "runner", "--level", "info"]) {
            $0.provider == "runner" && $0.level == "info"
        },
        Selection(flags: ["--provider", "runner", "--include", "passing", "--exclude", #"seq=\d*[13579]\b"#]) {
            $0.provider == "runner" && $0.message.contains("passing") && $0.sequence % 2 == 0
        },
        Selection(flags: ["--level", "info", "--exclude", "GET"]) { $0.level == "info" && !$0.message.contains("GET") },
        Selection(
            flags: ["--provider", "app,proxy", "--level", "info,warn,error", "--include", "GET", "--include", "POST"]
        ) {
            $0.provider != "runner" && $0.level != "debug"
                && ($0.message.contains("GET") || $0.message.contains("POST"))
        },
    ]
}

@Suite("Selections, end to end", .serialized)
struct SelectionTests {
    /// A log of so many lines that came a while ago.
    private static func stage(lines: Int = 1_500) async throws -> Stage {
        try await Stage.set(apps: "web", rate: 50, ["--max-lines", "\(lines)"])
    }

    /// Reads the log to its end.
    private static func read(_ stage: Stage, _ flags: [String]) async throws -> [ShownLine] {
        let fleet = try stage.fleet(["--apps", "web", "--no-follow"] + flags)
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(0))
        return try ShownLine.all(fleet)
    }

    @Test("only the lines that were asked for come, all of them, in order", arguments: Selection.all)
    func selects(selection: Selection) async throws {
        let stage = try await Self.stage()
        defer { stage.dispose() }
        let all = try await Self.read(stage, ["--since", "10m"])
        #expect(all.map(\.sequence) == Array(1...1_500))
        let wanted = all.filter(selection.lets)
        #expect(!wanted.isEmpty && wanted.count < all.count, "the log is no test for this")
        #expect(try await Self.read(stage, ["--since", "10m"] + selection.flags) == wanted)
    }

    @Test(
        "where nothing passes the run ends all the same, the cursor moves, and nothing is read again",
        arguments: [["--level", "critical"], ["--provider", "nobody"], ["--include", "seq=0"]])
    func nothingPasses(flags: [String]) async throws {
        let stage = try await Self.stage()
        defer { stage.dispose() }
        #expect(try await Self.read(stage, ["--since", "10m", "--overlap", "1s"] + flags).isEmpty)
        let before = try stage.simulator.count("200")
        #expect(before >= 15)
        // What the filter left out was read, and stays so without one.
        #expect(try await Self.read(stage, ["--overlap", "1s"]).isEmpty)
        #expect(try stage.simulator.count("200") - before <= 5)
        try stage.simulator.change(#"{"rate":200,"max_lines":1700}"#)
        let fleet = try stage.fleet(["--apps", "web", "--overlap", "1s"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1_700)
        try await fleet.stop()
        #expect(fleet.sequences("web") == Array(1_501...1_700))
    }

    @Test("in a file, too, every wanted line stands once, whoever is killed")
    func wantedOnceInAFile() async throws {
        let stage = try await Stage.set(apps: "web", rate: 300)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let flags = ["--apps", "web", "--sink", "file:\(file.path)", "--provider", "proxy,runner", "--since", "10m"]
        var reached = 18_000
        for _ in 1...3 {
            let fleet = try stage.fleet(flags)
            defer { fleet.dispose() }
            try await fleet.line("web", atLeast: reached)
            let mark = fleet.lastSequence
            kill(try fleet.pid("logs/streamers/web"), SIGKILL)
            try await fleet.event("ready", "logs/streamers/web", after: mark)
            fleet.program.send(SIGKILL)
            _ = try await fleet.program.end()
            reached = try stage.simulator.emission("web").emitted
        }
        try stage.simulator.change(#"{"rate":0}"#)
        let last = try stage.fleet(flags + ["--no-follow"])
        defer { last.dispose() }
        #expect(try await last.program.end() == .code(0))
        let judge = try FleetProcess(
            [
                "--api-url", stage.simulator.url, "--state-dir", stage.folder.path + "/judge", "--output", "json",
                "--apps", "web", "--no-follow", "--since", "10m",
            ], environment: ["FLY_ACCESS_TOKEN": stage.simulator.token])
        defer { judge.dispose() }
        #expect(try await judge.program.end(seconds: 60) == .code(0))
        let wanted = try ShownLine.all(judge).filter { $0.provider != "app" }.map(\.sequence)
        #expect(wanted.count > 1_000)
        #expect(try file.sequences("web") == wanted)
    }
}
