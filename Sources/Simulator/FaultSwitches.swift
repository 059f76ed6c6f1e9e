// The faults a test can order while the simulator runs, and how many requests each still concerns.
//
// Pure; the owner serialises access. The invariant: a fault with a count is handed out exactly that many times, and of
// several that fit a request the one that was switched on first is handed out.

/// All faults that are switched on.
package struct FaultSwitches: Sendable {
    /// The longest delay that can be ordered: 10 minutes.
    package static let longestDelayMilliseconds = 600_000
    /// The most switches that can be on at a time.
    package static let mostSwitches = 1_000

    /// What to do with one request.
    package struct Effect: Sendable, Equatable {
        /// What goes wrong.
        package let fault: Fault
        /// Milliseconds to wait first.
        package let delayMilliseconds: Int
    }

    private struct Switch {
        let app: String?
        let endpoint: FaultEndpoint
        let effect: Effect
        let share: Double
        var remaining: Int?
    }

    /// Tokens issued up to this instant (Unix nanoseconds) are refused; nil while none was revoked.
    package private(set) var revokedThrough: Int64?
    /// How often faults were cleared: what waits for that can see it.
    package private(set) var clearCount = 0
    private var switches: [Switch] = []

    private let seed: UInt64
    private var requests: UInt64 = 0

    /// Makes a set without any fault.
    ///
    /// - Parameter seed: Decides which requests a share hits.
    package init(seed: UInt64 = 0) {
        self.seed = seed
    }

    /// Carries out an order.
    ///
    /// - Parameter now: Unix nanoseconds, the instant of a revocation.
    /// - Throws: `FaultOrderError` when a member is missing or out of its range.
    package mutating func apply(_ order: FaultOrder, now: Int64) throws(FaultOrderError) {
        if order.fault == "revoke_tokens" {
            revokedThrough = now
            return
        }
        if order.fault == "clear" {
            clearCount += 1
            switches.removeAll { order.app == nil || $0.app == order.app }
            return
        }
        let delay = order.delayMilliseconds ?? 0
        guard (0...Self.longestDelayMilliseconds).contains(delay) else {
            throw FaultOrderError(description: "delay_ms \(delay): must be 0 to \(Self.longestDelayMilliseconds)")
        }
        if let count = order.count, count < 1 {
            throw FaultOrderError(description: "count \(count): must be at least 1, or left out for all requests")
        }
        if let share = order.share, !(share > 0 && share <= 1) {
            throw FaultOrderError(description: "share \(share): must be above 0 and at most 1")
        }
        guard switches.count < Self.mostSwitches else {
            throw FaultOrderError(description: "more than \(Self.mostSwitches) switches are on: clear some first")
        }
        let effect = Effect(fault: try Fault(order), delayMilliseconds: delay)
        switches.append(
            Switch(
                app: order.app, endpoint: order.endpoint ?? .logs, effect: effect, share: order.share ?? 1,
                remaining: order.count))
    }

    /// The fault for a request, if one is switched on; counts it.
    ///
    /// - Parameters:
    ///   - app: The app asked about; nil for the list of apps.
    ///   - endpoint: `logs` or `apps`.
    package mutating func take(app: String?, endpoint: FaultEndpoint) -> Effect? {
        guard !switches.isEmpty else { return nil }
        requests += 1
        let fitting = switches.indices.first { index in
            let candidate = switches[index]
            return (candidate.app == nil || candidate.app == app)
                && (candidate.endpoint == .any || candidate.endpoint == endpoint)
                && unitInterval(mixed(seed ^ mixed(requests) ^ UInt64(index))) < candidate.share
        }
        guard let fitting else { return nil }
        let effect = switches[fitting].effect
        if let remaining = switches[fitting].remaining {
            switches[fitting].remaining = remaining - 1
            if remaining == 1 { switches.remove(at: fitting) }
        }
        return effect
    }
}
