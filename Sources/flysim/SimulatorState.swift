// What changes while a simulator runs: settings, switched-on faults and counters. All else is a function of the clock.
//
// The invariant: the clock is read where settings are changed or looked at, so that no line is shown that a change at the
// same moment takes back.

import Simulator

/// The settings, faults and counters of one simulator.
package actor SimulatorState {
    private var settings: SimulatorSettings
    private var switches: FaultSwitches
    private var statistics = RequestStatistics()
    private let clock: @Sendable () -> Int64
    private let journal: SettingsJournal?
    private var lastChange: Int64

    /// Makes the state that a configuration describes, counters at zero.
    init(_ configuration: SimulatorConfiguration, clock: @escaping @Sendable () -> Int64) {
        settings = configuration.settings
        switches = configuration.faults
        journal = configuration.journal
        lastChange = configuration.lastChange
        self.clock = clock
    }

    /// Everything an answer follows from, at one instant.
    struct View: Sendable {
        let now: Int64
        let settings: SimulatorSettings
        let revokedThrough: Int64?

        var organization: Organization { settings.organization }
    }

    /// What there is now.
    var view: View { View(now: clock(), settings: settings, revokedThrough: switches.revokedThrough) }

    /// What a request meets before it is looked at.
    struct Reception: Sendable {
        let effect: FaultSwitches.Effect?
        /// How often faults had been cleared by then.
        let clearCount: Int
    }

    /// Receives a request: counts it against the switches that concern it.
    func receive(app: String?, endpoint: FaultEndpoint) -> Reception {
        Reception(effect: switches.take(app: app, endpoint: endpoint), clearCount: switches.clearCount)
    }

    /// How often faults were cleared.
    var clearCount: Int { switches.clearCount }

    /// Switches faults.
    func apply(_ order: FaultOrder) throws(FaultOrderError) {
        try switches.apply(order, now: clock())
    }

    /// Changes settings.
    ///
    /// - Returns: Unix nanoseconds of the first instant whose lines follow the new settings.
    /// - Throws: `SettingsError`; then nothing has changed.
    func apply(_ order: SettingsOrder) throws(SettingsError) -> Int64 {
        let instant = max(clock(), lastChange) + 1
        try settings.apply(order, at: instant)
        lastChange = instant
        do {
            try journal?.append(order, at: instant)
        } catch {
            throw SettingsError(description: "changed, but not kept for a restart: \(error)")
        }
        return instant
    }

    /// Counts an answer.
    func record(app: String, outcome: String, lastSequence: Int? = nil) {
        statistics.record(app: app, outcome: outcome, lastSequence: lastSequence)
    }

    /// The counters as they are now, with the number of lines each app has written.
    func statisticsNow() -> RequestStatistics {
        var report = statistics
        let now = clock()
        for app in settings.organization.apps {
            report.apps[app.name, default: .init()].lines = app.count(through: now)
        }
        return report
    }
}
