import Framing
import Testing

@testable import Fleet

/// Books for a console and some files.
private func books(files: Int = 0) -> BatchLedger<Int> {
    var ledger = BatchLedger<Int>(
        subscribers: [BatchSubscriber(name: nil)] + (0..<files).map { BatchSubscriber(name: "/file\($0)") })
    for subscriber in 0...files { ledger.attach(subscriber) }
    return ledger
}

private func batch(
    _ app: String, _ number: UInt64, bytes: Int = 100, cursor: String? = nil, isReplay: Bool = false,
    chunk: UInt64? = nil, firstKept: UInt64 = 0, chunkBytes: Int = 8
) -> Batch<Int> {
    Batch(
        app: app, number: number, incarnation: 1, cursor: cursor ?? "\(app)\(number)", bytes: bytes,
        isReplay: isReplay, chunk: chunk.map { .init(number: $0, firstKept: firstKept, bytes: chunkBytes) },
        body: Int(number))
}

extension BatchLedger<Int> {
    /// The numbers of everything a subscriber may have now.
    fileprivate mutating func deliver(to subscriber: Int, ignoringWindow: Bool = false) -> [UInt64] {
        var numbers: [UInt64] = []
        while let next = nextDelivery(to: subscriber, ignoringWindow: ignoringWindow) { numbers.append(next.number) }
        return numbers
    }

    fileprivate mutating func beginCommit() -> CommitPayload? {
        beginCommit { body in
            var bytes: [UInt8] = []
            IdentityBytes.append([UInt64(body)], to: &bytes)
            return bytes
        }
    }
}

private func receipt(_ app: String, _ number: UInt64) -> BatchReceipt {
    BatchReceipt(app: app, number: number, incarnation: 1)
}

@Suite("BatchLedger: deliveries")
struct BatchLedgerTests {
    @Test("nothing is delivered before a subscriber is attached")
    func waitsForSubscriber() {
        var ledger = BatchLedger<Int>(subscribers: [BatchSubscriber(name: nil)])
        ledger.append(batch("web", 1))
        #expect(ledger.nextDelivery(to: 0) == nil)
        ledger.attach(0)
        #expect(ledger.deliver(to: 0) == [1])
    }

    @Test("what a dead subscriber did not acknowledge goes to its successor, in order and before anything newer")
    func redelivers() {
        var ledger = books(files: 1)
        for number in 1...4 { ledger.append(batch("web", UInt64(number))) }
        #expect(ledger.deliver(to: 0) == [1, 2, 3, 4])
        #expect(ledger.deliver(to: 1) == [1, 2, 3, 4])
        #expect(ledger.acknowledge(app: "web", number: 1, position: "p1", by: 1) == true)
        #expect(ledger.hasBatchesInHand(1))
        ledger.detach(1)
        #expect(!ledger.hasBatchesInHand(1) && ledger.position(of: 1) == "p1")
        ledger.append(batch("web", 5))
        #expect(ledger.nextDelivery(to: 1) == nil)
        ledger.attach(1)
        #expect(ledger.deliver(to: 1) == [2, 3, 4, 5])
        #expect(ledger.deliver(to: 0) == [5], "the others are not touched")
    }

    @Test("an acknowledgement out of turn, or without the position of a keeper, is refused and changes nothing")
    func refusesOutOfTurn() {
        var ledger = books(files: 1)
        ledger.append(batch("web", 1))
        ledger.append(batch("api", 1))
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == false, "it was not delivered")
        _ = ledger.deliver(to: 0)
        _ = ledger.deliver(to: 1)
        #expect(ledger.acknowledge(app: "api", number: 1, by: 0) == false)
        #expect(ledger.acknowledge(app: "web", number: 2, by: 0) == false)
        #expect(ledger.acknowledge(app: "web", number: 1, by: 1) == false)
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.acknowledge(app: "api", number: 1, by: 0) == true)
        #expect(ledger.acknowledge(app: "api", number: 1, by: 0) == false, "twice")
        #expect(!ledger.canCommit && ledger.position(of: 1) == nil)
        #expect(ledger.acknowledge(app: "web", number: 1, position: "p", by: 1) == true)
        #expect(ledger.canCommit)
    }

    @Test("each subscriber has at most its window in hand, but always one batch", arguments: [0, 1, 7])
    func keepsWindow(over: Int) {
        var ledger = books(files: 1)
        ledger.append(batch("web", 1, bytes: BatchLimits.subscriberWindow + over))
        ledger.append(batch("web", 2, bytes: 1))
        #expect(ledger.deliver(to: 0) == [1])
        #expect(ledger.deliver(to: 1) == [1])
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.deliver(to: 0) == [2], "one does not wait for the other")
        #expect(ledger.deliver(to: 1) == [])
        #expect(ledger.deliver(to: 1, ignoringWindow: true) == [2])
    }

    @Test("a window is filled to its last byte and not beyond")
    func windowBoundary() {
        var ledger = books()
        ledger.append(batch("web", 1, bytes: BatchLimits.subscriberWindow - 10))
        ledger.append(batch("web", 2, bytes: 10))
        ledger.append(batch("web", 3, bytes: 1))
        #expect(ledger.deliver(to: 0) == [1, 2])
    }

    @Test("what is shown again goes to the console alone, and is not waited for by the files")
    func replays() {
        var ledger = books(files: 1)
        ledger.append(batch("web", 1, cursor: "", isReplay: true))
        ledger.append(batch("web", 2))
        ledger.append(batch("web", 3, cursor: "", isReplay: true))
        #expect(ledger.deliver(to: 0) == [1, 2, 3])
        #expect(ledger.deliver(to: 1) == [2])
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.takeReceipts() == [receipt("web", 1)])
        #expect(ledger.acknowledge(app: "web", number: 2, position: "p2", by: 1) == true)
        #expect(ledger.acknowledge(app: "web", number: 2, by: 0) == true)
        #expect(ledger.acknowledge(app: "web", number: 3, by: 0) == true)
        let commit = ledger.beginCommit()
        #expect(commit?.sinks == [CommitPayload.Sink(name: "/file0", position: "p2")])
        #expect(commit?.apps == [CommitPayload.App(name: "web", cursor: "web2")])
        #expect(ledger.takeReceipts() == [receipt("web", 3)])
        ledger.commitSucceeded()
        #expect(ledger.isEmpty && ledger.heldBytes == 0)
    }

    @Test("what is shown again while the file's sink is down holds nobody up")
    func replaysWithoutFile() {
        var ledger = books(files: 1)
        ledger.detach(1)
        ledger.append(batch("web", 1, cursor: "", isReplay: true))
        #expect(ledger.deliver(to: 0) == [1])
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.takeReceipts() == [receipt("web", 1)])
        #expect(ledger.isSettled("web"))
    }

    @Test("what nobody will take is given up in order; what all have is still to be committed")
    func abandons() {
        var ledger = books(files: 1)
        for number in 1...4 { ledger.append(batch("web", UInt64(number))) }
        _ = ledger.deliver(to: 0)
        _ = ledger.deliver(to: 1)
        for number in 1...3 {
            #expect(ledger.acknowledge(app: "web", number: UInt64(number), position: "p\(number)", by: 1) == true)
        }
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.abandon() == [receipt("web", 2), receipt("web", 3), receipt("web", 4)])
        #expect(!ledger.isSettled("web") && !ledger.hasBatchesInHand(0))
        #expect(ledger.beginCommit()?.sinks == [CommitPayload.Sink(name: "/file0", position: "p1")])
        #expect(ledger.takeReceipts() == [receipt("web", 1)])
        ledger.commitSucceeded()
        #expect(ledger.isEmpty && ledger.heldBytes == 0 && ledger.isSettled("web"))
    }

    @Test("a subscriber that begins anew stands there behind everything it had acknowledged")
    func placed() {
        var ledger = books(files: 1)
        for number in 1...2 as ClosedRange<UInt64> { ledger.append(batch("web", number)) }
        for subscriber in 0...1 {
            _ = ledger.deliver(to: subscriber)
            #expect(ledger.acknowledge(app: "web", number: 1, position: "old", by: subscriber) == true)
        }
        ledger.place(1, at: "new")
        #expect(ledger.position(of: 1) == "new")
        #expect(ledger.beginCommit()?.sinks == [CommitPayload.Sink(name: "/file0", position: "new")])
    }
}

@Suite("BatchLedger: commits")
struct BatchLedgerCommitTests {
    @Test("a commit is what all have acknowledged, with the position behind its last batch, however far one is ahead")
    func oneMoment() {
        var ledger = books(files: 2)
        for number in 1...3 as ClosedRange<UInt64> { ledger.append(batch("web", number, chunk: number)) }
        for subscriber in 0...2 { _ = ledger.deliver(to: subscriber) }
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(ledger.acknowledge(app: "web", number: number, position: "a\(number)", by: 1) == true)
        }
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.acknowledge(app: "web", number: 2, by: 0) == true)
        #expect(ledger.beginCommit() == nil)
        #expect(ledger.acknowledge(app: "web", number: 1, position: "b1", by: 2) == true)
        let commit = ledger.beginCommit()
        #expect(
            commit?.sinks == [
                CommitPayload.Sink(name: "/file0", position: "a1"), CommitPayload.Sink(name: "/file1", position: "b1"),
            ])
        #expect(
            commit?.apps == [
                CommitPayload.App(
                    name: "web", cursor: "web1", chunks: [.init(number: 1, identities: [0, 0, 0, 0, 0, 0, 0, 1])])
            ])
        #expect(ledger.acknowledge(app: "web", number: 2, position: "b2", by: 2) == true)
        #expect(!ledger.canCommit)
        #expect(ledger.beginCommit() == nil, "one at a time")
        ledger.commitSucceeded()
        #expect(ledger.beginCommit()?.sinks.map(\.position) == ["a2", "b2"])
    }

    @Test("apps share a commit: the last cursor that is not empty, and the chunks")
    func gathers() {
        var ledger = books()
        ledger.append(batch("web", 1, chunk: 7))
        ledger.append(batch("api", 1))
        ledger.append(batch("web", 2, chunk: 8, firstKept: 8))
        ledger.append(batch("web", 3, cursor: ""))
        _ = ledger.deliver(to: 0)
        for (app, number) in [("web", 1), ("api", 1), ("web", 2), ("web", 3)] as [(String, UInt64)] {
            #expect(ledger.acknowledge(app: app, number: number, by: 0) == true)
        }
        let commit = ledger.beginCommit()
        #expect(commit?.apps.map(\.name) == ["web", "api"] && commit?.apps.map(\.cursor) == ["web2", "api1"])
        #expect(commit?.apps.first?.firstKept == 8)
        #expect(commit?.apps.first?.chunks.map(\.number) == [8], "what is forgotten at once is not written")
        #expect(commit?.sinks == [])
        #expect(ledger.takeReceipts() == [receipt("web", 1), receipt("api", 1), receipt("web", 3)])
        ledger.commitSucceeded()
        #expect(ledger.isEmpty && ledger.takeReceipts() == [])
    }

    @Test("a commit that failed is due again, with what came since")
    func retries() {
        var ledger = books(files: 1)
        for number in 1...2 as ClosedRange<UInt64> {
            ledger.append(batch("web", number))
            for subscriber in 0...1 {
                _ = ledger.deliver(to: subscriber)
                #expect(ledger.acknowledge(app: "web", number: number, position: "p\(number)", by: subscriber) == true)
            }
            if number == 1 { #expect(ledger.beginCommit()?.sinks.map(\.position) == ["p1"]) }
        }
        ledger.commitFailed()
        #expect(!ledger.isSettled("web") && ledger.heldBytes > 0)
        let again = ledger.beginCommit()
        #expect(again?.sinks.map(\.position) == ["p2"] && again?.apps.map(\.cursor) == ["web2"])
        ledger.commitSucceeded()
        #expect(ledger.isSettled("web") && ledger.heldBytes == 0)
    }

    @Test("without a file, what moves no cursor is safe when it is acknowledged; with one its position has to be kept")
    func withoutStore() {
        for files in 0...1 {
            var ledger = books(files: files)
            ledger.append(batch("web", 1, cursor: ""))
            ledger.append(batch("web", 2, cursor: ""))
            for subscriber in 0...files {
                _ = ledger.deliver(to: subscriber)
                for number in 1...2 as ClosedRange<UInt64> {
                    #expect(ledger.acknowledge(app: "web", number: number, position: "p", by: subscriber) == true)
                }
            }
            #expect(ledger.takeReceipts() == [receipt("web", 2)])
            #expect(ledger.isEmpty == (files == 0))
            #expect((ledger.beginCommit()?.sinks.count ?? 0) == files)
        }
    }

    @Test("a commit is cut at about its bound, and what is left is the next one")
    func bounded() {
        var ledger = books()
        let bytes = BatchLimits.commit / 2 - 100
        for number in 1...5 as ClosedRange<UInt64> {
            ledger.append(batch("web", number, chunk: number, chunkBytes: bytes))
        }
        _ = ledger.deliver(to: 0)
        for number in 1...5 as ClosedRange<UInt64> {
            #expect(ledger.acknowledge(app: "web", number: number, by: 0) == true)
        }
        var counts: [Int] = []
        while let commit = ledger.beginCommit() {
            counts.append(commit.apps[0].chunks.count)
            ledger.commitSucceeded()
        }
        #expect(counts == [2, 2, 1])
    }

    @Test("the largest chunk goes alone")
    func largestChunk() {
        var ledger = books()
        for number in 1...2 as ClosedRange<UInt64> {
            ledger.append(batch("web", number, chunk: number, chunkBytes: BatchLimits.mostChunk))
        }
        _ = ledger.deliver(to: 0)
        for number in 1...2 as ClosedRange<UInt64> {
            #expect(ledger.acknowledge(app: "web", number: number, by: 0) == true)
        }
        #expect(ledger.beginCommit()?.apps.first?.chunks.map(\.number) == [1])
    }

    @Test("pressure is an app's bytes that all have and that are not committed", arguments: [0, 1])
    func pressure(short: Int) {
        var ledger = books()
        let half = BatchLimits.pressure / 2
        ledger.append(batch("web", 1, bytes: half))
        ledger.append(batch("api", 1, bytes: half))
        ledger.append(batch("web", 2, bytes: half - short))
        _ = ledger.deliver(to: 0)
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(ledger.acknowledge(app: "api", number: 1, by: 0) == true)
        #expect(!ledger.isUnderPressure)
        #expect(ledger.acknowledge(app: "web", number: 2, by: 0) == true)
        #expect(ledger.isUnderPressure == (short == 0))
        _ = ledger.beginCommit()
        ledger.commitSucceeded()
        #expect(!ledger.isUnderPressure)
    }

    @Test("what all have acknowledged is receipted at once, but not far ahead of the store", arguments: [0, 1])
    func lag(over: Int) {
        var ledger = books()
        let half = BatchLimits.lag / 2
        for (number, bytes) in [(1, half), (2, half + over), (3, 1), (4, 1)] as [(UInt64, Int)] {
            ledger.append(batch("web", number, bytes: bytes))
        }
        ledger.append(batch("api", 1))
        _ = ledger.deliver(to: 0)
        #expect(ledger.takeReceipts() == [])
        for number in 1...4 as ClosedRange<UInt64> {
            #expect(ledger.acknowledge(app: "web", number: number, by: 0) == true)
            if number == 1 { _ = ledger.beginCommit() }
        }
        #expect(ledger.acknowledge(app: "api", number: 1, by: 0) == true)
        #expect(ledger.takeReceipts() == [receipt("web", over == 0 ? 2 : 1), receipt("api", 1)])
        ledger.commitFailed()
        #expect(ledger.takeReceipts() == [])
        _ = ledger.beginCommit()
        ledger.commitSucceeded()
        #expect(ledger.takeReceipts() == [receipt("web", 4)] && ledger.isEmpty)
    }

    @Test("a commit makes room for receipts of what is behind it")
    func catchesUp() {
        var ledger = books()
        for number in 1...3 as ClosedRange<UInt64> { ledger.append(batch("web", number, bytes: BatchLimits.lag)) }
        for number in 1...3 as ClosedRange<UInt64> {
            _ = ledger.deliver(to: 0)
            #expect(ledger.acknowledge(app: "web", number: number, by: 0) == true)
            if number == 1 { _ = ledger.beginCommit() }
        }
        #expect(ledger.takeReceipts() == [receipt("web", 1)])
        ledger.commitSucceeded()
        #expect(ledger.takeReceipts() == [], "two are still too much")
        _ = ledger.beginCommit()
        ledger.commitSucceeded()
        #expect(ledger.takeReceipts() == [receipt("web", 3)])
    }

    @Test("lines are held until all have acknowledged them, identities until they are committed")
    func held() {
        var stripped: [Int] = []
        var ledger = BatchLedger<Int>(
            subscribers: [BatchSubscriber(name: nil), BatchSubscriber(name: "/file0")], strip: { stripped.append($0) })
        for subscriber in 0...1 { ledger.attach(subscriber) }
        ledger.append(batch("web", 1, bytes: 1_000, chunk: 1, chunkBytes: 16))
        for subscriber in 0...1 { _ = ledger.deliver(to: subscriber) }
        #expect(ledger.acknowledge(app: "web", number: 1, position: "p", by: 1) == true)
        #expect(stripped == [] && ledger.heldBytes == 1_016 + BatchLimits.overheadBytes)
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        #expect(stripped == [1] && ledger.heldBytes == 16 + BatchLimits.overheadBytes)
        _ = ledger.beginCommit()
        ledger.commitSucceeded()
        #expect(ledger.isEmpty && ledger.heldBytes == 0)
    }

    @Test("an app is settled when its last batch is committed")
    func settles() {
        var ledger = books()
        ledger.append(batch("web", 1))
        #expect(!ledger.isSettled("web") && ledger.isSettled("api"))
        _ = ledger.deliver(to: 0)
        #expect(ledger.acknowledge(app: "web", number: 1, by: 0) == true)
        _ = ledger.beginCommit()
        #expect(!ledger.isSettled("web"))
        ledger.commitSucceeded()
        #expect(ledger.isSettled("web"))
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
