// Deaths at random moments: of the sink alone, and of the whole fleet, with a parent and a store in miniature that
// deliver again what was not committed. Whatever happens, the files together hold every line once, in order.

import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

/// A generator whose numbers a seed decides.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The parent, in miniature: what was sent, acknowledged and committed of one endless list of numbered lines.
private struct ModelParent {
    /// A batch is the lines from the one before up to this.
    struct Sent {
        var batch: UInt64
        var end: Int
    }

    var random: SeededGenerator
    /// Lines that were committed.
    var committed = 0
    /// Lines that were acknowledged in this parent's life, and the position behind them.
    var acknowledged = 0
    var position: String?
    var sent: [Sent] = []
    var nextBatch: UInt64 = 1

    static func line(_ number: Int) -> String {
        #"{"line":\#(number),"text":""# + String(repeating: "x", count: number % 97) + #""}"#
    }

    /// The next batch, sometimes an empty one.
    mutating func makeBatch() throws -> Frame {
        let begin = sent.last?.end ?? acknowledged
        let count = Int.random(in: 0...6, using: &random)
        let frame = try entriesFrame(app: "web", batch: nextBatch, (begin..<(begin + count)).map(Self.line))
        sent.append(Sent(batch: nextBatch, end: begin + count))
        nextBatch += 1
        return frame
    }

    mutating func take(_ ack: Acknowledgement) {
        guard let first = sent.first, first.batch == ack.batch, let position = ack.position else {
            Issue.record("batch \(ack.batch) was acknowledged out of turn")
            return
        }
        acknowledged = first.end
        self.position = position
        sent.removeFirst()
    }

    /// Commits all that is acknowledged, as one transaction.
    mutating func commit(_ store: StoredSink) {
        guard let position else { return }
        committed = acknowledged
        store.position = position
    }

    /// What was not acknowledged is sent again, by the same numbers or others.
    mutating func sinkDied() { sent = [] }

    /// Only the store remembers anything.
    mutating func fleetDied() {
        sent = []
        acknowledged = committed
        position = nil
        nextBatch = 1
    }
}

@Suite("FileSink under kills")
struct FileSinkKillTests {
    /// Deaths per seed.
    private static let deaths = 40

    @Test("every line stands in the files once and in order", arguments: UInt64(1)...8)
    func killAtRandomMoments(seed: UInt64) throws {
        let loop = try Loop()
        let folder = FileTestFolder()
        let store = StoredSink()
        var parent = ModelParent(random: SeededGenerator(state: seed))
        var settings = FileSinkSettings(path: folder.at("app"), rotateBytes: seed % 4 == 0 ? nil : 700)
        settings.sync = seed % 3 == 0
        for _ in 0..<Self.deaths {
            settings.position = parent.position
            let sink = try FileSinkProcess(loop, store, settings)
            try #require(sink.isReady, "\(sink.errors)")
            try run(sink, &parent, store)
            sink.kill()
            for ack in sink.acknowledgements { parent.take(ack) }
            #expect(sink.errors == "")
            if Bool.random(using: &parent.random) { parent.commit(store) }
            if Bool.random(using: &parent.random) { parent.sinkDied() } else { parent.fleetDied() }
        }
        settings.position = parent.position
        let last = try FileSinkProcess(loop, store, settings)
        while (parent.sent.last?.end ?? parent.acknowledged) < parent.committed + 50 {
            last.send(try parent.makeBatch())
        }
        try last.stop()
        for ack in last.acknowledgements { parent.take(ack) }
        let lines = folder.everything().split(separator: "\n")
        #expect(lines.count == parent.acknowledged)
        #expect(lines.enumerated().allSatisfy { $1 == ModelParent.line($0) })
        finish(loop)
    }

    /// Sends some batches and lets the process work for a random while.
    private func run(_ sink: FileSinkProcess, _ parent: inout ModelParent, _ store: StoredSink) throws {
        for _ in 0..<Int.random(in: 0...30, using: &parent.random) { sink.send(try parent.makeBatch()) }
        if Bool.random(using: &parent.random), let batch = parent.sent.randomElement(using: &parent.random)?.batch {
            turn(sink.loop, until: { (sink.acknowledgements.last?.batch ?? 0) >= batch || sink.exit != nil })
            if Bool.random(using: &parent.random) {
                var seen = parent
                for ack in sink.acknowledgements { seen.take(ack) }
                seen.commit(store)
                parent.committed = seen.committed
            }
        }
        let end = monotonicNanoseconds() + UInt64.random(in: 0...2_000_000, using: &parent.random)
        turn(sink.loop, until: { monotonicNanoseconds() > end })
    }
}
