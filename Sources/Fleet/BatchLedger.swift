// Which batches are on their way, to whom, and what of them may be committed. Pure.
//
// All batches stand in one order, that of their arrival. Every durable subscriber gets them in it and acknowledges them
// in it, so that each is a prefix: acknowledged <= delivered. The lines of a batch are held until all have acknowledged it,
// for a subscriber that dies gets again what it had not; what may be committed of it then is held until it is, a prefix
// at a time.
//
//     base            committable                                            base + entries.count
//      | acknowledged by all |  acknowledged by some, delivered, waiting             |
//      | of which `committing` are in the store's hands                              |
//
// A Streamer gets its receipt when all have acknowledged, so that it never waits for a transaction, unless the store is
// far behind with its app: how much would be read again after a crash is bounded, and a store that is gone stops the
// source.
//
// Invariant: of a subscriber that keeps a position there is one for each batch in base..<acknowledged, so that what is
// committed for it is where it stood behind the last batch of the prefix, however far it has got since.

internal import DequeModule

/// The books of the log relay.
///
/// Every call takes constant time for each batch, whatever the number of apps.
package struct BatchLedger<Body> {
    struct Entry {
        var batch: Batch<Body>
        let app: Int
        /// Whether there is something of it to commit; otherwise it is done with when all have acknowledged it.
        let needsStore: Bool
        /// Whether its Streamer was told to forget it.
        var isReceipted = false
    }

    struct Subscriber {
        let description: BatchSubscriber
        var isAttached = false
        /// Batches before this one are acknowledged.
        var acknowledged: Int
        /// Batches before this one were handed to it.
        var delivered: Int
        var bytesInHand = 0
        /// Where it stood behind each batch from the base on; only of one that keeps a position.
        var positions: Deque<String?> = []
        /// Where it stood when it was last heard of.
        var position: String?
    }

    /// What is known of an app.
    struct AppBook {
        let name: String
        /// Batches that are held.
        var held = 0
        /// Bytes that all have acknowledged and that are not committed.
        var committableBytes = 0
        /// The last commit it was in, and its place there.
        var commit = 0
        var place = 0
    }

    var entries: Deque<Entry> = []
    /// The place of the first entry in the order of all batches ever.
    var base = 0
    /// Batches before this one were acknowledged by all.
    var committable = 0
    /// How many entries the commit under way has.
    var committing = 0
    var subscribers: [Subscriber]
    var apps: [AppBook] = []
    /// Counts commits, to know which apps are in the one at hand.
    var commits = 0
    /// Receipts that are due, at most one in a row for an app.
    private var receipts: [BatchReceipt] = []
    /// Batches that all have acknowledged and that wait for the store to catch up before they get their receipts.
    private var unreceipted = 0
    private var places: [String: Int] = [:]
    private var appsUnderPressure = 0
    private let hasKeepers: Bool
    private let strip: (inout Body) -> Void

    /// Bytes held, delivered or not.
    package private(set) var heldBytes = 0

    /// Books without a batch; the subscribers are known by their places.
    ///
    /// - Parameter strip: lets go of the lines of a batch that all have acknowledged, not of its identities.
    package init(subscribers: [BatchSubscriber], strip: @escaping (inout Body) -> Void = { _ in }) {
        self.subscribers = subscribers.map { Subscriber(description: $0, acknowledged: 0, delivered: 0) }
        hasKeepers = subscribers.contains { $0.keepsPosition }
        self.strip = strip
    }

    var end: Int { base + entries.count }

    // MARK: reading

    /// Whether nothing is on its way.
    package var isEmpty: Bool { entries.isEmpty }

    /// Whether nothing of an app is on its way: what the store says of it is true then.
    package func isSettled(_ app: String) -> Bool { places[app].map { apps[$0].held == 0 } ?? true }

    /// Whether a subscriber has batches it did not acknowledge.
    package func hasBatchesInHand(_ subscriber: Int) -> Bool {
        subscribers[subscriber].delivered > subscribers[subscriber].acknowledged
    }

    /// Where a subscriber stood when it was last heard of; nil when it was not.
    package func position(of subscriber: Int) -> String? { subscribers[subscriber].position }

    /// Whether something may be committed and nothing is being committed.
    package var canCommit: Bool { committing == 0 && committable > base }

    /// Whether a commit is under way.
    package var isCommitting: Bool { committing > 0 }

    /// Whether some app has much to commit.
    package var isUnderPressure: Bool { appsUnderPressure > 0 }

    // MARK: batches

    /// Takes a batch.
    package mutating func append(_ batch: Batch<Body>) {
        let app = place(of: batch.app)
        let needsStore = !batch.isReplay && (hasKeepers || !batch.cursor.isEmpty || batch.chunk != nil)
        entries.append(Entry(batch: batch, app: app, needsStore: needsStore))
        heldBytes += batch.heldBytes
        apps[app].held += 1
        for subscriber in subscribers.indices { passReplays(subscriber) }
        advance()
    }

    private mutating func place(of app: String) -> Int {
        if let place = places[app] { return place }
        places[app] = apps.count
        apps.append(AppBook(name: app))
        return apps.count - 1
    }

    // MARK: subscribers

    /// A subscriber is ready: it gets first what was not acknowledged.
    package mutating func attach(_ subscriber: Int) {
        subscribers[subscriber].isAttached = true
    }

    /// A subscriber is gone: what it did not acknowledge goes to its successor.
    package mutating func detach(_ subscriber: Int) {
        subscribers[subscriber].isAttached = false
        subscribers[subscriber].delivered = subscribers[subscriber].acknowledged
        subscribers[subscriber].bytesInHand = 0
    }

    /// A subscriber begins anew at a position, because there is nothing left of what it wrote before.
    package mutating func place(_ subscriber: Int, at position: String) {
        precondition(subscribers[subscriber].description.keepsPosition, "a subscriber without a position was placed")
        subscribers[subscriber].position = position
        for index in subscribers[subscriber].positions.indices { subscribers[subscriber].positions[index] = position }
    }

    /// The next batch to deliver to a subscriber, or nil when it has enough in hand.
    ///
    /// - Parameter ignoringWindow: for the last batches before the subscriber is asked to stop.
    package mutating func nextDelivery(to subscriber: Int, ignoringWindow: Bool = false) -> Batch<Body>? {
        guard subscribers[subscriber].isAttached else { return nil }
        var next = subscribers[subscriber].delivered
        if subscribers[subscriber].description.keepsPosition {
            while next < end, entries[next - base].batch.isReplay { next += 1 }
            subscribers[subscriber].delivered = next
        }
        guard next < end else { return nil }
        let inHand = subscribers[subscriber].bytesInHand
        let batch = entries[next - base].batch
        guard ignoringWindow || inHand == 0 || inHand + batch.bytes <= BatchLimits.subscriberWindow else { return nil }
        subscribers[subscriber].delivered = next + 1
        subscribers[subscriber].bytesInHand = inHand + batch.bytes
        return batch
    }

    /// A subscriber has a batch safe.
    ///
    /// - Returns: false, and nothing changed, when it is not this batch's turn, or when a subscriber that keeps a
    ///   position does not say it.
    package mutating func acknowledge(
        app: String, number: UInt64, position: String? = nil, by subscriber: Int
    ) -> Bool {
        let next = subscribers[subscriber].acknowledged
        guard next < subscribers[subscriber].delivered else { return false }
        let batch = entries[next - base].batch
        guard batch.number == number, batch.app == app else { return false }
        if subscribers[subscriber].description.keepsPosition {
            guard let position else { return false }
            subscribers[subscriber].position = position
            subscribers[subscriber].positions.append(position)
        }
        subscribers[subscriber].bytesInHand -= batch.bytes
        subscribers[subscriber].acknowledged = next + 1
        passReplays(subscriber)
        advance()
        return true
    }

    /// What is shown again is not for those who keep: it is as good as acknowledged when its turn comes.
    private mutating func passReplays(_ subscriber: Int) {
        guard subscribers[subscriber].description.keepsPosition else { return }
        var next = subscribers[subscriber].acknowledged
        while next < end, entries[next - base].batch.isReplay {
            next += 1
            subscribers[subscriber].positions.append(subscribers[subscriber].position)
        }
        subscribers[subscriber].acknowledged = next
        subscribers[subscriber].delivered = max(subscribers[subscriber].delivered, next)
    }

    /// Moves on to what all have acknowledged.
    private mutating func advance() {
        let acknowledged = subscribers.reduce(end) { min($0, $1.acknowledged) }
        while committable < acknowledged {
            let index = committable - base
            let entry = entries[index]
            strip(&entries[index].batch.body)
            heldBytes -= entry.batch.bytes
            countPressure(entry.app, entry.batch.bytes)
            committable += 1
            unreceipted += 1
            giveReceipt(index)
        }
    }

    /// Receipts the batch at an index that all have acknowledged, if the store is not too far behind.
    private mutating func giveReceipt(_ index: Int) {
        let entry = entries[index]
        guard !entry.isReceipted, apps[entry.app].committableBytes <= BatchLimits.lag else { return }
        entries[index].isReceipted = true
        unreceipted -= 1
        note(receipt(of: entry))
    }

    private mutating func note(_ receipt: BatchReceipt) {
        if receipts.last?.app == receipt.app { receipts.removeLast() }
        receipts.append(receipt)
    }

    private mutating func countPressure(_ app: Int, _ bytes: Int) {
        let before = apps[app].committableBytes
        apps[app].committableBytes = before + bytes
        let (was, isNow) = (before >= BatchLimits.pressure, before + bytes >= BatchLimits.pressure)
        if was != isNow { appsUnderPressure += isNow ? 1 : -1 }
    }

    // MARK: release

    /// Takes the receipts that are due: of each the last batch, which its Streamer may forget with all before it.
    ///
    /// What all have acknowledged and the store need not know of leaves the books.
    package mutating func takeReceipts() -> [BatchReceipt] {
        while canCommit, let first = entries.first, !first.needsStore { removeFirst() }
        giveReceipts()
        defer { receipts = [] }
        return receipts
    }

    /// Gives up what not all have acknowledged: nobody will ever take it.
    ///
    /// What all have is still to be committed.
    package mutating func abandon() -> [BatchReceipt] {
        var receipts: [BatchReceipt] = []
        while end > committable, let last = entries.popLast() {
            heldBytes -= last.batch.heldBytes
            apps[last.app].held -= 1
            receipts.append(receipt(of: last))
        }
        for subscriber in subscribers.indices {
            subscribers[subscriber].acknowledged = committable
            subscribers[subscriber].delivered = committable
            subscribers[subscriber].bytesInHand = 0
            let kept = committable - base
            while subscribers[subscriber].positions.count > kept { subscribers[subscriber].positions.removeLast() }
        }
        return receipts.reversed()
    }

    func receipt(of entry: Entry) -> BatchReceipt {
        BatchReceipt(app: entry.batch.app, number: entry.batch.number, incarnation: entry.batch.incarnation)
    }

    /// Takes the first batch out of the books; all have acknowledged it.
    mutating func removeFirst() {
        let entry = entries.removeFirst()
        heldBytes -= entry.batch.keptBytes
        apps[entry.app].held -= 1
        countPressure(entry.app, -entry.batch.bytes)
        base += 1
        if !entry.isReceipted {
            unreceipted -= 1
            note(receipt(of: entry))
        }
        for subscriber in subscribers.indices where !subscribers[subscriber].positions.isEmpty {
            subscribers[subscriber].positions.removeFirst()
        }
    }

    /// What waited for the store to catch up gets its receipts if that has.
    private mutating func giveReceipts() {
        guard unreceipted > 0 else { return }
        for index in 0..<(committable - base) { giveReceipt(index) }
    }
}
