// One child's way from start to exit: what all supervisors do alike. Upwards it tells only its own supervisor, by task.

extension SupervisionTree {
    /// Starts a child that has no process.
    mutating func beginStart(_ slot: Int, restart: RestartReport?) {
        disarm(slot)
        lastSerial += 1
        nodes[slot].serial = lastSerial
        nodes[slot].incarnation += 1
        nodes[slot].state = .starting(killed: nil)
        nodes[slot].restart = restart
        if let restart { report(slot, .restarting(restart)) }
        report(slot, .starting)
        if let supervisor = nodes[slot].supervisor {
            tasks.append(.begin(supervisor: supervisor))
        } else {
            actions.append(.start(path: nodes[slot].path, incarnation: nodes[slot].incarnation))
        }
    }

    /// Its start has succeeded.
    mutating func becomeReady(_ slot: Int) {
        disarm(slot)
        nodes[slot].state = .running(since: now, killed: nil)
        report(slot, .ready)
        if nodes[slot].restart != nil, let downSince = nodes[slot].downSince {
            report(slot, .restarted(latencyMilliseconds: now.milliseconds(since: downSince)))
        }
        nodes[slot].restart = nil
        nodes[slot].downSince = nil
        settle(slot, .ready)
    }

    /// Its process is gone, or, for a supervisor, everything below it.
    ///
    /// `failure` names the start that made a supervisor's own start fail.
    mutating func processGone(_ slot: Int, _ reason: ExitReason, failure: StartFailure? = nil) {
        switch nodes[slot].state {
        case .down, .ended, .restarting: return
        case .starting(nil) where reason == .ignore:
            wentDown(slot, .ignore, uptime: nil)
            settle(slot, .ignored)
        case .starting(let killed):
            let crash = ExitReason.crash(killed?.rawValue ?? reason.description)
            wentDown(slot, crash, uptime: nil)
            settle(slot, .startFailed(failure ?? StartFailure(path: nodes[slot].path, reason: crash.description)))
        case .running(let since, let killed):
            let uptime = now.milliseconds(since: since)
            let classified = classify(reason, killed)
            wentDown(slot, classified, uptime: uptime)
            nodes[slot].state = .ended(classified)
            guard let parent = nodes[slot].parent else { return }
            tasks.append(.deliver(.exited(slot: slot, serial: nodes[slot].serial), supervisor: parent))
        case .stopping(_, let readySince):
            wentDown(slot, .shutdown, uptime: readySince.map { now.milliseconds(since: $0) })
            settle(slot, .gone)
        }
    }

    /// What an exit after ready means: whoever was killed for a failure has crashed, however it looks, and `ignore` is
    /// an answer to a start alone.
    private func classify(_ reason: ExitReason, _ killed: KillReason?) -> ExitReason {
        if let killed { return .crash(killed.rawValue) }
        return reason == .ignore ? .crash("ignore after ready") : reason
    }

    private mutating func wentDown(_ slot: Int, _ reason: ExitReason, uptime: Int64?) {
        disarm(slot)
        // A restart's latency runs from the exit that began it, through all attempts that failed.
        nodes[slot].downSince = nodes[slot].downSince ?? now
        nodes[slot].lastExit = reason.description
        nodes[slot].state = .down
        if let uptime { nodes[slot].backoff.childWasUp(milliseconds: uptime, settings.backoff) }
        report(slot, .exited(reason: reason, uptimeMilliseconds: uptime))
    }

    /// The driver has given up on it: it is killed now, and counts as crashed when it is gone.
    mutating func killFailed(_ slot: Int, _ reason: KillReason) {
        switch nodes[slot].state {
        case .starting(nil):
            disarm(slot)
            nodes[slot].state = .starting(killed: reason)
        case .running(let since, nil):
            nodes[slot].state = .running(since: since, killed: reason)
        case .stopping(.asked, let readySince), .stopping(.terminated, let readySince):
            disarm(slot)
            nodes[slot].state = .stopping(.killed, readySince: readySince)
        default: return
        }
        kill(slot, reason)
    }

    /// Asks a child that is starting or running to end, in the way its specification says (R28).
    mutating func beginStop(_ slot: Int) {
        let readySince: Timestamp?
        let killed: KillReason?
        switch nodes[slot].state {
        case .starting(let reason): (readySince, killed) = (nil, reason)
        case .running(let since, let reason): (readySince, killed) = (since, reason)
        case .down, .ended, .stopping, .restarting: return
        }
        disarm(slot)
        report(slot, .stopping)
        if killed != nil {
            nodes[slot].state = .stopping(.killed, readySince: readySince)
            return
        }
        switch shutdown(slot) {
        case .brutalKill:
            nodes[slot].state = .stopping(.killed, readySince: readySince)
            killProcesses(slot, .brutalKill)
            return
        case .infinity:
            nodes[slot].state = .stopping(.asked(killAt: nil), readySince: readySince)
        case .grace(let milliseconds):
            let killAt = now.advanced(byMilliseconds: milliseconds)
            nodes[slot].state = .stopping(.asked(killAt: killAt), readySince: readySince)
            // A subtree has no process of its own to signal: its workers have their own ladders.
            arm(slot, inMilliseconds: nodes[slot].supervisor == nil ? milliseconds / 2 : milliseconds)
        }
        if let supervisor = nodes[slot].supervisor {
            tasks.append(.stop(supervisor: supervisor))
        } else {
            actions.append(.stop(path: nodes[slot].path, incarnation: nodes[slot].incarnation))
        }
    }

    private func shutdown(_ slot: Int) -> Shutdown {
        if let shutdown = nodes[slot].spec.shutdown { return shutdown }
        guard nodes[slot].supervisor == nil else { return .infinity }
        return .grace(milliseconds: settings.stopGraceMilliseconds)
    }

    /// Kills a worker, or every worker below a supervisor, that is marked as being stopped.
    private mutating func killProcesses(_ slot: Int, _ reason: KillReason) {
        if let supervisor = nodes[slot].supervisor {
            killSubtree(supervisor, reason)
        } else {
            kill(slot, reason)
        }
    }

    mutating func kill(_ slot: Int, _ reason: KillReason) {
        report(slot, .killed(reason: reason))
        actions.append(.kill(path: nodes[slot].path, incarnation: nodes[slot].incarnation, reason: reason))
    }

    /// A node's deadline has passed.
    mutating func deadlinePassed(_ slot: Int) {
        switch nodes[slot].state {
        case .starting: killFailed(slot, .startTimeout)
        case .stopping(.asked(let killAt?), let readySince) where nodes[slot].supervisor == nil:
            nodes[slot].state = .stopping(.terminated, readySince: readySince)
            actions.append(.terminate(path: nodes[slot].path, incarnation: nodes[slot].incarnation))
            arm(slot, inMilliseconds: max(0, killAt.milliseconds(since: now)))
        case .stopping(_, let readySince):
            nodes[slot].state = .stopping(.killed, readySince: readySince)
            killProcesses(slot, .stopTimeout)
        case .restarting:
            guard let parent = nodes[slot].parent else { return }
            tasks.append(.deliver(.retry(slot: slot, serial: nodes[slot].serial), supervisor: parent))
        case .down, .running, .ended: break
        }
    }

    /// Tells the child's supervisor that a start or a stop is over.
    mutating func settle(_ slot: Int, _ settlement: Settlement) {
        tasks.append(.settled(slot: slot, serial: nodes[slot].serial, settlement))
    }

    mutating func report(_ slot: Int, _ turn: SupervisionReport.Turn) {
        let (path, incarnation) = (nodes[slot].path, nodes[slot].incarnation)
        actions.append(.report(SupervisionReport(path: path, incarnation: incarnation, turn: turn)))
    }
}
