// When each line of an app is written, also when its settings are changed while it runs: timelines one after the other.
//
// A change at an instant begins a new timeline there and cancels what was planned for later. The invariant: no change
// moves a line that was written before it, so the same changes at the same instants make the same history again.

/// All lines of one app, numbered from 1 without gaps, in time.
package struct LineHistory: Sendable {
    /// The stretch between two changes.
    struct Segment: Sendable {
        /// Unix nanoseconds of the change that began it.
        let start: Int64
        /// Unix nanoseconds of the change that ends it; nil for the last.
        var end: Int64?
        /// How many lines were written before it.
        let before: Int
        let settings: LineSettings
        let timeline: Timeline
        let traces: StackTraces

        func count(through instant: Int64) -> Int {
            guard settings.rate > 0 else { return before }
            let last = end.map { min(instant, $0 - 1) } ?? instant
            let written = before + timeline.count(through: last)
            return settings.lineLimit.map { min(written, max($0, before)) } ?? written
        }
    }

    private let key: UInt64
    private(set) var segments: [Segment]
    /// The longest delay of a line, in nanoseconds.
    private(set) var longestLateness: Int64

    /// Makes the history of an app with one timeline.
    ///
    /// - Parameters:
    ///   - start: Unix nanoseconds before which there is no line.
    ///   - settings: What its lines follow from.
    ///   - key: What sets this app apart from others.
    init(from start: Int64, settings: LineSettings, key: UInt64) {
        self.key = key
        segments = []
        longestLateness = 0
        append(start: min(max(start, 0), Timeline.end), before: 0, settings)
    }

    /// The settings of the lines that are written at an instant.
    package func settings(at instant: Int64) -> LineSettings { segment(at: instant).settings }

    /// Changes the settings of the lines from an instant on.
    ///
    /// - Parameter instant: Unix nanoseconds; what lies before the first line counts as its start.
    package mutating func change(at instant: Int64, to settings: LineSettings) {
        let instant = min(max(instant, segments[0].start), Timeline.end)
        while segments.count > 1, segments[segments.count - 1].start > instant {
            segments.removeLast()
        }
        segments[segments.count - 1].end = instant
        append(start: instant, before: segments[segments.count - 1].count(through: instant - 1), settings)
    }

    /// Stops the lines at an instant, which may lie in the future.
    mutating func stop(at instant: Int64) {
        var silence = settings(at: instant)
        silence.rate = 0
        change(at: instant, to: silence)
    }

    /// The instant of a line in Unix nanoseconds.
    ///
    /// - Parameter sequence: The line's number, from 1.
    package func timestamp(of sequence: Int) -> Int64 {
        let segment = segment(ofLine: sequence)
        return segment.timeline.timestamp(of: sequence - segment.before)
    }

    /// How many lines were written up to and including an instant, which is also the number of the last of them.
    ///
    /// - Parameter instant: Unix nanoseconds.
    package func count(through instant: Int64) -> Int {
        guard instant >= segments[0].start else { return 0 }
        return segment(at: instant).count(through: instant)
    }

    /// The number of the first line at or after an instant.
    ///
    /// - Parameter instant: Unix nanoseconds.
    package func firstSequence(atOrAfter instant: Int64) -> Int {
        instant > 0 ? count(through: instant - 1) + 1 : 1
    }

    /// The number of the last line of all, as planned now; nil when there is no end.
    package var lastSequence: Int? {
        let last = segments[segments.count - 1]
        if last.settings.rate == 0 { return last.before }
        return last.settings.lineLimit.map { max($0, last.before) }
    }

    /// The stretch that a line belongs to.
    func segment(ofLine sequence: Int) -> Segment {
        segments[lastIndex { $0.before < sequence }]
    }

    private func segment(at instant: Int64) -> Segment {
        segments[lastIndex { $0.start <= instant }]
    }

    /// The last segment for which the condition holds, which holds for a prefix of them; the first, if for none.
    private func lastIndex(where condition: (Segment) -> Bool) -> Int {
        var low = 0
        var high = segments.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if condition(segments[middle]) { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private mutating func append(start: Int64, before: Int, _ settings: LineSettings) {
        let number = UInt64(segments.count)
        let key = number == 0 ? key : mixed(key ^ 0x7365_676D_0000 ^ number)
        let timeline = Timeline(
            epoch: start, rate: settings.rate, key: key, tieLength: settings.tieLength, tieEvery: settings.tieEvery)
        segments.append(
            Segment(
                start: start, before: before, settings: settings, timeline: timeline, traces: StackTraces(key: key)))
        if settings.lateShare > 0 { longestLateness = max(longestLateness, settings.lateness) }
    }
}
