// The endpoints over HTTP: statuses, shapes, faults and counters, against a router with a fixed clock.

import FoundationEssentials
import HTTPTypes
import Simulator
import Testing
import flysim

@Suite struct RoutesTests {
    private let now = epoch + 600 * second
    private let app = SimulatedApp(name: "web", settings: traffic())

    private func test(
        orders: [SettingsOrder] = [], _ body: (Client) async throws -> Void
    ) async throws {
        let configuration = try SimulatorConfiguration(appNames: ["web", "api"], traffic: traffic(), orders: orders)
        let now = now
        let router = SimulatorRoutes(configuration, clock: { now }).router()
        let token = "FlyV1 " + TokenMint(seed: 1).bundle(issuedAt: now - second, life: 3_600 * second, nonce: 1)
        try await RouterClient.serving(router) { try await body(Client(base: $0, token: token)) }
    }

    private struct Client: Sendable {
        let base: RouterClient
        let token: String

        func get(_ uri: String, token: String? = nil) async throws -> RouterClient.Reply {
            try await base.request(.get, uri, headers: [.authorization: token ?? self.token])
        }

        @discardableResult
        func order(_ json: String) async throws -> HTTPResponse.Status {
            try await base.request(.post, "/_sim/switch", body: Array(json.utf8)).status
        }
    }

    @Test("both dialects serve the pages that the clock allows")
    func servesPages() async throws {
        try await test { client in
            let written = app.count(through: now)
            let newest = Array(written - 99...written)
            let platform = try await client.get("/api/v1/apps/web/logs?next_token=&region=&instance=")
            #expect(platform.status == .ok)
            #expect(platform.headers[.contentType] == "application/json")
            #expect(platform.body == app.platformPage(newest))
            let machines = try await client.get("/v1/apps/web/logs?region=&instance=&start_time=")
            #expect(machines.headers[.contentType] == "application/x-ndjson")
            #expect(machines.body == app.machinesPage(newest))
            let cursor = app.timeline.timestamp(of: 50)
            let page = try await client.get("/api/v1/apps/web/logs?next_token=\(cursor)")
            #expect(page.body == app.platformPage(Array(50...149)))
        }
    }

    @Test("page size and boundary are settings; a start time is always inclusive")
    func obeysSettings() async throws {
        var order = SettingsOrder()
        order.pageSize = 3
        order.cursor = "exclusive"
        try await test(orders: [order]) { client in
            let cursor = app.timeline.timestamp(of: 50)
            let platform = try await client.get("/api/v1/apps/web/logs?next_token=\(cursor)")
            #expect(platform.body == app.platformPage([51, 52, 53]))
            let machines = try await client.get("/v1/apps/web/logs?start_time=\(cursor)")
            #expect(machines.body == app.machinesPage([50, 51, 52]))
        }
    }

    @Test("filters reach the page")
    func filters() async throws {
        try await test { client in
            let machine = try #require(app.machines.first)
            for query in ["region=\(machine.region)", "instance=\(machine.id)", "region=xxx&instance=\(machine.id)"] {
                let page = try await client.get("/v1/apps/web/logs?start_time=0&\(query)")
                let rows = page.text.split(separator: "\n")
                #expect(rows.count == 100)
                #expect(rows.allSatisfy { $0.contains(machine.id) })
            }
        }
    }

    @Test("a cursor that is no time is refused", arguments: ["abc", "-1", "1.5", "99999999999999999999"])
    func refusesCursors(cursor: String) async throws {
        try await test { client in
            try await #expect(client.get("/api/v1/apps/web/logs?next_token=\(cursor)").status == .badRequest)
            try await #expect(client.get("/v1/apps/web/logs?start_time=\(cursor)").status == .badRequest)
        }
    }

    @Test("a missing app is 401 on the log endpoints and 404 on its own", arguments: ["nope", "WEB", "%2e%2e"])
    func missesApps(name: String) async throws {
        try await test { client in
            try await #expect(client.get("/api/v1/apps/\(name)/logs").status == .unauthorized)
            try await #expect(client.get("/v1/apps/\(name)/logs").status == .unauthorized)
            try await #expect(client.get("/v1/apps/\(name)").status == .notFound)
            try await #expect(client.get("/v1/apps/\(name)/machines").status == .notFound)
        }
    }

    @Test(
        "without a good token every endpoint is 401",
        arguments: [
            "/api/v1/apps/web/logs", "/v1/apps/web/logs", "/v1/apps?org_slug=personal", "/v1/apps/web",
            "/v1/apps/web/machines",
        ])
    func demandsTokens(uri: String) async throws {
        try await test { client in
            try await #expect(client.get(uri).status == .ok)
            let macaroon = client.token.replacing("FlyV1", with: "Bearer")
            for header in ["", "Bearer nope", macaroon, "FlyV1 fm2_a,fm2_b"] {
                try await #expect(client.get(uri, token: header).status == .unauthorized)
            }
            try await #expect(client.base.request(.get, uri).status == .unauthorized)
        }
    }

    @Test("the list of apps needs the organization's name")
    func listsApps() async throws {
        try await test { client in
            let list = try await client.get("/v1/apps?org_slug=personal")
            #expect(list.text.contains(#""total_apps":2"#))
            try await #expect(client.get("/v1/apps?org_slug=acme").status == .notFound)
            try await #expect(client.get("/v1/apps").status == .badRequest)
        }
    }

    @Test("a status fault hits its app for its count and then the page comes back")
    func playsStatus() async throws {
        try await test { client in
            let order = #"{"app":"web","fault":"status","status":429,"count":2,"retry_after":7}"#
            try await #expect(client.order(order) == .ok)
            for _ in 0..<2 {
                let refused = try await client.get("/api/v1/apps/web/logs")
                #expect(refused.status == .tooManyRequests)
                #expect(refused.headers[.retryAfter] == "7")
            }
            try await #expect(client.get("/api/v1/apps/web/logs").status == .ok)
            try await #expect(client.get("/api/v1/apps/api/logs").status == .ok)
        }
    }

    @Test("a page that is not JSON comes with status 200")
    func playsGarbage() async throws {
        try await test { client in
            try await client.order(#"{"fault":"not_json","count":1}"#)
            let page = try await client.get("/api/v1/apps/web/logs")
            #expect(page.status == .ok)
            #expect(page.text.hasPrefix("<!DOCTYPE html>"))
        }
    }

    @Test("a huge page is 64 MiB of well-formed JSON with its length announced")
    func playsHugePage() async throws {
        try await test { client in
            try await client.order(#"{"fault":"huge_page","count":1}"#)
            let page = try await client.get("/api/v1/apps/web/logs")
            #expect(page.body.count > 64 << 20)
            #expect(page.headers[.contentLength] == "\(page.body.count)")
            #expect(String(decoding: page.body.suffix(3), as: UTF8.self) == #""}}"#)
        }
    }

    @Test("a cut connection gives no answer, and the next request is served")
    func cutsConnections() async throws {
        try await test { client in
            try await client.order(#"{"fault":"close","count":1}"#)
            await #expect(throws: RouterClient.Failure.closedWithoutAnswer) {
                try await client.get("/api/v1/apps/web/logs")
            }
            try await #expect(client.get("/api/v1/apps/web/logs").status == .ok)
            let counted = try await stats(client).apps["web"]?.requests
            #expect(counted?["closed"] == 1 && counted?["200"] == 1)
        }
    }

    @Test("a slow answer is late but whole")
    func playsSlow() async throws {
        try await test { client in
            try await client.order(#"{"fault":"slow","delay_ms":50,"count":1}"#)
            let start = ContinuousClock.now
            try await #expect(client.get("/api/v1/apps/web/logs").status == .ok)
            #expect(ContinuousClock.now - start >= .milliseconds(50))
        }
    }

    @Test("revoked tokens are refused")
    func revokes() async throws {
        try await test { client in
            try await client.order(#"{"fault":"revoke_tokens"}"#)
            try await #expect(client.get("/api/v1/apps/web/logs").status == .unauthorized)
        }
    }

    @Test("a fresh token from the simulator is good")
    func mints() async throws {
        struct Tokens: Decodable {
            let bundle: String
            let oauth: String
        }
        try await test { client in
            let response = try await client.base.request(.post, "/_sim/token?life=10s")
            let tokens = try JSONDecoder().decode(Tokens.self, from: Data(response.body))
            try await #expect(client.get("/v1/apps/web", token: "FlyV1 \(tokens.bundle)").status == .ok)
            try await #expect(client.get("/v1/apps/web", token: "Bearer \(tokens.oauth)").status == .ok)
            try await #expect(client.base.request(.post, "/_sim/token?life=x").status == .badRequest)
        }
    }

    @Test(
        "an order that makes no sense is refused",
        arguments: ["", "[]", "{}", #"{"fault":"magic"}"#, #"{"fault":"status"}"#, #"{"fault":"close","count":-1}"#])
    func refusesOrders(json: String) async throws {
        try await test { client in
            try await #expect(client.order(json) == .badRequest)
            try await #expect(client.order(#"{"app":"nope","fault":"close"}"#) == .notFound)
        }
    }

    @Test("the counters tell answers by status and the newest line served")
    func counts() async throws {
        try await test { client in
            _ = try await client.get("/api/v1/apps/web/logs?next_token=0")
            _ = try await client.get("/api/v1/apps/web/logs", token: "Bearer x")
            _ = try await client.get("/api/v1/apps/nope/logs")
            let report = try await stats(client)
            let web = try #require(report.apps["web"])
            #expect(web.requests == ["200": 1, "401": 1])
            #expect(web.lastSequence == 100)
            #expect(web.lines == app.count(through: now))
            #expect(report.apps[""]?.requests == ["401": 1])
            #expect(report.apps["api"]?.lastSequence == 0)
        }
    }

    private func stats(_ client: Client) async throws -> RequestStatistics {
        let response = try await client.base.request(.get, "/_sim/stats")
        return try JSONDecoder().decode(RequestStatistics.self, from: Data(response.body))
    }
}
