// Runs a SupervisionTree against children that answer at once: a start with ready, a stop with an exit, unless the test
// says otherwise. Everything the tree orders ends up in `log`, in order, so that tests compare all of it. It also
// checks what holds in every run: no child is started twice, nothing is asked of a child that is not there, `finished`
// is last.

import Testing

@testable import Supervision

struct TreeDriver {
    var tree: SupervisionTree
    let root: String
    var now = Timestamp(milliseconds: 0)
    /// One short line for each action; of reports only the turns of inner supervisors and give-ups, unless asked for.
    var log: [String] = []
    var reports: [SupervisionReport] = []
    var actions: [SupervisionAction] = []
    /// Incarnation of every process that lives.
    var alive: [String: Int] = [:]
    /// Every start of a worker, in order.
    var starts: [(path: String, at: Timestamp)] = []
    /// When restarts were performed: of all children that one brings back, its cause alone is counted.
    var restarts: [Timestamp] = []
    /// How many more starts of a path fail; `.max` for ever.
    var failingStarts: [String: Int] = [:]
    var ignoringStarts: [String: Int] = [:]
    /// Paths whose start is not answered.
    var slowStarts: Set<String> = []
    /// Paths that do not answer a request to stop; killing still works.
    var slowStops: Set<String> = []
    /// Paths that end at SIGTERM although they do not answer the stop frame.
    var endAtTerminate: Set<String> = []
    /// Said when the tree is down.
    var finished: FinishReason?
    var lastRequest: UInt64 = 0

    init(
        _ spec: SupervisorSpec, settings: SupervisionSettings = .otp, root: String = "top", seed: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        self.root = root
        tree = try SupervisionTree(name: root, spec: spec, settings: settings, seed: seed)
    }

    mutating func send(_ event: SupervisionEvent) {
        var events = [event]
        while !events.isEmpty {
            let next = events.removeFirst()
            for action in tree.handle(next, at: now) {
                #expect(finished == nil, "\(action) after the end")
                actions.append(action)
                note(action)
                events += answer(to: action)
            }
        }
    }

    /// Lets time pass, serving every deadline when it is due.
    mutating func advance(to milliseconds: Int64) {
        while let deadline = tree.nextDeadline, deadline.milliseconds <= milliseconds {
            now = max(now, deadline)
            send(.time)
            guard let next = tree.nextDeadline, next <= now else { continue }
            Issue.record("a deadline that is past is still armed: \(next)")
            return
        }
        now = max(now, Timestamp(milliseconds: milliseconds))
        send(.time)
    }

    mutating func advance(by milliseconds: Int64) {
        advance(to: now.milliseconds + milliseconds)
    }

    /// The process at `path` ends by itself.
    mutating func exit(_ path: String, _ reason: ExitReason = .crash("crash")) {
        guard let incarnation = alive.removeValue(forKey: path) else { return }
        send(.exited(path: path, incarnation: incarnation, reason: reason))
    }

    mutating func becomeReady(_ path: String) {
        guard let incarnation = alive[path] else { return }
        send(.ready(path: path, incarnation: incarnation))
    }

    mutating func call(_ make: (UInt64) -> SupervisionEvent) {
        lastRequest += 1
        send(make(lastRequest))
    }

    /// What was logged since the last call.
    mutating func takeLog() -> [String] {
        defer { log = [] }
        return log
    }

    private mutating func answer(to action: SupervisionAction) -> [SupervisionEvent] {
        switch action {
        case .start(let path, let incarnation):
            #expect(alive[path] == nil, "\(path) was started while it lives")
            starts.append((path, now))
            if TreeDriver.spend(&failingStarts, path) {
                return [.exited(path: path, incarnation: incarnation, reason: .crash("no start"))]
            }
            if TreeDriver.spend(&ignoringStarts, path) {
                return [.exited(path: path, incarnation: incarnation, reason: .ignore)]
            }
            alive[path] = incarnation
            let spawned = SupervisionEvent.spawned(path: path, incarnation: incarnation)
            return slowStarts.contains(path) ? [spawned] : [spawned, .ready(path: path, incarnation: incarnation)]
        case .stop(let path, let incarnation):
            return slowStops.contains(path) ? [] : end(path, incarnation)
        case .terminate(let path, let incarnation):
            return endAtTerminate.contains(path) ? end(path, incarnation) : []
        case .kill(let path, let incarnation, _):
            return end(path, incarnation)
        case .report, .reply: return []
        case .finished(let reason):
            #expect(alive.isEmpty, "finished while \(alive.keys.sorted()) live")
            finished = reason
            return []
        }
    }

    private mutating func end(_ path: String, _ incarnation: Int) -> [SupervisionEvent] {
        // A child that ended by itself a moment before may still be asked to: the race is legal, the order is moot.
        guard alive[path] == incarnation else { return [] }
        alive[path] = nil
        return [.exited(path: path, incarnation: incarnation, reason: .crash("its own fault, while stopping"))]
    }

    private static func spend(_ counts: inout [String: Int], _ path: String) -> Bool {
        guard let left = counts[path], left > 0 else { return false }
        if left != .max { counts[path] = left - 1 }
        return true
    }

    private mutating func note(_ action: SupervisionAction) {
        switch action {
        case .start(let path, _): log.append("start \(path)")
        case .stop(let path, _): log.append("stop \(path)")
        case .terminate(let path, _): log.append("terminate \(path)")
        case .kill(let path, _, let reason): log.append("kill \(path) \(reason.rawValue)")
        case .report(let report):
            reports.append(report)
            note(report)
        case .reply(_, let answer): log.append(TreeDriver.words(answer))
        case .finished(.asked): log.append("finished asked")
        case .finished(.gaveUp(let giveUp)): log.append("finished gave_up \(giveUp.cause)")
        case .finished(.startFailed(let child, _)): log.append("finished start_failed \(child)")
        case .finished(.autoShutdown): log.append("finished auto_shutdown")
        }
    }

    private mutating func note(_ report: SupervisionReport) {
        let isSupervisor = tree.status(of: report.path, at: now)?.supervisor != nil
        switch report.turn {
        case .gaveUp: log.append("gave_up \(report.path)")
        case .starting where isSupervisor && report.path != root: log.append("begin \(report.path)")
        case .exited where isSupervisor && report.path != root: log.append("gone \(report.path)")
        case .restarting(let restart) where restart.cause == report.path: restarts.append(now)
        case .backoff(let delay): log.append("backoff \(report.path) \(delay)")
        default: break
        }
    }

    static func words(_ reply: CallReply) -> String {
        switch reply {
        case .started(let path, _): "ok \(path)"
        case .ignored: "ok ignored"
        case .done: "ok"
        case .refused(.startFailed): "error start_failed"
        case .refused(.alreadyStarted): "error already_started"
        case .refused(.invalidSpec): "error invalid_spec"
        case .refused(let error): "error \(error)"
        }
    }

    /// `a=running b=down`, the root left out.
    var states: String {
        tree.status(at: now).dropFirst().map { "\($0.path)=\($0.state.rawValue)" }.joined(separator: " ")
    }
}
