// The routes of the simulated API. Each request meets, in this order: fault, token, app, query, answer.
//
// That order is Fly's: the log endpoints refuse an app that does not exist with 401, as they do a bad token.

import HTTPTypes
package import Hummingbird
import Simulator

/// The endpoints of one simulator.
package struct SimulatorRoutes: Sendable {
    let organization: Organization
    let pages: PageRules
    let mint: TokenMint
    let state = SimulatorState()
    let clock: @Sendable () -> Int64
    private let gate: TokenGate

    /// Makes the endpoints.
    ///
    /// - Parameter clock: Tells Unix nanoseconds; the only source of time.
    package init(_ configuration: SimulatorConfiguration, clock: @escaping @Sendable () -> Int64) {
        organization = Organization(
            slug: configuration.organization, appNames: configuration.appNames, settings: configuration.traffic)
        pages = configuration.pages
        mint = TokenMint(seed: configuration.traffic.seed)
        gate = TokenGate(mint: mint, rules: configuration.tokens)
        self.clock = clock
    }

    /// The router with all endpoints.
    package func router() -> Router<SimulatorContext> {
        let router = Router(context: SimulatorContext.self)
        router.get("/api/v1/apps/:app/logs") { request, context in
            try await serve(request, context, to: .platformLogs)
        }
        router.get("/v1/apps/:app/logs") { request, context in
            try await serve(request, context, to: .machinesLogs)
        }
        router.get("/v1/apps") { request, context in try await serve(request, context, to: .appList) }
        router.get("/v1/apps/:app") { request, context in try await serve(request, context, to: .appDetails) }
        router.get("/v1/apps/:app/machines") { request, context in
            try await serve(request, context, to: .machineList)
        }
        addAdministration(to: router)
        return router
    }

    private func serve(
        _ request: Request, _ context: SimulatorContext, to endpoint: Endpoint
    ) async throws -> Response {
        let name = context.parameters.get("app")
        let counted = name.flatMap(organization.app(named:))?.name ?? ""
        let reception = await state.receive(app: name, endpoint: endpoint.isLogs ? .logs : .apps)
        if let effect = reception.effect {
            try await Task.sleep(for: .milliseconds(effect.delayMilliseconds))
            if let answer = FaultyAnswer(effect.fault, endpoint: endpoint) {
                await state.record(app: counted, outcome: answer.outcome)
                return try await answer.response(on: context.channel)
            }
        }
        let now = clock()
        let answer: Answer
        do throws(TokenRefusal) {
            let header = request.headers[.authorization]
            try gate.check(header, now: now, revokedThrough: reception.revokedThrough)
            answer = try self.answer(request, of: endpoint, app: name, now: now)
        } catch {
            answer = .problem(.unauthorized, "unauthenticated: the token is \(error.rawValue)")
        }
        await state.record(app: counted, outcome: "\(answer.status.code)", lastSequence: answer.lastSequence)
        return answer.response
    }

    private func answer(
        _ request: Request, of endpoint: Endpoint, app name: String?, now: Int64
    ) throws(TokenRefusal) -> Answer {
        if endpoint == .appList { return appList(request) }
        guard let app = name.flatMap(organization.app(named:)) else {
            return endpoint.isLogs
                ? .problem(.unauthorized, "unauthenticated") : .problem(.notFound, "app not found")
        }
        switch endpoint {
        case .appList: return appList(request)
        case .appDetails: return .json(organization.details(of: app))
        case .machineList: return .json(organization.machineList(of: app, now: now))
        case .platformLogs, .machinesLogs: return logs(of: app, request, endpoint, now: now)
        }
    }

    private func appList(_ request: Request) -> Answer {
        guard let slug = parameter("org_slug", of: request) else {
            return .problem(.badRequest, "org_slug is required")
        }
        guard slug == organization.slug else { return .problem(.notFound, "organization not found") }
        return .json(organization.appList())
    }

    private func logs(of app: SimulatedApp, _ request: Request, _ endpoint: Endpoint, now: Int64) -> Answer {
        let cursorName = endpoint == .platformLogs ? "next_token" : "start_time"
        var query = PageQuery(region: parameter("region", of: request), instance: parameter("instance", of: request))
        if let text = parameter(cursorName, of: request) {
            guard let cursor = Int64(text), cursor >= 0 else {
                return .problem(.badRequest, "\(cursorName) must be Unix time in nanoseconds")
            }
            query.cursor = cursor
        }
        var rules = pages
        // A start time is where to begin; only the platform's token leaves open whether its own instant is meant.
        if endpoint == .machinesLogs { rules.boundary = .inclusive }
        let sequences = app.page(query, rules: rules, now: now)
        let lastSequence = sequences.last
        return endpoint == .platformLogs
            ? Answer(bytes: app.platformPage(sequences), lastSequence: lastSequence)
            : Answer(
                contentType: "application/x-ndjson", bytes: app.machinesPage(sequences), lastSequence: lastSequence)
    }

    /// A parameter of the query; nil where it is absent or empty, which mean the same to Fly.
    func parameter(_ name: String, of request: Request) -> String? {
        request.uri.queryParameters[Substring(name)].map(String.init).flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// What is asked for.
enum Endpoint: Sendable {
    case platformLogs, machinesLogs, appList, appDetails, machineList

    var isLogs: Bool { self == .platformLogs || self == .machinesLogs }
}
