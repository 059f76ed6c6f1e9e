// The oracle's second part: what the reports say must be a life that OTP's rules allow. Starts and stops are in order,
// nothing starts below who is being stopped, ends are called what they were. Restarts are in +Restarts.

internal import EventLoop
internal import Fleet
internal import Supervision

extension Simulation {
    mutating func check(_ report: SupervisionReport) {
        guard let index = tree.index[report.path] else {
            return fail("reports are about the declared tree", report.path)
        }
        if phase == .stable { fail("nothing changes once the fleet has recovered", "\(report.path): \(report.turn)") }
        needsLook = true
        if case .starting = report.turn {
            if report.incarnation <= tree.nodes[index].incarnation {
                fail("no incarnation comes twice", "\(report.path)#\(report.incarnation)")
            }
            tree.nodes[index].incarnation = report.incarnation
        } else if case .restarting = report.turn {
            // Said before `starting`, under the incarnation that is about to start.
        } else if report.incarnation != tree.nodes[index].incarnation {
            fail("reports are about the present start", "\(report.path)#\(report.incarnation): \(report.turn)")
        }
        switch report.turn {
        case .starting: checkStarting(index)
        case .ready:
            checkReady(index)
            if report.path == LeafPath.appServers { appServersAreBack = true }
        case .exited(let reason, let uptime): checkExited(index, reason, uptime)
        case .stopping: checkStopping(index)
        case .killed(let reason): checkKilled(index, reason)
        case .backoff(let delay): checkBackoff(index, delay)
        case .restarting(let restart): checkRestarting(index, restart)
        case .restarted: break
        case .gaveUp(let giveUp): checkGaveUp(index, giveUp)
        }
    }

    private mutating func checkStarting(_ index: Int) {
        let node = tree.nodes[index]
        if node.state != .down { fail("nothing is started while it lives", "\(node.path) is \(node.state)") }
        if isKillingAll { fail("nothing is started once all is killed", node.path) }
        tree.nodes[index].state = .starting
        lastTurn += 1
        tree.nodes[index].startTurn = lastTurn
        tree.nodes[index].endTurnBeforeStart = node.endTurn
        tree.nodes[index].isReady = false
        tree.nodes[index].isClosed = false
        tree.nodes[index].isStamped = false
        tree.nodes[index].wasSpawned = false
        tree.nodes[index].spawnFailed = false
        tree.nodes[index].wasAskedToStop = false
        tree.nodes[index].wasKilled = false
        tree.nodes[index].nextStart = 0
        tree.nodes[index].stamps.removeAll()
        tree.nodes[index].windowStop = nil
        tree.nodes[index].isWaiting = false
        guard node.parent >= 0 else { return }
        let parent = tree.nodes[node.parent]
        if parent.isClosed || parent.state == .stopping || parent.state == .down {
            fail("nothing starts below who is going down", "\(node.path) below \(parent.path), \(parent.state)")
        }
        guard parent.isStatic else { return }
        checkAlone(index, parent, "starts")
        if parent.state == .starting {
            if node.position != parent.nextStart {
                fail("children start in their order", "\(node.path) instead of place \(parent.nextStart)")
            }
            tree.nodes[node.parent].nextStart += 1
        }
        if parent.state == .starting || parent.supervisor?.strategy != .oneForOne {
            checkLaterSiblings(index, parent, "starts")
        }
    }

    /// A static supervisor does one thing at a time.
    private mutating func checkAlone(_ index: Int, _ parent: NodeModel, _ what: String) {
        for sibling in parent.children where sibling != index {
            let state = tree.nodes[sibling].state
            if state == .starting || state == .stopping {
                fail(
                    "static children start and stop one at a time",
                    "\(tree.nodes[index].path) \(what) while "
                        + "\(tree.nodes[sibling].path) is \(state)")
            }
        }
    }

    /// Who stands later needs who stands before: it is started after it and stopped before it.
    private mutating func checkLaterSiblings(_ index: Int, _ parent: NodeModel, _ what: String) {
        for sibling in parent.children[(tree.nodes[index].position + 1)...] where tree.nodes[sibling].isAlive {
            fail(
                "later children are down first", "\(tree.nodes[index].path) \(what) before \(tree.nodes[sibling].path)")
        }
    }

    private mutating func checkReady(_ index: Int) {
        let node = tree.nodes[index]
        if node.state != .starting { fail("only who starts becomes ready", "\(node.path) is \(node.state)") }
        tree.nodes[index].state = .up
        tree.nodes[index].isReady = true
        resumeWindow(after: index)
        if index == 0 { wasUp = true }
        if node.supervisor == nil {
            guard node.process >= 0, processes[node.process].identity.incarnation == node.incarnation,
                processes[node.process].readyWasTold
            else { return fail("only who said so is ready", node.path) }
            processes[node.process].lastHeardMs = now
        } else if node.isStatic, node.nextStart != node.children.count {
            fail("a supervisor is ready when its children are", "\(node.path) after \(node.nextStart)")
        }
    }

    private mutating func checkExited(_ index: Int, _ reason: ExitReason, _ uptime: Int64?) {
        let node = tree.nodes[index]
        if node.state == .down { fail("an end is reported once", node.path) }
        checkReason(node, reason)
        if (uptime != nil) != node.isReady { fail("who was ready has an uptime, and nobody else", node.path) }
        if node.supervisor != nil {
            if node.children.contains(where: { tree.nodes[$0].isAlive }) {
                fail("a supervisor is down after its children", node.path)
            }
        } else if node.wasSpawned, !node.spawnFailed {
            if node.process < 0 || !processes[node.process].isDiscarded {
                fail("a worker's end is reported after it was discarded", node.path)
            }
        } else if !node.wasSpawned, node.state != .stopping, !node.wasKilled {
            fail("who was not spawned ends only when it is told to", node.path)
        }
        tree.nodes[index].state = .down
        lastTurn += 1
        tree.nodes[index].endTurn = lastTurn
        resumeWindow(after: index)
        for child in node.children { tree.nodes[child].isWaiting = false }
        tree.nodes[index].lastExit = reason
        tree.nodes[index].endedAfterReady = node.isReady
        tree.nodes[index].isReady = false
    }

    /// What an end by itself is called must be what it was.
    private mutating func checkReason(_ node: NodeModel, _ reason: ExitReason) {
        guard node.supervisor == nil, node.process >= 0, node.wasSpawned, !node.spawnFailed, !node.wasKilled,
            node.state == .starting || node.state == .up, let exit = processes[node.process].exit
        else { return }
        let isRight: Bool
        switch (exit, reason) {
        case (.exited(0), .normal): isRight = node.isReady && processes[node.process].goodbyeWasTold
        case (.exited(0), .crash): isRight = !node.isReady || !processes[node.process].goodbyeWasTold
        case (.exited(VirtualExit.ignore), .ignore): isRight = !node.isReady
        case (.exited(VirtualExit.ignore), .crash): isRight = node.isReady
        case (_, .crash): isRight = true
        default: isRight = false
        }
        if !isRight { fail("an end is called what it was", "\(node.path): \(exit) is \(reason)") }
    }

    private mutating func checkStopping(_ index: Int) {
        let node = tree.nodes[index]
        if node.state != .starting, node.state != .up {
            fail("only who lives is stopped", "\(node.path) \(node.state)")
        }
        tree.nodes[index].state = .stopping
        tree.nodes[index].isClosed = true
        guard node.parent >= 0 else { return }
        let parent = tree.nodes[node.parent]
        guard parent.isStatic else { return }
        checkLaterSiblings(index, parent, "is stopped")
        if parent.state == .up, !parent.isClosed { checkAlone(index, parent, "is stopped") }
    }

    private mutating func checkKilled(_ index: Int, _ reason: KillReason) {
        let node = tree.nodes[index]
        if node.state == .down { fail("only who lives is killed", node.path) }
        tree.nodes[index].wasKilled = true
        // What is killed with its whole branch is not asked to stop before.
        if reason == .stopNow || reason == .brutalKill || reason == .stopTimeout { tree.nodes[index].state = .stopping }
        guard reason == .heartbeat, let heartbeat = scenario.machine.heartbeat, node.process >= 0 else { return }
        let process = processes[node.process]
        if process.isPaused { fail("nobody is judged whose pipe is left unread", node.path) }
        if now - process.lastHeardMs < heartbeat.limitMs {
            fail("nobody is killed for silence before its time", "\(node.path), heard \(process.lastHeardMs)")
        }
        if !process.wasUnresponsive { fail("nobody is killed for silence who answers every ping", node.path) }
    }
}
