import FlyAPI
import Testing

@testable import Streamer

@Suite("IdentityWindow")
struct IdentityWindowTests {
    /// What each insert answers, in order.
    static func insert(_ identities: some Sequence<UInt64>, into window: inout IdentityWindow) -> [Bool] {
        identities.map { window.insert($0) }
    }

    @Test("an identity is new once, however many there are, until it is forgotten", arguments: [1, 2, 3, 8, 4096])
    func rememberedExactly(capacity: Int) {
        var window = IdentityWindow(capacity: capacity)
        let many = UInt64(3 * capacity)
        #expect(Self.insert(1...many, into: &window) == [Bool](repeating: true, count: Int(many)))
        #expect(Self.insert(1...many, into: &window) == [Bool](repeating: false, count: Int(many)))
        window.forgetOldest(1)
        let count = window.count
        #expect(count == Int(many) - 1)
        #expect(Self.insert([1, 2, many], into: &window) == [true, false, false])
        window.forgetOldest(.max)
        #expect(Self.insert([0, 1, 0], into: &window) == [true, true, false])
    }

    static let mixes: [(distinct: UInt64, factor: UInt64)] = [
        (40, 1), (700, 1), (5000, 1), (900, 1 << 32), (900, 1 << 57),
    ]

    @Test("it agrees with a model on 20000 inserts and forgettings, with poor low bits too", arguments: mixes)
    func model(distinct: UInt64, factor: UInt64) {
        var window = IdentityWindow(capacity: 64)
        var order: [UInt64] = []
        var held: Set<UInt64> = []
        var dice = Dice(seed: distinct)
        var disagreements = 0
        for _ in 0..<20_000 {
            let identity = 1 + (dice.next() >> 33) % distinct &* factor
            let isNew = held.insert(identity).inserted
            if isNew { order.append(identity) }
            if window.insert(identity) != isNew { disagreements += 1 }
            guard dice.once(in: 50) else { continue }
            let forgotten = min(Int.random(in: 0...200, using: &dice), order.count)
            window.forgetOldest(forgotten)
            for identity in order.prefix(forgotten) { held.remove(identity) }
            order.removeFirst(forgotten)
        }
        #expect(disagreements == 0)
        let all = window.identities(order.count)
        #expect(all == order)
        let part = window.identities(order.count / 2, before: order.count / 4)
        #expect(part == Array(order.dropLast(order.count / 4).suffix(order.count / 2)))
    }

    @Test("a window that was wide gives its memory back")
    func shrinks() {
        var window = IdentityWindow()
        _ = Self.insert(1...100_000, into: &window)
        window.forgetOldest(99_990)
        let (capacity, count) = (window.capacity, window.count)
        #expect(capacity <= 2 * IdentityWindow.defaultCapacity && count == 10)
        #expect(Self.insert([99_990, 99_991, 100_000], into: &window) == [true, false, false])
    }
}

@Suite("MemoryLedger")
struct MemoryLedgerTests {
    private func cursor(_ seconds: UInt64) -> LogCursor { LogCursor(nanoseconds: seconds * 1_000_000_000) }

    @Test("chunks go when what they reached is settled, with room for times shown coarsely")
    func forgets() {
        var ledger = MemoryLedger()
        let least = MemoryLedger.leastKept
        #expect(ledger.close(10, reached: cursor(5)) == 1)
        #expect(ledger.close(least, reached: cursor(7)) == 2)
        #expect(ledger.close(20, reached: cursor(9)) == 3)
        #expect(ledger.forget(settled: cursor(8)) == 0, "equal stays, and with it there is nothing to spare")
        #expect(ledger.forget(settled: cursor(8).next) == 10)
        #expect(ledger.firstKept == 2 && ledger.count == least + 20)
    }

    @Test("behind what is settled so many are kept, however old they are", arguments: [0, 1])
    func leastKept(short: Int) {
        var ledger = MemoryLedger()
        _ = ledger.close(30, reached: cursor(5))
        _ = ledger.close(40, reached: cursor(6))
        _ = ledger.close(MemoryLedger.leastKept - 40 - short, reached: cursor(7))
        _ = ledger.close(1000, reached: cursor(50))
        #expect(ledger.forget(settled: cursor(40)) == (short == 0 ? 30 : 0))
        #expect(ledger.forget(settled: cursor(60)) == (short == 0 ? 40 : 70) + MemoryLedger.leastKept - 40 - short)
        #expect(ledger.firstKept == 4 && ledger.count == 1000, "never a part of a chunk")
    }

    @Test("what the store kept is needed up to what was reached, and numbers go on")
    func loads() {
        var ledger = MemoryLedger()
        ledger.load([LoadedChunk(number: 41, count: 3), LoadedChunk(number: 44, count: 0)], reached: cursor(9))
        #expect(ledger.firstKept == 41)
        #expect(ledger.close(MemoryLedger.leastKept, reached: cursor(10)) == 45)
        #expect(ledger.forget(settled: cursor(11)) == 0)
        #expect(ledger.forget(settled: cursor(11).next) == 3)
        #expect(ledger.firstKept == 45)
    }

    @Test("past the bound the oldest go, and the log up to them; never the page at hand")
    func bound() {
        var ledger = MemoryLedger(most: 100)
        _ = ledger.close(60, reached: cursor(1))
        #expect(ledger.makeRoom(reached: cursor(1)) == nil)
        _ = ledger.close(40, reached: cursor(2))
        #expect(ledger.makeRoom(reached: cursor(2)) == nil)
        ledger.openCount = 1
        let room = ledger.makeRoom(reached: cursor(2))
        #expect(room?.identities == 60 && room?.givenUp == cursor(1).next)
        _ = ledger.close(500, reached: cursor(3))
        let more = ledger.makeRoom(reached: cursor(3))
        #expect(more?.identities == 40 && more?.givenUp == cursor(2).next)
        #expect(ledger.makeRoom(reached: cursor(3)) == nil)
    }
}
