// The oracle's third part: restarts. Who is brought back with whom, how often within the window, and that nobody gives up
// too early. The window is reckoned anew from the times of the reports.

internal import Fleet
internal import Supervision

extension Simulation {
    mutating func checkBackoff(_ index: Int, _ delay: Int64) {
        guard let backoff = scenario.machine.supervision.backoff else {
            return fail("nobody waits where there is no backoff", tree.nodes[index].path)
        }
        if delay < 1 || delay > backoff.capMilliseconds {
            fail("a backoff is within its cap", "\(tree.nodes[index].path) waits \(delay) ms")
        }
        tree.nodes[index].isWaiting = true
        // After an end the attempt is counted before the wait; after a failed start, after it.
        guard tree.nodes[index].endedAfterReady, !tree.nodes[index].isStamped else { return }
        tree.nodes[index].isStamped = true
        stamp(tree.nodes[index].parent)
    }

    mutating func checkRestarting(_ index: Int, _ restart: RestartReport) {
        let node = tree.nodes[index]
        guard node.parent >= 0 else { return fail("nobody restarts the root", node.path) }
        if restart.cause == node.path, !node.isStamped { stamp(node.parent) }
        tree.nodes[index].isStamped = false
        checkSet(index, restart)
        stopWindow(for: index)
        if restart.restartsInWindow > restart.intensity.maxRestarts {
            fail("restarts are within the limit", "\(node.path) is restart \(restart.restartsInWindow)")
        }
        let parent = tree.nodes[node.parent]
        guard restart.cause == node.path, let supervisor = parent.supervisor else { return }
        // A group restart is counted when it begins and seen when it is done: one more may fall within the window.
        let limit = supervisor.intensity.maxRestarts + (supervisor.strategy == .oneForOne ? 0 : 1)
        let count = restartsInWindow(node.parent)
        if count > limit {
            fail("restarts are within the limit", "\(count) of \(parent.path) within \(supervisor.intensity)")
        }
    }

    mutating func checkGaveUp(_ index: Int, _ giveUp: GiveUp) {
        guard let supervisor = tree.nodes[index].supervisor else {
            return fail("only supervisors give up", tree.nodes[index].path)
        }
        tree.nodes[index].isClosed = true
        // The attempt that was refused counts too; a restart that was counted may have been cancelled before it was seen.
        let count = restartsInWindow(index) + 1
        // Supervisors below stop its clock too, and so does a parent that stands still: neither is followed.
        let isFollowed =
            machine.stoodStillMs == 0
            && !tree.nodes[index].children.contains { tree.nodes[$0].supervisor != nil }
        if isFollowed, supervisor.strategy == .oneForOne, count <= supervisor.intensity.maxRestarts {
            fail("nobody gives up before its limit", "\(giveUp.description): \(count) seen")
        }
        if giveUp.restartsInWindow <= supervisor.intensity.maxRestarts {
            fail("nobody gives up before its limit", giveUp.description)
        }
        if index == 0 { promiseEnd() }
    }

    /// Whom a restart may bring back, and who has to be down for it.
    private mutating func checkSet(_ index: Int, _ restart: RestartReport) {
        let node = tree.nodes[index]
        guard let cause = tree.index[restart.cause].map({ tree.nodes[$0] }), cause.parent == node.parent,
            let strategy = tree.nodes[node.parent].supervisor?.strategy, strategy == restart.strategy
        else { return fail("a restart is due to a sibling", "\(node.path) for \(restart.cause)") }
        if node.restart == .temporary { fail("temporary children are not restarted", node.path) }
        if restart.cause == node.path, node.restart == .transient, node.endedAfterReady,
            node.lastExit == .normal || node.lastExit == .shutdown
        {
            fail("a transient child that ended well is not restarted for itself", node.path)
        }
        switch strategy {
        case .oneForOne: if restart.cause != node.path { fail("one_for_one restarts one", node.path) }
        case .restForOne, .oneForAll:
            let first = strategy == .oneForAll ? 0 : cause.position
            // Once it is back itself, its next end belongs to the next cycle.
            let end = cause.position < node.position ? cause.endTurnBeforeStart : cause.endTurn
            if node.position < first { fail("rest_for_one leaves earlier children alone", node.path) }
            for sibling in tree.nodes[node.parent].children[first..<max(first, node.position)]
            where tree.nodes[sibling].isAlive && tree.nodes[sibling].startTurn < end {
                fail("a group is restarted whole", "\(tree.nodes[sibling].path) outlived \(restart.cause)")
            }
        }
    }

    private mutating func stamp(_ supervisor: Int) {
        tree.nodes[supervisor].stamps.append(tree.nodes[supervisor].windowTime(now))
    }

    /// Restarts of a supervisor's children in the window that ends now, both ends included.
    private func restartsInWindow(_ index: Int) -> Int {
        guard let intensity = tree.nodes[index].supervisor?.intensity else { return 0 }
        let (time, seconds) = (tree.nodes[index].windowTime(now), Int64(intensity.maxSeconds))
        let isExact = intensity.clock == .exact
        let threshold = isExact ? time - seconds * 1000 : time / 1000 - seconds
        return tree.nodes[index].stamps.reversed().prefix { (isExact ? $0 : $0 / 1000) >= threshold }.count
    }

    /// While a static supervisor restarts a child, the clock of its window stands still.
    ///
    /// Of a group that is not followed: what reports tell of it is too little.
    private mutating func stopWindow(for index: Int) {
        let parent = tree.nodes[index].parent
        guard parent >= 0, tree.nodes[parent].isStatic, tree.nodes[parent].supervisor?.strategy == .oneForOne,
            !scenario.machine.supervision.countsRestartTime
        else { return }
        tree.nodes[parent].windowStop = (child: index, since: now)
    }

    mutating func resumeWindow(after index: Int) {
        let parent = tree.nodes[index].parent
        guard parent >= 0, let stop = tree.nodes[parent].windowStop, stop.child == index else { return }
        tree.nodes[parent].windowStop = nil
        tree.nodes[parent].windowStoodMs += now - stop.since
    }
}
