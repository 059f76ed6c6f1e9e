// What the server says of its own clock, and what lines say that are dated ahead of it.

import Testing

@testable import FlyAPI

@Suite("The server's date")
struct ServerDateTests {
    private static let second: UInt64 = 1_000_000_000
    private static let now = 1_780_000_000 * second

    private func cursor(_ value: UInt64) -> LogCursor { LogCursor(nanoseconds: value) }

    private func page(_ time: UInt64, servedAt: UInt64?, entries: Int = 1) -> PageSummary {
        var page = PageSummary(
            entryCount: entries, unseenCount: entries, nextToken: .cursor(cursor(time)), firstTimestamp: Int64(time),
            latestTimestamp: Int64(time))
        page.servedAt = servedAt.map { cursor($0) }
        return page
    }

    @Test(
        "it is read to the second; anything else is none",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", nil), ("Fri, 31 Dec 9999 23:59:59 GMT", nil), ("", nil), ("0", nil),
            ("1780000000", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sunday, 06-Nov-94 08:49:37 GMT", nil),
        ] as [(String, UInt64?)])
    func reading(text: String, seconds: UInt64?) {
        #expect(LogCursor(httpDate: text) == seconds.map { cursor($0 * Self.second) })
    }

    @Test("a line counts for no more than the answer's date; without a date, for what it says")
    func bound() {
        for (date, expected) in [(Self.now, Self.now), (nil, Self.now + 3600 * Self.second)] {
            var machine = CursorMachine()
            machine.begin(at: StreamPosition(at: cursor(Self.now - 100 * Self.second)), evidence: nil, now: 0)
            _ = machine.nextRequest(now: 0)
            _ = machine.pageRead(page(Self.now + 3600 * Self.second, servedAt: date), now: 0, wall: 0)
            #expect(machine.serverTime(now: 0) == cursor(expected))
            #expect(machine.position?.reached == cursor(Self.now + 3600 * Self.second))
            #expect((machine.horizon != nil) == (date != nil))
        }
    }

    @Test("a date before the line's by less than a doubt is no reason to think that the line is ahead")
    func doubt() {
        for (ahead, isAhead) in [(0, false), (1, false), (5, false), (6, true)] as [(UInt64, Bool)] {
            var machine = CursorMachine()
            machine.begin(at: StreamPosition(at: cursor(Self.now - 100 * Self.second)), evidence: nil, now: 0)
            _ = machine.nextRequest(now: 0)
            _ = machine.pageRead(page(Self.now + ahead * Self.second, servedAt: Self.now), now: 0, wall: 0)
            #expect((machine.horizon != nil) == isAhead, "\(ahead) s")
            #expect(machine.horizon(at: Int64(20 * Self.second)) == nil, "its time has come")
        }
    }

    @Test("where nothing but a line ahead is on the newest page, reading begins a day ago")
    func newestPage() {
        var machine = CursorMachine()
        _ = machine.nextRequest(now: 0)
        let ahead = Self.now + 3600 * Self.second
        let plan = machine.pageRead(page(ahead, servedAt: Self.now), now: 0, wall: Int64(Self.now))
        #expect(plan.began == StreamPosition(at: cursor(Self.now - 86_400 * Self.second)))
        #expect(machine.position?.reached == cursor(ahead))
        #expect((machine.position?.settled ?? cursor(.max)) <= cursor(Self.now - 20 * Self.second))
    }

    @Test("without an overlap, too, lines behind one that is ahead are looked for")
    func noOverlap() {
        var machine = CursorMachine(CursorMachine.Rules(overlap: 0))
        machine.begin(at: StreamPosition(at: cursor(Self.now - 100 * Self.second)), evidence: nil, now: 0)
        _ = machine.nextRequest(now: 0)
        _ = machine.pageRead(page(Self.now + 3600 * Self.second, servedAt: Self.now), now: 0, wall: 0)
        let settled = Self.now - 100 * Self.second
        #expect(machine.position?.settled ?? cursor(0) <= cursor(Self.now - 20 * Self.second))
        #expect(machine.nextRequest(now: 1) == cursor(Self.now + 3600 * Self.second - 1))
        _ = machine.pageRead(page(Self.now + 3600 * Self.second, servedAt: Self.now), now: 2, wall: 0)
        let back = machine.nextRequest(now: Int64(11 * Self.second)) ?? cursor(.max)
        #expect(back >= cursor(settled) && back <= cursor(Self.now - 10 * Self.second))
    }
}
