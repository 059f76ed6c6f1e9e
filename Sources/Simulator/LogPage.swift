// Which lines a page holds: the cursor rules of the log API, as a pure function of query and clock.
//
// Rendering is the dialects' business. The invariant: lines come oldest first, none from the future, none older than the
// retention, never more than a page.

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

/// The rules by which pages are cut.
package struct PageRules: Sendable, Equatable {
    /// Lines older than this are gone: 7 days, in nanoseconds.
    package static let retention: Int64 = 7 * 24 * 3_600 * WireTime.second
    /// How far back a request without a cursor looks: 24 h, in nanoseconds.
    package static let newestWindow: Int64 = 24 * 3_600 * WireTime.second
    /// The page sizes that can be asked for.
    package static let allowedSizes = 1...100_000

    /// The most lines of a page.
    package var size: Int
    /// How the cursor's own nanosecond is treated.
    package var boundary: CursorBoundary

    /// Makes rules; the platform's own are 100 lines, inclusive.
    package init(size: Int = 100, boundary: CursorBoundary = .inclusive) {
        self.size = size
        self.boundary = boundary
    }
}

extension SimulatedApp {
    /// The numbers of the lines that answer a query, oldest first.
    ///
    /// - Parameters:
    ///   - query: Cursor and filters.
    ///   - rules: Size and boundary.
    ///   - now: Unix nanoseconds; later lines do not exist yet.
    package func page(_ query: PageQuery, rules: PageRules, now: Int64) -> [Int] {
        let written = count(through: now)
        guard let wanted = machines(matching: query) else { return [] }
        guard let cursor = query.cursor else {
            let oldest = timeline.firstSequence(atOrAfter: max(0, now - PageRules.newestWindow))
            return newest(rules.size, in: oldest, through: written, from: wanted)
        }
        guard cursor <= now else { return [] }
        let retained = timeline.firstSequence(atOrAfter: max(0, now - PageRules.retention))
        let inclusive = rules.boundary == .inclusive
        let next = inclusive ? timeline.firstSequence(atOrAfter: cursor) : timeline.count(through: cursor) + 1
        return oldest(rules.size, in: max(retained, next), through: written, from: wanted)
    }

    /// The machines a query lets through, nil for none: then no line needs to be looked at.
    private func machines(matching query: PageQuery) -> [SimulatedMachine]? {
        let matching = machines.filter { machine in
            if let instance = query.instance { return machine.id == instance }
            return query.region.map { $0 == machine.region } ?? true
        }
        return matching.isEmpty ? nil : matching
    }

    private func oldest(_ limit: Int, in first: Int, through last: Int, from wanted: [SimulatedMachine]) -> [Int] {
        guard first <= last else { return [] }
        if wanted.count == machines.count { return Array(first...min(last, first + limit - 1)) }
        return Array((first...last).lazy.filter { wanted.contains(self.machine(ofLine: $0)) }.prefix(limit))
    }

    private func newest(_ limit: Int, in first: Int, through last: Int, from wanted: [SimulatedMachine]) -> [Int] {
        guard first <= last else { return [] }
        if wanted.count == machines.count { return Array(max(first, last - limit + 1)...last) }
        let backwards = (first...last).reversed().lazy
        return backwards.filter { wanted.contains(self.machine(ofLine: $0)) }.prefix(limit).reversed()
    }
}
