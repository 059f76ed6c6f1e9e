// Which batches are on their way, to whom, and how far each app's cursor may be committed. Pure.
//
// A batch is held until every subscriber has acknowledged it, so that a subscriber that dies gets it again. Batches
// go to a subscriber in the order of their arrival, and come back acknowledged in that order: an acknowledgement out
// of turn is the subscriber's fault. A cursor is committed only when the batches before it are acknowledged too.

internal import DequeModule

/// A batch on its way from a Streamer to the sinks.
struct Batch<Body> {
    let app: String
    /// The number its Streamer gave it; unique within one incarnation only.
    let number: UInt64
    let incarnation: Int
    /// Empty when the batch does not move the cursor.
    let cursor: String
    let bytes: Int
    let body: Body
}

/// The books of the log relay, for one durable subscriber.
struct BatchLedger<Body> {
    /// Bytes a subscriber may have in hand without having acknowledged them.
    static var subscriberWindowBytes: Int { 8 * 1024 * 1024 }

    /// What an acknowledgement sets free.
    struct Settled: Equatable {
        let app: String
        let number: UInt64
        let incarnation: Int
        let cursor: String
    }

    private var waiting: Deque<Batch<Body>> = []
    private var inHand: Deque<Batch<Body>> = []
    private var bytesInHand = 0
    private var openBatches: [String: Int] = [:]

    /// Bytes held, delivered or not.
    private(set) var heldBytes = 0

    /// Whether a subscriber is there to take batches.
    private(set) var isAttached = false

    /// Whether nothing is on its way.
    var isEmpty: Bool { waiting.isEmpty && inHand.isEmpty }

    /// Whether the subscriber has batches it did not acknowledge.
    var hasBatchesInHand: Bool { !inHand.isEmpty }

    /// Whether an app has nothing on its way.
    func isSettled(_ app: String) -> Bool { openBatches[app] == nil }

    /// Takes a batch.
    mutating func append(_ batch: Batch<Body>) {
        waiting.append(batch)
        heldBytes += batch.bytes
        openBatches[batch.app, default: 0] += 1
    }

    /// The subscriber is ready: it gets what was not acknowledged first.
    mutating func attach() {
        isAttached = true
    }

    /// The subscriber is gone: what it did not acknowledge goes to its successor.
    mutating func detach() {
        isAttached = false
        waiting.prepend(contentsOf: inHand)
        inHand.removeAll()
        bytesInHand = 0
    }

    /// The next batch to deliver, or nil when the subscriber has enough in hand.
    ///
    /// - Parameter ignoringWindow: for the last batches before the subscriber is asked to stop.
    mutating func nextDelivery(ignoringWindow: Bool = false) -> Batch<Body>? {
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
    mutating func removeAll() -> [Settled] {
        let abandoned = (Array(inHand) + Array(waiting)).map { batch in
            Settled(app: batch.app, number: batch.number, incarnation: batch.incarnation, cursor: "")
        }
        self = BatchLedger()
        return abandoned
    }

    /// The subscriber has a batch safe; nil when this is not the one whose turn it is.
    mutating func acknowledge(app: String, number: UInt64) -> Settled? {
        guard let first = inHand.first, first.app == app, first.number == number else { return nil }
        inHand.removeFirst()
        bytesInHand -= first.bytes
        heldBytes -= first.bytes
        if let open = openBatches[app] { openBatches[app] = open > 1 ? open - 1 : nil }
        return Settled(app: app, number: number, incarnation: first.incarnation, cursor: first.cursor)
    }
}

/// Cursors that may be committed, gathered while an earlier commit runs, so that many apps share a transaction.
struct CommitLedger {
    /// A batch that its Streamer may forget once its cursor is committed.
    struct Receipt: Equatable {
        let app: String
        let number: UInt64
        let incarnation: Int
    }

    private var dirty: [String: String] = [:]
    private var receipts: [Receipt] = []
    private var inFlight: (cursors: [String: String], receipts: [Receipt])?

    /// Whether an app's cursor is committed as far as it is known.
    func isClean(_ app: String) -> Bool { dirty[app] == nil && inFlight?.cursors[app] == nil }

    /// Takes note of an acknowledged batch that moves its app's cursor.
    mutating func add(cursor: String, receipt: Receipt) {
        dirty[receipt.app] = cursor
        receipts.append(receipt)
    }

    /// The cursors of the next transaction in order of app, or nil when there are none or one is under way.
    mutating func begin() -> [(app: String, cursor: String)]? {
        guard inFlight == nil, !dirty.isEmpty else { return nil }
        inFlight = (dirty, receipts)
        dirty = [:]
        receipts = []
        return Self.inOrder(dirty: inFlight?.cursors ?? [:])
    }

    /// The cursors that no transaction holds yet, for the last words to a store that is asked to stop.
    func uncommitted() -> [(app: String, cursor: String)] { Self.inOrder(dirty: dirty) }

    private static func inOrder(dirty: [String: String]) -> [(app: String, cursor: String)] {
        dirty.sorted { $0.key < $1.key }.map { (app: $0.key, cursor: $0.value) }
    }

    /// The transaction is in the store: gives the batches that may be forgotten.
    mutating func succeed() -> [Receipt] {
        defer { inFlight = nil }
        return inFlight?.receipts ?? []
    }

    /// The transaction did not happen: its cursors are due again, unless newer ones came meanwhile.
    mutating func fail() {
        guard let failed = inFlight else { return }
        inFlight = nil
        dirty.merge(failed.cursors) { newer, _ in newer }
        receipts = failed.receipts + receipts
    }
}
