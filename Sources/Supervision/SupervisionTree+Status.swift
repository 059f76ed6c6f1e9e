// Reading the tree. Nothing here changes it.

extension SupervisionTree {
    /// Every node, parents before children, siblings in start order.
    ///
    /// - Parameter now: time at which uptimes and restart windows are measured.
    package func status(at now: Timestamp) -> [ChildStatus] {
        var result: [ChildStatus] = []
        var waiting = [SupervisionTree.root]
        while let slot = waiting.popLast() {
            result.append(status(ofSlot: slot, at: now))
            if let supervisor = nodes[slot].supervisor { waiting += childSlots(of: supervisor).reversed() }
        }
        return result
    }

    /// One node; nil when the tree has none at `path`.
    package func status(of path: String, at now: Timestamp) -> ChildStatus? {
        slots[path].map { status(ofSlot: $0, at: now) }
    }

    private func status(ofSlot slot: Int, at now: Timestamp) -> ChildStatus {
        let node = nodes[slot]
        var uptime: Int64?
        if case .running(let since, _) = node.state { uptime = max(0, now.milliseconds(since: since)) }
        let supervisor = node.supervisor.map { index in
            ChildStatus.Supervisor(
                strategy: supervisors[index].spec.strategy, dynamic: supervisors[index].spec.dynamic,
                restartsInWindow: supervisors[index].window.count(at: now),
                intensity: supervisors[index].spec.intensity)
        }
        return ChildStatus(
            path: node.path, depth: node.depth, state: node.state.status, incarnation: node.incarnation,
            restart: node.spec.restart, significant: node.spec.significant, uptimeMilliseconds: uptime,
            supervisor: supervisor)
    }
}

extension NodeState {
    /// The state as people are told it.
    ///
    /// A child that ended has no process, whether or not its end was handled.
    fileprivate var status: ChildStatus.State {
        switch self {
        case .down, .ended: .down
        case .starting: .starting
        case .running: .running
        case .stopping: .stopping
        case .restarting: .restarting
        }
    }
}
