import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

/// An output into a pipe, and what came of it.
private final class MergingOutput {
    let loop: Loop
    let pipe: TestPipe
    let output: ConsoleOutput
    private(set) var acknowledged: [Acknowledgement] = []
    private var received: [UInt8] = []

    init(_ settings: ConsoleSettings) throws {
        loop = try Loop()
        pipe = try TestPipe()
        output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: settings)
        output.onWritten = { [unowned self] in acknowledged.append($0) }
    }

    /// The messages that came out so far.
    var messages: [String] {
        received += pipe.read()
        return String(decoding: received, as: UTF8.self).split(separator: "\n").map { line in
            line.firstRange(of: #""message":""#).map { String(line[$0.upperBound...].prefix { $0 != "\"" }) }
                ?? String(line.split(separator: " ").last ?? "")
        }
    }

    func end() {
        output.close()
        finish(loop)
    }
}

@Suite("ConsoleOutput, merging")
struct ConsoleMergeTests {
    private static func settings(_ output: OutputFormat = .json, windowMs: Int64) -> ConsoleSettings {
        ConsoleSettings(output: output, colour: false, isTerminal: false, mergeWindowMs: windowMs)
    }

    private static func line(_ app: String, _ second: Int, _ message: String? = nil) -> String {
        entry(app: app, time: "2026-06-04T21:25:\(second)Z", message: message ?? "\(app)\(second)")
    }

    @Test("lines of two apps come out in the order of their times, and batches are acknowledged as they came")
    func merged() throws {
        for output in OutputFormat.allCases {
            let sink = try MergingOutput(Self.settings(output, windowMs: 50))
            try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 10)]))
            try sink.output.receive(
                entriesFrame(app: "b", batch: 7, [Self.line("b", 11), Self.line("b", 13), Self.line("b", 30)]))
            try sink.output.receive(entriesFrame(app: "a", batch: 2, [Self.line("a", 12), Self.line("a", 14)]))
            try sink.output.receive(entriesFrame(app: "a", batch: 3, []))
            turn(sink.loop, until: { sink.acknowledged.count == 4 })
            #expect(sink.messages == ["a10", "b11", "a12", "b13", "a14", "b30"])
            #expect(
                sink.acknowledged == [
                    Acknowledgement(appName: "a", batch: 1), Acknowledgement(appName: "b", batch: 7),
                    Acknowledgement(appName: "a", batch: 2), Acknowledgement(appName: "a", batch: 3),
                ])
            sink.end()
        }
    }

    @Test("a lone app is written at once, whatever the window")
    func loneApp() throws {
        let sink = try MergingOutput(Self.settings(windowMs: 3_600_000))
        for batch in UInt64(1)...3 { try sink.output.receive(entriesFrame(app: "a", batch: batch, ["{}"])) }
        turn(sink.loop, until: { sink.acknowledged.count == 3 })
        sink.end()
    }

    @Test("without a window nothing waits")
    func noWindow() throws {
        let sink = try MergingOutput(Self.settings(windowMs: 0))
        try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 20)]))
        try sink.output.receive(entriesFrame(app: "b", batch: 1, [Self.line("b", 10)]))
        turn(sink.loop, until: { sink.acknowledged.count == 2 })
        #expect(sink.messages == ["a20", "b10"])
        sink.end()
    }

    @Test("a stop writes at once what waits, in order, and what comes after it")
    func stop() throws {
        let sink = try MergingOutput(Self.settings(windowMs: 3_600_000))
        try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 10)]))
        try sink.output.receive(entriesFrame(app: "b", batch: 1, [Self.line("b", 30)]))
        try sink.output.receive(entriesFrame(app: "c", batch: 1, [Self.line("c", 20)]))
        turn(sink.loop, until: { sink.acknowledged.count == 1 })
        var isDrained = false
        sink.output.drain(withinMs: 20_000) { isDrained = true }
        try sink.output.receive(entriesFrame(app: "a", batch: 2, [Self.line("a", 40)]))
        turn(sink.loop, until: { isDrained })
        #expect(sink.messages == ["a10", "c20", "b30", "a40"])
        #expect(sink.acknowledged.count == 4)
        sink.end()
    }

    @Test("lines without a time keep their place, and a raw message of several lines stays in one piece")
    func markers() throws {
        let sink = try MergingOutput(Self.settings(.raw, windowMs: 3_600_000))
        try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 10)]))
        try sink.output.receive(
            entriesFrame(
                app: "b", batch: 1, [Self.line("b", 20, #"x\ny"#), #"{"type":"stopped","app_name":"b"}"#, "no JSON"]))
        try sink.output.receive(entriesFrame(app: "a", batch: 2, [Self.line("a", 21)]))
        sink.output.drain(withinMs: 20_000) {}
        turn(sink.loop, until: { sink.acknowledged.count == 3 })
        #expect(sink.messages == ["a10", "x", "y", "stopped", "JSON", "a21"])
        sink.end()
    }

    @Test("lines hidden by --since are acknowledged in their turn all the same")
    func since() throws {
        for windowMs in [0, 50] as [Int64] {
            var settings = Self.settings(windowMs: windowMs)
            settings.sinceNs = 1_780_608_320_000_000_000  // 2026-06-04T21:25:20Z
            let sink = try MergingOutput(settings)
            try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 10), Self.line("a", 20)]))
            try sink.output.receive(entriesFrame(app: "b", batch: 1, [Self.line("b", 11)]))
            try sink.output.receive(entriesFrame(app: "b", batch: 2, [Self.line("b", 19), Self.line("b", 21)]))
            turn(sink.loop, until: { sink.acknowledged.count == 3 })
            #expect(sink.messages == ["a20", "b21"])
            #expect(sink.acknowledged.map(\.appName) == ["a", "b", "b"])
            sink.end()
        }
    }

    @Test("under load every line comes out once and every batch is acknowledged in the order in which it came")
    func load() throws {
        let sink = try MergingOutput(Self.settings(windowMs: 5))
        var random = SeededRandom(state: 1)
        var given: [Acknowledgement] = []
        var counts: [String: Int] = [:]
        var expected = 0
        var seen = 0
        var last: [String: Int] = [:]
        func look() {
            let messages = sink.messages
            for message in messages[seen...] {
                let parts = message.split(separator: "-")
                guard parts.count == 2, let number = Int(parts[1]) else { continue }
                #expect(number == last[String(parts[0]), default: 0] + 1)
                last[String(parts[0])] = number
            }
            seen = messages.count
        }
        for batch in UInt64(1)...60 {
            let app = "app\(Int.random(in: 0..<4, using: &random))"
            let lines = (0..<Int.random(in: 0...40, using: &random)).map { _ -> String in
                counts[app, default: 0] += 1
                expected += 1
                let second = 10 + Int.random(in: 0..<50, using: &random)
                return Self.line(app, second, "\(app)-\(counts[app, default: 0])")
            }
            try sink.output.receive(entriesFrame(app: app, batch: batch, lines))
            given.append(Acknowledgement(appName: app, batch: batch))
            var turns = 0
            turn(
                sink.loop,
                until: {
                    turns += 1
                    return turns > 2
                })
            _ = sink.messages
        }
        turn(
            sink.loop,
            until: {
                _ = sink.messages
                return sink.acknowledged.count == given.count
            })
        look()
        #expect(sink.acknowledged == given)
        #expect(seen == expected)
        #expect(last == counts)
        sink.end()
    }

    @Test("a reader that leaves while lines wait ends it")
    func readerLeaves() throws {
        let sink = try MergingOutput(Self.settings(windowMs: 3_600_000))
        var failures: [ConsoleFailure] = []
        sink.output.onFailure = { failures.append($0) }
        try sink.output.receive(entriesFrame(app: "a", batch: 1, [Self.line("a", 10)]))
        try sink.output.receive(entriesFrame(app: "b", batch: 1, [Self.line("b", 30)]))
        sink.pipe.closeReader()
        turn(sink.loop, until: { !failures.isEmpty })
        #expect(failures == [.readerLeft])
        #expect(sink.acknowledged.count <= 1)
        finish(sink.loop)
    }
}
