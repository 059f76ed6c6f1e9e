// `flyfleet-store --history` as a process: what it prints, what it says when there is nothing, and that it disturbs nobody.

import EventLoop
import Foundation
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("HistoryCommand") struct HistoryCommandTests {
    private struct Outcome: Equatable {
        var code: Int32
        var output: String
        var errors: String
    }

    private let folder: TemporaryFolder
    private let directory: String

    init() throws {
        folder = try TemporaryFolder()
        directory = folder.path
    }

    private func run(_ arguments: String..., directory: String? = nil) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestedWorker.builtProgram("flyfleet-store"))
        process.arguments = ["--history", directory ?? self.directory] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(code: process.terminationStatus, output: text, errors: words)
    }

    private func record(_ records: [ExitRecord]) throws {
        let storage = try SQLiteStorage.open(directory: directory)
        for start in stride(from: 0, to: records.count, by: 100) {
            let batch = Array(records[start..<min(start + 100, records.count)])
            #expect(storage.perform([.recordExits(batch, run: "1f")]) == [.success(.done)])
        }
    }

    private static let deaths = [
        ExitRecord(
            sequence: 1, timeMs: 1_780_608_305_152, path: "store", pid: 4711, incarnation: 1,
            exit: .init(code: 0, signal: nil), reason: "shutdown", detail: nil, uptimeMs: 81_234, stderr: []),
        ExitRecord(
            sequence: 2, timeMs: 1_780_608_305_160, path: "logs/streamers/web", pid: 4712, incarnation: 3,
            exit: .init(code: nil, signal: "SIGSEGV", coreDumped: true), reason: "crash",
            detail: "signal SIGSEGV, core dumped", uptimeMs: nil, stderr: ["one", "two \u{1b}[31m"],
            droppedBefore: 4),
        ExitRecord(
            sequence: 3, timeMs: 1_780_608_306_000, path: "logs/streamers/api", pid: nil, incarnation: 9, exit: nil,
            reason: "crash", detail: "could not start it: out of memory", uptimeMs: nil, stderr: []),
        ExitRecord(
            sequence: 4, timeMs: 1_780_608_307_007, path: "logs/streamers/api", pid: 4713, incarnation: 10,
            exit: .init(code: nil, signal: "SIGKILL", outOfMemory: true), reason: "crash",
            detail: "signal SIGKILL, out of memory", uptimeMs: 250, stderr: []),
    ]

    @Test("pretty: newest first, one line each and what it said below it, nothing that drives a terminal")
    func pretty() throws {
        try record(Self.deaths)
        let expected = """
            2026-06-04T21:25:07.007Z  logs/streamers/api  pid 4713  start 10  crash: SIGKILL, out of memory  after 250 ms
            2026-06-04T21:25:06.000Z  logs/streamers/api  start 9  crash: could not start it: out of memory  never ready
            2026-06-04T21:25:05.160Z  logs/streamers/web  pid 4712  start 3  crash: SIGSEGV, core dumped  never ready  \
            (4 exits before it were not recorded)
                one
                two \\u{1b}[31m
            2026-06-04T21:25:05.152Z  store  pid 4711  start 1  shutdown: exit code 0  after 1 min

            """
        #expect(try run() == Outcome(code: 0, output: expected, errors: ""))
    }

    /// A status, a crash's detail, and both in words.
    private static let endings: [(ExitRecord.Exit, detail: String?, words: String)] = [
        (.init(code: nil, signal: "SIGKILL"), "heartbeat", "SIGKILL (heartbeat)"),
        (.init(code: nil, signal: "SIGKILL"), "signal SIGKILL", "SIGKILL"),
        (.init(code: nil, signal: "SIGKILL"), nil, "SIGKILL"),
        (.init(code: nil, signal: "SIGKILL", outOfMemory: true), "protocol", "SIGKILL, out of memory (protocol)"),
        (
            .init(code: nil, signal: "SIGABRT", coreDumped: true), "signal SIGABRT, core dumped",
            "SIGABRT, core dumped"
        ),
        (.init(code: 0, signal: nil), "start_timeout", "exit code 0 (start_timeout)"),
        (.init(code: 0, signal: nil), "exit code 0 without a goodbye", "exit code 0 (without a goodbye)"),
        (.init(code: 1, signal: nil), "exit code 1", "exit code 1"),
        (.init(code: 1, signal: nil), "exit code 1, its last line", "exit code 1"),
        (.init(code: 1, signal: nil), "exit code 12", "exit code 1 (exit code 12)"),
    ]

    @Test(
        "pretty: what a process was killed for stands beside its status, what repeats that does not",
        arguments: endings)
    func reasons(exit: ExitRecord.Exit, detail: String?, words: String) throws {
        try record([
            ExitRecord(
                sequence: 1, timeMs: 1_780_608_305_152, path: "store", pid: 7, incarnation: 1, exit: exit,
                reason: "crash", detail: detail, uptimeMs: nil, stderr: [])
        ])
        #expect(try run().output == "2026-06-04T21:25:05.152Z  store  pid 7  start 1  crash: \(words)  never ready\n")
    }

    @Test("json: one object a line with stable keys, null where there is nothing")
    func json() throws {
        try record(Self.deaths)
        let outcome = try run("--output", "json", "--limit", "3")
        let lines = outcome.output.split(separator: "\n")
        #expect(outcome.code == 0 && outcome.errors == "" && lines.count == 3)
        #expect(
            lines[1]
                == #"{"detail":"could not start it: out of memory","dropped_before":0,"exit":null,"id":3,"#
                + #""incarnation":9,"path":"logs/streamers/api","pid":null,"ready":false,"reason":"crash","run":"1f","#
                + #""seq":3,"stderr":[],"time":"2026-06-04T21:25:06.000Z","uptime_ms":null}"#)
        #expect(
            lines[2]
                == #"{"detail":"signal SIGSEGV, core dumped","dropped_before":4,"exit":{"code":null,"#
                + #""core_dumped":true,"out_of_memory":false,"signal":"SIGSEGV"},"id":2,"incarnation":3,"#
                + #""path":"logs/streamers/web","pid":4712,"ready":false,"reason":"crash","run":"1f","seq":2,"#
                + #""stderr":["one","two \u001b[31m"],"time":"2026-06-04T21:25:05.160Z","uptime_ms":null}"#)
    }

    @Test(
        "one leaf alone, and as many as asked for, over the bounds of a page",
        arguments: [1, 99, 100, 101, 150, 200, 500])
    func limit(count: Int) throws {
        try record((1...260).map { exitRecord($0, path: $0 % 2 == 0 ? "store" : "logs/streamers/\($0 % 3)") })
        let all = try ids(run("--limit", "\(count)", "--output", "json"))
        #expect(all == Array((1...260).reversed().prefix(count)))
        let ofStore = try ids(run("--limit", "\(count)", "--path", "store", "--output", "json"))
        #expect(ofStore == Array(stride(from: 260, to: 0, by: -2).prefix(count)))
    }

    private func ids(_ outcome: Outcome) -> [Int?] {
        outcome.output.split(separator: "\n").map { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["id"] as? Int
        }
    }

    @Test("without --limit it shows fifty")
    func defaultLimit() throws {
        try record((1...60).map { exitRecord($0) })
        #expect(try run().output.split(separator: "\n").count == 50)
    }

    @Test("it reads beside a store that writes, which does not notice")
    func besideStore() throws {
        let storage = try SQLiteStorage.open(directory: directory)
        _ = storage.perform([.recordExits([exitRecord(1)], run: "a")])
        #expect(try run().output.split(separator: "\n").count == 1)
        // A checkpoint that waits for the disk, and would wait for a reader.
        let answers = storage.perform([
            .recordExits([exitRecord(2)], run: "a"),
            .putToken(appName: "web", slot: .manual, token: token("fm2_a", .manual)),
        ])
        #expect(answers == [.success(.done), .success(.done)])
        #expect(try run().output.split(separator: "\n").count == 2)
    }

    @Test("what a killed store left in its journal is read")
    func afterKill() throws {
        let loop = try Loop()
        let store = try TestedWorker(
            loop, program: "flyfleet-store", path: "store", role: .store, settings: StoreSettings(directory: directory))
        try store.awaitReady()
        #expect(try store.ask(RecordExitsRequest(run: "a", exits: [exitRecord(1)])) == .success(Done()))
        try store.kill()
        #expect(try run().output.hasSuffix("logs/streamers/web  pid 4001  start 1  crash: SIGKILL  after 1.5 s\n"))
    }

    @Test("an empty history is one line on stderr and no error")
    func empty() throws {
        _ = try SQLiteStorage.open(directory: directory)
        let nothing = "flyfleet: \(directory) has no exits recorded yet\n"
        #expect(try run() == Outcome(code: 0, output: "", errors: nothing))
        try record([exitRecord(1)])
        let outcome = try run("--path", "nobody", "--output", "json")
        #expect(outcome.code == 0 && outcome.output == "")
        #expect(outcome.errors.contains("has no exits of nobody recorded; a process has a path such as"))
    }

    @Test("a database without a history is an empty one, and stays as it is")
    func olderSchema() throws {
        let queue = try DatabaseQueue(path: directory + "/" + SQLiteStorage.fileName)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 1") }
        try queue.close()
        let before = folder.read(SQLiteStorage.fileName)
        #expect(try run() == Outcome(code: 0, output: "", errors: "flyfleet: \(directory) has no exits recorded yet\n"))
        #expect(folder.read(SQLiteStorage.fileName) == before)
    }

    @Test("what is not there, newer or no database is one line that says so, and nothing is made")
    func refusals() throws {
        let missing = directory + "/missing"
        #expect(
            try run(directory: missing)
                == Outcome(
                    code: 66, output: "",
                    errors: "flyfleet: \(missing): No such file or directory; name the state directory of a fleet\n"))
        let unused = try run()
        #expect(unused.code == 66)
        #expect(unused.errors.hasSuffix("no fleet was started on this state directory yet\n"))
        #expect(folder.read(SQLiteStorage.fileName) == nil)
        try folder.write(SQLiteStorage.fileName, String(repeating: "no database ", count: 1_000))
        let damaged = try run()
        #expect(damaged.code == 78 && damaged.errors.contains("flyfleet.sqlite is damaged; 'flyfleet start' mends"))
        let newer = try TemporaryFolder()
        _ = try SQLiteStorage.open(directory: newer.path)
        let queue = try DatabaseQueue(path: newer.path + "/" + SQLiteStorage.fileName)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        let refused = try run(directory: newer.path)
        #expect(refused.code == 78)
        #expect(refused.errors.contains("was written by a newer flyfleet (schema 99, this one knows 3)"))
        for outcome in [unused, damaged, refused] { #expect(outcome.errors.split(separator: "\n").count == 1) }
    }

    @Test(
        "wrong arguments are one line and 64",
        arguments: [
            ["--limit", "0"], ["--limit", "10001"], ["--limit", "many"], ["--limit"], ["--output", "raw"],
            ["--path", ""], ["--nonsense", "1"],
        ])
    func wrongArguments(arguments: [String]) throws {
        #expect(throws: HistoryError.self) { try HistoryCommand([directory] + arguments) }
        do {
            _ = try HistoryCommand([directory] + arguments)
        } catch {
            #expect(error.exitCode == 64)
        }
    }

    @Test("no arguments at all are wrong too")
    func noArguments() {
        #expect(throws: HistoryError.self) { try HistoryCommand([]) }
        #expect(throws: HistoryError.self) { try HistoryCommand([""]) }
    }

    @Test("a reader that goes away ends it without an error")
    func readerGone() throws {
        try record(
            (1...200).map { exitRecord($0, stderr: Array(repeating: String(repeating: "x", count: 4_096), count: 5)) })
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestedWorker.builtProgram("flyfleet-store"))
        process.arguments = ["--history", directory, "--limit", "200"]
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // More than a pipe holds is still to come.
        _ = try output.fileHandleForReading.read(upToCount: 1)
        try output.fileHandleForReading.close()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
    }
}
