// What goes beyond OTP and holds for the whole tree. Each can be turned off, and `otp` turns all of it off.

/// Delays between the restarts of one child.
package struct BackoffSettings: Hashable, Sendable {
    /// Delay before the second restart, in milliseconds; the first is at once.
    ///
    /// 1 or more.
    package var initialMilliseconds: Int64
    /// Longest delay, and the time up after which a child's restarts are forgotten, in milliseconds.
    package var capMilliseconds: Int64

    /// `initialMilliseconds` doubling up to `capMilliseconds`.
    package init(initialMilliseconds: Int64 = 100, capMilliseconds: Int64 = 30_000) {
        self.initialMilliseconds = initialMilliseconds
        self.capMilliseconds = capMilliseconds
    }
}

/// Settings of a whole tree.
package struct SupervisionSettings: Hashable, Sendable {
    /// Delays between restarts; nil is pure OTP, where every attempt follows at once (R26).
    package var backoff: BackoffSettings?
    /// Time a worker has from its start to its ready frame, in milliseconds; nil waits for ever, as OTP does (R4).
    package var startTimeoutMilliseconds: Int64?
    /// Time a worker has to stop where its specification does not say, in milliseconds.
    package var stopGraceMilliseconds: Int64
    /// Whether the time in which a static supervisor stops and starts children for a restart passes on the clock of its
    /// restart window too, as OTP's does.
    ///
    /// If it does, a limit never trips where one restart takes longer than the window.
    package var countsRestartTime: Bool

    /// The defaults of `flyfleet start`.
    package init(
        backoff: BackoffSettings? = BackoffSettings(), startTimeoutMilliseconds: Int64? = 10_000,
        stopGraceMilliseconds: Int64 = 5_000, countsRestartTime: Bool = false
    ) {
        self.backoff = backoff
        self.startTimeoutMilliseconds = startTimeoutMilliseconds
        self.stopGraceMilliseconds = stopGraceMilliseconds
        self.countsRestartTime = countsRestartTime
    }

    /// Pure OTP: no backoff, no start timeout, a window that never stands still; five seconds to stop.
    package static let otp = SupervisionSettings(
        backoff: nil, startTimeoutMilliseconds: nil, countsRestartTime: true)
}
