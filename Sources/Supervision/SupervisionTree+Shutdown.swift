// Going down: asked from above, given up, shut down automatically, or killed. A supervisor is down only when everything
// below it is.

extension SupervisionTree {
    /// Stops the tree in order.
    mutating func stopRoot() {
        let root = SupervisionTree.root
        switch nodes[root].state {
        case .starting, .running:
            beginStop(root)
        case .stopping: return
        // Nothing has begun.
        case .down, .ended, .restarting: finish(.asked)
        }
    }

    /// Kills the whole tree.
    mutating func killRoot() {
        let root = SupervisionTree.root
        switch nodes[root].state {
        case .starting, .running:
            stopRoot()
            killSubtree(0, .stopNow)
        case .stopping: killSubtree(0, .stopNow)
        case .down, .ended, .restarting: finish(.asked)
        }
    }

    /// Obeys a stop request from above, whatever the supervisor is doing (R40).
    mutating func stopSupervisor(_ index: Int) {
        switch supervisors[index].phase {
        case .down: processGone(supervisors[index].node, .shutdown)
        case .starting, .up: beginDown(index, .asked)
        case .stopping: return
        }
    }

    /// Begins to stop everything that is left, in reverse start order (R35), and obeys nothing else from then on.
    mutating func beginDown(_ index: Int, _ cause: DownCause) {
        supervisors[index].phase = .stopping(cause)
        refuseWaiting(index)
        switch cause {
        case .gaveUp, .autoShutdown: stopWindows(from: index)
        case .asked, .startFailed: break
        }
        guard !supervisors[index].spec.dynamic else { return stopAllDynamic(index) }
        // A child that is being stopped already is waited for first: never two at a time.
        var current: Int?
        if case .stop(let stop) = supervisors[index].operation { current = stop.current }
        let last = supervisors[index].children.count - 1
        supervisors[index].operation = .stop(Operation.Stop(next: last, lowest: 0, current: current, purpose: .down))
        tasks.append(.advance(supervisor: index))
    }

    /// Everything below a supervisor is gone.
    mutating func supervisorWentDown(_ index: Int) {
        guard case .stopping(let cause) = supervisors[index].phase else { return }
        supervisors[index].phase = .down
        supervisors[index].operation = nil
        startWindows(from: index)
        let slot = supervisors[index].node
        switch cause {
        case .asked, .autoShutdown:
            processGone(slot, .shutdown)
        case .startFailed(let failure):
            processGone(slot, .crash(failure.description), failure: failure)
        case .gaveUp(let giveUp):
            // To its parent it ended with `shutdown`, as in OTP (R36); people are told why.
            processGone(slot, .shutdown)
            nodes[slot].lastExit = giveUp.description
        }
        guard slot == SupervisionTree.root else { return }
        switch cause {
        case .asked: finish(.asked)
        case .startFailed(let failure): finish(.startFailed(child: failure.path, reason: failure.reason))
        case .gaveUp(let giveUp): finish(.gaveUp(giveUp))
        case .autoShutdown: finish(.autoShutdown)
        }
    }

    /// Kills every worker below a supervisor at once; the supervisors themselves end when their children have.
    mutating func killSubtree(_ index: Int, _ reason: KillReason) {
        switch supervisors[index].phase {
        case .down:
            tasks.append(.stop(supervisor: index))
            return
        case .starting, .up:
            supervisors[index].phase = .stopping(.asked)
            refuseWaiting(index)
        case .stopping: break
        }
        for slot in childSlots(of: index).reversed() {
            killBranch(slot, of: index, reason)
        }
        if !supervisors[index].spec.dynamic {
            let last = supervisors[index].children.count - 1
            supervisors[index].operation = .stop(Operation.Stop(next: last, lowest: 0, purpose: .down))
        }
        tasks.append(.advance(supervisor: index))
    }

    private mutating func killBranch(_ slot: Int, of index: Int, _ reason: KillReason) {
        let readySince: Timestamp?
        let isKilled: Bool
        switch nodes[slot].state {
        case .starting(let killed): (readySince, isKilled) = (nil, killed != nil)
        case .running(let since, let killed): (readySince, isKilled) = (since, killed != nil)
        case .stopping(let phase, let since): (readySince, isKilled) = (since, phase == .killed)
        case .down, .ended, .restarting:
            disarm(slot)
            nodes[slot].state = .down
            if supervisors[index].spec.dynamic { removeChild(slot, of: index) }
            return
        }
        disarm(slot)
        answerStart(slot, .refused(.shuttingDown))
        nodes[slot].state = .stopping(.killed, readySince: readySince)
        if let supervisor = nodes[slot].supervisor {
            killSubtree(supervisor, reason)
        } else if !isKilled {
            kill(slot, reason)
        }
    }
}
