// The cursor table: where clients go wrong, one row a situation, each with the whole plan.
import Testing

@testable import FlyAPI

@Suite("CursorMachine")
struct CursorMachineTests {
    private func cursor(_ value: UInt64) -> LogCursor { LogCursor(nanoseconds: value) }

    private func plan(
        _ cursor: UInt64?, _ next: PagePlan.Next, moved: Bool, stepped: Bool = false
    ) -> PagePlan {
        PagePlan(
            cursor: cursor.map { LogCursor(nanoseconds: $0) }, next: next, cursorMoved: moved,
            steppedOverNanosecond: stepped)
    }

    private func platform(_ count: Int, new: Int? = nil, _ token: PageToken) -> PageSummary {
        PageSummary(entryCount: count, unseenCount: new ?? count, nextToken: token)
    }

    private func machines(_ count: Int, new: Int? = nil, latest: Int64?) -> PageSummary {
        PageSummary(entryCount: count, unseenCount: new ?? count, latestTimestamp: latest)
    }

    @Test("a page is full from 100 entries on", arguments: [(99, false), (100, true), (1000, true)])
    func full(count: Int, isFull: Bool) {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        let result = machine.pageRead(platform(count, .cursor(cursor(20))))
        #expect(result == plan(20, isFull ? .atOnce : .afterInterval, moved: true))
    }

    @Test(
        "an empty page keeps the old cursor and waits, whatever its token",
        arguments: [PageToken.empty, .absent, .cursor(LogCursor(nanoseconds: 99)), .unreadable])
    func emptyPage(token: PageToken) {
        for start in [nil, UInt64(10)] {
            var machine = CursorMachine(dialect: .platform, cursor: start.map(cursor))
            #expect(machine.pageRead(platform(0, token)) == plan(start, .afterInterval, moved: false))
        }
    }

    @Test(
        "a missing, empty or unreadable token keeps the old cursor", arguments: [PageToken.empty, .absent, .unreadable])
    func noToken(token: PageToken) {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        #expect(machine.pageRead(platform(5, token)) == plan(10, .afterInterval, moved: false))
        #expect(machine.unreadableTokens == (token == .unreadable ? 1 : 0))
    }

    @Test("the first token is taken as it is")
    func first() {
        var machine = CursorMachine(dialect: .platform)
        #expect(machine.pageRead(platform(100, .cursor(cursor(7)))) == plan(7, .atOnce, moved: true))
    }

    @Test("the same token on a page that is not full is no progress: wait")
    func sameToken() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        #expect(machine.pageRead(platform(1, new: 0, .cursor(cursor(10)))) == plan(10, .afterInterval, moved: false))
        #expect(machine.nanosecondSteps == 0)
    }

    @Test("more than a page in one nanosecond: a full page of seen ids under the same token steps by one, counted")
    func step() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        let full = platform(100, .cursor(cursor(10)))
        #expect(machine.pageRead(full) == plan(10, .atOnce, moved: false))
        let again = platform(100, new: 0, .cursor(cursor(10)))
        #expect(machine.pageRead(again) == plan(11, .atOnce, moved: true, stepped: true))
        #expect(machine.nanosecondSteps == 1)
        #expect(machine.pageRead(platform(3, .cursor(cursor(50)))) == plan(50, .afterInterval, moved: true))
    }

    @Test("a single new id on the page forbids the step")
    func noStepWithNews() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        let result = machine.pageRead(platform(100, new: 1, .cursor(cursor(10))))
        #expect(result == plan(10, .atOnce, moved: false))
    }

    @Test("a server that echoes every cursor is not chased in a tight loop")
    func echo() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        let first = machine.pageRead(platform(100, new: 0, .cursor(cursor(10))))
        let second = machine.pageRead(platform(100, new: 0, .cursor(cursor(11))))
        let third = machine.pageRead(platform(100, new: 0, .cursor(cursor(12))))
        #expect([first.next, second.next, third.next] == [.atOnce, .afterInterval, .afterInterval])
        #expect(machine.nanosecondSteps == 3)
    }

    @Test("a token that goes back never moves the cursor back")
    func backwards() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(10))
        #expect(machine.pageRead(platform(100, new: 0, .cursor(cursor(9)))) == plan(10, .afterInterval, moved: false))
        #expect(machine.backwardTokens == 1)
        #expect(machine.nanosecondSteps == 0)
    }

    @Test("tokens above 2^53 that differ by one are different")
    func exact() {
        var machine = CursorMachine(dialect: .platform, cursor: cursor(9_007_199_254_740_992))
        let result = machine.pageRead(platform(100, .cursor(cursor(9_007_199_254_740_993))))
        #expect(result == plan(9_007_199_254_740_993, .atOnce, moved: true))
    }

    @Test("machines: the cursor is the latest timestamp plus one")
    func machinesAdvance() {
        var machine = CursorMachine(dialect: .machines)
        #expect(machine.pageRead(machines(3, latest: 41)) == plan(42, .afterInterval, moved: true))
        #expect(machine.pageRead(machines(0, latest: nil)) == plan(42, .afterInterval, moved: false))
    }

    @Test("machines: unreadable timestamps do not move the cursor", arguments: [nil, Int64(-5)])
    func machinesUnreadable(latest: Int64?) {
        var machine = CursorMachine(dialect: .machines, cursor: cursor(10))
        #expect(machine.pageRead(machines(3, latest: latest)) == plan(10, .afterInterval, moved: false))
    }

    @Test("machines: an older timestamp does not move the cursor back")
    func machinesLate() {
        var machine = CursorMachine(dialect: .machines, cursor: cursor(100))
        #expect(machine.pageRead(machines(3, latest: 50)) == plan(100, .afterInterval, moved: false))
    }

    @Test("machines: a full page may be cut inside a nanosecond, so its last one is asked for again")
    func machinesFull() {
        var machine = CursorMachine(dialect: .machines, cursor: cursor(10))
        #expect(machine.pageRead(machines(100, latest: 41)) == plan(41, .atOnce, moved: true))
        #expect(machine.pageRead(machines(100, new: 50, latest: 41)) == plan(41, .atOnce, moved: false))
        #expect(
            machine.pageRead(machines(100, new: 0, latest: 41)) == plan(42, .atOnce, moved: true, stepped: true))
        #expect(machine.pageRead(machines(2, latest: 60)) == plan(61, .afterInterval, moved: true))
        #expect(machine.nanosecondSteps == 1)
    }
}
