// Faults that spoil an answer on its way, and settings that change while a simulator runs, over HTTP.

import FoundationEssentials
import HTTPTypes
import Simulator
import Testing
import flysim

@Suite struct FaultRoutesTests {
    private let now = epoch + 600 * second
    private static let page = "/api/v1/apps/web/logs"

    private struct Client: Sendable {
        let base: RouterClient
        let token: String

        func get(_ uri: String = page, headers: HTTPFields = [:]) async throws -> RouterClient.Reply {
            var headers = headers
            headers[.authorization] = token
            return try await base.request(.get, uri, headers: headers)
        }

        func post(_ path: String, _ json: String) async throws -> RouterClient.Reply {
            try await base.request(.post, path, body: Array(json.utf8))
        }

        func switchOn(_ json: String) async throws {
            try await #expect(post("/_sim/switch", json).status == .ok)
        }

        func change(_ json: String) async throws {
            let reply = try await post("/_sim/settings", json)
            #expect(reply.status == .ok, "\(reply.text)")
        }
    }

    private func test(_ body: (Client) async throws -> Void) async throws {
        let configuration = try SimulatorConfiguration(appNames: ["web", "api"], traffic: traffic())
        let now = now
        let router = SimulatorRoutes(configuration, clock: { now }).router()
        let token = "FlyV1 " + TokenMint(seed: 1).bundle(issuedAt: now - second, life: 3_600 * second, nonce: 1)
        try await RouterClient.serving(router) { try await body(Client(base: $0, token: token)) }
    }

    @Test("a cut body announces more than comes", arguments: ["", #","bytes":7"#])
    func cuts(bytes: String) async throws {
        try await test { client in
            try await client.switchOn(#"{"fault":"cut","count":1\#(bytes)}"#)
            await #expect(throws: RouterClient.Failure.incomplete) { try await client.get() }
            try await #expect(client.get().status == .ok)
        }
    }

    @Test("a reset is one, before the answer and in the middle of it")
    func resets() async throws {
        try await test { client in
            try await client.switchOn(#"{"fault":"reset","count":1}"#)
            await #expect(throws: RouterClient.Failure.closedWithoutAnswer) { try await client.get() }
            try await client.switchOn(#"{"fault":"reset","bytes":100,"count":1}"#)
            await #expect(throws: RouterClient.Failure.self) { try await client.get() }
            try await #expect(client.get().status == .ok)
            let stats = try await client.get("/_sim/stats").text
            #expect(stats.contains(#""reset":2"#))
        }
    }

    @Test("a slow body is whole")
    func isSlow() async throws {
        try await test { client in
            let page = try await client.get().body
            try await client.switchOn(#"{"fault":"slow_body","bytes_per_second":\#(page.count * 4),"count":1}"#)
            let start = ContinuousClock.now
            try await #expect(client.get().body == page)
            #expect(ContinuousClock.now - start > .milliseconds(150))
        }
    }

    @Test("silence lasts until faults are cleared")
    func isSilent() async throws {
        try await test { client in
            try await client.switchOn(#"{"fault":"silence"}"#)
            async let answer = client.get()
            try await client.switchOn(#"{"app":"api","fault":"slow","delay_ms":1}"#)
            // The request may come before or after this: it is answered all the same.
            try await client.switchOn(#"{"fault":"clear"}"#)
            try await #expect(answer.status == .ok)
        }
    }

    @Test("a redirection keeps the request's path, unless the location has one")
    func redirects() async throws {
        try await test { client in
            try await client.switchOn(#"{"fault":"redirect","location":"http://other.test:81","count":1}"#)
            let moved = try await client.get(Self.page + "?next_token=5")
            #expect(moved.status == .found)
            #expect(moved.headers[.location] == "http://other.test:81/api/v1/apps/web/logs?next_token=5")
            try await client.switchOn(
                #"{"fault":"redirect","status":307,"location":"http://other.test/x","count":1}"#)
            let elsewhere = try await client.get()
            #expect(elsewhere.status.code == 307 && elsewhere.headers[.location] == "http://other.test/x")
        }
    }

    @Test("Retry-After may be an HTTP date")
    func datesItsRetry() async throws {
        try await test { client in
            try await client.switchOn(
                #"{"fault":"status","status":503,"retry_after":5,"retry_after_date":true,"count":1}"#)
            try await #expect(client.get().headers[.retryAfter] == WireTime.httpDate(now + 5 * second))
        }
    }

    @Test("pages are compressed for those who accept it, and a bomb is compressed for everybody")
    func compresses() async throws {
        try await test { client in
            let page = try await client.get().body
            try await client.change(#"{"gzip":true}"#)
            try await #expect(client.get().body == page)
            let packed = try await client.get(headers: [.acceptEncoding: "deflate, gzip"])
            #expect(packed.headers[.contentEncoding] == "gzip" && packed.body == Gzip.compressed(page))
            try await client.switchOn(#"{"fault":"gzip_bomb","bytes":100000000,"count":1}"#)
            let bomb = try await client.get()
            #expect(bomb.headers[.contentEncoding] == "gzip" && bomb.body.count < 1_000_000)
        }
    }

    @Test("settings change pages at once and lines from then on")
    func changes() async throws {
        try await test { client in
            let cursor = SimulatedApp(name: "web", settings: traffic()).timeline.timestamp(of: 50)
            let uri = Self.page + "?next_token=\(cursor)"
            try await client.change(
                #"{"app":"web","page_size":2,"cursor":"exclusive","token_form":"number","empty_token":"same"}"#)
            let page = try await client.get(uri)
            for (number, isThere) in [(50, false), (51, true), (52, true), (53, false)] {
                #expect(page.text.contains(" seq=\(number)\"") == isThere)
            }
            #expect(!page.text.hasSuffix("\"}}"))
            try await #expect(client.get(Self.page + "?next_token=\(now)").text.hasSuffix(#""next_token":\#(now)}}"#))
            try await #expect(client.get("/api/v1/apps/nope/logs").status == .unauthorized)
            try await client.change(#"{"missing_app":404}"#)
            try await #expect(client.get("/api/v1/apps/nope/logs").status == .notFound)
            try await client.change(#"{"token_life":"500ms"}"#)
            try await #expect(client.get().status == .unauthorized)
        }
    }

    @Test("the emission of each app is told, and the facts of its lines")
    func tells() async throws {
        try await test { client in
            let app = SimulatedApp(name: "web", settings: traffic())
            let emitted = try await client.get("/_sim/emitted")
            let reports = try JSONDecoder().decode([String: EmissionReport].self, from: Data(emitted.body))
            #expect(Set(reports.keys) == ["web", "api"])
            #expect(reports["web"] == app.emission(at: now) && reports["web"]?.emitted == app.count(through: now))
            try await client.change(#"{"app":"web","rate":0}"#)
            let stopped = try await client.get("/_sim/emitted").text
            #expect(stopped.contains(#""last":\#(app.count(through: now))"#))
            let facts = try await client.get("/_sim/lines?app=web&from=7&count=2").text
            let rows = facts.split(separator: "\n")
            #expect(rows.count == 2 && rows[0].hasPrefix(#"{"n":7,"#))
            let line = app.line(7)
            #expect(rows[0].contains(WireTime.text(line.timestamp)))
            let newest = app.count(through: now)
            try await #expect(client.get("/_sim/lines?app=web&from=\(newest)").text.split(separator: "\n").count == 1)
            try await #expect(client.get("/_sim/lines?app=web&from=\(newest + 1)").body.isEmpty)
            try await #expect(client.get("/_sim/lines?app=web&from=0").status == .badRequest)
            try await #expect(client.get("/_sim/lines?app=nope").status == .notFound)
        }
    }

    @Test(
        "settings that make no sense are refused",
        arguments: ["", "[]", #"{"rat":1}"#, #"{"rate":"x"}"#, #"{"rate":-1}"#, #"{"missing_app":500}"#])
    func refuses(json: String) async throws {
        try await test { client in
            try await #expect(client.post("/_sim/settings", json).status == .badRequest)
            try await #expect(client.post("/_sim/settings", #"{"app":"nope","rate":1}"#).status == .notFound)
            try await #expect(client.post("/_sim/switch", #"{"fault":"close","cuont":1}"#).status == .badRequest)
        }
    }
}
