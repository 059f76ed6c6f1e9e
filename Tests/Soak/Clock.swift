// The two clocks: one for waiting, one to compare with the timestamps of lines.

import Foundation

/// Reading the clocks.
enum Clock {
    /// Seconds of the clock that never jumps.
    static var seconds: Double { read(CLOCK_MONOTONIC) }

    /// Seconds since 1970.
    static var wall: Double { read(CLOCK_REALTIME) }

    /// Stands still; the soak's own threads have nothing else to do.
    static func sleep(_ seconds: Double) { usleep(UInt32(max(0, seconds) * 1_000_000)) }

    /// Looks every few milliseconds whether something holds.
    ///
    /// - Returns: Whether it did before the time was over.
    static func await(seconds limit: Double, _ holds: () throws -> Bool) rethrows -> Bool {
        let deadline = seconds + limit
        while try !holds() {
            guard seconds < deadline else { return false }
            sleep(0.005)
        }
        return true
    }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
