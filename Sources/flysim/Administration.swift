// The interface for tests, beside the API: faults, counters, fresh tokens. It asks for no token itself.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Simulator

extension SimulatorRoutes {
    private static let largestOrder = 64 * 1024
    private static let defaultLife: Int64 = 24 * 3_600 * 1_000_000_000

    /// Adds the endpoints under `/_sim`.
    func addAdministration(to router: Router<SimulatorContext>) {
        router.post("/_sim/switch") { request, _ in await applyOrder(in: request).response }
        router.get("/_sim/stats") { _, _ in try await statistics().response }
        router.post("/_sim/token") { request, _ in freshToken(request).response }
    }

    private func applyOrder(in request: Request) async -> Answer {
        do {
            let body = try await request.body.collect(upTo: Self.largestOrder)
            let order = try JSONDecoder().decode(FaultOrder.self, from: Data(body.readableBytesView))
            if let name = order.app, organization.app(named: name) == nil {
                return .problem(.notFound, "app not found")
            }
            try await state.apply(order, now: clock())
            return .json(Array("{}".utf8))
        } catch let error as FaultOrderError {
            return .problem(.badRequest, error.description.replacing("\"", with: "'"))
        } catch {
            return .problem(.badRequest, "not an order: needs JSON with the member fault")
        }
    }

    private func statistics() async throws -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let report = await state.statistics(of: organization, now: clock())
        return .json([UInt8](try encoder.encode(report)))
    }

    private func freshToken(_ request: Request) -> Answer {
        let asked = parameter("life", of: request)
        guard let life = asked.map(DurationText.nanoseconds) ?? Self.defaultLife else {
            return .problem(.badRequest, "life must be a duration like 250ms, 10m or 24h")
        }
        let now = clock()
        let bundle = mint.bundle(issuedAt: now, life: life, nonce: .random(in: 0...(.max)))
        let oauth = mint.oauthToken(issuedAt: now, life: life, nonce: .random(in: 0...(.max)))
        return .json(Array(#"{"bundle":"\#(bundle)","oauth":"\#(oauth)"}"#.utf8))
    }
}
