// What weather tests have in common: trouble that is switched on and off at the simulator, and the account at the end.

import Foundation
import Testing
import WorkerHarness

extension SimulatorProcess {
    struct Emission: Decodable {
        var emitted: Int
        var late: Int
        var last: Int?
        var complete: Bool
    }

    /// Orders a fault, as the JSON of `POST /_sim/switch`.
    func order(_ json: String) throws { try post("/_sim/switch", json) }

    /// Changes settings, as the JSON of `POST /_sim/settings`.
    func change(_ json: String) throws { try post("/_sim/settings", json) }

    /// Switches all faults off.
    func clear() throws { try order(#"{"fault":"clear"}"#) }

    /// How far an app's log has come.
    func emission(_ app: String) throws -> Emission {
        let body = try body(of: LoopbackHTTP.request(port: port, "GET", "/_sim/emitted"))
        return try #require(JSONDecoder().decode([String: Emission].self, from: Data(body.utf8))[app])
    }

    /// How many requests for an app had an outcome: a status, or what the simulator calls a spoilt answer.
    func count(_ outcome: String, app: String = "web") throws -> Int {
        struct Statistics: Decodable {
            struct App: Decodable { var requests: [String: Int] }
            var apps: [String: App]
        }
        let body = try body(of: LoopbackHTTP.request(port: port, "GET", "/_sim/stats"))
        return try JSONDecoder().decode(Statistics.self, from: Data(body.utf8)).apps[app]?.requests[outcome] ?? 0
    }

    /// Waits until so many requests had an outcome; each look is a request, which sets the pace.
    func await(_ outcome: String, times: Int, seconds: Double = 30) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try count(outcome) < times {
            try #require(ContinuousClock.now < deadline, "fewer than \(times) requests ended with \(outcome)")
        }
    }

    private func post(_ path: String, _ json: String) throws {
        let answer = try LoopbackHTTP.request(port: port, "POST", path, body: json)
        try #require(answer.contains(" 200 "), "\(path) was refused: \(answer)")
    }

    private func body(of answer: String) throws -> Substring {
        let blank = try #require(answer.range(of: "\r\n\r\n"))
        return answer[blank.upperBound...]
    }
}

extension FleetProcess {
    /// Stops the lines at their source, waits for the last one, stops the fleet and counts: each once, in order.
    func expectEverything(from simulator: SimulatorProcess, app: String = "web") async throws {
        try simulator.change(#"{"rate":0}"#)
        let last = try #require(simulator.emission(app).last)
        try await line(app, atLeast: last)
        try await stop()
        expectComplete(sequences(app), repeatsAllowed: false, app)
        #expect(sequences(app).last == last)
    }
}

/// Trouble that one order makes.
struct Trouble: CustomTestStringConvertible, Sendable {
    let name: String
    /// The order's JSON.
    let order: String
    /// What the simulator counts.
    let outcome: String
    /// What the line on stderr says.
    let words: String
    /// How many requests meet it before it ends.
    var tries = 2

    var testDescription: String { name }
}
