// What the sink's tests share: pipes, frames and a loop that waits for a condition, never for a time.

import EventLoop
import Framing
import Glibc
import LogPages
import Testing
import WorkerProtocol

@testable import Sinks

/// A one-way pipe whose ends are closed with it.
final class TestPipe {
    let reading: Int32
    private(set) var writing: Int32
    private var readingIsOpen = true

    init(nonblockingWriter: Bool = false) throws {
        ignoreBrokenPipeSignal()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        // A child that held the reading end would keep it from ever being gone.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        if nonblockingWriter { _ = fcntl(writing, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        closeReader()
        close(writing)
    }

    func closeReader() {
        guard readingIsOpen else { return }
        readingIsOpen = false
        close(reading)
    }

    /// What is in the pipe now, at most `limit` bytes.
    func read(atMost limit: Int = .max) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while all.count < limit {
            let wanted = min(piece.count, limit - all.count)
            let count = Glibc.read(reading, &piece, wanted)
            if count <= 0 { break }
            all += piece[..<count]
        }
        return all
    }
}

/// Turns the loop until `condition` holds; records an issue when it does not within a generous deadline.
func turn(_ loop: Loop, until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
    let deadline = LoopTimer(loop)
    var isLate = false
    // It also turns the loop now and then, for conditions that no event of the loop announces.
    deadline.start(after: 1, repeating: 1) {}
    deadline.unreference()
    let end = monotonicNanoseconds() + 20_000_000_000
    while !condition(), !isLate {
        loop.runOnce()
        isLate = monotonicNanoseconds() > end
    }
    deadline.close()
    loop.runOnce()
    if isLate { Issue.record("the awaited event did not come", sourceLocation: location) }
}

/// Runs the loop until nothing is left in it; records an issue when something stays.
func finish(_ loop: Loop, _ location: SourceLocation = #_sourceLocation) {
    let deadline = LoopTimer(loop)
    deadline.start(after: 20_000) { loop.stop() }
    deadline.unreference()
    loop.run()
    deadline.close()
    loop.run()
    #expect(loop.isEmpty, sourceLocation: location)
}

func entriesFrame(
    app: String, batch: UInt64, kind: FrameKind = .entries, _ lines: [String]
) throws -> Frame {
    let head = EntriesHead(appName: app, batch: batch, count: UInt32(lines.count), cursor: "")
    return try Frame(kind: kind, payload: head.encode() + lines.flatMap { Array($0.utf8) + [0x0A] })
}

func entry(app: String = "web", time: String = "2026-06-04T21:25:05.152Z", message: String) -> String {
    #"{"type":"log","app_name":"\#(app)","timestamp":"\#(time)","level":"info","region":"iad","#
        + #""instance":"d896d7c609dd68","provider":"app","id":"1","message":"\#(message)","meta":{}}"#
}

/// What is written for a batch, as text.
func rendered(_ batch: String, app: String = "web", _ settings: ConsoleSettings) throws -> String {
    try BatchRenderer(settings).text(batch, app: app)
}

extension BatchRenderer {
    func text(_ batch: String, app: String) -> String {
        let bytes = Array(batch.utf8)
        return bytes.withUnsafeBytes { bytes in
            let batch = render(bytes, app: app, keeping: self)
            return withExtendedLifetime(batch.owner) { String(decoding: batch.bytes, as: UTF8.self) }
        }
    }
}

/// SplitMix64, so that a failing property names the seed that makes it fail again.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension ConsoleSettings {
    static let json = ConsoleSettings(output: .json, colour: false, isTerminal: false)
    static let pretty = ConsoleSettings(output: .pretty, colour: false, isTerminal: false)
    static let raw = ConsoleSettings(output: .raw, colour: false, isTerminal: false)
}
