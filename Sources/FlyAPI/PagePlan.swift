// What the cursor machine is told of a page, and what it decides.

/// What the cursor machine needs to know of a page.
package struct PageSummary: Equatable, Sendable {
    /// Entries on the page, repeated ones included.
    package var entryCount: Int
    /// Entries that had not been seen before.
    package var unseenCount: Int
    /// `meta.next_token`; platform dialect.
    package var nextToken: PageToken
    /// The first entry's time, in nanoseconds since 1970; nil when it is unreadable.
    package var firstTimestamp: Int64?
    /// The last entry's time (machines dialect: the latest), in nanoseconds since 1970; nil when it is unreadable.
    package var latestTimestamp: Int64?
    /// When the page was served, by the server's own clock and cut to the second; nil where it does not say.
    package var servedAt: LogCursor?

    package init(
        entryCount: Int, unseenCount: Int, nextToken: PageToken = .absent, firstTimestamp: Int64? = nil,
        latestTimestamp: Int64? = nil
    ) {
        self.entryCount = entryCount
        self.unseenCount = unseenCount
        self.nextToken = nextToken
        self.firstTimestamp = firstTimestamp
        self.latestTimestamp = latestTimestamp
    }

    /// The latest time as a cursor.
    package var latest: LogCursor? {
        latestTimestamp.flatMap { $0 >= 0 ? LogCursor(time: $0) : nil }
    }
}

/// What to do after a page.
package struct PagePlan: Equatable, Sendable {
    /// When to ask again.
    package enum Next: Equatable, Sendable {
        /// More is waiting: ask now.
        case atOnce
        /// Ask after the poll interval.
        case afterInterval
    }

    /// When to send the next request.
    package var next: Next
    /// Whether the log ended with this page: there was nothing new on it and nothing behind it.
    package var isEnd = false
    /// Whether what is behind this page, if anything, was written while it was read.
    package var isCaughtUp = false
    /// No entry of the page is later.
    package var pageReached: LogCursor
    /// Where reading began, told once: with the answer to a request for the newest page.
    package var began: StreamPosition?
    /// A moment of which a full page was read, and of which nobody can say whether there is more.
    package var cut: StreamStart.Gap?
}
