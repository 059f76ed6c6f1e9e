// Batches that wait for their file, in place and uncopied, and how much of the first one is written.

internal import Framing
internal import Glibc

/// One batch in hand.
struct QueuedBatch {
    let appName: String
    let batch: UInt64
    /// The NDJSON, in the frame it came in.
    let bytes: UnsafeRawBufferPointer
    /// Keeps `bytes` alive.
    let owner: ByteSlab
    /// Whether its last line lacks an end.
    let lacksLineFeed: Bool

    var count: Int { bytes.count + (lacksLineFeed ? 1 : 0) }

    /// Reads an `entries` frame.
    init(_ frame: Frame) throws(FrameError) {
        let payload = frame.payloadBytes
        let (head, bodyOffset) = try EntriesHead.decode(payload)
        appName = head.appName
        batch = head.batch
        bytes = UnsafeRawBufferPointer(rebasing: payload[bodyOffset...])
        owner = frame.slab
        lacksLineFeed = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
    }
}

/// Batches in the order in which they came.
struct FileQueue {
    /// Chunks of memory in one write; below IOV_MAX.
    private static let mostVectors = 512

    private var batches: [QueuedBatch?] = []
    private var head = 0
    /// Bytes of the first batch that are in the file.
    private(set) var frontWritten = 0
    /// Bytes not yet written.
    private(set) var bytes = 0

    var isEmpty: Bool { head == batches.count }
    var count: Int { batches.count - head }
    /// Whether the first batch has anything to write.
    var frontHasBytes: Bool { (batches.indices.contains(head) ? batches[head]?.count ?? 0 : 0) > 0 }

    mutating func append(_ batch: QueuedBatch) {
        batches.append(batch)
        bytes += batch.count
    }

    /// What to write next: at least one batch, and no other once `limit` bytes are together.
    func vectors(limit: Int) -> [iovec] {
        var vectors: [iovec] = []
        var total = 0
        var skipped = frontWritten
        for case let batch? in batches[head...] {
            if total > 0, total >= limit || vectors.count + 2 > Self.mostVectors { break }
            if skipped < batch.bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: batch.bytes[skipped...])
                vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: rest.baseAddress), iov_len: rest.count))
            }
            if batch.lacksLineFeed {
                vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: LineFeed.bytes.baseAddress), iov_len: 1))
            }
            total += batch.count - skipped
            skipped = 0
        }
        return vectors
    }

    /// Notes that `written` bytes are in the file, and hands out the batches that are there as a whole, in order, with
    /// how many of these bytes lie up to their ends.
    mutating func take(_ written: Int, _ finished: (QueuedBatch, Int) -> Void) {
        bytes -= written
        var left = written
        while head < batches.count, let front = batches[head], front.count - frontWritten <= left {
            left -= front.count - frontWritten
            frontWritten = 0
            removeFirst()
            finished(front, written - left)
        }
        frontWritten += left
    }

    /// Forgets that part of the first batch was written: it is to be written again.
    mutating func restartFront() {
        bytes += frontWritten
        frontWritten = 0
    }

    private mutating func removeFirst() {
        batches[head] = nil
        head += 1
        // Half of the storage is spent: each batch is moved once at most on average.
        if head * 2 >= batches.count {
            batches.removeFirst(head)
            head = 0
        }
    }
}

/// A line's end that lives as long as the process.
private enum LineFeed {
    // Written once, before anybody can read it, and never again.
    nonisolated(unsafe) static let bytes: UnsafeRawBufferPointer = {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        memory[0] = UInt8(ascii: "\n")
        return UnsafeRawBufferPointer(memory)
    }()
}
