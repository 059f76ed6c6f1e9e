// A lower bound of the server's clock, made from its answers alone: a line that was read had been written by then, and
// time went on since at the pace of our monotonic clock. Our wall clock, which may be wrong, has no part in it. A line
// may be dated ahead, so it counts up to the time that its answer gives as its own.
//
// Clocks run apart: the bound is carried forward a thousandth too slowly and backward a thousandth too far, ten times
// what a bad oscillator does.

/// What the server's clock shows at least, as far as the lines tell.
package struct ServerClock: Equatable, Sendable {
    private var time: UInt64?
    private var seenAt: Int64 = 0

    package init() {}

    /// A time that the server's clock had reached at the monotonic time `now`, in ns.
    package mutating func observe(_ time: LogCursor, at now: Int64) {
        if let bound = bound(at: now), bound >= time { return }
        self.time = time.nanoseconds
        seenAt = now
    }

    /// The bound at a monotonic time, before or after what was observed; nil before anything was.
    package func bound(at now: Int64) -> LogCursor? {
        guard let time else { return nil }
        let elapsed = now - seenAt
        if elapsed >= 0 {
            return LogCursor(nanoseconds: time).advanced(nanoseconds: UInt64(elapsed - elapsed / 1000))
        }
        return LogCursor(nanoseconds: time).rewound(nanoseconds: UInt64(-elapsed - elapsed / 1000))
    }
}

extension LogCursor {
    /// The time of a `Date` header (RFC 9110, section 6.6.1), which is cut to the second; nil for anything else.
    package init?(httpDate text: String) {
        guard let seconds = RetryAfter.seconds(httpDate: text[...]), (0...9_000_000_000).contains(seconds) else {
            return nil
        }
        self.init(time: seconds * 1_000_000_000)
    }
}
