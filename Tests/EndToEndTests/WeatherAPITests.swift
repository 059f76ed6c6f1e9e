// The weather between a Streamer and the API: each trouble is said once, its end too, and no line is lost or repeated.

import Foundation
import Testing
import WorkerHarness

@Suite("Weather of the API", .serialized)
struct WeatherAPITests {
    static let troubles: [Trouble] = [
        Trouble(
            name: "429", order: #"{"fault":"status","status":429}"#, outcome: "429",
            words: "too many requests (429)"),
        Trouble(
            name: "429 with Retry-After in seconds", order: #"{"fault":"status","status":429,"retry_after":1}"#,
            outcome: "429", words: "too many requests (429)"),
        Trouble(
            name: "429 with Retry-After as a date",
            order: #"{"fault":"status","status":429,"retry_after":1,"retry_after_date":true}"#, outcome: "429",
            words: "too many requests (429)"),
        Trouble(
            name: "500", order: #"{"fault":"status","status":500}"#, outcome: "500", words: "the API has trouble (500)"),
        Trouble(
            name: "502", order: #"{"fault":"status","status":502}"#, outcome: "502", words: "the API has trouble (502)"),
        Trouble(
            name: "503 with Retry-After", order: #"{"fault":"status","status":503,"retry_after":1}"#, outcome: "503",
            words: "the API has trouble (503)"),
        Trouble(
            name: "403", order: #"{"fault":"status","status":403}"#, outcome: "403",
            words: "the token may not read it (403)", tries: 1),
        Trouble(
            name: "404", order: #"{"fault":"status","status":404}"#, outcome: "404", words: "not found (404)",
            tries: 1),
        Trouble(name: "reset", order: #"{"fault":"reset"}"#, outcome: "reset", words: "broke the connection"),
        Trouble(
            name: "reset within the body", order: #"{"fault":"reset","bytes":3000}"#, outcome: "reset",
            words: "broke the connection"),
        Trouble(
            name: "closed without an answer", order: #"{"fault":"close"}"#, outcome: "closed",
            words: "broke the connection"),
        Trouble(name: "body cut short", order: #"{"fault":"cut"}"#, outcome: "cut", words: "cut its answer short"),
        Trouble(
            name: "no JSON", order: #"{"fault":"not_json"}"#, outcome: "200",
            words: "could not read the logs of app web", tries: 1),
        Trouble(
            name: "gzip bomb", order: #"{"fault":"gzip_bomb","bytes":1000000000}"#, outcome: "200",
            words: "a body over the limit of 16777216 bytes", tries: 1),
    ]

    @Test("is said once, ends by itself, and costs no line", arguments: troubles)
    func passes(trouble: Trouble) async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        let before = try stage.simulator.count(trouble.outcome)
        try stage.simulator.order(trouble.order)
        try await fleet.complaint("app web", trouble.words)
        try stage.simulator.await(trouble.outcome, times: before + trouble.tries)
        try stage.simulator.clear()
        try await fleet.complaint("reading the logs of app web works again")
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints(trouble.words) == 1)
        #expect(fleet.complaints("could not read the logs of app web") == 1)
        #expect(fleet.complaints("works again") == 1)
    }

    /// A date has no fraction, so it may ask for a second more.
    @Test(
        "Retry-After is obeyed",
        arguments: [("", ["trying again in 3 s"]), (#","retry_after_date":true"#, ["again in 3 s", "again in 4 s"])])
    func waits(form: String, announcements: [String]) async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.order(#"{"fault":"status","status":429,"retry_after":3,"count":1\#(form)}"#)
        let start = ContinuousClock.now
        try await fleet.complaint("works again")
        #expect(ContinuousClock.now - start > .seconds(2.5))
        #expect(announcements.map { fleet.complaints($0) }.reduce(0, +) == 1)
        try await fleet.expectEverything(from: stage.simulator)
    }

    @Test("a slow body is waited for, without a word")
    func isPatient() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.order(#"{"fault":"slow_body","bytes_per_second":20000,"count":2}"#)
        try stage.simulator.order(#"{"fault":"slow","delay_ms":1,"count":1}"#)
        let seen = fleet.sequences("web").max() ?? 0
        try await fleet.line("web", atLeast: seen + 100)
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints("could not") == 0)
    }

    @Test("a redirection to another host is not followed: not a request arrives there, and so no token")
    func keepsItsToken() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let other = try await SimulatorProcess.start(apps: "web", seed: 8, ["--no-auth"])
        defer { other.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.order(#"{"fault":"redirect","location":"http://localhost:\#(other.port)"}"#)
        try await fleet.complaint("redirect (302) to localhost:\(other.port)", "not followed with the token")
        try stage.simulator.clear()
        try await fleet.complaint("works again")
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints("redirect") == 1)
        let statistics = try LoopbackHTTP.request(port: other.port, "GET", "/_sim/stats")
        #expect(statistics.contains(#""requests":{}"#) && !statistics.contains("200\":"))
    }

    @Test("chance: a third of the answers fails in one way or another, and nothing is lost")
    func isUnlucky() async throws {
        let stage = try await Stage.set(apps: "web,api", rate: 200)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web,api"])
        defer { fleet.dispose() }
        for app in ["web", "api"] { try await fleet.line(app, atLeast: 1) }
        for fault in [#""status","status":503"#, #""cut""#, #""reset","bytes":20000"#, #""close""#] {
            try stage.simulator.order(#"{"fault":\#(fault),"share":0.08}"#)
        }
        try stage.simulator.await("503", times: 2)
        try stage.simulator.await("cut", times: 1)
        try stage.simulator.clear()
        try stage.simulator.change(#"{"rate":0}"#)
        for app in ["web", "api"] {
            try await fleet.line(app, atLeast: try #require(stage.simulator.emission(app).last))
        }
        try await fleet.stop()
        for app in ["web", "api"] { expectComplete(fleet.sequences(app), repeatsAllowed: false, app) }
    }
}
