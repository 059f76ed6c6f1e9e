// Everything a simulator has to know, wherever it came from: the command line, a configure frame or a test.

package import Simulator

/// The configuration of one simulator.
package struct SimulatorConfiguration: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The port to listen on; 0 for any.
    package var port = 0
    /// Short name of the organization.
    package var organization = "personal"
    /// Names of the apps.
    package var appNames: [String]
    /// What the lines follow from; its seed is the tokens' too.
    package var traffic: TrafficSettings
    /// How pages are cut.
    package var pages = PageRules()
    /// Which tokens are accepted; the mint's own for 24 h unless changed.
    package var tokens = TokenRules(longestLife: 24 * 3_600 * 1_000_000_000)

    /// Makes the configuration of a simulator with default rules on any port of this host.
    package init(appNames: [String], traffic: TrafficSettings) {
        self.appNames = appNames
        self.traffic = traffic
    }
}
