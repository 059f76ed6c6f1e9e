// The books against the simplest ones that do the same: arrays that are searched from the beginning each time.

import Framing
import Testing

@testable import Fleet

/// The naive books.
private struct NaiveLedger {
    struct Subscriber {
        var isAttached = false
        var delivered: Set<Int> = []
        var acknowledged: Set<Int> = []
        var positions: [Int: String] = [:]
    }

    var batches: [Batch<Int>] = []
    var subscribers: [Subscriber]
    let keepers: [Bool]
    var committed = 0
    var committing: Int?
    /// Batches that got their receipts, and how many were judged when all had acknowledged them.
    var receipted: Set<Int> = []
    var judged = 0

    func wants(_ subscriber: Int, _ place: Int) -> Bool { !(keepers[subscriber] && batches[place].isReplay) }

    /// What a subscriber gets next, without a look at its window.
    func next(_ subscriber: Int) -> Int? {
        batches.indices.first { wants(subscriber, $0) && !subscribers[subscriber].delivered.contains($0) }
    }

    func inHand(_ subscriber: Int) -> [Int] {
        batches.indices.filter {
            subscribers[subscriber].delivered.contains($0) && !subscribers[subscriber].acknowledged.contains($0)
        }
    }

    /// How long the prefix is that all have acknowledged.
    var safe: Int {
        batches.indices.first { place in
            subscribers.indices.contains { wants($0, place) && !subscribers[$0].acknowledged.contains(place) }
        } ?? batches.count
    }

    func needsStore(_ batch: Batch<Int>) -> Bool {
        !batch.isReplay && (keepers.contains(true) || !batch.cursor.isEmpty || batch.chunk != nil)
    }

    func position(_ subscriber: Int, behind count: Int) -> String? {
        batches.indices.prefix(count).reversed().lazy.compactMap { subscribers[subscriber].positions[$0] }.first
    }

    /// What a commit of the batches up to a place must hold.
    func payload(upTo count: Int) -> CommitPayload {
        var payload = CommitPayload()
        for subscriber in subscribers.indices where keepers[subscriber] {
            guard let position = position(subscriber, behind: count) else { continue }
            payload.sinks.append(CommitPayload.Sink(name: "/file\(subscriber - 1)", position: position))
        }
        for batch in batches[committed..<count] where needsStore(batch) {
            if !payload.apps.contains(where: { $0.name == batch.app }) {
                payload.apps.append(CommitPayload.App(name: batch.app, cursor: ""))
            }
            guard let place = payload.apps.firstIndex(where: { $0.name == batch.app }) else { continue }
            if !batch.cursor.isEmpty { payload.apps[place].cursor = batch.cursor }
            guard let chunk = batch.chunk else { continue }
            payload.apps[place].firstKept = max(payload.apps[place].firstKept, chunk.firstKept)
            payload.apps[place].chunks.append(
                CommitPayload.Chunk(number: chunk.number, identities: [UInt8(batch.body % 251)]))
        }
        for place in payload.apps.indices {
            let firstKept = payload.apps[place].firstKept
            payload.apps[place].chunks.removeAll { $0.number < firstKept }
        }
        return payload
    }

    /// What is committed leaves the books, and so does what need not be.
    mutating func forget(upTo count: Int) {
        for place in committed..<count { receipted.insert(place) }
        committed = count
        for place in committed..<safe { receiptIfNear(place, behind: safe) }
    }

    /// What all have acknowledged by now gets its receipt.
    mutating func judge() {
        while judged < safe {
            receiptIfNear(judged, behind: judged + 1)
            judged += 1
        }
    }

    /// A batch gets its receipt unless its app has too much up to some place that is not committed.
    private mutating func receiptIfNear(_ place: Int, behind end: Int) {
        let app = batches[place].app
        let bytes = batches[committed..<end].filter { $0.app == app }.reduce(0) { $0 + $1.bytes }
        if bytes <= BatchLimits.lag { receipted.insert(place) }
    }

    /// The last batch of each app that has its receipt.
    var lastReceipts: [String: UInt64] {
        receipted.sorted().reduce(into: [:]) { $0[batches[$1].app] = batches[$1].number }
    }

    func isSettled(_ app: String) -> Bool { !batches[committed...].contains { $0.app == app } }
    var heldBytes: Int {
        batches[committed...].reduce(0) { $0 + $1.heldBytes } - batches[committed..<safe].reduce(0) { $0 + $1.bytes }
    }
}

@Suite("BatchLedger: against a naive model") struct BatchLedgerModelTests {
    /// One life of both.
    private struct Pair {
        var random: TestRandom
        var ledger: BatchLedger<Int>
        var model: NaiveLedger
        var numbers: [String: UInt64] = [:]
        var chunks: [String: UInt64] = [:]
        /// The last receipt of each app.
        var received: [String: UInt64] = [:]

        init(seed: UInt64) {
            random = TestRandom(seed: seed)
            let files = random.below(4)
            ledger = BatchLedger(
                subscribers: [BatchSubscriber(name: nil)] + (0..<files).map { BatchSubscriber(name: "/file\($0)") })
            model = NaiveLedger(
                subscribers: Array(repeating: .init(), count: files + 1),
                keepers: [false] + Array(repeating: true, count: files))
        }

        mutating func append() {
            let app = ["web", "api", "db"][random.below(3)]
            let number = numbers[app, default: 0] + 1
            numbers[app] = number
            let isReplay = random.below(5) == 0
            var chunk: Batch<Int>.Chunk?
            if !isReplay, random.below(3) > 0 {
                let next = chunks[app, default: 0] + 1
                chunks[app] = next
                chunk = .init(number: next, firstKept: next > 2 ? next - 2 : 0, bytes: 8)
            }
            let batch = Batch(
                app: app, number: number, incarnation: 1,
                cursor: isReplay || random.below(5) == 0 ? "" : "\(model.batches.count)",
                bytes: 1 + random.below(3 << 20), isReplay: isReplay, chunk: chunk, body: model.batches.count)
            ledger.append(batch)
            model.batches.append(batch)
            model.judge()
        }

        mutating func deliver(_ subscriber: Int) {
            guard model.subscribers[subscriber].isAttached else {
                return #expect(ledger.nextDelivery(to: subscriber) == nil)
            }
            let inHand = model.inHand(subscriber).reduce(0) { $0 + model.batches[$1].bytes }
            guard let next = model.next(subscriber),
                inHand == 0 || inHand + model.batches[next].bytes <= BatchLimits.subscriberWindow
            else { return #expect(ledger.nextDelivery(to: subscriber) == nil) }
            #expect(ledger.nextDelivery(to: subscriber)?.body == next)
            model.subscribers[subscriber].delivered.insert(next)
        }

        mutating func acknowledge(_ subscriber: Int) {
            let inHand = model.inHand(subscriber)
            #expect(ledger.hasBatchesInHand(subscriber) == !inHand.isEmpty)
            guard let first = inHand.first else { return }
            if inHand.count > 1, let last = inHand.last {
                let batch = model.batches[last]
                #expect(
                    ledger.acknowledge(app: batch.app, number: batch.number, position: "x", by: subscriber) == false)
            }
            let position = model.keepers[subscriber] ? "\(subscriber):\(random.below(1_000))" : nil
            let batch = model.batches[first]
            #expect(
                ledger.acknowledge(app: batch.app, number: batch.number, position: position, by: subscriber) == true)
            model.subscribers[subscriber].acknowledged.insert(first)
            model.subscribers[subscriber].positions[first] = position
            model.judge()
        }

        mutating func turn(_ subscriber: Int) {
            if model.subscribers[subscriber].isAttached {
                ledger.detach(subscriber)
                model.subscribers[subscriber].delivered = model.subscribers[subscriber].acknowledged
            } else {
                ledger.attach(subscriber)
            }
            model.subscribers[subscriber].isAttached.toggle()
        }

        mutating func release() {
            let taken = ledger.takeReceipts()
            for receipt in taken { received[receipt.app] = receipt.number }
            var count = model.committed
            if model.committing == nil {
                while count < model.safe, !model.needsStore(model.batches[count]) { count += 1 }
            }
            model.forget(upTo: count)
            #expect(received == model.lastReceipts)
        }

        mutating func commit() {
            let payload = ledger.beginCommit { [UInt8($0 % 251)] }
            guard model.committing == nil, model.safe > model.committed else { return #expect(payload == nil) }
            #expect(payload == model.payload(upTo: model.safe))
            model.committing = model.safe
        }

        mutating func answer() {
            guard let count = model.committing else { return }
            model.committing = nil
            guard random.below(3) > 0 else { return ledger.commitFailed() }
            ledger.commitSucceeded()
            model.forget(upTo: count)
            release()
        }

        func check() {
            #expect(ledger.heldBytes == model.heldBytes)
            #expect(ledger.isEmpty == (model.committed == model.batches.count))
            #expect(ledger.canCommit == (model.committing == nil && model.safe > model.committed))
            for app in ["web", "api", "db"] { #expect(ledger.isSettled(app) == model.isSettled(app)) }
            for subscriber in model.subscribers.indices {
                #expect(ledger.position(of: subscriber) == model.position(subscriber, behind: model.batches.count))
            }
        }
    }

    @Test("whatever happens, both say the same, and in the end nothing is held", arguments: 0..<60 as Range<UInt64>)
    func sameBooks(seed: UInt64) {
        var pair = Pair(seed: seed)
        let subscribers = pair.model.subscribers.count
        for _ in 0..<250 {
            let subscriber = pair.random.below(subscribers)
            switch pair.random.below(12) {
            case 0, 1: pair.append()
            case 2...4: pair.deliver(subscriber)
            case 5...7: pair.acknowledge(subscriber)
            case 8: pair.release()
            case 9: pair.commit()
            case 10: pair.answer()
            default: if pair.random.below(3) == 0 { pair.turn(subscriber) }
            }
            pair.check()
        }
        for subscriber in 0..<subscribers where !pair.model.subscribers[subscriber].isAttached { pair.turn(subscriber) }
        for _ in 0..<2_000 where !pair.ledger.isEmpty {
            for subscriber in 0..<subscribers {
                pair.deliver(subscriber)
                pair.acknowledge(subscriber)
            }
            pair.release()
            pair.commit()
            pair.answer()
        }
        #expect(pair.ledger.isEmpty && pair.ledger.heldBytes == 0 && !pair.ledger.isUnderPressure)
    }
}
