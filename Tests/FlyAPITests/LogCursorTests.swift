// Cursors as numbers: exact beyond 2^53, ordered, never negative.
import Testing

@testable import FlyAPI

@Suite("LogCursor")
struct LogCursorTests {
    @Test(
        "decimal text is read exactly and written back without leading zeros",
        arguments: [
            ("0", "0"), ("1780608313161890637", "1780608313161890637"), ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"), ("0007", "7"),
        ])
    func roundTrip(text: String, expected: String) throws {
        #expect(try LogCursor(text).text == expected)
    }

    @Test(
        "anything but digits that fit 64 bits is refused",
        arguments: [
            "", "-1", "+1", " 1", "1 ", "1.0", "1e9", "18446744073709551616", "99999999999999999999999", "٣", "x",
        ])
    func refused(text: String) {
        let error = #expect(throws: FlyAPIError.self) { try LogCursor(text) }
        #expect(error?.code == .cursor)
    }

    @Test("cursors order as numbers, not as text")
    func order() throws {
        #expect(try LogCursor("9") < LogCursor("10"))
        #expect(try LogCursor("9007199254740992") < LogCursor("9007199254740993"))
    }

    @Test("stepping and rewinding stop at the ends")
    func ends() {
        #expect(LogCursor(nanoseconds: .max).next.nanoseconds == .max)
        #expect(LogCursor(nanoseconds: 5).next.nanoseconds == 6)
        #expect(LogCursor(nanoseconds: 5).rewound(nanoseconds: 6).nanoseconds == 0)
        #expect(LogCursor(nanoseconds: 5).rewound(nanoseconds: 2).nanoseconds == 3)
        #expect(LogCursor(time: -1).nanoseconds == 0)
    }
}

@Suite("StreamStart")
struct StreamStartTests {
    private let now: Int64 = 1_780_608_313_000_000_000

    @Test("a committed position is gone on from, its overlap included")
    func goesOn() {
        let committed = StreamPosition(
            settled: LogCursor(time: now - 20_000_000_000), reached: LogCursor(time: now - 1_000_000_000))
        let start = StreamStart(committed: committed, now: now)
        #expect(start.position == committed)
        #expect(start.gap == nil)
    }

    @Test("a position older than the retention is clamped and the gap reported")
    func gap() {
        let oldest = LogCursor(time: now).rewound(nanoseconds: StreamStart.retention)
        let committed = StreamPosition(at: oldest.previous)
        let start = StreamStart(committed: committed, now: now)
        #expect(start.position == StreamPosition(at: oldest))
        #expect(start.gap == StreamStart.Gap(from: oldest.previous, to: oldest))
        let edge = StreamStart(committed: StreamPosition(at: oldest), now: now)
        #expect(edge.position.settled == oldest)
        #expect(edge.gap == nil)
    }

    @Test("what was read once is no gap, though its overlap is gone")
    func overlapGone() {
        let oldest = LogCursor(time: now).rewound(nanoseconds: StreamStart.retention)
        let committed = StreamPosition(settled: oldest.rewound(nanoseconds: 9), reached: oldest.next)
        let start = StreamStart(committed: committed, now: now)
        #expect(start.position == StreamPosition(settled: oldest, reached: oldest.next))
        #expect(start.gap == nil)
    }
}
