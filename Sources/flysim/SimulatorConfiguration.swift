// Everything a simulator has to know, wherever it came from: the command line, a configure frame or a test.

package import Simulator

/// The configuration of one simulator.
package struct SimulatorConfiguration: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The port to listen on; 0 for any.
    package var port = 0
    /// What can be changed while it runs.
    package var settings: SimulatorSettings
    /// Seed of the lines, the tokens and the faults.
    package let seed: UInt64
    /// Faults that are on from the start.
    package var faults: FaultSwitches
    /// Where changed settings are kept; nil for nowhere.
    package private(set) var journal: SettingsJournal?
    /// Unix nanoseconds of the newest change of settings; 0 for none.
    private(set) var lastChange: Int64 = 0

    /// Makes the configuration of a simulator on any port of this host.
    ///
    /// - Parameter orders: Settings that hold from the start, carried out one after the other.
    /// - Throws: `SettingsError` where one of them makes no sense.
    package init(
        appNames: [String], traffic: TrafficSettings, slug: String = "personal", orders: [SettingsOrder] = []
    ) throws(SettingsError) {
        settings = SimulatorSettings(
            organization: try Organization(slug: slug, appNames: appNames, settings: traffic, orders: orders))
        seed = traffic.seed
        faults = FaultSwitches(seed: traffic.seed)
        for order in orders {
            try settings.applyToAll(order)
        }
    }

    /// Goes on with the settings that a file holds, and keeps changes there.
    ///
    /// - Throws: `JournalError`, or `SettingsError` where the file's settings make no sense.
    mutating func keepSettings(in path: String) throws {
        let (journal, orders) = try SettingsJournal.open(path)
        for entry in orders {
            try settings.apply(entry.order, at: entry.at)
            lastChange = max(lastChange, entry.at)
        }
        self.journal = journal
    }
}

/// The settings of a simulator.
package struct SimulatorSettings: Sendable {
    /// The apps and what their lines and pages follow from.
    package var organization: Organization
    /// Which tokens are accepted; the mint's own for 24 h unless changed.
    package var tokens = TokenRules(longestLife: 24 * 3_600 * 1_000_000_000)
    /// What the log endpoints answer for an app that does not exist: 401 or 404.
    package var missingAppStatus = 401

    /// Carries out an order.
    ///
    /// - Parameter instant: Unix nanoseconds from which the lines are others.
    /// - Throws: `SettingsError`; then nothing has changed.
    mutating func apply(_ order: SettingsOrder, at instant: Int64) throws(SettingsError) {
        var changed = self
        try changed.applyToAll(order)
        try changed.organization.apply(order, at: instant)
        self = changed
    }

    fileprivate mutating func applyToAll(_ order: SettingsOrder) throws(SettingsError) {
        if let text = order.tokenLife {
            guard let life = DurationText.nanoseconds(text), life > 0 else {
                throw SettingsError(description: "token_life '\(text)': must be a duration like 250ms, 10m or 24h")
            }
            tokens.longestLife = life
        }
        if let status = order.missingApp {
            guard status == 401 || status == 404 else {
                throw SettingsError(description: "missing_app \(status): must be 401 or 404")
            }
            missingAppStatus = status
        }
    }
}
