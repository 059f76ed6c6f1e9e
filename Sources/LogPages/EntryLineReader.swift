// Reads our own NDJSON back, for showing it to people: the sink's side of `EntryLineWriter`.
//
// Not needed to pass lines on: those go through untouched. Confined to one thread. Invariant: bytes that are no JSON
// object are skipped and counted, whatever they are.
import CSimdjson

/// One line of our own output, with unescaped fields; valid during one call.
package struct EntryLine: ~Copyable {
    private let raw: csj_line

    init(_ raw: csj_line) {
        self.raw = raw
    }

    /// The line as it stands, without its line feed.
    package var line: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: raw.raw.start, count: Int(raw.raw.length))
    }
    /// `log`, `stopped`, `gap`, …; nil when missing.
    package var type: UnsafeRawBufferPointer? { raw.type.slice }
    /// The app's name.
    package var appName: UnsafeRawBufferPointer? { raw.app_name.slice }
    /// The time, as RFC 3339 text if it is one.
    package var timestamp: UnsafeRawBufferPointer? { raw.timestamp.slice }
    /// The level.
    package var level: UnsafeRawBufferPointer? { raw.level.slice }
    /// The region.
    package var region: UnsafeRawBufferPointer? { raw.region.slice }
    /// The machine's id.
    package var instance: UnsafeRawBufferPointer? { raw.instance.slice }
    /// `app`, `runner`, `proxy` or another.
    package var provider: UnsafeRawBufferPointer? { raw.provider.slice }
    /// The record's id.
    package var id: UnsafeRawBufferPointer? { raw.id.slice }
    /// The message, with whatever control characters the app wrote: escape them before a terminal sees them.
    package var message: UnsafeRawBufferPointer? { raw.message.slice }
    /// Whether the message was spelled with escapes.
    ///
    /// Without any, no byte of it is below 0x20.
    package var messageHadEscapes: Bool { raw.message.flags & UInt8(CSJ_FLAG_ESCAPED) != 0 }
    /// Start of a gap.
    package var from: UnsafeRawBufferPointer? { raw.from.slice }
    /// End of a gap.
    package var to: UnsafeRawBufferPointer? { raw.to.slice }
    /// Why a gap came about.
    package var reason: UnsafeRawBufferPointer? { raw.reason.slice }
}

/// What a batch held.
package struct LineBatchContents: Equatable, Sendable {
    /// Lines handed out.
    package var lineCount = 0
    /// Lines that were no JSON object.
    package var malformedCount: UInt64 = 0

    package init(lineCount: Int = 0, malformedCount: UInt64 = 0) {
        self.lineCount = lineCount
        self.malformedCount = malformedCount
    }
}

/// Reads batches of lines; reuse one, it keeps its memory.
package final class EntryLineReader {
    private let parser: OpaquePointer

    /// - Throws: `PageError` with code `outOfMemory`.
    package init() throws(PageError) {
        guard let parser = csj_reader_create() else { throw PageError(.outOfMemory) }
        self.parser = parser
    }

    deinit {
        csj_reader_destroy(parser)
    }

    /// Hands every line of `batch` to `body`, in order.
    ///
    /// Blank lines are passed over in silence.
    ///
    /// - Throws: `PageError` with code `tooLarge` or `outOfMemory`.
    package func read(
        _ batch: UnsafeRawBufferPointer, _ body: (borrowing EntryLine) -> Void
    ) throws(PageError) -> LineBatchContents {
        guard batch.count <= PageLimits.maximumBytes else {
            throw PageError(.tooLarge, offset: PageLimits.maximumBytes)
        }
        let start = batch.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var status = csj_lines_open(parser, start, batch.count, false)
        if status == CSJ_INVALID_UTF8 || status == CSJ_CONTROL_CHARACTER || status == CSJ_UNCLOSED_STRING {
            status = csj_lines_open(parser, start, batch.count, true)
        }
        guard status == CSJ_OK else { throw PageError(status, offset: csj_fault_offset(parser)) }
        var contents = LineBatchContents()
        var raw = csj_line()
        status = csj_lines_next(parser, &raw)
        while status == CSJ_OK {
            contents.lineCount += 1
            body(EntryLine(raw))
            status = csj_lines_next(parser, &raw)
        }
        guard status == CSJ_END else { throw PageError(status, offset: csj_fault_offset(parser)) }
        contents.malformedCount = csj_malformed_count(parser)
        return contents
    }
}
