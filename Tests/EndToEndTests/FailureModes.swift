// The failure modes that supervisors are known for, F1 to F14, each with tests whose titles begin with its number.
// Two rows, each one after the other: several of them measure time or count processes.

import Testing
import WorkerHarness

/// What goes wrong with supervisors, and does not with this one.
@Suite("Failure modes")
enum FailureModes {
    /// Those with one process that misbehaves.
    @Suite("Single workers", .serialized)
    enum Singles {}

    /// Those with many processes, or in a hurry.
    @Suite("Crowds", .serialized)
    enum Crowds {}
}

extension FleetProcess {
    /// Events of one child, in order.
    func events(of path: String, _ names: String..., after: Int = 0) -> [FleetEvent] {
        events.filter { $0.path == path && $0.seq > after && (names.isEmpty || names.contains($0.event)) }
    }

    /// Waits until a child has had so many events of a name, and gives those.
    func events(
        _ count: Int, _ name: String, of path: String, after: Int = 0, seconds: Double = 30
    ) async throws -> [FleetEvent] {
        try await events("\(count) times \(name) of \(path)", seconds: seconds) { events in
            events.count { $0.event == name && $0.path == path && $0.seq > after } >= count
        }
        return Array(events(of: path, name, after: after).prefix(count))
    }

    /// What of this fleet still runs after `seconds`, if its parent does not.
    func left(seconds: Double = 1) -> [Int32] {
        ProcessTable.left(seconds: seconds) { ProcessTable.fleet(of: program.pid, folder: stateFolder) }
    }
}

/// Names for many apps, from `a01` on.
func manyApps(_ count: Int) -> [String] {
    (1...count).map { $0 < 10 ? "a0\($0)" : "a\($0)" }
}
