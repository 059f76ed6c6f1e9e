// A point on the caller's monotonic clock. The policies own no clock: every event is handed the time at which it is
// handled, and every deadline they ask for is a point on the same clock. Never the wall clock (R14).

/// A point in time on a monotonic clock, in whole milliseconds since an origin that only the caller knows.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the clock's origin; may be negative, as Erlang's monotonic time is.
    package let milliseconds: Int64

    /// A point `milliseconds` after the clock's origin.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Orders by time.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The point `milliseconds` later, held at the end of the clock's range instead of trapping.
    package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds < 0 ? .min : .max) : sum)
    }

    /// Milliseconds from `earlier` to this point.
    func milliseconds(since earlier: Timestamp) -> Int64 {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return overflow ? .max : difference
    }
}
