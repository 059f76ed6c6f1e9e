// Delays between the restarts of one child, so that a crash loop neither spins nor burns its group's budget. Beyond OTP
// (R26), and separate from the restart window: that one escalates, this one only waits.

/// How long the next restart of one child waits.
struct Backoff: Hashable, Sendable {
    /// Part of a delay by which it may be shorter or longer, so that children that died together do not return
    /// together.
    static let jitter = 0.2

    /// Restarts since the child last stayed up as long as the cap; held at 63, where every cap is long reached.
    private var restarts = 0

    /// The delay of the next restart: 0 for the first, then the initial delay, doubling up to the cap, with jitter on
    /// either side but never past the cap.
    mutating func nextDelayMilliseconds(_ settings: BackoffSettings?, jitter generator: inout SplitMix64) -> Int64 {
        guard let settings else { return 0 }
        defer { restarts = min(restarts + 1, 63) }
        guard restarts > 0 else { return 0 }
        let base = min(settings.capMilliseconds, doubled(settings.initialMilliseconds, times: restarts - 1))
        let spread = Int64(Double(base) * Backoff.jitter)
        return Int64.random(in: (base - spread)...min(base + spread, settings.capMilliseconds), using: &generator)
    }

    /// The child ended after it had been ready for `uptimeMilliseconds`.
    mutating func childWasUp(milliseconds uptimeMilliseconds: Int64, _ settings: BackoffSettings?) {
        if let settings, uptimeMilliseconds >= settings.capMilliseconds { restarts = 0 }
    }

    private func doubled(_ milliseconds: Int64, times: Int) -> Int64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: Int64(1) << Int64(times))
        return overflow ? .max : product
    }
}
