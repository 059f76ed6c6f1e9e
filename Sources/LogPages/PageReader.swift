// Reads pages of the log API, entry by entry, and says where to go on.
//
// Not a fetcher and no memory of what was seen. Confined to one thread (it owns a C parser and is not Sendable).
// Invariant: any bytes whatever lead to entries, counts and perhaps a `PageError`; never to a trap.
import CSimdjson
package import FlyAPI

/// What a page held besides its entries.
package struct PageContents: Equatable, Sendable {
    /// Entries handed out.
    package var entryCount = 0
    /// Lines, or elements of `data`, that were no entries and were skipped.
    package var malformedCount: UInt64 = 0
    /// Strings with invalid escapes that were repaired.
    package var repairedCount: UInt64 = 0
    /// Invalid UTF-8 sequences and raw control characters that were replaced.
    package var replacedCount: UInt64 = 0
    /// `meta.next_token` of a platform page.
    package var nextToken: PageToken = .absent
    /// The first entry's timestamp, in nanoseconds since 1970; nil when it is unreadable.
    package var firstTimestamp: Int64?
    /// The last entry's timestamp (machines dialect: the latest readable one), in nanoseconds since 1970.
    ///
    /// Of a page that broke off, that of the last entry handed out.
    package var latestTimestamp: Int64?

    package init(
        entryCount: Int = 0, malformedCount: UInt64 = 0, repairedCount: UInt64 = 0, replacedCount: UInt64 = 0,
        nextToken: PageToken = .absent, firstTimestamp: Int64? = nil, latestTimestamp: Int64? = nil
    ) {
        self.entryCount = entryCount
        self.malformedCount = malformedCount
        self.repairedCount = repairedCount
        self.replacedCount = replacedCount
        self.nextToken = nextToken
        self.firstTimestamp = firstTimestamp
        self.latestTimestamp = latestTimestamp
    }

    /// What the cursor machine needs, given how many of the entries were new to the caller.
    package func summary(unseenCount: Int) -> PageSummary {
        PageSummary(
            entryCount: entryCount, unseenCount: unseenCount, nextToken: nextToken, firstTimestamp: firstTimestamp,
            latestTimestamp: latestTimestamp)
    }
}

/// Reads pages; reuse one for all pages of a stream, it keeps its memory.
///
///     let reader = try PageReader()
///     let contents = try reader.read(page, dialect: .platform) { entry in
///         if seen.insert(entry.identity).inserted { writer.append(entry, to: &lines) }
///     }
package final class PageReader {
    private let parser: OpaquePointer
    /// What a page held before the place at which it broke off; set with the error.
    package private(set) var readBeforeError = PageContents()

    /// - Throws: `PageError` with code `outOfMemory`.
    package init() throws(PageError) {
        guard let parser = csj_reader_create() else { throw PageError(.outOfMemory) }
        self.parser = parser
    }

    deinit {
        csj_reader_destroy(parser)
    }

    /// Hands every entry of `page` to `body`, in the page's order.
    ///
    /// The bytes need no padding and are not changed.
    ///
    /// - Throws: `PageError` when the page cannot be followed to its end. Entries handed out before are genuine.
    package func read(
        _ page: UnsafeRawBufferPointer, dialect: Dialect, _ body: (borrowing PageEntry) -> Void
    ) throws(PageError) -> PageContents {
        readBeforeError = PageContents()
        guard page.count <= PageLimits.maximumBytes else {
            throw PageError(.tooLarge, offset: PageLimits.maximumBytes)
        }
        let status = open(page, dialect, linesAlone: false)
        switch status {
        case CSJ_OK:
            return try entries(dialect, body)
        case CSJ_INVALID_UTF8, CSJ_CONTROL_CHARACTER, CSJ_UNCLOSED_STRING:
            // Damage inside strings: mend what can be mended, and keep one line's damage from the next.
            let mended = try SanitisedText(page, lineFeedEndsString: dialect == .machines)
            guard dialect == .machines || mended.replacedCount > 0 else { throw error(status) }
            let again = open(mended.bytes, dialect, linesAlone: dialect == .machines)
            guard again == CSJ_OK else { throw error(again) }
            var contents = try entries(dialect, body)
            contents.replacedCount = mended.replacedCount
            return contents
        default:
            throw error(status)
        }
    }

    private func open(_ page: UnsafeRawBufferPointer, _ dialect: Dialect, linesAlone: Bool) -> csj_status {
        csj_page_open(
            parser, page.baseAddress?.assumingMemoryBound(to: UInt8.self), page.count,
            dialect == .platform ? CSJ_PLATFORM : CSJ_MACHINES, linesAlone)
    }

    private func error(_ status: csj_status) -> PageError {
        PageError(status, offset: csj_fault_offset(parser))
    }

    private func entries(
        _ dialect: Dialect, _ body: (borrowing PageEntry) -> Void
    ) throws(PageError) -> PageContents {
        var contents = PageContents()
        var raw = csj_entry()
        var last = csj_entry()
        var status = csj_page_next(parser, &raw)
        while status == CSJ_OK {
            let entry = PageEntry(raw)
            contents.entryCount += 1
            if contents.entryCount == 1 { contents.firstTimestamp = entry.timestamp }
            if dialect == .machines {
                if let time = entry.timestamp {
                    contents.latestTimestamp = max(contents.latestTimestamp ?? time, time)
                }
            } else {
                last.timestamp = raw.timestamp
            }
            body(entry)
            status = csj_page_next(parser, &raw)
        }
        // The last one's slice still stands: nothing was read behind it that needed the reader's own memory.
        if dialect == .platform { contents.latestTimestamp = PageEntry(last).timestamp }
        guard status == CSJ_END else {
            readBeforeError = contents
            throw error(status)
        }
        contents.malformedCount = csj_malformed_count(parser)
        contents.repairedCount = csj_repaired_count(parser)
        if dialect == .platform { contents.nextToken = Self.token(csj_page_next_token(parser)) }
        return contents
    }

    private static func token(_ field: csj_field) -> PageToken {
        guard let start = field.start else { return .absent }
        guard field.length > 0 else { return .empty }
        let digits = UnsafeBufferPointer(start: start, count: Int(field.length)).span
        return LogCursor(digits: digits).map(PageToken.cursor) ?? .unreadable
    }
}
