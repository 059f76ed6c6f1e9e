// Where a stream starts that was read before, and what it can no longer get.

/// The start of reading from a committed position.
package struct StreamStart: Equatable, Sendable {
    /// How long the service keeps logs, in nanoseconds: about 7 days.
    package static let retention: UInt64 = 7 * 86_400 * 1_000_000_000
    /// How late a line may appear by default, in nanoseconds: 20 s.
    package static let overlap: UInt64 = 20 * 1_000_000_000

    /// A stretch of time whose entries cannot be had, both ends included.
    package struct Gap: Equatable, Sendable {
        package let from: LogCursor
        package let to: LogCursor

        package init(from: LogCursor, to: LogCursor) {
            self.from = from
            self.to = to
        }
    }

    /// Where reading goes on.
    package let position: StreamPosition
    /// What was lost to the service's retention, if anything.
    package let gap: Gap?

    /// Goes on from a committed position, but never before the service's retention; `now` is the wall clock.
    package init(committed: StreamPosition, now: Int64, retention: UInt64 = StreamStart.retention) {
        let oldest = LogCursor(time: now).rewound(nanoseconds: retention)
        position = StreamPosition(
            settled: max(committed.settled, oldest), reached: max(committed.reached, oldest))
        gap = committed.reached < oldest ? Gap(from: committed.reached, to: oldest) : nil
    }
}
