// AppServers on demand: one is added to its group when its app first needs it, and again whenever the group, which
// forgets its children, is back.

internal import Supervision

/// The starts of AppServers that were asked for and are not answered yet.
struct AppServerCalls: Sendable {
    struct Call: Sendable {
        let request: UInt64
        /// How many times it was needed: so many answers are due.
        var answers: Int
    }

    var lastRequest: UInt64 = 0
    /// The app of each request.
    var apps: [UInt64: String] = [:]
    var calls: [String: Call] = [:]
    /// Apps whose AppServer was needed once: their group brings it back when it is restarted, as OTP would not.
    var remembered: Set<String> = []
}

extension FleetMachine {
    /// Asks the policies for an app's AppServer; whoever asks while that is under way gets the same answer.
    mutating func startAppServer(_ app: String, answers: Int) {
        appServers.remembered.insert(app)
        guard appServers.calls[app] == nil else {
            appServers.calls[app]?.answers += answers
            return
        }
        appServers.lastRequest += 1
        let request = appServers.lastRequest
        appServers.calls[app] = AppServerCalls.Call(request: request, answers: answers)
        appServers.apps[request] = app
        tell(.startChild(supervisor: LeafPath.appServers, spec: FleetTree.appServer(app), request: request))
    }

    mutating func answerAppServerCalls(_ request: UInt64, _ reply: CallReply) {
        guard let app = appServers.apps.removeValue(forKey: request),
            let call = appServers.calls.removeValue(forKey: app)
        else { return }
        for _ in 0..<call.answers { effects.append(.appServerAnswered(app: app, reply)) }
    }

    /// The group of AppServers went down and forgot its children; when it is up again, it gets back those it had.
    mutating func appServersTurned(_ report: SupervisionReport) {
        guard report.path == LeafPath.appServers, case .ready = report.turn else { return }
        for app in appServers.remembered.sorted() { startAppServer(app, answers: 0) }
    }
}
