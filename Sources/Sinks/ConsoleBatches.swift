// The batches that were taken and are not acknowledged, in the order in which they came.

internal import Framing

/// A batch on its way through the console.
final class ConsoleBatch {
    let acknowledgement: Acknowledgement
    var isWritten = false
    /// What is written for it, while it waits to be merged.
    var rendered: RenderedBatch?

    init(_ acknowledgement: Acknowledgement) {
        self.acknowledgement = acknowledgement
    }
}

/// A queue of batches, which are written in any order and acknowledged in this one.
struct ConsoleBatches {
    private var batches: [ConsoleBatch?] = []
    private var head = 0

    var count: Int { batches.count - head }

    mutating func append(_ batch: ConsoleBatch) { batches.append(batch) }

    /// Takes off the first batch if it is written; nil otherwise.
    mutating func takeWritten() -> Acknowledgement? {
        guard head < batches.count, let batch = batches[head], batch.isWritten else { return nil }
        batches[head] = nil
        head += 1
        // Half of the storage is spent: each batch is moved once at most on average.
        if head * 2 >= batches.count {
            batches.removeFirst(head)
            head = 0
        }
        return batch.acknowledgement
    }
}
