// The exits that the store has not recorded yet. Pure. Exits happen above all when things go badly, the store's own among
// them, so they wait while it is away.
//
// Invariant: an exit is recorded once, in the order in which it happened, or it is counted as dropped by the next that
// is. The store may have what was sent although it did not say so: that is sent again, alone or with more behind it, and
// never dropped; the store knows a record by its run and number.

internal import DequeModule
internal import WorkerProtocol

/// Exits on their way to the store.
struct ExitHistory {
    /// The most exits that wait; past it the oldest is dropped.
    static let capacity = 1_000
    /// The most text that waits, in bytes: five long lines of stderr from each are 20 KiB.
    static let capacityBytes = 4 * 1024 * 1024
    /// The most text of one batch, in bytes, but for a single exit that has more.
    static let batchBytes = 256 * 1024

    private var waiting: Deque<ExitRecord> = []
    private var waitingBytes = 0
    /// How many, from the first, were sent and may be in the store.
    private var sent = 0
    /// Whether an answer is awaited.
    private var isInFlight = false
    private var lastSequence: Int64 = 0
    /// Refused exits that no waiting one follows yet.
    private var droppedBeforeNext: Int64 = 0

    /// How many the store has not said to have.
    var count: Int { waiting.count }

    /// Adds an exit, giving it its number.
    mutating func add(_ record: ExitRecord) {
        lastSequence += 1
        var record = record.bounded
        record.sequence = lastSequence
        record.droppedBefore = droppedBeforeNext
        droppedBeforeNext = 0
        waiting.append(record)
        waitingBytes += record.textBytes
        while waiting.count > Self.capacity || waitingBytes > Self.capacityBytes, waiting.count > sent + 1 {
            let dropped = waiting.remove(at: sent)
            waitingBytes -= dropped.textBytes
            waiting[sent].droppedBefore += dropped.droppedBefore + 1
        }
    }

    /// The next batch to send, or nil when there is none or one is on its way.
    mutating func begin() -> [ExitRecord]? {
        guard !isInFlight, !waiting.isEmpty else { return nil }
        isInFlight = true
        sent = batchCount(from: 0)
        return Array(waiting.prefix(sent))
    }

    /// The store has the batch that was on its way.
    mutating func succeed() {
        for record in waiting.prefix(sent) { waitingBytes -= record.textBytes }
        waiting.removeFirst(sent)
        sent = 0
        isInFlight = false
    }

    /// The store does not have the batch, or did not say so: it is due again.
    mutating func fail() { isInFlight = false }

    /// The store will never take the batch: it is counted as dropped.
    mutating func refuse() {
        let refused = Int64(sent) + waiting.prefix(sent).reduce(0) { $0 + $1.droppedBefore }
        succeed()
        if waiting.isEmpty { droppedBeforeNext += refused } else { waiting[0].droppedBefore += refused }
    }

    /// Everything that is not on its way, in batches: the last words to a store that is asked to stop.
    func unsent() -> [[ExitRecord]] {
        var batches: [[ExitRecord]] = []
        var start = isInFlight ? sent : 0
        while start < waiting.count {
            let end = start + batchCount(from: start)
            batches.append(Array(waiting[start..<end]))
            start = end
        }
        return batches
    }

    private func batchCount(from start: Int) -> Int {
        var bytes = 0
        let fitting = waiting[start...].prefix(RecordExitsRequest.maximumExits).prefix { record in
            bytes += record.textBytes
            return bytes <= Self.batchBytes
        }
        return max(1, fitting.count)
    }
}
