// The oracle's first part: what the machine may order about processes, and what an event obliges it to. It knows the
// simulated world and what the reports said; it never looks into the machine.

internal import Fleet
internal import Supervision

extension Simulation {
    /// Checks an order before it is carried out.
    mutating func check(_ effect: FleetEffect) {
        switch effect {
        case .spawn(let worker): checkSpawn(worker)
        case .askToStop(let worker):
            guard let leaf = leaf(of: worker, "is asked to stop") else { return }
            if tree.nodes[leaf].wasAskedToStop { fail("a worker is asked to stop once", worker.path) }
            tree.nodes[leaf].wasAskedToStop = true
            if tree.nodes[leaf].state != .stopping { fail("only who is being stopped is asked to", worker.path) }
            checkSignal(worker, leaf, "asked to stop")
        case .terminate(let worker):
            guard let leaf = leaf(of: worker, "gets SIGTERM") else { return }
            if !tree.nodes[leaf].wasAskedToStop { fail("SIGTERM comes after the stop frame", worker.path) }
            checkSignal(worker, leaf, "signalled")
            if let process = present(worker), processes[process].terminations > 0 {
                fail("SIGTERM is sent once", worker.path)
            }
        case .kill(let worker):
            guard let leaf = leaf(of: worker, "gets SIGKILL") else { return }
            checkSignal(worker, leaf, "killed")
            if let process = present(worker), processes[process].kills > 0 { fail("SIGKILL is sent once", worker.path) }
        case .ping(let worker): checkPing(worker)
        case .discard(let worker): checkDiscard(worker)
        case .report(let report): check(report)
        case .appServerAnswered(let app, let reply): checkAnswer(app, reply)
        case .finished(let reason): checkFinish(reason)
        }
    }

    /// The leaf of an order, if the order is about its present start.
    private mutating func leaf(of worker: WorkerIdentity, _ what: String) -> Int? {
        guard let leaf = tree.index[worker.path], tree.nodes[leaf].supervisor == nil else {
            fail("orders are about workers", "\(worker.path) \(what)")
            return nil
        }
        guard tree.nodes[leaf].incarnation == worker.incarnation else {
            fail("orders are about the present start", "\(worker.path)#\(worker.incarnation) \(what)")
            return nil
        }
        return leaf
    }

    private mutating func checkSpawn(_ worker: WorkerIdentity) {
        guard let leaf = leaf(of: worker, "is spawned") else { return }
        let node = tree.nodes[leaf]
        if node.state != .starting { fail("only who is starting is spawned", "\(worker.path) is \(node.state)") }
        if node.wasSpawned { fail("a start spawns once", "\(worker.path)#\(worker.incarnation)") }
        if isKillingAll { fail("nothing is spawned once all is killed", worker.path) }
        tree.nodes[leaf].wasSpawned = true
        guard node.process >= 0 else { return }
        let last = processes[node.process]
        if last.isAlive { fail("a leaf has one process at a time", "\(worker.path)#\(worker.incarnation)") }
        if !last.exitWasTold || !last.isDiscarded {
            fail("a leaf is spawned again only when its last process was discarded", worker.path)
        }
    }

    private mutating func checkSignal(_ worker: WorkerIdentity, _ leaf: Int, _ what: String) {
        let process = tree.nodes[leaf].process
        guard process >= 0, processes[process].identity == worker, processes[process].isAnswered else {
            return fail("only processes that exist are \(what)", worker.path)
        }
        if processes[process].exitWasTold { fail("nobody is \(what) after it was reaped", worker.path) }
    }

    private mutating func checkPing(_ worker: WorkerIdentity) {
        guard let process = present(worker), processes[process].readyWasTold, !processes[process].exitWasTold else {
            return fail("only workers that are ready are pinged", "\(worker.path)#\(worker.incarnation)")
        }
        guard let heartbeat = scenario.machine.heartbeat else {
            return fail("nobody is pinged without a heartbeat", worker.path)
        }
        let pings = processes[process].input.count { if case .ping = $0 { true } else { false } }
        let bound = (heartbeat.limitMs + allowanceMs) / heartbeat.intervalMs + 4
        if pings > bound { fail("unanswered pings are bounded", "\(pings) to \(worker.path)") }
    }

    /// Everything it wrote comes before its end is known; but nobody waits longer for it than `drainMs`.
    private mutating func checkDiscard(_ worker: WorkerIdentity) {
        guard let process = present(worker) else {
            return fail("only processes that exist are discarded, once", "\(worker.path)#\(worker.incarnation)")
        }
        let facts = processes[process]
        if !facts.exitWasTold { return fail("nobody is discarded before it was reaped", worker.path) }
        if facts.outputEndWasTold, facts.errorsEndWasTold { return }
        if now < facts.exitToldAtMs + scenario.machine.drainMs {
            fail("a worker's pipes are drained before it is discarded", worker.path)
        }
    }

    private mutating func checkAnswer(_ app: String, _ reply: CallReply) {
        guard let due = appServerAnswersDue[app], due > 0 else {
            return fail("an AppServer that is needed is answered for once", app)
        }
        appServerAnswersDue[app] = due - 1
        guard case .started(let path, _) = reply else { return }
        guard path == LeafPath.appServer(app), let leaf = tree.index[path], tree.nodes[leaf].isReady else {
            return fail("an AppServer that is said to be started is", "\(app): \(path)")
        }
    }

    private mutating func checkFinish(_ reason: FinishReason) {
        if tree.nodes.contains(where: \.isAlive) {
            let alive = tree.nodes.filter(\.isAlive).map(\.path)
            fail("everything is down when the fleet is finished", "\(alive)")
        }
        if reason == .asked, stopRequests == 0 { fail("a fleet ends for a reason", "nobody asked") }
        if appServerAnswersDue.values.contains(where: { $0 != 0 }) {
            fail("an AppServer that is needed is answered for before the end", "\(appServerAnswersDue.count) are not")
        }
    }

    // MARK: events

    /// Notes what an event will oblige the machine to.
    mutating func expect(_ event: FleetEvent) {
        switch event {
        case .spawned(let worker):
            guard let process = present(worker), let timeout = scenario.machine.supervision.startTimeoutMilliseconds
            else { return }
            promise(.startIsTimed, process, inMs: timeout + slackMs)
        case .spawnFailed(let worker, _):
            guard let leaf = tree.index[worker.path], tree.nodes[leaf].incarnation == worker.incarnation else { return }
            tree.nodes[leaf].spawnFailed = true
        case .appServerNeeded(let app):
            appServerAnswersDue[app, default: 0] += 1
            let path = LeafPath.appServer(app)
            guard tree.index[path] == nil, let group = tree.index[LeafPath.appServers] else { return }
            tree.add(FleetTree.appServer(app), path: path, parent: group, isDeclared: false)
        default: break
        }
    }

    /// Checks what an event obliged the machine to do at once.
    mutating func checkDone(_ event: FleetEvent) {
        if appServersAreBack { checkAppServersAreBack() }
        switch event {
        case .exited(let worker, _), .pipeEnded(let worker, _):
            guard let process = present(worker) else { return }
            let facts = processes[process]
            if facts.exitWasTold, facts.outputEndWasTold, facts.errorsEndWasTold {
                fail("who is dead and read to its end is discarded at once", worker.path)
            }
        case .brokeProtocol(let worker, _):
            guard let process = present(worker), processes[process].identity == worker else { return }
            if processes[process].kills == 0, !processes[process].exitWasTold {
                fail("who breaks the protocol is killed at once", worker.path)
            }
        case .time:
            for leaf in tree.leaves {
                let process = tree.nodes[leaf].process
                guard process >= 0, processes[process].exitWasTold, !processes[process].isDiscarded else { continue }
                let stoodStillMs = machine.stoodStillMs - processes[process].stoodStillAtExitMs
                if processes[process].exitToldAtMs + scenario.machine.drainMs + stoodStillMs <= now {
                    fail("nobody waits for pipes longer than the drain", processes[process].identity.path)
                }
            }
        default: break
        }
    }
    /// OTP forgets the children of a dynamic group; a fleet must not.
    private mutating func checkAppServersAreBack() {
        appServersAreBack = false
        guard let group = tree.index[LeafPath.appServers], tree.nodes[group].state == .up else { return }
        for child in tree.nodes[group].children where !tree.nodes[child].isAlive && !tree.nodes[child].isWaiting {
            guard tree.nodes[child].endTurn < tree.nodes[group].startTurn else { continue }
            fail("AppServers that were needed come back with their group", tree.nodes[child].path)
        }
    }
}
