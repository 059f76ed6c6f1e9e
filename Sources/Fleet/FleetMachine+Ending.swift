// A fleet that was to read to an end: when every leaf it was started for has ended by itself, all of it ends in order.

internal import Supervision

/// What is known of the leaves with which a fleet ends.
struct EndingLeaves: Sendable {
    /// Who has ended by itself and is not started again.
    var ended: Set<String> = []
    /// Who is being stopped: its end is not its own.
    var stopping: Set<String> = []
}

extension FleetMachine {
    /// Takes note of a turn of one of the leaves with which the fleet ends.
    ///
    /// One that says there is nothing for it to do will do nothing later either.
    mutating func endingLeafTurned(_ report: SupervisionReport) {
        guard settings.endsWith.contains(report.path) else { return }
        switch report.turn {
        case .starting:
            ending.ended.remove(report.path)
            ending.stopping.remove(report.path)
        case .stopping, .killed:
            ending.stopping.insert(report.path)
        case .exited(.normal, _), .exited(.ignore, _):
            guard !ending.stopping.contains(report.path) else { return }
            ending.ended.insert(report.path)
            if ending.ended.count == settings.endsWith.count { tell(.stopTree) }
        default:
            break
        }
    }
}
