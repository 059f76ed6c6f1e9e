// What a Streamer counts since its start; the payload of its telemetry frames.

/// Counters of one incarnation.
package struct StreamerCounters: Codable, Equatable, Sendable {
    /// Entries sent on.
    package var entries: UInt64 = 0
    /// Entries that came again and were dropped.
    package var repeated: UInt64 = 0
    /// Lines that were no entries, and entries too large for a frame.
    package var skipped: UInt64 = 0
    /// Pages read to their end.
    package var pages: UInt64 = 0
    /// Bytes of pages, after decompression.
    package var bytes: UInt64 = 0
    /// Fetches that brought no page.
    package var errors: UInt64 = 0

    package init() {}

    /// Whether something other than empty pages was counted since `earlier`.
    func isNews(since earlier: StreamerCounters) -> Bool {
        entries != earlier.entries || repeated != earlier.repeated || skipped != earlier.skipped
            || errors != earlier.errors
    }
}
