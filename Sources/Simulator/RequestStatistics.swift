// What was asked and answered, for tests: per app the number of answers by status, and the newest line served.

/// Counters of a simulator, in the shape of `GET /_sim/stats`.
package struct RequestStatistics: Codable, Sendable, Equatable {
    /// The counters of one app.
    package struct App: Codable, Sendable, Equatable {
        /// Answers by status; `closed` counts connections closed without an answer.
        package var requests: [String: Int] = [:]
        /// The highest line number that was served; 0 for none.
        package var lastSequence = 0
        /// How many lines exist now.
        package var lines = 0

        /// Makes counters at zero.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case requests, lines
            case lastSequence = "last_sequence"
        }
    }

    /// Counters by app; requests for apps that do not exist are counted together under the empty name.
    package var apps: [String: App] = [:]

    /// Makes counters at zero.
    package init() {}

    /// Counts one answer.
    ///
    /// - Parameters:
    ///   - app: The app asked about; empty where there is no such app.
    ///   - outcome: The status in decimal, or `closed`.
    ///   - lastSequence: The number of the newest line in the answer; nil for none.
    package mutating func record(app: String, outcome: String, lastSequence: Int? = nil) {
        apps[app, default: App()].requests[outcome, default: 0] += 1
        guard let lastSequence else { return }
        let newest = apps[app, default: App()].lastSequence
        apps[app, default: App()].lastSequence = max(newest, lastSequence)
    }
}
