// Which stretches of the log were read when, and so how far it is settled.
//
// A line is at most `overlap` late: one of time t is served by everybody once the server's clock shows t + overlap.
// So a stretch that was asked for at a moment when that clock showed E holds, up to E - overlap, all it will ever
// hold. Invariant: the stretches follow each other without a hole, the first begins at `settled`, and ends grow.

/// The part of the log that was read but may still get lines.
package struct ReadCoverage: Equatable, Sendable {
    /// More stretches than this are put together, the older time counting for both.
    package static let mostStretches = 4096

    private struct Stretch: Equatable, Sendable {
        /// Where it ends; the next begins here.
        var end: LogCursor
        /// When it was asked for, by the monotonic clock.
        var askedAt: Int64
    }

    /// No line at or before this time can still appear.
    package private(set) var settled: LogCursor
    private var stretches: [Stretch] = []

    package init(settled: LogCursor) {
        self.settled = settled
    }

    /// What stands behind `start` up to `end` was read, in answers to questions put at `askedAt` or later.
    ///
    /// - Parameter end: nil where the log ended.
    package mutating func read(from start: LogCursor, to end: LogCursor?, askedAt: Int64) {
        let end = end ?? LogCursor(nanoseconds: .max)
        // What lies behind a hole says nothing about the hole: it counts once it is read in one go from `settled`.
        guard end > max(start, settled), start <= (stretches.last?.end ?? settled).next else { return }
        let first = stretches.firstIndex { $0.end > start } ?? stretches.count
        let next = stretches[first...].firstIndex { $0.end > end } ?? stretches.count
        var new = [Stretch(end: end, askedAt: askedAt)]
        let clipped = first > 0 ? stretches[first - 1].end : settled
        if first < stretches.count, start > clipped {
            new.insert(Stretch(end: start, askedAt: stretches[first].askedAt), at: 0)
        }
        stretches.replaceSubrange(first..<next, with: new)
        if stretches.count > Self.mostStretches { putTogether() }
    }

    /// Moves ``settled`` on as far as the clock allows.
    package mutating func settle(_ clock: ServerClock, overlap: UInt64) {
        var done = 0
        for stretch in stretches {
            guard let bound = clock.bound(at: stretch.askedAt)?.rewound(nanoseconds: overlap) else { break }
            settled = max(settled, min(stretch.end, bound))
            guard stretch.end <= bound else { break }
            done += 1
        }
        stretches.removeFirst(done)
    }

    /// Gives up what lies at or before `time`: it is never read again.
    package mutating func giveUp(through time: LogCursor) {
        guard time > settled else { return }
        settled = time
        stretches.removeAll { $0.end <= time }
    }

    private mutating func putTogether() {
        var merged: [Stretch] = []
        for index in stride(from: 1, to: stretches.count, by: 2) {
            let (left, right) = (stretches[index - 1], stretches[index])
            merged.append(Stretch(end: right.end, askedAt: min(left.askedAt, right.askedAt)))
        }
        if stretches.count % 2 == 1 { merged.append(stretches[stretches.count - 1]) }
        stretches = merged
    }
}
