import FlyAPI
import Testing

@Suite("StreamPosition")
struct StreamPositionTests {
    private func cursor(_ value: UInt64) -> LogCursor { LogCursor(nanoseconds: value) }

    @Test(
        "its text is read back", arguments: [(0, 0), (5, 9), (1_780_000_000_000_000_001, .max)] as [(UInt64, UInt64)])
    func roundTrip(settled: UInt64, reached: UInt64) throws {
        let position = StreamPosition(settled: cursor(settled), reached: cursor(reached))
        #expect(position.text == "\(settled)..\(reached)")
        #expect(try StreamPosition(position.text) == position)
        #expect(position.text.utf8.count <= 255, "it fits a frame's head")
    }

    @Test("one number stands for both, as it was written before")
    func single() throws {
        #expect(try StreamPosition("1780000000000000000") == StreamPosition(at: cursor(1_780_000_000_000_000_000)))
    }

    @Test(
        "anything else is refused, and so is a settled time behind the reached one",
        arguments: [
            "", "..", "1..", "..1", "1.2", "1...2", "1..2..3", "a..b", "-1..2", "9..5", " 1..2",
            "1..18446744073709551616",
        ])
    func refused(text: String) {
        #expect(throws: FlyAPIError.self) { try StreamPosition(text) }
    }

    @Test("what is settled counts as reached")
    func order() {
        #expect(StreamPosition(settled: cursor(9), reached: cursor(5)).reached == cursor(9))
    }
}

@Suite("ServerClock")
struct ServerClockTests {
    @Test("it goes on from the latest line at a little less than the pace of the monotonic clock, and back at more")
    func pace() {
        var clock = ServerClock()
        #expect(clock.bound(at: 5) == nil)
        clock.observe(LogCursor(nanoseconds: 1_000_000), at: 500)
        #expect(clock.bound(at: 500) == LogCursor(nanoseconds: 1_000_000))
        #expect(clock.bound(at: 100_500) == LogCursor(nanoseconds: 1_099_900))
        #expect(clock.bound(at: 500 - 100_000) == LogCursor(nanoseconds: 899_900))
    }

    @Test("an older line changes nothing, a newer one does")
    func newer() {
        var clock = ServerClock()
        clock.observe(LogCursor(nanoseconds: 1_000_000), at: 0)
        clock.observe(LogCursor(nanoseconds: 1_050_000), at: 100_000)
        #expect(clock.bound(at: 100_000) == LogCursor(nanoseconds: 1_099_900))
        clock.observe(LogCursor(nanoseconds: 2_000_000), at: 100_000)
        #expect(clock.bound(at: 100_000) == LogCursor(nanoseconds: 2_000_000))
        #expect(clock.bound(at: 0) == LogCursor(nanoseconds: 1_899_900))
    }
}

@Suite("ReadCoverage")
struct ReadCoverageTests {
    private func cursor(_ value: UInt64) -> LogCursor { LogCursor(nanoseconds: value) }

    private func clock(_ time: UInt64, at: Int64) -> ServerClock {
        var clock = ServerClock()
        clock.observe(cursor(time), at: at)
        return clock
    }

    @Test("a stretch settles up to the overlap before the server's time when it was asked for")
    func settles() {
        var coverage = ReadCoverage(settled: cursor(100))
        coverage.read(from: cursor(100), to: cursor(200), askedAt: 0)
        coverage.settle(clock(210, at: 0), overlap: 50)
        #expect(coverage.settled == cursor(160))
        coverage.settle(clock(1000, at: 0), overlap: 50)
        #expect(coverage.settled == cursor(200), "and no further than it was read")
    }

    @Test("the end of the log settles beyond the last line")
    func end() {
        var coverage = ReadCoverage(settled: cursor(100))
        coverage.read(from: cursor(100), to: nil, askedAt: 0)
        coverage.settle(clock(1000, at: 0), overlap: 50)
        #expect(coverage.settled == cursor(950))
    }

    @Test("what was read earlier holds back what was read behind it later, until it is read again")
    func piecewise() {
        var coverage = ReadCoverage(settled: cursor(100))
        let clock = clock(1000, at: 1000)
        coverage.read(from: cursor(100), to: cursor(600), askedAt: 500)
        coverage.read(from: cursor(600), to: nil, askedAt: 1000)
        coverage.settle(clock, overlap: 100)
        #expect(coverage.settled == cursor(400))
        coverage.read(from: cursor(400), to: cursor(450), askedAt: 1000)
        coverage.settle(clock, overlap: 100)
        #expect(coverage.settled == cursor(450))
        coverage.read(from: cursor(450), to: cursor(700), askedAt: 1000)
        coverage.settle(clock, overlap: 100)
        #expect(coverage.settled == cursor(900), "the end behind it was asked for late enough")
    }

    @Test("nothing behind a hole counts; a hole of one nanosecond is none")
    func hole() {
        var coverage = ReadCoverage(settled: cursor(100))
        let clock = clock(10_000, at: 0)
        coverage.read(from: cursor(102), to: nil, askedAt: 0)
        coverage.settle(clock, overlap: 0)
        #expect(coverage.settled == cursor(100))
        coverage.read(from: cursor(101), to: cursor(300), askedAt: 0)
        coverage.settle(clock, overlap: 0)
        #expect(coverage.settled == cursor(300))
    }

    @Test("however many stretches there are, nothing is settled that was not read late enough")
    func merging() {
        var coverage = ReadCoverage(settled: cursor(0))
        let count = UInt64(3 * ReadCoverage.mostStretches)
        for index in 1...count {
            coverage.read(from: cursor((index - 1) * 10), to: cursor(index * 10), askedAt: Int64(index))
        }
        var clock = ServerClock()
        clock.observe(cursor(count * 10), at: Int64(count))
        coverage.settle(clock, overlap: 1_000)
        #expect(coverage.settled <= cursor(count * 10 - 1_000))
        clock.observe(cursor(count * 20), at: Int64(count))
        coverage.settle(clock, overlap: 1_000)
        #expect(coverage.settled == cursor(count * 10))
    }
}
