// Where an app's stream stands: what is committed beside its lines, and where reading goes on after any crash.
//
// Text: `settled..reached`, two decimal times in nanoseconds since 1970; one number alone stands for both.
// Invariant: settled <= reached.

/// How far a log was read, and how far it was read for good.
package struct StreamPosition: Hashable, Sendable, CustomStringConvertible {
    /// No line at or before this time can still appear: reading goes on here.
    package let settled: LogCursor
    /// Lines up to this time were read at least once.
    package let reached: LogCursor

    /// A position; whatever is settled counts as reached.
    package init(settled: LogCursor, reached: LogCursor) {
        self.settled = settled
        self.reached = max(settled, reached)
    }

    /// A position before which nothing is wanted, and behind which nothing was read.
    package init(at place: LogCursor) {
        self.init(settled: place, reached: place)
    }

    /// What is framed and stored.
    package var text: String { "\(settled.text)..\(reached.text)" }

    package var description: String { text }

    /// Reads ``text``, or a single number.
    ///
    /// - Throws: `FlyAPIError` with code `cursor` for anything else, and for a settled time behind the reached one:
    ///   lines between them would be taken for read.
    package init(_ text: String) throws(FlyAPIError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 1 {
            self.init(at: try LogCursor(text))
            return
        }
        guard parts.count == 3, parts[1].isEmpty else { throw Self.refusal(text) }
        let settled = try LogCursor(String(parts[0]))
        let reached = try LogCursor(String(parts[2]))
        guard settled <= reached else { throw Self.refusal(text) }
        self.init(settled: settled, reached: reached)
    }
    private static func refusal(_ text: String) -> FlyAPIError {
        FlyAPIError(
            .cursor,
            "\(FlyAPIError.quote(text)) is not a position in a log: two decimal times in nanoseconds are needed, "
                + "the earlier one first")
    }
}
