// Decides, after each page, where to go on and whether at once. No clock, no I/O: values in, a plan out.
//
// Not the memory of seen ids: the caller says how many entries of the page were new to it. Invariants: the cursor
// never moves backwards; "at once" is only said when the page brought something new or the cursor moved, so a server
// that repeats itself is never asked in a tight loop.

/// What the cursor machine needs to know of a page.
package struct PageSummary: Equatable, Sendable {
    /// Entries on the page, repeated ones included.
    package var entryCount: Int
    /// Entries that had not been seen before.
    package var unseenCount: Int
    /// `meta.next_token`; platform dialect.
    package var nextToken: PageToken
    /// The latest readable timestamp on the page, in nanoseconds since 1970; machines dialect.
    package var latestTimestamp: Int64?

    package init(entryCount: Int, unseenCount: Int, nextToken: PageToken = .absent, latestTimestamp: Int64? = nil) {
        self.entryCount = entryCount
        self.unseenCount = unseenCount
        self.nextToken = nextToken
        self.latestTimestamp = latestTimestamp
    }

    /// Whether more entries are probably waiting.
    package var isFull: Bool { entryCount >= Dialect.fullPageEntries }
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

    /// The cursor of the next request; nil asks for the newest page again.
    package let cursor: LogCursor?
    /// When to send it.
    package let next: Next
    /// Whether the cursor is another one than before the page.
    package let cursorMoved: Bool
    /// Whether the cursor was pushed on by one nanosecond because the server would not move it.
    ///
    /// Entries that share the nanosecond beyond the page size may have been lost.
    package let steppedOverNanosecond: Bool
}

/// The position of one app's stream.
package struct CursorMachine: Equatable, Sendable {
    /// The dialect whose rules hold.
    package let dialect: Dialect
    /// The cursor of the next request; nil asks for the newest page.
    package private(set) var cursor: LogCursor?
    /// How often the cursor was pushed on by one nanosecond.
    package private(set) var nanosecondSteps: UInt64 = 0
    /// Pages whose token lay before the cursor; they did not move it.
    package private(set) var backwardTokens: UInt64 = 0
    /// Pages whose token was no decimal number; they did not move the cursor.
    package private(set) var unreadableTokens: UInt64 = 0
    /// Whether the page before the current one was answered with a step.
    private var steppedBefore = false

    package init(dialect: Dialect, cursor: LogCursor? = nil) {
        self.dialect = dialect
        self.cursor = cursor
    }

    /// Takes in a page that was read to its end.
    package mutating func pageRead(_ page: PageSummary) -> PagePlan {
        let before = cursor
        let mayStep: Bool
        switch dialect {
        case .platform: mayStep = movePlatform(page)
        case .machines: mayStep = moveMachines(page)
        }
        let stepped = mayStep && page.isFull && page.unseenCount == 0 && cursor == before
        if stepped {
            cursor = cursor?.next
            nanosecondSteps += 1
        }
        let moved = cursor != before
        // A server that echoes whatever cursor it is asked for would be stepped after for ever: the second step waits.
        let progressed = page.unseenCount > 0 || (moved && !(stepped && steppedBefore))
        steppedBefore = stepped
        return PagePlan(
            cursor: cursor, next: page.isFull && progressed ? .atOnce : .afterInterval, cursorMoved: moved,
            steppedOverNanosecond: stepped)
    }

    /// Returns whether the server named the very cursor that was asked for.
    private mutating func movePlatform(_ page: PageSummary) -> Bool {
        switch page.nextToken {
        case .absent, .empty: return false
        case .unreadable:
            unreadableTokens += 1
            return false
        case .cursor(let token):
            // The token of an empty page is no news: nothing was read up to it.
            guard page.entryCount > 0 else { return false }
            guard let current = cursor else {
                cursor = token
                return false
            }
            if token < current { backwardTokens += 1 }
            if token > current { cursor = token }
            return token == current
        }
    }

    /// Returns whether the page ended in the nanosecond that was asked for.
    ///
    /// The rule is the latest timestamp plus one. A full page may have been cut between entries of one nanosecond (of
    /// one millisecond, for an app that logs in milliseconds), so after a full page the latest timestamp itself is
    /// asked for again: its entries come twice and are dropped, and none is skipped.
    private mutating func moveMachines(_ page: PageSummary) -> Bool {
        guard let latest = page.latestTimestamp, latest >= 0 else { return false }
        let reached = LogCursor(time: latest)
        let target = page.isFull ? reached : reached.next
        guard let current = cursor else {
            cursor = target
            return false
        }
        if target > current { cursor = target }
        return target == current
    }
}

/// Where a stream starts, and what it can no longer get.
package struct StreamStart: Equatable, Sendable {
    /// How long the service keeps logs, in nanoseconds: about 7 days.
    package static let retention: UInt64 = 7 * 86_400 * 1_000_000_000
    /// How far behind a committed cursor reading resumes, in nanoseconds, for lines that arrive late: 20 s.
    package static let overlap: UInt64 = 20 * 1_000_000_000

    /// A stretch of time whose entries the service no longer has, in nanoseconds since 1970.
    package struct Gap: Equatable, Sendable {
        package let from: LogCursor
        package let to: LogCursor
    }

    /// The cursor of the first request; nil asks for the newest page.
    package let cursor: LogCursor?
    /// What was lost to the service's retention, if anything.
    package let gap: Gap?

    /// Resumes from a committed cursor: the overlap back, but never before the service's retention.
    package init(
        committed: LogCursor?, now: Int64, overlap: UInt64 = StreamStart.overlap,
        retention: UInt64 = StreamStart.retention
    ) {
        guard let committed else {
            cursor = nil
            gap = nil
            return
        }
        let oldest = LogCursor(time: now).rewound(nanoseconds: retention)
        cursor = max(committed.rewound(nanoseconds: overlap), oldest)
        gap = committed < oldest ? Gap(from: committed, to: oldest) : nil
    }
}
