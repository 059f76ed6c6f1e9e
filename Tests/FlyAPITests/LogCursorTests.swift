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

    @Test("without a committed cursor the newest page is asked for")
    func fresh() {
        let start = StreamStart(committed: nil, now: now)
        #expect(start.cursor == nil)
        #expect(start.gap == nil)
    }

    @Test("a committed cursor is resumed with the overlap")
    func overlap() {
        let committed = LogCursor(time: now - 1_000_000_000)
        let start = StreamStart(committed: committed, now: now)
        #expect(start.cursor == committed.rewound(nanoseconds: 20_000_000_000))
        #expect(start.gap == nil)
    }

    @Test("a cursor older than the retention is clamped and the gap reported")
    func gap() {
        let oldest = LogCursor(time: now).rewound(nanoseconds: StreamStart.retention)
        let committed = oldest.rewound(nanoseconds: 1)
        let start = StreamStart(committed: committed, now: now)
        #expect(start.cursor == oldest)
        #expect(start.gap == StreamStart.Gap(from: committed, to: oldest))
        let edge = StreamStart(committed: oldest, now: now)
        #expect(edge.cursor == oldest)
        #expect(edge.gap == nil)
    }
}
