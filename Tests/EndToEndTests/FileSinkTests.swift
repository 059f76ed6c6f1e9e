// The promise of the file sink, on the built programs: every line once, whoever is killed.

import Foundation
import Testing
import WorkerHarness

/// A fleet's file, and what is in it.
struct SunkenFile {
    let path: String

    /// All of its lines, those of rotated files first.
    var lines: [String] {
        get throws {
            let folder = (path as NSString).deletingLastPathComponent
            let name = (path as NSString).lastPathComponent
            let rotated = try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasPrefix(name + ".") && $0.dropFirst(name.count + 1).allSatisfy(\.isNumber) }.sorted()
            let contents = try (rotated + [name]).map { file in
                try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            }
            return contents.joined().split(separator: "\n").map(String.init)
        }
    }

    /// The numbers of an app's lines, in the order of the file.
    func sequences(_ app: String) throws -> [Int] {
        FleetProcess.logLines(try lines).filter { $0.type == "log" && $0.app_name == app }.compactMap(\.sequence)
    }
}

@Suite("File sink, end to end", .serialized)
struct FileSinkTests {
    private static let apps = ["web", "api", "worker"]

    /// A fleet whose lines go to a file, too.
    private func fleet(_ stage: Stage, _ file: String, _ more: [String] = []) throws -> FleetProcess {
        try stage.fleet(
            [
                "--sink", "file:\(file)", "--max-restarts", "1000", "--max-seconds", "60", "--restart-backoff",
                "1ms..50ms",
            ]
                + more)
    }

    @Test("the file holds what stdout shows")
    func same() async throws {
        let stage = try await Stage.set(rate: 80)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let fleet = try fleet(stage, file.path)
        defer { fleet.dispose() }
        for app in Self.apps { try await fleet.line(app, atLeast: 5_100) }
        try await fleet.stop()
        #expect(try file.lines.sorted() == fleet.program.output.lines.sorted())
        for app in Self.apps { expectComplete(try file.sequences(app), repeatsAllowed: false, app) }
    }

    @Test(
        "whoever is killed with SIGKILL, the file has every line once",
        arguments: [
            ["sinks/file-1"], ["logs/streamers/web", "logs/streamers/api"], ["store"], ["sinks/file-1", "store"],
            ["store", "logs/streamers/web", "sinks/file-1", "sinks/console"], ["logs/registry"], ["tokens/registry"],
        ])
    func kills(paths: [String]) async throws {
        let stage = try await Stage.set(rate: 200)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let fleet = try fleet(stage, file.path)
        defer { fleet.dispose() }
        for app in Self.apps { try await fleet.line(app, atLeast: 5_050) }
        // One kill of a fixed process more, and the root would give up.
        for round in 1...3 {
            let mark = fleet.lastSequence
            let pids = try paths.map { try fleet.pid($0) }
            for pid in pids { kill(pid, SIGKILL) }
            for path in paths { try await fleet.event("ready", path, after: mark) }
            for app in Self.apps { try await fleet.line(app, atLeast: 5_050 + round * 100) }
        }
        try await fleet.stop()
        for app in Self.apps { expectComplete(try file.sequences(app), repeatsAllowed: false, app) }
    }

    @Test("a parent killed with SIGKILL and started again goes on where the file ends")
    func parentKilled() async throws {
        let stage = try await Stage.set(rate: 200)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        var reached = 5_050
        for _ in 1...4 {
            let fleet = try fleet(stage, file.path)
            defer { fleet.dispose() }
            for app in Self.apps { try await fleet.line(app, atLeast: reached) }
            fleet.program.send(SIGKILL)
            _ = try await fleet.program.end()
            reached = (fleet.sequences("web").max() ?? reached) + 50
        }
        let last = try fleet(stage, file.path)
        defer { last.dispose() }
        for app in Self.apps { try await last.line(app, atLeast: reached) }
        try await last.stop()
        for app in Self.apps { expectComplete(try file.sequences(app), repeatsAllowed: false, app) }
    }

    @Test("rotated files together hold every line once, whoever is killed meanwhile")
    func rotation() async throws {
        let stage = try await Stage.set(rate: 500)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let fleet = try fleet(stage, file.path, ["--rotate-size", "64KiB"])
        defer { fleet.dispose() }
        for round in 1...4 {
            for app in Self.apps { try await fleet.line(app, atLeast: 5_000 + round * 300) }
            let mark = fleet.lastSequence
            kill(try fleet.pid("sinks/file-1"), SIGKILL)
            try await fleet.event("ready", "sinks/file-1", after: mark)
        }
        try await fleet.stop()
        for app in Self.apps { expectComplete(try file.sequences(app), repeatsAllowed: false, app) }
        let rotated = try FileManager.default.contentsOfDirectory(atPath: stage.folder.path)
            .filter { $0.hasPrefix("fleet.ndjson.0") }
        #expect(rotated.count >= 2, "\(rotated)")
    }

    @Test("two files are written alike, also when one of them is killed")
    func twoFiles() async throws {
        let stage = try await Stage.set(rate: 200)
        defer { stage.dispose() }
        let first = SunkenFile(path: stage.folder.path + "/a")
        let second = SunkenFile(path: stage.folder.path + "/b")
        let fleet = try fleet(stage, first.path, ["--sink", "file:\(second.path)"])
        defer { fleet.dispose() }
        for app in Self.apps { try await fleet.line(app, atLeast: 5_100) }
        let mark = fleet.lastSequence
        kill(try fleet.pid("sinks/file-2"), SIGKILL)
        try await fleet.event("ready", "sinks/file-2", after: mark)
        for app in Self.apps { try await fleet.line(app, atLeast: 5_300) }
        try await fleet.stop()
        #expect(try first.lines == second.lines)
        for app in Self.apps { expectComplete(try first.sequences(app), repeatsAllowed: false, app) }
    }

    @Test("an explicit beginning replays to people, never to the file")
    func replay() async throws {
        let stage = try await Stage.set(rate: 100)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let first = try fleet(stage, file.path, ["--since", "10s"])
        defer { first.dispose() }
        for app in Self.apps { try await first.line(app, atLeast: 5_050) }
        try await first.stop()
        let before = try file.sequences("web")
        let second = try fleet(stage, file.path, ["--since", "1h"])
        defer { second.dispose() }
        let target = (before.last ?? 0) + 100
        for app in Self.apps { try await second.line(app, atLeast: target) }
        try await second.stop()
        for app in Self.apps {
            expectComplete(try file.sequences(app), repeatsAllowed: false, app)
            expectComplete(second.sequences(app), repeatsAllowed: false, app)
        }
        #expect((second.sequences("web").first ?? .max) <= (before.first ?? 0))
        #expect(try file.sequences("web").starts(with: before))
    }
}
