// From a page's bytes to batches of NDJSON, without the entries that were seen before. The hot path: one pass, each
// byte that goes out is copied once, from the page to the place from which it is written to the pipe.

internal import FlyAPI
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

    /// Bytes of the lines.
    var bytes: Int { end - EntriesFrame.headroom }
}

/// What a page came to.
struct DigestedPage {
    var batches: [Batch] = []
    var contents = PageContents()
    /// Why the page broke off; its token is then not to be used.
    var error: PageError?
    var unseen = 0
    var repeated = 0
    /// Entries too large for a frame.
    var oversized = 0
}

/// Reads one app's pages, one after the other.
struct PageDigest: ~Copyable {
    private let dialect: Dialect
    private let reader: PageReader
    private let writer: EntryLineWriter
    private var window = IdentityWindow()
    private var occurrences = OccurrenceCounter()

    init(app: AppName, dialect: Dialect) throws {
        self.dialect = dialect
        reader = try PageReader()
        writer = EntryLineWriter(app: app)
    }

    /// Reads `page`; entries that were read before are left out.
    mutating func read(_ page: UnsafeRawBufferPointer) -> DigestedPage {
        var digested = DigestedPage()
        var builder = BatchBuilder(pageBytes: page.count)
        occurrences.reset()
        do {
            digested.contents = try reader.read(page, dialect: dialect) { entry in
                var identity = entry.identity.hash
                if entry.id == nil { identity = occurrences.identity(identity) }
                guard window.insert(identity) else {
                    digested.repeated += 1
                    return
                }
                digested.unseen += 1
                builder.append(entry, writer)
            }
            window.widen(pageEntries: digested.contents.entryCount)
        } catch {
            digested.error = error
        }
        digested.oversized = builder.oversized
        digested.batches = builder.finish()
        return digested
    }
}

/// Cuts the lines of a page into batches.
private struct BatchBuilder: ~Copyable {
    /// Bytes of lines from which on a batch is closed: 1 MiB.
    ///
    /// One line alone may be longer.
    static let batchBytes = 1024 * 1024
    /// Longest line that a frame holds, in bytes.
    static let longestLine = FrameLimits.maximumPayloadBytes - EntriesFrame.headroom

    private let expected: Int
    private var buffer = ByteBuffer()
    private var count: UInt32 = 0
    private var batches: [Batch] = []
    private(set) var oversized = 0

    /// A builder for the lines of a page of so many bytes.
    init(pageBytes: Int) {
        // Lines are a little longer or shorter than the records they come from.
        expected = EntriesFrame.headroom + min(pageBytes + pageBytes / 4, Self.batchBytes + Self.batchBytes / 16)
    }

    @inline(__always)
    mutating func append(_ entry: borrowing PageEntry, _ writer: borrowing EntryLineWriter) {
        if count == 0 { open() }
        let start = buffer.count
        writer.append(entry, to: &buffer)
        count += 1
        if buffer.count - EntriesFrame.headroom > Self.batchBytes { cut(lastLineAt: start) }
    }

    consuming func finish() -> [Batch] {
        close()
        return batches
    }

    private mutating func open() {
        guard buffer.isEmpty else { return }
        buffer.reserve(expected)
        buffer.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
    }

    /// Closes the batch before the line that made it too long, unless that line stands alone.
    private mutating func cut(lastLineAt start: Int) {
        if buffer.count - start > Self.longestLine {
            buffer.truncate(to: start)
            count -= 1
            oversized += 1
            return
        }
        guard count > 1 else { return close() }
        var next = ByteBuffer(minimumCapacity: max(expected, EntriesFrame.headroom + buffer.count - start))
        next.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
        buffer.withUnsafeBytes { next.append(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        buffer.truncate(to: start)
        count -= 1
        close()
        buffer = next
        count = 1
        if buffer.count - EntriesFrame.headroom > Self.batchBytes { close() }
    }

    private mutating func close() {
        guard count > 0 else { return }
        let memory = buffer.detach()
        batches.append(
            Batch(slab: ByteSlab(adopting: memory, release: { free($0) }), end: memory.count, count: count))
        count = 0
    }
}

extension Batch {
    /// A batch of one line of our own.
    init(_ line: String) {
        var buffer = ByteBuffer(minimumCapacity: EntriesFrame.headroom + line.utf8.count)
        buffer.write(atMost: EntriesFrame.headroom) { _ in EntriesFrame.headroom }
        buffer.append(line)
        let memory = buffer.detach()
        self.init(slab: ByteSlab(adopting: memory, release: { free($0) }), end: memory.count, count: 1)
    }
}
