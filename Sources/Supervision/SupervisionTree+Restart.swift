// OTP's restart rules: `do_restart`, `restart`, `add_restart` (R8–R27, R35), and the backoff that goes beyond them.

extension SupervisionTree {
    /// Handles the end of a child that ended by itself (the table of R8).
    mutating func childEnded(_ slot: Int, of index: Int, _ reason: ExitReason) {
        let isAbnormal = reason != .normal && reason != .shutdown
        switch nodes[slot].spec.restart {
        case .permanent: restart(slot, of: index)
        case .transient where isAbnormal: restart(slot, of: index)
        case .transient, .temporary: retire(slot, of: index)
        }
    }

    /// Leaves a child down that is not to be restarted, and ends the supervisor if that child was significant (R39).
    private mutating func retire(_ slot: Int, of index: Int) {
        let spec = nodes[slot].spec
        nodes[slot].state = .down
        if spec.restart == .temporary || supervisors[index].spec.dynamic { removeChild(slot, of: index) }
        guard spec.significant else { return }
        switch supervisors[index].spec.autoShutdown {
        case .never: return
        case .anySignificant: beginDown(index, .autoShutdown)
        case .allSignificant:
            // A child that is restarting, or whose end has not been handled yet, counts as left.
            let isLeft = supervisors[index].children.contains { sibling in
                sibling != SupervisorState.tombstone && nodes[sibling].spec.significant && nodes[sibling].state != .down
            }
            if !isLeft { beginDown(index, .autoShutdown) }
        }
    }

    /// Restarts after an exit.
    ///
    /// The stamp is taken now, before siblings are stopped (R15); then the backoff, if any.
    private mutating func restart(_ slot: Int, of index: Int) {
        guard let report = recordAttempt(slot, of: index) else { return }
        let delay = nextDelay(slot)
        performRestart(slot, of: index, report, notBefore: now.advanced(byMilliseconds: delay))
    }

    /// Another attempt: after a failed start it counts like the first (R25); after a mere wait it was counted before
    /// it.
    mutating func retry(_ slot: Int, of index: Int, counted: Bool) {
        if counted, let report = nodes[slot].restart {
            performRestart(slot, of: index, report, notBefore: now)
        } else if let report = recordAttempt(slot, of: index) {
            performRestart(slot, of: index, report, notBefore: now)
        }
    }

    /// R11: counts the attempt, or gives up.
    private mutating func recordAttempt(_ slot: Int, of index: Int) -> RestartReport? {
        let mayRestart = supervisors[index].window.recordAttempt(at: now)
        let count = supervisors[index].window.count(at: now)
        let (path, spec) = (nodes[slot].path, supervisors[index].spec)
        guard !mayRestart else {
            return RestartReport(
                cause: path, strategy: spec.strategy, restartsInWindow: count, intensity: spec.intensity)
        }
        let supervisor = supervisors[index].node
        let giveUp = GiveUp(
            supervisor: nodes[supervisor].path, cause: path, reason: nodes[slot].lastExit, restartsInWindow: count,
            intensity: spec.intensity)
        // The offender is gone already and is not stopped again (R35).
        disarm(slot)
        nodes[slot].state = .down
        report(supervisor, .gaveUp(giveUp))
        beginDown(index, .gaveUp(giveUp))
        return nil
    }

    /// A supervisor restarts children, or goes down because it gave up: until that is over no time passes in its restart
    /// window, nor in those above it, whose children are not all up either.
    ///
    /// What waits for its backoff is not being restarted yet: that time counts, so that waiting is a way to stay below
    /// the limit.
    mutating func stopWindows(from index: Int) {
        guard !settings.countsRestartTime, !supervisors[index].stopsWindows else { return }
        supervisors[index].stopsWindows = true
        changeWindows(from: index, by: 1)
    }

    /// The restart, or the end, of a supervisor is over; nothing if there was none.
    mutating func startWindows(from index: Int) {
        guard supervisors[index].stopsWindows else { return }
        supervisors[index].stopsWindows = false
        changeWindows(from: index, by: -1)
    }

    private mutating func changeWindows(from index: Int, by change: Int) {
        var next: Int? = index
        while let supervisor = next {
            supervisors[supervisor].busyBelow += change
            if supervisors[supervisor].busyBelow > 0 {
                supervisors[supervisor].window.stopClock(at: now)
            } else {
                supervisors[supervisor].window.startClock(at: now)
            }
            next = nodes[supervisors[supervisor].node].parent
        }
    }

    private mutating func performRestart(
        _ slot: Int, of index: Int, _ report: RestartReport, notBefore: Timestamp
    ) {
        let spec = supervisors[index].spec
        if spec.strategy == .oneForOne {
            if notBefore > now { return awaitRestart(slot, until: notBefore, report) }
            if spec.dynamic { return beginStart(slot, restart: report) }
            let position = nodes[slot].position
            return startChildren(of: index, from: position, to: position + 1, .restart(report))
        }
        disarm(slot)
        nodes[slot].state = .down
        let lowest = spec.strategy == .oneForAll ? 0 : nodes[slot].position
        let purpose = Operation.Stop.Purpose.restart(subject: slot, report, notBefore: notBefore)
        stopChildren(of: index, from: supervisors[index].children.count - 1, to: lowest, purpose)
    }

    /// Leaves a counted restart to its deadline; the supervisor serves others meanwhile, as between OTP's retries.
    mutating func awaitRestart(_ slot: Int, until due: Timestamp, _ restart: RestartReport) {
        nodes[slot].restart = restart
        nodes[slot].state = .restarting(counted: true)
        wait(slot, milliseconds: due.milliseconds(since: now))
    }

    /// A restart's start has failed: it is tried again, in its turn and after its backoff (R24).
    ///
    /// The failing child is the subject now, whichever child's exit began it (R27).
    mutating func retryLater(_ slot: Int, of index: Int) {
        nodes[slot].state = .restarting(counted: false)
        let delay = nextDelay(slot)
        guard delay == 0 else { return wait(slot, milliseconds: delay) }
        tasks.append(.deliver(.retry(slot: slot, serial: nodes[slot].serial), supervisor: index))
    }

    private mutating func wait(_ slot: Int, milliseconds: Int64) {
        report(slot, .backoff(delayMilliseconds: milliseconds))
        arm(slot, inMilliseconds: milliseconds)
    }

    private mutating func nextDelay(_ slot: Int) -> Int64 {
        nodes[slot].backoff.nextDelayMilliseconds(settings.backoff, jitter: &generator)
    }
}
