// What goes from a Streamer to the sinks, as the parent's books know it. Data only.

/// A batch on its way from a Streamer to the sinks.
package struct Batch<Body> {
    /// The identities that belong to a batch: they are committed with it.
    package struct Chunk: Equatable, Sendable {
        /// Names it among the app's.
        package let number: UInt64
        /// Chunks before this one are no longer needed.
        package let firstKept: UInt64
        /// Size of its identities, in bytes.
        package let bytes: Int

        /// The identities of one batch.
        package init(number: UInt64, firstKept: UInt64, bytes: Int) {
            self.number = number
            self.firstKept = firstKept
            self.bytes = bytes
        }
    }

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
    /// Whether it holds what was committed before: only people get it, and nothing of it is committed.
    package let isReplay: Bool
    /// By what its lines are known when they come again; nil where the Streamer has nothing to say of that.
    package let chunk: Chunk?
    /// What is delivered.
    package var body: Body

    /// A batch as its Streamer sent it.
    package init(
        app: String, number: UInt64, incarnation: Int, cursor: String, bytes: Int, isReplay: Bool = false,
        chunk: Chunk? = nil, body: Body
    ) {
        self.app = app
        self.number = number
        self.incarnation = incarnation
        self.cursor = cursor
        self.bytes = bytes
        self.isReplay = isReplay
        self.chunk = chunk
        self.body = body
    }

    /// What it counts for while its lines are held, in bytes.
    var heldBytes: Int { bytes + keptBytes }
    /// What it counts for from then on until it is committed.
    var keptBytes: Int { (chunk?.bytes ?? 0) + BatchLimits.overheadBytes }
}

/// The sizes of the log relay, in bytes.
package enum BatchLimits {
    /// A subscriber may have this much in hand without having acknowledged it.
    package static let subscriberWindow = 8 * 1024 * 1024
    /// An app of which this much is acknowledged and not committed is committed at once.
    package static let pressure = 1024 * 1024
    /// An app of which more than this is acknowledged and not committed gets no receipts: its Streamer stops soon.
    package static let lag = 4 * 1024 * 1024
    /// About how much of identities goes into one commit.
    package static let commit = 4 * 1024 * 1024
    /// What a batch takes beside its frames.
    package static let overheadBytes = 512
    /// The most identities of one batch.
    package static let mostChunk = 4 * 1024 * 1024
}

/// Somebody who gets every batch and says what is safe.
package struct BatchSubscriber: Equatable, Sendable {
    /// Its name in the store; nil for one that keeps no position, and that alone gets what is shown again.
    package let name: String?

    /// A subscriber.
    package init(name: String?) { self.name = name }

    var keepsPosition: Bool { name != nil }
}

/// The last batch of an app that all subscribers have safe: its Streamer may forget it, and all before it.
package struct BatchReceipt: Equatable, Sendable {
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
