// Decides, for one app's log, what to ask for next, and how far it is read and settled. No I/O and no clock: times are
// handed in, plans come out. Why it loses nothing stands in the article "Positions".
//
// Not the memory of seen entries: the caller says how many of a page were new to it. Invariants: every request but the
// first names a cursor; "at once" is only said after a page that brought something new or later, so that a server
// that repeats itself is never asked in a tight loop; the position never goes back.

/// Reads one log from a position on, over and over its unsettled part.
package struct CursorMachine: Equatable, Sendable {
    /// What does not change.
    package struct Rules: Equatable, Sendable {
        /// How late a line may appear, in ns; 0 turns looking back off.
        package var overlap: UInt64
        /// Entries from which on a page counts as full: more are probably waiting.
        package var fullPageEntries: Int
        /// Lines after this time are not wanted, and the position does not pass it.
        package var until: LogCursor?

        package init(
            overlap: UInt64 = StreamStart.overlap, fullPageEntries: Int = Dialect.fullPageEntries,
            until: LogCursor? = nil
        ) {
            self.overlap = overlap
            self.fullPageEntries = fullPageEntries
            self.until = until
        }
    }

    /// How far a time must be ahead of what is known of the server's clock to be taken for wrong, in ns.
    static let clockDoubt: UInt64 = 5_000_000_000

    /// A page of fewer entries that does not get past a moment is the end of the log, not one that was cut.
    static let leastCutPage = 10

    package let rules: Rules
    /// How far the log is read and settled; nil before reading began.
    package internal(set) var position: StreamPosition?
    /// Whether the requests go over what was read before.
    package internal(set) var isLookingBack = false
    /// How often the cursor was pushed on by one nanosecond.
    package internal(set) var nanosecondSteps: UInt64 = 0
    /// Pages whose token was not believed, or was none.
    package internal(set) var doubtfulTokens: UInt64 = 0
    /// Whether the last page left nothing that should be asked for at once.
    package internal(set) var isResting = false

    /// The cursor of the next request; nil asks for the newest page.
    var request: LogCursor?
    /// The cursor of the request under way, and when it was sent.
    var asked: LogCursor?
    var askedAt: Int64 = 0
    var coverage = ReadCoverage(settled: LogCursor(nanoseconds: 0))
    var clock = ServerClock()
    /// When the last reading from the settled place began.
    package internal(set) var lookedBackAt: Int64 = 0
    /// Where a look back may be cut short; nil where it must go on.
    var lookBackGoal: LogCursor?
    /// Whether reading began before the settled place and has not come there yet.
    var startsEarlier = false
    /// Polls do not go behind this: a nanosecond before it could not be read whole.
    var floor = LogCursor(nanoseconds: 0)
    /// A nanosecond in which the page before ended without moving the cursor, if that page was full.
    var suspect: LogCursor?
    var largestPage = 0
    /// How many pages were as large, and where the last of them ended.
    var largestPages = 0
    var largestPageEnd: LogCursor?
    /// How finely times are shown, in ns, as far as was seen.
    var precision: UInt64 = 1_000_000_000
    var latestSeen: LogCursor?
    var steppedBefore = false

    package init(_ rules: Rules = Rules()) {
        self.rules = rules
    }

    /// Reading begins at a place.
    ///
    /// - Parameters:
    ///   - place: the committed position, or a new one.
    ///   - start: where the first request goes, when it is before the place's settled time.
    ///   - evidence: a time that the server's clock is known to have passed.
    ///   - now: the monotonic clock, in ns, here and below.
    package mutating func begin(
        at place: StreamPosition, from start: LogCursor? = nil, evidence: LogCursor?, now: Int64
    ) {
        position = place
        coverage = ReadCoverage(settled: place.settled)
        if let evidence { clock.observe(evidence, at: now) }
        request = min(start ?? place.settled, place.settled)
        startsEarlier = (start ?? place.settled) < place.settled
        isLookingBack = (request ?? place.settled) < frontier
        lookBackGoal = nil
        latestSeen = nil
        lookedBackAt = now
        isResting = false
    }

    /// The cursor of the request that is sent now; nil asks for the newest page.
    package mutating func nextRequest(now: Int64) -> LogCursor? {
        if isLookBackDue(now: now) { lookBack(now: now) }
        asked = request
        askedAt = now
        return request
    }

    /// Goes back to the settled place with the next request.
    ///
    /// - Parameter isLast: whether it must go on to the end, however long that takes.
    package mutating func lookBack(now: Int64, isLast: Bool = false) {
        guard let position else { return }
        request = position.settled
        isLookingBack = position.settled < frontier
        latestSeen = nil
        // Where the frontier is ahead of all lines to come they are only found on this way: it is gone to its end.
        let mayStop = !isLast && horizon(at: now) == nil
        lookBackGoal = mayStop ? clock.bound(at: now)?.rewound(nanoseconds: rules.overlap) : nil
        lookedBackAt = now
        isResting = false
    }

    /// What the server's clock shows at least.
    package func serverTime(now: Int64) -> LogCursor? { clock.bound(at: now) }

    /// The latest time that may be right, if a line was read that is dated later; nil otherwise.
    ///
    /// As of the last request. The frontier is then behind all lines to come, and looking back finds them.
    package var horizon: LogCursor? { horizon(at: askedAt) }

    /// ``horizon`` as of now.
    package func horizon(at now: Int64) -> LogCursor? {
        guard let position, let bound = clock.bound(at: now)?.advanced(nanoseconds: Self.clockDoubt),
            position.reached > bound
        else { return nil }
        return bound
    }

    /// Gives up what lies at or before `time`: the memory of it is full.
    package mutating func giveUp(through time: LogCursor) {
        guard let position else { return }
        coverage.giveUp(through: time)
        self.position = StreamPosition(settled: coverage.settled, reached: position.reached)
        if let request, request < coverage.settled { self.request = coverage.settled }
    }

    private func isLookBackDue(now: Int64) -> Bool {
        guard let position, isResting else { return false }
        let overlap = rules.overlap == 0 && horizon(at: now) != nil ? StreamStart.overlap : rules.overlap
        guard overlap > 0, now - lookedBackAt >= Int64(clamping: overlap / 2) else { return false }
        return position.settled < frontier
    }

    /// Where polls go: one nanosecond back, so that a server whose cursors are exclusive repeats the boundary.
    var frontier: LogCursor {
        guard let position else { return floor }
        return max(position.reached.previous, position.settled, floor)
    }

    /// Takes in how far a page went; what is settled follows.
    mutating func settle(reached: LogCursor) {
        guard let before = position else { return }
        var reached = max(before.reached, reached)
        // Without looking back, what the clock allows is still needed where no lines come.
        let overlap = rules.overlap > 0 ? rules.overlap : StreamStart.overlap
        coverage.settle(clock, overlap: overlap)
        var settled = coverage.settled
        if let until = rules.until {
            reached = max(min(reached, until), before.reached)
            settled = max(min(settled, until), before.settled)
        }
        position = StreamPosition(settled: settled, reached: reached)
    }
}
