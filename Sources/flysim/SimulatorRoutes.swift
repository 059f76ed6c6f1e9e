// The routes of the simulated API. Each request meets, in this order: fault, token, app, query, answer.
//
// That order is Fly's: the log endpoints refuse an app that does not exist with 401, as they do a bad token.

import HTTPTypes
package import Hummingbird
import Simulator

/// The endpoints of one simulator.
package struct SimulatorRoutes: Sendable {
    let mint: TokenMint
    let state: SimulatorState

    /// Makes the endpoints.
    ///
    /// - Parameter clock: Tells Unix nanoseconds; the only source of time.
    package init(_ configuration: SimulatorConfiguration, clock: @escaping @Sendable () -> Int64) {
        mint = TokenMint(seed: configuration.seed)
        state = SimulatorState(configuration, clock: clock)
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
        let reception = await state.receive(app: name, endpoint: endpoint.isLogs ? .logs : .apps)
        let effect = reception.effect
        if let effect, effect.delayMilliseconds > 0 {
            try await Task.sleep(for: .milliseconds(effect.delayMilliseconds))
        }
        if effect?.fault == .silence { await keepSilent(since: reception.clearCount) }
        let view = await state.view
        let counted = name.flatMap(view.organization.app(named:))?.name ?? ""
        if let fault = effect?.fault, let answer = FaultyAnswer(fault, endpoint: endpoint) {
            await state.record(app: counted, outcome: fault.outcome ?? "200")
            return try await answer.response(on: context.channel, now: view.now, uri: "\(request.uri)")
        }
        let answer = answer(request, of: endpoint, app: name, view)
        await state.record(
            app: counted, outcome: effect?.fault.outcome ?? "\(answer.status.code)",
            lastSequence: answer.lastSequence)
        guard let fault = effect?.fault else { return answer.response }
        return answer.response(spoiltBy: fault, on: context.channel)
    }

    /// Says nothing until faults are cleared; there is no way to see that the client has given up.
    private func keepSilent(since clearCount: Int) async {
        let deadline = ContinuousClock.now + .milliseconds(FaultSwitches.longestDelayMilliseconds)
        while await state.clearCount == clearCount, ContinuousClock.now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private func answer(
        _ request: Request, of endpoint: Endpoint, app name: String?, _ view: SimulatorState.View
    ) -> Answer {
        do throws(TokenRefusal) {
            try TokenGate(mint: mint, rules: view.settings.tokens)
                .check(request.headers[.authorization], now: view.now, revokedThrough: view.revokedThrough)
        } catch {
            return .problem(.unauthorized, "unauthenticated: the token is \(error.rawValue)")
        }
        if endpoint == .appList { return appList(request, view.organization) }
        guard let app = name.flatMap(view.organization.app(named:)) else {
            return endpoint.isLogs && view.settings.missingAppStatus == 401
                ? .problem(.unauthorized, "unauthenticated") : .problem(.notFound, "app not found")
        }
        switch endpoint {
        case .appList: return appList(request, view.organization)
        case .appDetails: return .json(view.organization.details(of: app))
        case .machineList: return .json(view.organization.machineList(of: app, now: view.now))
        case .platformLogs, .machinesLogs: return logs(of: app, request, endpoint, now: view.now)
        }
    }

    private func appList(_ request: Request, _ organization: Organization) -> Answer {
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
        var rules = app.pages
        // A start time is where to begin; only the platform's token leaves open whether its own instant is meant.
        if endpoint == .machinesLogs {
            rules.boundary = .inclusive
            rules.repeatShare = 0
        }
        let sequences = app.records(query, rules: rules, now: now)
        var answer =
            endpoint == .platformLogs
            ? Answer(bytes: app.platformPage(sequences, rules: rules, after: query.cursor))
            : Answer(contentType: "application/x-ndjson", bytes: app.machinesPage(sequences))
        answer.lastSequence = sequences.max()
        let accepted = request.headers[.acceptEncoding]?.contains("gzip") ?? false
        return rules.compressed && accepted ? answer.compressed : answer
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
