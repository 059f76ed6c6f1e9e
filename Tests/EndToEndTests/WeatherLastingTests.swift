// Weather that takes its time: a token that is refused, a server that does not answer.

import Foundation
import Testing
import WorkerHarness

@Suite("Weather that lasts", .serialized)
struct LastingWeatherTests {
    @Test("401 for a while is said once, and the app recovers by itself")
    func refused() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.order(#"{"fault":"status","status":401}"#)
        try await fleet.complaint("app web")
        try stage.simulator.clear()
        try await fleet.complaint("works again", seconds: 60)
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints("app web:") == 1)
        #expect(fleet.complaints("works again") == 1)
    }

    @Test("a server that does not answer is given up in time, and asked again")
    func silent() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.order(#"{"fault":"silence"}"#)
        try await fleet.complaint("app web", "did not answer in time", seconds: 60)
        try stage.simulator.clear()
        try await fleet.complaint("works again", seconds: 60)
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints("could not read") == 1)
    }
}
