// The restart intensity of one supervisor: OTP's `add_restart`, to the letter (R11–R16). It counts restart attempts,
// not crashes, and is shared by all children. Holds at most twice `maxRestarts` stamps and a few.
//
// Beyond OTP, its clock can be stopped: a supervisor stops it while it carries out a restart. OTP's runs on, and a group
// whose stop and start take longer than the window then never gives up, however fast its children crash.

/// Counts a supervisor's restart attempts within a sliding window.
struct RestartWindow: Sendable {
    /// The limit.
    let intensity: RestartIntensity
    /// Attempts, oldest first, on the window's clock, which never goes back.
    private var stamps: [Int64] = []
    /// Index of the first stamp that was still within the window at the last attempt.
    private var first = 0
    /// When the clock was stopped; nil while it runs.
    private var stoppedAt: Timestamp?
    /// How long it has stood still so far, in milliseconds.
    private var stoppedMilliseconds: Int64 = 0

    /// An empty window (R37).
    init(_ intensity: RestartIntensity) {
        self.intensity = intensity
    }

    /// Records an attempt and tells whether it may be performed.
    ///
    /// The attempt that may not is recorded too (R11, R12).
    mutating func recordAttempt(at now: Timestamp) -> Bool {
        let stamp = reading(now)
        // Stamps beyond the limit exist only after giving up, when nobody asks any more: they need no room.
        first = max(firstWithin(stamp), stamps.count - intensity.maxRestarts)
        if first > stamps.count / 2 {
            stamps.removeFirst(first)
            first = 0
        }
        stamps.append(stamp)
        return stamps.count - first <= intensity.maxRestarts
    }

    /// Attempts within the window that ends at `now`.
    func count(at now: Timestamp) -> Int {
        stamps.count - firstWithin(reading(now))
    }

    /// Index of the first stamp within the window that ends at `stamp`.
    private func firstWithin(_ stamp: Int64) -> Int {
        let threshold = threshold(stamp)
        var (low, high) = (first, stamps.count)
        while low < high {
            let middle = (low + high) / 2
            if stamps[middle] < threshold { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Stops the window's clock; nothing if it stands still already.
    mutating func stopClock(at now: Timestamp) {
        if stoppedAt == nil { stoppedAt = now }
    }

    /// Lets the window's clock go on from where it stood; nothing if it runs.
    mutating func startClock(at now: Timestamp) {
        guard let since = stoppedAt else { return }
        stoppedAt = nil
        stoppedMilliseconds += now.milliseconds(since: since)
    }

    /// The oldest stamp that still counts: exactly `maxSeconds` old is not too old (R11).
    private func threshold(_ stamp: Int64) -> Int64 {
        let seconds = Int64(intensity.maxSeconds)
        let span = intensity.clock == .exact ? seconds * 1000 : seconds
        let (difference, overflow) = stamp.subtractingReportingOverflow(span)
        return overflow ? .min : difference
    }

    /// What the window's clock shows: milliseconds, or whole seconds rounded down, below zero too (R13).
    private func reading(_ now: Timestamp) -> Int64 {
        let milliseconds = (stoppedAt ?? now).advanced(byMilliseconds: -stoppedMilliseconds).milliseconds
        guard intensity.clock == .wholeSeconds else { return milliseconds }
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return rest < 0 ? seconds - 1 : seconds
    }
}
