import Testing

@testable import FlyAPI

@Suite("CursorMachine, many lines in one nanosecond")
struct CursorMachineTieTests {
    private static let second: UInt64 = 1_000_000_000
    private static let tie: UInt64 = 1_780_000_000 * second + 762_652_333

    private func page(_ count: Int, unseen: Int, endsAt time: UInt64) -> PageSummary {
        PageSummary(
            entryCount: count, unseenCount: unseen, nextToken: .cursor(LogCursor(nanoseconds: time)),
            firstTimestamp: Int64(time), latestTimestamp: Int64(time))
    }

    @Test("a look back goes on behind a full nanosecond, though larger pages were seen: it is no end of the log")
    func lookBackOverFullNanosecond() {
        let before = LogCursor(nanoseconds: Self.tie - 2 * Self.second)
        let reached = LogCursor(nanoseconds: Self.tie + 6 * Self.second)
        var machine = CursorMachine(CursorMachine.Rules(overlap: 10 * Self.second))
        machine.begin(at: StreamPosition(settled: before, reached: reached), evidence: reached, now: 0)
        #expect(machine.nextRequest(now: 0) == before)
        // Up to the nanosecond and all of it, as from a server that never cuts one.
        _ = machine.pageRead(page(250, unseen: 0, endsAt: Self.tie), now: 1, wall: 0)
        #expect(machine.nextRequest(now: 1)?.nanoseconds == Self.tie - 1)
        // Exclusive: the nanosecond alone.
        let plan = machine.pageRead(page(150, unseen: 0, endsAt: Self.tie), now: 2, wall: 0)
        #expect(!plan.isEnd && plan.next == .atOnce && plan.cut == nil)
        #expect(machine.isLookingBack)
        #expect(machine.nextRequest(now: 2)?.nanoseconds == Self.tie, "what is behind it is read again too")
        // A minute later nothing but what was really read again may be settled.
        _ = machine.pageRead(
            page(100, unseen: 3, endsAt: Self.tie + 2 * Self.second), now: Int64(60 * Self.second), wall: 0)
        #expect((machine.position?.settled.nanoseconds ?? 0) <= Self.tie + 2 * Self.second)
    }

    @Test("an inclusive server's full nanosecond is stepped over, and is a gap only where it may have been cut")
    func stepOver() {
        for largest in [150, 250] {
            let start = LogCursor(nanoseconds: Self.tie - 2 * Self.second)
            var machine = CursorMachine(CursorMachine.Rules(overlap: 10 * Self.second))
            machine.begin(at: StreamPosition(at: start), evidence: start, now: 0)
            _ = machine.nextRequest(now: 0)
            _ = machine.pageRead(page(largest, unseen: largest, endsAt: Self.tie), now: 1, wall: 0)
            var cuts = 0
            var requests: [UInt64] = []
            for now in 2...3 {
                requests.append(machine.nextRequest(now: Int64(now))?.nanoseconds ?? 0)
                let plan = machine.pageRead(page(150, unseen: 0, endsAt: Self.tie), now: Int64(now), wall: 0)
                if plan.cut != nil { cuts += 1 }
            }
            #expect(requests == [Self.tie - 1, Self.tie])
            #expect(machine.nextRequest(now: 4)?.nanoseconds == Self.tie + 1)
            #expect((cuts > 0) == (largest == 150))
        }
    }
}
