// What changes while a simulator runs: switched-on faults and counters. All else is a function of the clock.

import Simulator

/// The faults and counters of one simulator.
package actor SimulatorState {
    private var switches = FaultSwitches()
    private var statistics = RequestStatistics()

    /// Makes a state without faults, counters at zero.
    package init() {}

    /// What a request meets before it is looked at.
    struct Reception: Sendable {
        let effect: FaultSwitches.Effect?
        let revokedThrough: Int64?
    }

    /// Receives a request: counts it against the switches that concern it.
    func receive(app: String?, endpoint: FaultEndpoint) -> Reception {
        let effect = switches.take(app: app, endpoint: endpoint)
        return Reception(effect: effect, revokedThrough: switches.revokedThrough)
    }

    /// The instant up to which tokens are revoked now.
    var revokedThrough: Int64? { switches.revokedThrough }

    /// Carries out an order at an instant in Unix nanoseconds.
    func apply(_ order: FaultOrder, now: Int64) throws(FaultOrderError) {
        try switches.apply(order, now: now)
    }

    /// Counts an answer.
    func record(app: String, outcome: String, lastSequence: Int? = nil) {
        statistics.record(app: app, outcome: outcome, lastSequence: lastSequence)
    }

    /// The counters as they are now, with the number of lines each app has written.
    func statistics(of organization: Organization, now: Int64) -> RequestStatistics {
        var report = statistics
        for app in organization.apps {
            report.apps[app.name, default: .init()].lines = app.count(through: now)
        }
        return report
    }
}
