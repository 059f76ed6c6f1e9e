import Testing

@testable import Fleet

@Suite("BatchLedger")
struct BatchLedgerTests {
    private func batch(_ app: String, _ number: UInt64, bytes: Int = 100, cursor: String = "c") -> Batch<Int> {
        Batch(app: app, number: number, incarnation: 1, cursor: cursor, bytes: bytes, body: Int(number))
    }

    @Test("nothing is delivered before a subscriber is attached")
    func waitsForSubscriber() {
        var ledger = BatchLedger<Int>()
        ledger.append(batch("web", 1))
        #expect(ledger.nextDelivery() == nil)
        ledger.attach()
        #expect(ledger.nextDelivery()?.number == 1)
        #expect(ledger.nextDelivery() == nil)
    }

    @Test("what a dead subscriber did not acknowledge goes to its successor, in order and before anything newer")
    func redelivers() {
        var ledger = BatchLedger<Int>()
        ledger.attach()
        for number in 1...4 { ledger.append(batch("web", UInt64(number))) }
        #expect(ledger.nextDelivery()?.number == 1)
        #expect(ledger.nextDelivery()?.number == 2)
        #expect(ledger.nextDelivery()?.number == 3)
        #expect(ledger.acknowledge(app: "web", number: 1) != nil)
        ledger.detach()
        ledger.attach()
        var order: [UInt64] = []
        while let next = ledger.nextDelivery() { order.append(next.number) }
        #expect(order == [2, 3, 4])
    }

    @Test("an acknowledgement out of turn is refused and changes nothing")
    func refusesOutOfTurn() {
        var ledger = BatchLedger<Int>()
        ledger.attach()
        ledger.append(batch("web", 1))
        ledger.append(batch("api", 1))
        _ = ledger.nextDelivery()
        _ = ledger.nextDelivery()
        #expect(ledger.acknowledge(app: "api", number: 1) == nil)
        #expect(ledger.acknowledge(app: "web", number: 2) == nil)
        #expect(ledger.acknowledge(app: "web", number: 1)?.app == "web")
        #expect(ledger.acknowledge(app: "api", number: 1)?.app == "api")
        #expect(ledger.isEmpty)
        #expect(ledger.heldBytes == 0)
    }

    @Test("a subscriber has at most its window in hand, but always one batch", arguments: [0, 1, 7])
    func keepsWindow(over: Int) {
        let window = BatchLedger<Int>.subscriberWindowBytes
        var ledger = BatchLedger<Int>()
        ledger.attach()
        ledger.append(batch("web", 1, bytes: window + over))
        ledger.append(batch("web", 2, bytes: 1))
        #expect(ledger.nextDelivery()?.number == 1)
        #expect(ledger.nextDelivery() == nil)
        #expect(ledger.nextDelivery(ignoringWindow: true)?.number == 2)
    }

    @Test("what nobody will take is given up in order, and moves no cursor")
    func abandons() {
        var ledger = BatchLedger<Int>()
        ledger.attach()
        for number in 1...3 { ledger.append(batch("web", UInt64(number))) }
        _ = ledger.nextDelivery()
        let abandoned = ledger.removeAll()
        #expect(abandoned.map(\.number) == [1, 2, 3])
        #expect(abandoned.allSatisfy { $0.cursor.isEmpty })
        #expect(ledger.isEmpty && ledger.heldBytes == 0 && ledger.isSettled("web"))
    }

    @Test("an app is settled when its last batch is acknowledged")
    func settles() {
        var ledger = BatchLedger<Int>()
        ledger.attach()
        ledger.append(batch("web", 1))
        ledger.append(batch("web", 2))
        #expect(!ledger.isSettled("web"))
        #expect(ledger.isSettled("api"))
        _ = ledger.nextDelivery()
        _ = ledger.nextDelivery()
        _ = ledger.acknowledge(app: "web", number: 1)
        #expect(!ledger.isSettled("web"))
        _ = ledger.acknowledge(app: "web", number: 2)
        #expect(ledger.isSettled("web"))
    }

    @Test("whatever happens, every batch is acknowledged once, in order, and the books balance", arguments: 0..<50)
    func property(seed: Int) {
        var random = TestRandom(seed: UInt64(seed))
        var ledger = BatchLedger<Int>()
        var appended: [UInt64] = []
        var delivered: [UInt64] = []
        var acknowledged: [UInt64] = []
        for _ in 0..<500 {
            switch random.below(6) {
            case 0, 1:
                appended.append(UInt64(appended.count + 1))
                ledger.append(batch("web", appended[appended.count - 1], bytes: 1 + random.below(3 * 1024 * 1024)))
            case 2, 3:
                while let next = ledger.nextDelivery() { delivered.append(next.number) }
            case 4:
                guard let first = delivered.first else { continue }
                #expect(ledger.acknowledge(app: "web", number: first) != nil)
                acknowledged.append(delivered.removeFirst())
            default:
                if ledger.isAttached { ledger.detach() } else { ledger.attach() }
                if !ledger.isAttached { delivered = [] }
            }
        }
        if !ledger.isAttached { ledger.attach() }
        while !ledger.isEmpty {
            while let next = ledger.nextDelivery() { delivered.append(next.number) }
            let first = delivered.removeFirst()
            #expect(ledger.acknowledge(app: "web", number: first) != nil)
            acknowledged.append(first)
        }
        #expect(acknowledged == appended)
        #expect(ledger.heldBytes == 0)
        #expect(ledger.isSettled("web"))
    }
}

@Suite("CommitLedger")
struct CommitLedgerTests {
    private func receipt(_ app: String, _ number: UInt64) -> CommitLedger.Receipt {
        CommitLedger.Receipt(app: app, number: number, incarnation: 1)
    }

    @Test("cursors that come while a commit runs share the next one, the newest of each app")
    func gathers() {
        var ledger = CommitLedger()
        ledger.add(cursor: "1", receipt: receipt("web", 1))
        let first = ledger.begin()
        #expect(first?.map(\.cursor) == ["1"])
        ledger.add(cursor: "2", receipt: receipt("web", 2))
        ledger.add(cursor: "3", receipt: receipt("web", 3))
        ledger.add(cursor: "9", receipt: receipt("api", 1))
        #expect(ledger.begin() == nil)
        #expect(ledger.succeed() == [receipt("web", 1)])
        let second = ledger.begin()
        #expect(second?.map(\.app) == ["api", "web"])
        #expect(second?.map(\.cursor) == ["9", "3"])
        #expect(ledger.succeed() == [receipt("web", 2), receipt("web", 3), receipt("api", 1)])
        #expect(ledger.begin() == nil)
        #expect(ledger.isClean("web"))
    }

    @Test("a commit that failed is due again, and never overwrites a newer cursor")
    func retries() {
        var ledger = CommitLedger()
        ledger.add(cursor: "1", receipt: receipt("web", 1))
        ledger.add(cursor: "5", receipt: receipt("api", 1))
        _ = ledger.begin()
        ledger.add(cursor: "2", receipt: receipt("web", 2))
        ledger.fail()
        #expect(!ledger.isClean("api"))
        let again = ledger.begin()
        #expect(again?.map(\.app) == ["api", "web"])
        #expect(again?.map(\.cursor) == ["5", "2"])
        #expect(ledger.succeed() == [receipt("web", 1), receipt("api", 1), receipt("web", 2)])
    }
}

/// A seeded generator: the same seed gives the same run.
struct TestRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
