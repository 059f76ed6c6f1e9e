// The parts of the relay by themselves: the feed of a live subscriber, the gate of the Streamers, the counts.

import EventLoop
import Testing
import WorkerProtocol

@testable import Fleet

@Suite("LiveFeed") struct LiveFeedTests {
    private func attached() -> LiveFeed {
        var feed = LiveFeed()
        feed.attach()
        return feed
    }

    private func offer(_ feed: inout LiveFeed, _ app: String, _ number: UInt64, bytes: Int, lines: Int = 1) -> Bool {
        feed.offer(app: app, number: number, bytes: bytes, lines: lines)
    }

    @Test("it is filled to its last byte and not beyond, and one batch always fits", arguments: [0, 1])
    func bound(over: Int) {
        var feed = attached()
        #expect(offer(&feed, "web", 1, bytes: LiveFeed.mostBytes - 10) == true)
        #expect(offer(&feed, "web", 2, bytes: 10 + over) == (over == 0))
        #expect(feed.isBehind == (over == 1))
        var other = attached()
        #expect(offer(&other, "web", 1, bytes: LiveFeed.mostBytes * 3) == true)
    }

    @Test("once behind it gets nothing until most is acknowledged; then first what it missed, by app")
    func catchesUp() {
        var feed = attached()
        for number in 1...4 as ClosedRange<UInt64> {
            #expect(offer(&feed, "web", number, bytes: LiveFeed.mostBytes / 4) == true)
        }
        #expect(offer(&feed, "web", 5, bytes: 1, lines: 2) == false)
        #expect(offer(&feed, "api", 1, bytes: 1, lines: 3) == false)
        #expect(offer(&feed, "web", 6, bytes: 1, lines: 4) == false)
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(feed.takeMissed() == [])
            #expect(feed.acknowledge(app: "web", number: number) == true)
        }
        #expect(feed.takeMissed() == [.init(app: "web", lines: 6), .init(app: "api", lines: 3)])
        #expect(feed.takeMissed() == [] && !feed.isBehind)
        #expect(offer(&feed, "web", 7, bytes: 1) == true)
        for (app, number) in [("web", 4), ("web", 0), ("api", 0), ("web", 7)] as [(String, UInt64)] {
            #expect(feed.acknowledge(app: app, number: number) == true)
        }
        #expect(!feed.hasBatchesInHand && feed.bytesInHand == 0)
    }

    @Test("an acknowledgement out of turn is refused")
    func outOfTurn() {
        var feed = attached()
        #expect(feed.acknowledge(app: "web", number: 1) == false)
        _ = offer(&feed, "web", 1, bytes: 1)
        #expect(feed.acknowledge(app: "web", number: 2) == false)
        #expect(feed.acknowledge(app: "api", number: 1) == false)
        #expect(feed.acknowledge(app: "web", number: 1) == true)
    }

    @Test("what a dead one had in hand, told or not, is what its successor missed")
    func successor() {
        var feed = attached()
        _ = offer(&feed, "web", 1, bytes: 1, lines: 5)
        feed.detach()
        #expect(feed.takeMissed() == [])
        #expect(offer(&feed, "api", 1, bytes: 1, lines: 2) == false)
        feed.attach()
        #expect(feed.takeMissed() == [.init(app: "web", lines: 5), .init(app: "api", lines: 2)])
        feed.detach()
        feed.attach()
        #expect(feed.takeMissed() == [.init(app: "web", lines: 5), .init(app: "api", lines: 2)])
    }

    @Test(
        "before it is asked to stop it is told what it missed, room or not; batches without lines are nothing to miss")
    func lastWords() {
        var feed = attached()
        _ = offer(&feed, "web", 1, bytes: LiveFeed.mostBytes)
        #expect(offer(&feed, "web", 2, bytes: 1, lines: 0) == false)
        #expect(feed.takeMissed(ignoringRoom: true) == [])
        #expect(offer(&feed, "web", 3, bytes: 1, lines: 9) == false)
        #expect(feed.takeMissed() == [])
        #expect(feed.takeMissed(ignoringRoom: true) == [.init(app: "web", lines: 9)])
    }
}

@Suite("StreamerGate") struct StreamerGateTests {
    private static let megabyte = 1024 * 1024
    private let stage: RelayStage
    private let apps = (0..<20).map { "app\($0)" }
    private var gate: StreamerGate { stage.relay.gate }

    init() throws {
        stage = try RelayStage(apps: apps)
    }

    private func worker(_ app: Int) throws -> WorkerProcess {
        try #require(stage.workers["logs/streamers/app\(app)"])
    }

    private func paused() -> Int { apps.count { stage.workers["logs/streamers/\($0)"]?.isReadingPaused == true } }

    @Test("what the heap has to spare is given back in a jam, not in each pause of it, and once more when it is over")
    func givesBack() throws {
        defer { stage.end() }
        var given = 0
        let gate = StreamerGate(stage.loop, giveBack: { given += 1 }) { _ in }
        defer { gate.close() }
        gate.holds(StreamerGate.pauseBytes)
        gate.holds(0)
        #expect(given == 0)
        for _ in 0..<10 {
            gate.holds(StreamerGate.pauseBytes + 1)
            gate.holds(StreamerGate.resumeBytes - 1)
        }
        #expect(given == 1)
        gate.holds(StreamerGate.calmBytes)
        #expect(given == 1)
        gate.holds(StreamerGate.calmBytes - 1)
        gate.holds(0)
        #expect(given == 2)
    }

    @Test("nobody is read above the bound, and all are below the lower one")
    func bounds() {
        gate.holds(StreamerGate.pauseBytes)
        #expect(paused() == 0)
        gate.holds(StreamerGate.pauseBytes + 1)
        #expect(paused() == apps.count)
        gate.holds(StreamerGate.resumeBytes)
        #expect(paused() == apps.count && gate.isPaused)
        gate.holds(StreamerGate.resumeBytes - 1)
        #expect(paused() == 0 && !gate.isPaused)
        stage.end()
    }

    @Test("unfinished frames count, and while few whole batches are held Streamers take turns, a few at a time")
    func turns() throws {
        for app in apps.indices.prefix(17) { gate.wasRead(try worker(app), unfinished: 4 * Self.megabyte) }
        #expect(paused() == apps.count - StreamerGate.mostTurns)
        let first = try #require(apps.indices.first { (try? worker($0).isReadingPaused) == false })
        gate.batchCame(from: try worker(first))
        gate.wasRead(try worker(first), unfinished: -Self.megabyte)
        #expect(try worker(first).isReadingPaused, "somebody else has the next turn")
        #expect(paused() == apps.count - StreamerGate.mostTurns)
        gate.holds(StreamerGate.turnBytes)
        let second = try #require(apps.indices.first { (try? worker($0).isReadingPaused) == false })
        gate.batchCame(from: try worker(second))
        gate.wasRead(try worker(second), unfinished: 0)
        #expect(paused() == apps.count - StreamerGate.mostTurns + 1, "no turn while much is held")
        stage.end()
    }

    @Test("everybody has a turn, those who say nothing too")
    func fairness() throws {
        gate.wasRead(try worker(0), unfinished: StreamerGate.pauseBytes + 1)
        var seen: Set<Int> = []
        stage.run {
            for app in apps.indices where (try? worker(app).isReadingPaused) == false { seen.insert(app) }
            return seen.count == apps.count
        }
        gate.wasRead(try worker(0), unfinished: -StreamerGate.pauseBytes - 1)
        #expect(paused() == 0)
        stage.end()
    }

    @Test("who becomes ready while nobody is read is not read either, and who is gone has no turn")
    func comeAndGo() throws {
        stage.stop("logs/streamers/app3")
        gate.holds(StreamerGate.pauseBytes + 1)
        try stage.start("logs/streamers/app3", incarnation: 2)
        gate.isReady(try worker(3))
        #expect(paused() == apps.count)
        gate.holds(StreamerGate.turnBytes - 1)
        #expect(paused() == 0 && !gate.isPaused)
        gate.wasRead(try worker(0), unfinished: StreamerGate.pauseBytes + 1)
        let holder = try #require(apps.indices.first { (try? worker($0).isReadingPaused) == false })
        let gone = try worker(holder)
        stage.stop("logs/streamers/app\(holder)")
        gate.isGone(gone)
        #expect(paused() == apps.count - 1 - StreamerGate.mostTurns)
        stage.end()
    }
}

@Suite("StreamerCounts") struct StreamerCountsTests {
    private func counts(entries: UInt64 = 0, late: UInt64 = 0, skipped: UInt64 = 0, gaps: UInt64 = 0)
        -> StreamerTelemetry
    {
        var counts = StreamerTelemetry()
        counts.entries = entries
        counts.late = late
        counts.skipped = skipped
        counts.gaps = gaps
        return counts
    }

    @Test(
        "people are told when something is missing or out of order, at most once a minute and app",
        arguments: ["late", "skipped", "gaps"])
    func tells(what: String) {
        func counts(_ value: UInt64) -> StreamerTelemetry {
            self.counts(
                entries: 5, late: what == "late" ? value : 0, skipped: what == "skipped" ? value : 0,
                gaps: what == "gaps" ? value : 0)
        }
        var known = StreamerCounts()
        #expect(known.take(counts(0), of: "web", atMs: 0) == false)
        #expect(known.take(counts(1), of: "web", atMs: 10) == true)
        #expect(known.take(counts(1), of: "web", atMs: 100_000) == false)
        #expect(known.take(counts(2), of: "web", atMs: 100_001) == true)
        #expect(known.take(counts(3), of: "web", atMs: 100_001 + StreamerCounts.intervalMs - 1) == false)
        #expect(known.take(counts(1), of: "api", atMs: 100_002) == true)
        #expect(known.take(counts(3), of: "web", atMs: 100_001 + StreamerCounts.intervalMs) == true)
    }

    @Test("the last counts are told at the end, once")
    func ends() {
        var known = StreamerCounts()
        _ = known.take(counts(entries: 1), of: "web", atMs: 0)
        _ = known.take(counts(entries: 2), of: "web", atMs: 1)
        #expect(known.end("web")?.entries == 2)
        #expect(known.end("web") == nil && known.end("api") == nil)
    }
}
