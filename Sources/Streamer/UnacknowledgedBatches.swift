// The batches that are sent and not yet safe. Acknowledgements come in the order of the batches, so one stands for
// all before it.

/// Counts what is under way to the sinks.
struct UnacknowledgedBatches: Equatable, Sendable {
    /// Bytes of entries that may be under way before fetching stops: 1 MiB.
    ///
    /// One page more may be, when it came last.
    static let limitBytes = 1024 * 1024

    private(set) var lastBatch: UInt64 = 0
    private(set) var bytes = 0
    private var sizes: [(batch: UInt64, bytes: Int)] = []

    var isEmpty: Bool { sizes.isEmpty }
    /// Whether another page may be fetched.
    var hasRoom: Bool { bytes < Self.limitBytes }

    /// Numbers batches of these sizes; the number of the first.
    mutating func add(_ batchBytes: [Int]) -> UInt64 {
        let first = lastBatch + 1
        for size in batchBytes {
            lastBatch += 1
            bytes += size
            sizes.append((lastBatch, size))
        }
        return first
    }

    /// Forgets `batch` and those before it; a number that was never given, or long ago, changes nothing.
    mutating func acknowledged(_ batch: UInt64) {
        guard batch <= lastBatch else { return }
        let settled = sizes.prefix { $0.batch <= batch }
        bytes -= settled.reduce(0) { $0 + $1.bytes }
        sizes.removeFirst(settled.count)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.lastBatch == right.lastBatch && left.bytes == right.bytes && left.sizes.elementsEqual(right.sizes, by: ==)
    }
}
