// The oracle's fourth part: what must have happened by some time. Every bound is computed from the settings, from how late
// this run's loop may be, and from how long it stood still meanwhile.

internal import EventLoop
internal import Fleet
internal import Supervision

/// Something that must be so when its time has come.
struct Promise {
    enum Kind {
        /// Who answers no pings any more was killed.
        case hangIsNoticed
        /// Who is not ready was killed.
        case startIsTimed
        /// The fleet is finished.
        case stopEnds
        /// The faults cease; a moment, not a promise.
        case quietBegins
        /// The loop has caught up; another one.
        case caughtUp
        /// All that is declared is up again.
        case recovered
        /// Nothing changed since; then the run is stopped.
        case stillStable
    }

    let kind: Kind
    /// Index of the process it is about; -1 for the fleet.
    let process: Int
    /// The allowance when it was given: what came since is added to its time.
    let allowanceMs: Int64

}

extension Simulation {
    /// How much later than its deadline something may be noticed or done, in ms.
    var slackMs: Int64 { 300 + 4 * scenario.latestMs + 2 * scenario.grainMs }

    /// Sees to it that a promise is looked after, `inMs` from now and later by what the loop stands still.
    mutating func promise(_ kind: Promise.Kind, _ process: Int = -1, inMs milliseconds: Int64) {
        let allowance = now < stillUntilMs ? allowanceBeforeMs : allowanceMs
        plan(.due(Promise(kind: kind, process: process, allowanceMs: allowance)), inMs: milliseconds)
    }

    mutating func fallDue(_ promise: Promise) {
        let extra = allowanceMs - promise.allowanceMs
        guard extra == 0 || promise.kind == .quietBegins || promise.kind == .caughtUp else {
            return plan(
                .due(Promise(kind: promise.kind, process: promise.process, allowanceMs: allowanceMs)), inMs: extra)
        }
        switch promise.kind {
        case .hangIsNoticed: checkHang(promise)
        case .startIsTimed: checkStart(promise.process)
        case .stopEnds: fail("every stop ends within its graces", "not by now; alive: \(alivePaths)")
        case .quietBegins: beginQuiet()
        case .caughtUp: needsLook = true
        case .recovered:
            guard phase == .recovering, !tree.nodes[0].isClosed else { return }
            fail("the declared tree is running again once the faults have ceased", missing(0) ?? whatElseIsMissing)
        case .stillStable: endStability()
        }
    }

    private var alivePaths: [String] { tree.nodes.filter(\.isAlive).map(\.path) }

    // MARK: workers

    private mutating func checkHang(_ promise: Promise) {
        let process = processes[promise.process]
        guard let heartbeat = scenario.machine.heartbeat, process.isAlive, process.isAnswered, process.kills == 0,
            process.readyWasTold, !process.isPaused, !process.isDying,
            process.isHung || process.isStopped || process.outputIsClosed
        else { return }
        // Something it had written may have been read only later.
        let due = process.lastHeardMs + heartbeat.limitMs + 2 * heartbeat.intervalMs + slackMs
        if now < due { return plan(.due(promise), inMs: due - now) }
        fail("who hangs is killed in time", "\(process.identity.path), last heard at \(process.lastHeardMs)")
    }

    private mutating func checkStart(_ index: Int) {
        let process = processes[index]
        let node = tree.nodes[process.leaf]
        guard process.isAlive, process.kills == 0, node.state == .starting,
            node.incarnation == process.identity.incarnation
        else { return }
        fail("who is not ready is killed in time", process.identity.path)
    }

    // MARK: the end

    /// The fleet is going down: by then it is down.
    mutating func promiseEnd() {
        promise(.stopEnds, inMs: stopBound(0))
    }

    /// How long the stop of a child may take, with everything that can delay it.
    private func stopBound(_ index: Int) -> Int64 {
        let node = tree.nodes[index]
        guard let supervisor = node.supervisor else {
            let grace: Int64
            switch node.shutdown {
            case .brutalKill: grace = 0
            case .grace(let milliseconds): grace = milliseconds
            case .infinity: grace = 30_000
            case nil: grace = scenario.machine.supervision.stopGraceMilliseconds
            }
            // The longest life of a queued spawn, of an uninterruptible sleep, of a pipe that somebody holds.
            return grace + Self.slowestSpawnMs + Self.longestKillMs + scenario.machine.drainMs + 4 * slackMs
        }
        let bounds = node.children.map { stopBound($0) }
        return supervisor.dynamic ? bounds.max() ?? 0 : bounds.reduce(0, +)
    }

    // MARK: recovery

    private mutating func beginQuiet() {
        guard phase == .chaos else { return }
        phase = .recovering
        needsLook = true
        trace.add(.note("the faults cease"), at: now, kind: 5, subject: 0)
        let backoff = scenario.machine.supervision.backoff?.capMilliseconds ?? 0
        let start = scenario.machine.supervision.startTimeoutMilliseconds ?? 5_000
        let heartbeat = scenario.machine.heartbeat.map { $0.limitMs + 3 * $0.intervalMs } ?? 0
        let bound = stopBound(0) + Int64(tree.nodes.count) * (2 * backoff + start + slackMs) + heartbeat + 20_000
        promise(.recovered, inMs: bound)
        if scenario.isFleet { plan(.appServerNeeded(0), inMs: 0) }
    }

    /// Looks whether all that is declared is up, and waits a while then to see that it stays so.
    mutating func lookForRecovery() {
        // What the loop has not noticed yet may still change everything.
        guard now > stillUntilMs else { return }
        needsLook = false
        needAppServerAgain()
        guard !scenario.isFleet || isAppServerExpected, batchesAreSettled, missing(0) == nil,
            !appServerAnswersDue.values.contains(where: { $0 != 0 }), !someoneIsToBeNoticed
        else { return }
        phase = .stable
        trace.add(.note("the fleet has recovered"), at: now, kind: 6, subject: 0)
        let heartbeat = scenario.machine.heartbeat.map { random.chance(25) ? $0.limitMs + 2 * $0.intervalMs : 10 }
        promise(.stillStable, inMs: max(heartbeat ?? 0, duration(1, 3_000)))
    }

    /// The first node that ought to be up below a supervisor that is up, and is not; nil when there is none.
    private func missing(_ index: Int) -> String? {
        let node = tree.nodes[index]
        guard node.state == .up else { return "\(node.path) is \(node.state)" }
        for child in node.children {
            let child = tree.nodes[child]
            switch child.state {
            case .starting, .stopping: return "\(child.path) is \(child.state)"
            case .up: break
            case .down:
                guard mayBeDown(child) else { return "\(child.path) is down" }
                continue
            }
            if child.supervisor != nil, let index = tree.index[child.path], let path = missing(index) { return path }
        }
        return nil
    }

    private var whatElseIsMissing: String {
        if !batchesAreSettled { return "batches are still on their way" }
        return someoneIsToBeNoticed
            ? "somebody who hangs or is dead is not noticed" : "an AppServer is not answered for"
    }

    /// Whether a child of a running supervisor may be down for good.
    private func mayBeDown(_ node: NodeModel) -> Bool {
        guard node.isDeclared else {
            return !node.isWaiting && !(isAppServerExpected && node.path == expectedAppServer)
        }
        switch (node.restart, node.lastExit) {
        case (.temporary, _), (_, .ignore), (.transient, .normal), (.transient, .shutdown): return true
        default: return false
        }
    }

    /// Somebody who hangs will be noticed, or somebody who is suspended go on.
    private var someoneIsToBeNoticed: Bool {
        let intervalMs = scenario.machine.heartbeat?.intervalMs
        for leaf in tree.leaves {
            let process = tree.nodes[leaf].process
            guard process >= 0, tree.nodes[leaf].isAlive else { continue }
            if !processes[process].output.isEmpty, !processes[process].isPaused { return true }
            guard processes[process].wasUnresponsive else { continue }
            let facts = processes[process]
            if facts.exit != nil || facts.isDying || facts.kills > 0 || facts.brokeProtocol { return true }
            // Who is left unread because nobody takes batches any more is not judged.
            guard let intervalMs, !facts.isPaused else { continue }
            if facts.isHung || facts.isStopped || facts.outputIsClosed { return true }
            if now - facts.lastHeardMs > intervalMs { return true }
        }
        return false
    }

    private mutating func endStability() {
        guard phase == .stable else { return }
        plan(.stops(interrupting: random.chance(30)), inMs: 0)
        planFurtherStops()
    }
}
