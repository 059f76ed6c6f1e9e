// The faults a test can order while the simulator runs, and how many requests each still concerns.
//
// Pure; the owner serialises access. The invariant: a fault with a count is handed out exactly that many times, and of
// several that fit a request the one that was switched on first is handed out.

/// What goes wrong with one request.
package enum Fault: Sendable, Equatable {
    /// Another status; `retryAfter`, where given, is the text of that header.
    case status(Int, retryAfter: String?)
    /// 200 with a body that is not JSON.
    case notJSON
    /// A page of 64 MiB: one record with a huge message.
    case hugePage
    /// The connection is closed without an answer.
    case closed
    /// Nothing but the delay.
    case slow
}

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
        var remaining: Int?
    }

    /// Tokens issued up to this instant (Unix nanoseconds) are refused; nil while none was revoked.
    package private(set) var revokedThrough: Int64?
    private var switches: [Switch] = []

    /// Makes a set without any fault.
    package init() {}

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
        guard switches.count < Self.mostSwitches else {
            throw FaultOrderError(description: "more than \(Self.mostSwitches) switches are on: clear some first")
        }
        let effect = Effect(fault: try fault(of: order), delayMilliseconds: delay)
        switches.append(
            Switch(app: order.app, endpoint: order.endpoint ?? .logs, effect: effect, remaining: order.count))
    }

    /// The fault for a request, if one is switched on; counts it.
    ///
    /// - Parameters:
    ///   - app: The app asked about; nil for the list of apps.
    ///   - endpoint: `logs` or `apps`.
    package mutating func take(app: String?, endpoint: FaultEndpoint) -> Effect? {
        let fitting = switches.firstIndex { candidate in
            (candidate.app == nil || candidate.app == app)
                && (candidate.endpoint == .any || candidate.endpoint == endpoint)
        }
        guard let fitting else { return nil }
        let effect = switches[fitting].effect
        if let remaining = switches[fitting].remaining {
            switches[fitting].remaining = remaining - 1
            if remaining == 1 { switches.remove(at: fitting) }
        }
        return effect
    }

    private func fault(of order: FaultOrder) throws(FaultOrderError) -> Fault {
        switch order.fault {
        case "status":
            guard let status = order.status, (200...599).contains(status) else {
                throw FaultOrderError(description: "fault status: needs a status of 200 to 599")
            }
            return .status(status, retryAfter: order.retryAfter)
        case "not_json": return .notJSON
        case "huge_page": return .hugePage
        case "close": return .closed
        case "slow":
            guard (order.delayMilliseconds ?? 0) > 0 else {
                throw FaultOrderError(description: "fault slow: needs a delay_ms")
            }
            return .slow
        default:
            throw FaultOrderError(
                description: "fault \"\(order.fault)\": must be status, not_json, huge_page, close, slow, "
                    + "revoke_tokens or clear")
        }
    }
}
