// Which lines a page holds: the cursor rules of the log API, as a pure function of query and clock.
//
// Rendering is the dialects' business. The invariant: lines come oldest first, none from the future, none older than the
// retention, never more than a page but for lines that share its last nanosecond, where the rules say so.

/// Whether the line at the cursor's own nanosecond comes again; observers of the real API disagree.
package enum CursorBoundary: String, Sendable, CaseIterable {
    case inclusive, exclusive
}

/// What a request for a page asks for.
package struct PageQuery: Sendable, Equatable {
    /// Unix nanoseconds to go on from; nil for the newest page of the last 24 h.
    package var cursor: Int64?
    /// Only lines from this region.
    package var region: String?
    /// Only lines from this machine; the region is then ignored, as the client has to drop it.
    package var instance: String?

    /// Describes a request.
    package init(cursor: Int64? = nil, region: String? = nil, instance: String? = nil) {
        self.cursor = cursor
        self.region = region
        self.instance = instance
    }
}

extension SimulatedApp {
    /// The numbers of the lines that answer a query, oldest first.
    ///
    /// - Parameters:
    ///   - query: Cursor and filters.
    ///   - rules: Size, boundary, retention.
    ///   - now: Unix nanoseconds; later lines do not exist yet.
    package func page(_ query: PageQuery, rules: PageRules, now: Int64) -> [Int] {
        let written = count(through: now)
        guard let lines = PageLines(of: self, query: query, now: now) else { return [] }
        guard let cursor = query.cursor else {
            let window = min(PageRules.newestWindow, rules.retention)
            let oldest = timeline.firstSequence(atOrAfter: max(0, now - window))
            return bounded(lines.newest(rules, in: oldest, through: written), rules)
        }
        guard cursor <= now else { return [] }
        let retained = timeline.firstSequence(atOrAfter: max(0, now - rules.retention))
        let inclusive = rules.boundary == .inclusive
        let next = inclusive ? timeline.firstSequence(atOrAfter: cursor) : timeline.count(through: cursor) + 1
        return bounded(lines.oldest(rules, in: max(retained, next), through: written), rules)
    }

    /// How many lines that were written by now are still missing in the log because they are late.
    package func missingCount(at now: Int64) -> Int {
        guard timeline.longestLateness > 0 else { return 0 }
        let first = timeline.firstSequence(atOrAfter: now - timeline.longestLateness)
        let written = count(through: now)
        return first > written ? 0 : (first...written).count { !hasAppeared($0, by: now) }
    }

    /// Cuts off what would make the page too large.
    private func bounded(_ sequences: [Int], _ rules: PageRules) -> [Int] {
        var bytes = 0
        let end = sequences.indices.first { index in
            let segment = timeline.segment(ofLine: sequences[index])
            guard (segment.settings.oddShares[.long] ?? 0) > 0 else { return false }
            bytes += line(sequences[index]).oddMessage == .long ? segment.settings.longBytes : 0
            return bytes > rules.longBytesLimit && index > 0
        }
        return end.map { Array(sequences[..<$0]) } ?? sequences
    }
}

/// The lines that a query lets through.
struct PageLines {
    private let app: SimulatedApp
    private let now: Int64
    /// All lines before this one appeared.
    private let settled: Int
    /// The machines asked for; nil for all.
    private let wanted: [SimulatedMachine]?

    /// Nil when no machine fits: then no line needs to be looked at.
    init?(of app: SimulatedApp, query: PageQuery, now: Int64) {
        let matching = app.machines.filter { machine in
            if let instance = query.instance { return machine.id == instance }
            return query.region.map { $0 == machine.region } ?? true
        }
        guard !matching.isEmpty else { return nil }
        self.app = app
        self.now = now
        wanted = matching.count == app.machines.count ? nil : matching
        let lateness = app.timeline.longestLateness
        settled = lateness > 0 ? app.timeline.firstSequence(atOrAfter: now - lateness) : .max
    }

    func oldest(_ rules: PageRules, in first: Int, through last: Int) -> [Int] {
        first <= last ? taken(first...last, rules) : []
    }

    func newest(_ rules: PageRules, in first: Int, through last: Int) -> [Int] {
        first <= last ? taken((first...last).reversed(), rules).reversed() : []
    }

    /// A page's worth of lines, and those that share the nanosecond of its last one where pages never cut it.
    private func taken(_ candidates: some Sequence<Int>, _ rules: PageRules) -> [Int] {
        var page: [Int] = []
        page.reserveCapacity(rules.size)
        var end: Int64?
        for sequence in candidates {
            if page.count >= rules.size {
                guard rules.ties == .whole, let last = page.last else { break }
                let instant = end ?? app.timeline.timestamp(of: last)
                end = instant
                guard app.timeline.timestamp(of: sequence) == instant else { break }
            }
            if isIncluded(sequence) { page.append(sequence) }
        }
        return page
    }

    /// Whether the log has the line by now, and the query lets it through.
    func isIncluded(_ sequence: Int) -> Bool {
        guard sequence < settled || app.hasAppeared(sequence, by: now) else { return false }
        guard let wanted else { return true }
        return wanted.contains(app.machine(ofLine: sequence))
    }
}
