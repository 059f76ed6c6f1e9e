// Cuts the lines of a page into batches, each in the memory from which it is written to the pipe.

internal import Framing
internal import Glibc
internal import LogPages

/// The NDJSON of one batch, ready to be framed in place.
struct Batch {
    /// Room for the frame's head, then the lines.
    let slab: ByteSlab
    /// Where the lines end.
    let end: Int
    let count: UInt32
    /// Whether its entries are committed already, and shown to people once more.
    var isReplay = false
    /// By what its entries, and those left out before them, are known.
    var identities: [UInt64] = []

    /// Bytes of the lines.
    var bytes: Int { end - EntriesFrame.headroom }

    /// What the machine needs to know of it.
    var summary: BatchSummary { BatchSummary(bytes: bytes, identities: identities.count, isReplay: isReplay) }
}

/// Cuts the lines of a page into batches.
struct BatchBuilder: ~Copyable {
    /// Bytes of lines from which on a batch is closed: 1 MiB.
    ///
    /// One line alone may be longer.
    static let batchBytes = 1024 * 1024
    /// Longest line that a frame holds, in bytes.
    static let longestLine = FrameLimits.maximumPayloadBytes - EntriesFrame.headroom

    private let expected: Int
    private var buffer = ByteBuffer()
    private var count: UInt32 = 0
    private(set) var batches: [Batch] = []
    /// How many identities of the page had come when each batch was closed.
    private(set) var marks: [Int] = []
    private(set) var oversized = 0

    /// A builder for the lines of a page of so many bytes.
    init(pageBytes: Int) {
        // Lines are a little longer or shorter than the records they come from.
        expected = EntriesFrame.headroom + min(pageBytes + pageBytes / 4, Self.batchBytes + Self.batchBytes / 16)
    }

    /// Appends an entry's line; `identities` of the page have come with it.
    @inline(__always)
    mutating func append(_ entry: borrowing PageEntry, _ writer: borrowing EntryLineWriter, identities: Int) {
        if count == 0 { open() }
        let start = buffer.count
        writer.append(entry, to: &buffer)
        count += 1
        if buffer.count - EntriesFrame.headroom > Self.batchBytes { cut(lastLineAt: start, identities: identities) }
    }

    mutating func close(identities: Int) {
        guard count > 0 else { return }
        let memory = buffer.detach()
        batches.append(
            Batch(slab: ByteSlab(adopting: memory, release: { free($0) }), end: memory.count, count: count))
        marks.append(identities)
        count = 0
    }

    private mutating func open() {
        guard buffer.isEmpty else { return }
        buffer.reserve(expected)
        buffer.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
    }

    /// Closes the batch before the line that made it too long, unless that line stands alone.
    private mutating func cut(lastLineAt start: Int, identities: Int) {
        if buffer.count - start > Self.longestLine {
            buffer.truncate(to: start)
            count -= 1
            oversized += 1
            return
        }
        guard count > 1 else { return close(identities: identities) }
        var next = ByteBuffer(minimumCapacity: max(expected, EntriesFrame.headroom + buffer.count - start))
        next.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
        buffer.withUnsafeBytes { next.append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        buffer.truncate(to: start)
        count -= 1
        close(identities: identities - 1)
        buffer = next
        count = 1
        if buffer.count - EntriesFrame.headroom > Self.batchBytes { close(identities: identities) }
    }
}

extension Batch {
    /// A batch of lines of our own, or of none.
    init(_ lines: String, count: UInt32 = 1) {
        var buffer = ByteBuffer(minimumCapacity: EntriesFrame.headroom + lines.utf8.count)
        buffer.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
        buffer.append(lines)
        let memory = buffer.detach()
        self.init(slab: ByteSlab(adopting: memory, release: { free($0) }), end: memory.count, count: count)
    }
}
