// Which batches are on their way, to whom, and how far each app's cursor may be committed. Pure.
//
// A batch is held until every subscriber has acknowledged it, so that a subscriber that dies gets it again. Batches
// go to a subscriber in the order of their arrival, and come back acknowledged in that order: an acknowledgement out
// of turn is the subscriber's fault. A cursor is committed only when the batches before it are acknowledged too.

internal import DequeModule

/// A batch on its way from a Streamer to the sinks.
package struct Batch<Body> {
    /// The app whose lines it holds.
    package let app: String
    /// The number its Streamer gave it; unique within one incarnation only.
    package let number: UInt64
    /// Which start of the Streamer sent it.
    package let incarnation: Int
    /// Where reading goes on after it; empty when the batch does not move the cursor.
    package let cursor: String
    /// Its size as a frame, in bytes.
    package let bytes: Int
    /// What is delivered.
    package let body: Body

    /// A batch as its Streamer sent it.
    package init(app: String, number: UInt64, incarnation: Int, cursor: String, bytes: Int, body: Body) {
        self.app = app
        self.number = number
        self.incarnation = incarnation
        self.cursor = cursor
        self.bytes = bytes
        self.body = body
    }
}

/// The books of the log relay, for one durable subscriber.
package struct BatchLedger<Body> {
    /// Bytes a subscriber may have in hand without having acknowledged them.
    package static var subscriberWindowBytes: Int { 8 * 1024 * 1024 }

    /// What an acknowledgement sets free.
    package struct Settled: Equatable {
        /// The app of the batch.
        package let app: String
        /// The number of the batch within its incarnation.
        package let number: UInt64
        /// Which start of the Streamer sent it.
        package let incarnation: Int
        /// The cursor that may be committed now; empty when there is none.
        package let cursor: String
    }

    private var waiting: Deque<Batch<Body>> = []
    private var inHand: Deque<Batch<Body>> = []
    private var bytesInHand = 0
    private var openBatches: [String: Int] = [:]

    /// Bytes held, delivered or not.
    package private(set) var heldBytes = 0

    /// Whether a subscriber is there to take batches.
    package private(set) var isAttached = false

    /// Whether nothing is on its way.
    package var isEmpty: Bool { waiting.isEmpty && inHand.isEmpty }

    /// Whether the subscriber has batches it did not acknowledge.
    package var hasBatchesInHand: Bool { !inHand.isEmpty }

    /// Whether an app has nothing on its way.
    package func isSettled(_ app: String) -> Bool { openBatches[app] == nil }

    /// Books without a batch or a subscriber.
    package init() {}

    /// Takes a batch.
    package mutating func append(_ batch: Batch<Body>) {
        waiting.append(batch)
        heldBytes += batch.bytes
        openBatches[batch.app, default: 0] += 1
    }

    /// The subscriber is ready: it gets what was not acknowledged first.
    package mutating func attach() {
        isAttached = true
    }

    /// The subscriber is gone: what it did not acknowledge goes to its successor.
    package mutating func detach() {
        isAttached = false
        waiting.prepend(contentsOf: inHand)
        inHand.removeAll()
        bytesInHand = 0
    }

    /// The next batch to deliver, or nil when the subscriber has enough in hand.
    ///
    /// - Parameter ignoringWindow: for the last batches before the subscriber is asked to stop.
    package mutating func nextDelivery(ignoringWindow: Bool = false) -> Batch<Body>? {
        guard isAttached, let first = waiting.first else { return nil }
        guard ignoringWindow || inHand.isEmpty || bytesInHand + first.bytes <= Self.subscriberWindowBytes else {
            return nil
        }
        waiting.removeFirst()
        inHand.append(first)
        bytesInHand += first.bytes
        return first
    }

    /// Gives up every batch that is held, in order: nobody will ever take them.
    package mutating func removeAll() -> [Settled] {
        let abandoned = (Array(inHand) + Array(waiting)).map { batch in
            Settled(app: batch.app, number: batch.number, incarnation: batch.incarnation, cursor: "")
        }
        self = BatchLedger()
        return abandoned
    }

    /// The subscriber has a batch safe; nil when this is not the one whose turn it is.
    package mutating func acknowledge(app: String, number: UInt64) -> Settled? {
        guard let first = inHand.first, first.app == app, first.number == number else { return nil }
        inHand.removeFirst()
        bytesInHand -= first.bytes
        heldBytes -= first.bytes
        if let open = openBatches[app] { openBatches[app] = open > 1 ? open - 1 : nil }
        return Settled(app: app, number: number, incarnation: first.incarnation, cursor: first.cursor)
    }
}

/// Cursors that may be committed, gathered while an earlier commit runs, so that many apps share a transaction.
package struct CommitLedger {
    /// A batch that its Streamer may forget once its cursor is committed.
    package struct Receipt: Equatable {
        /// The app of the batch.
        package let app: String
        /// The number of the batch within its incarnation.
        package let number: UInt64
        /// Which start of the Streamer sent it, and alone may forget it.
        package let incarnation: Int

        /// The receipt of one batch.
        package init(app: String, number: UInt64, incarnation: Int) {
            self.app = app
            self.number = number
            self.incarnation = incarnation
        }
    }

    private var dirty: [String: String] = [:]
    private var receipts: [Receipt] = []
    private var inFlight: (cursors: [String: String], receipts: [Receipt])?

    /// Nothing to commit.
    package init() {}

    /// Whether an app's cursor is committed as far as it is known.
    package func isClean(_ app: String) -> Bool { dirty[app] == nil && inFlight?.cursors[app] == nil }

    /// Takes note of an acknowledged batch that moves its app's cursor.
    package mutating func add(cursor: String, receipt: Receipt) {
        dirty[receipt.app] = cursor
        receipts.append(receipt)
    }

    /// The cursors of the next transaction in order of app, or nil when there are none or one is under way.
    package mutating func begin() -> [(app: String, cursor: String)]? {
        guard inFlight == nil, !dirty.isEmpty else { return nil }
        inFlight = (dirty, receipts)
        dirty = [:]
        receipts = []
        return Self.inOrder(dirty: inFlight?.cursors ?? [:])
    }

    /// The cursors that no transaction holds yet, for the last words to a store that is asked to stop.
    package func uncommitted() -> [(app: String, cursor: String)] { Self.inOrder(dirty: dirty) }

    private static func inOrder(dirty: [String: String]) -> [(app: String, cursor: String)] {
        dirty.sorted { $0.key < $1.key }.map { (app: $0.key, cursor: $0.value) }
    }

    /// The transaction is in the store: gives the batches that may be forgotten.
    package mutating func succeed() -> [Receipt] {
        defer { inFlight = nil }
        return inFlight?.receipts ?? []
    }

    /// The transaction did not happen: its cursors are due again, unless newer ones came meanwhile.
    package mutating func fail() {
        guard let failed = inFlight else { return }
        inFlight = nil
        dirty.merge(failed.cursors) { newer, _ in newer }
        receipts = failed.receipts + receipts
    }
}
