// How long to wait after a failed fetch: doubling, with jitter, at least what the server asked for.
//
// Not the restart backoff of the supervisor. Pure: the random numbers come from the caller.

/// The pauses between failed fetches of one app.
package struct FetchBackoff: Equatable, Sendable {
    /// The first pause, before jitter.
    package let first: Duration
    /// The longest pause, before jitter.
    package let longest: Duration
    /// Failures since the last success.
    package private(set) var failures = 0

    /// Pauses from `first`, doubling up to `longest`; by default from half a second to half a minute.
    package init(first: Duration = .milliseconds(500), longest: Duration = .seconds(30)) {
        precondition(first > .zero && longest >= first, "a backoff needs 0 < first <= longest")
        self.first = first
        self.longest = longest
    }

    /// Counts a failure and says how long to wait: between half of the pause and all of it, so that many apps that
    /// failed together do not come back together; never less than `retryAfter`.
    package mutating func failed(
        retryAfter: Duration? = nil, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        var pause = first
        var doublings = failures
        while doublings > 0, pause < longest {
            pause = pause * 2
            doublings -= 1
        }
        pause = min(pause, longest)
        failures += 1
        let jittered = pause / 2 + pause / 2 * Int.random(in: 0...1000, using: &generator) / 1000
        guard let retryAfter else { return jittered }
        // Spread above the server's wish too: everyone who was told "60" would come back in the same second.
        return max(jittered, retryAfter + jittered / 10)
    }

    /// Forgets the failures: a fetch succeeded.
    package mutating func succeeded() {
        failures = 0
    }
}
