// The interface for tests, beside the API: faults, settings, counters, facts, fresh tokens. It asks for no token itself.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Simulator

extension SimulatorRoutes {
    private static let largestOrder = 64 * 1024
    private static let mostLines = 100_000
    private static let defaultLife: Int64 = 24 * 3_600 * 1_000_000_000

    /// Adds the endpoints under `/_sim`.
    func addAdministration(to router: Router<SimulatorContext>) {
        router.post("/_sim/switch") { request, _ in await applyOrder(in: request).response }
        router.post("/_sim/settings") { request, _ in await changeSettings(in: request).response }
        router.get("/_sim/stats") { _, _ in try await statistics().response }
        router.get("/_sim/emitted") { _, _ in try await emitted().response }
        router.get("/_sim/lines") { request, _ in await lines(request).response }
        router.post("/_sim/token") { request, _ in await freshToken(request).response }
    }

    private func applyOrder(in request: Request) async -> Answer {
        do {
            let order = try await decoded(FaultOrder.self, from: request)
            if let refusal = await refusal(ofApp: order.app) { return refusal }
            try await state.apply(order)
            return .json(Array("{}".utf8))
        } catch let error as FaultOrderError {
            return .problem(.badRequest, error.description.replacing("\"", with: "'"))
        } catch {
            return .problem(.badRequest, "not an order: needs JSON with the member fault")
        }
    }

    private func changeSettings(in request: Request) async -> Answer {
        do {
            let order = try await decoded(SettingsOrder.self, from: request)
            if let refusal = await refusal(ofApp: order.app) { return refusal }
            let instant = try await state.apply(order)
            return .json(Array(#"{"from_ns":\#(instant)}"#.utf8))
        } catch let error as SettingsError {
            return .problem(.badRequest, error.description.replacing("\"", with: "'"))
        } catch {
            let members = SettingsOrder.memberNames.joined(separator: ", ")
            return .problem(.badRequest, "not settings: needs JSON with some of \(members), and nothing else")
        }
    }

    private func decoded<Order: Decodable>(_ type: Order.Type, from request: Request) async throws -> Order {
        let body = try await request.body.collect(upTo: Self.largestOrder)
        return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    private func refusal(ofApp name: String?) async -> Answer? {
        guard let name, await state.view.organization.app(named: name) == nil else { return nil }
        return .problem(.notFound, "app not found")
    }

    private func statistics() async throws -> Answer {
        try encoded(await state.statisticsNow())
    }

    private func emitted() async throws -> Answer {
        let view = await state.view
        let reports = view.organization.apps.map { ($0.name, $0.emission(at: view.now)) }
        return try encoded(Dictionary(uniqueKeysWithValues: reports))
    }

    private func encoded(_ report: some Encodable) throws -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return .json([UInt8](try encoder.encode(report)))
    }

    /// The facts of some lines of an app: `app`, `from` and `count` are parameters of the query.
    private func lines(_ request: Request) async -> Answer {
        let view = await state.view
        guard let app = parameter("app", of: request).flatMap(view.organization.app(named:)) else {
            return .problem(.notFound, "app not found")
        }
        let first = parameter("from", of: request).flatMap { Int($0) } ?? 1
        let count = parameter("count", of: request).flatMap { Int($0) } ?? 1_000
        guard first >= 1, (1...Self.mostLines).contains(count) else {
            return .problem(.badRequest, "from must be at least 1, and count 1 to \(Self.mostLines)")
        }
        let end = min(app.count(through: view.now) + 1, first.addingReportingOverflow(count).partialValue)
        return Answer(contentType: "application/x-ndjson", bytes: app.lineFacts(first..<max(first, end)))
    }

    private func freshToken(_ request: Request) async -> Answer {
        let asked = parameter("life", of: request)
        guard let life = asked.map(DurationText.nanoseconds) ?? Self.defaultLife else {
            return .problem(.badRequest, "life must be a duration like 250ms, 10m or 24h")
        }
        let now = await state.view.now
        let bundle = mint.bundle(issuedAt: now, life: life, nonce: .random(in: 0...(.max)))
        let oauth = mint.oauthToken(issuedAt: now, life: life, nonce: .random(in: 0...(.max)))
        return .json(Array(#"{"bundle":"\#(bundle)","oauth":"\#(oauth)"}"#.utf8))
    }
}
